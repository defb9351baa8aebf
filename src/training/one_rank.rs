//! Stands in for `ranks` in a build without MPI: one process computes all.

use std::convert::Infallible;
use std::ops::Range;
use std::process;

use super::batch::Shard;
use super::fit::Fit;
use super::threads::Threads;
use crate::Result;
use crate::datasets::images::Readers;

/// Starts nothing.
pub fn start(_is_shared: bool) -> Option<Infallible> {
    None
}

/// Refuses nothing.
pub fn check() -> Result<()> {
    Ok(())
}

/// True.
pub fn is_first() -> bool {
    true
}

/// This process alone.
pub fn readers() -> Readers {
    Readers::default()
}

/// Ends the process after its error is reported.
pub fn abort(code: u8, report: impl FnOnce(&str)) -> ! {
    report("");
    process::exit(code.into())
}

pub(super) fn any<const N: usize>(flags: [bool; N]) -> [bool; N] {
    flags
}

pub(super) struct Ranks;

impl Ranks {
    pub fn new() -> Ranks {
        Ranks
    }

    pub fn share(&self, shards: usize) -> Range<usize> {
        0..shards
    }

    pub fn gather_sums(&self, _: &mut [Shard], _: usize) {}

    pub fn gather_metrics(&self, _: &mut [Shard]) {}

    pub fn join_gradients(&mut self, _: &Threads, shards: &mut [Shard]) -> usize {
        shards.len()
    }
}

impl Fit<'_, '_> {
    pub(super) fn begin(&self) -> Result<Option<Infallible>> {
        Ok(None)
    }

    pub(super) fn follow_first_rank(&mut self) -> Result<()> {
        Ok(())
    }
}
