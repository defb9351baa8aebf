//! `Engine`: threads and buffers of a run, and the computations that use them: gradients, updates,
//! evaluation and prediction.
//!
//! Shard sums are added in shard order, whichever thread computed them, so the same seed gives the
//! same bits on any number of threads. A small batch is a single shard, which needs no
//! synchronization.

use std::sync::Mutex;

use super::batch::{Job, Partition, Phase, Shard, pass};
use super::loss_head::{LossHead, MetricSums};
use super::threads::{Threads, local};
use crate::datasets::batches::Rows;
use crate::kernels::rows::map2_inplace;
use crate::layers::StepContext;
use crate::model::{BatchSums, Compiled, Sequential, Workspace};
use crate::params::fits_memory;
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
    /// One workspace per thread; empty if each micro-batch has its own.
    workspaces: Vec<Mutex<Workspace>>,
    shards: Vec<Shard>,
    chunk_rows: usize,
    /// Maximum rows of a shard: its workspaces hold no more if each micro-batch has its own.
    max_shard_rows: usize,
    /// Sums over the whole batch, for each segment.
    sums: Vec<BatchSums>,
}

impl Engine {
    /// Allocates all buffers for batches of this size; a model with several segments keeps the
    /// activations of a whole batch.
    ///
    /// # Errors
    /// Not enough memory.
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
            metrics: MetricSums::ZERO,
            workspaces: (0..n_chunks).map(|_| workspace()).collect(),
        };
        let batch_sums = |segment| {
            let n = plan.n_sums(segment);
            BatchSums { forward: vec![0.0; n], backward: vec![0.0; n] }
        };
        Ok(Engine {
            size,
            threads,
            workspaces: (0..n_shared).map(|_| Mutex::new(workspace())).collect(),
            shards: (0..n_shards).map(shard).collect(),
            chunk_rows,
            max_shard_rows: if segmented { n_chunks * chunk_rows } else { usize::MAX },
            sums: (0..plan.n_segments()).map(batch_sums).collect(),
        })
    }

    /// Runs forward, loss and backward over a batch. [`Engine::gradient`] is then the gradient,
    /// penalties included. The rows of the `next` batch are prefetched.
    pub fn forward_backward(
        &mut self,
        model: &Sequential,
        head: &LossHead,
        data: &Rows,
        batch: &[u32],
        next: &[u32],
    ) -> MetricSums {
        // A smaller batch may be worth fewer shards, with more rows than their workspaces hold.
        let shards = Partition::new(&model.plan, batch.len()).shards.min(self.shards.len());
        let shard_rows = batch.len().div_ceil(shards).min(self.max_shard_rows);
        let iteration = model.compiled.as_ref().map_or(0, |compiled| compiled.state.iteration);
        let job = Job {
            model,
            head,
            data,
            batch,
            next,
            shard_rows,
            chunk_rows: self.chunk_rows,
            mean_factor: 1.0 / (batch.len() * head.positions) as Real,
            step: StepContext { seed: model.seed, iteration, ..StepContext::default() },
        };
        let n_shards = batch.len().div_ceil(shard_rows);
        for phase in Phase::of_step(model.plan.n_segments()) {
            let (workspaces, sums) = (&self.workspaces, &self.sums);
            self.threads.for_each(&mut self.shards[..n_shards], |number, shard| {
                let mut local = local(workspaces);
                job.run(phase, number, shard, local.as_deref_mut(), sums);
            });
            self.merge_sums(&job, phase, n_shards);
        }
        self.add_shards(model, n_shards)
    }

    /// Merges the partial sums of all micro-batches, in row order, after a phase.
    fn merge_sums(&mut self, job: &Job, phase: Phase, n_shards: usize) {
        let plan = &job.model.plan;
        if !phase.backward
            && let Some(statistics) = plan.statistics(phase.segment + 1)
        {
            let total = &mut self.sums[phase.segment + 1].forward;
            let merge = |total: &mut [f64], part: &[f64]| statistics.merge(total, part);
            merge_parts(job, &self.shards[..n_shards], total, merge);
        }
        if phase.backward && phase.segment > 0 {
            let total = &mut self.sums[phase.segment].backward;
            merge_parts(job, &self.shards[..n_shards], total, |total, part| {
                for (sum, part) in total.iter_mut().zip(part) {
                    *sum += part;
                }
            });
        }
    }

    /// Adds the gradients of all shards and of the penalties into the first shard's, and returns
    /// the sums of loss and metrics.
    fn add_shards(&mut self, model: &Sequential, n_shards: usize) -> MetricSums {
        let mut total = MetricSums::ZERO;
        for shard in &self.shards[..n_shards] {
            total.add(&shard.metrics);
        }
        let params = &model.parameters;
        if let Some((first, rest)) = self.shards[..n_shards].split_first_mut() {
            let rest: &[Shard] = rest;
            self.threads.for_each_piece(&mut first.gradients, &|sum, start| {
                for shard in rest {
                    map2_inplace(sum, &shard.gradients[start..][..sum.len()], |sum, part| {
                        sum + part
                    });
                }
            });
            for (entry, penalty) in params.penalized() {
                let values = &params.values[entry.range.clone()];
                let gradients = &mut first.gradients[entry.range.clone()];
                self.threads.for_each_piece(gradients, &|gradients, start| {
                    penalty.add_gradient(&values[start..][..gradients.len()], gradients);
                });
            }
        }
        total.loss += params.penalty() * total.vectors as f64;
        total
    }

    /// Gradient of the last [`Engine::forward_backward`].
    pub fn gradient(&self) -> &[Real] {
        &self.shards[0].gradients
    }

    /// Takes one optimizer step with the gradient.
    pub fn update(&mut self, model: &mut Sequential) {
        let Sequential { plan, parameters, compiled, .. } = model;
        let Some(Compiled { optimizer: Some(optimizer), state, .. }) = compiled else {
            return;
        };
        let rule = optimizer.as_optimizer();
        let (step, common) = (state.step(rule), rule.common());
        common.clip(&mut self.shards[0].gradients, parameters);
        let gradient = self.gradient();
        for range in &parameters.trainable {
            let values = &mut parameters.values[range.clone()];
            let gradient = &gradient[range.clone()];
            let slots =
                state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            self.threads.for_each_slotted_piece(0, values, slots, &|params, slots, start| {
                common.decay(step.learning_rate, params);
                rule.update(step, params, &gradient[start..][..params.len()], slots);
            });
        }
        for (segment, sums) in self.sums.iter().enumerate() {
            plan.update_running(segment, &sums.forward, &mut parameters.values);
        }
        state.iteration += 1;
    }

    /// Loss and metrics over `len` rows from `first` on; `len` is at most the batch size.
    pub fn evaluate(
        &mut self,
        model: &Sequential,
        head: &LossHead,
        data: &Rows,
        first: usize,
        len: usize,
    ) -> MetricSums {
        let (workspaces, chunk_rows) = (&self.workspaces, self.chunk_rows);
        let shard_rows = len.div_ceil(self.shards.len());
        self.threads.for_each(&mut self.shards, |number, shard| {
            shard.metrics = MetricSums::ZERO;
            let Some(mut workspace) = local(workspaces) else { return };
            let start = first + (number * shard_rows).min(len);
            let end = first + ((number + 1) * shard_rows).min(len);
            for start in (start..end).step_by(chunk_rows) {
                let rows = start..(start + chunk_rows).min(end);
                predict_rows(&mut workspace, model, data, rows.clone());
                let out = workspace.output(&model.plan, rows.len());
                let weights = out.sample_weights;
                head.add_metrics(out.output, out.targets, weights, &mut shard.metrics);
            }
        });
        let mut total = MetricSums::ZERO;
        for shard in &self.shards {
            total.add(&shard.metrics);
        }
        total
    }

    /// Outputs of all rows, concatenated.
    ///
    /// # Errors
    /// Not enough memory.
    pub fn predict(&mut self, model: &Sequential, data: &Rows) -> Result<Vec<Real>> {
        let (workspaces, chunk_rows) = (&self.workspaces, self.chunk_rows);
        let width = model.plan.output_width();
        let len = data.len().saturating_mul(width);
        if !fits_memory(len) {
            let problem = format!("there is no room for the {len} numbers of the output");
            return Err(Error::Memory(problem));
        }
        let mut output = vec![0.0; len];
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk_rows * width).collect();
        self.threads.for_each(&mut parts, |number, part| {
            let Some(mut workspace) = local(workspaces) else { return };
            let first = number * chunk_rows;
            let rows = first..first + part.len() / width;
            predict_rows(&mut workspace, model, data, rows.clone());
            part.copy_from_slice(workspace.output(&model.plan, rows.len()).output);
        });
        Ok(output)
    }
}

/// Gathers these rows into the workspace and runs the forward pass of inference.
fn predict_rows(
    workspace: &mut Workspace,
    model: &Sequential,
    data: &Rows,
    rows: std::ops::Range<usize>,
) {
    let to = workspace.inputs(&model.plan, rows.len(), data.target_width());
    data.gather(rows.clone(), to);
    workspace.predict(pass(model, rows.len(), StepContext::default()));
}

/// Merges the partial sums of the micro-batches, in row order.
fn merge_parts(job: &Job, shards: &[Shard], total: &mut [f64], merge: impl Fn(&mut [f64], &[f64])) {
    let mut is_first = true;
    for (number, shard) in shards.iter().enumerate() {
        for workspace in &shard.workspaces[..job.n_chunks(number)] {
            let part = &workspace.sums[..total.len()];
            if is_first {
                total.copy_from_slice(part);
                is_first = false;
            } else {
                merge(total, part);
            }
        }
    }
}
