//! The different strings of a column, numbered.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::layout::text;
use super::names;
use crate::{Error, Result};

/// Maximum number of different strings in a column, and of classes.
pub const MAX_STRINGS: usize = 1000;

/// Maximum length of a string in bytes.
const MAX_LENGTH: usize = 1000;

/// Different strings of a column with their codes, which count from 0.
#[derive(Debug, Default)]
pub struct Dictionary {
    /// Strings by their codes.
    strings: Vec<String>,
    /// Codes of the strings as bytes of the file, which may be in two encodings.
    codes: HashMap<Box<[u8]>, u32, BuildHasherDefault<WordHasher>>,
    /// True if no strings can be added.
    is_closed: bool,
}

impl Dictionary {
    /// Dictionary of these strings and no others, of which there are at most [`MAX_STRINGS`].
    pub fn closed(strings: &[String]) -> Dictionary {
        let mut dictionary = Dictionary::default();
        for text in strings.iter().take(MAX_STRINGS) {
            dictionary.insert(text.as_bytes(), text.clone());
        }
        Dictionary { is_closed: true, ..dictionary }
    }

    /// Code of a string that is in the dictionary, by its bytes in the file.
    pub fn get(&self, cell: &[u8]) -> Option<u32> {
        self.codes.get(cell).copied()
    }

    /// Code of a string that may be new.
    ///
    /// # Errors
    /// A string that a closed dictionary lacks, too many strings, and strings that cannot be a
    /// category.
    pub fn add(&mut self, cell: &[u8]) -> Result<u32> {
        if cell.len() > MAX_LENGTH {
            let problem = format!("holds a string of {} bytes", cell.len());
            return Err(Error::format(problem, unusable(MAX_LENGTH)));
        }
        let text = text(cell);
        if text.contains('\0') {
            return Err(Error::format(
                "holds a NUL byte",
                "correct the file, or ignore the column with --ignore",
            ));
        }
        if let Some(code) = self.get(text.as_bytes()) {
            self.codes.insert(cell.into(), code);
            return Ok(code);
        }
        if self.is_closed {
            let help = format!("its values in training were {}", names::list(&self.strings));
            return Err(Error::format(format!("holds {text:?}, not seen in training"), help));
        }
        if self.strings.len() == MAX_STRINGS {
            let problem = format!("holds more than {MAX_STRINGS} different strings");
            let help = "it is probably an identifier or free text; ignore the column with --ignore";
            return Err(Error::format(problem, help));
        }
        Ok(self.insert(cell, text))
    }

    fn insert(&mut self, cell: &[u8], text: String) -> u32 {
        let code = self.strings.len() as u32;
        self.strings.push(text);
        self.codes.insert(cell.into(), code);
        code
    }

    /// Strings in the order of their characters, as scikit-learn and NumPy sort them.
    pub fn vocabulary(self) -> Vocabulary {
        let mut order: Vec<usize> = (0..self.strings.len()).collect();
        order.sort_by(|a, b| self.strings[*a].cmp(&self.strings[*b]));
        let mut ranks = vec![0; order.len()];
        for (rank, code) in order.iter().enumerate() {
            ranks[*code] = rank;
        }
        let mut values = self.strings;
        values.sort();
        Vocabulary { values, ranks }
    }
}

/// Hash of a few bytes, eight at a time: faster than the standard one, and for at most 2,000 keys.
#[derive(Debug, Default)]
struct WordHasher(u64);

impl WordHasher {
    fn add(&mut self, word: u64) {
        // 2⁶⁴ divided by the golden ratio, as an odd number.
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks();
        for word in words {
            self.add(u64::from_le_bytes(*word));
        }
        let mut last = 0;
        for byte in rest {
            last = (last << 8) | u64::from(*byte);
        }
        self.add(last);
    }

    fn write_usize(&mut self, length: usize) {
        self.add(length as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

/// Help for a string that is too long.
fn unusable(length: usize) -> String {
    format!(
        "a category has at most {length}: close its quotes if they are open, or ignore the \
         column with --ignore"
    )
}

/// Sorted strings of a column.
#[derive(Debug)]
pub struct Vocabulary {
    /// Strings.
    pub values: Vec<String>,
    /// Index of each string by its code.
    pub ranks: Vec<usize>,
}
