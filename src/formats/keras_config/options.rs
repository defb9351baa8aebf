//! Options of a class, in all spellings that Keras has had for them, converted to those of the
//! catalogues.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::effects::{fixed, has_no_effect, refuse_foreign, take_training_options};
use super::values::{converted, short, spellings};
use super::{Reading, history, text};
use crate::classes::did_you_mean;
use crate::{Error, Result};

/// Largest number of known classes that an error names.
const MAX_NAMES: usize = 10;

/// Class of a description that is to be read, and its location in messages.
pub struct Described<'v> {
    /// Location in messages: `layer 1, dense (Dense)`.
    pub location: &'v str,
    /// Kind of the class: `layer`, `optimizer`, `loss`, `metric`.
    pub role: &'v str,
    /// Class and options.
    pub value: &'v Value,
}

/// Reads a class of `all`, the classes with this role, and its options.
///
/// # Errors
/// A class that is not among them, and an option that it does not have and that has an effect.
pub fn class<C: Serialize + DeserializeOwned>(
    described: &Described,
    all: Vec<C>,
    reading: &mut Reading,
) -> Result<C> {
    let Described { location, role, value } = *described;
    let name = history::class_name(role, text(value, "class_name"));
    let all: Vec<Value> = all.iter().map(|class| json!(class)).collect();
    let known = all.iter().find(|known| text(known, "class_name").eq_ignore_ascii_case(name));
    refuse_foreign(location, &head(role, value))?;
    let Some(known) = known else { return Err(no_such_class(described, &all)) };
    let class = text(known, "class_name");
    let defaults = &known["config"];
    let config = value["config"].as_object().cloned().unwrap_or_default();
    let mut config = history::options(class, config, defaults, reading.major_version);
    if role == "layer" {
        take_training_options(location, &mut config, reading);
    }
    refuse_foreign(location, &Value::Object(config.clone()))?;
    let mut options = Map::new();
    for (key, value) in &config {
        if let Some(given) = option::<C>(described, class, defaults, Given { key, value })? {
            options.insert(key.to_string(), given);
        }
    }
    C::deserialize(json!({ "class_name": class, "config": options }))
        .map_err(|error| Error::option(role, format!("{location}: {error}")))
}

/// A class without its options. TensorFlow 2.11 and 2.12 registered Keras's own optimizers under
/// their names, as `Custom>Adam`.
fn head(role: &str, value: &Value) -> Value {
    let module = &value["module"];
    let mut registered = &value["registered_name"];
    let own = format!("Custom>{}", history::class_name(role, text(value, "class_name")));
    if role == "optimizer" && registered.as_str() == Some(&own) {
        registered = &Value::Null;
    }
    json!({ "class_name": value["class_name"], "module": module, "registered_name": registered })
}

fn no_such_class(described: &Described, all: &[Value]) -> Error {
    let Described { location, role, .. } = described;
    let class = history::class_name(role, text(described.value, "class_name"));
    let classes = all.iter().map(|known| text(known, "class_name"));
    let near = did_you_mean(class, classes);
    let mut problem = format!("{location}: tallynet has no {role} of this class{near}");
    if all.len() <= MAX_NAMES {
        let names: Vec<_> = all.iter().map(|known| text(known, "class_name")).collect();
        problem += &format!("; it has {}", names.join(", "));
    }
    Error::option("class_name", problem)
}

/// A message with the kinds of numbers in words, and with the known name that an unknown one is
/// most like.
fn without_rust_types(message: &str) -> String {
    // "unknown variant `softmaks`, expected one of `linear`, `relu`"
    if message.starts_with("unknown variant") {
        let mut words = message.split('`').skip(1).step_by(2);
        let name = words.next().unwrap_or_default();
        return message.replace("unknown variant", "unknown value") + &did_you_mean(name, words);
    }
    let message = message.replace("expected usize", "expected a whole number, 0 or more");
    message
        .replace("expected isize", "expected a whole number")
        .replace("expected i64", "expected a whole number")
        .replace("expected f64", "expected a number")
}

/// `; did you mean units?`, for the option of a class whose name is most like this one; empty if
/// none is.
pub fn nearest_option(key: &str, defaults: &Value) -> String {
    did_you_mean(key, defaults.as_object().into_iter().flat_map(Map::keys))
}

/// An option as the file gives it.
struct Given<'v> {
    key: &'v str,
    value: &'v Value,
}

/// An option in the form that the class `C` takes; `None` if it has no effect.
fn option<C: DeserializeOwned>(
    described: &Described,
    class: &str,
    defaults: &Value,
    Given { key, value }: Given,
) -> Result<Option<Value>> {
    let location = described.location;
    let refused = format!("{location}: the option {key} = {} is not supported", short(value));
    let Some(given) = converted(key, value, &defaults[key]) else {
        return Err(Error::option(key, refused));
    };
    // `fixed` is only for options that the class does not have.
    if defaults.get(key).is_none() {
        match fixed(key, &given) {
            Some(Ok(())) => return Ok(None),
            Some(Err(reason)) => return Err(Error::option(key, refused + &reason)),
            None => {}
        }
    }
    let mut reason = String::new();
    for given in spellings(given) {
        // Tried one by one, so that an error names its option.
        match C::deserialize(json!({ "class_name": class, "config": { key: given } })) {
            Ok(_) => return Ok(Some(given)),
            Err(error) if reason.is_empty() => {
                reason = format!(": {}", without_rust_types(&error.to_string()));
            }
            Err(_) => {}
        }
    }
    if has_no_effect(key, value) {
        return Ok(None);
    }
    if defaults.get(key).is_none() {
        return Err(Error::option(key, refused + &nearest_option(key, defaults)));
    }
    Err(Error::option(key, refused + &reason))
}
