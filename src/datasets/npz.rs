//! Keras's data format: a `.npz` file (a zip archive of `.npy` arrays, stored or
//! deflated) with `x_train`, `y_train`, `x_test` and `y_test`.

use std::fmt::Display;
use std::io::{Read, Seek};
use std::path::Path;

use ndarray::ArrayD;
use zip::{ZipArchive, read::ZipFile};

use super::npy::Member;
use super::source::{OpenFile, ReadSeek, unexpected};
use super::{Dataset, Inputs, LoadedData, Targets, TrainTest};
use crate::shape::Tuple;
use crate::{Error, Real, Result};

const HELP: &str = "download it again, or save x_train, y_train, x_test and y_test with \
                    numpy.savez_compressed: one row per sample; x as uint8 or float32; y as \
                    integer labels from 0, or as numbers";
const INPUTS_HELP: &str =
    "save one array of inputs with numpy.save or numpy.savez, one row per sample";

/// Arrays of the training and the test set.
const ARRAYS: [&str; 4] = ["x_train", "y_train", "x_test", "y_test"];

/// An archive in a file or a pipe.
type Archive = ZipArchive<Box<dyn ReadSeek>>;

/// Reads the four arrays. Bytes in `x` stay bytes and other numbers become [`Real`]; in `y`,
/// integers and booleans that can be labels (from 0, below 2²⁴) become labels, and other numbers
/// [`Real`].
///
/// # Errors
/// A file that is not an archive or is damaged, an array that is missing, empty or not numeric, and
/// different numbers of rows in `x` and `y`.
pub fn load(path: &Path) -> Result<TrainTest> {
    let read = || {
        let mut archive = archive(path, &ARRAYS)?;
        let train = dataset(&mut archive, "x_train", "y_train")?;
        Ok(TrainTest { train, test: dataset(&mut archive, "x_test", "y_test")? })
    };
    read().map_err(|error: Error| error.in_file(path))
}

/// Reads the two arrays of the training set, which may be called `x` and `y`; the others may be
/// missing.
///
/// # Errors
/// As [`load`].
pub fn load_train(path: &Path) -> Result<Dataset> {
    let read = || training_set(&mut archive(path, &[])?);
    read().map_err(|error| error.in_file(path))
}

/// Reads the training and the test set; if x_test and y_test are both missing, the training set
/// alone, as [`load_train`] does.
///
/// # Errors
/// As [`load`].
pub fn load_available(path: &Path) -> Result<LoadedData> {
    let read = || {
        let mut archive = archive(path, &[])?;
        if find(&archive, "x_test").is_none() && find(&archive, "y_test").is_none() {
            return Ok(LoadedData::from(training_set(&mut archive)?));
        }
        check_members(&archive, &ARRAYS)?;
        let train = dataset(&mut archive, "x_train", "y_train")?;
        let test = dataset(&mut archive, "x_test", "y_test")?;
        Ok(LoadedData { test: Some(test), ..train.into() })
    };
    read().map_err(|error: Error| error.in_file(path))
}

fn training_set(archive: &mut Archive) -> Result<Dataset> {
    if find(archive, "x").is_some() && find(archive, "y").is_some() {
        return dataset(archive, "x", "y");
    }
    check_members(archive, &["x_train", "y_train"])?;
    dataset(archive, "x_train", "y_train")
}

/// Reads the two arrays of the test set; the others may be missing.
///
/// # Errors
/// As [`load`].
pub fn load_test(path: &Path) -> Result<Dataset> {
    let read = || dataset(&mut archive(path, &["x_test", "y_test"])?, "x_test", "y_test");
    read().map_err(|error| error.in_file(path))
}

/// Reads only inputs, to predict from: a `.npy` array, or a `.npz` archive that holds `x_test` or
/// only one array.
///
/// # Errors
/// A file that is neither or a damaged one, and an array that is empty or not numeric.
pub fn load_inputs(path: &Path) -> Result<Inputs> {
    inputs_only(path).map_err(|error| match error {
        Error::Format { path: None, found, .. } => Error::file(path, found, INPUTS_HELP),
        other => other,
    })
}

