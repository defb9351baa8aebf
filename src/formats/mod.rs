//! Models as files: one file a format.
//!
//! What a file is, its first bytes say: extensions lie, and downloads lose them. What is written, the extension says.

pub mod hdf5;
mod keras;
mod keras_config;
mod npz;
mod replace;
mod safetensors;

pub use replace::{check_writable, replace};

use std::path::Path;

use hdf5::Fault;

use crate::model::{ArrayCount, Sequential};
use crate::{Error, Real, Result};

/// A model from a file.
#[derive(Debug)]
pub struct Loaded {
    /// The model.
    pub model: Sequential,
    /// Every array of weights as it lies in the file; none where the file is a description alone.
    pub arrays: Option<Vec<ArrayCount>>,
    /// What of the file was left out, and what is odd about it.
    pub warnings: Vec<String>,
}

/// Parameters of a model without a file of weights at most: 4 GiB of them.
const MOST_PARAMS: usize = 1 << 30;
const REMEDY: &str =
    "use a file that Keras or tallynet saved (train --save FILE), or a name that `tallynet models` lists";

fn fault(found: String) -> Fault {
    Fault { found, remedy: REMEDY }
}

/// For what a sound file asks for and this crate does not have.
fn unsupported(found: String) -> Fault {
    Fault { found, remedy: "the README lists the layers and options that are supported" }
}

fn weights_alone() -> Fault {
    let remedy = "give the model as well: tallynet convert MODEL OUT.keras --weights FILE";
    Fault { found: "this holds weights alone, and no description of a model".to_string(), remedy }
}

/// Loads a model: `.keras`, `.h5` of a whole model, `.safetensors` of ours, or the JSON of a description alone, whose
/// weights are then drawn from the seed.
///
/// # Errors
/// A file that is damaged or of another form, a layer or an option that is not in the catalogue, arrays that are
/// missing, of another shape, or more than a layer has. Layers beyond the model's are not read, as in Keras.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    decode(&bytes).map_err(|Fault { found, remedy }| Error::file(path, found, remedy))
}

/// The same from bytes.
#[doc(hidden)]
pub fn decode(bytes: &[u8]) -> std::result::Result<Loaded, Fault> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => Err(weights_alone()),
        [b'P', b'K', ..] => keras::read(bytes),
        _ if bytes.trim_ascii_start().starts_with(b"{") => keras::read_json(bytes),
        _ if hdf5::find(bytes).is_some() => keras::read_legacy(bytes),
        _ => safetensors::read(bytes),
    }
}

/// Loads weights into a model: from `.weights.h5`, from the other files of Keras, `.npz` or `.safetensors`.
///
/// # Errors
/// As in [`load`]. The model may then hold some of the weights.
pub fn load_weights(model: &mut Sequential, path: &Path) -> Result<Loading> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let mut warnings = vec![];
    let arrays = decode_into(model, &bytes, &mut warnings);
    let arrays = arrays.map_err(|Fault { found, remedy }| Error::file(path, found, remedy))?;
    Ok((arrays, warnings))
}

/// What came out of a file of weights: the arrays as they lie in it, and warnings.
pub type Loading = (Vec<ArrayCount>, Vec<String>);

fn decode_into(
    model: &mut Sequential,
    bytes: &[u8],
    warnings: &mut Vec<String>,
) -> std::result::Result<Vec<ArrayCount>, Fault> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => npz::read_into(model, bytes, warnings),
        [b'P', b'K', ..] => keras::read_into(model, bytes, warnings),
        _ if hdf5::find(bytes).is_some() => keras::read_into(model, bytes, warnings),
        _ => safetensors::read_into(model, bytes, warnings),
    }
}

/// A form to write, by a file's extension.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Safetensors,
    Keras,
    Json,
    WeightsHdf5,
    Npz,
}

impl Form {
    fn of(path: &Path) -> Result<Form> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let forms = [
            (".safetensors", Form::Safetensors),
            (".keras", Form::Keras),
            (".json", Form::Json),
            (".weights.h5", Form::WeightsHdf5),
            (".npz", Form::Npz),
        ];
        forms.iter().find(|(extension, _)| name.ends_with(extension)).map(|(_, form)| *form).ok_or_else(|| {
            let found = match name.ends_with(".h5") {
                true => "Keras's older .h5 files of whole models are read and not written",
                false => "this name does not say what form the file is to have",
            };
            Error::file(path, found, "end it in .keras, .safetensors, .weights.h5, .npz or .json")
        })
    }
}

/// Whether a model could be saved here: found out before work is done that would be lost otherwise.
///
/// # Errors
/// An extension of no known form, a folder that is not there or not writable, or a path that is a folder.
pub fn check_savable(path: &Path) -> Result<()> {
    check_writable(path)?;
    Form::of(path).map(|_| ())
}

