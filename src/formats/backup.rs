//! The backup of a training: a safetensors file of the model with its optimizer state, as
//! [`safetensors`](super::safetensors) writes it, which also loads as a model. Its description has
//! one more part, `backup`, and each callback with weights one more tensor, `backup/0`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::safetensors::{self, Array};
use super::{check_memory, invalid, keras_config, read_arrays};
use crate::model::Sequential;
use crate::{Error, Real, Result};

/// Beginning of the names of the tensors that belong to no layer.
pub(super) const PREFIX: &str = "backup/";

/// Copies of a model's numbers that writing a backup holds at most: arrays and file, which grows.
const COPIES: usize = 4;

/// State of a callback in a backup.
///
/// ```
/// use tallynet::training::CallbackState;
///
/// let values = serde_json::json!({ "wait": 3 });
/// let state = CallbackState { values, ..CallbackState::default() };
/// assert_eq!(state.values["wait"], 3);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CallbackState {
    /// All but large arrays. JSON has no infinite numbers.
    pub values: Value,
    /// An array of weights, kept to the last bit.
    #[serde(skip)]
    pub weights: Vec<Real>,
}

/// A training between two batches, but for its model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// Description of the run: model, data, options, version.
    pub run: Value,
    /// Logs of the epochs that are done.
    pub history: Value,
    /// State of each callback, in turn.
    pub callbacks: Vec<CallbackState>,
}

/// Encodes a backup with the model as it is now.
///
/// # Errors
/// Not enough memory.
pub fn write(model: &Sequential, backup: &Backup) -> Result<Vec<u8>> {
    check_memory(model, COPIES)?;
    let mut arrays = safetensors::arrays(model);
    for (number, state) in backup.callbacks.iter().enumerate() {
        if !state.weights.is_empty() {
            arrays.push(Array::new(
                format!("{PREFIX}{number}"),
                vec![state.weights.len()],
                &state.weights,
            ));
        }
    }
    let mut description = model.description();
    description["backup"] = serde_json::to_value(backup).map_err(invalid)?;
    safetensors::encode(&arrays, &description)
}

/// Reads a backup, all but its model.
///
/// # Errors
/// A file that is damaged or no backup.
pub fn read(bytes: &[u8]) -> Result<Backup> {
    let (description, tensors) = safetensors::open(bytes)?;
    let mut backup = Backup::deserialize(&description["backup"])
        .map_err(|error| invalid(format!("this is not a backup of a training ({error})")))?;
    for (number, state) in backup.callbacks.iter_mut().enumerate() {
        let name = format!("{PREFIX}{number}");
        if let Ok(found) = tensors.tensor(&name) {
            state.weights = safetensors::tensor(&tensors, &name, found.shape())?;
        }
    }
    Ok(backup)
}

/// Sets a model with the same layers and the same optimizer to the state that it had in a backup.
///
/// # Errors
/// A file that is damaged, and arrays of another shape.
pub fn restore(model: &mut Sequential, bytes: &[u8]) -> Result<()> {
    let (description, tensors) = safetensors::open(bytes)?;
    read_arrays(model, |name, shape| safetensors::tensor(&tensors, name, shape))?;
    safetensors::read_slots(model, &tensors)?;
    keras_config::set_training(model, &description["training"])
}

impl Backup {
    /// Refuses a backup of another run. The error lists what differs.
    ///
    /// # Errors
    /// A description with other values.
    pub fn check_run(&self, run: &Value, path: &Path) -> Result<()> {
        let differences = differences(&self.run, run, ["in the backup", "now"]);
        if differences.is_empty() {
            return Ok(());
        }
        let found =
            format!("this is the backup of another run:\n    {}", differences.join("\n    "));
        let help = "start the same command again to resume, or delete the backup, or name another \
                    folder";
        Err(Error::file(path, found, help))
    }
}

/// Values that differ in two descriptions of runs, with the places that these are of:
/// `fit.epochs: 3 in the backup, 5 now`.
pub fn differences(one: &Value, other: &Value, places: [&str; 2]) -> Vec<String> {
    let (mut ones, mut others) = (BTreeMap::new(), BTreeMap::new());
    flatten("", one, &mut ones);
    flatten("", other, &mut others);
    let mut differences = vec![];
    for name in ones.keys().chain(others.keys().filter(|name| !ones.contains_key(*name))) {
        let [one, other] = [&ones, &others]
            .map(|run| run.get(name).map_or("nothing".to_string(), |value| value.to_string()));
        if one != other {
            differences.push(format!("{name}: {one} {}, {other} {}", places[0], places[1]));
        }
    }
    differences
}

/// Collects the values within a JSON value by their path: `fit.batch_size`.
fn flatten<'v>(path: &str, value: &'v Value, leaves: &mut BTreeMap<String, &'v Value>) {
    let inner = |key: &str| match path {
        "" => key.to_string(),
        _ => format!("{path}.{key}"),
    };
    match value {
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| flatten(&inner(key), value, leaves));
        }
        Value::Array(list) => {
            let numbered = list.iter().enumerate();
            numbered.for_each(|(i, value)| flatten(&inner(&i.to_string()), value, leaves));
        }
        _ => drop(leaves.insert(path.to_string(), value)),
    }
}
