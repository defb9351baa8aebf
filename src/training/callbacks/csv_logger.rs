//! `CSVLogger`: the logs as a file that spreadsheets open, a row an epoch.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use super::{Callback, Control, Course, Logs, logged};
use crate::model::Sequential;
use crate::{Error, Result};

/// Writes `epoch`, counted from 0, and the logs in alphabetical order, each row as soon as it is
/// known. Lines end in `\r\n`. As in Keras, logs without validation get columns for it all the
/// same, and what is missing is `NA`.
#[derive(Debug)]
pub struct CSVLogger {
    /// The file.
    pub path: PathBuf,
    /// What stands between two values.
    pub separator: char,
    /// Whether rows are added to a file that is there, instead of replacing it.
    pub append: bool,
    file: Option<File>,
    /// The columns behind the epoch, once the first logs have named them.
    columns: Vec<String>,
}

impl CSVLogger {
    /// Writes to this file, in place of what is there, with commas.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        CSVLogger { path: path.into(), separator: ',', append: false, file: None, columns: vec![] }
    }
}

impl Callback for CSVLogger {
    fn on_train_begin(&mut self, _: &mut Sequential, _: &Course) -> Result<()> {
        let mut options = OpenOptions::new();
        options.create(true).write(true).append(self.append).truncate(!self.append);
        self.file = Some(options.open(&self.path).map_err(Error::io("write", &self.path))?);
        self.columns.clear();
        Ok(())
    }

    fn on_epoch_end(
        &mut self,
        _: &mut Sequential,
        epoch: usize,
        logs: &mut Logs,
    ) -> Result<Control> {
        let Some(file) = &mut self.file else { return Ok(Control::Continue) };
        let separator = self.separator.to_string();
        let line = |first: String, rest: &[String]| {
            format!("{}\r\n", [&[first], rest].concat().join(&separator))
        };
        let mut text = String::new();
        if self.columns.is_empty() {
            self.columns = logs.iter().map(|(name, _)| name.clone()).collect();
            self.columns.sort();
            if !self.columns.iter().any(|name| name.starts_with("val_")) {
                self.columns.extend_from_within(..);
                self.columns[logs.len()..].iter_mut().for_each(|name| name.insert_str(0, "val_"));
            }
            if file.metadata().map_err(Error::io("read", &self.path))?.len() == 0 {
                text += &line("epoch".to_string(), &self.columns);
            }
        }
        let value =
            |column| logged(logs, column).map_or("NA".to_string(), |value| format!("{value:?}"));
        let values: Vec<_> = self.columns.iter().map(|column| value(column)).collect();
        text += &line(epoch.to_string(), &values);
        file.write_all(text.as_bytes()).map_err(Error::io("write", &self.path))?;
        Ok(Control::Continue)
    }

    fn on_train_end(&mut self, _: &mut Sequential) -> Result<()> {
        self.file = None;
        Ok(())
    }
}
