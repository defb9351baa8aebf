//! One batch: its partition, and the passes of its micro-batches.
//!
//! A batch is partitioned into shards, a shard into micro-batches. A micro-batch completes its
//! forward and backward pass before the next one starts; each shard accumulates its own gradient.
//! The partition depends only on the model and the batch size.
//!
//! A model with batch statistics (BatchNormalization) is split into segments, one starting at each
//! op that needs them; all micro-batches complete a segment before any enters the next. Other
//! models have one segment, which runs in a single phase.

use super::loss_head::{MetricSums, Objective};
use crate::Real;
use crate::layers::StepContext;
use crate::model::{BatchSums, GradientSink, Pass, Plan, Sequential, Workspace};

/// Maximum number of activations of a micro-batch, so that most stay in the L2 cache between two
/// layers. For a model with many weights, which every micro-batch reads and packs again, the
/// maximum is twice the number of weights.
const CHUNK_VALUES: usize = 160 * 1024;
/// Maximum rows of a micro-batch; matrix products are no faster with more.
const CHUNK_ROWS: usize = 64;
/// Maximum shards of a batch.
const MAX_SHARDS: usize = 32;
/// Multiplications, forward and backward, that justify one more shard: its share of the joins.
const SHARD_WORK: usize = 1 << 19;
/// Multiplications for each parameter that justify one more shard, which reads all weights, and
/// writes a gradient that is read again for the sum.
fn param_work(n_params: usize) -> usize {
    // The gradient stays in the L1 or the L2 cache, or in neither.
    if n_params <= 1 << 14 {
        64
    } else if n_params <= 1 << 18 {
        128
    } else {
        400
    }
}

/// Maximum number of gradient values of all shards.
const GRADIENT_VALUES: usize = 1 << 26;

/// Partition of a batch.
#[derive(Clone, Copy)]
pub(super) struct Partition {
    /// Rows of a micro-batch.
    pub chunk_rows: usize,
    /// Number of shards, a power of two.
    pub shards: usize,
}

impl Partition {
    /// Partition for this batch size. With `n` parameters, and `work` multiplications in a step,
    /// there are as many shards as the smallest of these numbers allows, at most one a row:
    ///
    /// ```text
    /// 32
    /// work / 2¹⁹
    /// work / (64·n), or (128·n) if n > 2¹⁴, or (400·n) if n > 2¹⁸, but at least 2
    /// 2²⁶ / n, but at least 2
    /// ```
    ///
    /// rounded down to a power of two, which any power of two of threads shares evenly.
    pub fn new(plan: &Plan, batch_size: usize) -> Partition {
        let n_params = plan.n_params().max(1);
        let work = plan.work().saturating_mul(3).saturating_mul(batch_size);
        let by_gradients = (work / n_params.saturating_mul(param_work(n_params)))
            .min(GRADIENT_VALUES / n_params)
            .max(2);
        let limit = MAX_SHARDS.min(batch_size).min(work / SHARD_WORK).min(by_gradients).max(1);
        let shards = 1 << limit.ilog2();

        let values = CHUNK_VALUES.max(n_params.saturating_mul(2));
        let max_rows = (values / plan.row_width().max(1)).clamp(1, CHUNK_ROWS);
        let shard_rows = batch_size.div_ceil(shards).max(1);
        // Distributes the rows evenly over the micro-batches.
        let chunks = shard_rows.div_ceil(max_rows);
        Partition { chunk_rows: shard_rows.div_ceil(chunks), shards }
    }
}

/// Sums and memory of a shard.
pub(super) struct Shard {
    pub gradients: Vec<Real>,
    pub metrics: MetricSums,
    /// Sums of the batch statistics computed last.
    pub sums: Vec<f64>,
    /// One workspace per micro-batch if the model has several segments; else empty.
    pub workspaces: Vec<Workspace>,
}

/// Work on all micro-batches between two merges of batch statistics.
#[derive(Clone, Copy)]
pub(super) struct Phase {
    pub segment: usize,
    pub forward: bool,
    pub backward: bool,
}

impl Phase {
    /// Phases of a step: forward through all segments but the last, forward and backward through
    /// the last, with the loss in between, backward through the others.
    pub fn of_step(n_segments: usize) -> impl Iterator<Item = Phase> {
        let last = n_segments - 1;
        let forward = move |segment| Phase { segment, forward: true, backward: false };
        let turn = Phase { segment: last, forward: true, backward: true };
        let backward = move |segment| Phase { segment, forward: false, backward: true };
        (0..last).map(forward).chain([turn]).chain((0..last).rev().map(backward))
    }

    fn is_first(&self) -> bool {
        self.forward && self.segment == 0
    }

