//! Options that no class here has: those without an effect, those with one supported value, and
//! those that matter only in training.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::values::{initializer, short};
use super::{Reading, history, text};
use crate::initializers::Initializer;
use crate::layers::{Activation, AnyLayer};
use crate::regularizers::L1L2;
use crate::{Error, Result};

/// For options of Keras with one supported value: `Ok` for that value, or the reason to refuse
/// another. `None` for all other options.
pub fn fixed(key: &str, value: &Value) -> Option<std::result::Result<(), String>> {
    match key {
        "data_format" | "groups" | "seed" if value.is_null() => Some(Ok(())),
        // Random numbers depend only on the model's seed.
        "seed" => Some(Ok(())),
        "groups" if *value == 1 => Some(Ok(())),
        "groups" => Some(Err(String::new())),
        "data_format" if value == "channels_last" || value == "tf" => Some(Ok(())),
        "data_format" => {
            Some(Err(format!(": data_format is {value}, and only \"channels_last\" is supported")))
        }
        _ => None,
    }
}

/// The name of a dtype, or of a dtype policy.
pub fn dtype(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"]["name"].as_str())
}

/// True if an option that a class does not have can be dropped.
pub fn has_no_effect(key: &str, value: &Value) -> bool {
    let precisions = [
        "float16",
        "bfloat16",
        "float32",
        "float64",
        "mixed_float16",
        "mixed_bfloat16",
        "infer",
        "_infer",
        "infer_with_float32_vars",
    ];
    match key {
        _ if value.is_null() => key != "reduction",
        "dtype" => dtype(value).is_some_and(|name| precisions.contains(&name)),
        "dilation_rate" => [1.into(), vec![1].into(), vec![1, 1].into()].contains(value),
        "reduction" => value == "sum_over_batch_size" || value == "auto",
        "synchronized" | "renorm" | "use_ema" | "amsgrad" | "centered" => value == false,
        "decay" | "weight_decay" | "mode" | "momentum" | "dropout" => value.as_f64() == Some(0.0),
        // Names, initial values, settings of options that are off, keys that are read elsewhere,
        // and the scale of a loss, by which the gradient is divided again.
        "name"
        | "trainable"
        | "seed"
        | "optional"
        | "ragged"
        | "sparse"
        | "build_config"
        | "jit_compile"
        | "loss_scale_factor"
        | "ema_overwrite_frequency"
        | "is_legacy_optimizer" => true,
        "batch_input_shape" | "input_shape" | "input_dim" | "input_length" | "input_dtype"
        | "renorm_momentum" | "ema_momentum" => true,
        _ => false,
    }
}

/// Refuses an object, or one within it, of a class that is not Keras's own, even if it is named as
/// one of Keras's.
pub fn refuse_foreign(location: &str, value: &Value) -> Result<()> {
    if value.get("class_name").is_some() {
        let class = text(value, "class_name");
        let module = value["module"].as_str().unwrap_or("keras");
        let registered = text(value, "registered_name");
        let package = module.split('.').next().unwrap_or_default();
        let is_registered = registered.contains('>');
        if is_registered || !["keras", "tf_keras", "tensorflow", "builtins"].contains(&package) {
            let origin = if is_registered { registered } else { module };
            let problem =
                format!("{location}: the class {class} is {origin}, which is not Keras's own");
            return Err(Error::option("class_name", problem));
        }
    }
    match value {
        Value::Array(list) => list.iter().try_for_each(|value| refuse_foreign(location, value)),
        Value::Object(map) => map.values().try_for_each(|value| refuse_foreign(location, value)),
        _ => Ok(()),
    }
}

