//! Files of tables, read with a progress bar.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use indicatif::ProgressBar;
use tallynet::Error;
use tallynet::datasets::table::{self, EncodedTable, LearnedTable, TableOptions};
use tallynet::datasets::{Column, DataDescription};

use super::output;

/// Number of bytes of a file from which on its reading shows a bar.
const LARGE: u64 = 10_000_000;

/// True if a file holds NumPy's arrays, by its name.
pub fn is_of_arrays(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    matches!(extension.to_str(), Some("npz" | "npy"))
}

/// File of a table with a progress bar.
struct TableFile {
    file: File,
    bar: ProgressBar,
}

impl TableFile {
    /// Opens the file and shows the bar, unless it is hidden.
    fn open(path: &Path, is_quiet: bool) -> tallynet::Result<TableFile> {
        let error = |source| Error::Io { action: "read", path: path.to_path_buf(), source };
        let file = File::open(path).map_err(error)?;
        if is_of_arrays(path) {
            let problem = format!(
                "{} holds NumPy's arrays, whose targets are y_train, and --target, --ignore, \
                 --task and --test are for tables",
                path.display()
            );
            return Err(Error::option("target", problem));
        }
        let metadata = file.metadata().map_err(error)?;
        if metadata.is_dir() {
            let problem = format!(
                "{} is a folder, and --target, --ignore, --task and --test are for tables: omit \
                 them for a folder of images",
                path.display()
            );
            return Err(Error::option("target", problem));
        }
        // A small table is read at once, and the length of a pipe is not known.
        let is_hidden = is_quiet || !metadata.is_file() || metadata.len() < LARGE;
        let template = "Table {bytes}/{total_bytes} {bar:20} {eta} left";
        Ok(TableFile { file, bar: output::bar(metadata.len(), template, is_hidden) })
    }

    /// The bytes of the file, which move the bar.
    fn reader(&self) -> impl Read {
        self.bar.wrap_read(&self.file)
    }
}

impl Drop for TableFile {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Reads a table to train on.
pub fn learn(
    path: &Path,
    options: &TableOptions,
    is_quiet: bool,
) -> tallynet::Result<LearnedTable> {
    let file = TableFile::open(path, is_quiet)?;
    table::learn_from(file.reader(), options).map_err(|error| error.in_file(path))
}

/// Reads a table whose columns are known. If it has no header, a warning says which columns are
/// assumed.
pub fn encode(
    path: &Path,
    description: &DataDescription,
    is_quiet: bool,
) -> tallynet::Result<EncodedTable> {
    let file = TableFile::open(path, is_quiet)?;
    let encoded =
        table::encode_from(file.reader(), description).map_err(|error| error.in_file(path))?;
    if encoded.is_by_position {
        let names: Vec<&str> = description.columns.iter().map(Column::name).collect();
        output::notice(&format!(
            "warning: {} has no header; its columns are taken to be {}, in this order",
            path.display(),
            names.join(", ")
        ));
    }
    Ok(encoded)
}
