//! Metrics of a compiled model.

use serde_json::Value;

use super::compiled::function;
use super::options::{self, Described};
use super::{Reading, text};
use crate::metrics::AnyMetric;
use crate::model::{MAX_METRICS, MetricChoice};
use crate::{Error, Result};

/// Reads the metrics. Unsupported ones are ignored, with a warning.
pub fn read(compile: &Value, reading: &mut Reading) -> Vec<MetricChoice> {
    let mut found = vec![];
    flatten(&compile["metrics"], &mut found);
    let unweighted = found.len();
    flatten(&compile["weighted_metrics"], &mut found);
    if found.len() > unweighted {
        let warning = "the weighted_metrics are computed without weights";
        reading.warnings.push(warning.to_string());
    }
    let mut known = vec![];
    for value in found {
        match metric(value, reading) {
            Ok(_) if known.len() == MAX_METRICS => {
                let warning = format!("the metrics after the first {MAX_METRICS} are ignored");
                reading.warnings.push(warning);
                break;
            }
            Ok(metric) => known.push(metric),
            Err(problem) => reading.warnings.push(format!("a metric is ignored: {problem}")),
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
fn metric(value: &Value, reading: &mut Reading) -> Result<MetricChoice> {
    if let Some(name) = function(value) {
        AnyMetric::by_name(name, 1, 1)?;
        return Ok(name.into());
    }
    if text(value, "class_name").ends_with("MetricWrapper") {
        return wrapped(&value["config"]);
    }
    let location = format!("metric {}", text(value, "class_name"));
    let described = Described { location: &location, role: "metric", value };
    let class = options::class(&described, AnyMetric::all(), reading)?;
    let name = value["config"]["name"].as_str().map_or_else(|| class.name(), str::to_string);
    let choice = MetricChoice { name, class: Some(class) };
    choice.resolve(1, 1)?;
    Ok(choice)
}

/// Reads a function with a name, as TensorFlow's Keras 2 writes it. One that is called `accuracy`
/// is chosen by the shapes: the function in the file is wrong if the model was never trained.
fn wrapped(config: &Value) -> Result<MetricChoice> {
    let own_name = text(config, "name");
    if ["accuracy", "acc"].contains(&own_name) {
        return Ok(own_name.into());
    }
    let Some(name) = function(&config["fn"]) else {
        return Err(Error::option("metrics", format!("{own_name:?} has no function")));
    };
    let class = AnyMetric::by_name(name, 1, 1)?;
    if AnyMetric::by_name(own_name, 1, 1).is_ok_and(|own| own.class_name() == class.class_name()) {
        return Ok(own_name.into());
    }
    Ok(MetricChoice { name: own_name.to_string(), class: Some(class) })
}