    /// True for the backward pass of the first segment, after which the gradients are complete.
    pub fn is_last(&self) -> bool {
        self.backward && self.segment == 0
    }

    /// Segment whose batch statistics this phase computes: of the backward pass its own, of the
    /// forward pass the next.
    pub fn statistics_segment(&self) -> usize {
        if self.backward { self.segment } else { self.segment + 1 }
    }

    /// Merges sums of the batch statistics into those of the rows before them.
    pub fn merge(&self, plan: &Plan, total: &mut [f64], part: &[f64]) {
        match plan.statistics(self.statistics_segment()) {
            Some(statistics) if !self.backward => statistics.merge(total, part),
            _ => total.iter_mut().zip(part).for_each(|(sum, part)| *sum += part),
        }
    }
}

/// One batch and its partition.
pub(super) struct Job<'a> {
    pub model: &'a Sequential,
    pub objective: &'a Objective<'a>,
    /// Indices of the batch's rows.
    pub batch: &'a [u32],
    /// Indices of the next batch's rows, to be prefetched.
    pub next: &'a [u32],
    pub shard_rows: usize,
    pub chunk_rows: usize,
    /// 1 / number of loss terms in the batch.
    pub mean_factor: Real,
    pub step: StepContext,
}

impl Job<'_> {
    fn rows_of(&self, shard: usize) -> &[u32] {
        let first = (shard * self.shard_rows).min(self.batch.len());
        &self.batch[first..(first + self.shard_rows).min(self.batch.len())]
    }

    /// Runs one phase on all micro-batches of a shard. `local` is the thread's own workspace.
    pub fn run(
        &self,
        phase: Phase,
        number: usize,
        shard: &mut Shard,
        mut local: Option<&mut Workspace>,
        sums: &[BatchSums],
    ) {
        let Shard { gradients, metrics, sums: merged, workspaces } = shard;
        if phase.is_first() {
            *metrics = MetricSums::default();
        }
        let n_sums = self.model.plan.n_sums(phase.statistics_segment());
        let mut next = self.next.iter().skip(number * self.shard_rows).take(self.shard_rows);
        for (i, rows) in self.rows_of(number).chunks(self.chunk_rows).enumerate() {
            let own = workspaces.get_mut(i);
            let workspace = own.or(local.as_deref_mut()).expect("a workspace per chunk or thread");
            let first_row = number * self.shard_rows + i * self.chunk_rows;
            let pass = pass(self.model, rows.len(), StepContext { first_row, ..self.step });
            if phase.forward {
                self.forward(phase.segment, workspace, pass, rows, sums, &mut next);
            }
            if phase.forward && phase.backward {
                self.loss_and_gradient(workspace, pass, metrics);
                self.objective.rows.prefetch_rows(&mut next);
            }
            if phase.backward {
                let fused = self.objective.head.fused;
                let mut sink = GradientSink { d_params: gradients, accumulate: i > 0, fused };
                workspace.backward(pass, phase.segment, sums, &mut sink);
            }
            let part = &workspace.sums[..n_sums];
            if i == 0 {
                merged[..n_sums].copy_from_slice(part);
            } else {
                phase.merge(&self.model.plan, &mut merged[..n_sums], part);
            }
        }
    }

    /// Forward pass of a segment; the first one gathers its rows.
    fn forward<'n>(
        &self,
        segment: usize,
        workspace: &mut Workspace,
        pass: Pass,
        rows: &[u32],
        sums: &[BatchSums],
        next: &mut impl Iterator<Item = &'n u32>,
    ) {
        if segment == 0 {
            let numbers = rows.iter().map(|&row| row as usize);
            let to = workspace.inputs(pass.plan, pass.rows, self.objective.rows.target_width());
            self.objective.rows.gather(numbers, to);
        }
        // Prefetches between computations, which use little memory bandwidth.
        self.objective.rows.prefetch_rows(&mut *next);
        workspace.forward(pass, segment, &sums[segment]);
        self.objective.rows.prefetch_rows(next);
    }

    /// Loss and metrics of a micro-batch, and the gradient with respect to its output.
    fn loss_and_gradient(&self, workspace: &mut Workspace, pass: Pass, metrics: &mut MetricSums) {
        let out = workspace.output(pass.plan, pass.rows);
        self.objective.head.add_metrics(out.output, out.targets, out.sample_weights, metrics);
        self.objective.head.write_gradient(out, self.mean_factor);
    }
}

pub(super) fn pass(model: &Sequential, rows: usize, step: StepContext) -> Pass<'_> {
    Pass { plan: &model.plan, params: &model.parameters.values, rows, step }
}
