//! Keras's `config.json`: read in the dialects that Keras has written over the years, and written
//! in the one that all of Keras 3 reads. Tallynet's own files hold the same description.
//!
//! **Decision.** Each option is converted to this crate's form before its class reads it: old names
//! are replaced (`history.rs`), keys without effect are dropped, initializers and the like become
//! objects. The class itself says which options it has, so a new layer needs no line here as long
//! as all versions of Keras spell its options alike. **Rejected:** aliases and catch-alls on
//! every class of the catalogues, which would spread ten years of dialects over all of them and
//! accept options silently.
//!
//! Reading is generous: whatever does not change what the layers compute is ignored with a warning,
//! and noted on the model if `fit` would then compute something else than Keras.
//!
//! Errors are [`Error::option`], or those of the builder. They name neither the file nor a remedy,
//! which the caller adds.

mod chain;
mod compiled;
mod document;
mod effects;
mod expand;
mod history;
mod layers;
mod metrics;
mod options;
mod values;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Loaded, MAX_PARAMS, Origin};
use crate::datasets::DataDescription;
use crate::model::{RunningEpoch, Sequential, TrainingRecord};
use crate::{Error, Real, Result};
pub use chain::{LayerPath, Member};
pub use document::{is_json, parse};
use effects::refuse_foreign;
use history::MajorVersion;
pub use write::{training, write};

/// Settings of a model that Keras does not store.
#[derive(Default, Serialize, Deserialize)]
struct Training {
    seed: u64,
    epochs: usize,
    /// Files of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    running_epoch: Option<RunningEpoch>,
    batch_size: Option<usize>,
    byte_scale: Option<Real>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<DataDescription>,
    iteration: u64,
    learning_rate: Option<f64>,
    /// Best value so far of each watched name. Files of older versions have none.
    #[serde(default)]
    best: BTreeMap<String, f64>,
    /// Trainings so far. Files of older versions have none.
    #[serde(default, skip_serializing_if = "TrainingRecord::is_empty")]
    record: TrainingRecord,
    /// Reasons why training is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    obstacles: Vec<String>,
    /// Loss and metrics of a model without an optimizer, which Keras cannot load from a file.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    compile_config: Value,
}

/// Description of a model, and what its file says elsewhere.
#[derive(Default)]
pub struct Source<'v> {
    /// Keras's `config.json`.
    pub description: Option<&'v Value>,
    /// Arguments of `compile`, if they are not in the description.
    pub compile: Option<&'v Value>,
    /// Settings that Keras does not store, if they are not in the description.
    pub training: Option<&'v Value>,
    /// Version and backend that the file states.
    pub origin: Origin,
    /// Upper bound on the parameters that the file can hold. `None` for a description without
    /// weights: the parameters are then initialized.
    pub max_params: Option<usize>,
}

/// Paths of the layers of a model in the file that describes it; empty if the model is one chain
/// that no file describes.
#[derive(Debug, Default)]
pub struct LayerPaths(pub Vec<LayerPath>);

/// Findings while a description is read.
pub struct Reading {
    major_version: MajorVersion,
    origin: Origin,
    warnings: Vec<String>,
    /// Layers and options that are not supported.
    problems: Vec<Error>,
    /// Options that are not supported and matter only in training.
    obstacles: Vec<String>,
    /// Initializers that are not supported.
    initializers: Vec<String>,
    /// Index of the layer that is read.
    layer: usize,
    /// Parts of the description of layers that are kept, by the layers' indices.
    kept: BTreeMap<usize, Value>,
}

/// Builds the model of a description.
///
/// # Errors
/// Classes and options that are not supported, all of them named with their layers; and more
/// parameters than `max_params`, because a description must not claim more memory than its weights
/// fill.
pub fn read(source: Source) -> Result<Loaded> {
    let Source { description, compile, training, origin, max_params } = source;
    let description = description.unwrap_or(&Value::Null);
    refuse_other_models(description)?;
    let training = training.unwrap_or(&description["training"]);
    let mut major_version = MajorVersion::of(&origin, description);
    // Tallynet's own files.
    major_version.is_assumed &= training.is_null();
    let training = Option::<Training>::deserialize(training)
        .map_err(|error| Error::option("training", error.to_string()))?
        .unwrap_or_default();
    let mut reading = Reading::new(major_version, origin.clone());
    let links = expand::expanded(chain::links(description)?, &mut reading);
    let name = description["config"]["name"].as_str().unwrap_or("sequential");
    let axes = layers::input_axes(description, &links)?;
    let mut builder = Sequential::builder([]).named(name);
    builder = builder.max_params(max_params.unwrap_or(MAX_PARAMS), max_params.is_none());
    let fixed_batch = layers::fixed_batch(&links);
    let links: Vec<_> = links.into_iter().filter(|link| !layers::is_input(&link.layer)).collect();
    builder = layers::add(builder, &links, &mut reading)?;
    let mut model = builder.build_open(&axes, training.seed)?;
    model.fixed_batch = fixed_batch;
    reading.report_left_out(max_params.is_some());
    model.training_obstacles.clone_from(&reading.obstacles);
    for (layer, kept) in std::mem::take(&mut reading.kept) {
        model.kept.insert(model.layers()[layer].name(), kept);
    }
    let compile = compile.unwrap_or(&description["compile_config"]);
    restore(&mut model, &training, compile, &mut reading)?;
    let layer_paths = LayerPaths(links.into_iter().map(|link| link.layer_path).collect());
    Ok(Loaded { model, arrays: None, warnings: reading.warnings, origin, layer_paths })
}

