//! Classes of the targets: the label of each sample, and the number of samples of each class.

use std::borrow::Cow;

use super::subject::TargetUse;
use crate::Real;
use crate::datasets::Targets;
use crate::kernels::rows::argmax;

/// Number of different integers up to which they count as classes.
const FEW: usize = 20;
/// Largest label.
const MAX_LABEL: u32 = 1_000_000;

/// Labels of a data set, and the number of each.
#[derive(Debug)]
pub(super) struct Labels<'a> {
    pub values: Cow<'a, [u32]>,
    /// Number of each label, from 0 to the largest.
    pub counts: Vec<usize>,
    /// Number of labels of each sample: 1, unless each pixel has its own.
    pub per_sample: usize,
}

impl<'a> Labels<'a> {
    /// Labels of these targets; `None` if they are numbers.
    pub fn of(targets: &'a Targets, usage: TargetUse) -> Option<Labels<'a>> {
        if usage == TargetUse::Numbers {
            return None;
        }
        let n_samples = targets.shape().first().copied().unwrap_or(0);
        let values = integers(targets)?;
        let largest = *values.iter().max()?;
        if largest > MAX_LABEL || n_samples == 0 {
            return None;
        }
        let mut counts = vec![0; largest as usize + 1];
        for label in values.iter() {
            counts[*label as usize] += 1;
        }
        let per_sample = values.len() / n_samples;
        let labels = Labels { values, counts, per_sample };
        if usage == TargetUse::Unknown && !labels.look_like_classes(targets) {
            return None;
        }
        Some(labels)
    }

    /// True if there are few different integers, each for two samples or more on average. Floats
    /// are classes only if none is missing: others are counts or grades.
    fn look_like_classes(&self, targets: &Targets) -> bool {
        let n = self.n_classes();
        // One-hot vectors have more numbers than labels.
        let are_floats =
            matches!(targets, Targets::Reals(array) if array.len() == self.values.len());
        if are_floats && (n < 2 || n < self.counts.len()) {
            return false;
        }
        let are_dense = self.counts.len() <= 2 * n;
        self.values.len() >= 2 * n && (n <= FEW && self.counts.len() <= 1000 || are_dense)
    }

    /// Number of classes that have samples.
    pub fn n_classes(&self) -> usize {
        self.counts.iter().filter(|count| **count > 0).count()
    }

    /// Labels below the largest that no sample has.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.counts.len()).filter(|label| self.counts[*label] == 0).collect()
    }

    /// Label with the most samples.
    pub fn majority(&self) -> usize {
        let mut majority = 0;
        for (label, count) in self.counts.iter().enumerate() {
            if *count > self.counts[majority] {
                majority = label;
            }
        }
        majority
    }
}

/// Targets as integers: labels, one-hot vectors, or floats without a fraction.
fn integers(targets: &Targets) -> Option<Cow<'_, [u32]>> {
    let values = match targets {
        Targets::Labels(labels) => return labels.as_slice().map(Cow::Borrowed),
        Targets::Reals(values) => values,
    };
    let width: usize = values.shape().get(1..)?.iter().product();
    let values = values.as_slice()?;
    if width == 1 {
        let is_label = |value: &Real| value.fract() == 0.0 && (0.0..1e6).contains(value);
        let are_labels = values.iter().all(is_label);
        return are_labels.then(|| values.iter().map(|value| *value as u32).collect());
    }
    let mut labels = vec![];
    for row in values.chunks_exact(width.max(1)) {
        let is_one_hot = row.iter().all(|value| *value == 0.0 || *value == 1.0)
            && row.iter().filter(|value| **value == 1.0).count() == 1;
        if !is_one_hot {
            return None;
        }
        labels.push(argmax(row) as u32);
    }
    Some(Cow::Owned(labels))
}
