//! The description of a model, in the form that Keras 3.1 to 3.15 read.

use serde_json::{Value, json};

use super::Training;
use crate::formats::hdf5;
use crate::model::{MetricChoice, Sequential};

impl Sequential {
    /// Everything about this model but its numbers: Keras's `config.json`, and under `training`
    /// what Keras does not store.
    pub fn description(&self) -> Value {
        let mut description = config(self);
        description["training"] = training(self);
        description
    }
}

/// The bytes of a `.json` file.
pub fn write(model: &Sequential) -> hdf5::Result<Vec<u8>> {
    Ok(config(model).to_string().into_bytes())
}

/// What Keras reads.
fn config(model: &Sequential) -> Value {
    let dims = model.input_shape().dims().iter().map(|&axis| json!(axis));
    let batch_shape: Vec<Value> = [Value::Null].into_iter().chain(dims).collect();
    let mut input = "input_layer".to_string();
    while model.layer(&input).is_some() {
        input.push('_');
    }
    let input = json!({ "class_name": "InputLayer", "config": { "batch_shape": batch_shape, "name": input } });
    let layers = model.layers().iter().map(|layer| {
        let mut value = json!(layer.spec);
        value["config"]["name"] = json!(layer.name());
        value["config"]["trainable"] = json!(layer.trainable);
        value
    });
    let mut layers: Vec<Value> = [input].into_iter().chain(layers).collect();
    layers.iter_mut().for_each(|layer| layer["config"]["dtype"] = json!("float32"));
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
    if let Some(compiled) = &model.compiled {
        config["compile_config"] = json!({
            "optimizer": compiled.optimizer,
            "loss": compiled.loss,
            "metrics": compiled.metrics().iter().map(metric).collect::<Vec<_>>(),
            // Keras then compiles where it can; without, it trains thirty times slower.
            "jit_compile": "auto",
            "loss_weights": null,
            "weighted_metrics": null,
            "run_eagerly": false,
            "steps_per_execution": 1,
        });
    }
    tag(&mut config, "keras");
    config
}

/// What Keras does not store.
pub fn training(model: &Sequential) -> Value {
    let state = model.compiled.as_ref().map(|compiled| &compiled.state);
    json!(Training {
        seed: model.seed,
        epochs: model.epochs_done,
        batch_size: model.batch_size,
        byte_scale: model.byte_scale,
        iteration: state.map_or(0, |state| state.iteration),
        learning_rate: state.map(|state| state.learning_rate),
    })
}

/// A metric as Keras writes it: its name alone, or an object whose options hold the name.
fn metric(choice: &MetricChoice) -> Value {
    let Some(class) = &choice.class else { return json!(choice.name) };
    let mut value = json!(class);
    value["config"]["name"] = json!(choice.name);
    value
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
