//! Built-in layers. A [`Layer`] holds the options, under Keras's names; for a given input shape it
//! builds an [`Op`], which computes the forward and the backward pass.
//!
//! The traits of all layers are in `protocol.rs`, the explanations of parameter counts in
//! `explain/`, and what the layers over images and sequences share in `windows.rs`,
//! `convolution.rs` and `pooling.rs`.

mod batch_normalization;
mod conv1d;
mod conv2d;
mod convolution;
mod dense;
mod dropout;
mod embedding;
mod explain;
mod formula;
mod layer_normalization;
mod normalization;
mod pointwise;
mod pooling;
mod pooling1d;
mod pooling2d;
mod prelu;
mod protocol;
mod repeat_vector;
mod reshape;
mod up_sampling2d;
mod windows;
mod zero_padding2d;

pub use batch_normalization::BatchNormalization;
pub use conv1d::Conv1D;
pub use conv2d::Conv2D;
pub use dense::Dense;
pub use dropout::{Dropout, SpatialDropout1D, SpatialDropout2D};
pub use embedding::Embedding;
pub use explain::{CostExplanation, ParamExplanation};
pub use formula::{FeatureStatistics, Formula};
pub use layer_normalization::LayerNormalization;
pub use normalization::Normalization;
pub use pointwise::{Activation, ELU, LeakyReLU, ReLU, Rescaling, Softmax};
pub use pooling1d::{AveragePooling1D, GlobalAveragePooling1D, GlobalMaxPooling1D, MaxPooling1D};
pub use pooling2d::{AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D};
pub use prelu::PReLU;
pub use protocol::{
    Backward, BatchStatistics, Built, Forward, Layer, Op, Operation, StepContext, TrainContext,
};
pub use repeat_vector::RepeatVector;
pub use reshape::{Flatten, Reshape};
pub use up_sampling2d::{Interpolation, UpSampling2D};
pub use zero_padding2d::ZeroPadding2D;

use crate::classes::classes;

classes! {
    /// A layer of any class, not yet built.
    AnyLayer: Layer as as_layer {
        "Activation" => Activation,
        "AveragePooling1D" => AveragePooling1D,
        "AveragePooling2D" => AveragePooling2D,
        "BatchNormalization" => BatchNormalization,
        "Conv1D" => Conv1D,
        "Conv2D" => Conv2D,
        "Dense" => Dense,
        "Dropout" => Dropout,
        "ELU" => ELU,
        "Embedding" => Embedding,
        "Flatten" => Flatten,
        "GlobalAveragePooling1D" => GlobalAveragePooling1D,
        "GlobalAveragePooling2D" => GlobalAveragePooling2D,
        "GlobalMaxPooling1D" => GlobalMaxPooling1D,
        "GlobalMaxPooling2D" => GlobalMaxPooling2D,
        "LayerNormalization" => LayerNormalization,
        "LeakyReLU" => LeakyReLU,
        "MaxPooling1D" => MaxPooling1D,
        "MaxPooling2D" => MaxPooling2D,
        "Normalization" => Normalization,
        "PReLU" => PReLU,
        "ReLU" => ReLU,
        "RepeatVector" => RepeatVector,
        "Rescaling" => Rescaling,
        "Reshape" => Reshape,
        "Softmax" => Softmax,
        "SpatialDropout1D" => SpatialDropout1D,
        "SpatialDropout2D" => SpatialDropout2D,
        "UpSampling2D" => UpSampling2D,
        "ZeroPadding2D" => ZeroPadding2D,
    }
}
