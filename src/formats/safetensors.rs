//! The project's own form of a model: a safetensors file, which many tools open.
//!
//! Each parameter array is a tensor under its full name (`dense_1/kernel`), each vector that the optimizer keeps is
//! one more (`optimizer/momentum`), and the description is the one metadata key `tallynet`: one, because several
//! would be written in random order, and the same model is to give the same bytes.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::hdf5::Fault;
use super::{Loaded, fault, fill};
use crate::Real;
use crate::model::{ArrayCount, Compiled, Description, Sequential};
use crate::shape::Tuple;

const KEY: &str = "tallynet";

/// The bytes of a model with its description and what its optimizer remembers.
pub fn write(model: &Sequential) -> Result<Vec<u8>, Fault> {
    let bytes =
        |numbers: &mut dyn Iterator<Item = &Real>| -> Vec<u8> { numbers.flat_map(|x| x.to_le_bytes()).collect() };
    let mut arrays: Vec<(String, Vec<usize>, Vec<u8>)> =
        model.weights().map(|(name, array)| (name, array.shape().to_vec(), bytes(&mut array.iter()))).collect();
    if let Some(compiled) = &model.compiled {
        for (name, slot) in slots(compiled).iter().zip(&compiled.state.slots) {
            arrays.push((format!("optimizer/{name}"), vec![slot.len()], bytes(&mut slot.iter())));
        }
    }
    let dtype = if size_of::<Real>() == 4 { Dtype::F32 } else { Dtype::F64 };
    let serialized = || -> Result<Vec<u8>, Box<dyn std::error::Error>> {
        let views = arrays.iter().map(|(name, shape, bytes)| Ok((name, TensorView::new(dtype, shape.clone(), bytes)?)));
        let views = views.collect::<Result<Vec<_>, safetensors::SafeTensorError>>()?;
        let metadata = HashMap::from([(KEY.to_string(), serde_json::to_string(&model.description())?)]);
        Ok(safetensors::serialize(views, Some(metadata))?)
    };
    serialized().map_err(|error| fault(error.to_string()))
}

/// Reads a model that [`write`] wrote. A file that is damaged or not of this form is an error, as are arrays that are
/// missing, too many or of another shape.
pub fn read(bytes: &[u8]) -> Result<Loaded, Fault> {
    let broken = |error| fault(format!("this is no whole safetensors file: {error}"));
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
    let text = metadata.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
    let text = text.ok_or_else(|| fault(format!("this safetensors file has no description under the key {KEY:?}")))?;
    let description: Description =
        serde_json::from_str(text).map_err(|error| fault(format!("the description is damaged: {error}")))?;
    let mut model = description.build(bytes.len() / 4).map_err(|error| fault(error.to_string()))?;

    let mut expected = vec![];
    let mut numbers = |name: &str, shape: &[usize]| {
        let tensor = tensors.tensor(name).map_err(|_| fault(format!("the array {name} is missing")))?;
        if tensor.shape() != shape {
            let (found, needed) = (Tuple(tensor.shape()), Tuple(shape));
            return Err(fault(format!("the array {name} has the shape {found}, and the model needs {needed}")));
        }
        expected.push(name.to_string());
        numbers(&tensor).map_err(|problem| fault(format!("the array {name} {problem}")))
    };
    let mut warnings = vec![];
    let arrays = fill(&mut model, &mut warnings, |place| numbers(place.name, place.shape))?;
    if let Some(compiled) = &mut model.compiled {
        for (name, slot) in slots(compiled).iter().zip(&mut compiled.state.slots) {
            *slot = numbers(&format!("optimizer/{name}"), &[slot.len()])?;
        }
    }
    match tensors.names().into_iter().find(|name| !expected.iter().any(|known| known == name)) {
        Some(name) => Err(fault(format!("the array {name} belongs to no layer of the model"))),
        None => Ok(Loaded { model, arrays: Some(arrays), warnings }),
    }
}

/// Takes the weights of the same names from a model that [`write`] wrote.
pub fn read_into(model: &mut Sequential, bytes: &[u8], warnings: &mut Vec<String>) -> Result<Vec<ArrayCount>, Fault> {
    let from = read(bytes)?.model;
    fill(model, warnings, |place| match from.weights().find(|(name, _)| name == place.name) {
        Some((_, array)) if array.shape() == place.shape => Ok(array.iter().copied().collect()),
        Some((name, array)) => {
            let (found, needed) = (Tuple(array.shape()), Tuple(place.shape));
            Err(fault(format!("the array {name} has the shape {found}, and the model needs {needed}")))
        }
        None => Err(fault(format!("the array {} is missing", place.name))),
    })
}

/// The names of what the optimizer remembers.
fn slots(compiled: &Compiled) -> &'static [&'static str] {
    compiled.optimizer.as_ref().map_or(&[], |optimizer| optimizer.slots())
}

fn numbers(tensor: &TensorView) -> Result<Vec<Real>, String> {
    let bytes = tensor.data();
    match tensor.dtype() {
        Dtype::F32 => Ok(bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes) as Real).collect()),
        Dtype::F64 => Ok(bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes) as Real).collect()),
        other => Err(format!("holds {other:?}, and weights are F32 or F64")),
    }
}
