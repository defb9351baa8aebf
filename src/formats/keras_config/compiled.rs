//! How a model was compiled: its optimizer, loss and metrics, as far as they are known here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Result, options, text};
use crate::losses::AnyLoss;
use crate::metrics::AnyMetric;
use crate::model::{MAX_METRICS, MetricChoice};
use crate::optimizers::AnyOptimizer;

/// Optimizer, loss and metrics. A loss that is not known is an error; an optimizer or a metric is
/// left out, with a warning.
pub fn read(
    compile: &Value,
    warnings: &mut Vec<String>,
) -> Result<(Option<AnyOptimizer>, AnyLoss, Vec<MetricChoice>)> {
    let optimizer = match compile.get("optimizer").unwrap_or(&compile["optimizer_config"]) {
        Value::Null => Ok(None),
        Value::String(name) => AnyOptimizer::by_name(name).map(Some).map_err(Into::into),
        optimizer => described("optimizer", optimizer, AnyOptimizer::all()).map(Some),
    };
    let optimizer = optimizer.unwrap_or_else(|problem| {
        warnings.push(format!("the optimizer is left out, so training needs another: {problem}"));
        None
    });
    if !compile["loss_weights"].is_null() {
        return Err("it weighs its losses (loss_weights)".into());
    }
    // A model with one output may have its loss in a list, or by the name of the output.
    let loss = match &compile["loss"] {
        Value::Array(list) if list.len() == 1 => &list[0],
        Value::Object(map) if map.len() == 1 => map.values().next().unwrap_or(&Value::Null),
        loss => loss,
    };
    let loss = match function(loss) {
        Some(name) => AnyLoss::by_name(name)?,
        None => described("loss", loss, AnyLoss::all())?,
    };
    let (mut found, mut known) = (vec![], vec![]);
    metrics(&compile["metrics"], &mut found);
    let unweighted = found.len();
    metrics(&compile["weighted_metrics"], &mut found);
    if found.len() > unweighted {
        warnings.push("the weighted_metrics are counted without weights".to_string());
    }
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
    Ok((optimizer, loss, known))
}

/// A class with its options, as far as this crate can make one of them.
fn described<C: Serialize + DeserializeOwned>(role: &str, value: &Value, all: Vec<C>) -> Result<C> {
    options::class(&format!("{role} {}", text(value, "class_name")), role, value, all)
}

/// The name of a function, given as it is or as an object.
fn function(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"].as_str())
}

/// The metrics in lists within lists. Their depth is what the parser of JSON allows.
fn metrics<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| metrics(value, found)),
        Value::Object(map) if !map.contains_key("class_name") => {
            map.values().for_each(|value| metrics(value, found))
        }
        Value::Null => {}
        metric => found.push(metric),
    }
}

/// A metric: the name of one, which may depend on the shapes, or a class with its options and a
/// name of its own.
fn metric(value: &Value) -> Result<MetricChoice> {
    if let Some(name) = function(value) {
        AnyMetric::by_name(name, 1, 1)?;
        return Ok(name.into());
    }
    let class = described("metric", value, AnyMetric::all())?;
    let name = value["config"]["name"].as_str().map_or_else(|| class.name(), str::to_string);
    let choice = MetricChoice { name, class: Some(class) };
    choice.resolve(1, 1)?;
    Ok(choice)
}
