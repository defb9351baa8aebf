//! `ModelCheckpoint`: saves the model during training.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{
    Callback, CallbackState, FitInfo, Flow, Logs, Monitor, MonitorState, from_state, logged, names,
    placeholder_logs, say, to_state,
};
use crate::formats::{check_savable, save};
use crate::training::TrainerHandle;
use crate::{Error, Result};

/// Saves the model with its optimizer state after each epoch, or after the best ones only.
///
/// ```
/// use tallynet::training::ModelCheckpoint;
///
/// let each = ModelCheckpoint::new("runs/{epoch:02d}-{val_loss:.2f}.safetensors");
/// let file = each.file(0, &vec![("val_loss".to_string(), 0.456)])?;
/// assert_eq!(file.to_str(), Some("runs/01-0.46.safetensors"));
/// let best = ModelCheckpoint { save_best_only: true, ..ModelCheckpoint::new("best.safetensors") };
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelCheckpoint {
    /// Path of the file. `{epoch}`, counted from 1, and names in the logs stand for their values,
    /// with Python's formats for integers and decimals: `{epoch:02d}`, `{val_loss:.4f}`.
    pub path: String,
    /// Value that decides which epoch is best.
    pub monitor: Monitor,
    /// True to save only epochs that are better than all before.
    pub save_best_only: bool,
    /// True to report saving on stderr.
    pub verbose: bool,
    /// Best value so far. As in Keras, it stays from one training to the next. Set it to that of an
    /// interrupted training to save only better epochs.
    pub state: MonitorState,
}

impl ModelCheckpoint {
    /// Checkpoint of each epoch at this path.
    pub fn new(path: impl Into<String>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::default(),
            save_best_only: false,
            verbose: false,
            state: MonitorState::default(),
        }
    }

    /// File of an epoch, counted from 0, with these logs. A field of the path that is not closed,
    /// is not in the logs or has an unknown format is an error.
    pub fn file(&self, epoch: usize, logs: &Logs) -> Result<PathBuf> {
        let mut path = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, field)) = rest.split_once('{') {
            let Some((field, after)) = field.split_once('}') else {
                return Err(self.path_error("has a { without its }"));
            };
            let (name, format) = field.split_once(':').unwrap_or((field, ""));
            let value = if name == "epoch" { Some((epoch + 1) as f64) } else { logged(logs, name) };
            let Some(value) = value else {
                let problem = format!("names {name:?}, and there is epoch, {}", names(logs));
                return Err(self.path_error(&problem));
            };
            let Some(text) = format_value(value, format) else {
                return Err(self.path_error(&format!("has the format {format:?} for {name}")));
            };
            path += before;
            path += &text;
            rest = after;
        }
        Ok(PathBuf::from(path + rest))
    }

    fn path_error(&self, problem: &str) -> Error {
        let good = "{epoch:02d}-{val_loss:.2f}.safetensors";
        Error::option("path", format!("the path {:?} {problem}; a good one is {good:?}", self.path))
    }
}

/// Formats a value with Python's `0Nd` or `N.Mf`, where N and M are optional.
fn format_value(value: f64, format: &str) -> Option<String> {
    if format.is_empty() {
        return Some(value.to_string());
    }
    let (width, text) = if let Some(width) = format.strip_suffix('d') {
        if value.fract() != 0.0 {
            return None;
        }
        (width, value.to_string())
    } else {
        let size = format.strip_suffix('f')?;
        let (width, places) = size.split_once('.').unwrap_or((size, "6"));
        (width, format!("{value:.*}", parse_digits(places)?))
    };
    let fill = if width.starts_with('0') { "0" } else { " " };
    let missing = parse_digits(width)?.saturating_sub(text.len());
    Some(fill.repeat(missing) + &text)
}

/// Number in a format, at most 255; 0 if empty.
fn parse_digits(digits: &str) -> Option<usize> {
    if digits.is_empty() { Some(0) } else { digits.parse::<u8>().ok().map(usize::from) }
}

impl Callback for ModelCheckpoint {
    fn state(&mut self) -> Result<CallbackState> {
        to_state(&self.state)
    }

    fn set_state(&mut self, state: CallbackState) -> Result<()> {
        self.state = from_state(state)?;
        Ok(())
    }

    fn on_train_begin(&mut self, trainer: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        if self.save_best_only {
            self.state.lower_is_better = self.monitor.resolve(trainer, info)?;
        }
        self.file(0, &placeholder_logs(info))?;
        check_savable(Path::new(&self.path))
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        let path = self.file(epoch, logs)?;
        let epoch = epoch + 1;
        let mut reason = String::new();
        if self.save_best_only {
            let name = &self.monitor.name;
            let before = self.state.best.map_or("None".to_string(), |best| format!("{best:.5}"));
            let value = self.monitor.value(logs)?;
            if !self.monitor.improves(value, &mut self.state, trainer) {
                let text = format!("Epoch {epoch}: {name} did not improve from {before}");
                say(self.verbose, &text);
                return Ok(ControlFlow::Continue(()));
            }
            reason = format!("{name} improved from {before} to {value:.5}, ");
        }
        say(self.verbose, &format!("Epoch {epoch}: {reason}saving model to {}", path.display()));
        save(trainer.model(), &path)?;
        Ok(ControlFlow::Continue(()))
    }
}
