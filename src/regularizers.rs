//! Penalties on the size of weights, which join the loss.

use serde::{Deserialize, Serialize};

use crate::Real;
use crate::kernels::rows::abs_and_square_sums;

/// `l1·Σ|w| + l2·Σw²`, without a ½, as Keras defines it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Regularizer", into = "Regularizer")]
pub struct L1L2 {
    /// The weight of the absolute values.
    pub l1: f64,
    /// The weight of the squares.
    pub l2: f64,
}

impl L1L2 {
    /// Both weights.
    pub fn new(l1: f64, l2: f64) -> Self {
        L1L2 { l1, l2 }
    }

    /// What is wrong with its weights, if anything.
    pub fn problem(&self) -> Option<String> {
        let is_weight = |weight: f64| (0.0..f64::INFINITY).contains(&weight);
        let words = || {
            format!(
                "a penalty with l1 {} and l2 {}: both are 0 or more, such as 0.01",
                self.l1, self.l2
            )
        };
        (!is_weight(self.l1) || !is_weight(self.l2)).then(words)
    }

    /// The penalty of these weights.
    pub fn penalty(&self, weights: &[Real]) -> f64 {
        let term = |factor: f64, sum: f64| if factor == 0.0 { 0.0 } else { factor * sum };
        let sums = abs_and_square_sums(weights);
        term(self.l1, sums.abs) + term(self.l2, sums.squares)
    }

    /// Adds the penalty's gradient: `l1·sign(w) + 2·l2·w`.
    pub fn add_gradient(&self, weights: &[Real], gradients: &mut [Real]) {
        let (l1, l2) = (self.l1 as Real, 2.0 * self.l2 as Real);
        for (gradient, &w) in gradients.iter_mut().zip(weights) {
            *gradient += l2 * w + if w == 0.0 { 0.0 } else { l1 * w.signum() };
        }
    }
}

/// The classes that a file may name. `L1` and `L2` are `L1L2` with one weight.
#[derive(Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config", rename_all = "UPPERCASE")]
enum Regularizer {
    #[serde(rename = "L1L2")]
    Both {
        #[serde(default)]
        l1: f64,
        #[serde(default)]
        l2: f64,
    },
    L1 {
        #[serde(default = "hundredth")]
        l1: f64,
    },
    L2 {
        #[serde(default = "hundredth")]
        l2: f64,
    },
}

fn hundredth() -> f64 {
    0.01
}

impl From<Regularizer> for L1L2 {
    fn from(regularizer: Regularizer) -> L1L2 {
        match regularizer {
            Regularizer::Both { l1, l2 } => L1L2 { l1, l2 },
            Regularizer::L1 { l1 } => L1L2 { l1, l2: 0.0 },
            Regularizer::L2 { l2 } => L1L2 { l1: 0.0, l2 },
        }
    }
}

impl From<L1L2> for Regularizer {
    fn from(L1L2 { l1, l2 }: L1L2) -> Regularizer {
        Regularizer::Both { l1, l2 }
    }
}
