//! Options of a class, in all spellings that Keras has had for them, converted to those of the
//! catalogues.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::text;
use crate::{Error, Result};

/// Reads a class of `all`, the classes with this role, and its options.
///
/// # Errors
/// A class that is not among them, and an option that it does not have and that has an effect.
pub fn class<C: Serialize + DeserializeOwned>(
    place: &str,
    role: &str,
    value: &Value,
    all: Vec<C>,
) -> Result<C> {
    refuse_foreign(place, value)?;
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
        let names = names.join(", ");
        let problem = format!("{place}: there is no such {role} here; there are {names}");
        return Err(Error::option("class_name", problem));
    };
    let defaults = &known["config"];
    let mut options = Map::new();
    for (key, value) in &config {
        // An option that the class has is not renamed, even if it is an old name in another class.
        let has_key = defaults.get(key).is_some();
        let key = if has_key { key } else { renamed(key) };
        let refused = format!("{place}: the option {key} = {value} is not supported here");
        let Some(given) = converted(key, value, &defaults[key]) else {
            return Err(Error::option(key, refused));
        };
        match fixed(key, &given) {
            Some(Ok(())) => continue,
            Some(Err(reason)) => return Err(Error::option(key, refused + &reason)),
            None => {}
        }
        // Tried alone, so that an error names its option.
        match C::deserialize(json!({ "class_name": class, "config": { key: given } })) {
            Ok(_) => {
                options.insert(key.to_string(), given);
            }
            Err(_) if has_no_effect(key, value) => {}
            Err(_) if defaults.get(key).is_none() => {
                let help = nearest_option(key, defaults);
                return Err(Error::option(key, refused + &help));
            }
            Err(error) => return Err(Error::option(key, format!("{refused}: {error}"))),
        }
    }
    C::deserialize(json!({ "class_name": class, "config": options }))
        .map_err(|error| Error::option(role, format!("{place}: {error}")))
}

/// `; did you mean units?`, for the option of a class whose name is most like this one; empty if
/// none is.
pub fn nearest_option(key: &str, defaults: &Value) -> String {
    let names = defaults.as_object().into_iter().flat_map(Map::keys);
    let likeness = |name: &str| strsim::jaro_winkler(name, key);
    let nearest = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|name| likeness(name) > 0.85) {
        Some(name) => format!("; did you mean {name}?"),
        None => String::new(),
    }
}

/// For options of Keras with one supported value, which no class here has: `Ok` for that value, or
/// the reason to refuse another. `None` for all other options.
fn fixed(key: &str, value: &Value) -> Option<std::result::Result<(), String>> {
    match key {
        "data_format" | "groups" | "seed" if value.is_null() => Some(Ok(())),
        // Random numbers depend on the model's seed alone.
        "seed" => Some(Ok(())),
        "groups" if *value == 1 => Some(Ok(())),
        "groups" => Some(Err(String::new())),
        "data_format" if value == "channels_last" => Some(Ok(())),
        "data_format" => {
            Some(Err(format!(": data_format is {value}, and only \"channels_last\" is supported")))
        }
        _ => None,
    }
}

/// Refuses an object, or one within it, of a class that is not Keras's own, even if it is named as
/// one of Keras's.
pub fn refuse_foreign(place: &str, value: &Value) -> Result<()> {
    if value.get("class_name").is_some() {
        let class = text(value, "class_name");
        let module = value["module"].as_str().unwrap_or("keras");
        let registered = text(value, "registered_name");
        let package = module.split('.').next().unwrap_or_default();
        let is_registered = registered.contains('>');
        if is_registered || !["keras", "tf_keras", "tensorflow", "builtins"].contains(&package) {
            let origin = if is_registered { registered } else { module };
            let problem =
                format!("{place}: the class {class} is {origin}, which is not Keras's own");
            return Err(Error::option("class_name", problem));
        }
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|value| refuse_foreign(place, value)),
        Value::Object(map) => map.values().try_for_each(|value| refuse_foreign(place, value)),
        _ => Ok(()),
    }
}

/// The name in Keras 3 of an option of Keras 1 or 2.
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

/// The value of an option in this crate's form; `None` if it is not supported.
fn converted(key: &str, value: &Value, default: &Value) -> Option<Value> {
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

/// An initializer, a regularizer or a schedule, given as a name in either spelling or as an object,
/// without options that have no effect. Keras 1 wrote the name of a regularizer among its options.
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
        // Keras 2 wrote the class that the named ones derive from.
        "VarianceScaling" => {
            let family = match (config.get("scale")?.as_f64()?, config.get("mode")?.as_str()?) {
                (1.0, "fan_avg") => "Glorot",
                (2.0, "fan_in") => "He",
                (1.0, "fan_in") => "Lecun",
                _ => return None,
            };
            let is_uniform = config.get("distribution")? == "uniform";
            let distribution = if is_uniform { "Uniform" } else { "Normal" };
            return Some(json!({ "class_name": format!("{family}{distribution}"), "config": {} }));
        }
        class => class,
    };
    Some(json!({ "class_name": class, "config": config }))
}

/// `glorot_uniform` becomes `GlorotUniform`.
fn pascal_case(name: &str) -> String {
    let mut pascal = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.extend(letters);
    }
    pascal
}

/// The name of a dtype, or of a dtype policy.
pub fn dtype(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"]["name"].as_str())
}

/// True if an option that a class does not have can be dropped.
fn has_no_effect(key: &str, value: &Value) -> bool {
    let precisions = ["float32", "float64", "mixed_float16", "mixed_bfloat16"];
    match key {
        _ if value.is_null() => key != "reduction",
        "dtype" => dtype(value).is_some_and(|name| precisions.contains(&name)),
        "dilation_rate" => value == 1 || *value == json!([1, 1]),
        "reduction" => value == "sum_over_batch_size" || value == "auto",
        "axis" => value == -1,
        "synchronized" | "renorm" | "use_ema" | "amsgrad" | "centered" => value == false,
        "decay" | "weight_decay" | "mode" | "momentum" => value.as_f64() == Some(0.0),
        // Names, initial values, settings of options that are off, and keys that are read
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
