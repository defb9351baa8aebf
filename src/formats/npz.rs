//! Weights for NumPy: one array a weight, under its full name (`dense_1/kernel`).

use std::io::Cursor;

use ndarray_npy::NpzWriter;
use zip::ZipArchive;

use super::hdf5::Fault;
use super::{fault, fill};
use crate::Real;
use crate::datasets::npz;
use crate::model::{ArrayCount, Sequential};

/// Whether a zip archive holds arrays, and no model of Keras.
pub fn is_npz(bytes: &[u8]) -> bool {
    let archive = ZipArchive::new(Cursor::new(bytes));
    archive.is_ok_and(|archive| {
        archive.index_for_name("config.json").is_none() && archive.file_names().any(|name| name.ends_with(".npy"))
    })
}

/// Reads the arrays with the model's names.
pub fn read_into(model: &mut Sequential, bytes: &[u8], warnings: &mut Vec<String>) -> Result<Vec<ArrayCount>, Fault> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| fault(error.to_string()))?;
    fill(model, warnings, |place| {
        let array = npz::reals(&mut archive, place.name, place.shape);
        let array = array.map_err(|error| fault(format!("the array {}: {error}", place.name)))?;
        Ok(array.into_iter().collect::<Vec<Real>>())
    })
}

/// The archive's bytes.
pub fn write(model: &Sequential) -> Result<Vec<u8>, Fault> {
    let mut bytes = Cursor::new(vec![]);
    let mut archive = NpzWriter::new(&mut bytes);
    for (name, array) in model.weights() {
        archive.add_array(name, &array).map_err(|error| fault(error.to_string()))?;
    }
    archive.finish().map_err(|error| fault(error.to_string()))?;
    Ok(bytes.into_inner())
}
