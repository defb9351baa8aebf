//! The only file with threads.
//!
//! A batch is cut into shards, a shard into chunks. A chunk's rows run through all layers and back before the next
//! chunk begins; each shard sums its own gradient; the shards' sums are added in their order. How a batch is cut
//! follows from the model and the batch size alone, so the same seed gives the same bits on any number of threads;
//! threads only decide who computes which shard. Work too small to be worth sharing makes one shard, and then nobody
//! waits for anybody.

use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use super::head::{Head, Tally};
use crate::datasets::batches::Rows;
use crate::kernels::rows::add;
use crate::model::{Compiled, Plan, Workspace};
use crate::optimizers::{MAX_SLOTS, Step};
use crate::params::Parameters;
use crate::{Error, Real, Result};

/// Numbers of activations that a chunk may take: what stays in a second-level cache beside the weights.
const CHUNK_VALUES: usize = 48 * 1024;
/// Rows of a chunk at most; beyond, a product gains nothing.
const CHUNK_ROWS: usize = 32;
/// Multiplications that make a shard worth its own sum, counting the backward pass.
const SHARD_WORK: usize = 1 << 20;
/// Shards of a batch at most, so that the sums stay few.
const MAX_SHARDS: usize = 8;
/// Parameters that are summed and updated in one go.
const PIECE: usize = 1 << 14;

/// How many rows make a chunk, and how many shards a batch makes: as many as are worth it, each of a chunk or more.
fn cut(plan: &Plan, batch_size: usize) -> (usize, usize) {
    let chunk = (CHUNK_VALUES / plan.row_width().max(1)).clamp(1, CHUNK_ROWS).min(batch_size.max(1));
    let worth = plan.work().saturating_mul(3).saturating_mul(batch_size) / SHARD_WORK;
    (chunk, worth.clamp(1, MAX_SHARDS).min(batch_size.div_ceil(chunk)).max(1))
}

/// The threads of one run: this one alone, or a pool.
#[derive(Clone)]
pub(super) struct Threads(Option<Arc<rayon::ThreadPool>>);

impl Threads {
    /// Starts at most so many threads, and no more than batches of this size give work to.
    pub fn new(most: usize, plan: &Plan, batch_size: usize) -> Result<Threads> {
        let count = most.min(cut(plan, batch_size).1);
        if count <= 1 {
            return Ok(Threads(None));
        }
        match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
            Ok(pool) => Ok(Threads(Some(Arc::new(pool)))),
            Err(error) => Err(Error::Argument(format!("cannot start {count} threads: {error}"))),
        }
    }

    /// Runs a whole story on one of the threads, so that it need not be handed over at every step.
    pub fn enter<R: Send>(&self, story: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(story),
            None => story(),
        }
    }

    /// Runs `work` on each item, with its number.
    fn each<T: Send>(&self, items: &mut [T], work: impl Fn(usize, &mut T) + Sync + Send) {
        match &self.0 {
            Some(pool) => pool.install(|| items.par_iter_mut().enumerate().for_each(|(i, item)| work(i, item))),
            None => items.iter_mut().enumerate().for_each(|(i, item)| work(i, item)),
        }
    }

    /// Runs `work` on pieces of a vector and of the vectors beside it, with the number of the piece's first element.
    fn pieces<W>(&self, vector: &mut [Real], mut beside: [&mut [Real]; MAX_SLOTS], first: usize, work: &W)
    where
        W: Fn(&mut [Real], &mut [&mut [Real]; MAX_SLOTS], usize) + Sync,
    {
        if self.0.is_none() || vector.len() <= PIECE {
            return work(vector, &mut beside, first);
        }
        let middle = (vector.len() / 2).next_multiple_of(64);
        let (left, right) = vector.split_at_mut(middle);
        let [a, b, c] = beside.map(|slot| slot.split_at_mut(middle.min(slot.len())));
        rayon::join(
            || self.pieces(left, [a.0, b.0, c.0], first, work),
            || self.pieces(right, [a.1, b.1, c.1], first + middle, work),
        );
    }
}

/// A shard's own sums.
struct Shard {
    gradients: Vec<Real>,
    tally: Tally,
}

/// The memory of one run, shared among its threads.
pub(super) struct Engine {
    threads: Threads,
    /// One workspace a thread. Each locks its own, so nobody ever waits.
    workspaces: Vec<Mutex<Workspace>>,
    shards: Vec<Shard>,
    chunk: usize,
}

impl Engine {
    /// An engine for batches of at most `batch_size` rows; it trains so many parameters, or none.
    pub fn new(plan: &Plan, threads: &Threads, batch_size: usize, target_width: usize, n_params: usize) -> Engine {
        let (chunk, n_shards) = cut(plan, batch_size);
        let n_threads = threads.0.as_ref().map_or(1, |pool| pool.current_num_threads());
        let workspace = || Mutex::new(Workspace::new(plan, chunk, target_width, n_params > 0));
        let shard = || Shard { gradients: vec![0.0; n_params], tally: Tally::ZERO };
        Engine {
            threads: threads.clone(),
            workspaces: (0..n_threads).map(|_| workspace()).collect(),
            shards: (0..n_shards).map(|_| shard()).collect(),
            chunk,
        }
    }

