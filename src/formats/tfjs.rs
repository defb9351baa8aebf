//! Models of TensorFlow.js: `model.json` of the layers format, and its weights in the files beside
//! it.
//!
//! The manifest lists files, and arrays one after the other in them, in float32, float16 or int32,
//! or quantized to one or two bytes: `x = byte·scale + min`.

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::keras_config::{LayerPath, LayerPaths, Source};
use super::{Loaded, LoadedArrays, Origin, check_shape, keras, keras_config, misfit, read_arrays};
use crate::hdf5::Number;
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
    let n_values: usize = tensors.iter().map(|tensor| tensor.values.len()).sum();
    let mut loaded = keras::describe(Source {
        description: Some(description),
        compile: topology.get("training_config"),
        origin: Origin::of(topology),
        // Arrays that are missing are then named.
        max_params: Some(n_values.saturating_add(1 << 20)),
        ..Source::default()
    })?;
    let LoadedArrays { arrays, warnings, .. } =
        set_arrays(&mut loaded.model, &tensors, &loaded.layer_paths)?;
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// Reads the weights of a `model.json` into a model with layers of the same names.
pub fn read_into(model: &mut Sequential, json: &Value, folder: &Path) -> Result<LoadedArrays> {
    set_arrays(model, &tensors(json, folder)?, &LayerPaths::default())
}

/// Sets the arrays of layers that have these paths in the file, or else their own names.
fn set_arrays(
    model: &mut Sequential,
    tensors: &[Tensor],
    layer_paths: &LayerPaths,
) -> Result<LoadedArrays> {
    let mut paths = vec![];
    for entry in &model.parameters.entries {
        let mut names = match layer_paths.0.get(entry.layer) {
            Some(LayerPath(members)) => members.iter().map(|each| each.name.clone()).collect(),
            None => vec![model.layers()[entry.layer].name()],
        };
        // A layer without a name in the file has one here.
        if names.last().is_none_or(String::is_empty) {
            names = vec![model.layers()[entry.layer].name()];
        }
        paths.push(ArrayPath { layers: names, array: entry.spec.name.to_string() });
    }
    let mut paths = paths.into_iter();
    read_arrays(model, |name, shape| {
        let tensor = paths.next().ok_or("it is unknown".to_string());
        let tensor = tensor.and_then(|path| find(tensors, &path));
        let tensor =
            tensor.map_err(|problem| misfit(name, format!("the array {name}: {problem}")))?;
        check_shape(name, &tensor.shape, shape)?;
        Ok(tensor.values.clone())
    })
}

/// An array of the manifest.
struct Tensor {
    name: String,
    shape: Vec<usize>,
    values: Vec<Real>,
}

/// Names of the models around a layer, of the layer, and of one of its arrays.
struct ArrayPath {
    layers: Vec<String>,
    array: String,
}

/// The array with this name, or the one with names of models or scopes around the layer's. Among
/// several, only that with the names of all models around the layer is taken.
fn find<'t>(tensors: &'t [Tensor], path: &ArrayPath) -> std::result::Result<&'t Tensor, String> {
    let end = |layers: &[String]| format!("/{}/{}", layers.join("/"), path.array);
    let own = end(&path.layers[path.layers.len() - 1..]);
    for end in [end(&path.layers), own] {
        let mut found = tensors.iter().filter(|tensor| format!("/{}", tensor.name).ends_with(&end));
        match (found.next(), found.next()) {
            (Some(tensor), None) => return Ok(tensor),
            (Some(_), Some(_)) => {
                return Err(format!("the manifest has several arrays whose name ends in {end}"));
            }
            _ => {}
        }
    }
    // Scopes of TensorFlow 1 between the layer and its array.
    let layer = path.layers.last().map_or("", String::as_str);
    let is_wanted = |tensor: &&Tensor| {
        let parts: Vec<&str> = tensor.name.split('/').collect();
        parts.last() == Some(&path.array.as_str()) && parts.contains(&layer)
    };
    let mut found = tensors.iter().filter(is_wanted);
    match (found.next(), found.next()) {
        (Some(tensor), None) => Ok(tensor),
        _ => Err("it is not in the manifest".to_string()),
    }
}

