//! Conv1D: each filter slides over the sequence and writes one weighted sum per timestep. The
//! formulas are in `convolution.rs`.

use super::convolution::{ConvolutionOptions, WeightOptions};
use super::windows::Windows;
use super::{Built, Layer};
use crate::Result;
use crate::activations::AnyActivation;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::convolution::Padding;
use crate::regularizers::L1L2;
use crate::shape::Shape;

class! {
    /// Convolution of sequences, `(None, steps, channels)`, then an activation.
    ///
    /// ```
    /// use tallynet::kernels::convolution::Padding;
    /// use tallynet::layers::{Conv1D, Layer};
    ///
    /// let causal = Conv1D { padding: Padding::Causal, ..Conv1D::new(32, 3) };
    /// assert_eq!(causal.build(&[100, 8].into())?.output.to_string(), "(None, 100, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Conv1D {
        /// Number of filters, equal to the number of output channels.
        filters: usize = 0,
        /// Length of a window in timesteps.
        kernel_size: usize = 0,
        /// Stride: timesteps from one window to the next.
        strides: usize = 1,
        /// Padding of the sequence.
        padding: Padding = Padding::Valid,
        /// Distance between two timesteps of a window.
        dilation_rate: usize = 1,
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

impl Conv1D {
    /// Layer with this number of filters, this kernel size and Keras's defaults.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        Conv1D { filters, kernel_size, ..Conv1D::default() }
    }

    /// The same layer with this activation: a name, a kind, or a custom one.
    pub fn activation(self, activation: impl Into<AnyActivation>) -> Self {
        let activation = activation.into();
        Conv1D { activation, ..self }
    }
}

impl Layer for Conv1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let windows = Windows {
            size: [self.kernel_size],
            strides: [self.strides],
            dilation_rate: [self.dilation_rate],
            padding: self.padding,
        };
        let kernel = WeightOptions::new(&self.kernel_initializer, self.kernel_regularizer);
        let bias = WeightOptions::new(&self.bias_initializer, self.bias_regularizer);
        let options = ConvolutionOptions {
            filters: self.filters,
            windows,
            activation: &self.activation,
            kernel,
            bias: self.use_bias.then_some(bias),
        };
        options.build(input)
    }
}
