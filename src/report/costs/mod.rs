//! Costs of a model for one sample, layer by layer: multiply-adds, activations and bytes.
//!
//! The gradient of a kernel takes as many multiply-adds as the forward pass, and so does the
//! gradient of an input. A layer needs the first if training updates its kernel, and the second if
//! it updates a layer below. The counts are those of the formulas: a faster algorithm, such as
//! Winograd's, takes fewer.

mod count;
mod table;

pub use count::{Extent, MultiplyAddCount};
pub use table::multiply_add_table;

use crate::Real;
use crate::kernels::counting::{Gradients, MultiplyAdds};
use crate::layers::CostExplanation;
use crate::model::{BuiltLayer, Sequential, Style};
use crate::shape::Product;
use crate::table::with_commas;

/// Head of the explanation.
const CONVENTION: &str = "\
How the multiply-adds and the bytes are counted, for one sample

A multiply-add is one product that is added to a sum: 2 FLOPs. Dense and convolutions consist of
them: each number of their output is a sum of inputs times weights. Products with the zeros of a
padding count; a bias that is added does not. Other layers have none: their work on single values
is named, and not counted. The backward pass costs the same again for the kernel's gradient, and
once more for the gradient of the layer's input.
Activations are the numbers of a layer's output, even where it shares the memory of its input.
";

/// Width of a line of the explanation.
const MAX_COLUMNS: usize = 100;

/// Cost of a layer for one sample, or of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LayerCost {
    /// Multiply-adds; `None` if they are not known, since the layer is from outside the crate.
    pub multiply_adds: Option<MultiplyAdds>,
    /// Numbers of the output.
    pub activations: usize,
    /// Number of parameters.
    pub params: usize,
}

impl LayerCost {
    /// Bytes of the output.
    pub fn activation_bytes(&self) -> usize {
        self.activations.saturating_mul(size_of::<Real>())
    }

    /// Bytes of the parameters.
    pub fn param_bytes(&self) -> usize {
        self.params.saturating_mul(size_of::<Real>())
    }
}

impl BuiltLayer {
    /// Arithmetic of the forward pass on one sample.
    ///
    /// ```
    /// use tallynet::layers::Dense;
    /// use tallynet::model::Sequential;
    ///
    /// let model = Sequential::builder([784]).add(Dense::new(10)).build(0)?;
    /// let cost = model.layers()[0].explain_cost();
    /// assert_eq!(cost.formula, "784 inputs × 10 units");
    /// assert_eq!(cost.multiply_adds, Some(7840));
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn explain_cost(&self) -> CostExplanation {
        self.spec.explain_cost(&self.input, &self.output)
    }

    /// True if training updates any of its parameters.
    fn is_trained(&self) -> bool {
        self.params.iter().any(|param| param.trainable)
    }
}

impl Sequential {
    /// Cost of each layer for one sample, from the formulas. Open axes have the lengths that the
    /// model was built for.
    ///
    /// ```
    /// let model = tallynet::model::presets::named("mnist-softmax")?.build(0)?;
    /// let dense = model.costs()[1];
    /// assert_eq!(dense.multiply_adds.unwrap().forward, 7840);
    /// assert_eq!(dense.multiply_adds.unwrap().forward_and_backward(), 15680);
    /// assert_eq!((dense.activations, dense.params), (10, 7850));
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn costs(&self) -> Vec<LayerCost> {
        let mut costs = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let CostExplanation { multiply_adds, on_padding, .. } = layer.explain_cost();
            let Gradients { kernel, input } = self.needed_gradients(i);
            let multiply_adds = multiply_adds.map(|forward| MultiplyAdds {
                forward,
                on_padding,
                kernel_gradient: if kernel { forward } else { 0 },
                input_gradient: if input { forward } else { 0 },
            });
            let (activations, params) = (layer.output.n_values(), layer.count_params().total);
            costs.push(LayerCost { multiply_adds, activations, params });
        }
        costs
    }

    /// Sum of [`Sequential::costs`]; layers whose multiply-adds are not known are left out.
    pub fn total_cost(&self) -> LayerCost {
        self.total_of(&self.costs())
    }

    /// Sum of the costs of the layers.
    fn total_of(&self, costs: &[LayerCost]) -> LayerCost {
        let mut sum = MultiplyAdds::default();
        let mut activations = 0usize;
        for cost in costs {
            sum = sum.plus(cost.multiply_adds.unwrap_or_default());
            activations = activations.saturating_add(cost.activations);
        }
        LayerCost { multiply_adds: Some(sum), activations, params: self.count_params() }
    }

    /// Gradients that a layer needs in training.
    pub(super) fn needed_gradients(&self, i: usize) -> Gradients {
        let below = &self.layers()[..i];
        Gradients {
            kernel: self.layers()[i].is_trained(),
            input: below.iter().any(BuiltLayer::is_trained),
        }
    }

    /// Explanation of the multiply-adds, activations and bytes of each layer for one sample, in
    /// numbers and words, with the names of this style.
    pub fn explain_costs(&self, style: Style) -> String {
        let mut text = CONVENTION.to_string();
        let bytes = size_of::<Real>();
        text += &format!("A number takes {bytes} bytes (float{}).\n", 8 * bytes);
        text += &self.open_lengths();
        text += "\n";
        let costs = self.costs();
        for (i, (layer, cost)) in self.layers().iter().zip(&costs).enumerate() {
            let (input, output) = (self.shape_text(i), self.shape_text(i + 1));
            text += &format!("{}: {input} -> {output}\n", layer.title(style));
            text += &work(&layer.explain_cost(), cost, self.needed_gradients(i));
            text += &memory(layer, cost);
        }
        text + &self.total_lines(&costs)
    }

    /// Lengths that stand for open axes, if there are any.
    fn open_lengths(&self) -> String {
        if self.open_axes().is_empty() {
            return String::new();
        }
        let input = self.input_shape();
        format!(
            "The data decide the lengths that the shapes leave open; these counts are for \
             {input}.\n"
        )
    }

    fn total_lines(&self, costs: &[LayerCost]) -> String {
        let total = self.total_of(costs);
        let total_work = total.multiply_adds.unwrap_or_default();
        let known: Vec<MultiplyAdds> = costs.iter().filter_map(|cost| cost.multiply_adds).collect();
        let forward = sum(known.iter().map(|each| each.forward));
        let both = sum(known.iter().map(MultiplyAdds::forward_and_backward));
        let activations = sum(costs.iter().map(|cost| cost.activations));
        let mut text = format!(
            "\nTotal for one sample\n    forward: {forward} multiply-adds{}\n    forward and \
             backward: {both} multiply-adds{}\n    activations: {activations} numbers, {} \
             bytes\n    parameters: {}, {} bytes\n",
            flops(total_work.forward),
            flops(total_work.forward_and_backward()),
            with_commas(total.activation_bytes()),
            with_commas(total.params),
            with_commas(total.param_bytes()),
        );
        if known.len() < costs.len() {
            let n = costs.len() - known.len();
            text += &format!("    without the multiply-adds of {n} layers, which are not known\n");
        }
        text + "A batch of n samples takes n times the multiply-adds and the activations, and the \
                same parameters.\n"
    }
}

