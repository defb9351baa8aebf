//! Keras's own files: `.keras` archives, `.weights.h5`, and the `.h5` files of whole models that
//! older versions of Keras wrote.
//!
//! Archives are written as Keras 3.1 to 3.15 open them; settings that Keras does not store (seed,
//! epochs) go to `metadata.json`, which Keras does not read.

use std::fmt::Display;
use std::io::{Cursor, Read, Write};

use serde_json::json;
use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::description::normalized;
use super::keras_config::{self, LayerPath, LayerPaths, Source, parse};
use super::keras_weights::{read_weights, write_weights};
use super::origin::text;
use super::{Loaded, LoadedArrays, Origin, invalid, problem, weights_only};
use crate::datasets::identify::{Identity, identify};
use crate::hdf5::{self, Object};
use crate::layers::AnyLayer;
use crate::model::Sequential;
use crate::{Error, Result};

/// Reads an archive.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let config = parse(&member(bytes, "config.json")?)?;
    let metadata = member(bytes, "metadata.json").and_then(|text| parse(&text));
    let weights = member(bytes, "model.weights.h5")?;
    let mut source = Source { description: Some(&config), ..Source::default() };
    source.max_params = Some(max_params(&weights));
    if let Ok(metadata) = &metadata {
        source.training = metadata.get("tallynet");
        source.origin = Origin::of(metadata);
    }
    let mut loaded = describe(source)?;
    if let Err(error) = metadata {
        let problem = problem(error);
        let warning = format!(
            "the version of Keras that wrote the file, or the seed and the epochs trained so far, \
             are not known: {problem}"
        );
        loaded.warnings.push(warning);
    }
    let root = hdf5::open(&weights)?;
    let mut loaded = with_weights(loaded, &root)?;
    let has_state = root.group("optimizer")?.is_some();
    let has_optimizer = loaded.model.compiled().is_ok_and(|compiled| compiled.optimizer().is_ok());
    // TF-Keras left out that of its legacy optimizers.
    if has_optimizer && !has_state {
        let warning = "the archive holds no optimizer state, so training starts with a new one";
        loaded.warnings.push(warning.to_string());
    }
    Ok(loaded)
}

/// Reads a description in JSON.
pub fn read_json(bytes: &[u8]) -> Result<Loaded> {
    let config = parse(bytes)?;
    let is_described = config.get("class_name").is_some();
    if let Some(identity) = identify(bytes).filter(|_| !is_described) {
        return Err(identity.error());
    }
    let config = normalized(config);
    let origin = Origin::of(&config);
    let source = Source { description: Some(&config), origin, ..Source::default() };
    describe(source)
}

/// Reads a file of a whole model in the older format.
pub fn read_legacy(bytes: &[u8]) -> Result<Loaded> {
    let root = hdf5::open(bytes)?;
    let config = parse(text(&root, "model_config")?.ok_or_else(weights_only)?.as_bytes())?;
    let compile = text(&root, "training_config")?.map(|text| parse(text.as_bytes())).transpose()?;
    let mut origin = Origin::of_hdf5(&root)?;
    if origin.keras_version.is_none() {
        origin = Origin::of(&config);
    }
    let loaded = describe(Source {
        description: Some(&config),
        compile: compile.as_ref(),
        origin,
        max_params: Some(max_params(bytes)),
        ..Source::default()
    })?;
    with_weights(loaded, &root)
}

/// Builds the model of a description; see [`keras_config::read`].
pub fn describe(source: Source) -> Result<Loaded> {
    keras_config::read(source).map_err(|error| {
        let supported = supported_layers();
        Error::format(error.to_string(), supported)
    })
}

/// The names of all layers, in lines of a message.
fn supported_layers() -> String {
    let mut text = "supported are these layers, with most of Keras's options:\n   ".to_string();
    let mut width = 3;
    for layer in AnyLayer::all() {
        let name = layer.class_name();
        if width + name.len() > 96 {
            text += "\n   ";
            width = 3;
        }
        text += &format!(" {name}");
        width += name.len() + 1;
    }
    text
}

/// Reads the arrays of a file of a whole model into a model with the same layers. If the file
/// describes nested models, its own description says where their layers are.
pub fn read_into(
    model: &mut Sequential,
    bytes: &[u8],
    layer_paths: &LayerPaths,
) -> Result<LoadedArrays> {
    if hdf5::is_hdf5(bytes) {
        let root = hdf5::open(bytes)?;
        let config = text(&root, "model_config")?.map(String::into_bytes);
        let own = config.and_then(|config| layer_paths_of(model, &config, max_params(bytes)));
        return read_weights(model, &root, own.as_ref().unwrap_or(layer_paths));
    }
    let weights = member(bytes, "model.weights.h5")?;
    let config = member(bytes, "config.json").ok();
    let own = config.and_then(|config| layer_paths_of(model, &config, max_params(&weights)));
    read_weights(model, &hdf5::open(&weights)?, own.as_ref().unwrap_or(layer_paths))
}

