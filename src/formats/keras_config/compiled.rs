//! Supported optimizers, losses and metrics of a compiled model.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{options, text};
use crate::losses::AnyLoss;
use crate::metrics::AnyMetric;
use crate::model::{MAX_METRICS, MetricChoice};
use crate::optimizers::AnyOptimizer;
use crate::{Error, Result};

/// Arguments of `compile`.
pub struct CompileConfig {
    pub optimizer: Option<AnyOptimizer>,
    pub loss: AnyLoss,
    pub metrics: Vec<MetricChoice>,
}

/// Reads the arguments of `compile`. An optimizer or a metric that is not supported is left out,
/// with a warning; such a loss is an error.
pub fn read(compile: &Value, warnings: &mut Vec<String>) -> Result<CompileConfig> {
    let optimizer = optimizer(compile).unwrap_or_else(|problem| {
        warnings.push(format!("the optimizer is left out, so training needs another: {problem}"));
        None
    });
    if !compile["loss_weights"].is_null() {
        return Err(Error::option("loss_weights", "loss_weights are not supported"));
    }
    let loss = loss(&compile["loss"])?;
    let metrics = metrics(compile, warnings);
    Ok(CompileConfig { optimizer, loss, metrics })
}

fn optimizer(compile: &Value) -> Result<Option<AnyOptimizer>> {
    match compile.get("optimizer").unwrap_or(&compile["optimizer_config"]) {
        Value::Null => Ok(None),
        Value::String(name) => AnyOptimizer::by_name(name).map(Some),
        optimizer => class("optimizer", optimizer, AnyOptimizer::all()).map(Some),
    }
}

fn loss(value: &Value) -> Result<AnyLoss> {
    // A model with one output may have its loss in a list, or by the name of the output.
    let value = match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        Value::Object(map) if map.len() == 1 => map.values().next().unwrap_or(&Value::Null),
        value => value,
    };
    match function(value) {
        Some(name) => AnyLoss::by_name(name),
        None => class("loss", value, AnyLoss::all()),
    }
}

fn metrics(compile: &Value, warnings: &mut Vec<String>) -> Vec<MetricChoice> {
    let mut found = vec![];
    flatten(&compile["metrics"], &mut found);
    let unweighted = found.len();
    flatten(&compile["weighted_metrics"], &mut found);
    if found.len() > unweighted {
        warnings.push("the weighted_metrics are computed without weights".to_string());
    }
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
    known
}

/// Collects the metrics of lists within lists. The parser of JSON limits their depth.
fn flatten<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| flatten(value, found)),
        Value::Object(map) if !map.contains_key("class_name") => {
            map.values().for_each(|value| flatten(value, found))
        }
        Value::Null => {}
        metric => found.push(metric),
    }
}

/// Reads a metric: a name, which may depend on the shapes, or a class with options and a name of
/// its own.
fn metric(value: &Value) -> Result<MetricChoice> {
    if let Some(name) = function(value) {
        AnyMetric::by_name(name, 1, 1)?;
        return Ok(name.into());
    }
    let class = class("metric", value, AnyMetric::all())?;
    let name = value["config"]["name"].as_str().map_or_else(|| class.name(), str::to_string);
    let choice = MetricChoice { name, class: Some(class) };
    choice.resolve(1, 1)?;
    Ok(choice)
}

/// Reads a class with its options.
fn class<C: Serialize + DeserializeOwned>(role: &str, value: &Value, all: Vec<C>) -> Result<C> {
    options::class(&format!("{role} {}", text(value, "class_name")), role, value, all)
}

/// The name of a function, given directly or as an object.
fn function(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"].as_str())
}
