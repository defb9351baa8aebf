//! Model files, one format per file.
//!
//! The format of a file to read is found from its first bytes, because extensions can be wrong or
//! lost; that of a file to write is chosen by its extension. A new format is its own file and one
//! line of the table in `save.rs`; one that is read also has a case in `decode`.
//!
//! Exports, which other programs run and which are not read here, are ONNX (`onnx`) and C
//! (`c_header`). Both translate what `stages.rs` says of a model: the formulas of its layers, and
//! their weights.

pub(crate) mod backup;
mod c_header;
mod description;
pub(crate) mod exact;
mod keras;
mod keras_config;
mod keras_weights;
mod loaded_arrays;
mod npz;
mod onnx;
mod origin;
mod safetensors;
mod save;
pub(crate) mod stages;
mod tfjs;

use std::path::Path;

use serde_json::Value;

use crate::datasets::identify::{Identity, identify, identify_folder};
use crate::hdf5;
use crate::model::Sequential;
use crate::params::fits_memory;
use crate::shape::Tuple;
use crate::{Error, Real, Result};
use loaded_arrays::read_arrays;

pub use backup::CallbackState;
pub use description::{has_input_shape, set_input_shape};
pub use keras_config::LayerPaths;
pub use loaded_arrays::{ArrayCount, LoadedArrays};
pub use origin::Origin;

pub(crate) use crate::replace::is_special;
pub use crate::replace::{WriteLock, check_writable, replace, resolve_links};
pub use save::{check_convertible, check_savable, holds_weights, save};

/// A model from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Sequential,
    /// Parameter arrays as they are in the file; `None` for a description without weights.
    pub arrays: Option<Vec<ArrayCount>>,
    /// Parts of the file that were ignored, and oddities.
    pub warnings: Vec<String>,
    /// Version and backend of Keras that the file states; empty for tallynet's own files.
    pub origin: Origin,
    /// Paths of the layers in the file, for [`load_weights_at`].
    pub layer_paths: LayerPaths,
}

/// Largest number of parameters of a model without a file of weights: 4 GiB of them.
const MAX_PARAMS: usize = 1 << 30;

const HELP: &str = "use a file that Keras or tallynet saved (train --save FILE), \
                    or a name that `tallynet models` lists";

const OTHER_SIZES: &str = "the file is of a model with other sizes: give this one the same input \
                           shape and the same layers";

/// Content of a file that is damaged or of another format.
fn invalid(found: impl ToString) -> Error {
    Error::format(found.to_string(), HELP)
}

/// A parameter array of a file that does not fit the model.
fn misfit(array: &str, found: impl ToString) -> Error {
    Error::weights(array, format!("{}\n  {HELP}", found.to_string()))
}

/// A file of arrays where a model is needed.
fn weights_only() -> Error {
    let help = "give the model as well: tallynet convert MODEL OUT.keras --weights FILE";
    Error::format("this file holds only arrays, without the model's architecture", help)
}

/// The problem of an error without its help.
fn problem(error: Error) -> String {
    match error {
        Error::Format { found, .. } => found,
        other => other.to_string(),
    }
}

impl From<hdf5::Error> for Error {
    fn from(error: hdf5::Error) -> Error {
        Error::format(error.found, error.help)
    }
}

/// Loads a model: `.keras`, `.h5` of a whole model, `.safetensors` of tallynet, `model.json` of
/// TensorFlow.js with its weights beside it, or a description in JSON, whose weights are then
/// initialized from the seed.
///
/// # Errors
/// A file that is damaged or of another format; layers and options that are not supported; arrays
/// that are missing, of another shape, or more than a layer has. Layers of the file beyond the
/// model's are ignored, as in Keras.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = read_file(path)?;
    let loaded = match tfjs::parse(&bytes) {
        Some(_) if !path.is_file() => {
            let found = "a model.json of TensorFlow.js has its weights in files beside it";
            Err(Error::format(found, "give the path of the file, and not a pipe"))
        }
        Some(model) => tfjs::read(&model, path.parent().unwrap_or(Path::new(""))),
        None => decode(&bytes),
    };
    loaded.map_err(|error| error.in_file(path))
}

/// The bytes of a file. The error for a folder says what the folder is.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        if let Some(identity) = identify_folder(path) {
            return Err(identity.error().in_file(path));
        }
        let help = if path.join("model.json").is_file() {
            "give the model.json in it"
        } else {
            "give the file of the model"
        };
        return Err(Error::file(path, "this is a folder", help));
    }
    std::fs::read(path).map_err(Error::io("read", path))
}

