//! Models of TensorFlow.js: `model.json` of the layers format, and its weights in the files beside
//! it.
//!
//! The manifest lists files, and arrays one after the other in them, in float32, float16 or int32,
//! or quantized to one or two bytes: `x = byte·scale + min`.

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path};

use serde_json::Value;

use super::keras_config::Source;
use super::{Loaded, LoadedArrays, Origin, check_shape, keras, keras_config, misfit, read_arrays};
use crate::model::Sequential;
use crate::{Error, Real, Result};

const HELP: &str = "use model.json with all files that the converter wrote beside it";

/// The content of a `model.json`; `None` if these bytes are something else.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    if !keras_config::is_json(bytes) {
        return None;
    }
    let value = keras_config::parse(bytes).ok()?;
    (value.get("modelTopology").is_some() || value.get("weightsManifest").is_some())
        .then_some(value)
}

/// Reads a model whose weights are in this folder.
///
/// # Errors
/// A graph model, which has no layers; files that are missing, cut off, or outside the folder; and
/// those of [`formats::load`](super::load).
pub fn read(model: &Value, folder: &Path) -> Result<Loaded> {
    let topology = &model["modelTopology"];
    // The converter writes Keras's own description; TensorFlow.js itself writes it without a
    // wrapper.
    let description = topology.get("model_config").unwrap_or(topology);
    if model["format"] == "graph-model" || description.get("class_name").is_none() {
        let help = "convert the Keras model with --output_format tfjs_layers_model";
        return Err(Error::format("this TensorFlow.js model is a graph without layers", help));
    }
    let tensors = tensors(model, folder)?;
    let n_values = tensors.values().map(|tensor| tensor.values.len()).sum();
    let mut loaded = keras::describe(Source {
        description: Some(description),
        compile: topology.get("training_config"),
        origin: Origin::of(topology),
        max_params: Some(n_values),
        ..Source::default()
    })?;
    let LoadedArrays { arrays, warnings } = set_arrays(&mut loaded.model, &tensors)?;
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// Reads the weights of a `model.json` into a model with layers of the same names.
pub fn read_into(model: &mut Sequential, json: &Value, folder: &Path) -> Result<LoadedArrays> {
    set_arrays(model, &tensors(json, folder)?)
}

fn set_arrays(model: &mut Sequential, tensors: &HashMap<String, Tensor>) -> Result<LoadedArrays> {
    read_arrays(model, |name, shape| {
        let tensor = find(tensors, name)
            .ok_or_else(|| misfit(name, format!("the array {name} is not in the manifest")))?;
        check_shape(name, &tensor.shape, shape)?;
        Ok(tensor.values.clone())
    })
}

/// An array of the manifest.
struct Tensor {
    shape: Vec<usize>,
    values: Vec<Real>,
}

/// The array with this name, or the one with names of models or scopes around the layer's.
fn find<'t>(tensors: &'t HashMap<String, Tensor>, name: &str) -> Option<&'t Tensor> {
    if let Some(tensor) = tensors.get(name) {
        return Some(tensor);
    }
    let (layer, array) = name.split_once('/')?;
    let is_wanted = |path: &str| {
        let parts: Vec<&str> = path.split('/').collect();
        parts.last() == Some(&array) && parts.contains(&layer)
    };
    let mut found = tensors.iter().filter(|(path, _)| is_wanted(path));
    match (found.next(), found.next()) {
        (Some((_, tensor)), None) => Some(tensor),
        _ => None,
    }
}

/// All arrays of the manifest of a `model.json`, by their names.
fn tensors(model: &Value, folder: &Path) -> Result<HashMap<String, Tensor>> {
    let mut tensors = HashMap::new();
    for group in model["weightsManifest"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let mut bytes = vec![];
        for path in group["paths"].as_array().map(Vec::as_slice).unwrap_or_default() {
            bytes.extend(weight_file(folder, path.as_str().unwrap_or_default())?);
        }
        let mut rest = bytes.as_slice();
        for weight in group["weights"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let name = weight["name"].as_str().unwrap_or_default();
            let tensor = next_tensor(weight, &mut rest)
                .map_err(|found| Error::format(format!("the array {name}: {found}"), HELP))?;
            tensors.insert(name.to_string(), tensor);
        }
    }
    Ok(tensors)
}

/// The bytes of a file of weights, which must lie in the folder of `model.json`.
fn weight_file(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let is_inside = |part: Component| matches!(part, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_inside) {
        let found = format!("the file of weights {name:?} is not in the folder of model.json");
        return Err(Error::format(found, HELP));
    }
    let path = folder.join(name);
    fs::read(&path).map_err(Error::io("read", &path))
}

/// Takes the next array from the front of the bytes; the error says why that is impossible.
fn next_tensor(weight: &Value, bytes: &mut &[u8]) -> std::result::Result<Tensor, String> {
    let axes = weight["shape"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut shape = vec![];
    for axis in axes {
        let axis = axis.as_u64().and_then(|axis| usize::try_from(axis).ok());
        shape.push(axis.ok_or("its shape is not a list of lengths")?);
    }
    let quantization = &weight["quantization"];
    let is_quantized = quantization.is_object();
    let stored = if is_quantized { quantization } else { weight };
    let dtype = stored["dtype"].as_str().unwrap_or_default();
    let read = Number::of(dtype).ok_or(format!("its dtype {dtype:?} is not supported"))?;
    let length = shape.iter().try_fold(read.size, |n: usize, axis| n.checked_mul(*axis));
    let stored_bytes = length
        .and_then(|length| bytes.split_off(..length))
        .ok_or("the files of weights end before it")?;
    let scale = quantization["scale"].as_f64().unwrap_or(1.0);
    let min = quantization["min"].as_f64().unwrap_or(0.0);
    let numbers = stored_bytes.chunks_exact(read.size).map(read.value);
    let values = numbers.map(|number| (number * scale + min) as Real).collect();
    Ok(Tensor { shape, values })
}

/// Size of a number in bytes, and its value.
struct Number {
    size: usize,
    value: fn(&[u8]) -> f64,
}

impl Number {
    /// Numbers of a dtype.
    fn of(dtype: &str) -> Option<Number> {
        Some(match dtype {
            "float32" => Number { size: 4, value: |b| f64::from(f32::from_le_bytes(fixed(b))) },
            "int32" => Number { size: 4, value: |b| f64::from(i32::from_le_bytes(fixed(b))) },
            "float16" => Number { size: 2, value: |b| half(u16::from_le_bytes(fixed(b))) },
            "uint16" => Number { size: 2, value: |b| f64::from(u16::from_le_bytes(fixed(b))) },
            "uint8" | "bool" => {
                Number { size: 1, value: |b| f64::from(u8::from_le_bytes(fixed(b))) }
            }
            _ => return None,
        })
    }
}

/// The first `N` of at least `N` bytes; zeros where there are fewer.
fn fixed<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

/// Value of a float of 16 bits: sign, 5 bits of exponent, 10 bits of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 31);
    let fraction = f64::from(bits & 1023) / 1024.0;
    sign * match exponent {
        0 => fraction * 2f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2f64.powi(exponent - 15),
    }
}
