//! Convolution: each filter slides over the input and writes one weighted sum per position. Conv1D
//! and Conv2D are its classes.
//!
//! ```text
//! y[i, j, f]       = Σ x[i·s + a·d, j·s + b·d, c]·W[a, b, c, f] + b[f]   over a, b, c
//! dW[a, b, c, f]   = Σ x[i·s + a·d, j·s + b·d, c]·dy[i, j, f]            over i, j and rows
//! dx               = the convolution of dy with W flipped
//! ```
//!
//! s is the stride, d the dilation rate. As in Keras, this is a cross-correlation: the kernel is
//! not flipped in the forward pass. Images are `(height, width, channels)`, kernels
//! `(height, width, channels, filters)`; a sequence is an image of height 1.

use super::windows::{Axes, SpatialSize, Windows};
use super::{Backward, Built, Formula, Forward, Op, Operation};
use crate::activations::AnyActivation;
use crate::initializers::Initializer;
use crate::kernels::convolution::{self, BackwardInput, Convolution, Weights};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Product, Shape, flat, flat_mut};
use crate::{Error, Result};

/// Options of a convolution along `N` axes.
pub(super) struct ConvolutionOptions<'a, const N: usize> {
    pub filters: usize,
    pub windows: Windows<N>,
    pub activation: &'a AnyActivation,
    pub kernel: WeightOptions<'a>,
    /// `None` if filters have no bias.
    pub bias: Option<WeightOptions<'a>>,
}

/// Options of a weight array.
pub(super) struct WeightOptions<'a> {
    initializer: &'a Initializer,
    regularizer: Option<L1L2>,
}

impl<'a> WeightOptions<'a> {
    /// Options with this initializer and regularizer.
    pub fn new(initializer: &'a Initializer, regularizer: Option<L1L2>) -> Self {
        WeightOptions { initializer, regularizer }
    }

    fn spec(&self, name: &'static str, shape: impl Into<Vec<usize>>) -> ParamSpec {
        ParamSpec::new(name, shape, self.initializer, self.regularizer)
    }
}

impl<const N: usize> ConvolutionOptions<'_, N> {
    /// Builds the layer for an input shape.
    pub fn build(&self, input: &Shape) -> Result<Built> {
        let geometry = self.geometry(input)?;
        let Convolution { rows, columns, channels, filters } = geometry;
        let output = SpatialSize::shape(Axes { rows, columns }.outputs::<N>(), filters);
        let kernel = [&self.windows.size[..], &[channels, filters]].concat();
        let mut params = vec![self.kernel.spec("kernel", kernel)];
        if let Some(bias) = &self.bias {
            params.push(bias.spec("bias", [filters]));
        }
        let mut operations = vec![Operation::op(geometry)];
        operations.extend(Operation::activation(self.activation, &output)?);
        Ok(Built { output, params, operations })
    }

    fn validate(&self) -> Result<()> {
        let Windows { size, strides, dilation_rate, .. } = self.windows;
        if self.filters == 0 || [size, strides, dilation_rate].as_flattened().contains(&0) {
            return Err(Error::shape(
                "filters, kernel_size, strides and dilation_rate are at least 1, and one of them \
                 is 0",
                "give it sizes such as filters 32 and kernel_size 3",
            ));
        }
        if strides != [1; N] && dilation_rate != [1; N] {
            return Err(Error::shape(
                "strides and dilation_rate both over 1",
                "leave one of the two at 1",
            ));
        }
        Ok(())
    }

    fn geometry(&self, input: &Shape) -> Result<Convolution> {
        let SpatialSize { lengths, channels } = SpatialSize::<N>::of(input)?;
        self.validate()?;
        let filters = self.filters;
        let noun = SpatialSize::<N>::noun();
        let depth = self.windows.size.iter().chain([&channels]);
        let weights: Vec<usize> = depth.chain([&64, &filters]).copied().collect();
        let axes = self.windows.over(lengths).filter(|Axes { rows, columns }| {
            // Later computations with these sizes then cannot overflow.
            product_fits(&weights) && product_fits(&[rows.output, columns.output, filters])
        });
        let Some(Axes { rows, columns }) = axes else {
            return Err(Error::shape(
                format!(
                    "a window of {} does not fit {noun} of {}",
                    Product(&self.windows.size),
                    Product(&lengths)
                ),
                "take a smaller kernel_size, a larger input, or padding='same'",
            ));
        };
        let convolution = Convolution { rows, columns, channels, filters };
        // Windows that reach far beyond the input would need more scratch memory than the other
        // sizes of the layer explain.
        let explained =
            input.n_values() + rows.output * columns.output * filters + convolution.depth();
        if convolution.scratch_len() > (1 << 24) + explained.saturating_mul(64) {
            return Err(Error::shape(
                format!(
                    "with dilation_rate {:?} its windows reach far beyond {noun} of {}",
                    self.windows.dilation_rate,
                    Product(&lengths)
                ),
                "take a smaller dilation_rate, or a larger input",
            ));
        }
        Ok(convolution)
    }
}

fn product_fits(sizes: &[usize]) -> bool {
    sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size)).is_some()
}

impl Op for Convolution {
    fn forward(&self, pass: Forward) {
        let weights = Weights { kernel: pass.params.get("kernel"), bias: pass.params.get("bias") };
        convolution::forward(self, weights, flat(pass.x), flat_mut(pass.y), pass.scratch);
    }

    fn backward(&self, mut pass: Backward) {
        let dy = flat(pass.dy);
        let input = BackwardInput { x: flat(pass.x), dy };
        let d_kernel = pass.d_params.get("kernel");
        convolution::kernel_gradient(self, input, d_kernel, pass.accumulate, pass.scratch);
        let d_bias = pass.d_params.get("bias");
        if !d_bias.is_empty() {
            rows::sum_rows(dy, d_bias, pass.accumulate);
        }
        if let Some(dx) = pass.dx {
            let kernel = pass.params.get("kernel");
            convolution::input_gradient(self, kernel, dy, flat_mut(dx), pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        Convolution::scratch_len(self)
    }

    fn work(&self) -> usize {
        let weights = self.depth() * self.filters;
        self.rows.output.saturating_mul(self.columns.output).saturating_mul(weights)
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Convolution(*self))
    }
}
