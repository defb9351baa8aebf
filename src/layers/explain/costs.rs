//! Multiply-adds of each class for one sample, in numbers and words. They are computed from the
//! options and the shapes, not from the compute kernels, so that a run of these can prove them.
//!
//! A multiply-add is a product that is added to a sum, 2 FLOPs: an input times a weight in Dense
//! and in convolutions. The convention is that of the papers and of the usual counters: a product
//! with a zero of the padding counts, a bias that is added does not, and neither does work on
//! single values, such as an activation's, which is named in words instead.

use super::elementwise;
use crate::kernels::convolution::Padding;
use crate::layers::{AnyLayer, Conv1D, Conv2D};
use crate::shape::{Product, Shape};

/// Arithmetic of a layer's forward pass on one sample.
#[derive(Debug, Clone, Default)]
pub struct CostExplanation {
    /// Multiply-adds in numbers and words, `784 inputs × 10 units`; empty if there are none.
    pub formula: String,
    /// Value of the formula; `None` for a custom layer, whose work is not known.
    pub multiply_adds: Option<usize>,
    /// Those of them that multiply a zero of the padding.
    pub on_padding: usize,
    /// Work besides multiply-adds, in words: `a bias is added to 10 sums; softmax of 10
    /// values`.
    pub elementwise: String,
}

impl AnyLayer {
    /// Explains the multiply-adds of this layer for a sample of the shapes that it was built for.
    pub(crate) fn explain_cost(&self, input: &Shape, output: &Shape) -> CostExplanation {
        let elementwise = elementwise::describe(self, input, output);
        let mut cost =
            CostExplanation { multiply_adds: Some(0), elementwise, ..CostExplanation::default() };
        match self {
            AnyLayer::Dense(layer) => {
                let (inputs, units) = (input.last(), layer.units);
                let total = input.n_values().saturating_mul(units);
                let rows = &input.dims()[..input.dims().len().saturating_sub(1)];
                if !rows.is_empty() {
                    cost.formula = format!("{} positions × ", Product(rows));
                }
                cost.formula += &format!("{inputs} inputs × {units} units");
                cost.multiply_adds = Some(total);
            }
            AnyLayer::Conv1D(layer) => Windows::from(layer).explain(input, output, &mut cost),
            AnyLayer::Conv2D(layer) => Windows::from(layer).explain(input, output, &mut cost),
            AnyLayer::Custom(_) => cost.multiply_adds = None,
            _ => {}
        }
        cost
    }
}

/// Windows of a convolution, along each axis.
struct Windows<'a> {
    size: &'a [usize],
    strides: &'a [usize],
    dilation_rate: &'a [usize],
    padding: Padding,
}

impl<'a> From<&'a Conv1D> for Windows<'a> {
    fn from(layer: &'a Conv1D) -> Self {
        Windows {
            size: std::slice::from_ref(&layer.kernel_size),
            strides: std::slice::from_ref(&layer.strides),
            dilation_rate: std::slice::from_ref(&layer.dilation_rate),
            padding: layer.padding,
        }
    }
}

impl<'a> From<&'a Conv2D> for Windows<'a> {
    fn from(layer: &'a Conv2D) -> Self {
        Windows {
            size: &layer.kernel_size,
            strides: &layer.strides,
            dilation_rate: &layer.dilation_rate,
            padding: layer.padding,
        }
    }
}

impl Windows<'_> {
    /// Positions × window × channels × filters.
    fn explain(&self, input: &Shape, output: &Shape, cost: &mut CostExplanation) {
        let (channels, filters) = (input.last(), output.last());
        let positions = Product(&output.dims()[..self.size.len()]);
        let window = Product(self.size);
        cost.formula =
            format!("{positions} positions × ({window} × {channels} inputs) × {filters} filters");
        let pairs = channels.saturating_mul(filters);
        let mut all = pairs;
        let mut inside = pairs;
        for axis in 0..self.size.len() {
            let windows = output.dims()[axis];
            all = all.saturating_mul(windows).saturating_mul(self.size[axis]);
            inside = inside.saturating_mul(self.inside(axis, input.dims()[axis], windows));
        }
        cost.multiply_adds = Some(all);
        cost.on_padding = all - inside;
    }

    /// Number of pairs of a window and a position in it that lie on the input, along an axis of
    /// this length.
    fn inside(&self, axis: usize, length: usize, windows: usize) -> usize {
        let (size, stride) = (self.size[axis], self.strides[axis]);
        let extent = (size - 1) * self.dilation_rate[axis] + 1;
        let before = match self.padding {
            Padding::Valid => 0,
            Padding::Same => ((windows - 1) * stride + extent).saturating_sub(length) / 2,
            Padding::Causal => extent - 1,
        };
        let mut pairs = 0;
        for position in 0..size {
            // Windows i with before ≤ i·stride + offset < before + length.
            let offset = position * self.dilation_rate[axis];
            let first = before.saturating_sub(offset).div_ceil(stride);
            let end = (before + length).saturating_sub(offset).div_ceil(stride).min(windows);
            pairs += end.saturating_sub(first);
        }
        pairs
    }
}
