//! Metadata of a run in JSON, by which the lines of a sweep are told apart.

use serde_json::{Value, json};
use tallynet::model::Sequential;

use super::data::DataSource;

/// Model, data, optimizer with its options, batch size, epochs trained in all, seed and command.
pub fn of(name: &str, source: &DataSource, model: &Sequential) -> Value {
    let optimizer = match model.compiled().and_then(|compiled| compiled.optimizer()) {
        Ok(optimizer) => serde_json::to_value(optimizer).unwrap_or_default(),
        Err(_) => Value::Null,
    };
    let command: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    json!({
        "model": name,
        "data": source.to_string(),
        "optimizer": optimizer,
        "batch_size": model.batch_size,
        "epochs": model.epochs_done,
        "seed": model.seed,
        "command": command,
    })
}
