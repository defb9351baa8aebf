//! Keras's `config.json` in the dialects that Keras has written over the years, and back in the one that all of Keras 3
//! reads.
//!
//! **Decision.** The text is brought into this crate's own form before it becomes a description: old names are
//! replaced, keys that say nothing here are dropped, initializers and the like become objects. What options a class
//! has is asked of the class itself, so a new layer needs no line here. **Rejected:** aliases and catch-alls on every
//! class of the catalogues, which would spread ten years of dialects over all of them and accept options in silence.

mod compiled;
mod options;

use serde_json::{Value, json};

use crate::layers::AnyLayer;
use crate::model::{Description, Sequential};
use options::{dtype, foreign, options};

type Result<T> = std::result::Result<T, String>;

/// The description of a model, and what of the file was left out. `compile` and `training` come from elsewhere where
/// the file keeps them elsewhere.
pub fn read(model: &Value, compile: Option<&Value>, training: Option<&Value>) -> Result<(Description, Vec<String>)> {
    let (class, config) = (text(model, "class_name"), &model["config"]);
    if let Some(problem) = foreign(&json!({ "class_name": class, "registered_name": model["registered_name"] })) {
        return Err(format!("the model: {problem}"));
    }
    if class != "Sequential" {
        return Err(format!("the model is a {class:?}, and only a Sequential is read: layers one behind the other"));
    }
    // Keras 1 and 2.0 to 2.2 wrote the list of layers alone.
    let layers = config.get("layers").unwrap_or(config).as_array().ok_or("the model has no list of layers")?;
    let is_input = |layer: &&Value| text(layer, "class_name") == "InputLayer";
    let mut described = vec![json!({ "class_name": "InputLayer", "config": { "batch_shape": input(model, layers)? } })];
    let mut warnings = vec![];
    for (number, entry) in layers.iter().skip_while(is_input).enumerate() {
        described.push(layer(number + 1, entry, &mut warnings)?);
    }
    let compile = compile.unwrap_or(&model["compile_config"]);
    let compile = match compile.as_object().is_none_or(|compile| compile.is_empty()) {
        true => Value::Null,
        false => compiled::read(compile, &mut warnings).unwrap_or_else(|problem| {
            warnings.push(format!("how the model was trained is left out: {problem}"));
            Value::Null
        }),
    };
    let description = json!({
        "class_name": class,
        "config": { "name": config["name"].as_str().unwrap_or("sequential"), "layers": described },
        "compile_config": compile,
        "training": training.unwrap_or(&json!({ "seed": 0, "epochs": 0, "batch_size": null, "iteration": 0 })),
    });
    let description = serde_json::from_value(description).map_err(|error| error.to_string())?;
    Ok((description, warnings))
}

/// The shape of a batch, from whichever place the file keeps it in.
fn input(model: &Value, layers: &[Value]) -> Result<Value> {
    let first = &layers.first().unwrap_or(&Value::Null)["config"];
    let batch =
        |sample: &Value| sample.as_array().map_or(Value::Null, |axes| json!([&[Value::Null], &axes[..]].concat()));
    let given = [
        first["batch_shape"].clone(),
        first["batch_input_shape"].clone(),
        batch(&first["input_shape"]),
        first.get("input_dim").map_or(Value::Null, |length| json!([null, length])),
        model["config"]["build_input_shape"].clone(),
        model["build_config"]["input_shape"].clone(),
    ];
    let shape = given.into_iter().find(Value::is_array);
    let shape = shape.ok_or("the model does not say what shape its input has; build it in Keras before it is saved")?;
    match shape.as_array().is_some_and(|axes| axes.iter().skip(1).all(Value::is_u64)) {
        true => Ok(shape),
        false => Err(format!("the input has the shape {shape}, and every axis but the first needs a length")),
    }
}

fn layer(number: usize, layer: &Value, warnings: &mut Vec<String>) -> Result<Value> {
    let class = match text(layer, "class_name") {
        "Convolution2D" => "Conv2D",
        class => class,
    };
    let mut config = layer["config"].as_object().cloned().unwrap_or_default();
    let name = layer["config"]["name"].as_str();
    let place = format!("layer {number}, {} ({class})", name.unwrap_or("without a name"));
    if let Some(problem) = foreign(layer) {
        return Err(format!("{place}: {problem}"));
    }
    if let Some(precision) = dtype(&layer["config"]["dtype"]).filter(|name| *name != "float32") {
        let warning = format!("{place}: it was made for {precision}, and is computed here in one precision throughout");
        warnings.push(warning);
    }
    if let (Some(rows), Some(columns)) = (config.remove("nb_row"), config.remove("nb_col")) {
        config.insert("kernel_size".to_string(), json!([rows, columns]));
    }
    let trainable = config.remove("trainable").unwrap_or(json!(true));
    let mut known = options(&place, class, config, AnyLayer::all(), "layer")?;
    known["config"]["trainable"] = trainable;
    if let Some(name) = name {
        known["config"]["name"] = json!(name);
    }
    Ok(known)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// The configuration in the form that Keras 3.1 to 3.15 read, and beside it what Keras does not store.
pub fn write(model: &Sequential) -> (Value, Value) {
    let mut value = serde_json::to_value(model.description()).unwrap_or_default();
    let training = value.as_object_mut().and_then(|value| value.remove("training")).unwrap_or_default();
    let shape = value["config"]["layers"][0]["config"]["batch_shape"].clone();
    let mut input = "input_layer".to_string();
    while model.layer(&input).is_some() {
        input.push('_');
    }
    value["config"]["layers"][0]["config"]["name"] = json!(input);
    for layer in value["config"]["layers"].as_array_mut().into_iter().flatten() {
        layer["config"]["dtype"] = json!("float32");
    }
    value["build_config"] = json!({ "input_shape": shape });
    value["config"]["trainable"] = json!(true);
    value["config"]["dtype"] = json!("float32");
    value["config"]["build_input_shape"] = shape;
    if let Some(compile) = value.get_mut("compile_config").and_then(Value::as_object_mut) {
        // Keras then compiles where it can; without, it trains thirty times slower.
        compile.insert("jit_compile".to_string(), json!("auto"));
        let rest =
            json!({ "loss_weights": null, "weighted_metrics": null, "run_eagerly": false, "steps_per_execution": 1 });
        compile.extend(rest.as_object().cloned().unwrap_or_default());
    }
    tag(&mut value, "keras");
    (value, training)
}

/// Says of every object of a class in which module Keras finds the class.
fn tag(value: &mut Value, module: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| tag(value, module)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let module = match key.rsplit('_').next().unwrap_or_default() {
                    "layers" => "keras.layers",
                    "initializer" => "keras.initializers",
                    "regularizer" => "keras.regularizers",
                    "optimizer" => "keras.optimizers",
                    "rate" => "keras.optimizers.schedules",
                    "loss" => "keras.losses",
                    "metrics" => "keras.metrics",
                    _ => module,
                };
                tag(value, module);
            }
            if map.contains_key("class_name") {
                map.insert("module".to_string(), json!(module));
                map.insert("registered_name".to_string(), Value::Null);
            }
        }
        _ => {}
    }
}
