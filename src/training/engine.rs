//! `Engine`: threads and buffers of a run, and the computations that use them: gradients and
//! updates here, evaluation and prediction in `inference.rs`.
//!
//! Sums of shards are joined by a tree over their numbers (`tree.rs`), whichever thread computed
//! them, so the same seed gives the same bits on any number of threads. A small batch is a single
//! shard, which needs no synchronization.

mod inference;

use std::sync::Mutex;
use std::time::Instant;

use super::batch::{Job, Partition, Phase, Shard};
use super::loss_head::{MetricSums, Objective};
use super::ranks::Ranks;
use super::thread_choice::ThreadChoice;
use super::threads::{PIECE, Threads, local};
use super::tree::{add_gradients, add_penalties, join, join_pair};
use crate::layers::StepContext;
use crate::model::{BatchSums, Compiled, Sequential, Workspace};
use crate::params::{Parameters, fits_memory};
use crate::{Error, Real, Result};

/// Sizes that the buffers of an engine are allocated for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct EngineSize {
    /// Maximum rows of a batch.
    pub batch_size: usize,
    /// Target values per row.
    pub target_width: usize,
    /// True if gradient buffers are allocated.
    pub training: bool,
}

/// Threads and buffers for batches of one size.
pub(super) struct Engine {
    pub size: EngineSize,
    pub threads: Threads,
    thread_choice: ThreadChoice,
    ranks: Ranks,
    /// One workspace per thread; empty if each micro-batch has its own.
    workspaces: Vec<Mutex<Workspace>>,
    shards: Vec<Shard>,
    /// Number of shards to be joined: those of the last batch of a training, or all.
    n_shards: usize,
    chunk_rows: usize,
    /// Sums over the whole batch, for each segment.
    sums: Vec<BatchSums>,
}

impl Engine {
    /// Allocates all buffers for batches of this size; a model with several segments keeps the
    /// activations of a whole batch. Too little memory is an error.
    pub fn new(model: &Sequential, threads: Threads, size: EngineSize) -> Result<Engine> {
        let EngineSize { batch_size, target_width, training } = size;
        let plan = &model.plan;
        let Partition { chunk_rows, shards: n_shards } = Partition::new(plan, batch_size);
        let segmented = training && plan.n_segments() > 1;
        let n_chunks =
            if segmented { batch_size.div_ceil(n_shards).div_ceil(chunk_rows) } else { 0 };
        let n_shared = if segmented { 0 } else { threads.count() };
        let n_gradients = if training { model.count_params() } else { 0 };
        let values = Workspace::n_values(plan, chunk_rows, target_width, training)
            .saturating_mul(n_shards * n_chunks + n_shared)
            .saturating_add(n_gradients.saturating_mul(n_shards));
        if !fits_memory(values) {
            return Err(Error::Memory(format!(
                "there is no room for the {values} numbers that {chunk_rows} samples take on all \
                 layers"
            )));
        }
        let workspace = || Workspace::new(plan, chunk_rows, target_width, training);
        let shard = |_| Shard {
            gradients: vec![0.0; n_gradients],
            metrics: MetricSums::default(),
            sums: vec![0.0; plan.max_sums()],
            workspaces: (0..n_chunks).map(|_| workspace()).collect(),
        };
        let batch_sums = |segment| {
            let n = plan.n_sums(segment);
            BatchSums { forward: vec![0.0; n], backward: vec![0.0; n] }
        };
        Ok(Engine {
            size,
            threads,
            thread_choice: ThreadChoice::new(),
            ranks: Ranks::new(),
            workspaces: (0..n_shared).map(|_| Mutex::new(workspace())).collect(),
            shards: (0..n_shards).map(shard).collect(),
            n_shards,
            chunk_rows,
            sums: (0..plan.n_segments()).map(batch_sums).collect(),
        })
    }

    /// Takes one step on a batch, unless its loss is not finite. Returns the sums before the step.
    /// The rows of the `next` batch are prefetched.
    pub fn train_step(
        &mut self,
        model: &mut Sequential,
        objective: &Objective,
        batch: &[u32],
        next: &[u32],
    ) -> MetricSums {
        let start = Instant::now();
        let sums = self.forward_backward(model, objective, batch, next);
        if sums.mean_loss().is_finite() {
            self.update(model);
        }
        self.thread_choice.add_step(start.elapsed(), &mut self.threads);
        sums
    }

