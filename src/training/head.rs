//! What stands on a model's output: the loss and the metrics, and the sums that they make.

use crate::datasets::Dataset;
use crate::datasets::batches::Rows;
use crate::losses::{AnyLoss, TargetForm};
use crate::metrics::{AnyMetric, Ratio};
use crate::model::{MAX_METRICS, MetricChoice, Sequential};
use crate::{Real, Result};

/// Loss and metrics, and what they need to know about the output.
#[derive(Clone)]
pub(super) struct Head {
    loss: AnyLoss,
    metrics: Vec<AnyMetric>,
    /// `loss` and the names of the metrics, as they are logged.
    pub names: Vec<String>,
    /// The loss takes its gradient in front of the last activation.
    pub absorbed: bool,
    /// Vectors of the last axis in a row.
    pub positions: usize,
    /// The lengths of one of the output and of one of the targets.
    output_width: usize,
    target_width: usize,
}

/// Sums over some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    /// Vectors of the last axis.
    pub vectors: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// The dividend and the divisor of each metric.
    counters: [Ratio; MAX_METRICS],
}

impl Tally {
    pub const ZERO: Tally = Tally { vectors: 0, loss: 0.0, counters: [Ratio::ZERO; MAX_METRICS] };

    pub fn mean_loss(&self) -> f64 {
        self.loss / self.vectors as f64
    }

    pub fn add(&mut self, other: &Tally) {
        self.vectors += other.vectors;
        self.loss += other.loss;
        for (sum, part) in self.counters.iter_mut().zip(other.counters) {
            *sum += part;
        }
    }
}

impl Head {
    /// The head of a compiled model, and the rows of a dataset as it takes them: one-hot vectors
    /// stay the class numbers that they were given as, where loss and metrics come to the same with
    /// them.
    pub fn on<'a>(model: &Sequential, data: &'a Dataset) -> Result<(Head, Rows<'a>)> {
        let loss = &model.compiled()?.loss;
        let is_sparse = loss.as_loss().target_form() == TargetForm::Labels;
        let mut rows = Rows::new(data, model.input_shape(), model.output_shape(), is_sparse)?;
        let mut head = Head::new(model)?;
        let metrics: Option<_> =
            head.metrics.iter().map(|metric| metric.as_metric().as_sparse()).collect();
        if let (Some(loss), Some(metrics), Some(labels)) =
            (loss.as_loss().as_sparse(), metrics, rows.as_class_numbers())
        {
            rows = labels;
            head = Head { loss, metrics, target_width: 1, ..head };
        }
        Ok((head, rows))
    }

    fn new(model: &Sequential) -> Result<Head> {
        let compiled = model.compiled()?;
        let (target_width, output_width) = model.widths(&compiled.loss);
        let metric = |choice: &MetricChoice| choice.resolve(target_width, output_width);
        let names = compiled.metrics().iter().map(|metric| &*metric.name);
        // A Reshape may have cut the activation's vectors into others, which the loss then sees.
        let absorbs =
            |(last, width)| width == output_width && compiled.loss.as_loss().fuses_with(last);
        Ok(Head {
            loss: compiled.loss.clone(),
            metrics: compiled.metrics().iter().map(metric).collect::<Result<_>>()?,
            names: ["loss"].into_iter().chain(names).map(str::to_string).collect(),
            absorbed: model.plan.last_activation().is_some_and(absorbs),
            positions: model.output_shape().n_positions(),
            output_width,
            target_width,
        })
    }

    /// Adds up the rows of an output; `weights` say how much each row's loss counts.
    pub fn tally(&self, output: &[Real], targets: &[Real], weights: &[Real], tally: &mut Tally) {
        for (i, (y, p)) in self.vectors(targets, output).enumerate() {
            tally.vectors += 1;
            tally.loss += f64::from(weights[i / self.positions] * self.loss.as_loss().value(y, p));
            for (metric, counter) in self.metrics.iter().zip(&mut tally.counters) {
                *counter += metric.as_metric().count(y, p);
            }
        }
    }

    /// Writes `scale` times the gradient of the weighted sum of losses.
    pub fn gradient(
        &self,
        output: &[Real],
        targets: &[Real],
        weights: &[Real],
        scale: Real,
        delta: &mut [Real],
    ) {
        let deltas = delta.chunks_exact_mut(self.output_width);
        for (i, ((y, p), delta)) in self.vectors(targets, output).zip(deltas).enumerate() {
            match self.absorbed {
                true => self.loss.as_loss().gradient_wrt_logits(y, p, delta),
                false => self.loss.as_loss().gradient(y, p, delta),
            }
            let scale = scale * weights[i / self.positions];
            delta.iter_mut().for_each(|delta| *delta *= scale);
        }
    }

    /// The loss and the metrics that sums come to, in the order of the names.
    pub fn means(&self, tally: &Tally) -> [f64; 1 + MAX_METRICS] {
        let mut means = [0.0; 1 + MAX_METRICS];
        means[0] = tally.mean_loss();
        for (mean, counter) in means[1..].iter_mut().zip(&tally.counters[..self.metrics.len()]) {
            *mean = counter.value();
        }
        means
    }

    fn vectors<'v>(
        &self,
        y: &'v [Real],
        p: &'v [Real],
    ) -> impl Iterator<Item = (&'v [Real], &'v [Real])> {
        y.chunks_exact(self.target_width).zip(p.chunks_exact(self.output_width))
    }
}
