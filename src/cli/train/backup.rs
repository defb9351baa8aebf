//! `--backup`: the folder, the moments, and the options that must be the same to resume.

use serde_json::{Value, json};
use tallynet::training::{BackupAndRestore, BackupEvery, ranks};

use super::super::LoadedModel;
use super::super::plan::Plan;
use super::Train;

/// Parses `500` (batches) or `30s` (seconds).
pub(super) fn parse_every(text: &str) -> Result<BackupEvery, String> {
    let wrong = || {
        format!("{text:?} is neither a number of batches, such as 500, nor of seconds, such as 60s")
    };
    if let Some(seconds) = text.strip_suffix('s') {
        let seconds = seconds.parse::<f64>().map_err(|_| wrong())?;
        return if seconds >= 0.0 { Ok(BackupEvery::Seconds(seconds)) } else { Err(wrong()) };
    }
    match text.parse() {
        Ok(batches) if batches > 0 => Ok(BackupEvery::Batches(batches)),
        _ => Err(wrong()),
    }
}

impl Train {
    /// The callback of `--backup`. It is removed after the model is saved, and not at the end of
    /// training.
    pub(super) fn backup(&self, loaded: &LoadedModel) -> Option<BackupAndRestore> {
        let folder = self.backup.as_ref().filter(|_| ranks::is_first())?;
        Some(BackupAndRestore {
            every: self.backup_every.unwrap_or(BackupEvery::Epoch),
            delete_checkpoint: false,
            run: self.options(&loaded.plan),
            verbose: !loaded.is_quiet,
            ..BackupAndRestore::new(folder)
        })
    }

    /// True if an interrupted run left a backup.
    pub(super) fn has_backup(&self) -> bool {
        self.backup.as_ref().is_some_and(|folder| BackupAndRestore::new(folder).file().exists())
    }

    /// The options of callbacks. Those of the model and of `fit` are compared there.
    fn options(&self, plan: &Plan) -> Value {
        json!({
            "reduce_on_plateau": self.reduce_on_plateau,
            "patience": self.patience,
            "checkpoint": self.checkpoint,
            "csv": self.csv,
            "callbacks": plan.callbacks,
        })
    }
}
