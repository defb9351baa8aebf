//! Pooling over images; the sizes are in `pooling.rs`.

use super::pooling::{PoolingOptions, build_global};
use super::{Built, Layer};
use crate::Result;
use crate::classes::class;
use crate::kernels::convolution::Padding;
use crate::kernels::pooling::Pool;
use crate::shape::Shape;

class! {
    /// Maximum of each window, channel by channel. Pixels outside the image do not count.
    ///
    /// ```
    /// use tallynet::layers::{Layer, MaxPooling2D};
    ///
    /// let built = MaxPooling2D::default().build(&[26, 26, 32].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 13, 13, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    MaxPooling2D {
        /// Height and width of a window.
        pool_size: [usize; 2] = [2, 2],
        /// Strides: pixels from one window to the next, down and to the right; by default the pool
        /// size.
        strides: Option<[usize; 2]> = None,
        /// Padding of the image.
        padding: Padding = Padding::Valid,
    }
}

class! {
    /// Mean of each window, channel by channel. Pixels outside the image do not count.
    ///
    /// ```
    /// use tallynet::layers::{AveragePooling2D, Layer};
    ///
    /// let built = AveragePooling2D::default().build(&[26, 26, 32].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 13, 13, 32)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    AveragePooling2D {
        /// Height and width of a window.
        pool_size: [usize; 2] = [2, 2],
        /// Strides: pixels from one window to the next, down and to the right; by default the pool
        /// size.
        strides: Option<[usize; 2]> = None,
        /// Padding of the image.
        padding: Padding = Padding::Valid,
    }
}

class! {
    /// Maximum of each channel. As in Keras, and unlike in [`MaxPooling2D`], equal maxima share the
    /// gradient.
    ///
    /// ```
    /// use tallynet::layers::{GlobalMaxPooling2D, Layer};
    ///
    /// let built = GlobalMaxPooling2D::default().build(&[7, 7, 64].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 64)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    GlobalMaxPooling2D {
        /// True to keep the output an image, of one pixel.
        keepdims: bool = false,
    }
}

class! {
    /// Mean of each channel.
    ///
    /// ```
    /// use tallynet::layers::{GlobalAveragePooling2D, Layer};
    ///
    /// let built = GlobalAveragePooling2D { keepdims: true }.build(&[7, 7, 64].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 1, 1, 64)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    GlobalAveragePooling2D {
        /// True to keep the output an image, of one pixel.
        keepdims: bool = false,
    }
}

impl Layer for MaxPooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let options = PoolingOptions {
            pool: Pool::Max,
            size: self.pool_size,
            strides: self.strides,
            padding: self.padding,
        };
        options.build(input)
    }
}

impl Layer for AveragePooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let options = PoolingOptions {
            pool: Pool::Average,
            size: self.pool_size,
            strides: self.strides,
            padding: self.padding,
        };
        options.build(input)
    }
}

impl Layer for GlobalMaxPooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global::<2>(Pool::SharedMax, input, self.keepdims)
    }
}

impl Layer for GlobalAveragePooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global::<2>(Pool::Average, input, self.keepdims)
    }
}
