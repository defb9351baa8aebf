//! The catalogue of losses, one file each: what training makes small.
//!
//! A loss sees vectors of the last axis, one a row: a sample's own for a classifier of samples, one a pixel for a
//! classifier of pixels. Its value over a batch is the mean over all of them.

mod categorical_crossentropy;
mod sparse_categorical_crossentropy;

pub use categorical_crossentropy::CategoricalCrossentropy;
pub use sparse_categorical_crossentropy::SparseCategoricalCrossentropy;

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;
use crate::activations::ActivationKind;

/// How targets look to a loss, for each vector that the model puts out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetForm {
    /// A vector as long as the output's, 1 at the class and 0 elsewhere; class numbers are spread out to it.
    OneHot,
    /// The number of the class.
    Label,
}

/// A loss and its gradient, over vectors of the last axis: `y` is the truth, `p` what the model put out.
pub trait Loss: fmt::Debug + Send + Sync {
    /// Keras's name: `categorical_crossentropy`.
    fn name(&self) -> &'static str;

    /// How the targets must look.
    fn target_form(&self) -> TargetForm;

    /// The sum of the vectors' losses.
    fn sum(&self, y: ArrayView2<Real>, p: ArrayView2<Real>) -> f64;

    /// Writes `scale` times the gradient of [`Loss::sum`] at `p`.
    fn gradient(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, dp: ArrayViewMut2<Real>);

    /// Whether the gradient has a closed form in front of this last activation, [`Loss::gradient_through`].
    fn absorbs(&self, _last: ActivationKind) -> bool {
        false
    }

    /// Writes `scale` times the gradient of [`Loss::sum`] at what the last activation, which the loss absorbs, was
    /// given; `p` is still what it put out. Never called where nothing is absorbed.
    fn gradient_through(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, dx: ArrayViewMut2<Real>) {
        self.gradient(y, p, scale, dx);
    }
}

/// The loss with Keras's name.
///
/// # Errors
/// A name that is not in the catalogue, with those that are.
pub fn by_name(name: &str) -> Result<Box<dyn Loss>, String> {
    let all: [Box<dyn Loss>; 2] =
        [Box::new(CategoricalCrossentropy::default()), Box::new(SparseCategoricalCrossentropy::default())];
    let names: Vec<_> = all.iter().map(|loss| loss.name()).collect();
    let known = names.join(", ");
    all.into_iter().find(|loss| loss.name() == name).ok_or(format!("there is no loss {name:?} here; known: {known}"))
}

/// Keras's `epsilon()`: how near to 0 and 1 a probability may come before its logarithm is taken.
const EPSILON: Real = 1e-7;

/// `−ln` of a probability after Keras's clip. A wrong hard 0 costs 16.118, and NaN stays NaN.
fn clipped_log_loss(q: Real) -> Real {
    -q.clamp(EPSILON, 1.0 - EPSILON).ln()
}

/// Whether the clip lets the gradient of this probability through.
fn inside_clip(q: Real) -> bool {
    (EPSILON..=1.0 - EPSILON).contains(&q)
}
