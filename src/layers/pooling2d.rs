//! Pooling over images: each window becomes one pixel, channel by channel. A global pool has one
//! window, the whole image.
//!
//! ```text
//! output = ⌊(input − pool) / stride⌋ + 1    valid: windows stay inside the image
//! output = ⌈input / stride⌉                 same: they may reach over its border
//! ```

use super::image::image;
use super::{Backward, Built, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::kernels::convolution::{Axis, Padding};
use crate::kernels::pooling::{self, Pool, Pooling};
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

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
        /// Pixels from one window to the next, down and to the right; by default the pool size.
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
        /// Pixels from one window to the next, down and to the right; by default the pool size.
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
        let windows =
            Windows { size: self.pool_size, strides: self.strides, padding: self.padding };
        windows.build(Pool::Max, input)
    }
}

impl Layer for AveragePooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let windows =
            Windows { size: self.pool_size, strides: self.strides, padding: self.padding };
        windows.build(Pool::Average, input)
    }
}

impl Layer for GlobalMaxPooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global(Pool::SharedMax, input, self.keepdims)
    }
}

impl Layer for GlobalAveragePooling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        build_global(Pool::Average, input, self.keepdims)
    }
}

/// Windows over an image, from top to bottom and from left to right.
struct Windows {
    size: [usize; 2],
    strides: Option<[usize; 2]>,
    padding: Padding,
}

impl Windows {
    fn build(&self, pool: Pool, input: &Shape) -> Result<Built> {
        let pooling = self.pooling(pool, input)?;
        let output = Shape::from([pooling.rows.output, pooling.columns.output, pooling.channels]);
        Ok(Built::weightless(output, Some(Operation::op(pooling))))
    }

    fn pooling(&self, pool: Pool, input: &Shape) -> Result<Pooling> {
        let [height, width, channels] = image(input)?;
        let strides = self.strides.unwrap_or(self.size);
        let rows = Axis::new(height, self.size[0], strides[0], 1, self.padding);
        let columns = Axis::new(width, self.size[1], strides[1], 1, self.padding);
        if let (Some(rows), Some(columns)) = (rows, columns) {
            return Ok(Pooling { pool, rows, columns, channels });
        }
        let (size, image) = (self.size, [height, width]);
        Err(Error::shape(
            format!("no window of {size:?} in steps of {strides:?} fits an image of {image:?}"),
            format!(
                "give pool_size and strides at least [1, 1], and pool_size at most {image:?} or \
                 padding \"same\""
            ),
        ))
    }
}

fn build_global(pool: Pool, input: &Shape, keepdims: bool) -> Result<Built> {
    let [height, width, channels] = image(input)?;
    let windows = Windows { size: [height, width], strides: Some([1, 1]), padding: Padding::Valid };
    let pooling = windows.pooling(pool, input)?;
    let output = if keepdims { Shape::from([1, 1, channels]) } else { Shape::from([channels]) };
    Ok(Built::weightless(output, Some(Operation::op(pooling))))
}

impl Op for Pooling {
    fn forward(&self, pass: Forward) {
        pooling::forward(self, flat(pass.x), flat_mut(pass.y), pass.scratch);
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            pooling::backward(self, flat(pass.x), flat(pass.dy), flat_mut(dx), pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        Pooling::scratch_len(self)
    }
}
