//! Layers of a description: the shape of the input, and each layer with its options.

use std::collections::HashSet;
use std::slice;

use serde_json::{Value, json};

use super::chain::Link;
use super::effects::dtype;
use super::options::{self, Described};
use super::{Reading, history, text, values};
use crate::layers::AnyLayer;
use crate::model::SequentialBuilder;
use crate::shape::Shape;
use crate::{Error, Result};

/// Largest number of problems that an error lists.
const MAX_PROBLEMS: usize = 20;

/// True for the layer that only holds the shape of the input.
pub fn is_input(layer: &Value) -> bool {
    text(layer, "class_name") == "InputLayer"
}

/// The shape of a sample, from the first place that holds it.
pub fn input_shape(description: &Value, links: &[Link]) -> Result<Shape> {
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

/// The chain with every `hard_sigmoid` of Keras 1 and 2 replaced by layers that compute it in
/// Keras 3, and with names that occur once.
pub fn expanded(links: Vec<Link>, reading: &mut Reading) -> Vec<Link> {
    let mut expanded = vec![];
    let mut replaced = vec![];
    let mut names = HashSet::new();
    let is_old = reading.major_version.number < 3;
    for mut link in links {
        let name = link.layer_path.name();
        if !name.is_empty() && !names.insert(name.to_string()) {
            link.layer["config"]["name"] = json!(format!("{}_{name}", link.layer_path.outermost()));
        }
        let config = &mut link.layer["config"];
        if values::activation(&config["activation"]) != Some("hard_sigmoid") {
            expanded.push(link);
            continue;
        }
        let own_name = config["name"].as_str().map(str::to_string);
        replaced.push(own_name.clone().unwrap_or_else(|| text(&link.layer, "class_name").into()));
        if !is_old {
            expanded.push(link);
            continue;
        }
        link.layer["config"]["activation"] = json!("linear");
        let parts = history::old_hard_sigmoid(own_name.as_deref());
        let parts = parts.map(|layer| Link { layer, training: None, ..link.clone() });
        if text(&link.layer, "class_name") != "Activation" {
            expanded.push(link);
        }
        expanded.extend(parts);
    }
    if !replaced.is_empty() {
        reading.warn_of_hard_sigmoid(&replaced.join(", "));
    }
    expanded
}

impl Reading {
    fn warn_of_hard_sigmoid(&mut self, layers: &str) {
        let history::MajorVersion { number, is_assumed } = self.major_version;
        let meanings = "hard_sigmoid is 0.2·x + 0.5 in Keras 1 and 2, and x/6 + 0.5 in Keras 3";
        if is_assumed {
            self.warnings.push(format!(
                "{layers}: {meanings}; the file does not say which wrote it, and Keras {number} is \
                 assumed"
            ));
        }
        if number < 3 {
            self.warnings.push(format!(
                "{layers}: {meanings}; it is read as linear, then Rescaling(0.2, 0.5) and \
                 ReLU(max_value=1), which compute the same in both"
            ));
        }
    }
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
    let class = text(&link.layer, "class_name");
    let differs_in_training = class.contains("Dropout") || class.contains("BatchNormalization");
    match link.training {
        Some(true) if differs_in_training => {
            let problem = format!(
                "{location}: it is called with training=True, so it would act as in training at \
                 inference too; that is not supported"
            );
            return Err(Error::option("training", problem));
        }
        Some(false) if differs_in_training => {
            reading.obstacles.push(format!("{location}: called with training = false"));
        }
        _ => {}
    }
    let described = Described { location, role: "layer", value: &link.layer };
    options::class(&described, AnyLayer::all(), reading)
}
