//! Categorical cross-entropy against one-hot rows: `−Σⱼ yⱼ·ln pⱼ`.
//!
//! As Keras computes it, from probabilities: divided by their sum, clipped to `[1e-7, 1 − 1e-7]`, then the logarithm.
//! The gradient through a last softmax is `p·Σy − y` at the logits: exact for any logit, where the clip would let
//! none through (Keras on TensorFlow takes the same one).

use ndarray::{ArrayView2, ArrayViewMut2, Zip};

use super::{Loss, TargetForm, clipped_log_loss, inside_clip};
use crate::Real;
use crate::activations::ActivationKind;

/// The loss `categorical_crossentropy`.
#[derive(Debug, Clone, Default)]
pub struct CategoricalCrossentropy {}

impl Loss for CategoricalCrossentropy {
    fn name(&self) -> &'static str {
        "categorical_crossentropy"
    }

    fn target_form(&self) -> TargetForm {
        TargetForm::OneHot
    }

    fn sum(&self, y: ArrayView2<Real>, p: ArrayView2<Real>) -> f64 {
        let mut total = 0.0;
        for (y, p) in y.rows().into_iter().zip(p.rows()) {
            let sum = p.sum();
            for (&y, &p) in y.iter().zip(p) {
                // A class that is not the truth adds nothing, unless the row is no longer a number.
                if y != 0.0 || sum.is_nan() || sum == 0.0 {
                    total += f64::from(y * clipped_log_loss(p / sum));
                }
            }
        }
        total
    }

    fn gradient(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, mut dp: ArrayViewMut2<Real>) {
        Zip::from(y.rows()).and(p.rows()).and(dp.rows_mut()).for_each(|y, p, mut dp| {
            let sum = p.sum();
            let unclipped = |p: Real| inside_clip(p / sum);
            let shared: Real = y.iter().zip(p).filter(|&(_, &p)| unclipped(p)).map(|(y, _)| y / sum).sum();
            Zip::from(&mut dp).and(y).and(p).for_each(|dp, &y, &p| {
                *dp = scale * (shared - if unclipped(p) { y / p } else { 0.0 });
            });
        });
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == ActivationKind::Softmax
    }

    fn gradient_through(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, mut dx: ArrayViewMut2<Real>) {
        Zip::from(y.rows()).and(p.rows()).and(dx.rows_mut()).for_each(|y, p, mut dx| {
            let sum = y.sum();
            Zip::from(&mut dx).and(y).and(p).for_each(|dx, &y, &p| *dx = scale * (p * sum - y));
        });
    }
}
