//! Keras's `config.json`: read in the dialects that Keras has written over the years, and written
//! in the one that all of Keras 3 reads. It is the one description of a model here; the project's
//! own files hold it as well.
//!
//! **Decision.** Each option is brought into this crate's own form before its class reads it: old
//! names are replaced, keys that say nothing here are dropped, initializers and the like become
//! objects. What options a class has is asked of the class itself, so a new layer needs no line
//! here. **Rejected:** aliases and catch-alls on every class of the catalogues, which would spread
//! ten years of dialects over all of them and accept options in silence.

mod compiled;
mod options;
mod write;

use std::error::Error;
use std::slice;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Loaded, MOST_PARAMS};
use crate::Real;
use crate::layers::AnyLayer;
use crate::model::{Sequential, SequentialBuilder};
use crate::shape::Shape;
use options::{dtype, foreign};
pub use write::{training, write};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What Keras does not store.
#[derive(Default, Serialize, Deserialize)]
struct Training {
    seed: u64,
    epochs: usize,
    batch_size: Option<usize>,
    byte_scale: Option<Real>,
    iteration: u64,
    learning_rate: Option<f64>,
}

/// The model that a file describes; its parameters are drawn anew where the description is all.
/// `compile` and `training` come from elsewhere where the file keeps them elsewhere.
///
/// It is an error if there are more parameters than the `most` that lie beside it: a description
/// from outside must not claim more memory than the numbers fill. So are classes and options that
/// are not in the catalogue, named with their layer.
pub fn read(
    described: &Value,
    compile: Option<&Value>,
    training: Option<&Value>,
    most: Option<usize>,
) -> Result<Loaded> {
    let (class, config) = (text(described, "class_name"), &described["config"]);
    if let Some(problem) =
        foreign(&json!({ "class_name": class, "registered_name": described["registered_name"] }))
    {
        return Err(format!("the model: {problem}").into());
    }
    if class.is_empty() {
        return Err("this is no description of a model: it has no class_name".into());
    }
    if class != "Sequential" {
        let problem = format!(
            "the model is a {class:?}, and only a Sequential is read: layers one behind the other"
        );
        return Err(problem.into());
    }
    // Keras 1 and 2.0 to 2.2 wrote the list of layers alone.
    let layers = config
        .get("layers")
        .unwrap_or(config)
        .as_array()
        .ok_or("the model has no list of layers")?;
    let name = config["name"].as_str().unwrap_or("sequential");
    let mut builder = Sequential::builder(input(described, layers)?).named(name);
    builder = builder.most_params(most.unwrap_or(MOST_PARAMS), most.is_none());
    let mut warnings = vec![];
    let is_input = |layer: &&Value| text(layer, "class_name") == "InputLayer";
    for (number, entry) in layers.iter().skip_while(is_input).enumerate() {
        builder = layer(builder, number + 1, entry, &mut warnings)?;
    }
    let training = Option::<Training>::deserialize(training.unwrap_or(&described["training"]))?
        .unwrap_or_default();
    let mut model = builder.build(training.seed)?;
    (model.epochs_done, model.batch_size) =
        (training.epochs, training.batch_size.filter(|rows| *rows > 0));
    model.byte_scale = training.byte_scale.filter(|scale| scale.is_finite());
    let compile = compile.unwrap_or(&described["compile_config"]);
    if compile.as_object().is_some_and(|compile| !compile.is_empty()) {
        match compiled::read(compile, &mut warnings) {
            Err(problem) => {
                warnings.push(format!("how the model was trained is left out: {problem}"))
            }
            Ok((optimizer, loss, metrics)) => {
                model.compile_with(optimizer, loss, metrics)?;
                let state = &mut model.compiled_mut()?.state;
                state.iteration = training.iteration;
                state.learning_rate = training.learning_rate.unwrap_or(state.learning_rate);
                if let Err(problem) = state.validate() {
                    return Err(
                        format!("what the optimizer remembered is damaged: {problem}").into()
                    );
                }
            }
        }
    }
    Ok(Loaded { model, arrays: None, warnings })
}

/// The shape of a sample, from whichever place the file keeps it in.
fn input<'v>(model: &'v Value, layers: &'v [Value]) -> Result<Shape> {
    let first = &layers.first().unwrap_or(&Value::Null)["config"];
    let behind_batch = |shape: &'v Value| Some(shape.as_array()?.get(1..).unwrap_or_default());
    let given = [
        behind_batch(&first["batch_shape"]),
        behind_batch(&first["batch_input_shape"]),
        first["input_shape"].as_array().map(Vec::as_slice),
        first.get("input_dim").map(slice::from_ref),
        behind_batch(&model["config"]["build_input_shape"]),
        behind_batch(&model["build_config"]["input_shape"]),
    ];
    let axes = given.into_iter().flatten().next();
    let axes = axes.ok_or(
        "the model does not say what shape its input has; build it in Keras before it is saved",
    )?;
    let dims =
        axes.iter().map(|axis| usize::try_from(axis.as_u64()?).ok()).collect::<Option<Vec<_>>>();
    let shape = || json!([&[Value::Null], axes].concat());
    let open = || {
        format!("the input has the shape {}, and every axis but the first needs a length", shape())
    };
    Ok(dims.ok_or_else(open)?.into())
}

fn layer(
    builder: SequentialBuilder,
    number: usize,
    layer: &Value,
    warnings: &mut Vec<String>,
) -> Result<SequentialBuilder> {
    let config = &layer["config"];
    let (class, name) = (text(layer, "class_name"), config["name"].as_str());
    let place = format!("layer {number}, {} ({class})", name.unwrap_or("without a name"));
    if let Some(precision) = dtype(&config["dtype"]).filter(|name| *name != "float32") {
        let warning = format!(
            "{place}: it was made for {precision}, and is computed here in one precision throughout"
        );
        warnings.push(warning);
    }
    let trainable = match &config["trainable"] {
        Value::Null => true,
        Value::Bool(trainable) => *trainable,
        other => return Err(format!("{place}: trainable is {other}, and not true or false").into()),
    };
    let spec = options::class(&place, "layer", layer, AnyLayer::all())?;
    Ok(builder.described(name, trainable, spec))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}