/// Lines on the multiply-adds of a layer and its other work.
fn work(explanation: &CostExplanation, cost: &LayerCost, gradients: Gradients) -> String {
    let CostExplanation { formula, elementwise, .. } = explanation;
    let Some(counts) = cost.multiply_adds else {
        return format!("    multiply-adds: {elementwise}\n");
    };
    if formula.is_empty() {
        return format!("    no multiply-adds\n{}", other_work(elementwise));
    }
    let n = with_commas(counts.forward);
    let mut text = format!("    forward: {formula} = {n} multiply-adds\n");
    if counts.on_padding > 0 {
        let zeros = with_commas(counts.on_padding);
        text += &format!("        {zeros} of them multiply zeros of the padding\n");
    }
    let backward = match (gradients.kernel, gradients.input) {
        (true, true) => {
            let both = with_commas(counts.backward());
            format!("{n} for the gradient of the kernel + {n} for that of the input = {both}")
        }
        (true, false) => format!(
            "{n} for the gradient of the kernel;\n        none for that of the input, since no \
             layer before it has weights to train"
        ),
        (false, true) => {
            format!("{n} for the gradient of the input; none for the kernel, which is frozen")
        }
        (false, false) => "none: neither it nor a layer before it has weights to train".to_string(),
    };
    let sum = with_commas(counts.forward_and_backward());
    text += &format!("    backward: {backward}\n    forward and backward: {sum}\n");
    text + &other_work(elementwise)
}

/// Line on the work besides multiply-adds. A long one is broken after the last comma or
/// semicolon that fits.
fn other_work(elementwise: &str) -> String {
    let line = format!("    other work: {elementwise}");
    let mut end = line.len();
    for (at, _) in line.match_indices(' ').take_while(|(at, _)| *at <= MAX_COLUMNS) {
        if line.len() > MAX_COLUMNS && line[..at].ends_with([';', ',']) {
            end = at;
        }
    }
    match line[end..].trim_start() {
        "" => format!("{line}\n"),
        rest => format!("{}\n        {rest}\n", &line[..end]),
    }
}

/// Line on the activations of a layer, and one on its parameters if it has any.
fn memory(layer: &BuiltLayer, cost: &LayerCost) -> String {
    let n = with_commas(cost.activations);
    let dims = layer.output.dims();
    let product = if dims.len() > 1 { format!("{} = ", Product(dims)) } else { String::new() };
    let bytes = with_commas(cost.activation_bytes());
    let mut text = format!("    activations: {product}{n} numbers, {bytes} bytes\n");
    if cost.params > 0 {
        let (n, bytes) = (with_commas(cost.params), with_commas(cost.param_bytes()));
        text += &format!("    parameters: {n}, {bytes} bytes\n");
    }
    text
}

/// ` = 15,680 FLOPs` for 7840 multiply-adds.
fn flops(multiply_adds: usize) -> String {
    format!(" = {} FLOPs", with_commas(multiply_adds.saturating_mul(2)))
}

/// `7,840 + 100 = 7,940`, without the terms that are 0.
fn sum(terms: impl Iterator<Item = usize>) -> String {
    let terms: Vec<usize> = terms.filter(|term| *term > 0).collect();
    let total = with_commas(terms.iter().fold(0, |sum, term| sum.saturating_add(*term)));
    if terms.len() < 2 {
        return total;
    }
    let words: Vec<String> = terms.iter().map(|term| with_commas(*term)).collect();
    format!("{} = {total}", words.join(" + "))
}
