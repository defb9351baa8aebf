//! Model files, one format per file.
//!
//! Reading tells the format by a file's first bytes: extensions lie, and downloads lose them.
//! Writing tells it by the extension. A new format is its own file and one line of [`FORMATS`].

mod keras;
mod keras_config;
mod keras_weights;
mod npz;
mod safetensors;

use crate::replace::is_special;
pub use crate::replace::{check_writable, place, replace};

use std::path::Path;

use crate::hdf5;
use crate::model::{ArrayCount, Sequential};
use crate::shape::Tuple;
use crate::{Error, Real, Result};
use keras_weights::{read_weights, write_weights};

/// A model from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Sequential,
    /// Parameter arrays as they are in the file; `None` for a description without weights.
    pub arrays: Option<Vec<ArrayCount>>,
    /// Parts of the file that were ignored, and oddities.
    pub warnings: Vec<String>,
}

/// Result of loading weights into a model.
#[derive(Debug)]
pub struct LoadedArrays {
    /// Parameter arrays as they are in the file.
    pub arrays: Vec<ArrayCount>,
    /// Parts of the file that were ignored, and oddities.
    pub warnings: Vec<String>,
}

/// Largest number of parameters of a model without a file of weights: 4 GiB of them.
const MAX_PARAMS: usize = 1 << 30;

const HELP: &str = "use a file that Keras or tallynet saved (train --save FILE), \
                    or a name that `tallynet models` lists";

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
    Error::format("this holds arrays alone, and no description of a model", help)
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

/// Loads a model: `.keras`, `.h5` of a whole model, `.safetensors` of tallynet, or a description in
/// JSON, whose weights are then initialized from the seed.
///
/// # Errors
/// A file that is damaged or of another format; layers and options that are not supported; arrays
/// that are missing, of another shape, or more than a layer has. Layers of the file beyond the
/// model's are ignored, as in Keras.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    decode(&bytes).map_err(|error| error.in_file(path))
}

/// As [`load`], from bytes.
#[doc(hidden)]
pub fn decode(bytes: &[u8]) -> Result<Loaded> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => Err(weights_only()),
        [b'P', b'K', ..] => keras::read(bytes),
        _ if bytes.trim_ascii_start().starts_with(b"{") => keras::read_json(bytes),
        _ if hdf5::is_hdf5(bytes) => keras::read_legacy(bytes),
        _ => safetensors::read(bytes),
    }
}

/// Loads weights into a model: from `.weights.h5`, Keras's other files, `.npz` or `.safetensors`.
///
/// # Errors
/// As [`load`]. The model may then hold some of the weights.
pub fn load_weights(model: &mut Sequential, path: &Path) -> Result<LoadedArrays> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    decode_into(model, &bytes).map_err(|error| error.in_file(path))
}

fn decode_into(model: &mut Sequential, bytes: &[u8]) -> Result<LoadedArrays> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => npz::read_into(model, bytes),
        [b'P', b'K', ..] => keras::read_into(model, bytes),
        _ if hdf5::is_hdf5(bytes) => read_weights(model, &hdf5::open(bytes)?),
        _ => safetensors::read_into(model, bytes),
    }
}

/// A format to write.
struct FileFormat {
    extension: &'static str,
    contents: Contents,
    write: fn(&Sequential) -> Result<Vec<u8>>,
    /// Reads the model back from written bytes, for comparison with the one given; `None` for a
    /// format that is only written.
    read_back: Option<fn(&Sequential, &[u8]) -> Result<Sequential>>,
}

/// Parts of a model that a format holds.
#[derive(Clone, Copy, PartialEq)]
enum Contents {
    Model,
    Weights,
    Description,
}
use Contents::{Description, Model, Weights};

#[rustfmt::skip]
const FORMATS: [FileFormat; 5] = [
    FileFormat::new(".keras", Model, keras::write, Some(read_model)),
    FileFormat::new(".safetensors", Model, safetensors::write, Some(read_model)),
    FileFormat::new(".weights.h5", Weights, write_weights, Some(read_same_layers)),
    FileFormat::new(".npz", Weights, npz::write, Some(read_same_layers)),
    FileFormat::new(".json", Description, keras_config::write, Some(read_model)),
];

fn read_model(_: &Sequential, bytes: &[u8]) -> Result<Sequential> {
    Ok(decode(bytes)?.model)
}

/// Reads weights into zeroed layers like those of `model`.
fn read_same_layers(model: &Sequential, bytes: &[u8]) -> Result<Sequential> {
    let mut copy = model.rebuild(model.input_shape(), None)?;
    decode_into(&mut copy, bytes)?;
    Ok(copy)
}

impl FileFormat {
    const fn new(
        extension: &'static str,
        contents: Contents,
        write: fn(&Sequential) -> Result<Vec<u8>>,
        read_back: Option<fn(&Sequential, &[u8]) -> Result<Sequential>>,
    ) -> FileFormat {
        FileFormat { extension, contents, write, read_back }
    }

