//! Tallynet's own model format: a safetensors file, which many tools open.
//!
//! Each parameter array is a tensor under its full name (`dense_1/kernel`), each vector of the
//! optimizer state is one more (`optimizer/momentum`), and the description is the one metadata key
//! `tallynet`: several keys would be written in random order, and the same model must give the same
//! bytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensorError, SafeTensors, TensorView};
use serde_json::Value;

use super::keras_config::Source;
use super::{
    Loaded, LoadedArrays, backup, check_shape, invalid, keras_config, misfit, read_arrays,
};
use crate::hdf5::Number;
use crate::model::{Compiled, Sequential};
use crate::{Real, Result};

const KEY: &str = "tallynet";

/// An array to be written.
pub(super) struct Array {
    name: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Array {
    pub fn new<'v>(
        name: String,
        shape: Vec<usize>,
        values: impl IntoIterator<Item = &'v Real>,
    ) -> Array {
        Array { name, shape, bytes: to_bytes(values) }
    }
}

fn to_bytes<'v>(values: impl IntoIterator<Item = &'v Real>) -> Vec<u8> {
    values.into_iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Encodes a model with its description and optimizer state.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    encode(&arrays(model), &model.description())
}

/// The parameters and the optimizer state of a model.
pub(super) fn arrays(model: &Sequential) -> Vec<Array> {
    let mut arrays = vec![];
    for (name, array) in model.weights() {
        arrays.push(Array::new(name, array.shape().to_vec(), &array));
    }
    if let Some(compiled) = &model.compiled {
        for (name, slot) in slot_names(compiled).into_iter().zip(&compiled.state.slots) {
            arrays.push(Array::new(name, vec![slot.len()], slot));
        }
    }
    arrays
}

/// Encodes arrays with a description.
pub(super) fn encode(arrays: &[Array], description: &Value) -> Result<Vec<u8>> {
    let metadata = HashMap::from([(KEY.to_string(), description.to_string())]);
    serialize(arrays, metadata).map_err(invalid)
}

fn serialize(
    arrays: &[Array],
    metadata: HashMap<String, String>,
) -> std::result::Result<Vec<u8>, SafeTensorError> {
    let dtype = if size_of::<Real>() == 4 { Dtype::F32 } else { Dtype::F64 };
    let mut views = vec![];
    for Array { name, shape, bytes } in arrays {
        views.push((name, TensorView::new(dtype, shape.clone(), bytes)?));
    }
    safetensors::serialize(views, Some(metadata))
}

/// Reads a model that [`write`] wrote.
///
/// # Errors
/// A file that is damaged or of another format, and arrays that are missing, too many or of another
/// shape.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let (description, tensors) = open(bytes)?;
    let source = Source {
        description: Some(&description),
        max_params: Some(bytes.len() / 4),
        ..Source::default()
    };
    let mut loaded = keras_config::read(source).map_err(invalid)?;
    // Tallynet writes only what it supports, except for what matters only in training: any other
    // warning means a damaged description.
    let is_complete = loaded.model.training_obstacles.is_empty();
    if let Some(warning) = loaded.warnings.first().filter(|_| is_complete) {
        return Err(invalid(warning));
    }
    let LoadedArrays { arrays, warnings, .. } =
        read_arrays(&mut loaded.model, |name, shape| tensor(&tensors, name, shape))?;
    let mut expected: Vec<String> = arrays.iter().map(|array| array.name.clone()).collect();
    read_slots(&mut loaded.model, &tensors)?;
    expected.extend(loaded.model.compiled.iter().flat_map(slot_names));
    for name in tensors.names() {
        if !name.starts_with(backup::PREFIX) && !expected.iter().any(|known| known == name) {
            return Err(misfit(name, format!("the array {name} belongs to no layer of the model")));
        }
    }
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// Reads the optimizer state of a compiled model.
pub(super) fn read_slots(model: &mut Sequential, tensors: &SafeTensors) -> Result<()> {
    let Some(compiled) = &mut model.compiled else { return Ok(()) };
    for (name, slot) in slot_names(compiled).into_iter().zip(&mut compiled.state.slots) {
        *slot = tensor(tensors, &name, &[slot.len()])?;
    }
    Ok(())
}

/// Reads the weights with the model's names from a model that [`write`] wrote.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<LoadedArrays> {
    let (_, tensors) = open(bytes)?;
    read_arrays(model, |name, shape| tensor(&tensors, name, shape))
}

/// The description and the tensors.
pub(super) fn open(bytes: &[u8]) -> Result<(Value, SafeTensors<'_>)> {
    let unknown = |error| {
        invalid(format!(
            "this is not a model file that tallynet knows: neither a zip archive nor HDF5, JSON or \
             a complete safetensors file ({error})"
        ))
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(unknown)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(unknown)?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text = text.ok_or_else(|| {
        invalid(format!("this safetensors file has no description under the key {KEY:?}"))
    })?;
    let description = serde_json::from_str(text)
        .map_err(|error| invalid(format!("the description is damaged: {error}")))?;
    Ok((description, tensors))
}

/// Names of the vectors of the optimizer state.
fn slot_names(compiled: &Compiled) -> Vec<String> {
    let Some(optimizer) = &compiled.optimizer else { return vec![] };
    optimizer.as_optimizer().slots().iter().map(|slot| format!("optimizer/{slot}")).collect()
}

/// The values of a tensor, which must have this shape.
pub(super) fn tensor(tensors: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<Real>> {
    let tensor =
        tensors.tensor(name).map_err(|_| misfit(name, format!("the array {name} is missing")))?;
    check_shape(name, tensor.shape(), shape)?;
    let bytes = tensor.data();
    let number = match tensor.dtype() {
        Dtype::F32 => {
            let (numbers, _) = bytes.as_chunks();
            return Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes) as Real).collect());
        }
        Dtype::F64 => Number::FLOAT64,
        Dtype::F16 => Number::FLOAT16,
        Dtype::BF16 => Number::BFLOAT16,
        other => {
            let problem =
                format!("the array {name} holds {other:?}, and weights are F32, F64, F16 or BF16");
            return Err(misfit(name, problem));
        }
    };
    Ok(bytes.chunks_exact(number.size).map(|bytes| number.value(bytes) as Real).collect())
}
