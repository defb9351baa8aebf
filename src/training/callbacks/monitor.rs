//! Monitored values: the comparison of epochs, shared by several callbacks.

use serde::{Deserialize, Serialize};

use super::{FitInfo, Logs, logged, names, placeholder_logs};
use crate::formats::exact;
use crate::model::Sequential;
use crate::training::TrainerHandle;
use crate::{Error, Result};

/// Direction of improvement.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Lower is better for the loss; for a metric, the metric decides.
    #[default]
    Auto,
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

/// Value in the logs to watch, and the rule by which it improves.
///
/// ```
/// use tallynet::training::{Mode, Monitor};
///
/// let monitor = Monitor { mode: Mode::Max, min_delta: 0.01, ..Monitor::new("val_f1") };
/// ```
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Name in the logs: `val_loss`, `accuracy`.
    pub name: String,
    /// Direction of improvement.
    pub mode: Mode,
    /// Minimum change that counts as an improvement.
    pub min_delta: f64,
}

/// Best value of a [`Monitor`] so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct MonitorState {
    /// Best value, once there is one.
    #[serde(with = "exact::option")]
    pub best: Option<f64>,
    /// True if lower is better; resolved when training begins.
    pub lower_is_better: bool,
}

impl Default for Monitor {
    fn default() -> Self {
        Monitor::new("val_loss")
    }
}

impl Monitor {
    /// Monitor of this name in the logs, with mode `Auto` and a `min_delta` of 0.
    pub fn new(name: impl Into<String>) -> Self {
        Monitor { name: name.into(), mode: Mode::Auto, min_delta: 0.0 }
    }

    /// Value in these logs. A missing one is an error.
    pub(super) fn value(&self, logs: &Logs) -> Result<f64> {
        let name = &self.name;
        logged(logs, name).ok_or_else(|| {
            let hint = if name.starts_with("val_") { "; val_ needs validation data" } else { "" };
            let known = names(logs);
            let problem = format!("a callback watches {name}, and the logs have {known}{hint}");
            Error::option("monitor", problem)
        })
    }

    /// True if lower is better in this training. A name that will not be logged, or whose direction
    /// is unknown, is an error.
    pub(super) fn resolve(&self, trainer: &TrainerHandle, info: &FitInfo) -> Result<bool> {
        self.value(&placeholder_logs(info))?;
        match self.mode {
            Mode::Min => Ok(true),
            Mode::Max => Ok(false),
            Mode::Auto => lower_is_better(trainer.model(), &self.name).ok_or_else(|| {
                let question = format!("is a high {} good or bad?", self.name);
                Error::option("mode", question + " Give the callback's monitor a mode")
            }),
        }
    }

    /// True if `value` is better than `other` by more than `min_delta`. Any value but NaN is better
    /// than none.
    pub(super) fn beats(&self, value: f64, other: Option<f64>, lower_is_better: bool) -> bool {
        match other {
            None => !value.is_nan(),
            Some(other) if lower_is_better => value < other - self.min_delta.abs(),
            Some(other) => value > other + self.min_delta.abs(),
        }
    }

    /// True if `value` is the best so far; it is then stored in `state`, and in the model unless a
    /// better one of an earlier training is there.
    pub(super) fn improves(
        &self,
        value: f64,
        state: &mut MonitorState,
        trainer: &mut TrainerHandle,
    ) -> bool {
        let better = self.beats(value, state.best, state.lower_is_better);
        if better {
            state.best = Some(value);
            let recorded = trainer.model().best.get(&self.name).copied();
            if self.beats(value, recorded, state.lower_is_better) {
                trainer.record_best(&self.name, value);
            }
        }
        better
    }
}

/// True if lower is better for this name in the logs; `None` if unknown.
fn lower_is_better(model: &Sequential, name: &str) -> Option<bool> {
    if name == "loss" || name == "val_loss" {
        return Some(true);
    }
    Some(model.logged_metric(name)?.as_metric().lower_is_better())
}