    /// The format that the extension of a path names.
    fn of(path: &Path) -> Result<&'static FileFormat> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if let Some(format) = FORMATS.iter().find(|format| name.ends_with(format.extension)) {
            return Ok(format);
        }
        let found = if name.ends_with(".h5") {
            "Keras's older .h5 files of whole models are read and not written"
        } else {
            "this name does not say what form the file is to have"
        };
        let mut help = String::from("end it in ");
        for (i, format) in FORMATS.iter().enumerate() {
            let separator = match FORMATS.len() - i {
                1 => "",
                2 => " or ",
                _ => ", ",
            };
            help = help + format.extension + separator;
        }
        Err(Error::option("path", format!("{}: {found}\n  {help}", path.display())))
    }

    /// Encodes the model, then decodes the bytes and compares.
    fn encode(&self, model: &Sequential) -> Result<Vec<u8>> {
        let bytes = (self.write)(model)?;
        let Some(read_back) = self.read_back else { return Ok(bytes) };
        let copy = read_back(model, &bytes)?;
        let is_same = match self.contents {
            Model => {
                model.description() == copy.description()
                    && self.values(model).eq(self.values(&copy))
            }
            Weights => self.values(model).eq(self.values(&copy)),
            // It lacks the seed and the epochs of `Sequential::description`.
            Description => true,
        };
        if !is_same {
            return Err(invalid("another description, or other numbers"));
        }
        Ok(bytes)
    }

    /// The parameters and the optimizer state that this format holds, in the 32 bits that every
    /// format keeps.
    fn values<'m>(&self, model: &'m Sequential) -> impl Iterator<Item = u32> + use<'m> {
        let compiled = model.compiled.as_ref().filter(|_| self.contents == Model);
        let slots = compiled.into_iter().flat_map(|compiled| compiled.state.slots.iter().flatten());
        model.parameters.values.iter().chain(slots).map(|value| (*value as f32).to_bits())
    }
}

/// Checks that a model could be saved here, before work is done that would be lost otherwise.
///
/// # Errors
/// An extension that names no format, a folder that is missing or not writable, or a path that is a
/// folder.
pub fn check_savable(path: &Path) -> Result<()> {
    check_writable(path)?;
    FileFormat::of(path)?;
    Ok(())
}

/// True if a file of this name would hold weights, and not a description alone.
pub fn holds_weights(path: &Path) -> bool {
    FileFormat::of(path).is_ok_and(|format| format.contents != Description)
}

/// Saves a model in the format that the extension names: `.safetensors` and `.keras` hold all of
/// it, `.weights.h5` its weights and the optimizer state, `.npz` its weights, `.json` its
/// description. The bytes are decoded and compared before they replace a file, and read once more
/// afterwards.
///
/// # Errors
/// An extension that names no format, a class from outside the crate in a format that holds the
/// description, and refusals of the operating system.
pub fn save(model: &Sequential, path: &Path) -> Result<()> {
    let format = FileFormat::of(path)?;
    if format.contents != Weights {
        refuse_custom(model)?;
    }
    let bytes = format.encode(model).map_err(|error| {
        let found = format!("what would be written is not the model: {}", problem(error));
        Error::file(path, found, "please report this defect")
    })?;
    replace(path, &bytes)?;
    // A pipe or a device cannot be read again.
    if is_special(path) {
        return Ok(());
    }
    if std::fs::read(path).map_err(Error::io("read", path))? != bytes {
        let found = "the file does not hold what was written to it";
        return Err(Error::file(path, found, "check the disk"));
    }
    Ok(())
}

/// Refuses a model with a class from outside the crate, which no description can hold.
fn refuse_custom(model: &Sequential) -> Result<()> {
    let mut custom = vec![];
    for layer in model.layers().iter().filter(|layer| layer.spec.is_custom()) {
        custom.push(format!("the layer {} ({})", layer.name(), layer.spec.class_name()));
    }
    if let Some(compiled) = &model.compiled {
        if let Some(optimizer) = compiled.optimizer.as_ref().filter(|class| class.is_custom()) {
            custom.push(format!("the optimizer {}", optimizer.class_name()));
        }
        if compiled.loss.is_custom() {
            custom.push(format!("the loss {}", compiled.loss.class_name()));
        }
        for metric in compiled.metrics() {
            if let Some(class) = metric.class.as_ref().filter(|class| class.is_custom()) {
                custom.push(format!("the metric {} ({})", metric.name, class.class_name()));
            }
        }
    }
    if custom.is_empty() {
        return Ok(());
    }
    let problem = format!(
        "no file can describe a class from outside tallynet: {}\n  \
         save the weights alone, as .weights.h5 or .npz, and build the model in your program",
        custom.join(", ")
    );
    Err(Error::option("path", problem))
}

/// Sets every parameter array of a model to the values that `read` returns for its full name and
/// shape, called in the model's order, and counts those.
fn read_arrays(
    model: &mut Sequential,
    mut read: impl FnMut(&str, &[usize]) -> Result<Vec<Real>>,
) -> Result<LoadedArrays> {
    let mut loaded = LoadedArrays { arrays: vec![], warnings: vec![] };
    for entry in model.parameters.entries.clone() {
        let name = model.full_name(&entry);
        let shape = entry.spec.shape;
        let values = read(&name, &shape)?;
        let counted = values.len();
        let not_finite = values.iter().filter(|value| !value.is_finite()).count();
        if not_finite > 0 {
            loaded
                .warnings
                .push(format!("{not_finite} of the {counted} numbers of {name} are not finite"));
        }
        model.parameters.values[entry.range].copy_from_slice(&values);
        loaded.arrays.push(ArrayCount { name, shape, counted });
    }
    Ok(loaded)
}

/// Refuses an array of another shape than the model needs.
fn check_shape(name: &str, found: &[usize], needed: &[usize]) -> Result<()> {
    if found == needed {
        return Ok(());
    }
    let (found, needed) = (Tuple(found), Tuple(needed));
    let problem = format!("the array {name} has the shape {found}, and the model needs {needed}");
    Err(misfit(name, problem))
}