/// As [`load`], from bytes.
#[doc(hidden)]
pub fn decode(bytes: &[u8]) -> Result<Loaded> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => Err(weights_only()),
        [b'P', b'K', ..] => keras::read(bytes),
        _ if keras_config::is_json(bytes) => keras::read_json(bytes),
        _ if hdf5::is_hdf5(bytes) => keras::read_legacy(bytes),
        _ => safetensors::read(bytes).map_err(|error| identified(bytes, error)),
    }
}

/// The error for bytes that are of no format that is read here: it says what they are instead.
fn identified(bytes: &[u8], error: Error) -> Error {
    identify(bytes).map_or(error, Identity::error)
}

/// Builds the model of a description, Keras's `config.json` with `compile_config`, in any version's
/// names; options with a default may be omitted. Its weights are drawn from the seed 0.
///
/// ```
/// let description = serde_json::json!({ "class_name": "Sequential", "config": { "layers": [
///     { "class_name": "Dense", "config": { "units": 10, "input_shape": [784] } },
/// ] } });
/// let loaded = tallynet::formats::from_description(&description)?;
/// assert_eq!(loaded.model.count_params(), 7850);
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// Classes and options that are not supported, and layers that do not fit.
pub fn from_description(description: &Value) -> Result<Loaded> {
    decode(description.to_string().as_bytes())
}

/// Loads weights into a model: from `.weights.h5`, Keras's other files, `model.json` of
/// TensorFlow.js, `.npz` or `.safetensors`.
///
/// # Errors
/// As [`load`]. The model may then hold some of the weights.
pub fn load_weights(model: &mut Sequential, path: &Path) -> Result<LoadedArrays> {
    load_weights_at(model, path, &LayerPaths::default())
}

/// As [`load_weights`], for a model loaded from a file with nested models: `.weights.h5` files
/// follow that nesting. `layer_paths` is [`Loaded::layer_paths`].
///
/// # Errors
/// As [`load_weights`].
pub fn load_weights_at(
    model: &mut Sequential,
    path: &Path,
    layer_paths: &LayerPaths,
) -> Result<LoadedArrays> {
    let bytes = read_file(path)?;
    let loaded = match tfjs::parse(&bytes) {
        Some(json) => tfjs::read_into(model, &json, path.parent().unwrap_or(Path::new(""))),
        None => decode_into(model, &bytes, layer_paths),
    };
    let mut loaded = loaded.map_err(|error| error.in_file(path))?;
    if !loaded.surplus.is_empty() {
        let names = loaded.surplus[..loaded.surplus.len().min(20)].join(", ");
        loaded.warnings.push(format!("the model does not have, and ignores: {names}"));
    }
    Ok(loaded)
}

fn decode_into(
    model: &mut Sequential,
    bytes: &[u8],
    layer_paths: &LayerPaths,
) -> Result<LoadedArrays> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => npz::read_into(model, bytes),
        [b'P', b'K', ..] => keras::read_into(model, bytes, layer_paths),
        _ if hdf5::is_hdf5(bytes) => keras::read_into(model, bytes, layer_paths),
        _ => safetensors::read_into(model, bytes).map_err(|error| identified(bytes, error)),
    }
}

/// Refuses to encode a model if this number of copies of its values does not fit into memory: a
/// failed allocation would abort the process.
fn check_memory(model: &Sequential, copies: usize) -> Result<()> {
    let slots = model.compiled.iter().flat_map(|compiled| &compiled.state.slots);
    let values = model.count_params() + slots.map(Vec::len).sum::<usize>();
    let values = values.saturating_mul(copies);
    if fits_memory(values) {
        return Ok(());
    }
    let megabytes = values.saturating_mul(size_of::<Real>()).div_ceil(1_000_000);
    let problem = format!("saving the model takes {megabytes} MB of memory, which are not free");
    Err(Error::Memory(problem))
}

/// Refuses an array of another shape than the model needs.
fn check_shape(name: &str, found: &[usize], needed: &[usize]) -> Result<()> {
    if found == needed {
        return Ok(());
    }
    let (found, needed) = (Tuple(found), Tuple(needed));
    let problem = format!("the array {name} has the shape {found}, and the model needs {needed}");
    Err(Error::weights(name, format!("{problem}\n  {OTHER_SIZES}")))
}
