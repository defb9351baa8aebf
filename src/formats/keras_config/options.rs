//! The options of a class, in all spellings that Keras has had for them, as the catalogues here
//! know them.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Result, text};

/// A class with its options, out of all that play its role. An option that it does not have and
/// that is not without effect is an error.
pub fn class<C: Serialize + DeserializeOwned>(
    place: &str,
    role: &str,
    value: &Value,
    all: Vec<C>,
) -> Result<C> {
    if let Some(problem) = foreign(value) {
        return Err(format!("{place}: {problem}").into());
    }
    let class = match text(value, "class_name") {
        "Convolution2D" => "Conv2D",
        class => class,
    };
    let mut config = value["config"].as_object().cloned().unwrap_or_default();
    if let (Some(rows), Some(columns)) = (config.remove("nb_row"), config.remove("nb_col")) {
        config.insert("kernel_size".to_string(), json!([rows, columns]));
    }
    let all: Vec<Value> = all.iter().map(|class| json!(class)).collect();
    let Some(known) = all.iter().find(|known| text(known, "class_name") == class) else {
        let names: Vec<_> = all.iter().map(|known| text(known, "class_name")).collect();
        return Err(format!(
            "{place}: there is no such {role} here; there are {}",
            names.join(", ")
        )
        .into());
    };
    let mut found = Map::new();
    for (key, value) in &config {
        // A name that the class has is its own, whatever another class once called so.
        let key = if known["config"].get(key).is_some() { key } else { renamed(key) };
        let refused = || format!("{place}: the option {key} = {value} is not supported here");
        let given = option(key, value, &known["config"][key]).ok_or_else(refused)?;
        // Tried alone, so that what is wrong with a value is said with its option.
        match C::deserialize(json!({ "class_name": class, "config": { key: given } })) {
            Ok(_) => drop(found.insert(key.to_string(), given)),
            Err(_) if has_no_effect(key, value) => {}
            Err(_) if known["config"].get(key).is_none() => return Err(refused().into()),
            Err(error) => return Err(format!("{}: {error}", refused()).into()),
        }
    }
    C::deserialize(json!({ "class_name": class, "config": found }))
        .map_err(|error| format!("{place}: {error}").into())
}

/// What is wrong where an object, or one within it, is of a class that somebody made: it may be
/// called as one of Keras's.
pub fn foreign(value: &Value) -> Option<String> {
    let module = value["module"].as_str().unwrap_or("keras");
    let registered = text(value, "registered_name");
    let keras = ["keras", "tf_keras", "tensorflow", "builtins"];
    let own =
        keras.contains(&module.split('.').next().unwrap_or_default()) && !registered.contains('>');
    if value.get("class_name").is_some() && !own {
        let from = if registered.contains('>') { registered } else { module };
        return Some(format!(
            "the class {} is {from}, which is not Keras's own",
            text(value, "class_name")
        ));
    }
    match value {
        Value::Array(list) => list.iter().find_map(foreign),
        Value::Object(map) => map.values().find_map(foreign),
        _ => None,
    }
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

/// The value in this crate's form.
fn option(key: &str, value: &Value, default: &Value) -> Option<Value> {
    Some(match (key, value) {
        (_, Value::Null) => Value::Null,
        ("activation", _) => json!(value.as_str().or(value["config"].as_str())?),
        ("data_format", Value::String(order)) => match order.as_str() {
            "tf" => json!("channels_last"),
            "th" => json!("channels_first"),
            order => json!(order),
        },
        _ if key.ends_with("_initializer") || key.ends_with("_regularizer") => object(value)?,
        (_, Value::Number(_)) if default.is_array() => json!([value, value]),
        // Keras 2 wrote an axis as a list of one, and a threshold may be one.
        (_, Value::Array(list)) if !default.is_array() && list.len() == 1 => list.first()?.clone(),
        // A schedule in the place of a learning rate.
        (_, Value::Object(_)) if value.get("class_name").is_some() => object(value)?,
        _ => value.clone(),
    })
}

/// An initializer, a regularizer or a schedule: a name in either spelling, or an object, whose
/// options that have no effect are left out. Keras 1 wrote the name of a regularizer among its
/// options.
fn object(value: &Value) -> Option<Value> {
    let class = value["class_name"].as_str();
    let config = if class.is_some() { &value["config"] } else { value };
    let mut config = config.as_object().cloned().unwrap_or_default();
    config.retain(|key, value| !has_no_effect(key, value));
    let class = pascal_case(class.or(value["name"].as_str()).or(value.as_str())?);
    let class = match class.as_str() {
        "Normal" => "RandomNormal",
        "Uniform" => "RandomUniform",
        "Zero" => "Zeros",
        "One" => "Ones",
        "OrthogonalInitializer" => "Orthogonal",
        "WeightRegularizer" | "L1L2Regularizer" => "L1L2",
        // Keras 2 wrote what the named ones are made of.
        "VarianceScaling" => {
            let family = match (config.get("scale")?.as_f64()?, config.get("mode")?.as_str()?) {
                (1.0, "fan_avg") => "Glorot",
                (2.0, "fan_in") => "He",
                (1.0, "fan_in") => "Lecun",
                _ => return None,
            };
            let form = if config.get("distribution")? == "uniform" { "Uniform" } else { "Normal" };
            return Some(json!({ "class_name": family.to_string() + form, "config": {} }));
        }
        class => class,
    };
    Some(json!({ "class_name": class, "config": config }))
}

/// `glorot_uniform` becomes `GlorotUniform`.
fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_ascii_uppercase())
            .into_iter()
            .chain(letters)
            .collect::<String>()
    };
    name.split('_').map(word).collect()
}

/// The name of a precision, or of a policy.
pub fn dtype(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"]["name"].as_str())
}

/// Whether an option that a class does not have asks for nothing that is not done anyway.
fn has_no_effect(key: &str, value: &Value) -> bool {
    let precisions = ["float32", "float64", "mixed_float16", "mixed_bfloat16"];
    match key {
        _ if value.is_null() => key != "reduction",
        "dtype" => dtype(value).is_some_and(|name| precisions.contains(&name)),
        "data_format" => value == "channels_last" || value == "tf",
        "dilation_rate" | "groups" => value == 1 || *value == json!([1, 1]),
        "reduction" => value == "sum_over_batch_size" || value == "auto",
        "axis" => value == -1,
        "synchronized" | "renorm" | "use_ema" | "amsgrad" | "centered" => value == false,
        "decay" | "weight_decay" | "mode" | "momentum" => value.as_f64() == Some(0.0),
        // Identities, first values, what belongs to options that are off, and what is read
        // elsewhere.
        "name"
        | "trainable"
        | "seed"
        | "optional"
        | "ragged"
        | "sparse"
        | "build_config"
        | "jit_compile"
        | "is_legacy_optimizer" => true,
        "batch_input_shape" | "input_shape" | "input_dim" | "input_dtype" | "renorm_momentum"
        | "ema_momentum" => true,
        _ => false,
    }
}
