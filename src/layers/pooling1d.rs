//! Pooling over sequences, `(None, steps, channels)`; the sizes are in `pooling.rs`.

use super::pooling::{PoolingOptions, build_global};
use super::{Built, Layer};
use crate::Result;
use crate::classes::class;
use crate::kernels::convolution::Padding;
use crate::kernels::pooling::Pool;
use crate::shape::Shape;

class! {
    /// Maximum of each window, channel by channel. Steps outside the sequence do not count.
    ///
    /// ```
    /// use tallynet::layers::{Layer, MaxPooling1D};
    ///
    /// let built = MaxPooling1D::default().build(&[26, 32].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 13, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    MaxPooling1D {
        /// Length of a window in timesteps.
        pool_size: usize = 2,
        /// Stride: timesteps from one window to the next; by default the pool size.
        strides: Option<usize> = None,
        /// Padding of the sequence.
        padding: Padding = Padding::Valid,
    }
}

class! {
    /// Mean of each window, channel by channel. Steps outside the sequence do not count.
    ///
    /// ```
    /// use tallynet::layers::{AveragePooling1D, Layer};
    ///
    /// let built = AveragePooling1D::default().build(&[26, 32].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 13, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    AveragePooling1D {
        /// Length of a window in timesteps.
        pool_size: usize = 2,
        /// Stride: timesteps from one window to the next; by default the pool size.
        strides: Option<usize> = None,
        /// Padding of the sequence.
        padding: Padding = Padding::Valid,
    }
}

class! {
    /// Maximum of each channel over all timesteps. As in Keras, and unlike in [`MaxPooling1D`],
    /// equal maxima share the gradient.
    ///
    /// ```
    /// use tallynet::layers::{GlobalMaxPooling1D, Layer};
    ///
    /// let built = GlobalMaxPooling1D::default().build(&[7, 64].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 64)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    GlobalMaxPooling1D {
        /// True to keep the output a sequence, of one timestep.
        keepdims: bool = false,
    }
}

class! {
    /// Mean of each channel over all timesteps.
    ///
    /// ```
    /// use tallynet::layers::{GlobalAveragePooling1D, Layer};
    ///
    /// let built = GlobalAveragePooling1D { keepdims: true }.build(&[7, 64].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 1, 64)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    GlobalAveragePooling1D {
        /// True to keep the output a sequence, of one timestep.
        keepdims: bool = false,
    }
}

impl Layer for MaxPooling1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let options = PoolingOptions {
            pool: Pool::Max,
            size: [self.pool_size],
            strides: self.strides.map(|stride| [stride]),
            padding: self.padding,
        };
        options.build(input)
    }
}

impl Layer for AveragePooling1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let options = PoolingOptions {
            pool: Pool::Average,
            size: [self.pool_size],
            strides: self.strides.map(|stride| [stride]),
            padding: self.padding,
        };
        options.build(input)
    }
}

impl Layer for GlobalMaxPooling1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global::<1>(Pool::SharedMax, input, self.keepdims)
    }
}

impl Layer for GlobalAveragePooling1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global::<1>(Pool::Average, input, self.keepdims)
    }
}
