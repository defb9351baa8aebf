//! Penalties on the size of weights, which are added to the loss.

use serde::{Deserialize, Serialize};

use crate::kernels::rows::abs_and_square_sums;
use crate::{Error, Real, Result};

/// `l1·Σ|w| + l2·Σw²`, without a ½, as Keras defines it.
///
/// ```
/// let penalty = tallynet::regularizers::L1L2::new(0.5, 0.25);
/// assert_eq!(penalty.penalty(&[2.0, -1.0]), 0.5 * 3.0 + 0.25 * 5.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(from = "Regularizer", into = "Regularizer")]
pub struct L1L2 {
    /// Factor of the absolute values.
    pub l1: f64,
    /// Factor of the squares.
    pub l2: f64,
}

impl L1L2 {
    /// Penalty with both factors.
    pub fn new(l1: f64, l2: f64) -> Self {
        L1L2 { l1, l2 }
    }

    /// Checks that both factors are finite and not negative.
    pub fn validate(&self) -> Result<()> {
        let L1L2 { l1, l2 } = self;
        if [l1, l2].iter().all(|factor| (0.0..f64::INFINITY).contains(*factor)) {
            return Ok(());
        }
        let problem =
            format!("a penalty with l1 {l1} and l2 {l2}: both are 0 or more, such as 0.01");
        Err(Error::option("regularizer", problem))
    }

    /// Penalty of these weights.
    pub fn penalty(&self, weights: &[Real]) -> f64 {
        let term = |factor: f64, sum: f64| if factor == 0.0 { 0.0 } else { factor * sum };
        let sums = abs_and_square_sums(weights);
        term(self.l1, sums.abs) + term(self.l2, sums.squares)
    }

    /// Adds the gradient of the penalty: `l1·sign(w) + 2·l2·w`.
    pub fn add_gradient(&self, weights: &[Real], gradients: &mut [Real]) {
        let (l1, l2) = (self.l1 as Real, 2.0 * self.l2 as Real);
        for (gradient, &w) in gradients.iter_mut().zip(weights) {
            *gradient += l2 * w + if w == 0.0 { 0.0 } else { l1 * w.signum() };
        }
    }
}

/// Keras's classes. `L1` and `L2` are `L1L2` with one factor.
#[derive(Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config")]
enum Regularizer {
    L1L2 {
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
            Regularizer::L1L2 { l1, l2 } => L1L2 { l1, l2 },
            Regularizer::L1 { l1 } => L1L2 { l1, l2: 0.0 },
            Regularizer::L2 { l2 } => L1L2 { l1: 0.0, l2 },
        }
    }
}

impl From<L1L2> for Regularizer {
    fn from(L1L2 { l1, l2 }: L1L2) -> Regularizer {
        Regularizer::L1L2 { l1, l2 }
    }
}
