//! Checked access to the bytes of a file.

use std::cell::Cell;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{Error, Result};

/// The undefined address, all bits set, of storage that was never allocated. Numbers too large for
/// `usize` read as this too.
pub const UNDEFINED: usize = usize::MAX;

/// Reads forward through one structure of the file. Numbers are little-endian, as everywhere in
/// HDF5 metadata.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// Bytes not read yet.
    pub rest: &'a [u8],
    /// Name of the structure, for errors.
    structure: &'static str,
    /// Position of the structure in the file, for errors.
    start: usize,
}

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let Some((bytes, rest)) = self.rest.split_at_checked(count) else {
            let left = self.rest.len();
            return Err(self.damaged(format!("ends early: {count} more bytes wanted, {left} left")));
        };
        self.rest = rest;
        Ok(bytes)
    }

    /// Skips `count` bytes that are only there in some cases.
    pub fn skip_if(&mut self, is_there: bool, count: usize) -> Result<()> {
        if is_there {
            self.bytes(count)?;
        }
        Ok(())
    }

    /// The next `count` bytes as a structure of their own within this one.
    pub fn part(&mut self, count: usize) -> Result<Cursor<'a>> {
        Ok(Cursor { rest: self.bytes(count)?, ..*self })
    }

    /// A length, a count or an address of `width` bytes, 0 to 8.
    pub fn uint(&mut self, width: usize) -> Result<usize> {
        let bytes = self.bytes(width)?;
        let value = bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
        Ok(usize::try_from(value).unwrap_or(UNDEFINED))
    }

    /// The four letters that open a structure.
    pub fn signature(&mut self, expected: &[u8; 4]) -> Result<()> {
        let found = self.bytes(4)?;
        if found == expected {
            return Ok(());
        }
        let (found, expected) = (found.escape_ascii(), expected.escape_ascii());
        Err(self.damaged(format!("starts with \"{found}\" instead of \"{expected}\"")))
    }

    /// A version number; only `known` ones are read.
    pub fn version(&mut self, known: RangeInclusive<usize>) -> Result<usize> {
        let version = self.uint(1)?;
        if known.contains(&version) {
            return Ok(version);
        }
        Err(self.unsupported(format!("has version {version}; versions {known:?} are read")))
    }

    /// Bytes of this structure as text.
    pub fn text<'b>(&self, bytes: &'b [u8]) -> Result<&'b str> {
        std::str::from_utf8(bytes).map_err(|_| self.damaged("holds text that is not UTF-8"))
    }

    /// An error that names this structure, whose bytes contradict the format.
    pub fn damaged(&self, problem: impl Display) -> Error {
        Error::damaged(format!("the {} at byte {} {problem}", self.structure, self.start))
    }

    /// An error that names this structure, which uses a part of the format that is not supported.
    pub fn unsupported(&self, problem: impl Display) -> Error {
        Error::unsupported(format!("the {} at byte {} {problem}", self.structure, self.start))
    }
}

/// The file from its superblock on, with a byte budget for one operation.
pub struct Source<'a> {
    pub bytes: &'a [u8],
    /// Bytes of metadata that this operation may still read: rule 2 of the module's documentation.
    budget: Cell<usize>,
}

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Source<'a> {
        Source { bytes, budget: Cell::new(bytes.len().saturating_mul(4)) }
    }

    /// Everything from `start` on. Addresses count from the superblock, which may follow a user
    /// block.
    pub fn from(&self, start: usize, structure: &'static str) -> Result<Cursor<'a>> {
        let Some(rest) = self.bytes.get(start..) else {
            let length = self.bytes.len();
            return Err(Error::damaged(format!(
                "the {structure} would be at byte {start}, but the file has {length} bytes"
            )));
        };
        Ok(Cursor { rest, structure, start })
    }

    /// `length` bytes of metadata at `address`.
    pub fn take(
        &self,
        address: usize,
        length: usize,
        structure: &'static str,
    ) -> Result<Cursor<'a>> {
        let mut all = self.from(address, structure)?;
        self.charge(length, &all)?;
        all.part(length)
    }

    /// `length` bytes of metadata that end in their checksum of 4 bytes, without the checksum.
    pub fn take_checked(
        &self,
        address: usize,
        length: usize,
        structure: &'static str,
    ) -> Result<Cursor<'a>> {
        let mut all = self.take(address, length, structure)?;
        let body = all.part(length.saturating_sub(4))?;
        if all.bytes(4)? != checksum(body.rest).to_le_bytes() {
            return Err(body.damaged("does not match its checksum"));
        }
        Ok(body)
    }

    /// Takes `length` bytes of `structure` off the budget.
    pub fn charge(&self, length: usize, structure: &Cursor) -> Result<()> {
        let left =
            self.budget.get().checked_sub(length).ok_or_else(|| {
                structure.damaged("is part of a loop, or overlaps other structures")
            })?;
        self.budget.set(left);
        Ok(())
    }
}

/// Checksum of newer metadata: Bob Jenkins' `lookup3` with initial value 0, in the bytewise form
/// `hashlittle`.
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut words = [0xdead_beef_u32.wrapping_add(bytes.len() as u32); 3];
    let mut blocks = bytes.chunks(12).peekable();
    while let Some(block) = blocks.next() {
        for (word, part) in words.iter_mut().zip(block.chunks(4)) {
            let value = part.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte));
            *word = word.wrapping_add(value);
        }
        let [a, b, c] = &mut words;
        if blocks.peek().is_some() {
            for shift in [4, 6, 8, 16, 19, 4] {
                *a = a.wrapping_sub(*c) ^ c.rotate_left(shift);
                *c = c.wrapping_add(*b);
                (*a, *b, *c) = (*b, *c, *a);
            }
        } else {
            for shift in [14, 11, 25, 16, 4, 14, 24] {
                *c = (*c ^ *b).wrapping_sub(b.rotate_left(shift));
                (*a, *b, *c) = (*b, *c, *a);
            }
            return *b;
        }
    }
    words[2]
}
