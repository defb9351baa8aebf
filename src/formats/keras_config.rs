//! Keras's `config.json` in the dialects that Keras has written over the years, and back in the one that all of Keras 3
//! reads.
//!
//! **Decision.** The text is brought into this crate's own form before it becomes a description: old names are
//! replaced, keys that say nothing here are dropped, initializers and the like become objects. What options a class
//! has is asked of the class itself, so a new layer needs no line here. **Rejected:** aliases and catch-alls on every
//! class of the catalogues, which would spread ten years of dialects over all of them and accept options in silence.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::activations::ActivationKind;
use crate::initializers::Initializer;
use crate::layers::AnyLayer;
use crate::losses::AnyLoss;
use crate::metrics::AnyMetric;
use crate::model::{Description, MAX_METRICS, Sequential};
use crate::optimizers::AnyOptimizer;
use crate::regularizers::L1L2;

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
    let compile = compile.and_then(|compile| match compiled(compile, &mut warnings) {
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

/// A class with its options as the catalogue knows them. One that is neither known nor without effect is an error.
fn options<C: Serialize + DeserializeOwned>(
    place: &str,
    class: &str,
    config: Map<String, Value>,
    all: Vec<C>,
    role: &str,
) -> Result<Value> {
    let all: Vec<Value> = all.iter().filter_map(|class| serde_json::to_value(class).ok()).collect();
    let Some(known) = all.iter().find(|known| text(known, "class_name") == class) else {
        let names: Vec<_> = all.iter().map(|known| text(known, "class_name")).collect();
        return Err(format!("{place}: there is no such {role} here; there are {}", names.join(", ")));
    };
    let mut found = Map::new();
    for (key, value) in config {
        // A name that the class has is its own, whatever another class once called so.
        let own = known.pointer(&format!("/config/{key}")).is_some();
        let key = if own { key.as_str() } else { renamed(&key) };
        let wrong = || format!("{place}: the option {key} = {value} is not supported here");
        match known.pointer(&format!("/config/{key}")) {
            Some(default) => {
                if let Some(value) = option(key, &value, default).ok_or_else(wrong)? {
                    // Tried alone, so that what is wrong with a value is said with its option.
                    let alone = json!({ "class_name": class, "config": { key: value } });
                    if let Err(error) = serde_json::from_value::<C>(alone) {
                        return Err(format!("{place}: the option {key} = {value}: {error}"));
                    }
                    found.insert(key.to_string(), value);
                }
            }
            None if has_no_effect(key, &value) => {}
            None => return Err(wrong()),
        }
    }
    Ok(json!({ "class_name": class, "config": found }))
}

/// What is wrong where an object, or one within it, is of a class that somebody made: it may be called as one of Keras's.
fn foreign(value: &Value) -> Option<String> {
    let children: Vec<&Value> = match value {
        Value::Array(list) => list.iter().collect(),
        Value::Object(map) => map.values().collect(),
        _ => return None,
    };
    let module = value.get("module").and_then(Value::as_str).unwrap_or("keras");
    let registered = value.get("registered_name").and_then(Value::as_str).unwrap_or_default();
    let keras = ["keras", "tf_keras", "tensorflow", "builtins"];
    let own = keras.contains(&module.split('.').next().unwrap_or_default()) && !registered.contains('>');
    if value.get("class_name").is_some() && !own {
        let from = if registered.contains('>') { registered } else { module };
        return Some(format!("the class {} is {from}, which is not Keras's own", text(value, "class_name")));
    }
    children.into_iter().find_map(foreign)
}

/// The names that options had in Keras 1 and 2.
fn renamed(key: &str) -> &str {
    match key {
        "output_dim" => "units",
        "init" => "kernel_initializer",
        "W_regularizer" => "kernel_regularizer",
        "b_regularizer" => "bias_regularizer",
        "W_constraint" => "kernel_constraint",
        "b_constraint" => "bias_constraint",
        "gamma_init" => "gamma_initializer",
        "beta_init" => "beta_initializer",
        "bias" => "use_bias",
        "p" => "rate",
        "nb_filter" => "filters",
        "border_mode" => "padding",
        "subsample" => "strides",
        "dim_ordering" => "data_format",
        "alpha" => "negative_slope",
        "lr" => "learning_rate",
        key => key,
    }
}

/// The value in this crate's form; `Some(None)` where the default stands for it.
fn option(key: &str, value: &Value, default: &Value) -> Option<Option<Value>> {
    let known = match (key, value) {
        (_, Value::Null) if !default.is_null() => return Some(None),
        (_, Value::Null) => Value::Null,
        ("activation", _) => {
            let name = value.as_str().or_else(|| value.get("config")?.as_str())?;
            checked::<ActivationKind>(json!(name))?
        }
        ("data_format", Value::String(order)) => match order.as_str() {
            "tf" => json!("channels_last"),
            "th" => json!("channels_first"),
            order => json!(order),
        },
        _ if key.ends_with("_initializer") => checked::<Initializer>(initializer(value)?)?,
        _ if key.ends_with("_regularizer") => checked::<L1L2>(regularizer(value)?)?,
        (_, Value::Number(_)) if default.is_array() => json!([value, value]),
        // Keras 2 wrote an axis as a list of one, and a threshold may be one.
        (_, Value::Array(list)) if !default.is_array() && list.len() == 1 => list.first()?.clone(),
        // A schedule in the place of a learning rate.
        (_, Value::Object(_)) if value.get("class_name").is_some() => object(value)?,
        _ => value.clone(),
    };
    Some(Some(known))
}

/// The same value, if it is one of this type.
fn checked<T: DeserializeOwned>(value: Value) -> Option<Value> {
    serde_json::from_value::<T>(value.clone()).is_ok().then_some(value)
}

/// An object's class and those of its options that have an effect.
fn object(value: &Value) -> Option<Value> {
    let mut config = value.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    config.retain(|key, value| !has_no_effect(key, value));
    Some(json!({ "class_name": value.get("class_name")?.as_str()?, "config": config }))
}

/// An initializer, given as a name in either spelling or as an object.
fn initializer(value: &Value) -> Option<Value> {
    let mut found = match value.as_str() {
        Some(name) => json!({ "class_name": pascal_case(name), "config": {} }),
        None => object(value)?,
    };
    let number = |key: &str| found.pointer(&format!("/config/{key}")).and_then(Value::as_f64);
    let class = match text(&found, "class_name") {
        "Normal" => "RandomNormal",
        "Uniform" => "RandomUniform",
        "Zero" => "Zeros",
        "One" => "Ones",
        "OrthogonalInitializer" => "Orthogonal",
        // Keras 2 wrote what the named ones are made of.
        "VarianceScaling" => {
            let word = |key: &str| found.pointer(&format!("/config/{key}")).and_then(Value::as_str);
            let class = match (number("scale")?, word("mode")?, word("distribution")?) {
                (1.0, "fan_avg", "uniform") => "GlorotUniform",
                (1.0, "fan_avg", _) => "GlorotNormal",
                (2.0, "fan_in", "uniform") => "HeUniform",
                (2.0, "fan_in", _) => "HeNormal",
                (1.0, "fan_in", "uniform") => "LecunUniform",
                (1.0, "fan_in", _) => "LecunNormal",
                _ => return None,
            };
            return Some(json!({ "class_name": class, "config": {} }));
        }
        class => class,
    };
    found["class_name"] = json!(class);
    Some(found)
}

/// A regularizer, given as a name or as an object; Keras 1 wrote the name among the options.
fn regularizer(value: &Value) -> Option<Value> {
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let class = value.as_str().or(word("class_name")).or(word("name")).unwrap_or("WeightRegularizer");
    let config = value.get("config").unwrap_or(value).as_object().cloned().unwrap_or_default();
    let weights: Map<String, Value> = config.into_iter().filter(|(key, _)| key != "name").collect();
    let class = match class {
        "l1" | "L1" => "L1",
        "l2" | "L2" => "L2",
        "L1L2" | "WeightRegularizer" | "L1L2Regularizer" => "L1L2",
        _ => return None,
    };
    Some(json!({ "class_name": class, "config": weights }))
}

/// `glorot_uniform` becomes `GlorotUniform`.
fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// The name of a precision, or of a policy.
fn dtype(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.pointer("/config/name")?.as_str())
}

/// Whether an option that a class does not have asks for nothing that is not done anyway.
fn has_no_effect(key: &str, value: &Value) -> bool {
    match key {
        _ if value.is_null() => true,
        "dtype" => {
            dtype(value).is_some_and(|name| ["float32", "float64", "mixed_float16", "mixed_bfloat16"].contains(&name))
        }
        "data_format" => value == "channels_last" || value == "tf",
        "dilation_rate" | "groups" => value == 1 || *value == json!([1, 1]),
        "reduction" => value == "sum_over_batch_size" || value == "auto",
        "axis" => value == -1,
        "synchronized" | "renorm" | "use_ema" | "amsgrad" | "centered" => value == false,
        "decay" | "weight_decay" | "mode" | "momentum" => value.as_f64() == Some(0.0),
        // Identities, first values and what belongs to options that are off.
        "name"
        | "seed"
        | "optional"
        | "ragged"
        | "sparse"
        | "batch_input_shape"
        | "input_shape"
        | "input_dim"
        | "input_dtype"
        | "build_config"
        | "renorm_momentum"
        | "ema_momentum"
        | "jit_compile"
        | "is_legacy_optimizer" => true,
        _ => false,
    }
}

/// Optimizer, loss and metrics in this crate's form. A loss that is not known is an error; an optimizer or a metric is
/// left out, with a warning.
fn compiled(compile: &Value, warnings: &mut Vec<String>) -> Result<Value> {
    let optimizer = compile.get("optimizer").or(compile.get("optimizer_config")).unwrap_or(&Value::Null);
    let optimizer = match optimizer {
        Value::Null => Ok(Value::Null),
        Value::String(name) => AnyOptimizer::by_name(name).map(|known| json!(known)).map_err(|error| error.to_string()),
        _ => described::<AnyOptimizer>("optimizer", optimizer, AnyOptimizer::all()),
    };
    let optimizer = optimizer.unwrap_or_else(|problem| {
        warnings.push(format!("the optimizer is left out, so training needs another: {problem}"));
        Value::Null
    });
    if compile.get("loss_weights").is_some_and(|weights| !weights.is_null()) {
        return Err("it weighs its losses (loss_weights)".to_string());
    }
    // A model with one output may have its loss in a list, or by the name of the output.
    let loss = compile.get("loss").unwrap_or(&Value::Null);
    let only = loss.as_array().filter(|list| list.len() == 1).and_then(|list| list.first());
    let named = loss.as_object().filter(|map| map.len() == 1).and_then(|map| map.values().next());
    let loss = only.or(named).unwrap_or(loss);
    let loss = match function(loss) {
        Some(name) => json!(AnyLoss::by_name(name).map_err(|error| error.to_string())?),
        None => described::<AnyLoss>("loss", loss, AnyLoss::all())?,
    };
    let mut found = vec![];
    metrics(compile.get("metrics").unwrap_or(&Value::Null), &mut found);
    metrics(compile.get("weighted_metrics").unwrap_or(&Value::Null), &mut found);
    let mut known = vec![];
    for value in found {
        match metric(value) {
            Ok(_) if known.len() == MAX_METRICS => {
                warnings.push(format!("the metrics after the first {MAX_METRICS} are left out"));
                break;
            }
            Ok(metric) => known.push(metric),
            Err(problem) => warnings.push(format!("a metric is left out: {problem}")),
        }
    }
    Ok(json!({ "optimizer": optimizer, "loss": loss, "metrics": known }))
}

/// A class with its options, as far as this crate can make one of them.
fn described<C: Serialize + DeserializeOwned>(role: &str, value: &Value, all: Vec<C>) -> Result<Value> {
    if let Some(problem) = foreign(value) {
        return Err(format!("the {role}: {problem}"));
    }
    let class = text(value, "class_name");
    let config = value.get("config").and_then(Value::as_object).cloned().unwrap_or_default();
    let place = format!("{role} {class}");
    let known = options(&place, class, config, all, role)?;
    match serde_json::from_value::<C>(known.clone()) {
        Ok(_) => Ok(known),
        Err(error) => Err(format!("{place}: {error}")),
    }
}

/// The name of a function, given as it is or as an object.
fn function(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("config")?.as_str())
}

/// The metrics in lists within lists. Their depth is what the parser of JSON allows.
fn metrics<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| metrics(value, found)),
        Value::Object(map) if !map.contains_key("class_name") => map.values().for_each(|value| metrics(value, found)),
        Value::Null => {}
        metric => found.push(metric),
    }
}

/// A metric: the name of one, which may depend on the shapes, or a class with its options and a name of its own.
fn metric(value: &Value) -> Result<Value> {
    if let Some(name) = function(value) {
        return AnyMetric::by_name(name, 1, 1).map(|_| json!(name)).map_err(|error| error.to_string());
    }
    let mut known = described::<AnyMetric>("metric", value, AnyMetric::all())?;
    if let Some(name) = value.pointer("/config/name").filter(|name| name.is_string()) {
        known["config"]["name"] = name.clone();
    }
    Ok(known)
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
