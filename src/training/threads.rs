//! Threads, started once per engine: parallel loops over shards and over pieces of vectors. No
//! other file uses threads.

use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use crate::optimizers::Slots;
use crate::{Error, Real, Result};

/// Maximum number of parameters that one task sums or updates.
const PIECE: usize = 1 << 14;

/// Threads of an engine: the calling one alone, or a pool.
#[derive(Clone)]
pub(super) struct Threads(Option<Arc<rayon::ThreadPool>>);

impl Threads {
    /// Starts at most `max` threads, and at most one per shard.
    pub fn new(max: usize, shards: usize) -> Result<Threads> {
        let count = max.min(shards);
        if count <= 1 {
            return Ok(Threads(None));
        }
        match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
            Ok(pool) => Ok(Threads(Some(Arc::new(pool)))),
            Err(error) => {
                Err(Error::option("threads", format!("cannot start {count} threads: {error}")))
            }
        }
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs a whole training inside the pool, so that no step has to enter it.
    pub fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    /// Runs `work` on each item, with its index.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.0 {
            Some(pool) => pool.install(|| {
                items.par_iter_mut().enumerate().for_each(|(i, item)| work(i, item));
            }),
            None => items.iter_mut().enumerate().for_each(|(i, item)| work(i, item)),
        }
    }

    /// Runs `work` on pieces of a vector, with the index of the piece's first value.
    pub fn for_each_piece(&self, vector: &mut [Real], work: &(impl Fn(&mut [Real], usize) + Sync)) {
        let no_slots = Slots::default();
        self.for_each_slotted_piece(0, vector, no_slots, &|piece, _, first| work(piece, first));
    }

    /// Like [`Threads::for_each_piece`], with slots; indices count from `first`.
    pub fn for_each_slotted_piece<W>(
        &self,
        first: usize,
        vector: &mut [Real],
        mut slots: Slots,
        work: &W,
    ) where
        W: Fn(&mut [Real], &mut Slots, usize) + Sync,
    {
        if self.0.is_none() || vector.len() <= PIECE {
            return work(vector, &mut slots, first);
        }
        let middle = (vector.len() / 2).next_multiple_of(64);
        let (left, right) = vector.split_at_mut(middle);
        let [a, b, c] = slots.map(|slot| slot.split_at_mut(middle.min(slot.len())));
        rayon::join(
            || self.for_each_slotted_piece(first, left, [a.0, b.0, c.0], work),
            || self.for_each_slotted_piece(first + middle, right, [a.1, b.1, c.1], work),
        );
    }
}

/// The item of the current thread, or the only item; `None` if there are none.
pub(super) fn local<T>(items: &[Mutex<T>]) -> Option<MutexGuard<'_, T>> {
    // A run without a pool of its own may still be inside a caller's pool.
    let number = if items.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A panic ends the run, so a poisoned state is never read.
    items.get(number).map(|item| item.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}
