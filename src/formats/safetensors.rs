//! The project's own form of a model: a safetensors file, which many tools open.
//!
//! Each parameter array is a tensor under its full name (`dense_1/kernel`), each vector that the optimizer keeps is
//! one more (`optimizer/momentum`), and the description is the one metadata key `tallynet`: one, because several
//! would be written in random order, and the same model is to give the same bytes.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::replace;
use crate::model::{ArrayCount, Description, Sequential};
use crate::shape::Tuple;
use crate::{Error, Real, Result};

const KEY: &str = "tallynet";
const REMEDY: &str = "use a file that tallynet saved (train --save FILE), or a name that `tallynet models` lists";

/// Saves a model with its description and what its optimizer remembers.
///
/// # Errors
/// Whatever the operating system refuses; a file that was there is then untouched.
pub fn save(model: &Sequential, path: &Path) -> Result<()> {
    let mut arrays: Vec<(String, Vec<usize>, Vec<u8>)> = vec![];
    for (name, array) in model.weights() {
        arrays.push((name, array.shape().to_vec(), bytes(array.iter())));
    }
    if let Some(compiled) = &model.compiled {
        for (name, slot) in compiled.optimizer.slots().iter().zip(&compiled.state.slots) {
            arrays.push((format!("optimizer/{name}"), vec![slot.len()], bytes(slot.iter())));
        }
    }
    let dtype = if size_of::<Real>() == 4 { Dtype::F32 } else { Dtype::F64 };
    let failed =
        |error: &dyn std::fmt::Display| Error::file(path, error.to_string(), "this is a defect; please report it");
    let views = arrays
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes).map_err(|e| failed(&e))?)));
    let views = views.collect::<Result<Vec<_>>>()?;
    let description = serde_json::to_string(&model.description()).map_err(|error| failed(&error))?;
    let metadata = HashMap::from([(KEY.to_string(), description)]);
    replace(path, &safetensors::serialize(views, Some(metadata)).map_err(|error| failed(&error))?)
}

/// Loads a model that [`save`] wrote, and counts every array as it lies in the file.
///
/// # Errors
/// A file that is damaged or not of this form, and arrays that are missing, too many or of another shape.
pub fn load(path: &Path) -> Result<(Sequential, Vec<ArrayCount>)> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let damaged = |found: String| Error::file(path, found, REMEDY);
    let (_, metadata) = SafeTensors::read_metadata(&bytes)
        .map_err(|error| damaged(format!("this is no whole safetensors file: {error}")))?;
    let tensors = SafeTensors::deserialize(&bytes)
        .map_err(|error| damaged(format!("this safetensors file is damaged: {error}")))?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text =
        text.ok_or_else(|| damaged(format!("this safetensors file has no description under the key {KEY:?}")))?;
    let description: Description =
        serde_json::from_str(text).map_err(|error| damaged(format!("the description is damaged: {error}")))?;
    // Before the model is built: a description must not claim more memory than the file can fill.
    let n_numbers = bytes.len() / 4;
    let mut model =
        Sequential::from_description_within(description, n_numbers).map_err(|error| damaged(error.to_string()))?;

    let mut counts = vec![];
    let mut values = model.parameters.values.clone();
    let mut expected: Vec<String> = vec![];
    for entry in model.parameters.entries() {
        let name = model.full_name(entry);
        let tensor = tensors.tensor(&name).map_err(|_| damaged(format!("the array {name} is missing")))?;
        if tensor.shape() != entry.spec.shape {
            let (found, needed) = (Tuple(tensor.shape()), Tuple(&entry.spec.shape));
            return Err(damaged(format!("the array {name} has the shape {found}, and the model needs {needed}")));
        }
        let numbers = numbers(&tensor).map_err(|problem| damaged(format!("the array {name} {problem}")))?;
        counts.push(ArrayCount { name: name.clone(), shape: tensor.shape().to_vec(), counted: numbers.len() });
        values[entry.range.clone()].copy_from_slice(&numbers);
        expected.push(name);
    }
    model.parameters.values = values;
    if let Some(compiled) = &mut model.compiled {
        for (name, slot) in compiled.optimizer.slots().iter().zip(&mut compiled.state.slots) {
            let name = format!("optimizer/{name}");
            let tensor = tensors.tensor(&name).map_err(|_| damaged(format!("the array {name} is missing")))?;
            let numbers = numbers(&tensor).map_err(|problem| damaged(format!("the array {name} {problem}")))?;
            if numbers.len() != slot.len() {
                let (found, needed) = (numbers.len(), slot.len());
                return Err(damaged(format!("the array {name} has {found} numbers, and the model needs {needed}")));
            }
            *slot = numbers;
            expected.push(name);
        }
    }
    match tensors.names().into_iter().find(|name| !expected.iter().any(|known| known == name)) {
        Some(name) => Err(damaged(format!("the array {name} belongs to no layer of the model"))),
        None => Ok((model, counts)),
    }
}

fn bytes<'a>(numbers: impl Iterator<Item = &'a Real>) -> Vec<u8> {
    numbers.flat_map(|number| number.to_le_bytes()).collect()
}

fn numbers(tensor: &TensorView) -> std::result::Result<Vec<Real>, String> {
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes) as Real).collect()),
        Dtype::F64 => Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as Real).collect()),
        other => Err(format!("holds {other:?}, and weights are F32 or F64")),
    }
}
