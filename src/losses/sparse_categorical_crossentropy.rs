//! Categorical cross-entropy against class numbers: `−ln p_c` for the class `c`.
//!
//! The same numbers as [`CategoricalCrossentropy`](super::CategoricalCrossentropy) gives for one-hot rows.

use ndarray::{ArrayView2, ArrayViewMut2, Zip};

use super::{Loss, TargetForm, clipped_log_loss, inside_clip};
use crate::Real;
use crate::activations::ActivationKind;

/// The loss `sparse_categorical_crossentropy`.
#[derive(Debug, Clone, Default)]
pub struct SparseCategoricalCrossentropy {}

impl Loss for SparseCategoricalCrossentropy {
    fn name(&self) -> &'static str {
        "sparse_categorical_crossentropy"
    }

    fn target_form(&self) -> TargetForm {
        TargetForm::Label
    }

    fn sum(&self, y: ArrayView2<Real>, p: ArrayView2<Real>) -> f64 {
        y.iter().zip(p.rows()).map(|(&y, p)| f64::from(clipped_log_loss(p[y as usize] / p.sum()))).sum()
    }

    fn gradient(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, mut dp: ArrayViewMut2<Real>) {
        Zip::from(y.column(0)).and(p.rows()).and(dp.rows_mut()).for_each(|&y, p, mut dp| {
            let (class, sum) = (y as usize, p.sum());
            if inside_clip(p[class] / sum) {
                dp.fill(scale / sum);
                dp[class] -= scale / p[class];
            } else {
                dp.fill(0.0);
            }
        });
    }

    fn absorbs(&self, last: ActivationKind) -> bool {
        last == ActivationKind::Softmax
    }

    fn gradient_through(&self, y: ArrayView2<Real>, p: ArrayView2<Real>, scale: Real, mut dx: ArrayViewMut2<Real>) {
        Zip::from(y.column(0)).and(p.rows()).and(dx.rows_mut()).for_each(|&y, p, mut dx| {
            Zip::from(&mut dx).and(p).for_each(|dx, &p| *dx = scale * p);
            dx[y as usize] -= scale;
        });
    }
}
