//! Descriptions of a model that people write by hand, or that a script gives: Keras's `config.json`
//! in which options with a default may be omitted.
//!
//! ```json
//! {
//!   "class_name": "Sequential",
//!   "config": {"layers": [
//!     {"class_name": "Input", "config": {"shape": [28, 28]}},
//!     {"class_name": "Flatten"},
//!     {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}}
//!   ]},
//!   "compile_config": {"optimizer": "adam", "loss": "sparse_categorical_crossentropy",
//!                      "metrics": ["accuracy"]},
//!   "epochs": 5,
//!   "batch_size": 64
//! }
//! ```
//!
//! Options have the names and defaults of Keras's classes. Without an `Input` the shape comes from
//! the data; `epochs` and `batch_size` are those of `tallynet train`.

use serde_json::{Map, Value, json};

/// Layers of a Sequential, including where Keras 1 and early versions of Keras 2 put them.
fn layers(description: &Value) -> Option<&Vec<Value>> {
    let config = &description["config"];
    config.get("layers").unwrap_or(config).as_array()
}

/// True if the description of a Sequential says what shape a sample has.
pub fn has_input_shape(description: &Value) -> bool {
    let Some(layers) = layers(description) else { return true };
    let Some(first) = layers.first() else { return true };
    let config = &first["config"];
    let length = if first["class_name"] == "Embedding" { "input_length" } else { "input_dim" };
    let places = [
        &config["batch_shape"],
        &config["batch_input_shape"],
        &config["input_shape"],
        &config["shape"],
        &config[length],
        &description["config"]["build_input_shape"],
        &description["build_config"]["input_shape"],
    ];
    // A layer that is a model has a shape of its own.
    places.iter().any(|place| !place.is_null()) || config.get("layers").is_some()
}

/// Gives a description the shape of a sample of the data, if it has none: with an axis of channels
/// for a layer that takes images, and in one axis for a first layer that takes vectors.
///
/// ```
/// use tallynet::formats::{from_description, set_input_shape};
///
/// let mut description = serde_json::json!({ "class_name": "Sequential", "config": { "layers": [
///     { "class_name": "Conv2D", "config": { "filters": 8, "kernel_size": 3 } },
/// ] } });
/// set_input_shape(&mut description, &[28, 28]);
/// let model = from_description(&description)?.model;
/// assert_eq!(model.input_shape().dims(), [28, 28, 1]);
/// # Ok::<(), tallynet::Error>(())
/// ```
pub fn set_input_shape(description: &mut Value, sample: &[usize]) {
    if has_input_shape(description) {
        return;
    }
    let first = layers(description).and_then(|layers| layers.first());
    let class = first.and_then(|first| first["class_name"].as_str()).unwrap_or_default();
    let takes_images = class.contains("2D");
    let takes_vectors = class == "Dense";
    let mut batch_shape = vec![Value::Null];
    if takes_vectors && sample.len() > 1 {
        batch_shape.push(json!(sample.iter().product::<usize>()));
    } else {
        batch_shape.extend(sample.iter().map(|length| json!(length)));
    }
    if takes_images && sample.len() == 2 {
        batch_shape.push(json!(1));
    }
    description["build_config"] = json!({ "input_shape": batch_shape });
}

/// The description with its `Input` as Keras writes one, and options for every layer.
pub fn normalized(mut description: Value) -> Value {
    let config = description.get_mut("config");
    let layers = config.and_then(|config| match config {
        Value::Array(layers) => Some(layers),
        _ => config.get_mut("layers").and_then(Value::as_array_mut),
    });
    for layer in layers.into_iter().flatten() {
        if let Some(layer) = layer.as_object_mut() {
            layer.entry("config").or_insert_with(|| json!({}));
            if layer.get("class_name").is_some_and(|class| class == "Input") {
                layer.insert("class_name".to_string(), json!("InputLayer"));
            }
            normalize_input(layer);
        }
    }
    // A saved model's file records its batch size there.
    if description["batch_size"].is_u64() && description["training"].is_null() {
        let batch_size = description["batch_size"].clone();
        let training = json!({ "seed": 0, "epochs": 0, "iteration": 0, "batch_size": batch_size });
        if let Some(description) = description.as_object_mut() {
            description.insert("training".to_string(), training);
        }
    }
    description
}

/// Replaces the `shape` of an `InputLayer` by its `batch_shape`.
fn normalize_input(layer: &mut Map<String, Value>) {
    if layer.get("class_name").is_none_or(|class| class != "InputLayer") {
        return;
    }
    let Some(config) = layer.get_mut("config").and_then(Value::as_object_mut) else { return };
    let lengths = match config.get("shape") {
        Some(Value::Array(lengths)) => lengths.clone(),
        Some(length @ Value::Number(_)) => vec![length.clone()],
        _ => return,
    };
    let batch_shape = [vec![Value::Null], lengths].concat();
    config.remove("shape");
    config.insert("batch_shape".to_string(), json!(batch_shape));
}
