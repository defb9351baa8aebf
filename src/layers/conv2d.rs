//! Conv2D: each filter slides over the image and puts out one weighted sum a position.
//!
//! ```text
//! y[i, j, f]       = Σ x[i·s + a·d, j·s + b·d, c]·W[a, b, c, f] + b[f]   over a, b, c: no kernel is turned round
//! dW[a, b, c, f]   = Σ x[i·s + a·d, j·s + b·d, c]·dy[i, j, f]            over i, j and the rows of the batch
//! dx               = the convolution of dy with W turned round
//! ```
//!
//! Images are `(height, width, channels)`, kernels `(height, width, channels, filters)`, as in
//! Keras.

use super::image::{DataFormat, image};
use super::{Backward, Built, Count, Forward, Layer, LayerSpec, Misfit, Operation, misfit};
use crate::activations::ActivationKind;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::convolution::{self, Axis, BackwardInput, Convolution, Padding, Weights};
use crate::kernels::rows;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};

class! {
    /// The layer `Conv2D`.
    Conv2D {
        /// The number of filters: of channels that come out.
        filters: usize = 0,
        /// Height and width of the window.
        kernel_size: [usize; 2] = [0, 0],
        /// Pixels from one window to the next.
        strides: [usize; 2] = [1, 1],
        /// How the image is continued past its border.
        padding: Padding = Padding::Valid,
        /// Where the channels lie.
        data_format: DataFormat = DataFormat::ChannelsLast,
        /// The distance of two pixels of a window.
        dilation_rate: [usize; 2] = [1, 1],
        /// Only 1: every filter sees all channels.
        groups: usize = 1,
        /// What is applied to the sums.
        activation: ActivationKind = ActivationKind::Linear,
        /// Whether each filter has a bias.
        use_bias: bool = true,
        /// How the kernel's first values are drawn.
        kernel_initializer: Initializer = Initializer::GlorotUniform {},
        /// How the biases' first values are drawn.
        bias_initializer: Initializer = Initializer::Zeros {},
        /// The penalty on the kernel's size.
        kernel_regularizer: Option<L1L2> = None,
        /// The penalty on the biases' size.
        bias_regularizer: Option<L1L2> = None,
    }
}

impl Conv2D {
    /// A layer of so many filters with windows of this size, with Keras's defaults.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        Conv2D { filters, kernel_size, ..Conv2D::default() }
    }

    fn geometry(&self, input: &Shape) -> Result<Convolution, Misfit> {
        let [height, width, channels] = image(input)?;
        let Conv2D { filters, kernel_size: [kh, kw], strides, padding, dilation_rate, .. } = *self;
        if [filters, kh, kw, strides[0], strides[1], dilation_rate[0], dilation_rate[1]]
            .contains(&0)
        {
            let problem = "filters, kernel_size, strides and dilation_rate are at least 1, and one of them is 0";
            return misfit(problem, "give it sizes such as filters 32 and kernel_size (3, 3)");
        }
        if self.groups != 1 {
            return misfit(
                format!("groups = {}: only 1 is supported", self.groups),
                "leave groups out",
            );
        }
        if strides != [1, 1] && dilation_rate != [1, 1] {
            return misfit(
                "strides and dilation_rate both over 1",
                "leave one of the two at (1, 1)",
            );
        }
        let axis = |length, i: usize| {
            Axis::new(length, self.kernel_size[i], strides[i], dilation_rate[i], padding)
        };
        let fits = |sizes: &[usize]| {
            sizes.iter().try_fold(1usize, |n, &size| n.checked_mul(size)).is_some()
        };
        // Whatever is computed from these sizes later then fits, too.
        let axes = axis(height, 0).zip(axis(width, 1)).filter(|(rows, columns)| {
            fits(&[64, kh, kw, channels, filters]) && fits(&[rows.output, columns.output, filters])
        });
        let Some((rows, columns)) = axes else {
            let problem = format!(
                "a window of {kh} × {kw} pixels does not fit an image of {height} × {width}"
            );
            return misfit(problem, "take a smaller kernel_size, larger images, or padding='same'");
        };
        let convolution = Convolution { rows, columns, channels, filters };
        // Windows that reach far beyond the image would claim memory that nothing here explains.
        let honest = height * width * channels
            + rows.output * columns.output * filters
            + convolution.depth();
        if convolution.scratch_len() > (1 << 24) + honest.saturating_mul(64) {
            return misfit(
                format!(
                    "with dilation_rate {dilation_rate:?} its windows reach far beyond an image of {height} × {width}"
                ),
                "take a smaller dilation_rate, or larger images",
            );
        }
        Ok(convolution)
    }

    fn count(&self, geometry: &Convolution) -> Count {
        let (Conv2D { filters, kernel_size: [kh, kw], .. }, channels) = (self, geometry.channels);
        let (with, own) = if self.use_bias {
            (" + 1 bias", ", and a bias of its own")
        } else {
            ("", ", and no bias")
        };
        let (height, width) = (geometry.rows.output, geometry.columns.output);
        Count {
            formula: format!("{filters} filters × ({kh} × {kw} × {channels} inputs{with})"),
            total: geometry
                .depth()
                .saturating_add(usize::from(self.use_bias))
                .saturating_mul(*filters),
            reason: format!(
                "each of the {filters} filters has a weight for each of {channels} channels at {kh} × {kw} positions of its \
                 window{own};\n    it is the same filter at all {height} × {width} positions, so height and width do not \
                 enter the count"
            ),
        }
    }
}

impl LayerSpec for Conv2D {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let geometry = self.geometry(input)?;
        let Convolution { rows, columns, channels, filters } = geometry;
        let shape = [&self.kernel_size[..], &[channels, filters]].concat();
        let kernel =
            ParamSpec::new("kernel", shape, &self.kernel_initializer, self.kernel_regularizer);
        let bias =
            ParamSpec::new("bias", vec![filters], &self.bias_initializer, self.bias_regularizer);
        let output = Shape::from([rows.output, columns.output, filters]);
        let layer = Operation::layer(geometry);
        Ok(Built {
            params: [kernel].into_iter().chain(self.use_bias.then_some(bias)).collect(),
            operations: [layer]
                .into_iter()
                .chain(Operation::activation(self.activation, &output))
                .collect(),
            count: self.count(&geometry),
            output,
        })
    }
}

impl Layer for Convolution {
    fn forward(&self, pass: Forward) {
        let (kernel, bias) = pass.params.split_at(self.depth() * self.filters);
        let weights = Weights { kernel, bias };
        convolution::forward(self, weights, flat(pass.x), flat_mut(pass.y), pass.scratch);
    }

    fn backward(&self, pass: Backward) {
        let n_weights = self.depth() * self.filters;
        let (d_kernel, d_bias) = pass.d_params.split_at_mut(n_weights);
        let (x, dy) = (flat(pass.x), flat(pass.dy));
        let input = BackwardInput { x, dy };
        convolution::kernel_gradient(self, input, d_kernel, pass.accumulate, pass.scratch);
        if !d_bias.is_empty() {
            rows::sum_rows(dy, d_bias, pass.accumulate);
        }
        if let Some(dx) = pass.dx {
            convolution::input_gradient(
                self,
                &pass.params[..n_weights],
                dy,
                flat_mut(dx),
                pass.scratch,
            );
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
