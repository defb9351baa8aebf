//! The project's own form of a model: a safetensors file, which many tools open.
//!
//! Each parameter array is a tensor under its full name (`dense_1/kernel`), each vector that the
//! optimizer keeps is one more (`optimizer/momentum`), and the description is the one metadata key
//! `tallynet`: one, because several would be written in random order, and the same model is to give
//! the same bytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::Value;

use super::hdf5::Result;
use super::{Loaded, Loading, check_shape, fault, fill, keras_config};
use crate::Real;
use crate::model::{Compiled, Sequential};

const KEY: &str = "tallynet";

/// The bytes of a model with its description and what its optimizer remembers.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let bytes = |numbers: &mut dyn Iterator<Item = &Real>| {
        numbers.flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>()
    };
    let weights = model
        .weights()
        .map(|(name, array)| (name, array.shape().to_vec(), bytes(&mut array.iter())));
    let mut arrays: Vec<_> = weights.collect();
    if let Some(compiled) = &model.compiled {
        let slots = slots(compiled).into_iter().zip(&compiled.state.slots);
        arrays.extend(slots.map(|(name, slot)| (name, vec![slot.len()], bytes(&mut slot.iter()))));
    }
    let dtype = if size_of::<Real>() == 4 { Dtype::F32 } else { Dtype::F64 };
    let views = arrays
        .iter()
        .map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
    let views = views
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(fault)?;
    let metadata = HashMap::from([(KEY.to_string(), model.description().to_string())]);
    safetensors::serialize(views, Some(metadata)).map_err(fault)
}

/// Reads a model that [`write`] wrote. A file that is damaged or not of this form is an error, as
/// are arrays that are missing, too many or of another shape.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let (description, tensors) = open(bytes)?;
    let described =
        keras_config::read(&description, None, None, Some(bytes.len() / 4)).map_err(fault)?;
    // Nothing that was written here is left out.
    if let Some(problem) = described.warnings.first() {
        return Err(fault(problem));
    }
    let mut model = described.model;
    let (arrays, warnings) = fill(&mut model, |name, shape| numbers(&tensors, name, shape))?;
    let mut expected: Vec<String> = arrays.iter().map(|array| array.name.clone()).collect();
    if let Some(compiled) = &mut model.compiled {
        for (name, slot) in slots(compiled).into_iter().zip(&mut compiled.state.slots) {
            *slot = numbers(&tensors, &name, &[slot.len()])?;
            expected.push(name);
        }
    }
    match tensors.names().into_iter().find(|name| !expected.iter().any(|known| known == name)) {
        Some(name) => Err(fault(format!("the array {name} belongs to no layer of the model"))),
        None => Ok(Loaded { model, arrays: Some(arrays), warnings }),
    }
}

/// Takes the weights of the same names from a model that [`write`] wrote.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<Loading> {
    let (_, tensors) = open(bytes)?;
    fill(model, |name, shape| numbers(&tensors, name, shape))
}

fn open(bytes: &[u8]) -> Result<(Value, SafeTensors<'_>)> {
    let known = "no zip archive, no HDF5 file, no JSON and no whole safetensors file";
    let broken =
        |error| fault(format!("this is no model in a form that is known here: {known} ({error})"));
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text = text.ok_or_else(|| {
        fault(format!("this safetensors file has no description under the key {KEY:?}"))
    })?;
    let description = serde_json::from_str(text);
    Ok((
        description.map_err(|error| fault(format!("the description is damaged: {error}")))?,
        tensors,
    ))
}

/// The names of the vectors that the optimizer keeps.
fn slots(compiled: &Compiled) -> Vec<String> {
    let slots =
        compiled.optimizer.as_ref().map_or(&[][..], |optimizer| optimizer.as_optimizer().slots());
    slots.iter().map(|slot| format!("optimizer/{slot}")).collect()
}

fn numbers(tensors: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<Real>> {
    let tensor = tensors.tensor(name).map_err(|_| fault(format!("the array {name} is missing")))?;
    check_shape(name, tensor.shape(), shape)?;
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => {
            Ok(bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes) as Real).collect())
        }
        Dtype::F64 => {
            Ok(bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as Real).collect())
        }
        other => {
            Err(fault(format!("the array {name} holds {other:?}, and weights are F32 or F64")))
        }
    }
}
