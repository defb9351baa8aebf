//! Explanations of parameter counts, in numbers and words. They are computed from the options and
//! the input's shape, not from the arrays, so that the summary can be checked against them.

use super::{AnyLayer, BatchNormalization, Built, Conv2D, Dense};
use crate::params::ParamSpec;
use crate::shape::{Shape, Tuple};

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
            AnyLayer::Dense(dense) => of_dense(dense, input),
            AnyLayer::Conv2D(conv) => of_conv2d(conv, input, &built.output),
            AnyLayer::BatchNormalization(normalization) => of_normalization(normalization, input),
            _ if built.params.is_empty() => ParamExplanation {
                formula: "no weights".to_string(),
                total: 0,
                reason: self.without_weights(input),
            },
            _ => of_arrays(&built.params),
        }
    }

    /// Explanation of a layer without parameters.
    fn without_weights(&self, input: &Shape) -> String {
        match self {
            AnyLayer::Activation(layer) => {
                format!("{} only transforms each value", layer.activation)
            }
            AnyLayer::Softmax(_) => "softmax only transforms each value".to_string(),
            AnyLayer::MaxPooling2D(_) => "it only takes the largest value of each window".into(),
            AnyLayer::AveragePooling2D(_) => "it only takes the mean of each window".into(),
            AnyLayer::GlobalMaxPooling2D(_) => {
                "it only takes the largest value of each channel".into()
            }
            AnyLayer::GlobalAveragePooling2D(_) => "it only takes the mean of each channel".into(),
            AnyLayer::Dropout(layer) => {
                format!("it only drops {} % of the values while training", layer.rate * 100.0)
            }
            AnyLayer::Flatten(_) if input.dims().is_empty() => {
                "it only gives the sample an axis".to_string()
            }
            AnyLayer::Flatten(_) => {
                let axes: Vec<_> = input.dims().iter().map(usize::to_string).collect();
                let (product, n) = (axes.join(" × "), input.n_values());
                format!("it only lays the sample's axes end to end: {product} = {n}")
            }
            AnyLayer::Reshape(_) => {
                format!("it only lays the same {} values along other axes", input.n_values())
            }
            AnyLayer::ZeroPadding2D(_) => "it only puts zeros around the image".to_string(),
            AnyLayer::ReLU(layer) if layer.is_plain() => "relu only transforms each value".into(),
            AnyLayer::LeakyReLU(layer) if layer.negative_slope == 0.0 => {
                "relu only transforms each value".into()
            }
            AnyLayer::ELU(layer) if layer.alpha == 1.0 => "elu only transforms each value".into(),
            _ => "it only transforms each value".to_string(),
        }
    }
}

fn of_dense(dense: &Dense, input: &Shape) -> ParamExplanation {
    let (inputs, units) = (input.last(), dense.units);
    let mut formula = format!("{inputs} inputs × {units} units");
    let mut total = inputs.saturating_mul(units);
    let mut bias = "no bias";
    if dense.use_bias {
        formula += &format!(" + {units} biases");
        total = total.saturating_add(units);
        bias = "a bias of its own";
    }
    let mut reason =
        format!("each of the {units} units has {inputs} weights, one per input, and {bias}");
    if input.dims().len() > 1 {
        let positions = input.n_positions();
        reason += &format!("; all {positions} positions of the sample share them");
    }
    ParamExplanation { formula, total, reason }
}

fn of_conv2d(conv: &Conv2D, input: &Shape, output: &Shape) -> ParamExplanation {
    let (filters, [kh, kw], channels) = (conv.filters, conv.kernel_size, input.last());
    let (term, bias) = match conv.use_bias {
        true => (" + 1 bias", ", and a bias of its own"),
        false => ("", ", and no bias"),
    };
    let mut weights = kh.saturating_mul(kw).saturating_mul(channels);
    if conv.use_bias {
        weights = weights.saturating_add(1);
    }
    let positions: Vec<_> = output.dims().iter().take(2).map(usize::to_string).collect();
    ParamExplanation {
        formula: format!("{filters} filters × ({kh} × {kw} × {channels} inputs{term})"),
        total: weights.saturating_mul(filters),
        reason: format!(
            "each of the {filters} filters has a weight for each of {channels} channels at \
             {kh} × {kw} positions of its window{bias};\n    it is the same filter at all {} \
             positions, so height and width do not enter the count",
            positions.join(" × ")
        ),
    }
}

fn of_normalization(layer: &BatchNormalization, input: &Shape) -> ParamExplanation {
    let channels = input.last();
    let mut names = vec![];
    if layer.scale {
        names.push("gamma");
    }
    if layer.center {
        names.push("beta");
    }
    names.extend(["moving mean", "moving variance"]);
    ParamExplanation {
        formula: format!("{} × {channels} channels", names.len()),
        total: names.len().saturating_mul(channels),
        reason: format!(
            "each channel has a {}; no gradient moves the moving mean and variance, {} of them all",
            names.join(", a "),
            channels.saturating_mul(2)
        ),
    }
}

/// Generic explanation from the arrays: `gamma (24,) + beta (24,)`.
fn of_arrays(params: &[ParamSpec]) -> ParamExplanation {
    let arrays: Vec<_> =
        params.iter().map(|param| format!("{} {}", param.name, Tuple(&param.shape))).collect();
    ParamExplanation {
        formula: arrays.join(" + "),
        total: params.iter().fold(0, |sum, param| sum.saturating_add(param.count())),
        reason: "the values of its arrays, added up".to_string(),
    }
}
