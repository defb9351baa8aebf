//! Supported optimizers, losses and metrics of a compiled model.

use serde_json::{Map, Value, json};

use super::options::{self, Described};
use super::values::short;
use super::{Reading, history, metrics, text};
use crate::losses::AnyLoss;
use crate::metrics::AnyMetric;
use crate::model::{MetricChoice, Sequential};
use crate::optimizers::AnyOptimizer;
use crate::{Error, Result};

/// Key of [`Sequential::kept`](crate::model::Sequential) for arguments of `compile`: no layer has a
/// slash in its name.
pub const COMPILE: &str = "/compile";

/// Compiles the model with the arguments of `compile`. An unsupported optimizer or metric is
/// ignored with a warning; without a supported loss the model is not compiled.
///
/// # Errors
/// Too little memory for the optimizer state.
pub fn compile(model: &mut Sequential, compile: &Value, reading: &mut Reading) -> Result<()> {
    let optimizer = optimizer(compile, reading).unwrap_or_else(|problem| {
        let warning = format!("the optimizer is ignored, so training needs another: {problem}");
        reading.warnings.push(warning);
        None
    });
    let loss = match loss(compile, model, reading) {
        Ok(read) => {
            read.report(model, reading);
            read.loss
        }
        Err(problem) => {
            let warning = format!(
                "the compile configuration, with the optimizer and its state, is ignored: {problem}"
            );
            reading.warnings.push(warning);
            return Ok(());
        }
    };
    let mut metrics = metrics::read(compile, reading);
    if matches!(loss, AnyLoss::BinaryCrossentropy(_))
        && history::accuracy_follows_loss(&reading.origin)
    {
        for metric in &mut metrics {
            if metric.class.is_none() && ["accuracy", "acc"].contains(&metric.name.as_str()) {
                metric.class = Some(AnyMetric::by_name("binary_accuracy", 1, 1)?);
            }
        }
    }
    let metrics = fitting(metrics, model, &loss, reading);
    model.compile_with(optimizer, loss, metrics)
}

/// The metrics that fit the model's output and the targets of its loss.
fn fitting(
    metrics: Vec<MetricChoice>,
    model: &Sequential,
    loss: &AnyLoss,
    reading: &mut Reading,
) -> Vec<MetricChoice> {
    let widths = model.vector_widths(loss);
    let mut fitting = vec![];
    for metric in metrics {
        match metric.resolve(widths.target, widths.output) {
            Ok(_) => fitting.push(metric),
            Err(problem) => reading.warnings.push(format!("a metric is ignored: {problem}")),
        }
    }
    fitting
}

fn optimizer(compile: &Value, reading: &mut Reading) -> Result<Option<AnyOptimizer>> {
    let mut value = compile.get("optimizer").unwrap_or(&compile["optimizer_config"]);
    // Scaling the loss guards against small gradients of 16 bits; an optimizer is within.
    while text(value, "class_name").contains("LossScaleOptimizer") {
        let config = &value["config"];
        value = config.get("inner_optimizer").unwrap_or(&config["optimizer"]);
    }
    let optimizer = match value {
        Value::Null => return Ok(None),
        Value::String(name) => AnyOptimizer::by_name(name)?,
        optimizer => {
            let value = with_schedule(optimizer)?;
            let class = history::class_name("optimizer", text(&value, "class_name"));
            let location = format!("optimizer {class}");
            let described = Described { location: &location, role: "optimizer", value: &value };
            options::class(&described, AnyOptimizer::all(), reading)?
        }
    };
    optimizer.as_optimizer().validate()?;
    Ok(Some(optimizer))
}

/// Replaces the `decay` of Keras 1 and 2 by a schedule: η / (1 + decay·s) in step s.
fn with_schedule(optimizer: &Value) -> Result<Value> {
    let mut optimizer = optimizer.clone();
    if text(&optimizer, "class_name").ends_with("Nadam") {
        drop_momentum_schedule(&mut optimizer)?;
        return Ok(optimizer);
    }
    let decay = optimizer["config"]["decay"].as_f64().unwrap_or(0.0);
    if decay == 0.0 {
        return Ok(optimizer);
    }
    let config = optimizer.get_mut("config").and_then(Value::as_object_mut);
    let Some(config) = config else { return Ok(optimizer) };
    let rate = config.remove("lr").or_else(|| config.remove("learning_rate"));
    let Some(rate) = rate.as_ref().and_then(Value::as_f64) else {
        let problem = format!("decay = {decay} is supported with a constant learning rate only");
        return Err(Error::option("decay", problem));
    };
    config.remove("decay");
    config.insert(
        "learning_rate".to_string(),
        json!({ "class_name": "InverseTimeDecay", "config": {
            "initial_learning_rate": rate, "decay_steps": 1.0, "decay_rate": decay } }),
    );
    Ok(optimizer)
}

