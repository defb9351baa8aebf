//! Keras's own files: `.keras` archives, `.weights.h5`, and the `.h5` files of whole models that
//! older versions of Keras wrote.
//!
//! Archives are written as Keras 3.1 to 3.15 open them; settings that Keras does not store (seed,
//! epochs) go to `metadata.json`, which Keras does not read.

use std::fmt::Display;
use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::description::normalized;
use super::keras_weights::{read_weights, text, write_weights};
use super::{Loaded, LoadedArrays, invalid, keras_config, problem, weights_only};
use crate::hdf5::{self, Object};
use crate::model::Sequential;
use crate::{Error, Result};

/// Reads an archive.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let config = json(&member(bytes, "config.json")?)?;
    let metadata = member(bytes, "metadata.json").and_then(|text| json(&text));
    let weights = member(bytes, "model.weights.h5")?;
    let training = metadata.as_ref().ok().and_then(|metadata| metadata.get("tallynet"));
    let max_params = Some(max_params(&weights));
    let mut loaded = describe(&config, None, training, max_params)?;
    if let Err(error) = metadata {
        let problem = problem(error);
        loaded
            .warnings
            .push(format!("the seed and the epochs trained so far are not known: {problem}"));
    }
    with_weights(loaded, &hdf5::open(&weights)?)
}

/// Reads a description in JSON.
pub fn read_json(bytes: &[u8]) -> Result<Loaded> {
    describe(&normalized(json(bytes)?), None, None, None)
}

/// Reads a file of a whole model in the older format.
pub fn read_legacy(bytes: &[u8]) -> Result<Loaded> {
    let root = hdf5::open(bytes)?;
    let config = json(text(&root, "model_config")?.ok_or_else(weights_only)?.as_bytes())?;
    let compile = text(&root, "training_config")?.map(|text| json(text.as_bytes())).transpose()?;
    let max_params = Some(max_params(bytes));
    let loaded = describe(&config, compile.as_ref(), None, max_params)?;
    with_weights(loaded, &root)
}

/// Builds the model of a description; see [`keras_config::read`].
fn describe(
    config: &Value,
    compile: Option<&Value>,
    training: Option<&Value>,
    max_params: Option<usize>,
) -> Result<Loaded> {
    keras_config::read(config, compile, training, max_params).map_err(|error| {
        let help = "the README lists the layers and options that are supported";
        Error::format(error.to_string(), help)
    })
}

/// Reads the arrays of an archive into a model.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<LoadedArrays> {
    read_weights(model, &hdf5::open(&member(bytes, "model.weights.h5")?)?)
}

/// Largest number of parameters that these bytes may hold. Chunks can be compressed, which makes
/// weights only a little smaller.
fn max_params(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(8).saturating_add(1 << 20)
}

/// Reads a member of an archive and compares its checksum. A member that is too large for an
/// archive of this size is refused.
fn member(archive: &[u8], name: &str) -> Result<Vec<u8>> {
    let unreadable =
        |error: &dyn Display| invalid(format!("the archive's {name} cannot be read ({error})"));
    let limit = archive.len() as u64 * 8 + (1 << 22);
    let mut archive = ZipArchive::new(Cursor::new(archive))
        .map_err(|error| invalid(format!("the zip archive is damaged or cut off ({error})")))?;
    let member = archive.by_name(name).map_err(|error| unreadable(&error))?;
    let mut bytes = vec![];
    member.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > limit {
        return Err(invalid(format!(
            "the archive's {name} unpacks to more than eight times the archive's size"
        )));
    }
    Ok(bytes)
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|error| invalid(format!("the description is no JSON: {error}")))
}

fn with_weights(mut loaded: Loaded, root: &Object) -> Result<Loaded> {
    let LoadedArrays { arrays, warnings } = read_weights(&mut loaded.model, root)?;
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// Encodes a model as an archive.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let metadata = json!({ "keras_version": "3.0.0", "tallynet": keras_config::training(model) });
    let members = [
        ("metadata.json", metadata.to_string().into_bytes()),
        ("config.json", keras_config::write(model)?),
        ("model.weights.h5", write_weights(model)?),
    ];
    pack(&members).map_err(invalid)
}

fn pack(members: &[(&str, Vec<u8>)]) -> ZipResult<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(*name, options.large_file(bytes.len() > u32::MAX as usize))?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}
