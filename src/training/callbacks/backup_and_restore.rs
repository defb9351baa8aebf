//! `BackupAndRestore`: a training that resumes after a crash.
//!
//! **Decision.** A backup is one moment of the whole training: weights, optimizer state, position
//! in the epoch, history and the state of every callback. `fit` alone knows all of it, so it does
//! the work in `restart.rs`; this callback says where and when. **Rejected:** a backup at every
//! moment asked for, as Keras makes it: an epoch may take less time than a file needs to reach the
//! disk.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Callback, say};
use crate::formats::backup::{self, Backup};
use crate::formats::{WriteLock, check_writable, replace};
use crate::model::Sequential;
use crate::training::TrainerHandle;
use crate::{Error, Result};

const FILE: &str = "backup.safetensors";

/// Backs up the training to a folder. The same training started again, after a crash or an
/// interruption, resumes from there and ends with the same weights, history, log and checkpoints.
///
/// A backup of another training (model, data, options, version, instruction set) is an error that
/// lists what differs.
///
/// ```
/// use tallynet::training::{BackupAndRestore, BackupEvery};
///
/// let each_epoch = BackupAndRestore::new("backup");
/// let often = BackupAndRestore { every: BackupEvery::Batches(500), ..BackupAndRestore::new("b") };
/// let always = BackupAndRestore { max_cost: 1.0, ..BackupAndRestore::new("backup") };
/// ```
#[derive(Debug)]
pub struct BackupAndRestore {
    /// Folder, created if it is missing.
    pub folder: PathBuf,
    /// Moments at which a backup is made, beside the first batch and an interruption.
    pub every: BackupEvery,
    /// Maximum share of the time, from 0 to 1, that is spent on backups; one that would cost more
    /// is put off to the next moment. The first backup and that of an interruption are always made.
    pub max_cost: f64,
    /// True to remove the backup when training ends.
    pub delete_checkpoint: bool,
    /// Description of what else must be the same when training resumes, such as the options of
    /// other callbacks.
    pub run: Value,
    /// True to report on stderr that training resumes.
    pub verbose: bool,
    /// State, reset when training begins.
    pub state: BackupState,
}

/// Moments at which [`BackupAndRestore`] makes a backup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BackupEvery {
    /// End of an epoch.
    Epoch,
    /// End of an epoch, and any batch once this many are done.
    Batches(usize),
    /// End of an epoch, and any batch once this many seconds have passed.
    Seconds(f64),
}

/// State of [`BackupAndRestore`].
#[derive(Debug, Default)]
pub struct BackupState {
    lock: Option<WriteLock>,
    last: Option<Made>,
    /// Batches since the last backup.
    batches: usize,
}

/// Time and duration of a backup.
#[derive(Debug)]
struct Made {
    end: Instant,
    took: Duration,
}

impl BackupAndRestore {
    /// Backups in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        BackupAndRestore {
            folder: folder.into(),
            every: BackupEvery::Epoch,
            max_cost: 0.02,
            delete_checkpoint: true,
            run: Value::Null,
            verbose: false,
            state: BackupState::default(),
        }
    }

    /// File of the backup. It is a model too, as it was at that moment.
    pub fn file(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// Removes the backup, and its folder if that is empty then.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&mut self) -> Result<()> {
        let file = self.file();
        if file.exists() {
            fs::remove_file(&file).map_err(Error::io("remove", &file))?;
        }
        self.state.lock = None;
        // Other files keep it.
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    /// Locks the folder, and sets the model to the backup there, if any.
    pub(in crate::training) fn restore(
        &mut self,
        model: &mut Sequential,
        run: &Value,
    ) -> Result<Option<Backup>> {
        fs::create_dir_all(&self.folder).map_err(Error::io("create", &self.folder))?;
        let file = self.file();
        self.state = BackupState::default();
        self.state.lock = WriteLock::new(&file)?;
        check_writable(&file)?;
        if !file.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&file).map_err(Error::io("read", &file))?;
        let found = backup::read(&bytes).map_err(|error| error.in_file(&file))?;
        found.check_run(run, &file)?;
        backup::restore(model, &bytes).map_err(|error| error.in_file(&file))?;
        let (folder, place) = (self.folder.display(), model.trained_until());
        say(self.verbose, &format!("Resuming from the backup in {folder}, after {place}."));
        Ok(Some(found))
    }

    /// True if a backup is to be made after a batch, or at the end of an epoch.
    pub(in crate::training) fn is_due(&mut self, epoch_ends: bool) -> bool {
        if !epoch_ends {
            self.state.batches += 1;
        }
        let Some(last) = &self.state.last else { return true };
        let elapsed = last.end.elapsed().as_secs_f64();
        let is_moment = match self.every {
            BackupEvery::Epoch => false,
            BackupEvery::Batches(n) => self.state.batches >= n,
            BackupEvery::Seconds(seconds) => elapsed >= seconds,
        };
        let took = last.took.as_secs_f64();
        (epoch_ends || is_moment) && took <= self.max_cost * (took + elapsed)
    }

    /// Writes a backup that took shape since `start`.
    pub(in crate::training) fn save(
        &mut self,
        model: &Sequential,
        backup: &Backup,
        start: Instant,
    ) -> Result<()> {
        replace(&self.file(), &backup::write(model, backup)?)?;
        self.state.batches = 0;
        self.state.last = Some(Made { end: Instant::now(), took: start.elapsed() });
        Ok(())
    }
}

impl Callback for BackupAndRestore {
    fn as_backup(&mut self) -> Option<&mut BackupAndRestore> {
        Some(self)
    }

    fn on_train_end(&mut self, _: &mut TrainerHandle) -> Result<()> {
        if self.delete_checkpoint { self.remove() } else { Ok(()) }
    }
}
