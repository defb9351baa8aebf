//! The only file with threads: they are started once a run, and share out shards and stretches of
//! vectors.

use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use crate::optimizers::Slots;
use crate::{Error, Real, Result};

/// Parameters that are summed and updated in one go.
const PIECE: usize = 1 << 14;

/// The threads of one run: this one alone, or a pool.
#[derive(Clone)]
pub(super) struct Threads(Option<Arc<rayon::ThreadPool>>);

impl Threads {
    /// Starts at most so many threads, and no more than a batch has shards.
    pub fn new(most: usize, shards: usize) -> Result<Threads> {
        let count = most.min(shards);
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

    /// How many they are.
    pub fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs a whole story on one of the threads, so that it need not be handed over at every step.
    pub fn enter<R: Send>(&self, story: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(story),
            None => story(),
        }
    }

    /// Runs `work` on each item, with its number.
    pub fn each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.0 {
            Some(pool) => pool
                .install(|| items.par_iter_mut().enumerate().for_each(|(i, item)| work(i, item))),
            None => items.iter_mut().enumerate().for_each(|(i, item)| work(i, item)),
        }
    }

    /// Runs `work` on pieces of a vector and of the vectors beside it, with the number of the
    /// piece's first element.
    pub fn pieces<W>(&self, vector: &mut [Real], beside: Slots, work: &W)
    where
        W: Fn(&mut [Real], &mut Slots, usize) + Sync,
    {
        self.pieces_from(0, vector, beside, work);
    }

    fn pieces_from<W>(&self, first: usize, vector: &mut [Real], mut beside: Slots, work: &W)
    where
        W: Fn(&mut [Real], &mut Slots, usize) + Sync,
    {
        if self.0.is_none() || vector.len() <= PIECE {
            return work(vector, &mut beside, first);
        }
        let middle = (vector.len() / 2).next_multiple_of(64);
        let (left, right) = vector.split_at_mut(middle);
        let [a, b, c] = beside.map(|slot| slot.split_at_mut(middle.min(slot.len())));
        rayon::join(
            || self.pieces_from(first, left, [a.0, b.0, c.0], work),
            || self.pieces_from(first + middle, right, [a.1, b.1, c.1], work),
        );
    }
}

/// What belongs to this thread.
pub(super) fn own<T>(each: &[Mutex<T>]) -> MutexGuard<'_, T> {
    // Without a pool of its own, a run may still be inside somebody else's.
    let number = if each.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A thread that panicked ended the run, so what it left behind is never read.
    each[number].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
