//! Formulas of the parameter counts of each class with parameters.

use super::ParamExplanation;
use crate::layers::{
    BatchNormalization, Dense, Embedding, LayerNormalization, Normalization, PReLU,
};
use crate::params::ParamSpec;
use crate::shape::{Product, Shape, Tuple};

/// Inputs × units, and biases.
pub(super) fn dense(layer: &Dense, input: &Shape) -> ParamExplanation {
    let (inputs, units) = (input.last(), layer.units);
    let mut formula = format!("{inputs} inputs × {units} units");
    let mut total = inputs.saturating_mul(units);
    let mut bias = "no bias";
    if layer.use_bias {
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

/// Filters of a convolution.
pub(super) struct Filters<'a> {
    pub n: usize,
    /// Lengths of a window.
    pub window: &'a [usize],
    pub use_bias: bool,
}

impl Filters<'_> {
    /// Filters × window × channels, and biases.
    pub fn explain(&self, input: &Shape, output: &Shape) -> ParamExplanation {
        let (filters, channels) = (self.n, input.last());
        let window = Product(self.window);
        let (term, bias) = if self.use_bias {
            (" + 1 bias", ", and a bias of its own")
        } else {
            ("", ", and no bias")
        };
        let mut weights = count(self.window).saturating_mul(channels);
        if self.use_bias {
            weights = weights.saturating_add(1);
        }
        let places = if channels == 1 {
            "its 1 input channel".to_string()
        } else {
            format!("each of {channels} channels")
        };
        let positions = Product(&output.dims()[..self.window.len()]);
        let free = if self.window.len() == 1 {
            "the number of timesteps does not"
        } else {
            "height and width do not"
        };
        ParamExplanation {
            formula: format!("{filters} filters × ({window} × {channels} inputs{term})"),
            total: weights.saturating_mul(filters),
            reason: format!(
                "each of the {filters} filters has a weight for {places} at \
                 {window} positions of its window{bias};\n    it is the same filter at all \
                 {positions} positions, so {free} enter the count"
            ),
        }
    }
}

/// Number of vectors × channels.
pub(super) fn batch_normalization(layer: &BatchNormalization, input: &Shape) -> ParamExplanation {
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
            "each channel has a {}; the moving mean and variance, {} in total, are not trained by \
             gradients",
            names.join(", a "),
            channels.saturating_mul(2)
        ),
    }
}

/// Number of arrays × values along the normalized axes.
pub(super) fn layer_normalization(layer: &LayerNormalization, input: &Shape) -> ParamExplanation {
    let mut names = vec![];
    if layer.scale {
        names.push("gamma");
    }
    if layer.center {
        names.push("beta");
    }
    let lengths = layer.lengths(input).unwrap_or_default();
    let values = Product(&lengths);
    if names.is_empty() {
        return ParamExplanation {
            formula: "no weights".to_string(),
            total: 0,
            reason: "it only normalizes each sample, with no gamma and no beta".to_string(),
        };
    }
    ParamExplanation {
        formula: format!("{} × {values} values", names.len()),
        total: names.len().saturating_mul(count(&lengths)),
        reason: format!(
            "each of the {values} values along the normalized axes has a {}; its mean and variance \
             are computed per sample and are not weights",
            names.join(" and a ")
        ),
    }
}

/// Vocabulary × dimensions.
pub(super) fn embedding(layer: &Embedding) -> ParamExplanation {
    let (vocabulary, width) = (layer.input_dim, layer.output_dim);
    ParamExplanation {
        formula: format!("{vocabulary} tokens × {width} dimensions"),
        total: vocabulary.saturating_mul(width),
        reason: format!(
            "each of the {vocabulary} tokens, 0 to {}, has a vector of {width} values; all \
             positions of the sample share them",
            vocabulary.saturating_sub(1)
        ),
    }
}

/// Mean and variance of each feature, and a count.
pub(super) fn normalization(layer: &Normalization, input: &Shape) -> ParamExplanation {
    let features = if layer.axis.is_empty() { 1 } else { input.last() };
    ParamExplanation {
        formula: format!("2 × {features} features + 1 count"),
        total: features.saturating_mul(2).saturating_add(1),
        reason:
            "each feature has a mean and a variance, which are those of the data; the count of \
                 samples is kept for older files, and none of them is learned"
                .to_string(),
    }
}

/// Product of the axes that do not share slopes.
pub(super) fn prelu(layer: &PReLU, input: &Shape) -> ParamExplanation {
    let mut lengths = vec![];
    let mut shared = vec![];
    for (&length, axis) in input.dims().iter().zip(1..) {
        if layer.shared_axes.iter().flatten().any(|shared| *shared == axis) {
            shared.push(length);
        } else {
            lengths.push(length);
        }
    }
    let total = count(&lengths);
    let slopes = if lengths.is_empty() { "1".to_string() } else { Product(&lengths).to_string() };
    let mut reason =
        format!("each of {slopes} values has its own slope, used where the value is below 0");
    if !shared.is_empty() {
        reason += &format!("; the {} positions of the sample share that slope", Product(&shared));
    }
    ParamExplanation { formula: format!("{slopes} slopes"), total, reason }
}

/// Generic explanation from the arrays: `gamma (24,) + beta (24,)`.
pub(super) fn arrays(params: &[ParamSpec]) -> ParamExplanation {
    let arrays: Vec<_> =
        params.iter().map(|param| format!("{} {}", param.name, Tuple(&param.shape))).collect();
    ParamExplanation {
        formula: arrays.join(" + "),
        total: params.iter().fold(0, |sum, param| sum.saturating_add(param.count())),
        reason: "the sum of the sizes of its arrays".to_string(),
    }
}

/// Product of these lengths.
fn count(lengths: &[usize]) -> usize {
    lengths.iter().fold(1, |product, &length| product.saturating_mul(length))
}
