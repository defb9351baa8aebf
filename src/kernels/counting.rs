//! Multiply-adds counted in a run of the [`reference`](super::reference) loops.
//!
//! The run is on one sample whose values are all 1, with weights and gradients of 1: each
//! multiply-add then adds 1 to a number of the output, and the numbers of the output sum to the
//! count, exactly. The loops are those that the fast kernels are tested against, unchanged.
//!
//! A zero of the padding is a value like any other, as in the usual counters of FLOPs. The
//! reference loops skip them, so the image is padded for the run; the run on the bare image counts
//! the rest.

use ndarray::Array2;

use super::convolution::{Axis, BackwardInput, Convolution, Weights};
use super::reference;
use crate::Real;

/// Multiply-adds of a layer for one sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MultiplyAdds {
    /// Forward pass: products of an input and a weight.
    pub forward: usize,
    /// Those of the forward pass whose input is a zero of the padding.
    pub on_padding: usize,
    /// Backward pass: products of an input and the gradient of an output.
    pub kernel_gradient: usize,
    /// Backward pass: products of a weight and the gradient of an output.
    pub input_gradient: usize,
}

impl MultiplyAdds {
    /// Multiply-adds of the backward pass.
    pub fn backward(&self) -> usize {
        self.kernel_gradient.saturating_add(self.input_gradient)
    }

    /// Multiply-adds of a training step.
    pub fn forward_and_backward(&self) -> usize {
        self.forward.saturating_add(self.backward())
    }

    /// Sum over two layers.
    pub fn plus(self, other: MultiplyAdds) -> MultiplyAdds {
        MultiplyAdds {
            forward: self.forward.saturating_add(other.forward),
            on_padding: self.on_padding.saturating_add(other.on_padding),
            kernel_gradient: self.kernel_gradient.saturating_add(other.kernel_gradient),
            input_gradient: self.input_gradient.saturating_add(other.input_gradient),
        }
    }

    /// Multiply-adds of `n` equal parts.
    pub fn times(self, n: usize) -> MultiplyAdds {
        MultiplyAdds {
            forward: self.forward.saturating_mul(n),
            on_padding: self.on_padding.saturating_mul(n),
            kernel_gradient: self.kernel_gradient.saturating_mul(n),
            input_gradient: self.input_gradient.saturating_mul(n),
        }
    }
}

/// Gradients of the backward pass that a layer needs.
#[derive(Debug, Clone, Copy)]
pub struct Gradients {
    /// True if training updates the kernel.
    pub kernel: bool,
    /// True if a layer below has weights to train.
    pub input: bool,
}

/// Products that a layer consists of, for one sample.
#[derive(Debug, Clone, Copy)]
pub enum Products {
    /// Those of a matrix product.
    Matrix(MatrixProduct),
    /// Those of a convolution.
    Convolution(Convolution),
}

/// Matrix product of a sample: `positions × inputs` by `inputs × units`.
#[derive(Debug, Clone, Copy)]
pub struct MatrixProduct {
    /// Rows of the left factor.
    pub positions: usize,
    /// Rows of the kernel.
    pub inputs: usize,
    /// Columns of the kernel.
    pub units: usize,
}

/// One of `n` equal parts.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The part.
    pub products: Products,
    /// Number of parts.
    pub n: usize,
}

impl Products {
    /// Runs the passes and counts their multiply-adds.
    pub fn count(&self, gradients: Gradients) -> MultiplyAdds {
        match self {
            Products::Matrix(product) => product.count(gradients),
            Products::Convolution(convolution) => count_convolution(convolution, gradients),
        }
    }

    /// Part for one unit, or for one pair of a channel and a filter. All parts run the same loops.
    pub fn part(&self) -> Part {
        match self {
            Products::Matrix(product) => {
                let one = MatrixProduct { units: 1, ..*product };
                Part { products: Products::Matrix(one), n: product.units }
            }
            Products::Convolution(whole) => {
                let one = Convolution { channels: 1, filters: 1, ..*whole };
                let n = whole.channels.saturating_mul(whole.filters);
                Part { products: Products::Convolution(one), n }
            }
        }
    }

    /// Approximate number of steps of a run, which bounds its memory too.
    pub fn steps(&self, gradients: Gradients) -> usize {
        let passes = 1 + usize::from(gradients.kernel) + usize::from(gradients.input);
        let of_a_pass = match self {
            Products::Matrix(product) => {
                product.positions.saturating_mul(product.inputs).saturating_mul(product.units)
            }
            Products::Convolution(c) => {
                let positions = c.rows.output.saturating_mul(c.columns.output);
                let products = positions.saturating_mul(c.depth()).saturating_mul(c.filters);
                let (rows, columns) = (padded(&c.rows).input, padded(&c.columns).input);
                products.max(rows.saturating_mul(columns).saturating_mul(c.channels))
            }
        };
        of_a_pass.saturating_mul(passes)
    }
}

impl MatrixProduct {
    fn count(&self, gradients: Gradients) -> MultiplyAdds {
        let x = Array2::<Real>::ones((self.positions, self.inputs));
        let kernel = Array2::<Real>::ones((self.inputs, self.units));
        let dy = Array2::<Real>::ones((self.positions, self.units));
        let forward = sum(reference::matmul(x.view(), kernel.view()).iter());
        let mut counted = MultiplyAdds { forward, ..MultiplyAdds::default() };
        if gradients.kernel {
            counted.kernel_gradient = sum(reference::matmul(x.t(), dy.view()).iter());
        }
        if gradients.input {
            counted.input_gradient = sum(reference::matmul(dy.view(), kernel.t()).iter());
        }
        counted
    }
}

fn count_convolution(bare: &Convolution, gradients: Gradients) -> MultiplyAdds {
    let c = Convolution { rows: padded(&bare.rows), columns: padded(&bare.columns), ..*bare };
    let image = vec![1.0; c.n_inputs()];
    let kernel = vec![1.0; c.depth() * c.filters];
    let dy = vec![1.0; c.n_outputs()];
    let weights = Weights { kernel: &kernel, bias: &[] };
    let forward = sum(reference::convolution(&c, weights, &image).iter());
    let mut counted = MultiplyAdds { forward, ..MultiplyAdds::default() };
    if c != *bare {
        let bare_image = vec![1.0; bare.n_inputs()];
        let inside = sum(reference::convolution(bare, weights, &bare_image).iter());
        counted.on_padding = counted.forward - inside;
    }
    if gradients.kernel {
        let input = BackwardInput { x: &image, dy: &dy };
        counted.kernel_gradient = sum(reference::kernel_gradient(&c, input).iter());
    }
    if gradients.input {
        counted.input_gradient = sum(reference::input_gradient(&c, &kernel, &dy).iter());
    }
    counted
}

/// The same windows over the padded image.
fn padded(axis: &Axis) -> Axis {
    let input = axis.padded(axis.output).max(axis.before + axis.input);
    Axis { input, before: 0, ..*axis }
}

/// Sum of whole numbers, exact up to 2⁵³.
fn sum<'a>(numbers: impl Iterator<Item = &'a f64>) -> usize {
    numbers.sum::<f64>() as usize
}
