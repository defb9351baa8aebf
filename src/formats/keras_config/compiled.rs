//! How a model was compiled: its optimizer, loss and metrics, as far as they are known here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::options::{foreign, options};
use super::{Result, text};
use crate::losses::AnyLoss;
use crate::metrics::AnyMetric;
use crate::model::MAX_METRICS;
use crate::optimizers::AnyOptimizer;

/// Optimizer, loss and metrics in this crate's form. A loss that is not known is an error; an optimizer or a metric is
/// left out, with a warning.
pub fn read(compile: &Value, warnings: &mut Vec<String>) -> Result<Value> {
    let optimizer = match compile.get("optimizer").unwrap_or(&compile["optimizer_config"]) {
        Value::Null => Ok(Value::Null),
        Value::String(name) => AnyOptimizer::by_name(name).map(|known| json!(known)).map_err(|error| error.to_string()),
        optimizer => described("optimizer", optimizer, AnyOptimizer::all()),
    };
    let optimizer = optimizer.unwrap_or_else(|problem| {
        warnings.push(format!("the optimizer is left out, so training needs another: {problem}"));
        Value::Null
    });
    if !compile["loss_weights"].is_null() {
        return Err("it weighs its losses (loss_weights)".to_string());
    }
    // A model with one output may have its loss in a list, or by the name of the output.
    let loss = match &compile["loss"] {
        Value::Array(list) if list.len() == 1 => &list[0],
        Value::Object(map) if map.len() == 1 => map.values().next().unwrap_or(&Value::Null),
        loss => loss,
    };
    let loss = match function(loss) {
        Some(name) => json!(AnyLoss::by_name(name).map_err(|error| error.to_string())?),
        None => described("loss", loss, AnyLoss::all())?,
    };
    let mut found = vec![];
    metrics(&compile["metrics"], &mut found);
    metrics(&compile["weighted_metrics"], &mut found);
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
    options(&format!("{role} {class}"), class, value["config"].as_object().cloned().unwrap_or_default(), all, role)
}

/// The name of a function, given as it is or as an object.
fn function(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"].as_str())
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
    let mut known = described("metric", value, AnyMetric::all())?;
    if let Some(name) = value["config"]["name"].as_str() {
        known["config"]["name"] = json!(name);
    }
    Ok(known)
}
