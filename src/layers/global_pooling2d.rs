//! GlobalMaxPooling2D and GlobalAveragePooling2D: one window, as large as the image. Each channel becomes one value.

use serde::{Deserialize, Serialize};

use super::image::{DataFormat, image};
use super::pooling2d::{pooled, windows};
use super::{Built, LayerSpec, Misfit};
use crate::kernels::convolution::Padding;
use crate::kernels::pooling::{Pool, Pooling};
use crate::shape::Shape;

/// The two classes have the same options.
macro_rules! global_pooling2d {
    ($(#[$doc:meta])* $name:ident, $pool:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// Where the channels lie.
            pub data_format: DataFormat,
            /// Whether the output is still an image, of one pixel.
            pub keepdims: bool,
        }

        impl LayerSpec for $name {
            fn build(&self, input: &Shape) -> Result<Built, Misfit> {
                let [height, width, channels] = image(input)?;
                let [rows, columns] = windows([height, width], [height, width], [1, 1], Padding::Valid)?;
                let output = if self.keepdims { Shape::from([1, 1, channels]) } else { Shape::from([channels]) };
                Ok(pooled(output, Pooling { pool: $pool, rows, columns, channels }, "channel"))
            }
        }
    };
}

global_pooling2d! {
    /// The largest value of each channel. As in Keras, and unlike in [`MaxPooling2D`](super::MaxPooling2D), values that
    /// are equally large share the gradient.
    GlobalMaxPooling2D, Pool::SharedMax
}

global_pooling2d! {
    /// The mean of each channel.
    GlobalAveragePooling2D, Pool::Average
}