fn inputs_only(path: &Path) -> Result<Inputs> {
    let OpenFile { reader, size, start } = OpenFile::new(path)?;
    if start.starts_with(b"\x93NUMPY") {
        return Member::new(reader, size)?.inputs();
    }
    if !start.starts_with(b"PK") {
        return Err(unexpected("an array", &start, INPUTS_HELP).in_file(path));
    }
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    let name = match archive.name_for_index(0) {
        Some(name) if archive.len() == 1 => name.to_string(),
        _ if find(&archive, "x_test").is_some() => "x_test".to_string(),
        _ => return Err(wrong("it holds several arrays, and none is called x_test")),
    };
    member(&mut archive, &name)?.inputs()
}

/// Reads one parameter array, which must have this shape, from an archive of weights. The error is
/// an [`Error::Weights`] with the problem, which does not repeat the name.
pub(crate) fn reals<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    shape: &[usize],
) -> Result<ArrayD<Real>> {
    let mut read = || {
        let member = member(archive, name)?;
        let found = &member.header.shape;
        if found != shape {
            let (found, needed) = (Tuple(found), Tuple(shape));
            return Err(wrong(format!("it has the shape {found}, and the model needs {needed}")));
        }
        member.reals()
    };
    read().map_err(|error| Error::weights(name, found(error)))
}

/// Opens an archive that holds arrays of these names.
fn archive(path: &Path, names: &[&str]) -> Result<Archive> {
    let OpenFile { reader, start, .. } = OpenFile::new(path)?;
    if !start.starts_with(b"PK") {
        return Err(unexpected("a zip archive (.npz)", &start, HELP));
    }
    let archive = ZipArchive::new(reader)
        .map_err(|error| wrong(format!("the zip archive is damaged or cut off ({error})")))?;
    check_members(&archive, names)?;
    Ok(archive)
}

/// Checks that the archive holds these arrays.
fn check_members(archive: &Archive, names: &[&str]) -> Result<()> {
    let missing: Vec<_> = names.iter().filter(|name| find(archive, name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let held: Vec<_> =
        archive.file_names().take(12).map(|name| name.trim_end_matches(".npy")).collect();
    Err(wrong(format!("the arrays {missing:?} are missing; it holds {held:?}")))
}

/// Index of an array in its archive.
fn find<R: Read + Seek>(archive: &ZipArchive<R>, name: &str) -> Option<usize> {
    archive.index_for_name(&format!("{name}.npy")).or_else(|| archive.index_for_name(name))
}

/// Reads inputs and targets. The numbers of rows are compared before any number is read.
fn dataset(archive: &mut Archive, x: &str, y: &str) -> Result<Dataset> {
    let x_rows = member(archive, x).and_then(|x| x.rows()).map_err(in_array(x))?;
    let y_rows = member(archive, y).and_then(|y| y.rows()).map_err(in_array(y))?;
    if x_rows != y_rows {
        return Err(wrong(format!("{x} has {x_rows} rows and {y} has {y_rows}")));
    }
    let targets = targets(archive, y).map_err(in_array(y))?;
    let inputs = member(archive, x).and_then(Member::inputs).map_err(in_array(x))?;
    Ok(Dataset { x: inputs, y: targets })
}

/// Reads targets: integers that can all be labels, else numbers.
fn targets(archive: &mut Archive, name: &str) -> Result<Targets> {
    if !member(archive, name)?.has_floats() {
        let labels = member(archive, name)?.labels()?;
        if let Some(labels) = labels {
            return Ok(Targets::Labels(labels));
        }
    }
    member(archive, name)?.reals().map(Targets::Reals)
}

/// Opens an array of an archive.
fn member<'a, R: Read + Seek>(
    archive: &'a mut ZipArchive<R>,
    name: &str,
) -> Result<Member<ZipFile<'a, R>>> {
    let index = find(archive, name).ok_or_else(|| wrong("it is missing"))?;
    let file = archive.by_index(index).map_err(damaged)?;
    let size = file.size();
    Member::new(file, size)
}

/// Error for content of an archive that is wrong.
pub(super) fn wrong(found: impl Into<String>) -> Error {
    Error::format(found, HELP)
}

/// Error for an archive or array that is damaged.
pub(super) fn damaged(error: impl Display) -> Error {
    wrong(format!("it is damaged or of an unknown form ({error})"))
}

/// For `map_err`: names the array that a content error came from.
fn in_array(name: &str) -> impl FnOnce(Error) -> Error {
    move |error| wrong(format!("{name}: {}", found(error)))
}

/// The problem only, without the help.
pub(super) fn found(error: Error) -> String {
    match error {
        Error::Format { found, .. } => found,
        other => other.to_string(),
    }
}
