//! Checked access to the bytes of a file.

use std::cell::Cell;
use std::fmt::Display;
use std::ops::RangeInclusive;

use super::{Fault, Result};

/// The address of what was never written: all bits set. A number that no memory can hold reads as
/// this too.
pub const UNDEFINED: usize = usize::MAX;

/// Reads forward through one structure of the file. Numbers are little-endian, as everywhere in
/// HDF5 metadata.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// What has not been read yet.
    pub rest: &'a [u8],
    /// The name of the structure, for errors.
    what: &'static str,
    /// Where the structure starts in the file, for errors.
    start: usize,
}

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let short = || {
            self.damaged(format!("ends early: {count} more bytes wanted, {} left", self.rest.len()))
        };
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Passes over `count` bytes that are only there in some cases.
    pub fn skip_if(&mut self, is_there: bool, count: usize) -> Result<()> {
        self.bytes(if is_there { count } else { 0 }).map(|_| ())
    }

    /// The next `count` bytes as a structure of its own within this one.
    pub fn part(&mut self, count: usize) -> Result<Cursor<'a>> {
        Ok(Cursor { rest: self.bytes(count)?, ..*self })
    }

    /// A length, a count or an address of `width` bytes, 0 to 8.
    pub fn uint(&mut self, width: usize) -> Result<usize> {
        let value =
            self.bytes(width)?.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte));
        Ok(usize::try_from(value).unwrap_or(UNDEFINED))
    }

    /// The four letters that open a structure.
    pub fn letters(&mut self, letters: &[u8; 4]) -> Result<()> {
        let (found, wanted) = (self.bytes(4)?.escape_ascii(), letters.escape_ascii());
        match found.to_string() == wanted.to_string() {
            true => Ok(()),
            false => Err(self.damaged(format!("starts with \"{found}\" instead of \"{wanted}\""))),
        }
    }

    /// A version number; only `known` ones are read.
    pub fn version(&mut self, known: RangeInclusive<usize>) -> Result<usize> {
        match self.uint(1)? {
            found if known.contains(&found) => Ok(found),
            found => {
                Err(self.unsupported(format!("has version {found}; versions {known:?} are read")))
            }
        }
    }

    /// Bytes that came from here, as text.
    pub fn text<'b>(&self, bytes: &'b [u8]) -> Result<&'b str> {
        std::str::from_utf8(bytes).map_err(|_| self.damaged("holds text that is not UTF-8"))
    }

    pub fn damaged(&self, problem: impl Display) -> Fault {
        Fault::damaged(format!("the {} at byte {} {problem}", self.what, self.start))
    }

    pub fn unsupported(&self, problem: impl Display) -> Fault {
        Fault::unsupported(format!("the {} at byte {} {problem}", self.what, self.start))
    }
}

/// The whole file, from its superblock on, during one operation.
pub struct Source<'a> {
    pub bytes: &'a [u8],
    /// How many bytes of metadata this operation may still read: rule 2 of the module's
    /// documentation.
    allowance: Cell<usize>,
}

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Source<'a> {
        Source { bytes, allowance: Cell::new(bytes.len().saturating_mul(4)) }
    }

    /// Everything from `start` on. Addresses count from the superblock, which a user block can push
    /// back.
    pub fn from(&self, start: usize, what: &'static str) -> Result<Cursor<'a>> {
        let length = self.bytes.len();
        let beyond =
            || format!("the {what} would be at byte {start}, but the file has {length} bytes");
        let rest = self.bytes.get(start..).ok_or_else(|| Fault::damaged(beyond()))?;
        Ok(Cursor { rest, what, start })
    }

    /// `length` bytes of metadata at `address`.
    pub fn take(&self, address: usize, length: usize, what: &'static str) -> Result<Cursor<'a>> {
        let mut all = self.from(address, what)?;
        self.charge(length, &all)?;
        all.part(length)
    }

    /// `length` bytes of metadata whose last four are the checksum of those before them, without
    /// the checksum.
    pub fn checked(&self, address: usize, length: usize, what: &'static str) -> Result<Cursor<'a>> {
        let mut all = self.take(address, length, what)?;
        let body = all.part(length.saturating_sub(4))?;
        match all.bytes(4)? == checksum(body.rest).to_le_bytes() {
            true => Ok(body),
            false => Err(body.damaged("does not match its checksum")),
        }
    }

    /// Counts `length` bytes of `place` against the allowance.
    pub fn charge(&self, length: usize, place: &Cursor) -> Result<()> {
        let left = self.allowance.get().checked_sub(length);
        self.allowance.set(
            left.ok_or_else(|| place.damaged("is part of a loop, or overlaps other structures"))?,
        );
        Ok(())
    }
}

/// The checksum of newer metadata: Bob Jenkins' `lookup3` with initial value 0, in the bytewise
/// form `hashlittle`.
pub fn checksum(bytes: &[u8]) -> u32 {
    let mut words = [0xdead_beef_u32.wrapping_add(bytes.len() as u32); 3];
    let mut blocks = bytes.chunks(12).peekable();
    while let Some(block) = blocks.next() {
        for (word, part) in words.iter_mut().zip(block.chunks(4)) {
            *word = word.wrapping_add(
                part.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte)),
            );
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
