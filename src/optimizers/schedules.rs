//! Learning rates: a number, or a schedule of the steps taken so far.
//!
//! Steps are batches, counted from the model's first one, so that a training resumed from a file
//! continues its schedule.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, Result};

/// A learning rate: constant, or a function of the step.
///
/// ```
/// use tallynet::optimizers::{LearningRate, Schedule};
/// let boundaries = vec![1000.0];
/// let schedule = Schedule::PiecewiseConstantDecay { boundaries, values: vec![0.1, 0.01] };
/// assert_eq!(LearningRate::from(schedule).at(2000), 0.01);
/// ```
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
        #[serde(default)]
        staircase: bool,
    },
    /// `values[i]`, where i is the number of `boundaries` below s.
    PiecewiseConstantDecay { boundaries: Vec<f64>, values: Vec<f64> },
    /// `(η − e)·(1 − s/n)^p + e`, and e from step n on, where e is the `end_learning_rate` and p
    /// the `power`; a `cycle` replaces n by its smallest multiple that is not below s.
    PolynomialDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        #[serde(default = "ten_thousandth")]
        end_learning_rate: f64,
        #[serde(default = "one")]
        power: f64,
        #[serde(default)]
        cycle: bool,
    },
    /// `η / (1 + r·s/n)`, where r is the `decay_rate`; a `staircase` takes ⌊s/n⌋.
    InverseTimeDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        decay_rate: f64,
        #[serde(default)]
        staircase: bool,
    },
    /// `η·((1 − α)·½·(1 + cos(π·s/n)) + α)`, and `η·α` from step n on. With a `warmup_target`, the
    /// rate first rises linearly from η to the target, for `warmup_steps`, and then decays from it.
    CosineDecay {
        initial_learning_rate: f64,
        decay_steps: f64,
        #[serde(default)]
        alpha: f64,
        warmup_target: Option<f64>,
        #[serde(default)]
        warmup_steps: f64,
    },
}

fn ten_thousandth() -> f64 {
    0.0001
}

fn one() -> f64 {
    1.0
}

use Schedule::*;

impl LearningRate {
    /// Learning rate of a step, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            LearningRate::Constant(rate) => *rate,
            LearningRate::Schedule(schedule) => schedule.at(step as f64),
        }
    }

    /// Checks the options; the error names the one that is out of range.
    pub fn validate(&self) -> Result<()> {
        match self {
            LearningRate::Constant(rate) if is_rate(*rate) => Ok(()),
            LearningRate::Constant(rate) => Err(Error::option(
                "learning_rate",
                format!("a learning rate is 0 or more, such as 0.01, and not {rate}"),
            )),
            LearningRate::Schedule(schedule) => schedule.validate(),
        }
    }
}

/// True for a number that is finite and not negative.
fn is_rate(rate: f64) -> bool {
    (0.0..f64::INFINITY).contains(&rate)
}

impl Schedule {
    fn at(&self, s: f64) -> f64 {
        let stairs = |staircase: bool, x: f64| if staircase { x.floor() } else { x };
        match *self {
            ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase } => {
                initial_learning_rate * decay_rate.powf(stairs(staircase, s / decay_steps))
            }
            PiecewiseConstantDecay { ref boundaries, ref values } => {
                let passed = boundaries.iter().filter(|boundary| s > **boundary).count();
                values.get(passed).copied().unwrap_or(0.0)
            }
            PolynomialDecay {
                initial_learning_rate,
                decay_steps,
                end_learning_rate,
                power,
                cycle,
            } => {
                let cycles = if cycle { (s / decay_steps).ceil().max(1.0) } else { 1.0 };
                let progress = (s / (decay_steps * cycles)).min(1.0);
                (initial_learning_rate - end_learning_rate) * (1.0 - progress).powf(power)
                    + end_learning_rate
            }
            InverseTimeDecay { initial_learning_rate, decay_steps, decay_rate, staircase } => {
                initial_learning_rate / (1.0 + decay_rate * stairs(staircase, s / decay_steps))
            }
            CosineDecay {
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
                let cosine = (PI * (s / decay_steps).min(1.0)).cos();
                from * ((1.0 - alpha) * 0.5 * (1.0 + cosine) + alpha)
            }
        }
    }

    fn validate(&self) -> Result<()> {
        if let PiecewiseConstantDecay { boundaries, values } = self {
            let rising = boundaries.is_sorted_by(|one, next| one < next);
            let one_more = values.len() == boundaries.len() + 1;
            if rising && one_more && values.iter().all(|rate| is_rate(*rate)) {
                return Ok(());
            }
            let problem = "boundaries rise, and values are one more than they, such as \
                           1000/5000 and 0.1/0.01/0.001";
            return Err(Error::option("boundaries", problem));
        }
        let options = serde_json::to_value(self).unwrap_or_default();
        for (name, value) in options["config"].as_object().into_iter().flatten() {
            // JSON has null for numbers that are not finite, and for an option that is not given.
            let is_given =
                name != "warmup_target" || !matches!(self, CosineDecay { warmup_target: None, .. });
            let number = value.as_f64().unwrap_or(f64::NAN);
            if name == "decay_steps" && !(is_rate(number) && number > 0.0) {
                let problem = format!("decay_steps is above 0, such as 1000, and not {value}");
                return Err(Error::option(name, problem));
            }
            if is_given && !value.is_boolean() && !is_rate(number) {
                let problem = format!("{name} is 0 or more, and not {value}");
                return Err(Error::option(name, problem));
            }
        }
        Ok(())
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

    /// Reads Keras's form: a number, or an object with a class and its options; missing ones get
    /// Keras's defaults. Module and names do not affect the rate and are ignored.
    fn try_from(value: Value) -> std::result::Result<Self, serde_json::Error> {
        if let Some(rate) = value.as_f64() {
            return Ok(LearningRate::Constant(rate));
        }
        if !value["class_name"].is_string() {
            return Err(serde::de::Error::custom(format!(
                "a learning rate is a number, or an object with a schedule's class_name, and not \
                 {value}"
            )));
        }
        let mut config = value["config"].as_object().cloned().unwrap_or_default();
        config.remove("name");
        serde_json::from_value(json!({ "class_name": value["class_name"], "config": config }))
            .map(LearningRate::Schedule)
    }
}
