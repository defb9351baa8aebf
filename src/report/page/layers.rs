//! Summary: the layers with the arithmetic of their counts, and the proof that the weights agree.

use serde::Serialize;

use crate::Real;
use crate::formats::ArrayCount;
use crate::model::{BuiltLayer, ParamCount, Sequential};
use crate::report::summary::memory;
use crate::report::{LayerCost, LayerVerification};
use crate::shape::Tuple;
use crate::table::with_commas;

/// Summary section of the page.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub layers: Vec<LayerRow>,
    pub total: String,
    pub trainable: String,
    pub frozen: Option<String>,
    /// `320 + 18,496 + 368,650`, if more than one layer has weights.
    pub sum: Option<String>,
    /// The table of the verification, and its end; or the reason why it failed.
    pub proof: Option<String>,
    pub failure: Option<String>,
    /// True if the arrays were counted in the file of the model.
    pub counted_in_file: bool,
    pub size: String,
    /// Multiply-adds of the forward pass for one sample.
    pub multiply_adds: String,
    /// True if the multiply-adds of a layer are not known, and not in the sum.
    pub lacks_multiply_adds: bool,
    /// Shape of the sample they are counted for, if the model has open axes.
    pub counted_for: Option<String>,
}

/// Row of the summary, with its explanation.
#[derive(Debug, Serialize)]
pub struct LayerRow {
    pub name: String,
    pub class: String,
    pub input: String,
    pub output: String,
    pub total: String,
    pub has_weights: bool,
    pub formula: String,
    pub reason: String,
    pub arrays: Vec<ArrayRow>,
    /// Counts by the summary and of the arrays.
    pub in_summary: String,
    pub counted: String,
    pub agrees: bool,
    /// Multiply-adds of the forward pass for one sample; `None` if they are not known.
    pub multiply_adds: Option<String>,
    /// Formula of the multiply-adds; empty if there are none.
    pub multiply_adds_formula: String,
    /// Work besides them.
    pub other_work: String,
}

/// Parameter array of a layer.
#[derive(Debug, Serialize)]
pub struct ArrayRow {
    pub name: String,
    pub shape: String,
    pub counted: String,
    pub is_trainable: bool,
}

/// Summary of a model whose arrays were counted where they are: in its file, or in memory.
pub fn section(model: &Sequential, arrays: &[ArrayCount], counted_in_file: bool) -> Summary {
    let verification = model.verification(arrays);
    let costs = model.costs();
    let mut rows = vec![];
    let mut counts = vec![];
    for (i, counted) in verification.layers.iter().enumerate() {
        if counted.in_summary > 0 {
            counts.push(with_commas(counted.in_summary));
        }
        rows.push(layer_row(&model.layers()[i], counted, &costs[i]));
    }
    let ParamCount { total, trainable } = model.total_params();
    let (proof, failure) = match verification.check() {
        Ok(()) => (Some(verification.text()), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let multiply_adds = model.total_cost().multiply_adds.unwrap_or_default();
    let input = model.input_shape().to_string();
    Summary {
        layers: rows,
        total: with_commas(total),
        trainable: with_commas(trainable),
        frozen: if trainable < total { Some(with_commas(total - trainable)) } else { None },
        sum: if counts.len() > 1 { Some(counts.join(" + ")) } else { None },
        proof,
        failure,
        counted_in_file,
        size: memory(total * size_of::<Real>()),
        multiply_adds: with_commas(multiply_adds.forward),
        lacks_multiply_adds: costs.iter().any(|cost| cost.multiply_adds.is_none()),
        counted_for: if model.open_axes().is_empty() { None } else { Some(input) },
    }
}

/// Row of a layer.
fn layer_row(layer: &BuiltLayer, counted: &LayerVerification, cost: &LayerCost) -> LayerRow {
    let prefix = format!("{}/", counted.name);
    let mut array_rows = vec![];
    for array in &counted.arrays {
        let name = array.name.strip_prefix(&prefix).unwrap_or(&array.name);
        let spec = layer.params.iter().find(|spec| spec.name == name);
        array_rows.push(ArrayRow {
            name: name.to_string(),
            shape: Tuple(&array.shape).to_string(),
            counted: with_commas(array.counted),
            is_trainable: spec.is_none_or(|spec| spec.trainable),
        });
    }
    let work = layer.explain_cost();
    LayerRow {
        name: counted.name.clone(),
        class: layer.spec.class_name().to_string(),
        input: layer.input.to_string(),
        output: layer.output.to_string(),
        total: with_commas(counted.by_formula),
        has_weights: counted.by_formula > 0 || counted.counted > 0,
        formula: counted.formula.clone(),
        reason: layer.explanation.reason.clone(),
        arrays: array_rows,
        in_summary: with_commas(counted.in_summary),
        counted: with_commas(counted.counted),
        agrees: counted.agrees(),
        multiply_adds: cost.multiply_adds.map(|counts| with_commas(counts.forward)),
        multiply_adds_formula: work.formula,
        other_work: work.elementwise,
    }
}
