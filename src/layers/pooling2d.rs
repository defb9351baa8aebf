//! Pooling over images: each window becomes one pixel, channel by channel. A global one has one
//! window, the whole image.
//!
//! ```text
//! output = ⌊(input − pool) / stride⌋ + 1    valid: windows lie inside the image
//! output = ⌈input / stride⌉                 same: they may reach over its border
//! ```

use super::image::{DataFormat, image};
use super::{Backward, Built, Forward, Layer, LayerSpec, Misfit, Operation, misfit};
use crate::classes::class;
use crate::kernels::convolution::{Axis, Padding};
use crate::kernels::pooling::{self, Pool, Pooling};
use crate::shape::{Shape, flat, flat_mut};

/// Two classes with the same options.
macro_rules! pooling2d {
    ($($(#[$doc:meta])* $class:ident => $pool:expr,)*) => {$(
        class! {
            $(#[$doc])*
            $class {
                /// The height and the width of a window.
                pool_size: [usize; 2] = [2, 2],
                /// How far it moves, down and to the right: by its own size where nothing is said.
                strides: Option<[usize; 2]> = None,
                /// Whether windows may reach over the border.
                padding: Padding = Padding::Valid,
                /// Where the channels lie.
                data_format: DataFormat = DataFormat::ChannelsLast,
            }
        }

        impl LayerSpec for $class {
            fn build(&self, input: &Shape) -> Result<Built, Misfit> {
                let strides = self.strides.unwrap_or(self.pool_size);
                let pooling = windows($pool, image(input)?, self.pool_size, strides, self.padding)?;
                let output = Shape::from([pooling.rows.output, pooling.columns.output, pooling.channels]);
                pooled(output, pooling, "window")
            }
        }
    )*};
}

pooling2d! {
    /// The largest value of each window, channel by channel. What lies outside the image is never
    /// the largest.
    MaxPooling2D => Pool::Max,
    /// The mean of each window, channel by channel. What lies outside the image does not count.
    AveragePooling2D => Pool::Average,
}

/// Two classes with the same options.
macro_rules! global_pooling2d {
    ($($(#[$doc:meta])* $class:ident => $pool:expr,)*) => {$(
        class! {
            $(#[$doc])*
            $class {
                /// Where the channels lie.
                data_format: DataFormat = DataFormat::ChannelsLast,
                /// Whether the output is still an image, of one pixel.
                keepdims: bool = false,
            }
        }

        impl LayerSpec for $class {
            fn build(&self, input: &Shape) -> Result<Built, Misfit> {
                let [height, width, channels] = image(input)?;
                let pooling = windows($pool, [height, width, channels], [height, width], [1, 1], Padding::Valid)?;
                let output = if self.keepdims { Shape::from([1, 1, channels]) } else { Shape::from([channels]) };
                pooled(output, pooling, "channel")
            }
        }
    )*};
}

global_pooling2d! {
    /// The largest value of each channel. As in Keras, and unlike in [`MaxPooling2D`], values that
    /// are equally large share the gradient.
    GlobalMaxPooling2D => Pool::SharedMax,
    /// The mean of each channel.
    GlobalAveragePooling2D => Pool::Average,
}

/// Windows of `size` over an image, from top to bottom and from left to right.
fn windows(
    pool: Pool,
    [height, width, channels]: [usize; 3],
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
) -> Result<Pooling, Misfit> {
    let axis = |length, i: usize| Axis::new(length, size[i], strides[i], 1, padding);
    if let (Some(rows), Some(columns)) = (axis(height, 0), axis(width, 1)) {
        return Ok(Pooling { pool, rows, columns, channels });
    }
    let image = [height, width];
    misfit(
        format!("no window of {size:?} in steps of {strides:?} fits an image of {image:?}"),
        format!(
            "give pool_size and strides at least [1, 1], and pool_size at most {image:?} or padding \"same\""
        ),
    )
}

fn pooled(output: Shape, pooling: Pooling, part: &str) -> Result<Built, Misfit> {
    let value = if pooling.pool == Pool::Average { "mean" } else { "largest value" };
    let reason = format!("it only takes the {value} of each {part}");
    Built::weightless(output, Some(Operation::layer(pooling)), reason)
}

impl Layer for Pooling {
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
