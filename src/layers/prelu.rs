//! PReLU: a ReLU whose slope below 0 is learned (He et al. 2015).
//!
//! ```text
//! y  = x for x > 0,      α·x for x ≤ 0
//! dα = Σ dy·min(x, 0)    over the values that share α
//! dx = dy for x > 0,     α·dy for x < 0,   0 at 0 as in Keras
//! ```

use serde::{Deserialize, Deserializer};

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

class! {
    /// `x` above 0, `α·x` below, with an α for each value of a sample.
    ///
    /// ```
    /// use tallynet::layers::{Layer, PReLU};
    ///
    /// let of_channels = PReLU { shared_axes: Some(vec![1, 2]), ..PReLU::default() };
    /// assert_eq!(of_channels.build(&[28, 28, 16].into())?.params[0].shape, [1, 1, 16]);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    PReLU {
        /// Initializer of α.
        alpha_initializer: Initializer = Initializer::Zeros {},
        /// Penalty on α.
        alpha_regularizer: Option<L1L2> = None,
        /// Axes along which all values share an α; the first axis of a sample is 1.
        #[serde(deserialize_with = "one_or_more")]
        shared_axes: Option<Vec<usize>> = None,
    }
}

impl Layer for PReLU {
    fn build(&self, input: &Shape) -> Result<Built> {
        let mut shape = input.dims().to_vec();
        for &axis in self.shared_axes.iter().flatten() {
            let Some(length) = axis.checked_sub(1).and_then(|axis| shape.get_mut(axis)) else {
                return Err(Error::shape(
                    format!("shared_axes has {axis}, and {input} has no such axis"),
                    format!("give it axes from 1 to {}", input.dims().len()),
                ));
            };
            *length = 1;
        }
        let op = PReLUOp { alphas: alphas(input.dims(), &shape) };
        let alpha = ParamSpec::new("alpha", shape, &self.alpha_initializer, self.alpha_regularizer);
        let operations = vec![Operation::op(op)];
        Ok(Built { output: input.clone(), params: vec![alpha], operations })
    }
}

/// Index of the α of each value of a sample, where axes of length 1 in `shared` are shared.
fn alphas(sample: &[usize], shared: &[usize]) -> Vec<usize> {
    let mut indices = vec![0];
    for (&length, &own) in sample.iter().zip(shared) {
        let mut extended = Vec::with_capacity(indices.len() * length);
        for index in indices {
            extended.extend((0..length).map(|i| if own == 1 { index } else { index * own + i }));
        }
        indices = extended;
    }
    indices
}

struct PReLUOp {
    /// Index of the α of each value of a sample.
    alphas: Vec<usize>,
}

impl Op for PReLUOp {
    fn forward(&self, pass: Forward) {
        let alpha = pass.params.get("alpha");
        let n = self.alphas.len();
        for (x, y) in flat(pass.x).chunks_exact(n).zip(flat_mut(pass.y).chunks_exact_mut(n)) {
            for ((x, y), index) in x.iter().zip(y).zip(&self.alphas) {
                *y = if *x > 0.0 { *x } else { alpha[*index] * x };
            }
        }
    }

    fn backward(&self, mut pass: Backward) {
        let alpha = pass.params.get("alpha");
        let n = self.alphas.len();
        let d_alpha = pass.d_params.get("alpha");
        if !pass.accumulate {
            d_alpha.fill(0.0);
        }
        let (xs, dys) = (flat(pass.x), flat(pass.dy));
        for (x, dy) in xs.chunks_exact(n).zip(dys.chunks_exact(n)) {
            for ((x, dy), index) in x.iter().zip(dy).zip(&self.alphas) {
                d_alpha[*index] += dy * x.min(0.0);
            }
        }
        let Some(dx) = pass.dx else { return };
        let rows = xs.chunks_exact(n).zip(dys.chunks_exact(n));
        for ((x, dy), dx) in rows.zip(flat_mut(dx).chunks_exact_mut(n)) {
            for (((x, dy), dx), index) in x.iter().zip(dy).zip(dx).zip(&self.alphas) {
                *dx = if *x > 0.0 {
                    *dy
                } else if *x < 0.0 {
                    alpha[*index] * dy
                } else {
                    0.0
                };
            }
        }
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::PRelu)
    }
}

/// Reads a list, or a single value as a list of one.
pub(super) fn one_or_more<'de, D, T>(from: D) -> std::result::Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number of that kind, or a list of them")]
    enum OneOrMore<T> {
        More(Vec<T>),
        One(T),
    }
    Ok(match Option::deserialize(from)? {
        None => None,
        Some(OneOrMore::More(list)) => Some(list),
        Some(OneOrMore::One(value)) => Some(vec![value]),
    })
}
