//! `BackupAndRestore`: a training that goes on where it was after a crash.
//!
//! **Decision.** A backup is one moment of the whole training: weights, optimizer state, position
//! in the epoch, history and the state of every callback. `fit` alone knows all of it, so it does
//! the work in `restart.rs`; this callback says where and when. **Rejected:** a backup at the end
//! of every epoch, as Keras makes it: an epoch may take less time than a file needs to reach the
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

/// At the end of an epoch, training has taken this many times longer than the last backup took
/// before the next one is made: backups cost less than 2 % of the time.
const MIN_RATIO: u32 = 60;

/// Backs up the training to a folder. The same training started again, after a crash or an
/// interruption, goes on from there and ends with the same weights, history, log and checkpoints.
///
/// A backup of another training (model, data, options, version, instruction set) is an error that
/// lists what differs.
///
/// ```
/// use tallynet::training::{BackupAndRestore, BackupEvery};
///
/// let each_epoch = BackupAndRestore::new("backup");
/// let often = BackupAndRestore { every: BackupEvery::Batches(500), ..BackupAndRestore::new("b") };
/// ```
#[derive(Debug)]
pub struct BackupAndRestore {
    /// Folder, created if it is missing.
    pub folder: PathBuf,
    /// Moments at which a backup is made, beside the first batch and an interruption.
    pub every: BackupEvery,
    /// True to remove the backup when training ends.
    pub delete_checkpoint: bool,
    /// Description of what else must be the same when training goes on, such as the options of
    /// other callbacks.
    pub run: Value,
    /// True to report on stderr that training goes on.
    pub verbose: bool,
    /// State, reset when training begins.
    pub state: BackupState,
}

/// Moments at which [`BackupAndRestore`] makes a backup.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BackupEvery {
    /// End of an epoch, if the last backup is long enough ago to cost under 2 % of the time.
    Epoch,
    /// That, and whenever this many batches are done.
    Batches(usize),
    /// The end of an epoch, and the next batch once this many seconds have passed.
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
        say(self.verbose, &format!("Training goes on from the backup in {folder}, after {place}."));
        Ok(Some(found))
    }

    /// True if a backup is to be made after a batch, or at the end of an epoch.
    pub(in crate::training) fn is_due(&mut self, epoch_ends: bool) -> bool {
        let Some(last) = &self.state.last else { return true };
        let elapsed = last.end.elapsed();
        if epoch_ends {
            return elapsed >= last.took * MIN_RATIO;
        }
        self.state.batches += 1;
        match self.every {
            BackupEvery::Epoch => false,
            BackupEvery::Batches(n) => self.state.batches >= n,
            BackupEvery::Seconds(seconds) => elapsed.as_secs_f64() >= seconds,
        }
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
