//! One batch: how it is cut, and what its chunks go through.
//!
//! A batch is cut into shards, a shard into chunks. A chunk's rows run through all layers and back
//! before the next chunk begins; each shard sums its own gradient. How a batch is cut follows from
//! the model and the batch size alone.
//!
//! A model with a layer that looks at the whole batch runs segment by segment instead: all chunks
//! go through one before any goes on, so that each needs memory of its own.

use super::head::{Head, Tally};
use super::threads::Threads;
use crate::Real;
use crate::datasets::batches::Rows;
use crate::layers::Moment;
use crate::model::{Gradients, Pass, Plan, Sequential, Workspace};

/// Numbers of activations that a chunk may take, so that most of those between two layers stay in a
/// second-level cache. A model with more weights, which each chunk reads and packs anew, takes
/// twice as many as those.
const CHUNK_VALUES: usize = 160 * 1024;
/// Rows of a chunk at most; beyond, a product gains nothing.
const CHUNK_ROWS: usize = 64;
/// Multiplications that make a shard worth its own sum, counting the backward pass.
const SHARD_WORK: usize = 1 << 20;
/// Shards of a batch at most, so that the sums stay few.
const MAX_SHARDS: usize = 8;

/// How many rows make a chunk, and how many shards a batch makes. Each shard reads the weights anew
/// and sums a gradient of its own, so beyond two there are no more than chunks.
pub(super) fn cut(plan: &Plan, batch_size: usize) -> (usize, usize) {
    let values = CHUNK_VALUES.max(plan.n_params().saturating_mul(2));
    let most = (values / plan.row_width().max(1)).clamp(1, CHUNK_ROWS);
    let worth = plan.work().saturating_mul(3).saturating_mul(batch_size) / SHARD_WORK;
    let shards = worth.min(MAX_SHARDS).min(batch_size.div_ceil(most).max(2)).min(batch_size).max(1);
    let shard = batch_size.div_ceil(shards).max(1);
    // As many rows in the last chunk as in the others, or a few less.
    (shard.div_ceil(shard.div_ceil(most)), shards)
}

/// A shard's own sums.
pub(super) struct Shard {
    pub gradients: Vec<Real>,
    pub tally: Tally,
    /// A workspace for each of its chunks, where the model couples them; else threads bring theirs.
    pub chunks: Vec<Workspace>,
}

/// One batch, and how it is cut.
pub(super) struct Job<'a> {
    pub model: &'a Sequential,
    pub head: &'a Head,
    pub data: &'a Rows<'a>,
    pub batch: &'a [u32],
    /// Rows of a shard, and of a chunk.
    pub size: usize,
    pub chunk: usize,
    /// What the gradient of a sum of losses is multiplied by to be that of their mean.
    pub scale: Real,
    pub moment: Moment,
}

impl Job<'_> {
    /// Calls `work` with the number of each chunk of a shard, what runs, and the rows in it.
    pub fn for_chunks(&self, shard: usize, mut work: impl FnMut(usize, Pass, &[u32])) {
        let first = (shard * self.size).min(self.batch.len());
        let rows = &self.batch[first..(first + self.size).min(self.batch.len())];
        for (i, rows) in rows.chunks(self.chunk).enumerate() {
            let moment = Moment { first_row: first + i * self.chunk, ..self.moment };
            work(i, pass(self.model, rows.len(), moment), rows);
        }
    }

    pub fn gather(&self, workspace: &mut Workspace, pass: Pass, rows: &[u32]) {
        let numbers = rows.iter().map(|&row| row as usize);
        self.data
            .gather(numbers, workspace.gather_to(pass.plan, pass.rows, self.data.target_width()));
    }

    /// Loss and metrics of a chunk, and the gradient at its output.
    pub fn turn(&self, workspace: &mut Workspace, pass: Pass, tally: &mut Tally) {
        let (output, delta, targets, weights) = workspace.head(pass.plan, pass.rows);
        self.head.tally(output, targets, weights, tally);
        self.head.gradient(output, targets, weights, self.scale, delta);
    }

    /// Forward, loss and backward where all chunks go through one segment before any goes on.
    pub fn coupled(
        &self,
        threads: &Threads,
        shards: &mut [Shard],
        sums: &mut [Vec<f64>],
        gradient_sums: &mut [f64],
    ) {
        let plan = &self.model.plan;
        let last = sums.len() - 1;
        for segment in 0..=last {
            let known = &sums[segment];
            threads.each(shards, |number, shard| {
                if segment == 0 {
                    shard.tally = Tally::ZERO;
                }
                self.for_chunks(number, |i, pass, rows| {
                    let workspace = &mut shard.chunks[i];
                    if segment == 0 {
                        self.gather(workspace, pass, rows);
                    }
                    workspace.forward(pass, segment, known);
                    if segment == last {
                        self.turn(workspace, pass, &mut shard.tally);
                    }
                });
            });
            if let Some((layer, _)) = plan.coupling(segment + 1) {
                self.join(shards, &mut sums[segment + 1], |total, part| layer.join(total, part));
            }
        }
        for segment in (0..=last).rev() {
            let above = sums.get(segment + 1).map(|sums| [&sums[..], &*gradient_sums]);
            let own = &sums[segment];
            threads.each(shards, |number, shard| {
                self.for_chunks(number, |i, pass, _| {
                    let absorbed = self.head.absorbed;
                    let mut to =
                        Gradients { d_params: &mut shard.gradients, accumulate: i > 0, absorbed };
                    shard.chunks[i].backward(pass, segment, above, own, &mut to);
                });
            });
            if plan.coupling(segment).is_some() {
                let add = |total: &mut [f64], part: &[f64]| {
                    total.iter_mut().zip(part).for_each(|(sum, part)| *sum += part)
                };
                self.join(shards, &mut gradient_sums[..own.len()], add);
            }
        }
    }

    /// Joins the sums of all chunks, in their order.
    fn join(&self, shards: &[Shard], total: &mut [f64], join: impl Fn(&mut [f64], &[f64])) {
        let mut first = true;
        for (number, shard) in shards.iter().enumerate() {
            self.for_chunks(number, |i, _, _| {
                let part = &shard.chunks[i].sums[..total.len()];
                match std::mem::take(&mut first) {
                    true => total.copy_from_slice(part),
                    false => join(total, part),
                }
            });
        }
    }
}

pub(super) fn pass(model: &Sequential, rows: usize, moment: Moment) -> Pass<'_> {
    Pass { plan: &model.plan, params: &model.parameters.values, rows, moment }
}