/// Compiles the model and sets what Keras does not store.
fn restore(
    model: &mut Sequential,
    training: &Training,
    compile: &Value,
    reading: &mut Reading,
) -> Result<()> {
    model.batch_size = training.batch_size.filter(|rows| *rows > 0);
    model.byte_scale = training.byte_scale.filter(|scale| scale.is_finite());
    model.data.clone_from(&training.data);
    // Those of the description are among them, perhaps under the names of an older version.
    if !training.obstacles.is_empty() {
        model.training_obstacles.clone_from(&training.obstacles);
    }
    let compile = if compile.is_null() { &training.compile_config } else { compile };
    if compile.as_object().is_some_and(|compile| !compile.is_empty()) {
        compiled::compile(model, compile, reading)?;
    }
    set_progress(model, training)
}

/// Sets a model to a moment of its training, from the `training` of its description.
///
/// # Errors
/// A description that is damaged.
pub fn set_training(model: &mut Sequential, training: &Value) -> Result<()> {
    let training = Training::deserialize(training)
        .map_err(|error| Error::option("training", error.to_string()))?;
    set_progress(model, &training)
}

fn set_progress(model: &mut Sequential, training: &Training) -> Result<()> {
    model.epochs_done = training.epochs;
    model.running_epoch.clone_from(&training.running_epoch);
    model.best = training.best.clone();
    model.record.clone_from(&training.record);
    let Some(compiled) = &mut model.compiled else { return Ok(()) };
    let state = &mut compiled.state;
    state.iteration = training.iteration;
    state.learning_rate = training.learning_rate.unwrap_or(state.learning_rate);
    state.validate().map_err(|problem| {
        Error::option("optimizer", format!("the optimizer state is damaged: {problem}"))
    })
}

/// Refuses what is not a description of one of Keras's own models.
fn refuse_other_models(description: &Value) -> Result<()> {
    let class = text(description, "class_name");
    let registered_name = &description["registered_name"];
    refuse_foreign(
        "the model",
        &json!({ "class_name": class, "registered_name": registered_name }),
    )?;
    if class.is_empty() {
        let problem = "this is not a description of a model: it has no class_name";
        return Err(Error::option("class_name", problem));
    }
    Ok(())
}

impl Reading {
    fn new(major_version: MajorVersion, origin: Origin) -> Reading {
        Reading {
            major_version,
            origin,
            warnings: vec![],
            problems: vec![],
            obstacles: vec![],
            initializers: vec![],
            layer: 0,
            kept: BTreeMap::new(),
        }
    }

    /// Adds the warnings about options of layers that are ignored. Without weights from a file, an
    /// initializer that is not supported is an obstacle to training too.
    fn report_left_out(&mut self, has_weights: bool) {
        if !self.initializers.is_empty() {
            let options = self.initializers.join("; ");
            self.warnings.push(if has_weights {
                format!("ignored, because the weights are in the file: {options}")
            } else {
                format!("ignored, so the weights are drawn by the default initializer: {options}")
            });
        }
        if !has_weights {
            self.obstacles.append(&mut self.initializers);
        }
        if !self.obstacles.is_empty() {
            let is_penalty = |option: &&String| {
                option.contains("_regularizer") || option.contains("ActivityRegularization")
            };
            let (penalties, others): (Vec<&String>, Vec<&String>) =
                self.obstacles.iter().partition(is_penalty);
            if !others.is_empty() {
                let options = joined(&others);
                self.warnings.push(format!("ignored; they affect training only: {options}"));
            }
            if !penalties.is_empty() {
                let options = joined(&penalties);
                self.warnings.push(format!(
                    "ignored; they affect training, and the loss lacks their penalties: {options}"
                ));
            }
        }
    }
}

fn joined(options: &[&String]) -> String {
    options.iter().map(|option| option.as_str()).collect::<Vec<_>>().join("; ")
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}
