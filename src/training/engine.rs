//! The only file with threads.
//!
//! A batch is cut into shards, a shard into chunks. A chunk's rows run through all layers and back before the next
//! chunk begins; each shard sums its own gradient; the shards' sums are added in their order. How a batch is cut
//! follows from the model and the batch size alone, so the same seed gives the same bits on any number of threads;
//! threads only decide who computes which shard. Work too small to be worth sharing makes one shard, and then nobody
//! waits for anybody.
//!
//! A model with a layer that looks at the whole batch runs segment by segment instead: all chunks go through one
//! before any goes on, so that each needs memory of its own.

use std::sync::{Arc, Mutex, MutexGuard};

use rayon::prelude::*;

use super::head::{Head, Tally};
use crate::datasets::batches::Rows;
use crate::kernels::rows::add;
use crate::layers::Moment;
use crate::model::{Compiled, Gradients, Pass, Plan, Sequential, Workspace};
use crate::optimizers::MAX_SLOTS;
use crate::{Error, Real, Result};

/// Numbers of activations that a chunk may take: what stays in a second-level cache. A model with more weights, which
/// each chunk reads anew, takes as many.
const CHUNK_VALUES: usize = 48 * 1024;
/// Rows of a chunk at most; beyond, a product gains nothing.
const CHUNK_ROWS: usize = 64;
/// Multiplications that make a shard worth its own sum, counting the backward pass.
const SHARD_WORK: usize = 1 << 20;
/// Shards of a batch at most, so that the sums stay few.
const MAX_SHARDS: usize = 8;
/// Parameters that are summed and updated in one go.
const PIECE: usize = 1 << 14;

/// How many rows make a chunk, and how many shards a batch makes. Each shard reads the weights anew and sums a gradient
/// of its own, so beyond two there are no more than chunks.
fn cut(plan: &Plan, batch_size: usize) -> (usize, usize) {
    let values = CHUNK_VALUES.max(plan.n_params());
    let chunk = (values / plan.row_width().max(1)).clamp(1, CHUNK_ROWS);
    let worth = plan.work().saturating_mul(3).saturating_mul(batch_size) / SHARD_WORK;
    let shards = worth.min(MAX_SHARDS).min(batch_size.div_ceil(chunk).max(2)).min(batch_size).max(1);
    (chunk.min(batch_size.div_ceil(shards)).max(1), shards)
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
    /// A workspace for each of its chunks, where the model couples them; else threads bring theirs.
    chunks: Vec<Workspace>,
}

/// The memory of one run, shared among its threads.
pub(super) struct Engine {
    threads: Threads,
    /// One workspace a thread. Each locks its own, so nobody ever waits.
    workspaces: Vec<Mutex<Workspace>>,
    shards: Vec<Shard>,
    chunk: usize,
    /// What couplings made of the whole batch: on the way up, one for each, and on the way down.
    sums: Vec<Vec<f64>>,
    gradient_sums: Vec<f64>,
}

impl Engine {
    /// An engine for batches of at most `batch_size` rows; for training or for what comes after.
    pub fn new(
        model: &Sequential,
        threads: &Threads,
        batch_size: usize,
        target_width: usize,
        training: bool,
    ) -> Result<Engine> {
        let plan = &model.plan;
        let (chunk, n_shards) = cut(plan, batch_size);
        let coupled = training && plan.n_segments() > 1;
        let n_sums = (0..plan.n_segments()).map(|segment| plan.n_sums(segment));
        let n_threads = threads.0.as_ref().map_or(1, |pool| pool.current_num_threads());
        let workspace = || Workspace::new(plan, chunk, target_width, training);
        let n_chunks = if coupled { batch_size.div_ceil(n_shards).div_ceil(chunk) } else { 0 };
        let n_gradients = if training { model.count_params() } else { 0 };
        // Asked for and given back at once: a refusal would otherwise end the program.
        let values = Workspace::n_values(plan, chunk, target_width, training)
            .saturating_mul(if coupled { n_shards * n_chunks } else { n_threads })
            .saturating_add(n_gradients.saturating_mul(n_shards));
        if Vec::<Real>::new().try_reserve_exact(values).is_err() {
            let problem = format!("there is no room for the {values} numbers that {chunk} samples take on all layers");
            return Err(Error::Argument(problem));
        }
        let shard = || Shard {
            gradients: vec![0.0; n_gradients],
            tally: Tally::ZERO,
            chunks: (0..n_chunks).map(|_| workspace()).collect(),
        };
        Ok(Engine {
            threads: threads.clone(),
            workspaces: (0..if coupled { 0 } else { n_threads }).map(|_| Mutex::new(workspace())).collect(),
            shards: (0..n_shards).map(|_| shard()).collect(),
            chunk,
            gradient_sums: vec![0.0; n_sums.clone().max().unwrap_or(0)],
            sums: n_sums.map(|n| vec![0.0; n]).collect(),
        })
    }

