//! Rule `target-in-inputs`: a feature that tells the target, because it is the target itself, or
//! was made from it.

use super::columns::{Columns, InputRows};
use super::labels::Labels;
use super::{Finding, Severity, Subject};
use crate::Real;
use crate::datasets::Targets;

/// Number of samples from which on an agreement is no chance.
const ENOUGH: usize = 20;
/// Number of values of a table of features by classes, above which it is not made.
const MAX_CELLS: usize = 20_000_000;
/// Number of targets that are compared with each feature.
const MAX_TARGETS: usize = 8;
/// Correlation of a feature that is the target in another unit.
const SAME: f64 = 0.999_99;

const REASON: &str = "the model reads the answer off it, scores perfectly here, and fails on new \
                      data";

/// Features whose value depends on the class alone.
pub(super) fn of_classes(
    labels: &Labels,
    columns: &Columns,
    rows: InputRows,
    subject: &Subject,
) -> Option<Finding> {
    let (n_labels, width) = (labels.counts.len(), rows.width);
    let is_small = n_labels.checked_mul(width).is_some_and(|cells| cells <= MAX_CELLS);
    let n_needed = ENOUGH.max(4 * labels.n_classes());
    if labels.per_sample != 1 || columns.n_rows < n_needed || !is_small || labels.n_classes() < 2 {
        return None;
    }
    let ByClass { features, values } = ByClass::of(labels, columns, rows);
    let first = *features.first()?;
    let mut known: Vec<Real> = (0..n_labels).map(|label| values[label * width + first]).collect();
    known.retain(|value| !value.is_nan());
    known.sort_unstable_by(Real::total_cmp);
    known.dedup();
    let (severity, what) = if known.len() == labels.n_classes() {
        (Severity::Problem, "the class")
    } else {
        (Severity::Odd, "some classes")
    };
    let found =
        format!("{} tells {what} of every training sample, without error", subject.feature(first));
    Some(finding(severity, found, &features, subject))
}

/// Features that are constant within each class.
struct ByClass {
    features: Vec<usize>,
    /// Value of each feature in the first sample of each class; NaN for a class without samples.
    values: Vec<Real>,
}

impl ByClass {
    fn of(labels: &Labels, columns: &Columns, rows: InputRows) -> ByClass {
        let width = rows.width;
        let mut features: Vec<usize> =
            (0..width).filter(|feature| !columns.is_constant(*feature)).collect();
        let mut values = vec![Real::NAN; width * labels.counts.len()];
        let mut row = vec![0.0; width];
        for index in rows.indices() {
            if features.is_empty() {
                break;
            }
            rows.read(index, &mut row);
            let of_class = &mut values[labels.values[index] as usize * width..][..width];
            features.retain(|feature| {
                if of_class[*feature].is_nan() {
                    of_class[*feature] = row[*feature];
                }
                of_class[*feature] == row[*feature]
            });
        }
        ByClass { features, values }
    }
}

/// Features that are the target, but for a factor and an offset.
pub(super) fn of_numbers(
    targets: &Targets,
    columns: &Columns,
    rows: InputRows,
    subject: &Subject,
) -> Option<Finding> {
    let Targets::Reals(array) = targets else { return None };
    let values = array.as_slice()?;
    let n_targets = values.len() / rows.len.max(1);
    // Targets that are the inputs, as those of an autoencoder, are meant.
    if columns.n_rows < ENOUGH || n_targets == 0 || n_targets >= rows.width {
        return None;
    }
    for target in 0..n_targets.min(MAX_TARGETS) {
        let column = TargetColumn { values, n_targets, target };
        let same = column.correlated(columns, rows);
        if let Some(first) = same.first() {
            let found = format!(
                "{} is the target, but for a factor and an offset",
                subject.feature(*first)
            );
            return Some(finding(Severity::Problem, found, &same, subject));
        }
        // One target of many is enough to know a table by.
        if n_targets * rows.width > 1000 {
            break;
        }
    }
    None
}

/// One of the targets of each sample.
struct TargetColumn<'a> {
    values: &'a [Real],
    n_targets: usize,
    target: usize,
}

impl TargetColumn<'_> {
    /// Features whose correlation with the target is 1 or −1.
    fn correlated(&self, columns: &Columns, rows: InputRows) -> Vec<usize> {
        let moments = self.moments(rows.step);
        let mut row = vec![0.0; rows.width];
        let mut products = vec![0.0; rows.width];
        for index in rows.indices() {
            rows.read(index, &mut row);
            let y = f64::from(self.values[index * self.n_targets + self.target]) - moments.mean;
            for (feature, product) in products.iter_mut().enumerate() {
                *product += (f64::from(row[feature]) - columns.mean[feature]) * y;
            }
        }
        let is_same = |feature: &usize| {
            let scale = columns.deviation[*feature] * moments.deviation * columns.n_rows as f64;
            (products[*feature] / scale).abs() > SAME
        };
        (0..rows.width).filter(is_same).collect()
    }

    /// Moments over one of `step` samples.
    fn moments(&self, step: usize) -> Moments {
        let column = || self.values.iter().skip(self.target).step_by(self.n_targets * step);
        let n = column().count().max(1) as f64;
        let mean = column().map(|value| f64::from(*value)).sum::<f64>() / n;
        let squares: f64 = column().map(|value| (f64::from(*value) - mean).powi(2)).sum();
        Moments { mean, deviation: (squares / n).sqrt() }
    }
}

/// Mean and deviation of a target.
struct Moments {
    mean: f64,
    deviation: f64,
}

fn finding(severity: Severity, found: String, features: &[usize], subject: &Subject) -> Finding {
    Finding::new(severity, "target-in-inputs", found)
        .at(format!("training set, {}", subject.features(features)))
        .because(REASON)
        .remedy(
            "leave it out (--ignore NAMES for a column of a table); keep it only if it is known at \
             prediction time",
        )
}
