//! Built-in layers. A [`Layer`] holds the options, under Keras's names; for a given input shape it
//! builds an [`Op`], which computes the forward and the backward pass.
//!
//! The traits of all layers are in `protocol.rs`, the explanations of parameter counts in
//! `explain.rs`, and what the layers over images and sequences share in `windows.rs`,
//! `convolution.rs` and `pooling.rs`.

mod batch_normalization;
mod conv2d;
mod dense;
mod dropout;
mod explain;
mod image;
mod pointwise;
mod pooling2d;
mod protocol;
mod reshape;

pub use batch_normalization::BatchNormalization;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::Dropout;
pub use explain::ParamExplanation;
pub use image::ZeroPadding2D;
pub use pointwise::{Activation, ELU, LeakyReLU, ReLU, Rescaling, Softmax};
pub use pooling2d::{AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D};
pub use protocol::{
    Backward, BatchStatistics, Built, Forward, Layer, Op, Operation, StepContext, TrainContext,
};
pub use reshape::{Flatten, Reshape};

use crate::classes::classes;

classes! {
    /// A layer of any class, not yet built.
    AnyLayer: Layer as as_layer {
        "Activation" => Activation,
        "AveragePooling2D" => AveragePooling2D,
        "BatchNormalization" => BatchNormalization,
        "Conv2D" => Conv2D,
        "Dense" => Dense,
        "Dropout" => Dropout,
        "ELU" => ELU,
        "Flatten" => Flatten,
        "GlobalAveragePooling2D" => GlobalAveragePooling2D,
        "GlobalMaxPooling2D" => GlobalMaxPooling2D,
        "LeakyReLU" => LeakyReLU,
        "MaxPooling2D" => MaxPooling2D,
        "ReLU" => ReLU,
        "Rescaling" => Rescaling,
        "Reshape" => Reshape,
        "Softmax" => Softmax,
        "ZeroPadding2D" => ZeroPadding2D,
    }
}
