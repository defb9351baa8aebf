//! Losses, which training minimizes.
//!
//! A loss sees one vector of the last axis at a time: one per sample for a classifier of samples,
//! one per pixel for a classifier of pixels. The loss of a batch is the mean over all vectors.

mod categorical_crossentropy;
mod means;

pub use categorical_crossentropy::{CategoricalCrossentropy, SparseCategoricalCrossentropy};
pub use means::{BinaryCrossentropy, Huber, MeanAbsoluteError, MeanSquaredError};

pub use crate::classes::TargetForm;

use std::fmt;

use crate::activations::ActivationKind;
use crate::classes::{classes, snake_case, unknown};
use crate::{Error, Real, Result};

classes! {
    /// A loss of any class.
    AnyLoss: Loss as as_loss {
        "BinaryCrossentropy" => BinaryCrossentropy,
        "CategoricalCrossentropy" => CategoricalCrossentropy,
        "Huber" => Huber,
        "MeanAbsoluteError" => MeanAbsoluteError,
        "MeanSquaredError" => MeanSquaredError,
        "SparseCategoricalCrossentropy" => SparseCategoricalCrossentropy,
    }
}

/// Kind of the targets of a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// One class of several: a label, or the probability of each class.
    Class,
    /// A binary label for each output: 0 or 1, or the probability of 1.
    Binary,
    /// Numbers, from which the loss measures a distance.
    Numbers,
}

impl TargetKind {
    /// Activation that turns logits into outputs of this kind; none for numbers.
    pub fn activation(self) -> Option<ActivationKind> {
        match self {
            TargetKind::Class => Some(ActivationKind::Softmax),
            TargetKind::Binary => Some(ActivationKind::Sigmoid),
            TargetKind::Numbers => None,
        }
    }
}

/// A loss of one vector and its gradient, with the target `y` and the output `p`.
///
/// ```
/// use tallynet::{Real, layers::Dense, losses::Loss, model::Sequential};
///
/// /// `Σ (p − y)⁴`.
/// #[derive(Debug)]
/// struct Quartic;
/// impl Loss for Quartic {
///     fn value(&self, y: &[Real], p: &[Real]) -> Real {
///         y.iter().zip(p).map(|(y, p)| (p - y).powi(4)).sum()
///     }
///     fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
///         dp.iter_mut().zip(y.iter().zip(p)).for_each(|(dp, (y, p))| *dp = 4.0 * (p - y).powi(3));
///     }
/// }
/// let mut model = Sequential::builder([2]).add(Dense::new(1)).build(0)?;
/// model.compile("adam", Quartic, &[])?;
/// # Ok::<(), tallynet::Error>(())
/// ```
pub trait Loss: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Form of the targets.
    fn target_form(&self) -> TargetForm {
        TargetForm::Vectors
    }

    /// Kind of the targets. Default metrics, warnings and the presentation of predictions depend on
    /// it; without one, nothing is assumed. `Class` and `Binary` mean that the outputs are
    /// probabilities, unless the loss [takes logits](Loss::takes_logits).
    fn target_kind(&self) -> Option<TargetKind> {
        None
    }

    /// True if the loss applies the [activation](TargetKind::activation) of its kind to the
    /// outputs.
    fn takes_logits(&self) -> bool {
        false
    }

    /// Checks the options; the error names the one that is out of range.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    /// Equivalent loss on integer labels instead of one-hot targets, if any; it is faster.
    fn as_sparse(&self) -> Option<AnyLoss> {
        None
    }

    /// Loss of one vector.
    fn value(&self, y: &[Real], p: &[Real]) -> Real;

    /// Writes the gradient with respect to `p`.
    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]);

    /// True if the loss can be fused with this last activation, by [`Loss::gradient_wrt_logits`].
    fn fuses_with(&self, _last: ActivationKind) -> bool {
        false
    }

    /// Writes the gradient with respect to the input of the last activation, whose output is `p`.
    /// Called only if the loss fuses with that activation.
    fn gradient_wrt_logits(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        self.gradient(y, p, dx);
    }
}

impl AnyLoss {
    /// Keras's name of the function: `categorical_crossentropy`.
    pub fn name(&self) -> String {
        snake_case(self.class_name())
    }

    /// True for a loss of one class of several, or of binary labels.
    pub fn is_of_classes(&self) -> bool {
        matches!(self.as_loss().target_kind(), Some(TargetKind::Class | TargetKind::Binary))
    }

    /// True for a loss of numbers.
    pub fn is_of_numbers(&self) -> bool {
        self.as_loss().target_kind() == Some(TargetKind::Numbers)
    }

    /// The loss of this name, or of its short form (`mse`, `mae`, `bce`), with Keras's defaults.
    /// The error for an unknown name lists all.
    pub fn by_name(name: &str) -> Result<AnyLoss> {
        let full = match name {
            "mse" | "MSE" => "mean_squared_error",
            "mae" | "MAE" => "mean_absolute_error",
            "bce" | "BCE" => "binary_crossentropy",
            name => name,
        };
        let is_named = |loss: &AnyLoss| loss.name() == full || loss.class_name() == full;
        if let Some(loss) = AnyLoss::all().into_iter().find(is_named) {
            return Ok(loss);
        }
        let mut known: Vec<String> = AnyLoss::all().iter().map(AnyLoss::name).collect();
        known.extend(["mse", "mae", "bce"].map(str::to_string));
        Err(unknown("loss", "loss", name, &known))
    }
}

/// As [`AnyLoss::by_name`].
impl TryFrom<&str> for AnyLoss {
    type Error = Error;

    fn try_from(name: &str) -> Result<AnyLoss> {
        AnyLoss::by_name(name)
    }
}

/// Keras's `epsilon()`: minimum distance of a clipped probability from 0 and 1.
const EPSILON: Real = 1e-7;

/// Clips a probability as Keras does. A 0 for the true class then costs 16.118; NaN stays NaN.
fn clip(q: Real) -> Real {
    q.clamp(EPSILON, 1.0 - EPSILON)
}

/// True if clipping does not change this probability, so that its gradient passes.
fn is_inside_clip(q: Real) -> bool {
    (EPSILON..=1.0 - EPSILON).contains(&q)
}

/// Rejects an option outside of [0, 1].
fn unit_interval(name: &str, value: f64) -> Result<()> {
    let range = 0.0..=1.0;
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::option(name, format!("{name} is {value}, which is outside {range:?}")))
}

/// A sum in double precision, for vectors of any length.
fn sum(numbers: impl Iterator<Item = Real>) -> Real {
    numbers.map(f64::from).sum::<f64>() as Real
}
