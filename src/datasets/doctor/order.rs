//! Rule `ordered-samples`: samples that are sorted by their targets. Keras's `validation_split`
//! takes the last samples, which are then of other classes than those trained on.

use super::labels::Labels;
use super::{Effort, Finding, Severity, Subject};
use crate::Real;
use crate::datasets::Targets;

/// Number of samples from which on their order is judged.
const ENOUGH: usize = 20;
/// Fraction of the changes of class in a random order below which the order is no random one.
const FEW_CHANGES: f64 = 0.05;
/// Fraction of these changes up to which samples in one block per class are in no random order.
const FEW_BLOCKS: f64 = 0.25;

const REASON: &str = "a validation split takes the last samples (validation_split, \
                      --validation-split), which are not like the others here; and a batch \
                      then holds one class only, and training forgets the others";
const REASON_OF_NUMBERS: &str = "a validation split takes the last samples (validation_split, \
                                 --validation-split), which are not like the others here";
const REMEDY: &str = "tallynet train --validation-split F --shuffle-split; in Python: \
                      order = np.random.permutation(len(x)); x, y = x[order], y[order]";

/// Name of this rule for the user.
pub(super) fn name(n_samples: usize) -> &'static str {
    if n_samples < ENOUGH {
        return "order of the samples (too few to judge)";
    }
    "order of the samples"
}

/// Examines the order of labels. A quick examination asks only if the order matters.
pub(super) fn of_labels(labels: &Labels, subject: &Subject) -> Option<Finding> {
    let n = labels.values.len();
    if labels.per_sample != 1 || n < ENOUGH || labels.n_classes() < 2 || !is_asked(subject) {
        return None;
    }
    let n_changes = labels.values.windows(2).filter(|pair| pair[0] != pair[1]).count();
    let mut same = 0.0;
    for count in &labels.counts {
        same += (*count as f64 / n as f64).powi(2);
    }
    let n_random = (n - 1) as f64 * (1.0 - same);
    let is_in_blocks = n_changes < labels.n_classes() && n_changes as f64 <= FEW_BLOCKS * n_random;
    if n_changes as f64 > FEW_CHANGES * n_random && !is_in_blocks {
        return None;
    }
    let last = labels.values[n - 1];
    let changes = if n_changes == 1 { "once".to_string() } else { format!("{n_changes} times") };
    Some(finding(subject).because(REASON).remedy(REMEDY).at(format!(
        "training set; the class changes {changes} in {n} samples, in a random order about \
         {n_random:.0} times; the last are of class {}",
        subject.class(last as usize)
    )))
}

/// Examines the order of numbers.
pub(super) fn of_numbers(targets: &Targets, subject: &Subject) -> Option<Finding> {
    let Targets::Reals(array) = targets else { return None };
    let values: &[Real] = array.as_slice()?;
    let is_sorted = values.is_sorted() || values.is_sorted_by(|a, b| a >= b);
    let is_constant = values.first() == values.last();
    if values.len() != array.shape()[0] || values.len() < ENOUGH || !is_sorted || is_constant {
        return None;
    }
    if !is_asked(subject) {
        return None;
    }
    let place = format!(
        "training set; targets run from {} to {}, each beyond the one before",
        values[0],
        values[values.len() - 1]
    );
    Some(finding(subject).at(place).because(REASON_OF_NUMBERS).remedy(REMEDY))
}

fn is_asked(subject: &Subject) -> bool {
    subject.splits_off_last || subject.effort == Effort::Thorough
}

fn finding(subject: &Subject) -> Finding {
    let severity = if subject.splits_off_last { Severity::Problem } else { Severity::Odd };
    Finding::new(severity, "ordered-samples", "samples are sorted by their targets".to_string())
}
