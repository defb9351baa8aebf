//! `Progress`: a bar on a terminal, elsewhere one line per epoch, always on stderr.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::Result;
use crate::training::{BatchLogs, Callback, FitInfo, Flow, Logs, TrainerHandle};

/// Interval between updates of the bar's message, which is costly to format.
const UPDATE_INTERVAL: Duration = Duration::from_millis(100);

/// Callback that shows the progress of training; put last, it shows the logs of other callbacks.
///
/// ```
/// use tallynet::report::Progress;
/// use tallynet::training::{Callback, EarlyStopping};
///
/// let callbacks: &mut [&mut dyn Callback] =
///     &mut [&mut EarlyStopping::default(), &mut Progress::default()];
/// ```
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    updated: Instant,
    epochs: usize,
    batches: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { bar: ProgressBar::hidden(), updated: Instant::now(), epochs: 0, batches: 0 }
    }
}

impl Progress {
    /// Shows a bar for an epoch, counted from 0.
    fn begin(&mut self, epoch: usize) {
        // Draws to stderr, and hides itself unless that is a terminal.
        self.bar = ProgressBar::new(self.batches);
        self.updated = Instant::now();
        self.set_template("{prefix} {pos}/{len} {bar:20}");
        self.bar.set_prefix(format!("Epoch {}/{}", epoch + 1, self.epochs));
    }

    fn set_template(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
    }
}

impl Callback for Progress {
    fn on_train_begin(&mut self, _: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        self.epochs = info.epochs;
        self.batches = info.batches as u64;
        // A training that resumes in the middle of an epoch does not begin that epoch again.
        self.begin(info.initial_epoch);
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut TrainerHandle, epoch: usize) -> Result<()> {
        self.begin(epoch);
        Ok(())
    }

    fn on_batch_end(&mut self, _: &TrainerHandle, batch: usize, logs: &BatchLogs) -> Flow {
        let is_due = self.bar.position() == 0 || self.updated.elapsed() > UPDATE_INTERVAL;
        if is_due && !self.bar.is_hidden() {
            self.updated = Instant::now();
            if self.bar.position() == 0 {
                // Nothing can be estimated before the first batch.
                self.set_template("{prefix} {pos}/{len} {bar:20} {eta} left  {msg}");
            }
            self.bar.set_message(line(logs.names.iter().zip(logs.means.iter().copied())));
            self.bar.set_position(batch as u64 + 1);
        }
        Ok(ControlFlow::Continue(()))
    }

    fn on_epoch_end(&mut self, _: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        let elapsed = self.bar.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        let values = line(logs.iter().map(|(name, value)| (name, *value)));
        let text = format!("Epoch {}/{} - {elapsed:.2}s - {values}", epoch + 1, self.epochs);
        // A closed stderr does not end training.
        let _ = writeln!(io::stderr(), "{text}");
        Ok(ControlFlow::Continue(()))
    }

    fn on_train_end(&mut self, _: &mut TrainerHandle) -> Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }

    fn on_interrupt(&mut self, _: &TrainerHandle) -> Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}

/// Formats values as Keras does: `loss: 0.3897 - accuracy: 0.8937`.
fn line<'a>(values: impl Iterator<Item = (&'a String, f64)>) -> String {
    let mut items = Vec::new();
    for (name, value) in values {
        if value.abs() > 1e-3 {
            items.push(format!("{name}: {value:.4}"));
        } else {
            items.push(format!("{name}: {value:.4e}"));
        }
    }
    items.join(" - ")
}
