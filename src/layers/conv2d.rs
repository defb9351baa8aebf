//! Conv2D: each filter slides over the image and writes one weighted sum per position. The formulas
//! are in `convolution.rs`.

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
        /// Strides: pixels from one window to the next.
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
}

impl Layer for Conv2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let windows = Windows {
            size: self.kernel_size,
            strides: self.strides,
            dilation_rate: self.dilation_rate,
            padding: self.padding,
        };
        windows.refuse_causal()?;
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
