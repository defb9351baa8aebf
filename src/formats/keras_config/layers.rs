//! Layers of a description: the shape of the input, and each layer with its options.

use std::slice;

use serde_json::{Value, json};

use super::chain::Link;
use super::effects::dtype;
use super::options::{self, Described};
use super::{Reading, effects, history, text};
use crate::layers::{AnyLayer, Interpolation};
use crate::model::SequentialBuilder;
use crate::{Error, Result};

/// Largest number of problems that an error lists.
const MAX_PROBLEMS: usize = 20;

/// True for the layer that only holds the shape of the input.
pub fn is_input(layer: &Value) -> bool {
    text(layer, "class_name") == "InputLayer"
}

/// Lengths of the axes of a sample, from the first place that holds them; `None` for one that the
/// data decide.
pub fn input_axes(description: &Value, links: &[Link]) -> Result<Vec<Option<usize>>> {
    let first = links.first().map_or(&Value::Null, |link| &link.layer);
    let config = &first["config"];
    // The `input_dim` of an Embedding is the number of its rows.
    let length =
        if text(first, "class_name") == "Embedding" { "input_length" } else { "input_dim" };
    let places = [
        without_batch(&config["batch_shape"]),
        without_batch(&config["batch_input_shape"]),
        config["input_shape"].as_array().map(Vec::as_slice),
        config.get(length).filter(|length| !length.is_null()).map(slice::from_ref),
        without_batch(&description["config"]["build_input_shape"]),
        without_batch(&description["build_config"]["input_shape"]),
    ];
    let Some(axes) = places.into_iter().flatten().next() else {
        let problem = "the model does not say what shape its input has; \
                       build it in Keras before it is saved";
        return Err(Error::option("input_shape", problem));
    };
    let mut lengths = vec![];
    for axis in axes {
        let length = axis.as_u64().and_then(|length| usize::try_from(length).ok());
        if length.is_none() && !axis.is_null() {
            let shape = json!([&[Value::Null], axes].concat());
            let problem = format!("the input has the shape {shape}; {axis} is not a length");
            return Err(Error::option("input_shape", problem));
        }
        lengths.push(length);
    }
    Ok(lengths)
}

/// Batch size that the input fixes, if it does.
pub fn fixed_batch(links: &[Link]) -> Option<usize> {
    let config = &links.first()?.layer["config"];
    let shape = config.get("batch_shape").or(config.get("batch_input_shape"))?;
    usize::try_from(shape.get(0)?.as_u64()?).ok().filter(|rows| *rows > 0)
}

/// The axes of a shape after the batch axis.
fn without_batch(shape: &Value) -> Option<&[Value]> {
    Some(shape.as_array()?.get(1..).unwrap_or_default())
}

/// Adds the layers to the model.
///
/// # Errors
/// Layers and options that are not supported; the message names all of them.
pub fn add(
    mut builder: SequentialBuilder,
    links: &[Link],
    reading: &mut Reading,
) -> Result<SequentialBuilder> {
    let mut dtypes = vec![];
    for (i, link) in links.iter().enumerate() {
        let config = &link.layer["config"];
        let name = config["name"].as_str();
        let class = text(&link.layer, "class_name");
        // A layer of a script has its line there.
        let known = name.or(link.layer["location"].as_str()).unwrap_or("without a name");
        let location = format!("layer {}, {known} ({class})", i + 1);
        if let Some(precision) = dtype(&config["dtype"]).filter(|name| *name != "float32")
            && !dtypes.contains(&precision)
        {
            dtypes.push(precision);
        }
        reading.layer = i;
        match read_layer(&location, link, reading) {
            Ok(layer) => {
                let trainable = link.trainable && config["trainable"] != false;
                builder = builder.described(name, trainable, layer);
            }
            Err(problem) => reading.problems.push(problem),
        }
    }
    refuse(&mut reading.problems)?;
    if !dtypes.is_empty() {
        let dtypes = dtypes.join(" and ");
        reading.warnings.push(format!(
            "its layers' dtype is {dtypes}; here all layers are computed in one precision"
        ));
    }
    Ok(builder)
}

/// Names all problems, if there are any.
fn refuse(problems: &mut Vec<Error>) -> Result<()> {
    if problems.len() < 2 {
        return problems.pop().map_or(Ok(()), Err);
    }
    let n = problems.len();
    let mut lines: Vec<String> =
        problems.iter().take(MAX_PROBLEMS).map(|problem| problem.to_string()).collect();
    if n > MAX_PROBLEMS {
        lines.push(format!("and {} more", n - MAX_PROBLEMS));
    }
    let lines = lines.join("\n  ");
    Err(Error::option("layers", format!("{n} layers cannot be read:\n  {lines}")))
}

fn read_layer(location: &str, link: &Link, reading: &mut Reading) -> Result<AnyLayer> {
    let trainable = &link.layer["config"]["trainable"];
    if !trainable.is_null() && !trainable.is_boolean() {
        let problem = format!("{location}: trainable is {trainable}; it must be true or false");
        return Err(Error::option("trainable", problem));
    }
    check_training(location, link, reading)?;
    if let Some(identity) = effects::identity(location, &link.layer, reading) {
        return Ok(identity);
    }
    let described = Described { location, role: "layer", value: &link.layer };
    let layer = options::class(&described, AnyLayer::all(), reading)?;
    if let AnyLayer::UpSampling2D(layer) = &layer
        && layer.interpolation == Interpolation::Bilinear
        && let Some(warning) = history::bilinear_warning(&reading.origin)
    {
        reading.warnings.push(format!("{location}: {warning}"));
    }
    Ok(layer)
}

/// Refuses or notes a layer that is called with `training` and acts otherwise in training. Keras 3
/// ignores the argument: `fit` and `predict` give their own to all layers.
fn check_training(location: &str, link: &Link, reading: &mut Reading) -> Result<()> {
    let class = text(&link.layer, "class_name");
    let parts = ["Dropout", "BatchNormalization", "GaussianNoise"];
    let differs_in_training = parts.iter().any(|part| class.contains(part));
    if !differs_in_training || reading.major_version.number > 2 {
        return Ok(());
    }
    match link.training {
        Some(true) => {
            let problem = format!(
                "{location}: it is called with training=True, so it would act as in training at \
                 inference too; that is not supported"
            );
            Err(Error::option("training", problem))
        }
        Some(false) => {
            reading.obstacles.push(format!("{location}: called with training = false"));
            Ok(())
        }
        None => Ok(()),
    }
}
