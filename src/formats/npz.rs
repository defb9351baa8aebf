//! Weights for NumPy: each parameter array under its full name (`dense_1/kernel`).

use std::io::Cursor;

use zip::ZipArchive;

use super::keras::pack;
use super::{LoadedArrays, invalid, misfit, read_arrays};
use crate::Result;
use crate::datasets::{npy, npz};
use crate::model::Sequential;

/// True if a zip archive holds arrays and no Keras model.
pub fn is_npz(bytes: &[u8]) -> bool {
    let archive = ZipArchive::new(Cursor::new(bytes));
    archive.is_ok_and(|archive| {
        archive.index_for_name("config.json").is_none()
            && archive.file_names().all(|name| name.ends_with(".npy"))
    })
}

/// Reads the arrays with the model's names.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<LoadedArrays> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(invalid)?;
    let names: Vec<String> = archive.file_names().map(str::to_string).collect();
    let mut loaded = read_arrays(model, |name, shape| {
        let array = npz::reals(&mut archive, name, shape)
            .map_err(|error| misfit(name, format!("the array {name}: {error}")))?;
        Ok(array.into_iter().collect())
    })?;
    for name in names {
        let name = name.trim_end_matches(".npy");
        if loaded.arrays.iter().all(|array| array.name != name) {
            loaded.surplus.push(name.to_string());
        }
    }
    Ok(loaded)
}

/// Encodes the parameters as an archive.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let members = model.weights();
    pack(members.map(|(name, array)| (format!("{name}.npy"), npy::write(array))))
}
