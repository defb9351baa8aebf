//! Explanations of parameter counts, in numbers and words. They are computed from the options and
//! the input's shape, not from the arrays, so that the summary can be checked against them.

mod costs;
mod elementwise;
mod formulas;

pub use costs::CostExplanation;

use super::{AnyLayer, Built};
use crate::shape::{Product, Shape};
use formulas::Filters;

/// Arithmetic of a layer's parameter count.
#[derive(Debug, Clone, Default)]
pub struct ParamExplanation {
    /// In numbers and words: `784 inputs × 10 units + 10 biases`.
    pub formula: String,
    /// Value of the formula.
    pub total: usize,
    /// Reason for the formula, in words.
    pub reason: String,
}

impl AnyLayer {
    /// Explains the parameter count of this layer on an input of this shape. A layer without an
    /// explanation of its own gets one from its arrays.
    pub fn explain(&self, input: &Shape, built: &Built) -> ParamExplanation {
        match self {
            AnyLayer::Dense(layer) => formulas::dense(layer, input),
            AnyLayer::Conv1D(layer) => {
                let window = &[layer.kernel_size];
                let filters = Filters { n: layer.filters, window, use_bias: layer.use_bias };
                filters.explain(input, &built.output)
            }
            AnyLayer::Conv2D(layer) => {
                let window = &layer.kernel_size;
                let filters = Filters { n: layer.filters, window, use_bias: layer.use_bias };
                filters.explain(input, &built.output)
            }
            AnyLayer::BatchNormalization(layer) => formulas::batch_normalization(layer, input),
            AnyLayer::LayerNormalization(layer) => formulas::layer_normalization(layer, input),
            AnyLayer::Embedding(layer) => formulas::embedding(layer),
            AnyLayer::Normalization(layer) if layer.mean.is_none() => {
                formulas::normalization(layer, input)
            }
            AnyLayer::PReLU(layer) => formulas::prelu(layer, input),
            _ if built.params.is_empty() => ParamExplanation {
                formula: "no weights".to_string(),
                total: 0,
                reason: self.without_weights(input),
            },
            _ => formulas::arrays(&built.params),
        }
    }

    /// Explanation of a layer without parameters.
    fn without_weights(&self, input: &Shape) -> String {
        match self {
            AnyLayer::Activation(layer) => {
                format!("{} only transforms each value", layer.activation)
            }
            AnyLayer::MaxPooling1D(_) | AnyLayer::MaxPooling2D(_) => {
                "it only takes the largest value of each window".to_string()
            }
            AnyLayer::AveragePooling1D(_) | AnyLayer::AveragePooling2D(_) => {
                "it only takes the mean of each window".to_string()
            }
            AnyLayer::GlobalMaxPooling1D(_) | AnyLayer::GlobalMaxPooling2D(_) => {
                "it only takes the largest value of each channel".to_string()
            }
            AnyLayer::GlobalAveragePooling1D(_) | AnyLayer::GlobalAveragePooling2D(_) => {
                "it only takes the mean of each channel".to_string()
            }
            AnyLayer::Dropout(layer) => drops(layer.rate, "values"),
            AnyLayer::SpatialDropout1D(layer) => drops(layer.rate, "channels"),
            AnyLayer::SpatialDropout2D(layer) => drops(layer.rate, "channels"),
            AnyLayer::RepeatVector(layer) => {
                format!("it only repeats the vector {} times", layer.n)
            }
            AnyLayer::UpSampling2D(_) => "it only enlarges the image".to_string(),
            AnyLayer::Normalization(_) => {
                "its mean and variance are options, and not learned".to_string()
            }
            AnyLayer::Flatten(_) if input.dims().is_empty() => "it only adds an axis".to_string(),
            AnyLayer::Flatten(_) => {
                let product = Product(input.dims());
                let n = input.n_values();
                format!("it only flattens the sample: {product} = {n}")
            }
            AnyLayer::Reshape(_) => {
                format!("it only reshapes the {} values", input.n_values())
            }
            AnyLayer::ZeroPadding2D(_) => "it only puts zeros around the image".to_string(),
            _ => format!("{} only transforms each value", self.function()),
        }
    }

    /// Name of the function of each value that this layer is.
    fn function(&self) -> &'static str {
        match self {
            AnyLayer::ReLU(layer) if layer.is_plain() => "relu",
            AnyLayer::LeakyReLU(layer) if layer.negative_slope == 0.0 => "relu",
            AnyLayer::ELU(layer) if layer.alpha == 1.0 => "elu",
            AnyLayer::Softmax(_) => "softmax",
            _ => "it",
        }
    }
}

fn drops(rate: f64, what: &str) -> String {
    format!("it only drops {} % of the {what} while training", rate * 100.0)
}
