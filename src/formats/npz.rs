//! Weights for NumPy: one array a weight, under its full name (`dense_1/kernel`).

use std::io::Cursor;

use ndarray_npy::{NpzWriter, WriteNpzError};
use zip::ZipArchive;

use super::hdf5::Result;
use super::{Loading, fault, fill};
use crate::datasets::npz;
use crate::model::Sequential;

/// Whether a zip archive holds arrays, and no model of Keras.
pub fn is_npz(bytes: &[u8]) -> bool {
    let archive = ZipArchive::new(Cursor::new(bytes));
    archive.is_ok_and(|archive| {
        archive.index_for_name("config.json").is_none()
            && archive.file_names().all(|name| name.ends_with(".npy"))
    })
}

/// Reads the arrays with the model's names.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<Loading> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(fault)?;
    fill(model, |name, shape| {
        let array = npz::reals(&mut archive, name, shape);
        Ok(array
            .map_err(|error| fault(format!("the array {name}: {error}")))?
            .into_iter()
            .collect())
    })
}

/// The archive's bytes.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let written = || -> std::result::Result<Vec<u8>, WriteNpzError> {
        let mut archive = NpzWriter::new(Cursor::new(vec![]));
        for (name, array) in model.weights() {
            archive.add_array(name, &array)?;
        }
        Ok(archive.finish()?.into_inner())
    };
    written().map_err(fault)
}