/// Removes the `schedule_decay` of the Nadam of Keras 1 and 2, which TensorFlow called `decay`, if
/// it is that of Keras 3: the momentum of step t is β₁·(1 − ½·0.96^(t·schedule_decay)), with 0.004
/// by default there and 1 in Keras 3.
fn drop_momentum_schedule(nadam: &mut Value) -> Result<()> {
    let Some(config) = nadam.get_mut("config").and_then(Value::as_object_mut) else {
        return Ok(());
    };
    for key in ["schedule_decay", "decay"] {
        let Some(decay) = config.remove(key).filter(|decay| !decay.is_null()) else { continue };
        if decay.as_f64() != Some(1.0) {
            let problem = format!(
                "Nadam's {key} is {decay} in this file; Keras 3 has no such option and behaves as \
                 {key} = 1"
            );
            return Err(Error::option(key, problem));
        }
    }
    Ok(())
}

/// The loss, and what the file says of it that is not computed here.
struct ReadLoss {
    loss: AnyLoss,
    /// `loss_weights = 0.5`, `reduction = sum`.
    ignored: Vec<String>,
    /// The same as it is written again.
    kept: Value,
}

impl ReadLoss {
    /// Warns, and refuses training, if the loss is another one in the file.
    fn report(&self, model: &mut Sequential, reading: &mut Reading) {
        for option in &self.ignored {
            let obstacle = format!("the loss: {option}");
            reading.warnings.push(format!(
                "{obstacle} is ignored, so the loss is another number here, and training is refused"
            ));
            if !model.training_obstacles.contains(&obstacle) {
                model.training_obstacles.push(obstacle);
            }
        }
        if !self.ignored.is_empty() {
            model.kept.insert(COMPILE.to_string(), self.kept.clone());
        }
    }
}

fn loss(compile: &Value, model: &Sequential, reading: &mut Reading) -> Result<ReadLoss> {
    let mut read = ReadLoss { loss: AnyLoss::by_name("mse")?, ignored: vec![], kept: json!({}) };
    let weights = &compile["loss_weights"];
    if !are_ones(weights) {
        let weight = single(weights).as_f64();
        let weight = weight.ok_or_else(|| {
            Error::option(
                "loss_weights",
                format!("loss_weights = {} is not supported", short(weights)),
            )
        })?;
        read.ignored.push(format!("loss_weights = {weight}"));
        read.kept["loss_weights"] = json!([weight]);
    }
    let mut value = single(&compile["loss"]).clone();
    if value["config"]["reduction"] == "sum" {
        read.ignored.push("reduction = sum".to_string());
        read.kept["loss"] = json!({ "config": { "reduction": "sum" } });
        value["config"]["reduction"] = json!("sum_over_batch_size");
    }
    read.loss = plain_loss(&value, model, reading)?;
    Ok(read)
}

/// The only member of a list or of an object of a model's outputs, or else the value itself: a
/// model with one output may have its loss in a list, or by the name of the output.
fn single(value: &Value) -> &Value {
    match value {
        Value::Array(list) if list.len() == 1 => &list[0],
        Value::Object(map) if map.len() == 1 => map.values().next().unwrap_or(&Value::Null),
        value => value,
    }
}

/// A loss without weights.
fn plain_loss(value: &Value, model: &Sequential, reading: &mut Reading) -> Result<AnyLoss> {
    if let Some(name) = function(value) {
        return AnyLoss::by_name(name);
    }
    let mut value = value.clone();
    if let Some(config) = value.get_mut("config").and_then(Value::as_object_mut) {
        // The function of TensorFlow's Keras 2, which the class implies.
        config.remove("fn");
        drop_last_axis(config, model)?;
    }
    let location = format!("loss {}", text(&value, "class_name"));
    let described = Described { location: &location, role: "loss", value: &value };
    let loss: AnyLoss = options::class(&described, AnyLoss::all(), reading)?;
    loss.as_loss().validate()?;
    Ok(loss)
}

/// Removes the option `axis` of a loss if it names the last axis, along which every loss runs.
fn drop_last_axis(config: &mut Map<String, Value>, model: &Sequential) -> Result<()> {
    let Some(axis) = config.remove("axis") else { return Ok(()) };
    let only = single(&axis);
    if only.is_null() || only.as_i64().is_some_and(|axis| model.output_shape().is_last(axis)) {
        return Ok(());
    }
    let output = model.output_shape();
    let axis = short(&axis);
    let problem = format!("axis = {axis} is not the last axis of the output, {output}");
    Err(Error::option("axis", problem))
}

/// True for weights of losses that change nothing.
fn are_ones(weights: &Value) -> bool {
    match weights {
        Value::Null => true,
        Value::Array(list) => list.iter().all(are_ones),
        Value::Object(map) => map.values().all(are_ones),
        number => number.as_f64() == Some(1.0),
    }
}

/// The name of a function, given directly or as an object.
pub fn function(value: &Value) -> Option<&str> {
    value.as_str().or(value["config"].as_str())
}
