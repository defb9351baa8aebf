//! CIFAR-10 and CIFAR-100 in their binary form: `data_batch_1.bin` to `data_batch_5.bin` and
//! `test_batch.bin`, or `train.bin` and `test.bin`.
//!
//! A record is the label, for CIFAR-100 the coarse and the fine one, and 32×32 pixels as a red, a
//! green and a blue plane. Pixels become channels-last here. CIFAR-100 has its fine labels, as
//! Keras's `load_data` gives them.

use std::fs;
use std::path::Path;

use ndarray::{Array1, ArrayD, IxDyn};

use super::{DataDescription, Dataset, Inputs, LoadedData, Targets};
use crate::{Error, Result};

/// Height and width of an image.
const SIDE: usize = 32;
/// Bytes of a channel of an image.
const PLANE: usize = SIDE * SIDE;

const HELP: &str = "extract the binary version of CIFAR-10 or CIFAR-100 again";

/// One of the two data sets.
struct Form {
    train: &'static [&'static str],
    test: &'static str,
    /// Bytes of labels in a record; the last is the one that is used.
    label_bytes: usize,
    classes: usize,
    /// File with a name of a class in each line.
    names: &'static str,
}

const FORMS: [Form; 2] = [
    Form {
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
        label_bytes: 1,
        classes: 10,
        names: "batches.meta.txt",
    },
    Form {
        train: &["train.bin"],
        test: "test.bin",
        label_bytes: 2,
        classes: 100,
        names: "fine_label_names.txt",
    },
];

/// Reads a folder with the files of one of the two sets. The file with the names of the classes may
/// be missing.
///
/// # Errors
/// Files that are missing, of another length, or with a label out of range.
pub fn load(folder: &Path) -> Result<LoadedData> {
    let Some(form) = Form::in_folder(folder) else {
        let found = "there is no data_batch_1.bin and no train.bin in here";
        return Err(Error::file(folder, found, HELP));
    };
    let mut records = vec![];
    for name in form.train {
        records.extend(form.read(&folder.join(name))?);
    }
    let mut data = LoadedData::from(form.dataset(&records)?);
    drop(records);
    data.test = Some(form.dataset(&form.read(&folder.join(form.test))?)?);
    data.description =
        DataDescription { classes: form.names(folder)?, ..DataDescription::default() };
    Ok(data)
}

/// True if the folder holds the first file of one of the two sets.
pub fn is_in(folder: &Path) -> bool {
    Form::in_folder(folder).is_some()
}

/// Decodes the records of one file of CIFAR-10 (`classes` 10) or CIFAR-100 (100).
///
/// # Errors
/// Another number of classes, a length that is not a multiple of a record, and labels out of range.
pub fn decode(bytes: &[u8], classes: usize) -> Result<Dataset> {
    let Some(form) = FORMS.iter().find(|form| form.classes == classes) else {
        let problem = format!("CIFAR has 10 or 100 classes, and not {classes}");
        return Err(Error::option("classes", problem));
    };
    form.check(bytes)?;
    form.dataset(bytes)
}

impl Form {
    fn in_folder(folder: &Path) -> Option<&'static Form> {
        FORMS.iter().find(|form| folder.join(form.train[0]).is_file())
    }

    /// Bytes of a label and an image.
    fn record_len(&self) -> usize {
        self.label_bytes + 3 * PLANE
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        self.check(&bytes).map_err(|error| error.in_file(path))?;
        Ok(bytes)
    }

    fn check(&self, bytes: &[u8]) -> Result<()> {
        let (len, record_len) = (bytes.len(), self.record_len());
        if len == 0 || len % record_len != 0 {
            let found = format!(
                "its length, {len} bytes, is not a multiple of {record_len} bytes (one image)"
            );
            return Err(Error::format(found, HELP));
        }
        for (record, row) in bytes.chunks_exact(record_len).zip(0..) {
            let label = self.label(record);
            if label as usize >= self.classes {
                let found = format!(
                    "image {row} (from 0) has the label {label}, where 0 to {} are \
                    expected",
                    self.classes - 1
                );
                return Err(Error::format(found, HELP));
            }
        }
        Ok(())
    }

    fn label(&self, record: &[u8]) -> u32 {
        record[self.label_bytes - 1].into()
    }

    /// Images and labels of checked records.
    fn dataset(&self, bytes: &[u8]) -> Result<Dataset> {
        let mut pixels = Vec::with_capacity(bytes.len());
        let mut labels = vec![];
        for record in bytes.chunks_exact(self.record_len()) {
            labels.push(self.label(record));
            let planes = &record[self.label_bytes..];
            for position in 0..PLANE {
                for plane in planes.chunks_exact(PLANE) {
                    pixels.push(plane[position]);
                }
            }
        }
        pixels.shrink_to_fit();
        let x = ArrayD::from_shape_vec(IxDyn(&[labels.len(), SIDE, SIDE, 3]), pixels)
            .map_err(|error| Error::format(error.to_string(), HELP))?;
        let y = Targets::Labels(Array1::from(labels).into_dyn());
        Ok(Dataset { x: Inputs::bytes(x), y })
    }

    /// Names of the classes; empty if their file is missing or has a different number of them.
    fn names(&self, folder: &Path) -> Result<Vec<String>> {
        let path = folder.join(self.names);
        if !path.exists() {
            return Ok(vec![]);
        }
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let names: Vec<String> = lines.map(str::to_string).collect();
        Ok(if names.len() == self.classes { names } else { vec![] })
    }
}
