//! The memory of a run and what is done in it: the gradient of a batch, the update, scores and
//! predictions.
//!
//! Shards' sums are added in their order, and threads only decide who computes which shard, so the
//! same seed gives the same bits on any number of threads. Work too small to be worth sharing makes
//! one shard, and then nobody waits for anybody.

use std::sync::Mutex;

use super::batch::{Job, Shard, cut, pass};
use super::head::{Head, Tally};
use super::threads::{Threads, own};
use crate::datasets::batches::Rows;
use crate::kernels::rows::map2_inplace;
use crate::layers::Moment;
use crate::model::{Compiled, Gradients, Sequential, Workspace};
use crate::optimizers::Slots;
use crate::{Error, Real, Result};

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
        let n_threads = threads.count();
        let workspace = || Workspace::new(plan, chunk, target_width, training);
        let n_chunks = if coupled { batch_size.div_ceil(n_shards).div_ceil(chunk) } else { 0 };
        let n_gradients = if training { model.count_params() } else { 0 };
        // Asked for and given back at once: a refusal would otherwise end the program.
        let values = Workspace::n_values(plan, chunk, target_width, training)
            .saturating_mul(if coupled { n_shards * n_chunks } else { n_threads })
            .saturating_add(n_gradients.saturating_mul(n_shards));
        if Vec::<Real>::new().try_reserve_exact(values).is_err() {
            let problem = format!(
                "there is no room for the {values} numbers that {chunk} samples take on all layers"
            );
            return Err(Error::Memory(problem));
        }
        let shard = || Shard {
            gradients: vec![0.0; n_gradients],
            tally: Tally::ZERO,
            chunks: (0..n_chunks).map(|_| workspace()).collect(),
        };
        Ok(Engine {
            threads: threads.clone(),
            workspaces: (0..if coupled { 0 } else { n_threads })
                .map(|_| Mutex::new(workspace()))
                .collect(),
            shards: (0..n_shards).map(|_| shard()).collect(),
            chunk,
            gradient_sums: vec![0.0; n_sums.clone().max().unwrap_or(0)],
            sums: n_sums.map(|n| vec![0.0; n]).collect(),
        })
    }

    /// Forward, loss and backward over a batch. The gradient, penalties included, is left in
    /// [`Engine::sum`]. The rows that come `next` are asked for between computations, which leave
    /// the memory idle.
    pub fn gradients(
        &mut self,
        model: &Sequential,
        head: &Head,
        data: &Rows,
        batch: &[u32],
        next: &[u32],
    ) -> Tally {
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
                let mut next = next.iter().skip(number * size).take(size);
                job.for_chunks(number, |i, pass, rows| {
                    job.gather(&mut workspace, pass, rows);
                    data.fetch(&mut next);
                    workspace.forward(pass, 0, &[]);
                    data.fetch(&mut next);
                    job.turn(&mut workspace, pass, &mut shard.tally);
                    data.fetch(&mut next);
                    let absorbed = head.absorbed;
                    let mut to =
                        Gradients { d_params: &mut shard.gradients, accumulate: i > 0, absorbed };
                    workspace.backward(pass, 0, None, &[], &mut to);
                });
            });
        }
        let mut total = Tally::ZERO;
        shards.iter().for_each(|shard| total.add(&shard.tally));
        if let Some((first, rest)) = shards.split_first_mut() {
            let rest: &[Shard] = rest;
            self.threads.pieces(&mut first.gradients, Slots::default(), &|sum, _, start| {
                rest.iter().for_each(|shard| {
                    map2_inplace(sum, &shard.gradients[start..][..sum.len()], |sum, part| {
                        sum + part
                    })
                });
            });
            for (entry, penalty) in params.penalized() {
                let values = &params.values[entry.range.clone()];
                let gradients = &mut first.gradients[entry.range.clone()];
                self.threads.pieces(gradients, Slots::default(), &|gradients, _, start| {
                    penalty.add_gradient(&values[start..][..gradients.len()], gradients);
                });
            }
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
            let slots =
                state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
            self.threads.pieces(
                &mut parameters.values[range.clone()],
                slots,
                &|params, slots, start| {
                    common.decay(step.learning_rate, params);
                    optimizer.update(step, params, &gradients[start..][..params.len()], slots);
                },
            );
        }
        for (segment, sums) in self.sums.iter().enumerate() {
            if let Some((layer, range)) = plan.coupling(segment) {
                layer.settle(sums, &mut parameters.values[range]);
            }
        }
        state.iteration += 1;
    }

    /// Loss and metrics over so many rows from `first` on, at most as many as the engine was made
    /// for.
    pub fn tally(
        &mut self,
        model: &Sequential,
        head: &Head,
        data: &Rows,
        first: usize,
        len: usize,
    ) -> Tally {
        let (workspaces, chunk) = (&self.workspaces, self.chunk);
        let size = len.div_ceil(self.shards.len());
        self.threads.each(&mut self.shards, |number, shard| {
            let mut workspace = own(workspaces);
            shard.tally = Tally::ZERO;
            let (start, end) =
                (first + (number * size).min(len), first + ((number + 1) * size).min(len));
            for start in (start..end).step_by(chunk) {
                let pass = pass(model, chunk.min(end - start), Moment::default());
                let numbers = start..start + pass.rows;
                data.gather(
                    numbers,
                    workspace.gather_to(&model.plan, pass.rows, data.target_width()),
                );
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
            return Err(Error::Memory(format!(
                "there is no room for the {len} numbers of the output"
            )));
        }
        output.resize(len, 0.0);
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk * width).collect();
        self.threads.each(&mut parts, |number, part| {
            let mut workspace = own(workspaces);
            let rows = part.len() / width;
            data.gather(
                (0..rows).map(|row| number * chunk + row),
                workspace.gather_to(&model.plan, rows, 0),
            );
            workspace.predict(pass(model, rows, Moment::default()));
            part.copy_from_slice(workspace.output(&model.plan, rows));
        });
        Ok(output)
    }
}
