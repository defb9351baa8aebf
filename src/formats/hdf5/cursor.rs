//! Checked access to the bytes of a file.

use std::cell::Cell;

use super::{Fault, Result, checksum};

/// Reads forward through one structure of the file. Numbers are little-endian, as everywhere in HDF5 metadata.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    /// What has not been read yet.
    pub rest: &'a [u8],
    /// The name of the structure, for errors.
    what: &'static str,
    /// Where the structure starts in the file, for errors.
    start: u64,
}

impl<'a> Cursor<'a> {
    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8]> {
        let short = || self.damaged(&format!("ends early: {count} more bytes wanted, {} left", self.rest.len()));
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or_else(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// The next `count` bytes as a structure of its own within this one.
    pub fn part(&mut self, count: usize) -> Result<Cursor<'a>> {
        Ok(Cursor { rest: self.bytes(count)?, ..*self })
    }

    /// A number of `width` bytes, 0 to 8.
    pub fn uint(&mut self, width: usize) -> Result<u64> {
        Ok(self.bytes(width)?.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.uint(1)? as u8)
    }

    pub fn u16(&mut self) -> Result<u16> {
        Ok(self.uint(2)? as u16)
    }

    pub fn u32(&mut self) -> Result<u32> {
        Ok(self.uint(4)? as u32)
    }

    /// A length or count of `width` bytes that has to be usable in memory.
    pub fn size(&mut self, width: usize) -> Result<usize> {
        let value = self.uint(width)?;
        usize::try_from(value).map_err(|_| self.damaged(&format!("declares the impossible size {value}")))
    }

    /// An address; the undefined address (all bits set) is `None`.
    pub fn address(&mut self) -> Result<Option<u64>> {
        Ok(Some(self.uint(8)?).filter(|&address| address != u64::MAX))
    }

    /// An address that this structure cannot do without.
    pub fn known_address(&mut self) -> Result<u64> {
        self.address()?.ok_or_else(|| self.damaged("leaves out an address"))
    }

    /// The four letters that open a structure.
    pub fn letters(&mut self, letters: &[u8; 4]) -> Result<()> {
        let found = self.bytes(4)?;
        let (text, wanted) = (found.escape_ascii(), letters.escape_ascii());
        let other = || self.damaged(&format!("starts with \"{text}\" instead of \"{wanted}\""));
        if found == letters { Ok(()) } else { Err(other()) }
    }

    /// A version number; only `known` ones are read.
    pub fn version(&mut self, known: std::ops::RangeInclusive<u8>) -> Result<u8> {
        let found = self.u8()?;
        let other = || self.unsupported(&format!("has version {found}; versions {known:?} are read"));
        if known.contains(&found) { Ok(found) } else { Err(other()) }
    }

    pub fn damaged(&self, problem: &str) -> Fault {
        Fault::damaged(format!("the {} at byte {} {problem}", self.what, self.start))
    }

    pub fn unsupported(&self, problem: &str) -> Fault {
        Fault::unsupported(format!("the {} at byte {} {problem}", self.what, self.start))
    }
}

/// The whole file, from its superblock on, during one operation.
pub struct Source<'a> {
    pub bytes: &'a [u8],
    /// How many bytes of metadata this operation may still read: rule 2 of the module's documentation.
    allowance: Cell<usize>,
}

impl<'a> Source<'a> {
    pub fn new(bytes: &'a [u8]) -> Source<'a> {
        Source { bytes, allowance: Cell::new(bytes.len().saturating_mul(4)) }
    }

    /// Everything from `address` on. Addresses count from the superblock, which a user block can push back.
    pub fn from(&self, address: u64, what: &'static str) -> Result<Cursor<'a>> {
        let rest = usize::try_from(address).ok().and_then(|address| self.bytes.get(address..));
        let beyond = || {
            let length = self.bytes.len();
            Fault::damaged(format!("the {what} would be at byte {address}, but the file has {length} bytes"))
        };
        Ok(Cursor { rest: rest.ok_or_else(beyond)?, what, start: address })
    }

    /// `length` bytes of metadata at `address`.
    pub fn take(&self, address: u64, length: usize, what: &'static str) -> Result<Cursor<'a>> {
        let mut all = self.from(address, what)?;
        self.charge(length, &all)?;
        all.part(length)
    }

    /// `length` bytes of metadata whose last four are the checksum of those before them, without the checksum.
    pub fn checked(&self, address: u64, length: usize, what: &'static str) -> Result<Cursor<'a>> {
        let mut all = self.take(address, length, what)?;
        let body = all.part(length.saturating_sub(4))?;
        if checksum(body.rest) != all.u32()? {
            return Err(body.damaged("does not match its checksum"));
        }
        Ok(body)
    }

    /// Counts `length` bytes of `place` against the allowance.
    pub fn charge(&self, length: usize, place: &Cursor) -> Result<()> {
        let left = self.allowance.get().checked_sub(length);
        self.allowance.set(left.ok_or_else(|| place.damaged("is part of a loop, or overlaps other structures"))?);
        Ok(())
    }
}