/// Whether a file of this name would hold weights, and not a description alone.
pub fn holds_weights(path: &Path) -> bool {
    Form::of(path).is_ok_and(|form| form != Form::Json)
}

/// Saves a model, in the form that the extension says: `.safetensors` and `.keras` hold all of it, `.weights.h5` and
/// `.npz` its weights, `.json` its description. The bytes are read and compared before they replace a file, and once
/// more after they did.
///
/// # Errors
/// An extension of no known form, and whatever the operating system refuses.
pub fn save(model: &Sequential, path: &Path) -> Result<()> {
    let form = Form::of(path)?;
    let wrong = |found: String| Error::file(path, found, "please report this defect");
    let bytes = encode(model, form).map_err(|fault| wrong(fault.found))?;
    compare(model, &bytes, form)
        .map_err(|problem| wrong(format!("what would be written is not the model: {problem}")))?;
    replace(path, &bytes)?;
    match std::fs::read(path).map_err(Error::io("read", path))? == bytes {
        true => Ok(()),
        false => Err(Error::file(path, "the file does not hold what was written to it", "check the disk")),
    }
}

fn encode(model: &Sequential, form: Form) -> std::result::Result<Vec<u8>, Fault> {
    match form {
        Form::Safetensors => safetensors::write(model),
        Form::Keras => keras::write(model),
        Form::Json => Ok(keras_config::write(model).0.to_string().into_bytes()),
        Form::WeightsHdf5 => keras::write_weights(model, false),
        Form::Npz => npz::write(model),
    }
}

/// Reads the bytes back and holds them against the model.
fn compare(model: &Sequential, bytes: &[u8], form: Form) -> std::result::Result<(), String> {
    let text = |model: &Sequential| serde_json::to_string(&model.description()).unwrap_or_default();
    let copy = match form {
        Form::Json => return decode(bytes).map(|_| ()).map_err(|fault| fault.found),
        Form::Safetensors | Form::Keras => decode(bytes).map_err(|fault| fault.found)?.model,
        Form::WeightsHdf5 | Form::Npz => {
            let mut copy = model.description().build(usize::MAX).map_err(|error| error.to_string())?;
            decode_into(&mut copy, bytes, &mut vec![]).map_err(|fault| fault.found)?;
            copy
        }
    };
    if form == Form::Safetensors && text(model) != text(&copy) {
        return Err("another description".to_string());
    }
    // Keras's files hold numbers of 32 bits.
    let same = |a: &[Real], b: &[Real]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (*a as f32).to_bits() == (*b as f32).to_bits())
    };
    let mut agree = same(&model.parameters.values, &copy.parameters.values);
    if let (Form::Safetensors | Form::Keras, Some(from), Some(to)) = (form, &model.compiled, &copy.compiled) {
        agree &= from.state.slots.iter().zip(&to.state.slots).all(|(from, to)| same(from, to));
        agree &= from.state.iteration == to.state.iteration;
    }
    if agree { Ok(()) } else { Err("other numbers".to_string()) }
}

/// The place of an array in a model.
struct Place<'p> {
    /// Its full name, `dense_1/kernel`.
    name: &'p str,
    shape: &'p [usize],
    layer: usize,
    /// Its number within the layer.
    number: usize,
    /// Whether the layer has no more.
    is_last: bool,
}

/// Fills a model with the numbers that `find` has for each array, and counts those.
fn fill(
    model: &mut Sequential,
    warnings: &mut Vec<String>,
    mut find: impl FnMut(&Place) -> std::result::Result<Vec<Real>, Fault>,
) -> std::result::Result<Vec<ArrayCount>, Fault> {
    let entries = model.parameters.entries.clone();
    let (mut counts, mut number) = (vec![], 0);
    for (i, entry) in entries.into_iter().enumerate() {
        let next = model.parameters.entries.get(i + 1).map(|next| next.layer);
        let is_last = next != Some(entry.layer);
        let name = model.full_name(&entry);
        let place = Place { name: &name, shape: &entry.spec.shape, layer: entry.layer, number, is_last };
        let numbers = find(&place)?;
        let not_finite = numbers.iter().filter(|number| !number.is_finite()).count();
        if not_finite > 0 {
            warnings.push(format!("{not_finite} of the {} numbers of {name} are not finite", numbers.len()));
        }
        model.parameters.values[entry.range].copy_from_slice(&numbers);
        counts.push(ArrayCount { name, shape: entry.spec.shape, counted: numbers.len() });
        number = if is_last { 0 } else { number + 1 };
    }
    Ok(counts)
}
