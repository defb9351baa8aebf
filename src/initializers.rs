//! The first values of a parameter array, with Keras's names and distributions.

use ndarray::ArrayD;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::Uniform;
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Real;

/// How the values of an array are drawn. Written as Keras's class name and configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config")]
pub enum Initializer {
    /// Uniform between ±√(6 / (fan in + fan out)): Glorot and Bengio 2010, Keras's default for kernels.
    GlorotUniform {},
    /// All zero: Keras's default for biases.
    Zeros {},
}

impl Initializer {
    /// Draws an array of this shape.
    pub fn draw(&self, shape: &[usize], generator: &mut impl Rng) -> ArrayD<Real> {
        match self {
            Initializer::GlorotUniform {} => {
                let (fan_in, fan_out) = fans(shape);
                let limit = (6.0 / (fan_in + fan_out) as Real).sqrt();
                // The bounds are finite and in order for any shape, so this distribution always exists.
                let uniform = Uniform::new_inclusive(-limit, limit).expect("a finite range");
                ArrayD::random_using(shape, uniform, generator)
            }
            Initializer::Zeros {} => ArrayD::zeros(shape),
        }
    }
}

/// How many inputs feed one output and how many outputs one input feeds, as Keras counts them: a kernel's last two
/// axes, each times the size of the receptive field in front of them. A vector's length is both.
fn fans(shape: &[usize]) -> (usize, usize) {
    match shape {
        [] => (1, 1),
        [n] => ((*n).max(1), (*n).max(1)),
        [field @ .., inputs, outputs] => {
            let field: usize = field.iter().product();
            ((inputs * field).max(1), (outputs * field).max(1))
        }
    }
}
