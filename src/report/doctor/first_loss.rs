//! Rules about the loss at the beginning of a training: `first-loss` and `rising-loss`.
//!
//! A model that knows nothing gives each of n classes about 1/n, and the loss ln n.

use crate::datasets::doctor::{Finding, Severity};
use crate::losses::AnyLoss;
use crate::model::Sequential;

/// Ratio of a loss and ln n that is far too large.
const FAR: f64 = 3.0;

/// Losses of the first epoch of a new model.
///
/// ```
/// use tallynet::report::FirstLosses;
/// use tallynet::model::presets::named;
///
/// let model = named("mnist-softmax")?.build(0)?;
/// let usual = FirstLosses { first_batch: 2.41, epoch: 0.6 };
/// assert!(usual.finding(&model).is_none());
/// let high = FirstLosses { first_batch: 97.0, epoch: 12.0 };
/// assert_eq!(high.finding(&model).unwrap().rule, "first-loss");
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FirstLosses {
    /// Mean over the first batch, with the initial weights.
    pub first_batch: f64,
    /// Mean over the first epoch.
    pub epoch: f64,
}

impl FirstLosses {
    /// The finding about a classifier whose loss is far above that of guessing.
    pub fn finding(self, model: &Sequential) -> Option<Finding> {
        let n_classes = n_classes(model)?;
        let guessing = (n_classes as f64).ln();
        // Penalties are part of the loss, and no sign of wrong outputs.
        let limit = FAR * guessing + model.parameters.penalty();
        if self.first_batch > limit {
            let found = format!(
                "the loss began at {:.1}, and guessing among {n_classes} classes gives \
                 ln {n_classes} = {guessing:.2}",
                self.first_batch
            );
            let finding = Finding::new(Severity::Odd, "first-loss", found).at("first batch");
            let reason = "the initial outputs are far too sure: the inputs are probably not scaled";
            let remedy = "scale the inputs to about 1 (images by 1/255, columns by Normalization)";
            return Some(finding.because(reason).remedy(remedy));
        }
        if self.epoch > limit {
            let found = format!(
                "the loss rose from {:.2} to {:.1} in the first epoch, and guessing among \
                 {n_classes} classes gives {guessing:.2}",
                self.first_batch, self.epoch
            );
            let finding = Finding::new(Severity::Odd, "rising-loss", found).at("first epoch");
            let reason = "steps overshoot: the learning rate is probably too large";
            return Some(finding.because(reason).remedy("try a tenth of it: --learning-rate"));
        }
        None
    }
}

/// Number of classes that a model with a cross-entropy chooses among.
pub(crate) fn n_classes(model: &Sequential) -> Option<usize> {
    let n_outputs = model.output_shape().last();
    match model.compiled().ok()?.loss() {
        AnyLoss::CategoricalCrossentropy(_) | AnyLoss::SparseCategoricalCrossentropy(_) => {
            Some(n_outputs).filter(|n| *n > 1)
        }
        AnyLoss::BinaryCrossentropy(_) => Some(2),
        _ => None,
    }
}
