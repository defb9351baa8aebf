//! Folders of IDX files: which file is which part of a data set.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::super::{Dataset, LoadedData};
use super::{header, kind_and_rank, load_pair, open};
use crate::{Error, Result};

const FOLDER_HELP: &str = "the folder must hold one data set: an image file and a label file for \
                           training, and optionally a pair with `test` or `t10k` in their names";

/// Reads a folder with two files, images and labels, or four, of which those with `test` or `t10k`
/// in their names are the test set. A file with one axis has the labels. A compressed file is
/// ignored beside its raw form. Labels stay as they are: EMNIST's letters are 1 to 26, which takes
/// a model with 27 classes, as in Keras.
///
/// # Errors
/// Other numbers of files, and damaged ones.
pub fn load(folder: &Path) -> Result<LoadedData> {
    let Set { train, test } = Set::in_folder(folder)?;
    let mut data = LoadedData::from(train.read(folder, "training")?);
    if test.inputs.is_some() || test.labels.is_some() {
        data.test = Some(test.read(folder, "test")?);
    }
    Ok(data)
}

/// True if the folder holds one data set in two or four files, whose headers agree with each other
/// and are not all those of MNIST.
pub(in crate::datasets) fn is_other_set(folder: &Path) -> bool {
    let Ok(Set { train, test }) = Set::in_folder(folder) else { return false };
    let Some(shape) = train.shape() else { return false };
    let is_mnist = shape == [60_000, 28, 28];
    if test.inputs.is_none() && test.labels.is_none() {
        return !is_mnist;
    }
    let Some(test_shape) = test.shape() else { return false };
    let is_mnist = is_mnist && test_shape == [10_000, 28, 28];
    shape[1..] == test_shape[1..] && !is_mnist
}

/// True if the folder holds an IDX file.
pub fn is_in(folder: &Path) -> bool {
    files(folder).is_ok_and(|files| !files.is_empty())
}

/// Files of a folder by their part.
#[derive(Default)]
struct Set {
    train: Pair,
    test: Pair,
}

impl Set {
    fn in_folder(folder: &Path) -> Result<Set> {
        let mut set = Set::default();
        for path in files(folder)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let pair = if is_test(&name) { &mut set.test } else { &mut set.train };
            let place = if shape(&path)?.len() == 1 { &mut pair.labels } else { &mut pair.inputs };
            if let Some(other) = place {
                let (one, other) = (other.display(), path.display());
                let found = format!("it holds several data sets: {one} and {other}");
                return Err(Error::file(folder, found, FOLDER_HELP));
            }
            *place = Some(path);
        }
        Ok(set)
    }
}

/// The two files of a data set.
#[derive(Default)]
struct Pair {
    inputs: Option<PathBuf>,
    labels: Option<PathBuf>,
}

impl Pair {
    /// Lengths of the axes of the inputs, if both files are there and have as many samples.
    fn shape(&self) -> Option<Vec<usize>> {
        let inputs = shape(self.inputs.as_ref()?).ok()?;
        let labels = shape(self.labels.as_ref()?).ok()?;
        if inputs.first() == labels.first() { Some(inputs) } else { None }
    }

    fn read(self, folder: &Path, part: &str) -> Result<Dataset> {
        match (self.inputs, self.labels) {
            (Some(inputs), Some(labels)) => load_pair(&inputs, &labels),
            (inputs, _) => {
                let missing = if inputs.is_some() { "labels" } else { "images" };
                let found = format!("the IDX file of the {part} {missing} is missing");
                Err(Error::file(folder, found, FOLDER_HELP))
            }
        }
    }
}

/// True for the name of a file of a test set.
fn is_test(name: &str) -> bool {
    name.contains("t10k") || name.contains("test")
}

/// IDX files directly in a folder, sorted by name.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).map_err(Error::io("read", folder))? {
        let path = entry.map_err(Error::io("read", folder))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        if !is_hidden && path.is_file() && is_idx(&path) {
            files.push(path);
        }
    }
    files.sort();
    let is_compressed = |path: &Path| path.extension().is_some_and(|extension| extension == "gz");
    let raw = files.clone();
    files.retain(|path| !is_compressed(path) || !raw.contains(&path.with_extension("")));
    Ok(files)
}

/// True if a file, decompressed, begins as an IDX file does.
fn is_idx(path: &Path) -> bool {
    let mut magic = [0; 4];
    let read = open(path).map(|mut reader| reader.read_exact(&mut magic));
    matches!(read, Ok(Ok(()))) && kind_and_rank(&magic).is_ok()
}

/// Lengths of the axes of a file.
fn shape(path: &Path) -> Result<Vec<usize>> {
    let header = header(&mut open(path)?).map_err(|error| error.in_file(path))?;
    Ok(header.shape)
}
