//! The different texts of a column, numbered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::layout::text;
use super::names;
use crate::{Error, Result};

/// Maximum number of different texts in a column, and of classes.
pub const MAX_TEXTS: usize = 1000;

/// Maximum length of a text in bytes.
const MAX_LENGTH: usize = 1000;

/// Different texts of a column with their codes, which count from 0.
#[derive(Debug, Default)]
pub struct Dictionary {
    /// Texts by their codes.
    texts: Vec<String>,
    /// Codes of the texts as bytes of the file, which may be in two encodings.
    codes: HashMap<Box<[u8]>, u32, BuildHasherDefault<Fnv>>,
    /// True if no texts can be added.
    is_closed: bool,
}

impl Dictionary {
    /// Dictionary of these texts and no others, of which there are at most [`MAX_TEXTS`].
    pub fn closed(texts: &[String]) -> Dictionary {
        let mut dictionary = Dictionary::default();
        for text in texts.iter().take(MAX_TEXTS) {
            dictionary.insert(text.as_bytes(), text.clone());
        }
        Dictionary { is_closed: true, ..dictionary }
    }

    /// Code of a text that is in the dictionary, by its bytes in the file.
    pub fn get(&self, cell: &[u8]) -> Option<u32> {
        self.codes.get(cell).copied()
    }

    /// Code of a text that may be new. Errors are a text that a closed dictionary lacks, too many
    /// texts, and texts that are no value of a category.
    pub fn add(&mut self, cell: &[u8]) -> Result<u32> {
        if cell.len() > MAX_LENGTH {
            let problem = format!("holds a text of {} bytes", cell.len());
            return Err(Error::format(problem, unusable(MAX_LENGTH)));
        }
        let text = text(cell);
        if text.contains('\0') {
            return Err(Error::format(
                "holds a NUL byte",
                "correct the file, or leave the column out with --ignore",
            ));
        }
        if let Some(code) = self.get(text.as_bytes()) {
            self.codes.insert(cell.into(), code);
            return Ok(code);
        }
        if self.is_closed {
            let help = format!("its values in the training were {}", names::list(&self.texts));
            return Err(Error::format(format!("holds {text:?}, unseen in the training"), help));
        }
        if self.texts.len() == MAX_TEXTS {
            let problem = format!("holds more than {MAX_TEXTS} different texts");
            let help =
                "it is probably an identifier or a free text; leave the column out with --ignore";
            return Err(Error::format(problem, help));
        }
        Ok(self.insert(cell, text))
    }

    fn insert(&mut self, cell: &[u8], text: String) -> u32 {
        let code = self.texts.len() as u32;
        self.texts.push(text);
        self.codes.insert(cell.into(), code);
        code
    }

    /// Texts in the order of their characters, as scikit-learn and NumPy sort them.
    pub fn vocabulary(self) -> Vocabulary {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_by(|a, b| self.texts[*a].cmp(&self.texts[*b]));
        let mut ranks = vec![0; order.len()];
        for (rank, code) in order.iter().enumerate() {
            ranks[*code] = rank;
        }
        let mut values = self.texts;
        values.sort();
        Vocabulary { values, ranks }
    }
}

/// Hash of a few bytes (FNV-1a): faster than the standard one, and for at most 2,000 keys.
#[derive(Debug)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Fnv {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Help for a text that is too long.
fn unusable(length: usize) -> String {
    format!(
        "a category has at most {length}: close its quotes if they are open, or leave the column \
         out with --ignore"
    )
}

/// Sorted texts of a column.
#[derive(Debug)]
pub struct Vocabulary {
    /// Texts.
    pub values: Vec<String>,
    /// Index of each text by its code.
    pub ranks: Vec<usize>,
}
