//! Values of one name in the logs, over all trainings.

use crate::model::TrainingRecord;

/// Values of one name over all runs.
pub struct Curve {
    pub name: String,
    /// Number of each epoch, as [`epochs`] counts them.
    pub epochs: Vec<usize>,
    /// One per epoch; `None` where it is not known.
    pub values: Vec<Option<f64>>,
}

/// Epoch numbers of all runs, strictly ascending. If a run starts again from an earlier epoch, all
/// epochs are numbered from 1 instead.
pub fn epochs(record: &TrainingRecord) -> Vec<usize> {
    let mut epochs = vec![];
    for run in &record.runs {
        for i in 1..=run.n_epochs() {
            epochs.push(run.first_epoch.saturating_add(i));
        }
    }
    if !epochs.is_sorted_by(|earlier, later| earlier < later) {
        epochs = (1..=epochs.len()).collect();
    }
    epochs
}

impl Curve {
    /// The runs' values, one after the other.
    pub fn of(record: &TrainingRecord, name: &str) -> Curve {
        let mut values = vec![];
        for run in &record.runs {
            let known = run.get(name).unwrap_or_default();
            values.extend_from_slice(known);
            values.extend(vec![None; run.n_epochs() - known.len()]);
        }
        Curve { name: name.to_string(), epochs: epochs(record), values }
    }

    /// The values that are known.
    pub fn finite(&self) -> impl Iterator<Item = f64> + Clone + '_ {
        self.values.iter().flatten().copied()
    }

    /// True if no value is known.
    pub fn is_empty(&self) -> bool {
        self.finite().next().is_none()
    }

    /// Index of the lowest value, the first of equals.
    pub fn lowest(&self) -> Option<usize> {
        let mut lowest: Option<(usize, f64)> = None;
        for (i, value) in self.values.iter().enumerate() {
            if let Some(value) = value
                && lowest.is_none_or(|(_, low)| *value < low)
            {
                lowest = Some((i, *value));
            }
        }
        lowest.map(|(i, _)| i)
    }
}
