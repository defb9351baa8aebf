//! Dead units: those of a ReLU that were 0 for every sample.

use ndarray::ArrayD;
use serde::Serialize;

use super::text::counted;
use crate::activations::ActivationKind;
use crate::datasets::{Dataset, Inputs};
use crate::formats::stages::stages;
use crate::layers::{AnyLayer, Formula};
use crate::model::{BuiltLayer, Sequential};
use crate::table::with_commas;
use crate::{Real, Result};

/// Number of samples that units are observed on.
const N_SAMPLES: usize = 256;
/// Largest number of values of a layer's output on these samples.
const MAX_VALUES: usize = 1 << 24;

/// Units of a layer that ends in a ReLU.
#[derive(Debug, Serialize)]
pub struct DeadUnits {
    pub layer: String,
    pub n_units: String,
    pub n_dead: usize,
    /// Numbers of the dead units: `3, 17 and 8 more`.
    pub which: String,
}

/// Units of each ReLU, and how many of them never passed a value on.
#[derive(Debug, Serialize)]
pub struct Activity {
    pub layers: Vec<DeadUnits>,
    pub n_samples: String,
    pub n_dead: usize,
}

/// Observes the ReLUs of a model on the first samples; `None` without any.
pub fn activity(model: &Sequential, data: &Dataset) -> Result<Option<Activity>> {
    // A layer from outside the crate is not known here.
    let Ok(stages) = stages(model) else { return Ok(None) };
    let mut relus = vec![];
    let mut largest = 1;
    for (number, stage) in stages.iter().enumerate() {
        let is_relu = match stage.formulas.last() {
            Some(Formula::Activation(kind)) => *kind == ActivationKind::Relu,
            Some(Formula::Relu { slope, .. }) => *slope == 0.0,
            _ => false,
        };
        if is_relu {
            relus.push(number);
            largest = largest.max(stage.layer.output.n_values());
        }
    }
    let n_samples = data.len().min(N_SAMPLES).min((MAX_VALUES / largest).max(1));
    let rows: Vec<usize> = (0..n_samples).collect();
    let mut x = data.x.select(&rows)?;
    let mut layers = vec![];
    let mut first = 0;
    for last in relus {
        let outputs = segment(model, first, last)?.predict(&x)?;
        layers.push(dead_units(&model.layers()[last], &outputs));
        x = Inputs::Reals(outputs);
        first = last + 1;
    }
    let n_dead = layers.iter().map(|layer| layer.n_dead).sum();
    let n_samples = with_commas(n_samples);
    Ok(if layers.is_empty() { None } else { Some(Activity { layers, n_samples, n_dead }) })
}

/// Finds the units of a layer whose outputs are 0 for all samples and at all positions.
fn dead_units(layer: &BuiltLayer, outputs: &ArrayD<Real>) -> DeadUnits {
    let n_units = layer.output.last();
    let mut is_alive = vec![false; n_units];
    for (i, value) in outputs.iter().enumerate() {
        // NaN is not dead in this sense.
        is_alive[i % n_units] |= *value != 0.0;
    }
    let mut dead = vec![];
    for (unit, is_alive) in is_alive.iter().enumerate() {
        if !is_alive {
            dead.push(unit.to_string());
        }
    }
    let n_dead = dead.len();
    let more = n_dead.saturating_sub(12);
    dead.truncate(12);
    let mut which = dead.join(", ");
    if more > 0 {
        which += &format!(" and {more} more");
    }
    DeadUnits { layer: layer.name(), n_units: counted(n_units, "unit"), n_dead, which }
}

/// The layers from the first to the last of these numbers, with their weights.
fn segment(model: &Sequential, first: usize, last: usize) -> Result<Sequential> {
    let layers = model.layers();
    let mut builder = Sequential::builder(layers[first].input.dims());
    for layer in &layers[first..=last] {
        builder = builder.add(AnyLayer::clone(&layer.spec));
    }
    let mut part = builder.build(0)?;
    let start: usize = layers[..first].iter().map(|layer| layer.count_params().total).sum();
    let values = &model.parameters.values[start..start + part.parameters.values.len()];
    part.parameters.values.copy_from_slice(values);
    Ok(part)
}
