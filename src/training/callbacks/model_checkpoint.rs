//! `ModelCheckpoint`: the model as a file after an epoch, or after the best one only.

use std::path::{Path, PathBuf};

use super::{Callback, Control, Course, Logs, Monitor, expected, logged, names, say};
use crate::formats::{check_savable, save};
use crate::model::Sequential;
use crate::{Error, Result};

/// Saves the model, its optimizer's state included, after every epoch.
///
/// ```
/// use tallynet::training::ModelCheckpoint;
///
/// let all = ModelCheckpoint::new("runs/{epoch:02d}-{val_loss:.2f}.safetensors");
/// assert_eq!(all.file(0, &vec![("val_loss".to_string(), 0.456)])?.to_str(), Some("runs/01-0.46.safetensors"));
/// let best = ModelCheckpoint { save_best_only: true, ..ModelCheckpoint::new("best.safetensors") };
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelCheckpoint {
    /// The path, where `{epoch}`, counted from 1, and the names in the logs stand for their values,
    /// with Python's formats for whole numbers and for decimals behind a colon: `{epoch:02d}`,
    /// `{val_loss:.4f}`.
    pub path: String,
    /// What the best epoch is judged by.
    pub monitor: Monitor,
    /// Whether only an epoch that is better than all before it is saved.
    pub save_best_only: bool,
    /// Whether saving is told on stderr.
    pub verbose: bool,
}

impl ModelCheckpoint {
    /// Saves to this path after every epoch.
    pub fn new(path: impl Into<String>) -> Self {
        ModelCheckpoint {
            path: path.into(),
            monitor: Monitor::default(),
            save_best_only: false,
            verbose: false,
        }
    }

    /// The file of an epoch, counted from 0, with these logs. A field that is not closed, not in
    /// the logs, or in a format that is not known is an error.
    pub fn file(&self, epoch: usize, logs: &Logs) -> Result<PathBuf> {
        let wrong = |problem: String| {
            let good = "{epoch:02d}-{val_loss:.2f}.safetensors";
            Error::option(
                "path",
                format!("the path {:?} {problem}; a good one is {good:?}", self.path),
            )
        };
        let (mut path, mut rest) = (String::new(), self.path.as_str());
        while let Some((before, field)) = rest.split_once('{') {
            let (field, after) =
                field.split_once('}').ok_or_else(|| wrong("has a { without its }".to_string()))?;
            let (name, format) = field.split_once(':').unwrap_or((field, ""));
            let value = if name == "epoch" { Some((epoch + 1) as f64) } else { logged(logs, name) };
            let value = value.ok_or_else(|| {
                wrong(format!("names {name:?}, and there is epoch, {}", names(logs)))
            })?;
            path += before;
            path += &formatted(value, format)
                .ok_or_else(|| wrong(format!("has the format {format:?} for {name}")))?;
            rest = after;
        }
        Ok(PathBuf::from(path + rest))
    }
}

/// Python's `0Nd` and `N.Mf`, where every part but the letter may be missing.
fn formatted(value: f64, format: &str) -> Option<String> {
    let number = |digits: &str| {
        if digits.is_empty() { Some(0) } else { digits.parse::<u8>().ok().map(usize::from) }
    };
    let (width, text) = match format.split_at_checked(format.len().saturating_sub(1))? {
        ("", "") => return Some(value.to_string()),
        (width, "d") if value.fract() == 0.0 => (width, value.to_string()),
        (size, "f") => {
            let (width, places) = size.split_once('.').unwrap_or((size, "6"));
            (width, format!("{value:.*}", number(places)?))
        }
        _ => return None,
    };
    let fill = if width.starts_with('0') { "0" } else { " " };
    Some(fill.repeat(number(width)?.saturating_sub(text.len())) + &text)
}

impl Callback for ModelCheckpoint {
    fn on_train_begin(&mut self, _: &mut Sequential, course: &Course) -> Result<()> {
        if self.save_best_only {
            self.monitor.check(course)?;
        }
        self.file(0, &expected(course))?;
        check_savable(Path::new(&self.path))
    }

    fn on_epoch_end(
        &mut self,
        model: &mut Sequential,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        let path = self.file(epoch, logs)?;
        let mut reason = String::new();
        if self.save_best_only {
            let before = self.monitor.best.map_or("None".to_string(), |best| format!("{best:.5}"));
            let value = self.monitor.value(logs)?;
            let (better, name) = (self.monitor.improves(value)?, &self.monitor.name);
            if !better {
                say(
                    self.verbose,
                    &format!("Epoch {}: {name} did not improve from {before}", epoch + 1),
                );
                return Ok(Control::Continue);
            }
            reason = format!("{name} improved from {before} to {value:.5}, ");
        }
        say(
            self.verbose,
            &format!("Epoch {}: {reason}saving model to {}", epoch + 1, path.display()),
        );
        save(model, &path)?;
        Ok(Control::Continue)
    }
}
