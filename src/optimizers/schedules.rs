//! Learning rates: a number, or a schedule that makes one of the steps taken so far.
//!
//! Steps are batches, counted from 0 and never again from 0 while a model is trained, so a training
//! that goes on from a file goes on in its schedule too.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How far a step goes: always as far, or as a schedule says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "Value")]
pub enum LearningRate {
    /// One number.
    Constant(f64),
    /// A function of the step.
    Schedule(Schedule),
}

/// Keras's schedules: the learning rate of step s, where η is the `initial_learning_rate` and n the
/// `decay_steps`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config", deny_unknown_fields)]
#[allow(missing_docs)] // The formulas name the options.
pub enum Schedule {
    /// `η·r^(s/n)`, where r is the `decay_rate`; a `staircase` takes ⌊s/n⌋.
    ExponentialDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        decay_rate: f64,
        staircase: bool,
    },
    /// `values[i]` behind i of the `boundaries`; a step on a boundary is still in front of it.
    PiecewiseConstantDecay { boundaries: Vec<f64>, values: Vec<f64> },
    /// `(η − e)·(1 − s/n)^p + e`, and e from step n on, where e is the `end_learning_rate` and p
    /// the `power`; a `cycle` takes for n its smallest multiple that is not before s.
    PolynomialDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        end_learning_rate: f64,
        power: f64,
        cycle: bool,
    },
    /// `η / (1 + r·s/n)`, where r is the `decay_rate`; a `staircase` takes ⌊s/n⌋.
    InverseTimeDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        decay_rate: f64,
        staircase: bool,
    },
    /// `η·((1 − α)·½·(1 + cos(π·s/n)) + α)`, and `η·α` from step n on. Where there is a
    /// `warmup_target`, the rate first rises from η to it in a line, within the `warmup_steps`, and
    /// then falls from it.
    CosineDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        alpha: f64,
        warmup_target: Option<f64>,
        warmup_steps: f64,
    },
}

impl LearningRate {
    /// The learning rate of the step that so many came before.
    pub fn at(&self, step: u64) -> f64 {
        let schedule = match self {
            LearningRate::Constant(rate) => return *rate,
            LearningRate::Schedule(schedule) => schedule,
        };
        let s = step as f64;
        let stairs = |staircase: bool, x: f64| if staircase { x.floor() } else { x };
        match *schedule {
            Schedule::ExponentialDecay {
                initial_learning_rate,
                decay_steps,
                decay_rate,
                staircase,
            } => initial_learning_rate * decay_rate.powf(stairs(staircase, s / decay_steps)),
            Schedule::PiecewiseConstantDecay { ref boundaries, ref values } => {
                let passed = boundaries.iter().filter(|boundary| s > **boundary).count();
                values.get(passed).copied().unwrap_or(0.0)
            }
            Schedule::PolynomialDecay {
                initial_learning_rate,
                decay_steps,
                end_learning_rate,
                power,
                cycle,
            } => {
                let n = if cycle {
                    decay_steps * (s / decay_steps).ceil().max(1.0)
                } else {
                    decay_steps
                };
                (initial_learning_rate - end_learning_rate) * (1.0 - (s / n).min(1.0)).powf(power)
                    + end_learning_rate
            }
            Schedule::InverseTimeDecay {
                initial_learning_rate,
                decay_steps,
                decay_rate,
                staircase,
            } => initial_learning_rate / (1.0 + decay_rate * stairs(staircase, s / decay_steps)),
            Schedule::CosineDecay {
                initial_learning_rate,
                decay_steps,
                alpha,
                warmup_target,
                warmup_steps,
            } => {
                let (from, s) = match warmup_target {
                    None => (initial_learning_rate, s),
                    Some(target) if s < warmup_steps => {
                        return initial_learning_rate
                            + (target - initial_learning_rate) * s / warmup_steps;
                    }
                    Some(target) => (target, s - warmup_steps),
                };
                from * ((1.0 - alpha) * 0.5 * (1.0 + (PI * (s / decay_steps).min(1.0)).cos())
                    + alpha)
            }
        }
    }

    /// What is wrong with it, if anything.
    pub fn problem(&self) -> Option<String> {
        let is_rate = |rate: &f64| (0.0..f64::INFINITY).contains(rate);
        match self {
            LearningRate::Constant(rate) => (!is_rate(rate))
                .then(|| format!("a learning rate is 0 or more, such as 0.01, and not {rate}")),
            LearningRate::Schedule(Schedule::PiecewiseConstantDecay { boundaries, values }) => {
                let rise = boundaries.is_sorted_by(|one, next| one < next);
                let sound =
                    rise && values.len() == boundaries.len() + 1 && values.iter().all(is_rate);
                let wanted = "boundaries rise, and values are one more than they, such as 1000/5000 and 0.1/0.01/0.001";
                (!sound).then(|| wanted.to_string())
            }
            LearningRate::Schedule(schedule) => {
                // No option may be negative; a number that is not finite would be written as null.
                let config = serde_json::to_value(schedule).ok()?["config"].take();
                let sound = |name: &str, value: &Value| match value.as_f64() {
                    Some(number) => number > 0.0 || (number == 0.0 && name != "decay_steps"),
                    None => value.is_boolean() || name == "warmup_target",
                };
                let (name, value) =
                    config.as_object()?.iter().find(|(name, value)| !sound(name, value))?;
                let range =
                    if name == "decay_steps" { "above 0, such as 1000" } else { "0 or more" };
                Some(format!("{name} is {range}, and not {value}"))
            }
        }
    }
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

impl From<Schedule> for LearningRate {
    fn from(schedule: Schedule) -> Self {
        LearningRate::Schedule(schedule)
    }
}

impl TryFrom<Value> for LearningRate {
    type Error = serde_json::Error;

    /// Reads Keras's form: a number, or an object with a class and its options, where Keras's
    /// defaults fill what is missing. The module and the names that Keras writes into it say
    /// nothing about the rate.
    fn try_from(value: Value) -> Result<Self, serde_json::Error> {
        if let Some(rate) = value.as_f64() {
            return Ok(LearningRate::Constant(rate));
        }
        let mut config = match value["class_name"].as_str() {
            Some("ExponentialDecay" | "InverseTimeDecay") => json!({ "staircase": false }),
            Some("PolynomialDecay") => {
                json!({ "end_learning_rate": 0.0001, "power": 1.0, "cycle": false })
            }
            Some("CosineDecay") => {
                json!({ "alpha": 0.0, "warmup_target": null, "warmup_steps": 0.0 })
            }
            Some(_) => json!({}),
            None => {
                let wanted = "a learning rate is a number, or an object with a schedule's class_name, and not";
                return Err(serde::de::Error::custom(format!("{wanted} {value}")));
            }
        };
        if let (Some(config), Some(given)) = (config.as_object_mut(), value["config"].as_object()) {
            config.extend(given.clone());
            config.remove("name");
        }
        serde_json::from_value(json!({ "class_name": value["class_name"], "config": config }))
            .map(LearningRate::Schedule)
    }
}
