//! Threads, started once per engine: parallel loops over shards and over blocks of vectors. No
//! other file uses threads.
//!
//! They are rayon's, whose idle threads look for work for some microseconds before they sleep.
//! Rejected: a barrier that spins and then sleeps. It would need `unsafe` to lend a step's vectors
//! to threads that outlive it, and it waits for a thread that a busy machine does not run, while
//! the pool's caller takes that thread's work itself. On two cores with a load average of 17, two
//! items of 1.4 µs took 4 µs with the pool and 69 µs with such a barrier (medians).

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use crate::Real;

/// Maximum number of parameters that one task sums or updates.
pub(super) const PIECE: usize = 1 << 14;
/// Number of values of a block: a few blocks of all vectors fit the second-level cache.
pub(super) const BLOCK: usize = 2048;
/// Bytes of a thread's stack, the default of the standard library.
const STACK: usize = 2 << 20;
/// Bytes that a thread needs to start: its stack, one for signals, and what the pool keeps for it.
const THREAD_MEMORY: usize = STACK + (256 << 10);
/// Address space that the allocator may take for itself when a thread starts.
const ALLOCATOR_MEMORY: usize = 64 << 20;

/// Threads of an engine: the calling one alone, or a pool.
#[derive(Clone)]
pub(super) struct Threads {
    pool: Option<Arc<rayon::ThreadPool>>,
    /// True if loops run on the calling thread for now, in spite of a pool.
    pub is_one: bool,
}

impl Threads {
    /// Starts at most `max` threads, and at most one per shard. If the system refuses some, there
    /// are fewer, with a warning on standard error.
    pub fn new(max: usize, shards: usize) -> Threads {
        let wanted = max.min(shards);
        for count in (2..=wanted).rev() {
            if let Some(pool) = start(count) {
                warn_of_fewer(count, wanted);
                return Threads { pool: Some(Arc::new(pool)), is_one: false };
            }
        }
        warn_of_fewer(1, wanted);
        Threads { pool: None, is_one: false }
    }

    /// The same threads, with all of them in use.
    pub fn all(&self) -> Threads {
        Threads { pool: self.pool.clone(), is_one: false }
    }

    /// Number of threads.
    pub fn count(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs a whole training inside the pool, so that no step has to enter it.
    pub fn install<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        match &self.pool {
            Some(pool) => pool.install(run),
            None => run(),
        }
    }

    /// Pool for the loops.
    fn loop_pool(&self) -> Option<&rayon::ThreadPool> {
        if self.is_one { None } else { self.pool.as_deref() }
    }

    /// Runs `work` on each item, with its index.
    pub fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
        match self.loop_pool() {
            Some(pool) => pool.install(|| {
                items.par_iter_mut().enumerate().for_each(|(i, item)| work(i, item));
            }),
            None => items.iter_mut().enumerate().for_each(|(i, item)| work(i, item)),
        }
    }

    /// Runs `work` on each item, with its index, and joins all items into the first, as
    /// [`join`](super::tree::join) does: mostly on the thread that has just computed both of a
    /// pair, in whose cache they are.
    pub fn for_each_joined<T: Send>(
        &self,
        items: &mut [T],
        work: &(impl Fn(usize, &mut T) + Sync),
        add: &(impl Fn(&mut T, &T) + Sync),
    ) {
        match self.loop_pool() {
            Some(pool) => pool.install(|| self.subtree(0, items, work, add)),
            None => self.subtree(0, items, work, add),
        }
    }

    fn subtree<T: Send>(
        &self,
        first: usize,
        items: &mut [T],
        work: &(impl Fn(usize, &mut T) + Sync),
        add: &(impl Fn(&mut T, &T) + Sync),
    ) {
        if let [item] = items {
            return work(first, item);
        }
        let middle = items.len().next_power_of_two() / 2;
        let (left, right) = items.split_at_mut(middle);
        if self.loop_pool().is_some() {
            rayon::join(
                || self.subtree(first, left, work, add),
                || self.subtree(first + middle, right, work, add),
            );
        } else {
            self.subtree(first, left, work, add);
            self.subtree(first + middle, right, work, add);
        }
        add(&mut left[0], &right[0]);
    }

    /// Runs `work` on blocks of vectors that are cut at the same places, with the index of the
    /// block's first value, counted from `first`. Vectors are as long as the first one, or empty.
    pub fn for_each_block<const N: usize>(
        &self,
        first: usize,
        mut vectors: [&mut [Real]; N],
        work: &(impl Fn([&mut [Real]; N], usize) + Sync),
    ) {
        let len = vectors[0].len();
        if self.loop_pool().is_none() || len <= PIECE {
            for start in (0..len).step_by(BLOCK) {
                work(split_off(&mut vectors, BLOCK.min(len - start)), first + start);
            }
            return;
        }
        let middle = (len / 2).next_multiple_of(BLOCK);
        let left = split_off(&mut vectors, middle);
        rayon::join(
            || self.for_each_block(first, left, work),
            || self.for_each_block(first + middle, vectors, work),
        );
    }
}

/// Starts a pool, and waits until all of its threads run. `None` if the system refuses one.
///
/// A thread that finds no memory while it starts ends the program, so there must be enough before,
/// and nobody may take it meanwhile.
fn start(count: usize) -> Option<rayon::ThreadPool> {
    let mut memory: Vec<u8> = vec![];
    memory.try_reserve_exact(ALLOCATOR_MEMORY + count * THREAD_MEMORY).ok()?;
    drop(black_box(memory));
    let builder = rayon::ThreadPoolBuilder::new().stack_size(STACK);
    let pool = builder.num_threads(count).build().ok()?;
    // The allocator gives a thread address space of its own at its first allocation.
    pool.broadcast(|_| drop(black_box(vec![0_u8; 64])));
    Some(pool)
}

/// Splits the first `len` values off each vector that is not empty.
fn split_off<'v, const N: usize>(
    vectors: &mut [&'v mut [Real]; N],
    len: usize,
) -> [&'v mut [Real]; N] {
    vectors.each_mut().map(|vector| vector.split_off_mut(..len).unwrap_or_default())
}

/// The item of the current thread, or the only item; `None` if there are none.
pub(super) fn local<T>(items: &[Mutex<T>]) -> Option<MutexGuard<'_, T>> {
    // A run without a pool of its own may still be inside a caller's pool.
    let number = if items.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A panic ends the run, so a poisoned state is never read.
    items.get(number).map(|item| item.lock().unwrap_or_else(|poisoned| poisoned.into_inner()))
}

fn warn_of_fewer(count: usize, wanted: usize) {
    if count < wanted {
        let warning = format!("{wanted} threads were wanted, and the system starts {count}");
        // A closed stderr does not end training.
        let _ = writeln!(io::stderr(), "warning: {warning}; the results are the same");
    }
}
