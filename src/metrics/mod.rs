//! Metrics: numbers reported beside the loss, from the same forward passes.

mod accuracy;
mod errors;
mod precision_recall;

pub use accuracy::{
    BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy, SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
};
pub use errors::{MeanAbsoluteError, MeanSquaredError};
pub use precision_recall::{Precision, Recall};

pub use crate::classes::TargetForm;

use std::fmt;
use std::ops::AddAssign;

use crate::classes::{classes, snake_case, unknown};
use crate::{Error, Real, Result};

classes! {
    /// A metric of any class. Those of integer labels begin with `Sparse`.
    AnyMetric: Metric as as_metric {
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

/// Two sums over all vectors of the last axis, and a value from them, by default the quotient.
///
/// ```
/// use tallynet::{Real, metrics::{Metric, Ratio}, model::MetricChoice};
///
/// /// Largest error of a vector, in the mean.
/// #[derive(Debug)]
/// struct LargestError;
/// impl Metric for LargestError {
///     fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
///         let largest = y.iter().zip(p).map(|(y, p)| (p - y).abs()).fold(0.0, Real::max);
///         Ratio { numerator: largest.into(), denominator: 1.0 }
///     }
///     fn lower_is_better(&self) -> bool { true }
/// }
/// assert_eq!(LargestError.result(LargestError.count(&[1.0, 2.0], &[1.5, 4.0])), 2.0);
/// assert_eq!(MetricChoice::from(LargestError).name, "largest_error"); // For `compile_with`.
/// ```
pub trait Metric: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Contribution of one vector, with the target `y` and the output `p`.
    fn count(&self, y: &[Real], p: &[Real]) -> Ratio;

    /// Value of the metric, given the sums over all vectors: their quotient by default.
    fn result(&self, sums: Ratio) -> f64 {
        sums.value()
    }

    /// True if lower values are better, as for an error.
    fn lower_is_better(&self) -> bool {
        false
    }

    /// True for a share from 0 to 1, such as an accuracy; it is shown in percent.
    fn is_share(&self) -> bool {
        false
    }

    /// Form of the targets.
    fn target_form(&self) -> TargetForm {
        TargetForm::Vectors
    }

    /// The same metric on integer labels instead of one-hot targets, if any.
    fn as_sparse(&self) -> Option<AnyMetric> {
        None
    }
}

/// Quotient of two running sums.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Ratio {
    /// Numerator.
    pub numerator: f64,
    /// Denominator: a count.
    pub denominator: f64,
}

impl Ratio {
    /// The quotient, or 0 if nothing was counted.
    pub fn value(self) -> f64 {
        if self.denominator == 0.0 {
            return 0.0;
        }
        self.numerator / self.denominator
    }
}

impl AddAssign for Ratio {
    fn add_assign(&mut self, other: Ratio) {
        self.numerator += other.numerator;
        self.denominator += other.denominator;
    }
}

impl AnyMetric {
    /// Keras's name: `categorical_accuracy`.
    pub fn name(&self) -> String {
        snake_case(self.class_name())
    }

    /// The metric of this name with Keras's defaults, given the lengths of the last axis of targets
    /// and outputs. The error for an unknown name lists all.
    ///
    /// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes only: binary for an output of one
    /// value, sparse for targets of one integer label, else categorical.
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
        if let Some(metric) = AnyMetric::all().into_iter().find(|metric| metric.name() == full) {
            return Ok(metric);
        }
        let mut known: Vec<String> = AnyMetric::all().iter().map(AnyMetric::name).collect();
        known.insert(0, "accuracy".to_string());
        known.extend(["mae", "mse"].map(str::to_string));
        Err(unknown("metrics", "metric", name, &known))
    }

    /// Rejects targets of the wrong form: integer labels for a metric of vectors, or vectors for
    /// one of integer labels. The error names a metric that fits.
    pub fn check(&self, name: &str, target_width: usize, output_width: usize) -> Result<()> {
        let problem = match self.as_metric().target_form() {
            TargetForm::Labels if target_width != 1 => {
                let sparse = Some(self.class_name());
                let fitting = AnyMetric::all().into_iter().find(|metric| {
                    metric.as_metric().as_sparse().map(|metric| metric.class_name()) == sparse
                });
                let fitting =
                    fitting.map_or("accuracy".to_string(), |metric: AnyMetric| metric.name());
                format!(
                    "the metric {name} counts against integer labels, and this loss takes vectors; \
                     {fitting} would fit"
                )
            }
            TargetForm::Vectors if target_width != output_width => format!(
                "the metric {name} counts against vectors of {output_width}, and this loss takes \
                 integer labels; accuracy and sparse_top_k_categorical_accuracy would fit, or the \
                 loss categorical_crossentropy"
            ),
            _ => return Ok(()),
        };
        Err(Error::option("metrics", problem))
    }
}