fn has_weights(model: &Sequential, layer: usize) -> bool {
    model.parameters.of_layer(layer).next().is_some()
}

/// Matches the model's layers with weights, in order, to those of this description, and returns
/// their paths in the file. `None` if it does not describe such a model.
fn layer_paths_of(model: &Sequential, config: &[u8], max_params: usize) -> Option<LayerPaths> {
    let config = parse(config).ok()?;
    let source =
        Source { description: Some(&config), max_params: Some(max_params), ..Source::default() };
    let described = keras_config::read(source).ok()?;
    let mut found = vec![];
    for (layer, layer_path) in described.layer_paths.0.into_iter().enumerate() {
        if has_weights(&described.model, layer) {
            found.push(layer_path);
        }
    }
    let mut found = found.into_iter();
    let mut layer_paths = vec![];
    for layer in 0..model.layers().len() {
        let layer_path = if has_weights(model, layer) { found.next()? } else { LayerPath(vec![]) };
        layer_paths.push(layer_path);
    }
    let is_all = found.next().is_none();
    if is_all { Some(LayerPaths(layer_paths)) } else { None }
}

/// Largest number of parameters that these bytes may hold. Chunks can be compressed, which makes
/// weights only a little smaller.
fn max_params(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(8).saturating_add(1 << 20)
}

/// Reads a member of an archive and compares its checksum. A member that is too large for an
/// archive of this size is refused. An archive that was packed again may hold all members in one
/// folder.
fn member(archive: &[u8], name: &str) -> Result<Vec<u8>> {
    let unreadable =
        |error: &dyn Display| invalid(format!("the archive's {name} cannot be read ({error})"));
    let limit = archive.len() as u64 * 8 + (1 << 22);
    let mut zip = ZipArchive::new(Cursor::new(archive))
        .map_err(|error| invalid(format!("the zip archive is damaged or cut off ({error})")))?;
    let Some(folder) = folder(&zip) else {
        let is_other = !zip.file_names().any(|name| name.ends_with("config.json"));
        let identity = identify(archive).filter(|_| is_other);
        return Err(identity.map_or(unreadable(&"it is missing"), Identity::error));
    };
    let member = zip.by_name(&format!("{folder}{name}")).map_err(|error| unreadable(&error))?;
    let mut bytes = vec![];
    member.take(limit + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if bytes.len() as u64 > limit {
        return Err(invalid(format!(
            "the archive's {name} unpacks to more than eight times the archive's size"
        )));
    }
    Ok(bytes)
}

/// Path of the members of a Keras archive: empty, or that of their folder with its slash. `None`
/// for another archive.
fn folder(zip: &ZipArchive<Cursor<&[u8]>>) -> Option<String> {
    let paths: Vec<&str> =
        zip.file_names().filter_map(|name| name.strip_suffix("config.json")).collect();
    if paths.contains(&"") {
        return Some(String::new());
    }
    let hidden = |path: &&&str| path.starts_with("__MACOSX");
    match paths.iter().filter(|path| !hidden(path)).collect::<Vec<_>>()[..] {
        [path] if path.ends_with('/') && !path.contains("..") => Some(path.to_string()),
        _ => None,
    }
}

fn with_weights(mut loaded: Loaded, root: &Object) -> Result<Loaded> {
    let LoadedArrays { arrays, warnings, .. } =
        read_weights(&mut loaded.model, root, &loaded.layer_paths)?;
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
    pack(members.into_iter().map(|(name, bytes)| (name.to_string(), bytes)))
}

/// Encodes files as an archive without compression.
pub(super) fn pack(members: impl Iterator<Item = (String, Vec<u8>)>) -> Result<Vec<u8>> {
    let pack = || {
        let mut archive = ZipWriter::new(Cursor::new(vec![]));
        for (name, bytes) in members {
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Stored)
                .large_file(bytes.len() > u32::MAX as usize);
            archive.start_file(name, options)?;
            archive.write_all(&bytes)?;
        }
        ZipResult::Ok(archive.finish()?.into_inner())
    };
    pack().map_err(invalid)
}
