//! Accuracies: the fraction of correct outputs.

use super::{AnyMetric, Metric, Ratio, TargetForm};
use crate::Real;
use crate::classes::class;
use crate::kernels::rows::argmax;

class! {
    /// The metric `binary_accuracy`: the fraction of values that, rounded at the threshold, equal
    /// the target.
    ///
    /// ```
    /// use tallynet::metrics::{BinaryAccuracy, Metric};
    /// let accuracy = BinaryAccuracy { threshold: 0.6 };
    /// assert_eq!(accuracy.count(&[1.0, 0.0], &[0.5, 0.5]).value(), 0.5);
    /// ```
    BinaryAccuracy {
        /// Values above it count as 1.
        threshold: f64 = 0.5,
    }
}

impl Metric for BinaryAccuracy {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        let mut right = 0;
        for (y, p) in y.iter().zip(p) {
            let class = if *p > self.threshold as Real { 1.0 } else { 0.0 };
            right += usize::from(class == *y);
        }
        Ratio { numerator: right as f64, denominator: p.len() as f64 }
    }
}

class! {
    /// The metric `categorical_accuracy`: the fraction of vectors whose output has the argmax of
    /// the target. Of equal values, the first is the argmax.
    ///
    /// ```
    /// use tallynet::metrics::{CategoricalAccuracy, Metric};
    /// assert_eq!(CategoricalAccuracy {}.count(&[0.0, 1.0], &[0.3, 0.7]).value(), 1.0);
    /// ```
    CategoricalAccuracy {}
}

impl Metric for CategoricalAccuracy {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        one_vector(argmax(y) == argmax(p))
    }

    fn as_sparse(&self) -> Option<AnyMetric> {
        Some(SparseCategoricalAccuracy {}.into())
    }
}

class! {
    /// The metric `sparse_categorical_accuracy`: [`CategoricalAccuracy`] on integer labels.
    ///
    /// ```
    /// use tallynet::metrics::{Metric, SparseCategoricalAccuracy};
    /// assert_eq!(SparseCategoricalAccuracy {}.count(&[1.0], &[0.3, 0.7]).value(), 1.0);
    /// ```
    SparseCategoricalAccuracy {}
}

impl Metric for SparseCategoricalAccuracy {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        one_vector(y[0] as usize == argmax(p))
    }

    fn target_form(&self) -> TargetForm {
        TargetForm::Labels
    }
}

class! {
    /// The metric `top_k_categorical_accuracy`: the fraction of vectors whose true class is among
    /// the k largest outputs.
    ///
    /// ```
    /// use tallynet::metrics::{Metric, TopKCategoricalAccuracy};
    /// let top_2 = TopKCategoricalAccuracy { k: 2 };
    /// assert_eq!(top_2.count(&[1.0, 0.0, 0.0], &[0.3, 0.6, 0.1]).value(), 1.0);
    /// ```
    TopKCategoricalAccuracy {
        /// Number of outputs that the true class may be among.
        k: usize = 5,
    }
}

impl Metric for TopKCategoricalAccuracy {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        one_vector(is_in_top_k(p, argmax(y), self.k))
    }

    fn as_sparse(&self) -> Option<AnyMetric> {
        Some(SparseTopKCategoricalAccuracy { k: self.k }.into())
    }
}

class! {
    /// The metric `sparse_top_k_categorical_accuracy`: [`TopKCategoricalAccuracy`] on integer
    /// labels.
    ///
    /// ```
    /// use tallynet::metrics::{Metric, SparseTopKCategoricalAccuracy};
    /// let top_2 = SparseTopKCategoricalAccuracy { k: 2 };
    /// assert_eq!(top_2.count(&[2.0], &[0.3, 0.6, 0.1]).value(), 0.0);
    /// ```
    SparseTopKCategoricalAccuracy {
        /// Number of outputs that the true class may be among.
        k: usize = 5,
    }
}

impl Metric for SparseTopKCategoricalAccuracy {
    fn is_share(&self) -> bool {
        true
    }

    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        one_vector(is_in_top_k(p, y[0] as usize, self.k))
    }

    fn target_form(&self) -> TargetForm {
        TargetForm::Labels
    }
}

fn one_vector(is_right: bool) -> Ratio {
    Ratio { numerator: f64::from(is_right), denominator: 1.0 }
}

/// True if fewer than k outputs are larger than the one at `class`.
fn is_in_top_k(p: &[Real], class: usize, k: usize) -> bool {
    let Some(value) = p.get(class) else { return false };
    value.is_finite() && p.iter().filter(|other| *other > value).count() < k
}
