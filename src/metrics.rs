//! The catalogue of metrics: what is counted beside the loss, from the same forward passes.

use std::fmt;

use crate::classes::{class, classes, snake_case};
use crate::kernels::rows::argmax;
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

/// A running measure: the quotient of two sums over all vectors of the last axis, or 0 where there
/// is none to divide by.
pub trait Metric: fmt::Debug + Send + Sync {
    /// What one vector adds to the dividend and to the divisor: `y` is the truth, `p` what the
    /// model put out.
    fn count(&self, y: &[Real], p: &[Real]) -> [f64; 2];
}

/// Makes metrics, each of its options and of what it counts.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident { $($options:tt)* }: |$self:ident, $y:ident, $p:ident| $count:expr;)*) => {$(
        class! {
            $(#[$doc])*
            $name { $($options)* }
        }

        impl Metric for $name {
            fn count(&$self, $y: &[Real], $p: &[Real]) -> [f64; 2] {
                $count
            }
        }
    )*};
}

metrics! {
    /// The metric `binary_accuracy`: each value, over the threshold or not, is the target.
    BinaryAccuracy {
        /// What a value must be over to count as 1.
        threshold: f64 = 0.5,
    }: |self, y, p| {
        let right = |&(y, p): &(&Real, &Real)| Real::from(u8::from(*p > self.threshold as Real)) == *y;
        [y.iter().zip(p).filter(right).count() as f64, p.len() as f64]
    };

    /// The metric `categorical_accuracy`: the largest output is at the largest target; of equals
    /// the first counts.
    CategoricalAccuracy {}: |self, y, p| one(argmax(y) == argmax(p));

    /// The metric `sparse_categorical_accuracy`: the largest output is at the class that the target
    /// names.
    SparseCategoricalAccuracy {}: |self, y, p| one(y[0] as usize == argmax(p));

    /// The metric `top_k_categorical_accuracy`: the output at the largest target is among the k
    /// largest.
    TopKCategoricalAccuracy {
        /// How many of the largest outputs count.
        k: usize = 5,
    }: |self, y, p| one(is_among_largest(p, argmax(y), self.k));

    /// The metric `sparse_top_k_categorical_accuracy`: the output at the class that the target
    /// names is among the k largest.
    SparseTopKCategoricalAccuracy {
        /// How many of the largest outputs count.
        k: usize = 5,
    }: |self, y, p| one(is_among_largest(p, y[0] as usize, self.k));

    /// The metric `precision`: true positives among all values predicted to be positive.
    Precision {
        /// What a value must be over to count as positive; ½ where there is none. Keras takes lists
        /// as well.
        thresholds: Option<f64> = None,
    }: |self, y, p| true_positives(y, p, self.thresholds, |_, predicted| predicted);

    /// The metric `recall`: true positives among all values that are positive, which is not 0.
    Recall {
        /// What a value must be over to count as positive; ½ where there is none. Keras takes lists
        /// as well.
        thresholds: Option<f64> = None,
    }: |self, y, p| true_positives(y, p, self.thresholds, |is, _| is);

    /// The metric `mean_absolute_error`, the mean of `|y − p|` over all values.
    MeanAbsoluteError {}: |self, y, p| sum(y, p, Real::abs);

    /// The metric `mean_squared_error`, the mean of `(y − p)²` over all values.
    MeanSquaredError {}: |self, y, p| sum(y, p, |error| error * error);
}

/// One vector, which is right or wrong.
fn one(is_right: bool) -> [f64; 2] {
    [f64::from(is_right), 1.0]
}

/// Fewer than k others are larger.
fn is_among_largest(p: &[Real], class: usize, k: usize) -> bool {
    p.get(class).is_some_and(|value| {
        value.is_finite() && p.iter().filter(|other| *other > value).count() < k
    })
}

fn true_positives(
    y: &[Real],
    p: &[Real],
    threshold: Option<f64>,
    among: fn(bool, bool) -> bool,
) -> [f64; 2] {
    let threshold = threshold.unwrap_or(0.5) as Real;
    let pairs = y
        .iter()
        .zip(p)
        .map(|(y, p)| (*y != 0.0, *p > threshold))
        .filter(|&(is, predicted)| among(is, predicted));
    [pairs.clone().filter(|&both| both == (true, true)).count() as f64, pairs.count() as f64]
}

fn sum(y: &[Real], p: &[Real], of: fn(Real) -> Real) -> [f64; 2] {
    [y.iter().zip(p).map(|(y, p)| f64::from(of(y - p))).sum(), p.len() as f64]
}

impl AnyMetric {
    /// Keras's name: `categorical_accuracy`.
    pub fn name(&self) -> String {
        snake_case(self.class_name())
    }

    /// The metric that a name stands for, with Keras's defaults, given how long a target's and an
    /// output's last axis is. An unknown name is an error that lists all.
    ///
    /// `accuracy` (or `acc`) is chosen as Keras 3 does, by shapes alone: binary for an output of
    /// one value, sparse for targets of one class number, else categorical.
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
            Error::option(
                "metrics",
                format!("there is no metric {name:?} here; known: accuracy, {names}, mae, mse"),
            )
        })
    }

    /// The metric that counts the same against class numbers as this one does against the one-hot
    /// vectors that they stand for, if there is one.
    pub fn of_class_numbers(&self) -> Option<AnyMetric> {
        match *self {
            AnyMetric::CategoricalAccuracy(_) => Some(SparseCategoricalAccuracy {}.into()),
            AnyMetric::TopKCategoricalAccuracy(TopKCategoricalAccuracy { k }) => {
                Some(SparseTopKCategoricalAccuracy { k }.into())
            }
            _ => None,
        }
    }

    /// Refuses targets of the other form: class numbers for a metric of vectors, or vectors for one
    /// of class numbers.
    pub fn check(&self, name: &str, target_width: usize, output_width: usize) -> Result<()> {
        match self.name().strip_prefix("sparse_") {
            Some(dense) if target_width != 1 => Err(Error::option(
                "metrics",
                format!(
                    "the metric {name} counts against class numbers, and this loss takes vectors; {dense} would fit"
                ),
            )),
            None if target_width != output_width => Err(Error::option(
                "metrics",
                format!(
                    "the metric {name} counts against vectors of {output_width}, and this loss takes class numbers; accuracy \
                 and sparse_top_k_categorical_accuracy would fit, or the loss categorical_crossentropy"
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Whether the logs' number of this name (`val_loss`, `accuracy`) is the better, the lower it is;
/// `None` for a name that is neither the loss nor a metric's own.
pub fn lower_is_better(name: &str) -> Option<bool> {
    match name.strip_prefix("val_").unwrap_or(name) {
        "loss" => Some(true),
        metric => {
            AnyMetric::by_name(metric, 1, 1).ok().map(|metric| metric.name().starts_with("mean_"))
        }
    }
}
