//! Keras's own files: `.keras` archives, `.weights.h5`, and the `.h5` files of whole models that
//! older Keras wrote.
//!
//! The archive is written in the form that Keras 3.1 to 3.15 open; what Keras does not store (seed,
//! epochs) goes to `metadata.json`, which Keras does not read.

use std::fmt::Display;
use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::hdf5::{self, Fault, Object, Result};
use super::keras_weights::{read_weights, text, write_weights};
use super::{Loaded, Loading, fault, keras_config, unsupported, weights_alone};
use crate::model::Sequential;

/// Reads an archive.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let config = json(&member(bytes, "config.json")?)?;
    let metadata = member(bytes, "metadata.json").and_then(|text| json(&text));
    let weights = member(bytes, "model.weights.h5")?;
    let training = metadata.as_ref().ok().and_then(|metadata| metadata.get("tallynet"));
    let mut loaded =
        keras_config::read(&config, None, training, Some(most(&weights))).map_err(unsupported)?;
    if let Err(Fault { found, .. }) = metadata {
        loaded
            .warnings
            .push(format!("the seed and the epochs trained so far are not known: {found}"));
    }
    with_weights(loaded, &hdf5::open(&weights)?)
}

/// Reads the description in a text.
pub fn read_json(bytes: &[u8]) -> Result<Loaded> {
    keras_config::read(&json(bytes)?, None, None, None).map_err(unsupported)
}

/// Reads a file of a whole model of the older form.
pub fn read_legacy(bytes: &[u8]) -> Result<Loaded> {
    let root = hdf5::open(bytes)?;
    let config = json(text(&root, "model_config")?.ok_or_else(weights_alone)?.as_bytes())?;
    let compile = text(&root, "training_config")?.map(|text| json(text.as_bytes())).transpose()?;
    with_weights(
        keras_config::read(&config, compile.as_ref(), None, Some(most(bytes)))
            .map_err(unsupported)?,
        &root,
    )
}

/// Reads the arrays of an archive into a model.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<Loading> {
    read_weights(model, &hdf5::open(&member(bytes, "model.weights.h5")?)?)
}

/// Parameters that so many bytes may hold: chunks can be packed, but weights hardly get smaller by
/// it.
fn most(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(8).saturating_add(1 << 20)
}

/// A member of an archive, checked against its checksum. It is asked for by its whole name, so what
/// other names the archive holds does not matter, and cut off where it is too large for an archive
/// of this size.
fn member(archive: &[u8], name: &str) -> Result<Vec<u8>> {
    let damaged = |error| fault(format!("the zip archive is damaged or cut off ({error})"));
    let wrong =
        |error: &dyn Display| fault(format!("the archive's {name} cannot be read ({error})"));
    let most = archive.len() as u64 * 8 + (1 << 22);
    let mut bytes = vec![];
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(damaged)?;
    let member = archive.by_name(name).map_err(|error| wrong(&error))?;
    member.take(most + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    match bytes.len() as u64 > most {
        true => Err(fault(format!(
            "the archive's {name} unpacks to more than eight times the archive's size"
        ))),
        false => Ok(bytes),
    }
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes)
        .map_err(|error| fault(format!("the description is no JSON: {error}")))
}

fn with_weights(mut loaded: Loaded, root: &Object) -> Result<Loaded> {
    let (arrays, warnings) = read_weights(&mut loaded.model, root)?;
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    Ok(loaded)
}

/// The archive's bytes.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let metadata = json!({ "keras_version": "3.0.0", "tallynet": keras_config::training(model) });
    let members = [
        ("metadata.json", metadata.to_string().into_bytes()),
        ("config.json", keras_config::write(model)?),
        ("model.weights.h5", write_weights(model)?),
    ];
    let packed = || -> zip::result::ZipResult<Vec<u8>> {
        let mut archive = ZipWriter::new(Cursor::new(vec![]));
        for (name, bytes) in &members {
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            archive.start_file(*name, options.large_file(bytes.len() > u32::MAX as usize))?;
            archive.write_all(bytes)?;
        }
        Ok(archive.finish()?.into_inner())
    };
    packed().map_err(fault)
}
