//! The catalogue of losses: what training makes small.
//!
//! A loss sees one vector of the last axis at a time: a sample's own for a classifier of samples, a
//! pixel's for a classifier of pixels. Its value over a batch is the mean over all of them.

mod categorical_crossentropy;
mod means;

pub use categorical_crossentropy::{CategoricalCrossentropy, SparseCategoricalCrossentropy};
pub use means::{BinaryCrossentropy, Huber, MeanAbsoluteError, MeanSquaredError};

use std::fmt;
use std::ops::RangeInclusive;

use crate::activations::ActivationKind;
use crate::classes::{classes, snake_case};
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

/// A loss and its gradient, at one vector: `y` is the truth, `p` what the model put out.
pub trait Loss: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors: the type's own.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Whether `y` is the number of the class; else it is a vector as long as the output's.
    fn is_sparse(&self) -> bool {
        false
    }

    /// What is wrong with its options, if anything.
    fn problem(&self) -> Option<String> {
        None
    }

    /// The loss that comes to the same against class numbers as this one does against the one-hot
    /// vectors that they stand for, if there is one: it is the faster.
    fn of_class_numbers(&self) -> Option<AnyLoss> {
        None
    }

    /// The loss.
    fn value(&self, y: &[Real], p: &[Real]) -> Real;

    /// Writes its gradient at `p`.
    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]);

    /// Whether the gradient has a closed form in front of this last activation,
    /// [`Loss::gradient_through`].
    fn absorbs(&self, _last: ActivationKind) -> bool {
        false
    }

    /// Writes its gradient at what the last activation, which the loss absorbs, was given; `p` is
    /// still what it put out. Never called where nothing is absorbed.
    fn gradient_through(&self, y: &[Real], p: &[Real], dx: &mut [Real]) {
        self.gradient(y, p, dx);
    }
}

impl AnyLoss {
    /// Keras's name of the function: `categorical_crossentropy`.
    pub fn name(&self) -> String {
        snake_case(self.class_name())
    }

    /// The loss of this name, or of its short form (`mse`, `mae`), with Keras's defaults; an error
    /// lists all names.
    pub fn by_name(name: &str) -> Result<AnyLoss> {
        let full = match name {
            "mse" | "MSE" => "mean_squared_error",
            "mae" | "MAE" => "mean_absolute_error",
            "bce" | "BCE" => "binary_crossentropy",
            name => name,
        };
        AnyLoss::all()
            .into_iter()
            .find(|loss| loss.name() == full || loss.class_name() == full)
            .ok_or_else(|| {
                let names: Vec<_> = AnyLoss::all().iter().map(AnyLoss::name).collect();
                Error::option(
                    "loss",
                    format!(
                        "there is no loss {name:?} here; known: {}, mse, mae, bce",
                        names.join(", ")
                    ),
                )
            })
    }
}

/// Keras's `epsilon()`: how near to 0 and 1 a probability may come before its logarithm is taken.
const EPSILON: Real = 1e-7;

/// The probability after Keras's clip. A wrong hard 0 then costs 16.118, and NaN stays NaN.
fn clip(q: Real) -> Real {
    q.clamp(EPSILON, 1.0 - EPSILON)
}

/// What is wrong with an option that is outside of this range.
fn outside(name: &str, value: f64, range: RangeInclusive<f64>) -> Option<String> {
    (!range.contains(&value)).then(|| format!("{name} is {value}, which is outside {range:?}"))
}

/// A sum in double precision, for vectors of any length.
fn sum(numbers: impl Iterator<Item = Real>) -> Real {
    numbers.map(f64::from).sum::<f64>() as Real
}

/// Whether the clip lets the gradient of this probability through.
fn is_inside_clip(q: Real) -> bool {
    (EPSILON..=1.0 - EPSILON).contains(&q)
}

impl TryFrom<&str> for AnyLoss {
    type Error = Error;

    fn try_from(name: &str) -> Result<AnyLoss> {
        AnyLoss::by_name(name)
    }
}