    /// Forward, loss and backward over a batch. The gradient, penalties included, is left in [`Engine::sum`].
    pub fn gradients(&mut self, model: &Sequential, head: &Head, data: &Rows, batch: &[u32]) -> Tally {
        let (plan, params) = (&model.plan, &model.parameters);
        let size = batch.len().div_ceil(cut(plan, batch.len()).1.min(self.shards.len()));
        let iteration = model.compiled.as_ref().map_or(0, |compiled| compiled.state.iteration);
        let job = Job {
            model,
            head,
            data,
            batch,
            size,
            chunk: self.chunk,
            scale: 1.0 / (batch.len() * head.positions) as Real,
            moment: Moment { seed: model.seed, iteration, ..Moment::default() },
        };
        let shards = &mut self.shards[..batch.len().div_ceil(size)];
        if plan.n_segments() > 1 {
            job.coupled(&self.threads, shards, &mut self.sums, &mut self.gradient_sums);
        } else {
            let workspaces = &self.workspaces;
            self.threads.each(shards, |number, shard| {
                let mut workspace = own(workspaces);
                shard.tally = Tally::ZERO;
                job.for_chunks(number, |i, pass, rows| {
                    job.gather(&mut workspace, pass, rows);
                    workspace.forward(pass, 0, &[]);
                    job.turn(&mut workspace, pass, &mut shard.tally);
                    let absorbed = head.absorbed;
                    let mut to = Gradients { d_params: &mut shard.gradients, accumulate: i > 0, absorbed };
                    workspace.backward(pass, 0, None, &[], &mut to);
                });
            });
        }
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
    pub fn update(&mut self, model: &mut Sequential) {
        let Sequential { plan, parameters, compiled, .. } = model;
        let Some(Compiled { optimizer: Some(optimizer), state, .. }) = compiled else {
            return;
        };
        let (step, common) = (state.step(&**optimizer), optimizer.common());
        common.clip(&mut self.shards[0].gradients, parameters);
        for range in &parameters.trainable {
            let gradients = &self.sum()[range.clone()];
            let slots = state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            self.threads.pieces(&mut parameters.values[range.clone()], slots, 0, &|params, slots, start| {
                common.decay(step.learning_rate, params);
                optimizer.update(step, params, &gradients[start..][..params.len()], slots);
            });
        }
        for (segment, sums) in self.sums.iter().enumerate() {
            if let Some((layer, range)) = plan.coupling(segment) {
                layer.settle(sums, &mut parameters.values[range]);
            }
        }
        state.iteration += 1;
    }

    /// Loss and metrics over so many rows from `first` on, at most as many as the engine was made for.
    pub fn tally(&mut self, model: &Sequential, head: &Head, data: &Rows, first: usize, len: usize) -> Tally {
        let (workspaces, chunk) = (&self.workspaces, self.chunk);
        let size = len.div_ceil(self.shards.len());
        self.threads.each(&mut self.shards, |number, shard| {
            let mut workspace = own(workspaces);
            shard.tally = Tally::ZERO;
            let (start, end) = (first + (number * size).min(len), first + ((number + 1) * size).min(len));
            for start in (start..end).step_by(chunk) {
                let pass = pass(model, chunk.min(end - start), Moment::default());
                let numbers = start..start + pass.rows;
                data.gather(numbers, workspace.gather_to(&model.plan, pass.rows, data.target_width()));
                workspace.predict(pass);
                head.tally(
                    workspace.output(&model.plan, pass.rows),
                    &workspace.targets,
                    &workspace.weights,
                    &mut shard.tally,
                );
            }
        });
        let mut total = Tally::ZERO;
        self.shards.iter().for_each(|shard| total.add(&shard.tally));
        total
    }

    /// The output for every row, one behind the other; an error where memory does not hold it.
    pub fn predict(&mut self, model: &Sequential, data: &Rows) -> Result<Vec<Real>> {
        let (workspaces, chunk, width) = (&self.workspaces, self.chunk, model.plan.output_width());
        let (mut output, len) = (vec![], data.len().saturating_mul(width));
        if output.try_reserve_exact(len).is_err() {
            return Err(Error::Argument(format!("there is no room for the {len} numbers of the output")));
        }
        output.resize(len, 0.0);
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk * width).collect();
        self.threads.each(&mut parts, |number, part| {
            let mut workspace = own(workspaces);
            let rows = part.len() / width;
            data.gather((0..rows).map(|row| number * chunk + row), workspace.gather_to(&model.plan, rows, 0));
            workspace.predict(pass(model, rows, Moment::default()));
            part.copy_from_slice(workspace.output(&model.plan, rows));
        });
        Ok(output)
    }
}

