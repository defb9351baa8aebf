//! The catalogue of metrics: what is counted beside the loss, from the same forward passes.

mod accuracy;
mod mean_error;
mod top_k;
mod true_positives;

pub use accuracy::{BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy};
pub use mean_error::{MeanAbsoluteError, MeanSquaredError};
pub use top_k::{SparseTopKCategoricalAccuracy, TopKCategoricalAccuracy};
pub use true_positives::{Precision, Recall};

use std::fmt;

use crate::classes::{classes, snake_case};
use crate::{Error, Real, Result};

classes! {
    /// A metric of any class. Those of class numbers begin with `Sparse`.
    AnyMetric: Metric {
        "BinaryAccuracy" => BinaryAccuracy,
        "CategoricalAccuracy" => CategoricalAccuracy,
        "MeanAbsoluteError" => MeanAbsoluteError,
        "MeanSquaredError" => MeanSquaredError,
        "Precision" => Precision,
        "Recall" => Recall,
        "SparseCategoricalAccuracy" => SparseCategoricalAccuracy,
        "SparseTopKCategoricalAccuracy" => SparseTopKCategoricalAccuracy,
        "TopKCategoricalAccuracy" => TopKCategoricalAccuracy,
    }
}

/// A running measure: a few counters that vectors of the last axis add to, and what they come to.
///
/// Counters of different threads are added, so a metric is whatever a handful of sums can tell.
pub trait Metric: fmt::Debug + Send + Sync {
    /// Counts one vector: `y` is the truth, `p` what the model put out.
    fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]);

    /// What the counters come to: by default the first, divided by the second.
    fn result(&self, counters: &[f64; MAX_COUNTERS]) -> f64 {
        counters[0] / counters[1]
    }

    /// Whether a model is the better, the lower this is: so it is for errors.
    fn lower_is_better(&self) -> bool {
        false
    }
}

/// The counters that a metric has.
pub const MAX_COUNTERS: usize = 4;

impl AnyMetric {
    /// Keras's name: `categorical_accuracy`.
    pub fn name(&self) -> String {
        snake_case(self.class_name())
    }

    /// The metric that a name stands for, with Keras's defaults, given how long a target's and an output's last axis is.
    /// An unknown name is an error that lists all.
    ///
    /// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes alone: binary for an output of one value, sparse for
    /// targets of one class number, else categorical.
    pub fn by_name(name: &str, target_width: usize, output_width: usize) -> Result<AnyMetric> {
        let lower = snake_case(name);
        let full = match (lower.as_str(), target_width, output_width) {
            ("accuracy" | "acc", _, 1) => "binary_accuracy",
            ("accuracy" | "acc", 1, _) => "sparse_categorical_accuracy",
            ("accuracy" | "acc", ..) => "categorical_accuracy",
            ("mae", ..) => "mean_absolute_error",
            ("mse", ..) => "mean_squared_error",
            (other, ..) => other,
        };
        AnyMetric::all().into_iter().find(|metric| metric.name() == full).ok_or_else(|| {
            let names: Vec<_> = AnyMetric::all().iter().map(AnyMetric::name).collect();
            let names = names.join(", ");
            Error::Argument(format!("there is no metric {name:?} here; known: accuracy, {names}, mae, mse"))
        })
    }

    /// Refuses targets of the other form: class numbers for a metric of vectors, or vectors for one of class numbers.
    pub fn check(&self, name: &str, target_width: usize, output_width: usize) -> Result<()> {
        match self.name().strip_prefix("sparse_") {
            Some(dense) if target_width != 1 => Err(Error::Argument(format!(
                "the metric {name} counts against class numbers, and this loss takes vectors; {dense} would fit"
            ))),
            None if target_width != output_width => Err(Error::Argument(format!(
                "the metric {name} counts against vectors of {output_width}, and this loss takes class numbers; accuracy \
                 and sparse_top_k_categorical_accuracy would fit, or the loss categorical_crossentropy"
            ))),
            _ => Ok(()),
        }
    }
}

/// Whether the logs' number of this name (`val_loss`, `accuracy`) is the better, the lower it is; `None` for a name
/// that is neither the loss nor a metric's own.
pub fn lower_is_better(name: &str) -> Option<bool> {
    match name.strip_prefix("val_").unwrap_or(name) {
        "loss" => Some(true),
        metric => AnyMetric::by_name(metric, 1, 1).ok().map(|metric| metric.lower_is_better()),
    }
}
