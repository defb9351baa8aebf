//! Conv2D: each filter slides over the image and writes one weighted sum per position.
//!
//! ```text
//! y[i, j, f]       = Σ x[i·s + a·d, j·s + b·d, c]·W[a, b, c, f] + b[f]   over a, b, c
//! dW[a, b, c, f]   = Σ x[i·s + a·d, j·s + b·d, c]·dy[i, j, f]            over i, j and rows
//! dx               = the convolution of dy with W flipped
//! ```
//!
//! s is the stride, d the dilation rate. As in Keras, this is a cross-correlation: the kernel is
//! not flipped in the forward pass. Images are `(height, width, channels)`, kernels
//! `(height, width, channels, filters)`.

use super::image::image;
use super::{Backward, Built, Forward, Layer, Op, Operation};
use crate::activations::AnyActivation;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::convolution::{self, Axis, BackwardInput, Convolution, Padding, Weights};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

class! {
    /// Convolution of images, then an activation.
    ///
    /// ```
    /// use tallynet::layers::{Conv2D, Layer};
    ///
    /// let built = Conv2D::new(32, [3, 3]).build(&[28, 28, 1].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 26, 26, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Conv2D {
        /// Number of filters, equal to the number of output channels.
        filters: usize = 0,
        /// Height and width of the window.
        kernel_size: [usize; 2] = [0, 0],
        /// Pixels from one window to the next.
        strides: [usize; 2] = [1, 1],
        /// Padding of the image.
        padding: Padding = Padding::Valid,
        /// Distance between two pixels of a window.
        dilation_rate: [usize; 2] = [1, 1],
        /// Activation of the sums.
        activation: AnyActivation = AnyActivation::default(),
        /// True if each filter has a bias.
        use_bias: bool = true,
        /// Initializer of the kernel.
        kernel_initializer: Initializer = Initializer::GlorotUniform {},
        /// Initializer of the bias.
        bias_initializer: Initializer = Initializer::Zeros {},
        /// Penalty on the kernel.
        kernel_regularizer: Option<L1L2> = None,
        /// Penalty on the bias.
        bias_regularizer: Option<L1L2> = None,
    }
}

impl Conv2D {
    /// Layer with this number of filters, this kernel size and Keras's defaults.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        Conv2D { filters, kernel_size, ..Conv2D::default() }
    }

    /// The same layer with this activation: a name, a kind, or a custom one.
    pub fn activation(self, activation: impl Into<AnyActivation>) -> Self {
        let activation = activation.into();
        Conv2D { activation, ..self }
    }

    fn validate(&self) -> Result<()> {
        let Conv2D { filters, kernel_size, strides, dilation_rate, .. } = *self;
        if filters == 0 || [kernel_size, strides, dilation_rate].as_flattened().contains(&0) {
            return Err(Error::shape(
                "filters, kernel_size, strides and dilation_rate are at least 1, and one of them \
                 is 0",
                "give it sizes such as filters 32 and kernel_size (3, 3)",
            ));
        }
        if strides != [1, 1] && dilation_rate != [1, 1] {
            return Err(Error::shape(
                "strides and dilation_rate both over 1",
                "leave one of the two at (1, 1)",
            ));
        }
        Ok(())
    }

    fn geometry(&self, input: &Shape) -> Result<Convolution> {
        let [height, width, channels] = image(input)?;
        self.validate()?;
        let Conv2D { filters, kernel_size: [kh, kw], strides, dilation_rate, padding, .. } = *self;
        let rows = Axis::new(height, kh, strides[0], dilation_rate[0], padding);
        let columns = Axis::new(width, kw, strides[1], dilation_rate[1], padding);
        let axes = rows.zip(columns).filter(|(rows, columns)| {
            // Later computations with these sizes then cannot overflow.
            product_fits(&[64, kh, kw, channels, filters])
                && product_fits(&[rows.output, columns.output, filters])
        });
        let Some((rows, columns)) = axes else {
            return Err(Error::shape(
                format!(
                    "a window of {kh} × {kw} pixels does not fit an image of {height} × {width}"
                ),
                "take a smaller kernel_size, larger images, or padding='same'",
            ));
        };
        let convolution = Convolution { rows, columns, channels, filters };
        // Windows that reach far beyond the image would need more scratch memory than the other
        // sizes of the layer explain.
        let explained = height * width * channels
            + rows.output * columns.output * filters
            + convolution.depth();
        if convolution.scratch_len() > (1 << 24) + explained.saturating_mul(64) {
            return Err(Error::shape(
                format!(
                    "with dilation_rate {dilation_rate:?} its windows reach far beyond an image \
                     of {height} × {width}"
                ),
                "take a smaller dilation_rate, or larger images",
            ));
        }
        Ok(convolution)
    }
}

fn product_fits(sizes: &[usize]) -> bool {
    sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size)).is_some()
}

impl Layer for Conv2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let geometry = self.geometry(input)?;
        let Convolution { rows, columns, channels, filters } = geometry;
        let output = Shape::from([rows.output, columns.output, filters]);
        let kernel = [self.kernel_size[0], self.kernel_size[1], channels, filters];
        let mut params = vec![ParamSpec::new(
            "kernel",
            kernel,
            &self.kernel_initializer,
            self.kernel_regularizer,
        )];
        if self.use_bias {
            let bias = [filters];
            params.push(ParamSpec::new(
                "bias",
                bias,
                &self.bias_initializer,
                self.bias_regularizer,
            ));
        }
        let mut operations = vec![Operation::op(geometry)];
        operations.extend(Operation::activation(&self.activation, &output)?);
        Ok(Built { output, params, operations })
    }
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
}
