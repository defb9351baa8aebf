//! Folders of NumPy arrays: `x_train.npy` and `y_train.npy`, with or without `x_test.npy` and
//! `y_test.npy`; or `x.npy` and `y.npy`. Types are those of [`npz`](super::npz).

use std::path::Path;

use super::npy::Member;
use super::source::{OpenFile, unexpected};
use super::{Dataset, LoadedData, Targets};
use crate::{Error, Result};

const HELP: &str = "save x_train.npy and y_train.npy, and x_test.npy and y_test.npy too, with \
                    numpy.save: one row per sample";

/// Reads the two or four arrays.
///
/// # Errors
/// An array that is missing, damaged, empty or not numeric, and different numbers of rows in `x`
/// and `y`.
pub fn load(folder: &Path) -> Result<LoadedData> {
    let suffix = if folder.join("x_train.npy").is_file() { "_train" } else { "" };
    let mut data = LoadedData::from(dataset(folder, suffix)?);
    if folder.join("x_test.npy").exists() || folder.join("y_test.npy").exists() {
        data.test = Some(dataset(folder, "_test")?);
    }
    Ok(data)
}

/// True if the folder holds inputs of this form.
pub fn is_in(folder: &Path) -> bool {
    ["x_train.npy", "x.npy"].iter().any(|name| folder.join(name).is_file())
}

fn dataset(folder: &Path, suffix: &str) -> Result<Dataset> {
    let inputs = folder.join(format!("x{suffix}.npy"));
    let targets = folder.join(format!("y{suffix}.npy"));
    let x = read(&inputs, Member::inputs)?;
    let y = read_targets(&targets)?;
    let data = Dataset { x, y };
    let (n_inputs, n_targets) = (data.len(), data.y.shape()[0]);
    if n_inputs != n_targets {
        let found = format!("it has {n_targets} rows, and {} has {n_inputs}", inputs.display());
        return Err(Error::file(&targets, found, "save the targets of the same samples"));
    }
    Ok(data)
}

/// Reads targets: integers that can all be labels, else numbers.
fn read_targets(path: &Path) -> Result<Targets> {
    let labels = read(path, |array| if array.has_floats() { Ok(None) } else { array.labels() })?;
    match labels {
        Some(labels) => Ok(Targets::Labels(labels)),
        None => Ok(Targets::Reals(read(path, Member::reals)?)),
    }
}

type Array = Member<Box<dyn super::source::ReadSeek>>;

/// Opens an array and reads it.
fn read<T>(path: &Path, read: impl FnOnce(Array) -> Result<T>) -> Result<T> {
    let OpenFile { reader, size, start } = OpenFile::new(path)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(unexpected("an array (.npy)", &start, HELP).in_file(path));
    }
    Member::new(reader, size).and_then(read).map_err(|error| match error {
        Error::Format { found, .. } => Error::file(path, found, HELP),
        other => other,
    })
}
