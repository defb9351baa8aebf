//! `CSVLogger`: the logs as a table, one row per epoch.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::path::PathBuf;

use csv::{Terminator, Writer, WriterBuilder};
use serde::{Deserialize, Serialize};

use super::{Callback, CallbackState, FitInfo, Flow, Logs, from_state, logged, to_state};
use crate::formats::is_special;
use crate::training::TrainerHandle;
use crate::{Error, Result};

/// Writes `epoch`, counted from 0, and the logs in alphabetical order to a CSV file, row by row. As
/// in Keras, lines end in `\r\n`, there are `val_` columns even without validation, and missing
/// values are `NA`.
///
/// ```
/// use tallynet::training::CSVLogger;
///
/// let log = CSVLogger { append: true, separator: ';', ..CSVLogger::new("log.csv") };
/// ```
#[derive(Debug)]
pub struct CSVLogger {
    /// Path of the file.
    pub path: PathBuf,
    /// Separator of values, an ASCII character.
    pub separator: char,
    /// True to add rows to an existing file instead of replacing it.
    pub append: bool,
    /// State, reset when training begins.
    pub state: CSVLoggerState,
}

/// State of [`CSVLogger`]: the open file and its columns.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct CSVLoggerState {
    #[serde(skip)]
    writer: Option<Writer<File>>,
    /// Columns after the epoch, taken from the first logs.
    columns: Vec<String>,
    /// Bytes of the file after which an interrupted training continues.
    length: Option<u64>,
}

impl CSVLogger {
    /// Logger that replaces this file and separates by commas.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let state = CSVLoggerState::default();
        CSVLogger { path: path.into(), separator: ',', append: false, state }
    }

    /// Opens the file: an empty one, or after the rows that are there, or after those of an
    /// interrupted training.
    fn open(&self) -> Result<File> {
        let append = self.append || self.state.length.is_some();
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(append).truncate(!append);
        let file = options.open(&self.path).map_err(Error::io("write", &self.path))?;
        if let Some(length) = self.state.length.filter(|_| !is_special(&self.path)) {
            let found = file.metadata().map_err(Error::io("read", &self.path))?.len();
            if found < length {
                let found = format!("rows are missing: {found} bytes of at least {length}");
                let help = "put the log of the interrupted training there, or delete its backup";
                return Err(Error::file(&self.path, found, help));
            }
            file.set_len(length).map_err(Error::io("write", &self.path))?;
        }
        Ok(file)
    }

    /// Bytes of the file, once they are on the disk.
    fn synced_length(&self) -> io::Result<Option<u64>> {
        let Some(writer) = self.state.writer.as_ref().filter(|_| !is_special(&self.path)) else {
            return Ok(Some(0));
        };
        writer.get_ref().sync_data()?;
        Ok(Some(writer.get_ref().metadata()?.len()))
    }
}

impl Callback for CSVLogger {
    fn state(&mut self) -> Result<CallbackState> {
        self.state.length = self.synced_length().map_err(Error::io("write", &self.path))?;
        to_state(&self.state)
    }

    fn set_state(&mut self, state: CallbackState) -> Result<()> {
        self.state = from_state(state)?;
        Ok(())
    }

    fn on_train_begin(&mut self, _: &mut TrainerHandle, _: &FitInfo) -> Result<()> {
        let separator = self.separator;
        if !separator.is_ascii() || "\"\r\n".contains(separator) {
            let found = format!("{separator:?} cannot separate the values of a CSV file");
            return Err(Error::option("separator", found + "; ',', ';' and '\\t' can"));
        }
        let file = self.open()?;
        let mut builder = WriterBuilder::new();
        builder.delimiter(separator as u8).terminator(Terminator::CRLF);
        if self.state.length.take().is_none() {
            self.state.columns.clear();
        }
        self.state.writer = Some(builder.from_writer(file));
        Ok(())
    }

    fn on_epoch_end(&mut self, _: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        self.state.write(epoch, logs).map_err(Error::io("write", &self.path))?;
        Ok(ControlFlow::Continue(()))
    }

    fn on_train_end(&mut self, _: &mut TrainerHandle) -> Result<()> {
        self.state.writer = None;
        Ok(())
    }
}

impl CSVLoggerState {
    /// Writes one row, after a header row if the file is empty.
    fn write(&mut self, epoch: usize, logs: &Logs) -> io::Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        if self.columns.is_empty() {
            self.columns = columns(logs);
            if writer.get_ref().metadata()?.len() == 0 {
                writer.write_field("epoch")?;
                writer.write_record(&self.columns)?;
            }
        }
        writer.write_field(epoch.to_string())?;
        for column in &self.columns {
            match logged(logs, column) {
                Some(value) => writer.write_field(format!("{value:?}"))?,
                None => writer.write_field("NA")?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        writer.flush()
    }
}

/// Columns after `epoch`, in alphabetical order, with `val_` columns even without validation.
fn columns(logs: &Logs) -> Vec<String> {
    let mut columns: Vec<String> = logs.iter().map(|(name, _)| name.clone()).collect();
    columns.sort();
    if !columns.iter().any(|name| name.starts_with("val_")) {
        let validation: Vec<String> = columns.iter().map(|name| format!("val_{name}")).collect();
        columns.extend(validation);
    }
    columns
}
