//! MaxPooling2D and AveragePooling2D: each window over an image becomes one pixel.
//!
//! ```text
//! output = ⌊(input − pool) / stride⌋ + 1    valid: windows lie inside the image
//! output = ⌈input / stride⌉                 same: they may reach over its border
//! ```

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::image::{DataFormat, image};
use super::{Backward, Built, Layer, LayerSpec, Misfit, Operation};
use crate::Real;
use crate::kernels::convolution::{Axis, Padding};
use crate::kernels::pooling::{self, Pool, Pooling};
use crate::shape::Shape;

/// The two classes have the same options.
macro_rules! pooling2d {
    ($(#[$doc:meta])* $name:ident, $pool:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The height and the width of a window.
            pub pool_size: [usize; 2],
            /// How far it moves, down and to the right: by its own size where nothing is said.
            pub strides: Option<[usize; 2]>,
            /// Whether windows may reach over the border.
            pub padding: Padding,
            /// Where the channels lie.
            pub data_format: DataFormat,
        }

        impl Default for $name {
            fn default() -> Self {
                let (padding, data_format) = Default::default();
                $name { pool_size: [2, 2], strides: None, padding, data_format }
            }
        }

        impl LayerSpec for $name {
            fn build(&self, input: &Shape) -> Result<Built, Misfit> {
                let [height, width, channels] = image(input)?;
                let strides = self.strides.unwrap_or(self.pool_size);
                let [rows, columns] = windows([height, width], self.pool_size, strides, self.padding)?;
                let output = Shape::from([rows.output, columns.output, channels]);
                Ok(pooled(output, Pooling { pool: $pool, rows, columns, channels }, "window"))
            }
        }
    };
}

pooling2d! {
    /// The largest value of each window, channel by channel. What lies outside the image is never the largest.
    MaxPooling2D, Pool::Max
}

pooling2d! {
    /// The mean of each window, channel by channel. What lies outside the image does not count.
    AveragePooling2D, Pool::Average
}

/// Windows of `size` over an image, from top to bottom and from left to right.
pub(super) fn windows(
    image: [usize; 2],
    size: [usize; 2],
    strides: [usize; 2],
    padding: Padding,
) -> Result<[Axis; 2], Misfit> {
    let axis = |i: usize| Axis::new(image[i], size[i], strides[i], 1, padding);
    match (axis(0), axis(1)) {
        (Some(rows), Some(columns)) => Ok([rows, columns]),
        _ => Err(Misfit::new(
            format!("no window of {size:?} in steps of {strides:?} fits an image of {image:?}"),
            format!("give pool_size and strides at least [1, 1], and pool_size at most {image:?} or padding \"same\""),
        )),
    }
}

/// The layer that pools what is named so.
pub(super) fn pooled(output: Shape, pooling: Pooling, part: &str) -> Built {
    let value = if pooling.pool == Pool::Average { "mean" } else { "largest value" };
    let operation = Operation::Layer(Box::new(PoolingLayer(pooling)));
    Built::weightless(output, Some(operation), format!("it only takes the {value} of each {part}"))
}

struct PoolingLayer(Pooling);

impl Layer for PoolingLayer {
    fn forward(&self, _: &[Real], x: ArrayView2<Real>, mut y: ArrayViewMut2<Real>, _: &mut [Real]) {
        pooling::forward(&self.0, slice(&x), y.as_slice_mut().unwrap_or_default());
    }

    fn backward(&self, pass: Backward) {
        if let Some(mut dx) = pass.dx {
            let dx = dx.as_slice_mut().unwrap_or_default();
            pooling::backward(&self.0, slice(&pass.x), slice(&pass.dy), dx, pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        self.0.scratch_len()
    }

    fn work(&self) -> usize {
        0
    }
}

fn slice<'a>(rows: &'a ArrayView2<Real>) -> &'a [Real] {
    rows.as_slice().expect("rows without gaps")
}