    /// Forward, loss and backward over a batch. The gradient, penalties included, is left in [`Engine::sum`].
    pub fn gradients(&mut self, plan: &Plan, params: &Parameters, head: &Head, data: &Rows, batch: &[u32]) -> Tally {
        let n_shards = cut(plan, batch.len()).1.min(self.shards.len());
        let size = batch.len().div_ceil(n_shards);
        let scale = 1.0 / (batch.len() * head.positions) as Real;
        let (workspaces, chunk, values) = (&self.workspaces, self.chunk, &params.values);
        let shards = &mut self.shards[..n_shards];
        self.threads.each(shards, |number, shard| {
            let mut workspace = own(workspaces);
            shard.tally = Tally::ZERO;
            let rows = &batch[(number * size).min(batch.len())..((number + 1) * size).min(batch.len())];
            if rows.is_empty() {
                shard.gradients.fill(0.0);
            }
            for (i, rows) in rows.chunks(chunk).enumerate() {
                let numbers = rows.iter().map(|&row| row as usize);
                forward(&mut workspace, plan, values, head, data, numbers, &mut shard.tally);
                let (output, delta, targets, weights) = workspace.head(plan, rows.len());
                head.gradient(output, targets, weights, scale, delta);
                workspace.backward(plan, values, rows.len(), head.absorbed, &mut shard.gradients, i > 0);
            }
        });
        let mut total = Tally::ZERO;
        shards.iter().for_each(|shard| total.add(&shard.tally));
        if let Some((first, rest)) = shards.split_first_mut() {
            let rest: &[Shard] = rest;
            self.threads.pieces(&mut first.gradients, [&mut [], &mut [], &mut []], 0, &|sum, _, start| {
                rest.iter().for_each(|shard| add(&shard.gradients[start..][..sum.len()], sum));
            });
            params.add_penalty_gradients(&mut first.gradients);
        }
        total.loss += params.penalty() * total.vectors as f64;
        total
    }

    /// The gradient that [`Engine::gradients`] left.
    pub fn sum(&self) -> &[Real] {
        &self.shards[0].gradients
    }

    /// Moves the parameters by it.
    pub fn update(&self, params: &mut Parameters, compiled: &mut Compiled) {
        let Compiled { optimizer, state, .. } = compiled;
        let step = Step { iteration: state.iteration, learning_rate: state.learning_rate };
        for range in &params.trainable {
            let gradients = &self.sum()[range.clone()];
            let slots = state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            self.threads.pieces(&mut params.values[range.clone()], slots, 0, &|params, slots, start| {
                optimizer.update(step, params, &gradients[start..][..params.len()], slots);
            });
        }
        state.iteration += 1;
    }

    /// Loss and metrics over so many rows from `first` on, at most as many as the engine was made for.
    pub fn tally(&mut self, plan: &Plan, params: &[Real], head: &Head, data: &Rows, first: usize, len: usize) -> Tally {
        let (workspaces, chunk) = (&self.workspaces, self.chunk);
        let size = len.div_ceil(self.shards.len());
        self.threads.each(&mut self.shards, |number, shard| {
            let mut workspace = own(workspaces);
            shard.tally = Tally::ZERO;
            let (start, end) = (first + (number * size).min(len), first + ((number + 1) * size).min(len));
            for start in (start..end).step_by(chunk) {
                let numbers = start..(start + chunk).min(end);
                forward(&mut workspace, plan, params, head, data, numbers, &mut shard.tally);
            }
        });
        let mut total = Tally::ZERO;
        self.shards.iter().for_each(|shard| total.add(&shard.tally));
        total
    }

    /// The output for every row, one behind the other.
    pub fn predict(&mut self, plan: &Plan, params: &[Real], data: &Rows) -> Vec<Real> {
        let (workspaces, chunk, width) = (&self.workspaces, self.chunk, plan.output_width());
        let mut output = vec![0.0; data.len() * width];
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk * width).collect();
        self.threads.each(&mut parts, |number, part| {
            let mut workspace = own(workspaces);
            let rows = part.len() / width;
            data.gather((0..rows).map(|row| number * chunk + row), workspace.gather_to(plan, rows, 0));
            workspace.forward(plan, params, rows);
            part.copy_from_slice(workspace.output(plan, rows));
        });
        output
    }
}

fn forward(
    workspace: &mut Workspace,
    plan: &Plan,
    params: &[Real],
    head: &Head,
    data: &Rows,
    numbers: impl ExactSizeIterator<Item = usize> + Clone,
    tally: &mut Tally,
) {
    let rows = numbers.len();
    data.gather(numbers, workspace.gather_to(plan, rows, data.target_width()));
    workspace.forward(plan, params, rows);
    head.tally(workspace.output(plan, rows), &workspace.targets, &workspace.weights[..rows], tally);
}

fn own(workspaces: &[Mutex<Workspace>]) -> MutexGuard<'_, Workspace> {
    // Without a pool of its own, a run may still be inside somebody else's.
    let number = if workspaces.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A thread that panicked ended the run, so what it left behind is never read.
    workspaces[number].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
