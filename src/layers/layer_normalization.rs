//! Layer normalization: Ba, Kiros and Hinton 2016, as Keras computes it.
//!
//! ```text
//! y  = γ·x̂ + β,   x̂ = (x − μ)/√(v + ε),   mean μ and variance v of the vector (÷ n)
//! dγ = Σ dy·x̂,    dβ = Σ dy
//! dx = (g − Σ g/n − x̂·Σ g·x̂/n)/√(v + ε),   g = γ·dy
//! ```
//!
//! A vector is the part of a sample along the normalized axes. Its mean and its variance are
//! computed in two passes in double precision, which is accurate even for a large mean.

use ndarray::ArrayView2;

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::normalization::{self, LayerNormalizationInput};
use crate::kernels::rows;
use crate::params::{ParamSpec, ParamViews};
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// Normalization of each sample along its last axes, each position by itself.
    ///
    /// ```
    /// use tallynet::layers::{Layer, LayerNormalization};
    ///
    /// let built = LayerNormalization::default().build(&[20, 32].into())?;
    /// assert_eq!(built.params.iter().map(|array| array.count()).sum::<usize>(), 2 * 32);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    LayerNormalization {
        /// Axes to normalize along: the last one, or a list of the last ones. The first axis of a
        /// sample is 1.
        axis: Vec<isize> = vec![-1],
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 0.001,
        /// True if there is a β.
        center: bool = true,
        /// True if there is a γ.
        scale: bool = true,
        /// True to divide by the variance without a mean, which is not supported: false.
        rms_scaling: bool = false,
        /// Initializer of β.
        beta_initializer: Initializer = Initializer::Zeros {},
        /// Initializer of γ.
        gamma_initializer: Initializer = Initializer::Ones {},
        /// Penalty on β.
        beta_regularizer: Option<L1L2> = None,
        /// Penalty on γ.
        gamma_regularizer: Option<L1L2> = None,
    }
}

impl LayerNormalization {
    /// Lengths of the axes to normalize along.
    pub(super) fn lengths(&self, input: &Shape) -> Result<Vec<usize>> {
        let rank = input.dims().len();
        let mut axes: Vec<isize> = self.axis.clone();
        for axis in &mut axes {
            if *axis < 0 {
                *axis += rank as isize + 1;
            }
        }
        axes.sort_unstable();
        let first = (rank + 1).saturating_sub(axes.len());
        let last_axes: Vec<isize> = (first..=rank).map(|axis| axis as isize).collect();
        if axes.is_empty() || first == 0 || axes != last_axes {
            return Err(Error::shape(
                format!("axis {:?} of {input}: it normalizes the last axes of a sample", self.axis),
                "take axis = -1, or a list of the last axes, and an input that has them",
            ));
        }
        Ok(input.dims()[first - 1..].to_vec())
    }
}

impl Layer for LayerNormalization {
    fn build(&self, input: &Shape) -> Result<Built> {
        let lengths = self.lengths(input)?;
        if self.rms_scaling || !(self.epsilon.is_finite() && self.epsilon >= 0.0) {
            return Err(Error::shape(
                format!("rms_scaling is {} and epsilon is {}", self.rms_scaling, self.epsilon),
                "take rms_scaling false, and an epsilon of 0 or more",
            ));
        }
        let (width, axes) = (lengths.iter().product(), lengths.len());
        let mut params = vec![];
        if self.scale {
            let (initializer, regularizer) = (&self.gamma_initializer, self.gamma_regularizer);
            params.push(ParamSpec::new("gamma", lengths.clone(), initializer, regularizer));
        }
        if self.center {
            let (initializer, regularizer) = (&self.beta_initializer, self.beta_regularizer);
            params.push(ParamSpec::new("beta", lengths, initializer, regularizer));
        }
        let n_values = input.n_values();
        let op = LayerNormalizationOp { width, axes, epsilon: self.epsilon, n_values };
        Ok(Built { output: input.clone(), params, operations: vec![Operation::op(op)] })
    }
}

struct LayerNormalizationOp {
    width: usize,
    /// Number of axes of a vector.
    axes: usize,
    epsilon: f64,
    n_values: usize,
}

impl LayerNormalizationOp {
    fn input<'a>(
        &self,
        x: ArrayView2<'a, Real>,
        params: ParamViews<'a>,
    ) -> LayerNormalizationInput<'a> {
        LayerNormalizationInput {
            x: flat(x),
            gamma: params.get("gamma"),
            width: self.width,
            epsilon: self.epsilon,
        }
    }
}

impl Op for LayerNormalizationOp {
    fn forward(&self, pass: Forward) {
        let input = self.input(pass.x, pass.params);
        let y = flat_mut(pass.y);
        normalization::layer_forward(input, pass.params.get("beta"), y);
    }

    fn backward(&self, mut pass: Backward) {
        let input = self.input(pass.x, pass.params);
        let dy = flat(pass.dy);
        let d_beta = pass.d_params.get("beta");
        if !d_beta.is_empty() {
            rows::sum_rows(dy, d_beta, pass.accumulate);
        }
        let d_gamma = pass.d_params.get("gamma");
        if !pass.accumulate {
            d_gamma.fill(0.0);
        }
        let dx = pass.dx.map(flat_mut).unwrap_or_default();
        if !d_gamma.is_empty() || !dx.is_empty() {
            normalization::layer_backward(input, dy, d_gamma, dx);
        }
    }

    fn work(&self) -> usize {
        self.n_values.saturating_mul(2)
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::LayerNormalization { axes: self.axes, epsilon: self.epsilon })
    }
}