/// One batch, and how it is cut.
struct Job<'a> {
    model: &'a Sequential,
    head: &'a Head,
    data: &'a Rows<'a>,
    batch: &'a [u32],
    /// Rows of a shard, and of a chunk.
    size: usize,
    chunk: usize,
    /// What the gradient of a sum of losses is multiplied by to be that of their mean.
    scale: Real,
    moment: Moment,
}

impl Job<'_> {
    /// Calls `work` with the number of each chunk of a shard, what runs, and the rows in it.
    fn for_chunks(&self, shard: usize, mut work: impl FnMut(usize, Pass, &[u32])) {
        let first = (shard * self.size).min(self.batch.len());
        let rows = &self.batch[first..(first + self.size).min(self.batch.len())];
        for (i, rows) in rows.chunks(self.chunk).enumerate() {
            let moment = Moment { first_row: first + i * self.chunk, ..self.moment };
            work(i, pass(self.model, rows.len(), moment), rows);
        }
    }

    fn gather(&self, workspace: &mut Workspace, pass: Pass, rows: &[u32]) {
        let numbers = rows.iter().map(|&row| row as usize);
        self.data.gather(numbers, workspace.gather_to(pass.plan, pass.rows, self.data.target_width()));
    }

    /// Loss and metrics of a chunk, and the gradient at its output.
    fn turn(&self, workspace: &mut Workspace, pass: Pass, tally: &mut Tally) {
        let (output, delta, targets, weights) = workspace.head(pass.plan, pass.rows);
        self.head.tally(output, targets, weights, tally);
        self.head.gradient(output, targets, weights, self.scale, delta);
    }

    /// Forward, loss and backward where all chunks go through one segment before any goes on.
    fn coupled(&self, threads: &Threads, shards: &mut [Shard], sums: &mut [Vec<f64>], gradient_sums: &mut [f64]) {
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
                    let mut to = Gradients { d_params: &mut shard.gradients, accumulate: i > 0, absorbed };
                    shard.chunks[i].backward(pass, segment, above, own, &mut to);
                });
            });
            if plan.coupling(segment).is_some() {
                let add =
                    |total: &mut [f64], part: &[f64]| total.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
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

fn pass(model: &Sequential, rows: usize, moment: Moment) -> Pass<'_> {
    Pass { plan: &model.plan, params: &model.parameters.values, rows, moment }
}

fn own(workspaces: &[Mutex<Workspace>]) -> MutexGuard<'_, Workspace> {
    // Without a pool of its own, a run may still be inside somebody else's.
    let number = if workspaces.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A thread that panicked ended the run, so what it left behind is never read.
    workspaces[number].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
