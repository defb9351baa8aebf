//! Engines that are kept between calls, and evaluation and prediction with them.

use ndarray::ArrayD;

use super::Scores;
use super::batch::Partition;
use super::engine::{Engine, EngineSize};
use super::loss_head::{LossHead, MetricSums, Objective};
use super::threads::Threads;
use crate::datasets::batches::Rows;
use crate::datasets::{Dataset, Inputs};
use crate::model::Sequential;
use crate::{Error, Real, Result};

/// Rows evaluated at a time: a constant, so that the order of summation is the same everywhere.
pub(super) const EVALUATION_ROWS: usize = 2048;

/// Engines of a model, created on first use.
#[derive(Default)]
pub(super) struct Engines {
    pub training: Option<Engine>,
    pub evaluation: Option<Engine>,
}

impl Engines {
    /// Loss and metrics over a dataset.
    pub fn evaluate(&mut self, model: &Sequential, data: &Dataset) -> Result<Scores> {
        let objective = Objective::new(model, data)?;
        let n = objective.rows.len().min(EVALUATION_ROWS);
        let engine = engine_for(&mut self.evaluation, model, &objective.rows, n, false, None)?;
        let threads = engine.threads.clone();
        let mut evaluation = Evaluation { engine, objective };
        let sums = threads.install(|| evaluation.run(model));
        Ok(scores(&evaluation.objective.head, &sums))
    }

    /// Outputs for all samples.
    pub fn predict(&mut self, model: &Sequential, x: &Inputs) -> Result<ArrayD<Real>> {
        let rows = Rows::inputs_only(x, model.input_shape())?;
        let n = rows.len().min(EVALUATION_ROWS);
        let engine = engine_for(&mut self.evaluation, model, &rows, n, false, None)?;
        let threads = engine.threads.clone();
        let values = threads.install(|| engine.predict(model, &rows))?;
        let shape = [&[rows.len()], model.output_shape().dims()].concat();
        ArrayD::from_shape_vec(shape, values).map_err(|error| Error::Data(error.to_string()))
    }
}

/// Rows to evaluate, with their engine.
pub(super) struct Evaluation<'a, 'd> {
    pub engine: &'a mut Engine,
    pub objective: Objective<'d>,
}

impl Evaluation<'_, '_> {
    /// Sums of loss and metrics over all rows.
    pub fn run(&mut self, model: &Sequential) -> MetricSums {
        let mut total = MetricSums::default();
        let n_rows = self.objective.rows.len();
        for first in (0..n_rows).step_by(EVALUATION_ROWS) {
            let len = EVALUATION_ROWS.min(n_rows - first);
            total.add(&self.engine.evaluate(model, &self.objective, first, len));
        }
        total.loss += model.parameters.penalty() * total.vectors as f64;
        total
    }
}

/// Engine in this slot, replaced unless it has the size that these rows need. A new one uses the
/// given threads, or starts its own.
pub(super) fn engine_for<'e>(
    slot: &'e mut Option<Engine>,
    model: &Sequential,
    rows: &Rows,
    batch_size: usize,
    training: bool,
    threads: Option<&Threads>,
) -> Result<&'e mut Engine> {
    rows.check_indices(model.vocabulary_size())?;
    let size = EngineSize { batch_size, target_width: rows.target_width(), training };
    let kept = slot.take().filter(|engine| engine.size == size);
    let engine = match kept {
        Some(engine) => engine,
        None => {
            let threads = match threads {
                Some(threads) => threads.all(),
                None => {
                    let shards = Partition::new(&model.plan, batch_size).shards;
                    Threads::new(model.n_threads, shards)
                }
            };
            Engine::new(model, threads, size)?
        }
    };
    Ok(slot.insert(engine))
}

/// Means of loss and metrics, with their names.
pub(super) fn scores(head: &LossHead, sums: &MetricSums) -> Scores {
    let metrics = head.names.iter().cloned().zip(head.means(sums)).skip(1).collect();
    Scores { loss: sums.mean_loss(), metrics }
}
