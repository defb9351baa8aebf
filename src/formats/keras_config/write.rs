//! Writes the description of a model as Keras 3.1 to 3.15 read it.

use serde::Serialize;
use serde_json::{Value, json};

use super::Training;
use super::compiled::COMPILE;
use super::effects::merge;
use crate::Result;
use crate::model::{Compiled, MetricChoice, Sequential};

impl Sequential {
    /// The model without its parameters: Keras's `config.json`, and under `training` the settings
    /// that Keras does not store.
    pub fn description(&self) -> Value {
        let mut description = config(self);
        description["training"] = training(self);
        description
    }
}

/// Encodes the description as a `.json` file.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    Ok(config(model).to_string().into_bytes())
}

/// Keras's `config.json`.
fn config(model: &Sequential) -> Value {
    let mut batch_shape = vec![json!(model.fixed_batch)];
    for (axis, length) in model.input_shape().dims().iter().enumerate() {
        let is_open = model.open_axes().contains(&axis);
        batch_shape.push(if is_open { Value::Null } else { json!(length) });
    }
    let mut input_name = "input_layer".to_string();
    while model.layer(&input_name).is_some() {
        input_name.push('_');
    }
    let mut layers = vec![json!({
        "class_name": "InputLayer",
        "config": { "batch_shape": batch_shape, "name": input_name },
    })];
    for layer in model.layers() {
        let mut value = class(&layer.spec, layer.spec.class_name());
        if let Some(kept) = model.kept.get(&layer.name()) {
            // The class of a layer that is an identity here has options of its own.
            if kept.get("class_name").is_some() {
                value["config"] = json!({});
            }
            merge(&mut value, kept.clone());
        }
        value["config"]["name"] = json!(layer.name());
        // Keras's SpatialDropout does not accept the option, which has no effect without weights.
        if !layer.params.is_empty() {
            value["config"]["trainable"] = json!(layer.trainable);
        }
        layers.push(value);
    }
    for layer in &mut layers {
        layer["config"]["dtype"] = json!("float32");
    }
    let mut config = json!({
        "class_name": "Sequential",
        "config": {
            "name": model.name,
            "layers": layers,
            "trainable": true,
            "dtype": "float32",
            "build_input_shape": batch_shape,
        },
        "build_config": { "input_shape": batch_shape },
    });
    if let Some(compiled) = &model.compiled
        && let Some(optimizer) = &compiled.optimizer
    {
        config["compile_config"] = compile_config(model, compiled);
        config["compile_config"]["optimizer"] = class(optimizer, optimizer.class_name());
    }
    add_modules(&mut config, "keras");
    config
}

/// Arguments of `compile` without the optimizer.
fn compile_config(model: &Sequential, compiled: &Compiled) -> Value {
    let mut arguments = json!({
        "loss": class(&compiled.loss, compiled.loss.class_name()),
        "metrics": compiled.metrics().iter().map(metric).collect::<Vec<_>>(),
        // Lets Keras compile the model if it can: training is thirty times faster.
        "jit_compile": "auto",
        "loss_weights": null,
        "weighted_metrics": null,
        "run_eagerly": false,
        "steps_per_execution": 1,
    });
    merge(&mut arguments, model.kept.get(COMPILE).cloned().unwrap_or_default());
    arguments
}

/// Settings that Keras does not store.
pub fn training(model: &Sequential) -> Value {
    let state = model.compiled.as_ref().map(|compiled| &compiled.state);
    let unoptimized = model.compiled.as_ref().filter(|compiled| compiled.optimizer.is_none());
    json!(Training {
        seed: model.seed,
        epochs: model.epochs_done,
        running_epoch: model.running_epoch.clone(),
        batch_size: model.batch_size,
        byte_scale: model.byte_scale,
        data: model.data.clone(),
        iteration: state.map_or(0, |state| state.iteration),
        learning_rate: state.map(|state| state.learning_rate),
        obstacles: model.training_obstacles.clone(),
        compile_config: unoptimized.map_or(Value::Null, |compiled| compile_config(model, compiled)),
        best: model.best.clone(),
        record: model.record.clone(),
    })
}

/// A class with its options, or only the name of a class from outside the crate.
fn class(class: &impl Serialize, name: &str) -> Value {
    serde_json::to_value(class).unwrap_or_else(|_| json!({ "class_name": name, "config": {} }))
}

/// A metric as Keras writes it: its bare name, or an object whose options hold the name.
fn metric(choice: &MetricChoice) -> Value {
    let Some(metric) = &choice.class else { return json!(choice.name) };
    let mut value = class(metric, metric.class_name());
    value["config"]["name"] = json!(choice.name);
    value
}

/// Adds to every object of a class the module in which Keras finds it.
fn add_modules(value: &mut Value, module: &str) {
    match value {
        Value::Array(list) => list.iter_mut().for_each(|value| add_modules(value, module)),
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                let module = match key.rsplit('_').next().unwrap_or_default() {
                    "layers" => "keras.layers",
                    "initializer" => "keras.initializers",
                    "constraint" => "keras.constraints",
                    "regularizer" => "keras.regularizers",
                    "optimizer" => "keras.optimizers",
                    "rate" => "keras.optimizers.schedules",
                    "loss" => "keras.losses",
                    "metrics" => "keras.metrics",
                    _ => module,
                };
                add_modules(value, module);
            }
            if map.contains_key("class_name") {
                map.insert("module".to_string(), json!(module));
                map.insert("registered_name".to_string(), Value::Null);
            }
        }
        _ => {}
    }
}
