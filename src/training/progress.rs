//! How a training is followed: a bar on a terminal, one plain line an epoch elsewhere, always on
//! stderr.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::{Callback, Control, Course, Logs};
use crate::Result;
use crate::model::Sequential;

/// The callback that shows progress.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    /// When the bar was last told something.
    told: Instant,
    epochs: usize,
    batches: u64,
}

impl Default for Progress {
    fn default() -> Self {
        Progress { bar: ProgressBar::hidden(), told: Instant::now(), epochs: 0, batches: 0 }
    }
}

impl Callback for Progress {
    fn on_train_begin(&mut self, _: &mut Sequential, course: &Course) -> Result<()> {
        (self.epochs, self.batches) = (course.epochs, course.batches as u64);
        Ok(())
    }

    fn on_epoch_begin(&mut self, _: &mut Sequential, epoch: usize) -> Result<()> {
        // Draws to stderr, and is hidden of itself where that is no terminal.
        (self.bar, self.told) = (ProgressBar::new(self.batches), Instant::now());
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {pos}/{len} {bar:20} {eta} left  {msg}")
        {
            self.bar.set_style(style.progress_chars("━╸─"));
        }
        self.bar.set_prefix(format!("Epoch {}/{}", epoch + 1, self.epochs));
        Ok(())
    }

    fn on_batch_end(&mut self, batch: usize, names: &[String], means: &[f64]) -> Control {
        // A message is text, and text is not free: a few a second are all that anyone can read.
        let is_due =
            || self.bar.position() == 0 || self.told.elapsed() > Duration::from_millis(100);
        if !self.bar.is_hidden() && is_due() {
            self.told = Instant::now();
            self.bar.set_message(line(names.iter().zip(means)));
            self.bar.set_position(batch as u64 + 1);
        }
        Control::Continue
    }

    fn on_epoch_end(
        &mut self,
        _: &mut Sequential,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        let elapsed = self.bar.elapsed().as_secs_f64();
        self.bar.finish_and_clear();
        let numbers = line(logs.iter().map(|(name, value)| (name, value)));
        // Where nobody listens any more, training goes on all the same.
        let _ = writeln!(
            io::stderr(),
            "Epoch {}/{} - {elapsed:.2}s - {numbers}",
            epoch + 1,
            self.epochs
        );
        Ok(Control::Continue)
    }

    fn on_train_end(&mut self, _: &mut Sequential) -> Result<()> {
        self.bar.finish_and_clear();
        Ok(())
    }
}

/// `loss: 0.3897 - accuracy: 0.8937`, in Keras's number format.
fn line<'a>(numbers: impl Iterator<Item = (&'a String, &'a f64)>) -> String {
    let number = |(name, value): (&String, &f64)| match value.abs() > 1e-3 {
        true => format!("{name}: {value:.4}"),
        false => format!("{name}: {value:.4e}"),
    };
    numbers.map(number).collect::<Vec<_>>().join(" - ")
}
