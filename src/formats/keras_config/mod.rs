//! Keras's `config.json` in the dialects that Keras has written over the years, and back in the one that all of Keras 3
//! reads.
//!
//! **Decision.** The text is brought into this crate's own form before it becomes a description: old names are
//! replaced, keys that say nothing here are dropped, initializers and the like become objects. What options a class
//! has is asked of the class itself, so a new layer needs no line here. **Rejected:** aliases and catch-alls on every
//! class of the catalogues, which would spread ten years of dialects over all of them and accept options in silence.

mod compiled;
mod options;

use serde_json::{Map, Value, json};

use crate::layers::AnyLayer;
use crate::model::{Description, Sequential};
use options::{dtype, foreign, options};

type Result<T> = std::result::Result<T, String>;

/// The description of a model, and what of the file was left out. `compile` and `training` come from elsewhere where
/// the file keeps them elsewhere.
pub fn read(model: &Value, compile: Option<&Value>, training: Option<&Value>) -> Result<(Description, Vec<String>)> {
    let class = text(model, "class_name");
    if let Some(problem) = foreign(&json!({ "class_name": class, "registered_name": model.get("registered_name") })) {
        return Err(format!("the model: {problem}"));
    }
    if class != "Sequential" {
        return Err(format!("the model is a {class:?}, and only a Sequential is read: layers one behind the other"));
    }
    let config = model.get("config").unwrap_or(&Value::Null);
    // Keras 1 and 2.0 to 2.2 wrote the list of layers alone.
    let layers = config.get("layers").unwrap_or(config).as_array().ok_or("the model has no list of layers")?;
    let is_input = |layer: &&Value| text(layer, "class_name") == "InputLayer";
    let mut described = vec![json!({ "class_name": "InputLayer", "config": { "batch_shape": input(model, layers)? } })];
    let mut warnings = vec![];
    for (number, entry) in layers.iter().skip_while(is_input).enumerate() {
        described.push(layer(number + 1, entry, &mut warnings)?);
    }

    let compile = compile.or(model.get("compile_config"));
    let compile = compile.filter(|compile| compile.as_object().is_some_and(|compile| !compile.is_empty()));
    let compile = compile.and_then(|compile| match compiled::read(compile, &mut warnings) {
        Ok(compile) => Some(compile),
        Err(problem) => {
            warnings.push(format!("how the model was trained is left out: {problem}"));
            None
        }
    });
    let name = config.get("name").and_then(Value::as_str).unwrap_or("sequential");
    let description = json!({
        "class_name": class,
        "config": { "name": name, "layers": described },
        "compile_config": compile,
        "training": training.unwrap_or(&json!({ "seed": 0, "epochs": 0, "batch_size": null, "iteration": 0 })),
    });
    let description = serde_json::from_value(description).map_err(|error| error.to_string())?;
    Ok((description, warnings))
}

/// The shape of a batch, from whichever place the file keeps it in.
fn input(model: &Value, layers: &[Value]) -> Result<Value> {
    let first = layers.first().and_then(|layer| layer.get("config")).unwrap_or(&Value::Null);
    let sample = |shape: &Value| Some(Value::Array([vec![Value::Null], shape.as_array()?.clone()].concat()));
    let given = [
        first.get("batch_shape").cloned(),
        first.get("batch_input_shape").cloned(),
        first.get("input_shape").and_then(sample),
        first.get("input_dim").and_then(|length| sample(&json!([length]))),
        model.pointer("/config/build_input_shape").cloned(),
        model.pointer("/build_config/input_shape").cloned(),
    ];
    let shape = given.into_iter().flatten().find(|shape| shape.is_array());
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
    let empty = Map::new();
    let config = layer.get("config").and_then(Value::as_object).unwrap_or(&empty);
    let name = config.get("name").and_then(Value::as_str);
    let place = format!("layer {number}, {} ({class})", name.unwrap_or("without a name"));
    if let Some(problem) = foreign(layer) {
        return Err(format!("{place}: {problem}"));
    }
    if let Some(precision) = config.get("dtype").and_then(dtype).filter(|name| *name != "float32") {
        warnings
            .push(format!("{place}: it was made for {precision}, and is computed here in one precision throughout"));
    }
    let mut config = config.clone();
    if let (Some(rows), Some(columns)) = (config.remove("nb_row"), config.remove("nb_col")) {
        config.insert("kernel_size".to_string(), json!([rows, columns]));
    }
    let trainable = config.remove("trainable").unwrap_or(json!(true));
    let mut config = options(&place, class, config, AnyLayer::all(), "layer")?;
    if let Some(Value::Object(config)) = config.get_mut("config") {
        config.insert("trainable".to_string(), trainable);
        name.map(|name| config.insert("name".to_string(), json!(name)));
    }
    Ok(config)
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The configuration in the form that Keras 3.1 to 3.15 read, and beside it what Keras does not store.
pub fn write(model: &Sequential) -> (Value, Value) {
    let mut value = serde_json::to_value(model.description()).unwrap_or_default();
    let training = value.as_object_mut().and_then(|value| value.remove("training")).unwrap_or_default();
    let shape = value.pointer("/config/layers/0/config/batch_shape").cloned().unwrap_or_default();
    let mut input = "input_layer".to_string();
    while model.layer(&input).is_some() {
        input.push('_');
    }
    for layer in value.pointer_mut("/config/layers").and_then(Value::as_array_mut).into_iter().flatten() {
        tag(layer, "keras.layers");
        if let Some(config) = layer.get_mut("config").and_then(Value::as_object_mut) {
            config.entry("name").or_insert(json!(input));
            config.insert("dtype".to_string(), json!("float32"));
            for (key, value) in config {
                match key.rsplit('_').next() {
                    Some("initializer") => tag(value, "keras.initializers"),
                    Some("regularizer") => tag(value, "keras.regularizers"),
                    _ => {}
                }
            }
        }
    }
    tag(&mut value, "keras");
    value["build_config"] = json!({ "input_shape": shape });
    value["config"]["trainable"] = json!(true);
    value["config"]["dtype"] = json!("float32");
    value["config"]["build_input_shape"] = shape;
    if let Some(compile) = value.get_mut("compile_config").filter(|compile| compile.is_object()) {
        tag(&mut compile["optimizer"], "keras.optimizers");
        tag(&mut compile["optimizer"]["config"]["learning_rate"], "keras.optimizers.schedules");
        tag(&mut compile["loss"], "keras.losses");
        compile["metrics"].as_array_mut().into_iter().flatten().for_each(|metric| tag(metric, "keras.metrics"));
        for key in ["loss_weights", "weighted_metrics"] {
            compile[key] = Value::Null;
        }
        compile["run_eagerly"] = json!(false);
        compile["steps_per_execution"] = json!(1);
        // Keras then compiles where it can; without, it trains thirty times slower.
        compile["jit_compile"] = json!("auto");
    }
    (value, training)
}

/// Says where Keras finds the class of an object.
fn tag(value: &mut Value, module: &str) {
    if let Some(object) = value.as_object_mut().filter(|object| object.contains_key("class_name")) {
        object.insert("module".to_string(), json!(module));
        object.insert("registered_name".to_string(), Value::Null);
    }
}
