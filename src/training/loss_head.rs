//! The loss and the metrics on a model's output, and their sums.

use crate::datasets::Dataset;
use crate::datasets::batches::Rows;
use crate::losses::{AnyLoss, TargetForm};
use crate::metrics::{AnyMetric, Ratio};
use crate::model::{MAX_METRICS, OutputBuffers, Sequential};
use crate::{Real, Result};

/// Loss and metrics, with the sizes of the output and the targets.
#[derive(Clone)]
pub(super) struct LossHead {
    loss: AnyLoss,
    metrics: Vec<AnyMetric>,
    /// `loss` and the names of the metrics, as they are logged.
    pub names: Vec<String>,
    /// True if the loss is fused: its gradient is with respect to the logits.
    pub fused: bool,
    /// Last-axis vectors per sample.
    pub positions: usize,
    output_width: usize,
    target_width: usize,
}

/// Sums over some rows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct MetricSums {
    /// Number of last-axis vectors.
    pub vectors: usize,
    /// Sum of their losses.
    pub loss: f64,
    ratios: [Ratio; MAX_METRICS],
}

impl MetricSums {
    /// Number of sums.
    pub const COUNT: usize = 2 + 2 * MAX_METRICS;

    /// All sums, as bits.
    pub fn to_bits(self) -> [u64; Self::COUNT] {
        let mut bits = [0; Self::COUNT];
        let [vectors, loss, ratios @ ..] = &mut bits;
        *vectors = self.vectors as u64;
        *loss = self.loss.to_bits();
        let (pairs, _) = ratios.as_chunks_mut();
        for ([numerator, denominator], ratio) in pairs.iter_mut().zip(self.ratios) {
            *numerator = ratio.numerator.to_bits();
            *denominator = ratio.denominator.to_bits();
        }
        bits
    }

    /// The sums of [`MetricSums::to_bits`].
    pub fn from_bits(bits: &[u64; Self::COUNT]) -> MetricSums {
        let [vectors, loss, ratios @ ..] = bits;
        let (vectors, loss) = (*vectors as usize, f64::from_bits(*loss));
        let mut sums = MetricSums { vectors, loss, ..MetricSums::default() };
        let (pairs, _) = ratios.as_chunks();
        for (ratio, [numerator, denominator]) in sums.ratios.iter_mut().zip(pairs) {
            ratio.numerator = f64::from_bits(*numerator);
            ratio.denominator = f64::from_bits(*denominator);
        }
        sums
    }

    pub fn mean_loss(&self) -> f64 {
        self.loss / self.vectors as f64
    }

    pub fn add(&mut self, other: &MetricSums) {
        self.vectors += other.vectors;
        self.loss += other.loss;
        for (sum, part) in self.ratios.iter_mut().zip(&other.ratios) {
            *sum += *part;
        }
    }
}

/// Rows of a dataset, with the loss and the metrics on them.
pub(super) struct Objective<'d> {
    pub head: LossHead,
    pub rows: Rows<'d>,
}

impl<'d> Objective<'d> {
    /// Objective of a compiled model on a dataset. If the data have integer labels for one-hot
    /// targets, and loss and metrics have sparse equivalents, the head uses those, which are
    /// faster.
    pub fn new(model: &Sequential, data: &'d Dataset) -> Result<Self> {
        let compiled = model.compiled()?;
        let widths = model.vector_widths(&compiled.loss);
        let is_sparse = compiled.loss.as_loss().target_form() == TargetForm::Labels;
        let mut rows = Rows::new(data, model.input_shape(), model.output_shape(), is_sparse)?;
        let mut names = vec!["loss".to_string()];
        let mut metrics = vec![];
        for choice in compiled.metrics() {
            names.push(choice.name.clone());
            metrics.push(choice.resolve(widths.target, widths.output)?);
        }
        let mut head = LossHead {
            loss: compiled.loss.clone(),
            metrics,
            names,
            fused: false,
            positions: model.output_shape().n_positions(),
            output_width: widths.output,
            target_width: widths.target,
        };
        let sparse_metrics: Option<Vec<_>> =
            head.metrics.iter().map(|metric| metric.as_metric().as_sparse()).collect();
        if let Some(loss) = head.loss.as_loss().as_sparse()
            && let Some(metrics) = sparse_metrics
            && let Some(labels) = rows.as_integer_labels()
        {
            rows = labels;
            head = LossHead { loss, metrics, target_width: 1, ..head };
        }
        // After a Reshape, the loss sees vectors of another length than the activation does.
        head.fused = model.plan.last_activation().is_some_and(|(activation, width)| {
            width == widths.output && head.loss.as_loss().fuses_with(activation)
        });
        Ok(Objective { head, rows })
    }
}

impl LossHead {
    /// Adds loss and metrics of the rows of an output; metrics ignore the sample weights.
    pub fn add_metrics(
        &self,
        output: &[Real],
        targets: &[Real],
        sample_weights: &[Real],
        sums: &mut MetricSums,
    ) {
        let loss = self.loss.as_loss();
        for (i, (y, p)) in self.vectors(targets, output).enumerate() {
            sums.vectors += 1;
            sums.loss += f64::from(sample_weights[i / self.positions] * loss.value(y, p));
            for (metric, sum) in self.metrics.iter().zip(&mut sums.ratios) {
                *sum += metric.as_metric().count(y, p);
            }
        }
    }

    /// Writes `factor` times the gradient of the weighted sum of losses.
    pub fn write_gradient(&self, out: OutputBuffers, factor: Real) {
        let loss = self.loss.as_loss();
        let gradients = out.gradient.chunks_exact_mut(self.output_width);
        let vectors = self.vectors(out.targets, out.output);
        for (i, ((y, p), gradient)) in vectors.zip(gradients).enumerate() {
            if self.fused {
                loss.gradient_wrt_logits(y, p, gradient);
            } else {
                loss.gradient(y, p, gradient);
            }
            let factor = factor * out.sample_weights[i / self.positions];
            for value in gradient {
                *value *= factor;
            }
        }
    }

    /// Means of the loss and the metrics, in the order of the names.
    pub fn means(&self, sums: &MetricSums) -> [f64; 1 + MAX_METRICS] {
        let mut means = [0.0; 1 + MAX_METRICS];
        means[0] = sums.mean_loss();
        for ((mean, metric), ratio) in means[1..].iter_mut().zip(&self.metrics).zip(&sums.ratios) {
            *mean = metric.as_metric().result(*ratio);
        }
        means
    }

    fn vectors<'v>(
        &self,
        targets: &'v [Real],
        output: &'v [Real],
    ) -> impl Iterator<Item = (&'v [Real], &'v [Real])> {
        targets.chunks_exact(self.target_width).zip(output.chunks_exact(self.output_width))
    }
}
