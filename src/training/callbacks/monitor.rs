//! What the callbacks that watch a number share: which number, and what counts as better.

use super::{Course, Logs, expected, logged, names};
use crate::{Error, Result, metrics};

/// Which way is better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Down for the loss and metrics that are errors, up for other metrics.
    #[default]
    Auto,
    /// Down.
    Min,
    /// Up.
    Max,
}

/// A number in the logs that is watched.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// Its name: `val_loss`, `accuracy`.
    pub name: String,
    /// Which way is better.
    pub mode: Mode,
    /// A change of less is none.
    pub min_delta: f64,
    /// The best value so far.
    pub best: Option<f64>,
}

impl Default for Monitor {
    fn default() -> Self {
        Monitor::new("val_loss")
    }
}

impl Monitor {
    /// Watches the number of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Monitor { name: name.into(), mode: Mode::Auto, min_delta: 0.0, best: None }
    }

    /// Its value in these logs. One that is not there is an error.
    pub(super) fn value(&self, logs: &Logs) -> Result<f64> {
        logged(logs, &self.name).ok_or_else(|| {
            let hint =
                if self.name.starts_with("val_") { "; val_ needs validation data" } else { "" };
            Error::option(
                "monitor",
                format!(
                    "a callback watches {}, and the logs have {}{hint}",
                    self.name,
                    names(logs)
                ),
            )
        })
    }

    /// Refuses to watch what no epoch of a training will log, or a number that is neither good nor
    /// bad when it is high.
    pub(super) fn check(&self, course: &Course) -> Result<()> {
        let value = self.value(&expected(course))?;
        self.beats(value, None).map(drop)
    }

    /// Whether the value is better than this one by more than `min_delta`; anything but NaN is
    /// better than nothing.
    pub(super) fn beats(&self, value: f64, other: Option<f64>) -> Result<bool> {
        let down = match self.mode {
            Mode::Min => true,
            Mode::Max => false,
            Mode::Auto => metrics::lower_is_better(&self.name).ok_or_else(|| {
                Error::option(
                    "mode",
                    format!(
                        "is a high {} good or bad? Give the callback's monitor a mode",
                        self.name
                    ),
                )
            })?,
        };
        Ok(match other {
            None => !value.is_nan(),
            Some(other) if down => value < other - self.min_delta.abs(),
            Some(other) => value > other + self.min_delta.abs(),
        })
    }

    /// Whether the value is the best so far, which it then becomes.
    pub(super) fn improves(&mut self, value: f64) -> Result<bool> {
        let better = self.beats(value, self.best)?;
        self.best = if better { Some(value) } else { self.best };
        Ok(better)
    }
}
