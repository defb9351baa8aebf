//! Header of a `.npy` file: magic, version, and a Python dictionary in text, such as
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }`. Source: NEP 1.

use super::super::npz::wrong;
use crate::{Real, Result};

/// Beginning of every file, before the version.
pub const MAGIC: &[u8] = b"\x93NUMPY";
/// Longest header that is read. NumPy writes 128 bytes, and longer headers only for structured
/// arrays, which are not supported.
pub const MAX_HEADER: u64 = 4096;
/// Bytes that the length of a header is a multiple of.
const ALIGNMENT: usize = 64;

/// Type and shape of an array.
#[derive(Debug, Default, PartialEq)]
pub struct Header {
    /// NumPy's name of the type: `<f4`, `|u1`.
    pub descr: String,
    /// True if the first axis varies fastest.
    pub is_fortran: bool,
    pub shape: Vec<usize>,
}

impl Header {
    /// Parses the header at the start of a file; returns it and the position of the first number.
    pub fn parse(start: &[u8]) -> Result<(Header, usize)> {
        let (text, length) = match start.get(MAGIC.len()..12) {
            Some(&[1, _, a, b, ..]) => (10, u16::from_le_bytes([a, b]).into()),
            Some(&[2 | 3, _, a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
            Some(&[version, ..]) if start.starts_with(MAGIC) => {
                return Err(wrong(format!("it is a .npy array of the unknown version {version}")));
            }
            _ => return Err(wrong("it is not a .npy array: it ends within its header")),
        };
        let end = length.saturating_add(text);
        let header = start.get(text..end).filter(|_| start.starts_with(MAGIC));
        let header = header.and_then(|text| str::from_utf8(text).ok()).and_then(dictionary);
        let header = header.ok_or_else(|| {
            wrong(
                "it is not a .npy array of plain numbers: its header is too long or describes \
                 something else",
            )
        })?;
        Ok((header, end))
    }

    /// Bytes of the header, magic included, of an array of [`Real`] in C order.
    pub fn of_reals(shape: &[usize]) -> Vec<u8> {
        let axes: String = shape.iter().map(|axis| format!("{axis}, ")).collect();
        let width = size_of::<Real>();
        let mut text =
            format!("{{'descr': '<f{width}', 'fortran_order': False, 'shape': ({axes}), }}");
        let before = MAGIC.len() + 4;
        // At least the line feed.
        let blanks = ALIGNMENT - (before + text.len()) % ALIGNMENT - 1;
        text.push_str(&" ".repeat(blanks));
        text.push('\n');
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((text.len() as u16).to_le_bytes());
        bytes.extend(text.into_bytes());
        bytes
    }
}

/// Parses the dictionary. `None` if it is anything else than the three entries of a plain array.
fn dictionary(text: &str) -> Option<Header> {
    let mut text = Text(text);
    let mut header = Header::default();
    let mut keys = vec![];
    text.token("{")?;
    while text.token("}").is_none() {
        let key = text.string()?;
        text.token(":")?;
        match key {
            "descr" => header.descr = text.string()?.to_string(),
            "fortran_order" => header.is_fortran = text.bool()?,
            "shape" => header.shape = text.tuple()?,
            _ => return None,
        }
        keys.push(key);
        if text.token(",").is_none() {
            text.token("}")?;
            break;
        }
    }
    keys.sort_unstable();
    let is_complete = keys == ["descr", "fortran_order", "shape"];
    (is_complete && text.rest().is_empty()).then_some(header)
}

/// The part of a header that is not parsed yet.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    /// The text after blanks.
    fn rest(&self) -> &'a str {
        self.0.trim_start()
    }

    fn token(&mut self, token: &str) -> Option<()> {
        self.0 = self.rest().strip_prefix(token)?;
        Some(())
    }

    /// A string in either quotation mark. A mark or an escape within it ends it, and then nothing
    /// fits.
    fn string(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let mark = rest.chars().next().filter(|mark| "'\"".contains(*mark))?;
        let (string, rest) = rest[1..].split_once(mark)?;
        self.0 = rest;
        Some(string)
    }

    fn bool(&mut self) -> Option<bool> {
        if self.token("True").is_some() {
            return Some(true);
        }
        self.token("False").map(|()| false)
    }

    /// A tuple of lengths, which Python 2 wrote as `3L`.
    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.token("(")?;
        let mut lengths = vec![];
        while self.token(")").is_none() {
            let rest = self.rest();
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            lengths.push(rest[..digits].parse().ok()?);
            self.0 = &rest[digits..];
            let _ = self.token("L");
            if self.token(",").is_none() {
                self.token(")")?;
                break;
            }
        }
        Some(lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_of_plain_arrays_are_parsed() {
        let header = |descr: &str, is_fortran, shape: &[usize]| {
            Some(Header { descr: descr.into(), is_fortran, shape: shape.into() })
        };
        let parsed = |text| dictionary(text);
        let numpy = "{'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28), }   \n";
        assert_eq!(parsed(numpy), header("<f4", false, &[60000, 28]));
        let python2 = "{\"shape\": (3L, 4L), \"fortran_order\":True,'descr':'|u1'}";
        assert_eq!(parsed(python2), header("|u1", true, &[3, 4]));
        let scalar = "{'descr': '<f8', 'fortran_order': False, 'shape': ()}";
        assert_eq!(parsed(scalar), header("<f8", false, &[]));
        for other in [
            "",
            "{}",
            "{'descr': '<f4', 'fortran_order': False, }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3)(, }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (3,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), } more",
            "{'descr': [('a', '<u2')], 'fortran_order': False, 'shape': (3,), }",
            "{'descr': '<f4, 'fortran_order': False, 'shape': (3,), }",
        ] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }

    #[test]
    fn written_headers_are_read_and_aligned() {
        for shape in [&[][..], &[7], &[60_000, 28, 28], &[1_000_000_000_000; 5]] {
            let bytes = Header::of_reals(shape);
            assert_eq!(bytes.len() % ALIGNMENT, 0);
            let (header, end) = Header::parse(&bytes).unwrap();
            assert_eq!((&header.shape[..], end), (shape, bytes.len()));
        }
    }
}
