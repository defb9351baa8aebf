//! The catalogue of metrics: what is counted beside the loss, from the same forward passes.

mod accuracy;
mod mean_error;
mod top_k;
mod true_positives;

use std::fmt;

use crate::classes::snake_case;
use crate::{Error, Real, Result};

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

type Make = fn() -> Box<dyn Metric>;

/// Every metric under Keras's name. Those of class numbers begin with `sparse_`.
const CATALOGUE: [(&str, Make); 9] = [
    ("binary_accuracy", || Box::new(accuracy::Binary)),
    ("categorical_accuracy", || Box::new(accuracy::Categorical)),
    ("sparse_categorical_accuracy", || Box::new(accuracy::Sparse)),
    ("top_k_categorical_accuracy", || Box::new(top_k::TopK { k: 5 })),
    ("sparse_top_k_categorical_accuracy", || Box::new(top_k::TopK { k: 5 })),
    ("mean_absolute_error", || Box::new(mean_error::MeanError(Real::abs))),
    ("mean_squared_error", || Box::new(mean_error::MeanError(|error| error * error))),
    ("precision", || Box::new(true_positives::TruePositives { among: |_, predicted| predicted })),
    ("recall", || Box::new(true_positives::TruePositives { among: |is, _| is })),
];

/// Makes the metric that a name stands for, given how long a target's and an output's last axis is. An unknown name is
/// an error that lists all; so is a metric that needs targets of the other form.
///
/// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes alone: binary for an output of one value, sparse for
/// targets of one class number, else categorical. Top-k takes Keras's k of 5, precision and recall its threshold of ½.
pub fn by_name(name: &str, target_width: usize, output_width: usize) -> Result<Box<dyn Metric>> {
    let lower = snake_case(name);
    let full = match (lower.as_str(), target_width, output_width) {
        ("accuracy" | "acc", _, 1) => "binary_accuracy",
        ("accuracy" | "acc", 1, _) => "sparse_categorical_accuracy",
        ("accuracy" | "acc", ..) => "categorical_accuracy",
        ("mae", ..) => "mean_absolute_error",
        ("mse", ..) => "mean_squared_error",
        (other, ..) => other,
    };
    let Some((_, make)) = CATALOGUE.iter().find(|(known, _)| *known == full) else {
        let names = CATALOGUE.map(|(known, _)| known).join(", ");
        return Err(Error::Argument(format!("there is no metric {name:?} here; known: accuracy, {names}, mae, mse")));
    };
    match full.strip_prefix("sparse_") {
        Some(dense) if target_width != 1 => Err(Error::Argument(format!(
            "the metric {name} counts against class numbers, and this loss takes vectors; {dense} would fit"
        ))),
        None if target_width != output_width => Err(Error::Argument(format!(
            "the metric {name} counts against vectors of {output_width}, and this loss takes class numbers; accuracy and \
             sparse_top_k_categorical_accuracy would fit, or the loss categorical_crossentropy"
        ))),
        _ => Ok(make()),
    }
}

/// Whether the logs' number of this name (`val_loss`, `accuracy`) is the better, the lower it is; `None` for a name
/// that is neither the loss nor a metric.
pub fn lower_is_better(name: &str) -> Option<bool> {
    match name.strip_prefix("val_").unwrap_or(name) {
        "loss" => Some(true),
        metric => by_name(metric, 1, 1).ok().map(|metric| metric.lower_is_better()),
    }
}
