//! Keras's `config.json`: read in the dialects that Keras has written over the years, and written
//! in the one that all of Keras 3 reads. Tallynet's own files hold the same description.
//!
//! **Decision.** Each option is converted to this crate's form before its class reads it: old names
//! are replaced, keys without effect are dropped, initializers and the like become objects. The
//! class itself says which options it has, so a new layer needs no line here as long as all
//! versions of Keras spell its options alike. **Rejected:** aliases and catch-alls on
//! every class of the catalogues, which would spread ten years of dialects over all of them and
//! accept options silently.
//!
//! Errors are [`Error::option`], or those of the builder. They name neither the file nor a remedy,
//! which the caller adds.

mod compiled;
mod options;
mod write;

use std::slice;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Loaded, MAX_PARAMS};
use crate::layers::AnyLayer;
use crate::model::{Sequential, SequentialBuilder};
use crate::shape::Shape;
use crate::{Error, Real, Result};
use options::{dtype, refuse_foreign};
pub use write::{training, write};

/// Settings of a model that Keras does not store.
#[derive(Default, Serialize, Deserialize)]
struct Training {
    seed: u64,
    epochs: usize,
    batch_size: Option<usize>,
    byte_scale: Option<Real>,
    iteration: u64,
    learning_rate: Option<f64>,
}

/// Builds the model of a description. `compile` and `training` are given if the file keeps them
/// elsewhere. Parameters are initialized only if there is no `max_params`, the number that the file
/// may hold: then weights follow.
///
/// # Errors
/// Classes and options that are not supported, named with their layer; and more parameters than
/// `max_params`, because a description must not claim more memory than its weights fill.
pub fn read(
    description: &Value,
    compile: Option<&Value>,
    training: Option<&Value>,
    max_params: Option<usize>,
) -> Result<Loaded> {
    let layers = layer_list(description)?;
    let name = description["config"]["name"].as_str().unwrap_or("sequential");
    let mut builder = Sequential::builder(input_shape(description, layers)?).named(name);
    builder = builder.max_params(max_params.unwrap_or(MAX_PARAMS), max_params.is_none());
    let mut warnings = vec![];
    let is_input = |layer: &&Value| text(layer, "class_name") == "InputLayer";
    for (i, layer) in layers.iter().skip_while(is_input).enumerate() {
        builder = add_layer(builder, i + 1, layer, &mut warnings)?;
    }
    let training = Option::<Training>::deserialize(training.unwrap_or(&description["training"]))
        .map_err(|error| Error::option("training", error.to_string()))?
        .unwrap_or_default();
    let mut model = builder.build(training.seed)?;
    model.epochs_done = training.epochs;
    model.batch_size = training.batch_size.filter(|rows| *rows > 0);
    model.byte_scale = training.byte_scale.filter(|scale| scale.is_finite());
    let compile = compile.unwrap_or(&description["compile_config"]);
    if compile.as_object().is_some_and(|compile| !compile.is_empty()) {
        match compiled::read(compile, &mut warnings) {
            Err(problem) => {
                warnings.push(format!("the compile configuration is left out: {problem}"))
            }
            Ok(compiled) => {
                model.compile_with(compiled.optimizer, compiled.loss, compiled.metrics)?;
                resume(&mut model, &training)?;
            }
        }
    }
    Ok(Loaded { model, arrays: None, warnings })
}

/// Sets the iteration and the learning rate.
fn resume(model: &mut Sequential, training: &Training) -> Result<()> {
    let state = &mut model.compiled_mut()?.state;
    state.iteration = training.iteration;
    state.learning_rate = training.learning_rate.unwrap_or(state.learning_rate);
    state.validate().map_err(|problem| {
        Error::option("optimizer", format!("the optimizer state is damaged: {problem}"))
    })
}

/// The layers of a description, which must be a Sequential of Keras's own.
fn layer_list(description: &Value) -> Result<&[Value]> {
    let class = text(description, "class_name");
    let registered_name = &description["registered_name"];
    refuse_foreign(
        "the model",
        &json!({ "class_name": class, "registered_name": registered_name }),
    )?;
    if class.is_empty() {
        let problem = "this is no description of a model: it has no class_name";
        return Err(Error::option("class_name", problem));
    }
    if class != "Sequential" {
        let problem =
            format!("the model is a {class:?}, and only a Sequential is read: a chain of layers");
        return Err(Error::option("class_name", problem));
    }
    // Keras 1 and 2.0 to 2.2 wrote the list of layers alone.
    let config = &description["config"];
    match config.get("layers").unwrap_or(config).as_array() {
        Some(layers) => Ok(layers),
        None => Err(Error::option("layers", "the model has no list of layers")),
    }
}

/// The shape of a sample, from the first place that holds it.
fn input_shape(description: &Value, layers: &[Value]) -> Result<Shape> {
    let first = &layers.first().unwrap_or(&Value::Null)["config"];
    let places = [
        without_batch(&first["batch_shape"]),
        without_batch(&first["batch_input_shape"]),
        first["input_shape"].as_array().map(Vec::as_slice),
        first.get("input_dim").map(slice::from_ref),
        without_batch(&description["config"]["build_input_shape"]),
        without_batch(&description["build_config"]["input_shape"]),
    ];
    let Some(axes) = places.into_iter().flatten().next() else {
        let problem = "the model does not say what shape its input has; \
                       build it in Keras before it is saved";
        return Err(Error::option("input_shape", problem));
    };
    let dims: Option<Vec<usize>> =
        axes.iter().map(|axis| usize::try_from(axis.as_u64()?).ok()).collect();
    let Some(dims) = dims else {
        let shape = json!([&[Value::Null], axes].concat());
        let problem =
            format!("the input has the shape {shape}, and every axis but the first needs a length");
        return Err(Error::option("input_shape", problem));
    };
    Ok(dims.into())
}

/// The axes of a shape after the batch axis.
fn without_batch(shape: &Value) -> Option<&[Value]> {
    Some(shape.as_array()?.get(1..).unwrap_or_default())
}

fn add_layer(
    builder: SequentialBuilder,
    number: usize,
    layer: &Value,
    warnings: &mut Vec<String>,
) -> Result<SequentialBuilder> {
    let config = &layer["config"];
    let name = config["name"].as_str();
    let class = text(layer, "class_name");
    // A layer of a script has its line there.
    let known = name.or(layer["place"].as_str());
    let place = format!("layer {number}, {} ({class})", known.unwrap_or("without a name"));
    if let Some(precision) = dtype(&config["dtype"]).filter(|name| *name != "float32") {
        warnings.push(format!(
            "{place}: its dtype is {precision}; here all layers are computed in one precision"
        ));
    }
    let trainable = match &config["trainable"] {
        Value::Null => true,
        Value::Bool(trainable) => *trainable,
        other => {
            let problem = format!("{place}: trainable is {other}, and not true or false");
            return Err(Error::option("trainable", problem));
        }
    };
    let spec = options::class(&place, "layer", layer, AnyLayer::all())?;
    Ok(builder.described(name, trainable, spec))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}
