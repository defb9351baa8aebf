//! Top-k accuracy: the output at the class is among the k largest, so fewer than k others are larger.

use serde::{Deserialize, Serialize};

use super::accuracy::{largest, tally};
use super::{MAX_COUNTERS, Metric};
use crate::Real;

macro_rules! top_k {
    ($(#[$doc:meta])* $name:ident: $class:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// How many of the largest outputs count.
            pub k: usize,
        }

        impl Default for $name {
            fn default() -> Self {
                $name { k: 5 }
            }
        }

        impl Metric for $name {
            fn count(&self, y: &[Real], p: &[Real], counters: &mut [f64; MAX_COUNTERS]) {
                let class: fn(&[Real]) -> usize = $class;
                let larger = |than: Real| p.iter().filter(|&&other| other > than).count();
                let right = p.get(class(y)).is_some_and(|&value| value.is_finite() && larger(value) < self.k);
                tally(counters, usize::from(right), 1);
            }
        }
    };
}

top_k! {
    /// The metric `top_k_categorical_accuracy`: the class is where the target is largest.
    TopKCategoricalAccuracy: largest
}
top_k! {
    /// The metric `sparse_top_k_categorical_accuracy`: the target is the class.
    SparseTopKCategoricalAccuracy: |y| y[0] as usize
}