/// Removes the options of a layer that matter only in training and that are not supported here, and
/// notes them. Those that are supported take this crate's form.
pub fn take_training_options(
    location: &str,
    options: &mut Map<String, Value>,
    reading: &mut Reading,
) {
    let keys: Vec<String> = options.keys().cloned().collect();
    for key in keys {
        let value = options[&key].clone();
        let is_of_training = ["activity_regularizer", "dropout", "noise_shape"].contains(&&key[..]);
        let known = if key.ends_with("_constraint") || is_of_training {
            None
        } else if key.ends_with("_regularizer") {
            initializer(&value).filter(|object| Option::<L1L2>::deserialize(object).is_ok())
        } else if key.ends_with("_initializer") {
            initializer(&value).filter(|object| Initializer::deserialize(object).is_ok())
        } else {
            continue;
        };
        if let Some(object) = known
            && refuse_foreign(location, &value).is_ok()
        {
            options.insert(key, object);
            continue;
        }
        options.remove(&key);
        if value.is_null() || (key == "dropout" && value.as_f64() == Some(0.0)) {
            continue;
        }
        if let Some(kept) = kept_option(&key, &value) {
            reading.keep(json!({ "config": { key.as_str(): kept } }));
        }
        let option = format!("{location}: {key} = {}", short(&value));
        if key.ends_with("_initializer") {
            reading.initializers.push(option);
        } else {
            reading.obstacles.push(option);
        }
    }
}

/// Options that Keras 3 has for its constraints and regularizers.
const KEPT_OPTIONS: &[&str] =
    &["axis", "factor", "l1", "l2", "max_value", "min_value", "mode", "rate"];

/// An option of training that is ignored, as Keras 3 reads it; `None` if it might not.
fn kept_option(key: &str, value: &Value) -> Option<Value> {
    if key == "noise_shape" {
        return Some(value.clone());
    }
    let classes = [
        "L1",
        "L2",
        "L1L2",
        "OrthogonalRegularizer",
        "MaxNorm",
        "MinMaxNorm",
        "NonNeg",
        "UnitNorm",
    ];
    let is_own = refuse_foreign("", value).is_ok();
    let object = initializer(value).filter(|object| {
        let is_known = |key: &String| KEPT_OPTIONS.contains(&key.as_str());
        is_own
            && classes.contains(&text(object, "class_name"))
            && object["config"].as_object().is_some_and(|config| config.keys().all(is_known))
    });
    object.filter(|_| key.ends_with("_constraint") || key.ends_with("_regularizer"))
}

/// Layers that change nothing in inference, and are not supported in training.
const IDENTITIES: &[&str] =
    &["ActivityRegularization", "AlphaDropout", "GaussianDropout", "GaussianNoise"];

/// The layer that computes in inference what one of [`IDENTITIES`] does: nothing. Training is
/// refused, and the layer is written again as it was.
pub fn identity(location: &str, layer: &Value, reading: &mut Reading) -> Option<AnyLayer> {
    let class = IDENTITIES.iter().find(|class| **class == text(layer, "class_name"))?;
    refuse_foreign(location, layer).ok()?;
    let options = layer["config"].as_object().cloned().unwrap_or_default();
    let mut options = history::options(class, options, &Value::Null, reading.major_version);
    options.retain(|key, value| {
        ["l1", "l2", "noise_shape", "rate", "stddev"].contains(&key.as_str()) && !value.is_null()
    });
    reading.keep(json!({ "class_name": class, "config": options }));
    reading.obstacles.push(format!("{location}: it acts in training"));
    Some(AnyLayer::Activation(Activation::default()))
}

impl Reading {
    /// Keeps a part of the description of the layer that is read.
    fn keep(&mut self, part: Value) {
        let kept = self.kept.entry(self.layer).or_insert_with(|| json!({ "config": {} }));
        merge(kept, part);
    }
}

/// Adds the members of an object, and of the objects in it, to those of another.
pub fn merge(to: &mut Value, part: Value) {
    let (Some(to), Value::Object(part)) = (to.as_object_mut(), part) else { return };
    for (key, value) in part {
        match to.get_mut(&key) {
            Some(object) if object.is_object() && value.is_object() => merge(object, value),
            _ => {
                to.insert(key, value);
            }
        }
    }
}
