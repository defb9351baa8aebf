//! Axes of the input whose length a file leaves open, `None` in Keras: the data decide it.
//!
//! A model is always built for one length. No parameter depends on an open length: Keras could not
//! have built such a model, and it is refused here.

use super::{Sequential, SequentialBuilder};
use crate::shape::{Shape, tuple};
use crate::{Error, Result};

/// Lengths that are tried for an open axis: the first for which every layer has an output is taken.
const LENGTHS: [usize; 3] = [64, 512, 4096];

/// Open axes of a sample: of the input, then of the output of each layer.
pub(crate) type OpenAxes = Vec<Vec<usize>>;

impl SequentialBuilder {
    /// Builds the model for samples with axes of these lengths; `None` for an open one. Parameters
    /// that depend on an open length are an error.
    pub(crate) fn build_open(mut self, axes: &[Option<usize>], seed: u64) -> Result<Sequential> {
        let with_length = |length: usize| -> Shape {
            axes.iter().map(|axis| axis.unwrap_or(length)).collect::<Vec<usize>>().into()
        };
        let mut length = LENGTHS[0];
        self.input = with_length(length);
        let mut built = self.clone().build(seed);
        if axes.iter().all(Option::is_some) {
            return built;
        }
        for next in LENGTHS {
            if built.is_err() {
                self.input = with_length(next);
                let longer = self.clone().build(seed);
                if longer.is_ok() {
                    length = next;
                    built = longer;
                }
            }
        }
        let mut model = built?;
        // The axes that differ in a longer sample are open.
        self.input = with_length(16 * length);
        self.init_weights = false;
        let longer = self.build(seed)?;
        if !model.has_same_parameters(&longer) {
            let shape = batch_text(&[&[None], axes].concat());
            let problem = format!(
                "the input has the shape {shape}, and the number of weights depends on a length \
                 that is not given"
            );
            return Err(Error::option("input_shape", problem));
        }
        let mut open_axes = vec![different_axes(&model.input, &longer.input)];
        for (layer, longer) in model.layers.iter().zip(&longer.layers) {
            open_axes.push(different_axes(&layer.output, &longer.output));
        }
        model.open_axes = open_axes;
        Ok(model)
    }
}

/// Axes whose lengths differ.
fn different_axes(one: &Shape, other: &Shape) -> Vec<usize> {
    let pairs = one.dims().iter().zip(other.dims());
    pairs.enumerate().filter(|(_, (one, other))| one != other).map(|(axis, _)| axis).collect()
}

impl Sequential {
    /// Axes of an input sample whose length is open.
    pub fn open_axes(&self) -> &[usize] {
        self.open_axes.first().map_or(&[], Vec::as_slice)
    }

    /// The same model, with its weights and its optimizer state, for samples of this shape. It
    /// differs from that of the model in [`Sequential::open_axes`] only.
    ///
    /// # Errors
    /// Another length of an axis that is not open, and a length that is too short for a layer.
    ///
    /// ```
    /// let layers = serde_json::json!([
    ///     { "class_name": "Embedding", "config": {
    ///         "input_dim": 50, "output_dim": 8, "batch_input_shape": [null, null] } },
    ///     { "class_name": "GlobalAveragePooling1D", "config": {} },
    /// ]);
    /// let model = tallynet::formats::from_description(&layers)?.model;
    /// let model = model.with_input_shape(&[20].into())?;
    /// assert_eq!(model.layers()[0].output.dims(), [20, 8]);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn with_input_shape(self, input: &Shape) -> Result<Sequential> {
        if *input == self.input {
            return Ok(self);
        }
        let is_open = |axis: &usize| self.open_axes().contains(axis);
        let has_rank = input.dims().len() == self.input.dims().len();
        if !has_rank || !different_axes(input, &self.input).iter().all(is_open) {
            let wanted = self.shape_text(0);
            let problem = format!("the model takes {wanted}, and the samples are {input}");
            return Err(Error::option("input_shape", problem));
        }
        let Sequential { input, layers, plan, .. } = self.rebuild(None, input, None)?;
        Ok(Sequential { input, layers, plan, ..self })
    }

    /// The shape of a batch of inputs, for 0, or of outputs of the n-th layer; `None` for the batch
    /// axis and for open axes, as in Keras's JSON.
    pub fn batch_shape(&self, n: usize) -> Vec<Option<usize>> {
        let shape = match n.checked_sub(1).and_then(|layer| self.layers.get(layer)) {
            Some(layer) => &layer.output,
            None => &self.input,
        };
        let open = self.open_axes.get(n).map_or(&[][..], Vec::as_slice);
        let mut axes = vec![self.fixed_batch];
        for (axis, &length) in shape.dims().iter().enumerate() {
            axes.push(if open.contains(&axis) { None } else { Some(length) });
        }
        axes
    }

    fn has_same_parameters(&self, other: &Sequential) -> bool {
        let shapes = |model: &Sequential| -> Vec<Vec<usize>> {
            model.parameters.entries.iter().map(|entry| entry.spec.shape.clone()).collect()
        };
        shapes(self) == shapes(other)
    }

    /// [`Sequential::batch_shape`] as Python writes it: `(None, None, 8)`, or `(32, None, 8)` for a
    /// fixed batch size.
    pub(crate) fn shape_text(&self, n: usize) -> String {
        batch_text(&self.batch_shape(n))
    }
}

fn batch_text(axes: &[Option<usize>]) -> String {
    let axis = |axis: &Option<usize>| axis.map_or("None".to_string(), |length| length.to_string());
    tuple(axes.iter().map(axis))
}
