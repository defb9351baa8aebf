//! Work of each class besides multiply-adds, in words and numbers, for one sample.

use crate::activations::{ActivationKind, AnyActivation};
use crate::layers::{AnyLayer, Interpolation, LayerNormalization};
use crate::shape::{Product, Shape};
use crate::table::with_commas;

/// Work of this layer besides multiply-adds: `a bias is added to 10 sums; softmax of 10 values`.
pub(super) fn describe(layer: &AnyLayer, input: &Shape, output: &Shape) -> String {
    let outputs = with_commas(output.n_values());
    match layer {
        AnyLayer::Dense(layer) => sums(layer.use_bias, &layer.activation, &outputs),
        AnyLayer::Conv1D(layer) => sums(layer.use_bias, &layer.activation, &outputs),
        AnyLayer::Conv2D(layer) => sums(layer.use_bias, &layer.activation, &outputs),
        AnyLayer::Activation(layer) => function(&layer.activation, &outputs),
        AnyLayer::Softmax(_) => format!("softmax of {outputs} values"),
        AnyLayer::ReLU(_) | AnyLayer::LeakyReLU(_) | AnyLayer::PReLU(_) | AnyLayer::ELU(_) => {
            format!("{} of {outputs} values", layer.class_name())
        }
        AnyLayer::MaxPooling1D(layer) => pool("the largest", &[layer.pool_size], &outputs),
        AnyLayer::MaxPooling2D(layer) => pool("the largest", &layer.pool_size, &outputs),
        AnyLayer::AveragePooling1D(layer) => pool("the mean", &[layer.pool_size], &outputs),
        AnyLayer::AveragePooling2D(layer) => pool("the mean", &layer.pool_size, &outputs),
        AnyLayer::GlobalMaxPooling1D(_) | AnyLayer::GlobalMaxPooling2D(_) => {
            pool("the largest", spatial(input), &outputs)
        }
        AnyLayer::GlobalAveragePooling1D(_) | AnyLayer::GlobalAveragePooling2D(_) => {
            pool("the mean", spatial(input), &outputs)
        }
        _ => of_values(layer, input, &outputs),
    }
}

/// Work of a layer that computes each value by itself, or copies it.
fn of_values(layer: &AnyLayer, input: &Shape, outputs: &str) -> String {
    match layer {
        AnyLayer::BatchNormalization(_) => batch_normalization(input, outputs),
        AnyLayer::LayerNormalization(layer) => layer_normalization(layer, input, outputs),
        AnyLayer::Normalization(_) => {
            format!("a subtraction and a division for each of {outputs} values")
        }
        AnyLayer::Rescaling(_) => {
            format!("a multiplication and an addition for each of {outputs} values")
        }
        AnyLayer::Dropout(_) | AnyLayer::SpatialDropout1D(_) | AnyLayer::SpatialDropout2D(_) => {
            format!("in training a factor, 0 or not, for each of {outputs} values")
        }
        AnyLayer::Embedding(layer) => format!(
            "{} vectors of {} values are looked up",
            with_commas(input.n_values()),
            layer.output_dim
        ),
        AnyLayer::Flatten(_) | AnyLayer::Reshape(_) => {
            format!("none, only another shape for the same {outputs} values")
        }
        AnyLayer::RepeatVector(_) | AnyLayer::ZeroPadding2D(_) => {
            format!("{outputs} values are copied")
        }
        AnyLayer::UpSampling2D(layer) => match layer.interpolation {
            Interpolation::Nearest => format!("{outputs} values are copied"),
            Interpolation::Bilinear => {
                format!("the weighted mean of at most 2 × 2 values, {outputs} times")
            }
        },
        other => format!("not known for the class {}", other.class_name()),
    }
}

fn batch_normalization(input: &Shape, outputs: &str) -> String {
    format!(
        "a multiplication and an addition for each of {outputs} values; in training also the mean \
         and the variance of each of {} channels",
        with_commas(input.last())
    )
}

fn layer_normalization(layer: &LayerNormalization, input: &Shape, outputs: &str) -> String {
    let lengths = layer.lengths(input).unwrap_or_default();
    format!(
        "the mean and the variance of each vector of {} values, and a multiplication and an \
         addition for each of {outputs} values",
        Product(&lengths)
    )
}

/// Biases and the activation behind the sums of a layer.
fn sums(use_bias: bool, activation: &AnyActivation, outputs: &str) -> String {
    let mut parts = vec![];
    if use_bias {
        parts.push(format!("a bias is added to {outputs} sums"));
    }
    if !is_linear(activation) {
        parts.push(function(activation, outputs));
    }
    if parts.is_empty() { "none".to_string() } else { parts.join("; ") }
}

fn function(activation: &AnyActivation, outputs: &str) -> String {
    if is_linear(activation) {
        return "none, linear leaves each value as it is".to_string();
    }
    format!("{activation} of {outputs} values")
}

fn is_linear(activation: &AnyActivation) -> bool {
    activation.kind() == Some(ActivationKind::Linear)
}

/// `the largest of 2 × 2 values, 5,408 times`.
fn pool(reduction: &str, window: &[usize], outputs: &str) -> String {
    format!("{reduction} of {} values, {outputs} times", Product(window))
}

/// Axes before the channels.
fn spatial(input: &Shape) -> &[usize] {
    &input.dims()[..input.dims().len().saturating_sub(1)]
}
