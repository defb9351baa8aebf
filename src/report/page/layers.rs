//! Summary: the layers with the arithmetic of their counts, and the proof that the weights agree.

use serde::Serialize;

use super::text::count;
use crate::Result;
use crate::model::{ArrayCount, BuiltLayer, Sequential, Style};
use crate::shape::Tuple;

/// Summary section of the page.
#[derive(Debug, Serialize)]
pub struct Summary {
    pub layers: Vec<LayerRow>,
    pub input: String,
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
pub fn section(
    model: &Sequential,
    arrays: &[ArrayCount],
    counted_in_file: bool,
) -> Result<Summary> {
    let mut rows = vec![];
    let mut counts = vec![];
    let mut trainable = 0;
    for layer in model.layers() {
        let params = layer.count_params();
        trainable += if layer.trainable { params.trainable } else { 0 };
        if params.total > 0 {
            counts.push(count(params.total));
        }
        rows.push(layer_row(layer, arrays));
    }
    let total = model.count_params();
    let (proof, failure) = match model.verify_arrays(arrays) {
        Ok(proof) => (Some(proof), None),
        Err(error) => (None, Some(error.to_string())),
    };
    Ok(Summary {
        layers: rows,
        input: model.input_shape().to_string(),
        total: count(total),
        trainable: count(trainable),
        frozen: if trainable < total { Some(count(total - trainable)) } else { None },
        sum: if counts.len() > 1 { Some(counts.join(" + ")) } else { None },
        proof,
        failure,
        counted_in_file,
        size: model
            .summary(Style::Keras3, None)
            .lines()
            .find_map(size_of_total)
            .unwrap_or_default(),
    })
}

/// Row of a layer, with those of these arrays that are its own.
fn layer_row(layer: &BuiltLayer, arrays: &[ArrayCount]) -> LayerRow {
    let prefix = format!("{}/", layer.name());
    let mut array_rows = vec![];
    let mut counted = 0;
    for array in arrays {
        let Some(name) = array.name.strip_prefix(&prefix) else { continue };
        counted += array.counted;
        let spec = layer.params.iter().find(|spec| spec.name == name);
        array_rows.push(ArrayRow {
            name: name.to_string(),
            shape: Tuple(&array.shape).to_string(),
            counted: count(array.counted),
            is_trainable: layer.trainable && spec.is_none_or(|spec| spec.trainable),
        });
    }
    let in_summary = layer.count_params().total;
    let formula = layer.explanation.total;
    LayerRow {
        name: layer.name(),
        class: layer.spec.class_name().to_string(),
        input: layer.input.to_string(),
        output: layer.output.to_string(),
        total: count(formula),
        has_weights: formula > 0 || counted > 0,
        formula: layer.explanation.formula.clone(),
        reason: layer.explanation.reason.clone(),
        arrays: array_rows,
        in_summary: count(in_summary),
        counted: count(counted),
        agrees: formula == in_summary && in_summary == counted,
    }
}

/// `30.66 KB` from ` Total params: 7,850 (30.66 KB)`.
fn size_of_total(line: &str) -> Option<String> {
    let rest = line.trim().strip_prefix("Total params: ")?;
    let (_, size) = rest.split_once('(')?;
    Some(size.trim_end_matches(')').to_string())
}