    /// Runs forward, loss and backward over a batch; [`Engine::update`] or [`Engine::gradient`]
    /// follows. The rows of the `next` batch are prefetched.
    pub fn forward_backward(
        &mut self,
        model: &Sequential,
        objective: &Objective,
        batch: &[u32],
        next: &[u32],
    ) -> MetricSums {
        let shard_rows = self.shard_rows(model, batch.len());
        let iteration = model.compiled.as_ref().map_or(0, |compiled| compiled.state.iteration);
        let job = Job {
            model,
            objective,
            batch,
            next,
            shard_rows,
            chunk_rows: self.chunk_rows,
            mean_factor: 1.0 / (batch.len() * objective.head.positions) as Real,
            step: StepContext { seed: model.seed, iteration, ..StepContext::default() },
        };
        self.n_shards = batch.len().div_ceil(shard_rows);
        let own = self.ranks.share(self.n_shards);
        // A short sum would be computed by one thread at the end. Ranks join their shards apart.
        let joins_early =
            self.n_shards > 1 && own.len() == self.n_shards && model.count_params() <= PIECE;
        for phase in Phase::of_step(model.plan.n_segments()) {
            let (workspaces, sums) = (&self.workspaces, &self.sums);
            let run = |i, shard: &mut Shard| {
                let mut local = local(workspaces);
                job.run(phase, own.start + i, shard, local.as_deref_mut(), sums);
            };
            let shards = &mut self.shards[own.clone()];
            if joins_early && phase.is_last() {
                self.threads.for_each_joined(shards, &run, &join_pair);
            } else {
                self.threads.for_each(shards, run);
            }
            self.join_sums(&job, phase);
        }
        let mut total = self.join_metrics();
        let shards = &mut self.shards[..self.n_shards];
        self.n_shards =
            if joins_early { 1 } else { self.ranks.join_gradients(&self.threads, shards) };
        total.loss += model.parameters.penalty() * total.vectors as f64;
        total
    }

    /// Rows of each shard of a batch of this size.
    fn shard_rows(&self, model: &Sequential, batch_size: usize) -> usize {
        let shards = Partition::new(&model.plan, batch_size).shards.min(self.shards.len());
        let rows = batch_size.div_ceil(shards);
        match self.shards[0].workspaces.len() {
            0 => rows,
            // A smaller batch may be worth fewer shards, with more rows than their workspaces hold.
            n_chunks => rows.min(n_chunks * self.chunk_rows),
        }
    }

    /// Joins the shards' sums for the batch statistics after a phase.
    fn join_sums(&mut self, job: &Job, phase: Phase) {
        let (plan, segment) = (&job.model.plan, phase.statistics_segment());
        let n = plan.n_sums(segment);
        if n == 0 {
            return;
        }
        let shards = &mut self.shards[..self.n_shards];
        self.ranks.gather_sums(shards, n);
        join(shards, |one, other| phase.merge(plan, &mut one.sums[..n], &other.sums[..n]));
        let BatchSums { forward, backward } = &mut self.sums[segment];
        let total = if phase.backward { backward } else { forward };
        total.copy_from_slice(&shards[0].sums[..n]);
    }

    /// Loss and metrics of all shards.
    fn join_metrics(&mut self) -> MetricSums {
        let shards = &mut self.shards[..self.n_shards];
        self.ranks.gather_metrics(shards);
        join(shards, |one, other| one.metrics.add(&other.metrics));
        shards[0].metrics
    }

    /// Gradient of the last [`Engine::forward_backward`], penalties included.
    pub fn gradient(&mut self, params: &Parameters) -> &mut [Real] {
        let (first, rest) = self.shards[..self.n_shards].split_at_mut(1);
        let gradients = &mut first[0].gradients[..];
        self.threads.for_each_block(0, [&mut *gradients], &|[gradient], start| {
            add_gradients(gradient, rest, start);
            add_penalties(gradient, &params.entries, &params.values[start..], start);
        });
        gradients
    }

    /// Takes one optimizer step after [`Engine::forward_backward`]. A block of the gradient is
    /// summed and used while it is in the cache; a clipping by norm needs the whole gradient first.
    pub fn update(&mut self, model: &mut Sequential) {
        let Sequential { plan, parameters, compiled, .. } = model;
        let Some(Compiled { optimizer: Some(optimizer), state, .. }) = compiled else {
            return;
        };
        let rule = optimizer.as_optimizer();
        let (step, common) = (state.step(rule), rule.common());
        let is_summed = common.clips_norm();
        if is_summed {
            common.clip_norm(self.gradient(parameters), parameters);
        }
        let Parameters { values, entries, trainable } = parameters;
        let (first, rest) = self.shards[..self.n_shards].split_at_mut(1);
        for range in trainable.iter().cloned() {
            let gradients = &mut first[0].gradients[range.clone()];
            let [a, b, c] =
                state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            let vectors = [&mut values[range.clone()], gradients, a, b, c];
            self.threads.for_each_block(range.start, vectors, &|vectors, start| {
                let [params, gradient, a, b, c] = vectors;
                if !is_summed {
                    add_gradients(gradient, rest, start);
                    add_penalties(gradient, entries, params, start);
                    common.clip_values(gradient);
                }
                common.decay(step.learning_rate, params);
                rule.update(step, params, gradient, &mut [a, b, c]);
            });
        }
        for (segment, sums) in self.sums.iter().enumerate() {
            plan.update_running(segment, &sums.forward, values);
        }
        state.iteration += 1;
    }
}