/// All arrays of the manifest of a `model.json`.
fn tensors(model: &Value, folder: &Path) -> Result<Vec<Tensor>> {
    let mut tensors = vec![];
    let mut known = HashSet::new();
    for group in model["weightsManifest"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let weights = group["weights"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut needed = 0u64;
        for weight in weights {
            let length = stored_length(weight).map_err(|found| in_array(weight, found))?;
            needed = needed.saturating_add(length as u64);
        }
        let mut bytes = vec![];
        for path in group["paths"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let name = path.as_str().unwrap_or_default();
            let parts: PathBuf = Path::new(name).components().collect();
            if !known.insert(parts) {
                let found = format!("the manifest lists the file {name} twice");
                return Err(Error::format(found, HELP));
            }
            weight_file(folder, name, needed - bytes.len() as u64, &mut bytes)?;
        }
        let mut rest = bytes.as_slice();
        for weight in weights {
            let tensor = next_tensor(weight, &mut rest);
            tensors.push(tensor.map_err(|found| in_array(weight, found))?);
        }
    }
    Ok(tensors)
}

/// An error about an array of the manifest.
fn in_array(weight: &Value, found: String) -> Error {
    let name = weight["name"].as_str().unwrap_or_default();
    Error::format(format!("the array {name}: {found}"), HELP)
}

/// Appends the bytes of a file of weights, which must lie in the folder of `model.json`, up to the
/// number that is needed.
fn weight_file(folder: &Path, name: &str, needed: u64, bytes: &mut Vec<u8>) -> Result<()> {
    let is_inside = |part: Component| matches!(part, Component::Normal(_));
    if name.is_empty() || !Path::new(name).components().all(is_inside) {
        let found = format!("the file of weights {name:?} is not in the folder of model.json");
        return Err(Error::format(found, HELP));
    }
    let path = folder.join(name);
    let metadata = fs::metadata(&path).map_err(Error::io("read", &path))?;
    if !metadata.is_file() {
        let found = format!("{name}, which holds weights, is not a regular file");
        return Err(Error::format(found, HELP));
    }
    let file = fs::File::open(&path).map_err(Error::io("read", &path))?;
    file.take(needed).read_to_end(bytes).map_err(Error::io("read", &path))?;
    Ok(())
}

/// Lengths of the axes of an array of the manifest.
fn lengths(weight: &Value) -> std::result::Result<Vec<usize>, String> {
    let axes = weight["shape"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut shape = vec![];
    for axis in axes {
        let axis = axis.as_u64().and_then(|axis| usize::try_from(axis).ok());
        shape.push(axis.ok_or("its shape is not a list of lengths")?);
    }
    Ok(shape)
}

/// The numbers in which an array of the manifest is stored.
fn stored_number(weight: &Value) -> std::result::Result<Number, String> {
    let quantization = &weight["quantization"];
    let stored = if quantization.is_object() { quantization } else { weight };
    let dtype = stored["dtype"].as_str().unwrap_or_default();
    number(dtype).ok_or(format!("its dtype {dtype:?} is not supported"))
}

/// Bytes of an array of the manifest; saturates at `usize::MAX`.
fn stored_length(weight: &Value) -> std::result::Result<usize, String> {
    let size = stored_number(weight)?.size;
    Ok(lengths(weight)?.iter().fold(size, |length, axis| length.saturating_mul(*axis)))
}

/// Takes the next array from the front of the bytes; the error says why that is impossible.
fn next_tensor(weight: &Value, bytes: &mut &[u8]) -> std::result::Result<Tensor, String> {
    let name = weight["name"].as_str().unwrap_or_default().to_string();
    let (shape, read) = (lengths(weight)?, stored_number(weight)?);
    let stored_bytes =
        bytes.split_off(..stored_length(weight)?).ok_or("the files of weights end before it")?;
    let quantization = &weight["quantization"];
    let scale = quantization["scale"].as_f64().unwrap_or(1.0);
    let min = quantization["min"].as_f64().unwrap_or(0.0);
    let numbers = stored_bytes.chunks_exact(read.size).map(|bytes| read.value(bytes));
    let values = numbers.map(|number| (number * scale + min) as Real).collect();
    Ok(Tensor { name, shape, values })
}

/// Numbers of a dtype.
fn number(dtype: &str) -> Option<Number> {
    match dtype {
        "float32" => Some(Number::FLOAT32),
        "float16" => Some(Number::FLOAT16),
        "int32" => Number::signed(4),
        "uint16" => Some(Number::unsigned(2)),
        "uint8" => Some(Number::unsigned(1)),
        "bool" => Some(Number::BOOL),
        _ => None,
    }
}
