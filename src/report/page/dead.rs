//! Dead units: those of a ReLU that were 0 for every sample.

use serde::Serialize;

use super::text::{count, counted};
use crate::Result;
use crate::activations::ActivationKind;
use crate::datasets::{Dataset, Inputs};
use crate::formats::stages::stages;
use crate::layers::{AnyLayer, Formula};
use crate::model::Sequential;

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
    /// `units 3, 17 and 8 more`.
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
    let x = data.x.select(&rows)?;
    let mut layers = vec![];
    for number in relus {
        layers.push(observe(model, number, &x)?);
    }
    let n_dead = layers.iter().map(|layer| layer.n_dead).sum();
    let n_samples = count(n_samples);
    Ok(if layers.is_empty() { None } else { Some(Activity { layers, n_samples, n_dead }) })
}

/// Finds the units of a layer that are 0 for all samples and at all positions.
fn observe(model: &Sequential, number: usize, x: &Inputs) -> Result<DeadUnits> {
    let part = beginning(model, number + 1)?;
    let outputs = part.predict(x)?;
    let layer = &model.layers()[number];
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
    Ok(DeadUnits { layer: layer.name(), n_units: counted(n_units, "unit"), n_dead, which })
}

/// The model's first layers, with their weights.
fn beginning(model: &Sequential, n_layers: usize) -> Result<Sequential> {
    let mut builder = Sequential::builder(model.input_shape().dims());
    for layer in &model.layers()[..n_layers] {
        builder = builder.add(AnyLayer::clone(&layer.spec));
    }
    let mut part = builder.build(0)?;
    let values = &model.parameters.values[..part.parameters.values.len()];
    part.parameters.values.copy_from_slice(values);
    Ok(part)
}
