//! Models as files: one file a format.
//!
//! What a file is, its first bytes say: extensions lie, and downloads lose them. What is written,
//! the extension says.

pub mod hdf5;
mod keras;
mod keras_config;
mod keras_weights;
mod npz;
mod safetensors;

use crate::replace::is_special;
pub use crate::replace::{check_writable, place, replace};

use std::path::Path;

use hdf5::Fault;
use keras_weights::{read_weights, write_weights};

use crate::model::{ArrayCount, Sequential};
use crate::shape::Tuple;
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

/// What came out of a file of weights: the arrays as they lie in it, and warnings.
pub type Loading = (Vec<ArrayCount>, Vec<String>);

/// Parameters of a model without a file of weights at most: 4 GiB of them.
const MOST_PARAMS: usize = 1 << 30;

fn fault(found: impl ToString) -> Fault {
    let remedy = "use a file that Keras or tallynet saved (train --save FILE), or a name that `tallynet models` lists";
    Fault { found: found.to_string(), remedy }
}

/// For what a sound file asks for and this crate does not have.
fn unsupported(found: impl ToString) -> Fault {
    Fault {
        found: found.to_string(),
        remedy: "the README lists the layers and options that are supported",
    }
}

fn weights_alone() -> Fault {
    let remedy = "give the model as well: tallynet convert MODEL OUT.keras --weights FILE";
    Fault { found: "this holds arrays alone, and no description of a model".to_string(), remedy }
}

/// Loads a model: `.keras`, `.h5` of a whole model, `.safetensors` of ours, or the JSON of a
/// description alone, whose weights are then drawn from the seed.
///
/// # Errors A file that is damaged or of another form, a layer or an option that is not in the
/// catalogue, arrays that are missing, of another shape, or more than a layer has. Layers beyond
/// the model's are not read, as in Keras.
pub fn load(path: &Path) -> Result<Loaded> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    decode(&bytes).map_err(|Fault { found, remedy }| Error::file(path, found, remedy))
}

/// The same from bytes.
#[doc(hidden)]
pub fn decode(bytes: &[u8]) -> hdf5::Result<Loaded> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => Err(weights_alone()),
        [b'P', b'K', ..] => keras::read(bytes),
        _ if bytes.trim_ascii_start().starts_with(b"{") => keras::read_json(bytes),
        _ if hdf5::find(bytes).is_some() => keras::read_legacy(bytes),
        _ => safetensors::read(bytes),
    }
}

/// Loads weights into a model: from `.weights.h5`, from the other files of Keras, `.npz` or
/// `.safetensors`.
///
/// # Errors
/// As in [`load`]. The model may then hold some of the weights.
pub fn load_weights(model: &mut Sequential, path: &Path) -> Result<Loading> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    decode_into(model, &bytes).map_err(|Fault { found, remedy }| Error::file(path, found, remedy))
}

fn decode_into(model: &mut Sequential, bytes: &[u8]) -> hdf5::Result<Loading> {
    match bytes {
        [b'P', b'K', ..] if npz::is_npz(bytes) => npz::read_into(model, bytes),
        [b'P', b'K', ..] => keras::read_into(model, bytes),
        _ if hdf5::find(bytes).is_some() => read_weights(model, &hdf5::open(bytes)?),
        _ => safetensors::read_into(model, bytes),
    }
}

/// A form to write, and what it holds of a model.
struct Form {
    /// What the file's name ends in.
    ending: &'static str,
    description: bool,
    weights: bool,
    write: fn(&Sequential) -> hdf5::Result<Vec<u8>>,
}

const FORMS: [Form; 5] = [
    Form { ending: ".safetensors", description: true, weights: true, write: safetensors::write },
    Form { ending: ".keras", description: true, weights: true, write: keras::write },
    Form { ending: ".json", description: true, weights: false, write: keras_config::write },
    Form { ending: ".weights.h5", description: false, weights: true, write: write_weights },
    Form { ending: ".npz", description: false, weights: true, write: npz::write },
];

impl Form {
    fn of(path: &Path) -> Result<&'static Form> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let found = match name.ends_with(".h5") {
            true => "Keras's older .h5 files of whole models are read and not written",
            false => "this name does not say what form the file is to have",
        };
        let remedy = "end it in .keras, .safetensors, .weights.h5, .npz or .json";
        let wrong = || Error::option("path", format!("{}: {found}\n  {remedy}", path.display()));
        FORMS.iter().find(|form| name.ends_with(form.ending)).ok_or_else(wrong)
    }
}

/// Whether a model could be saved here: found out before work is done that would be lost otherwise.
///
/// # Errors An extension of no known form, a folder that is not there or not writable, or a path
/// that is a folder.
pub fn check_savable(path: &Path) -> Result<()> {
    check_writable(path)?;
    Form::of(path).map(|_| ())
}

/// Whether a file of this name would hold weights, and not a description alone.
pub fn holds_weights(path: &Path) -> bool {
    Form::of(path).is_ok_and(|form| form.weights)
}

/// Saves a model, in the form that the extension says: `.safetensors` and `.keras` hold all of it,
/// `.weights.h5` its weights and what the optimizer remembers, `.npz` its weights, `.json` its
/// description. The bytes are read and compared before they replace a file, and once more after
/// they did.
///
/// # Errors
/// An extension of no known form, and whatever the operating system refuses.
pub fn save(model: &Sequential, path: &Path) -> Result<()> {
    let wrong = |fault: Fault| format!("what would be written is not the model: {}", fault.found);
    let bytes = encode(model, Form::of(path)?);
    let bytes =
        bytes.map_err(|fault| Error::file(path, wrong(fault), "please report this defect"))?;
    replace(path, &bytes)?;
    // What goes into a pipe or a device cannot be read again.
    if is_special(path) {
        return Ok(());
    }
    match std::fs::read(path).map_err(Error::io("read", path))? == bytes {
        true => Ok(()),
        false => Err(Error::file(
            path,
            "the file does not hold what was written to it",
            "check the disk",
        )),
    }
}

/// The model's bytes, which were read back and held against the model.
fn encode(model: &Sequential, form: &Form) -> hdf5::Result<Vec<u8>> {
    let bytes = (form.write)(model)?;
    let copy = if form.description {
        decode(&bytes)?.model
    } else {
        let mut copy = model.rebuild(model.input_shape(), None).map_err(fault)?;
        decode_into(&mut copy, &bytes)?;
        copy
    };
    let same = !form.description || model.description() == copy.description();
    match !form.weights || (same && numbers(model, form).eq(numbers(&copy, form))) {
        true => Ok(bytes),
        false => Err(fault("another description, or other numbers")),
    }
}

/// The numbers that a form keeps, as far as all forms keep them: Keras's files hold 32 bits of
/// each.
fn numbers<'m>(model: &'m Sequential, form: &Form) -> impl Iterator<Item = u32> + use<'m> {
    let compiled = model.compiled.as_ref().filter(|_| form.description);
    let slots = compiled.into_iter().flat_map(|compiled| compiled.state.slots.iter().flatten());
    model.parameters.values.iter().chain(slots).map(|number| (*number as f32).to_bits())
}

/// Fills a model with the numbers that `find` has for each array, by its name and shape in the
/// model's order, and counts those.
fn fill(
    model: &mut Sequential,
    mut find: impl FnMut(&str, &[usize]) -> hdf5::Result<Vec<Real>>,
) -> hdf5::Result<Loading> {
    let (mut counts, mut warnings) = (vec![], vec![]);
    for entry in model.parameters.entries.clone() {
        let (name, shape) = (model.full_name(&entry), entry.spec.shape);
        let numbers = find(&name, &shape)?;
        let not_finite = numbers.iter().filter(|number| !number.is_finite()).count();
        if not_finite > 0 {
            warnings.push(format!(
                "{not_finite} of the {} numbers of {name} are not finite",
                numbers.len()
            ));
        }
        model.parameters.values[entry.range].copy_from_slice(&numbers);
        counts.push(ArrayCount { name, shape, counted: numbers.len() });
    }
    Ok((counts, warnings))
}

/// Refuses an array of another shape than its place in the model.
fn check_shape(name: &str, found: &[usize], needed: &[usize]) -> hdf5::Result<()> {
    let wrong = || {
        let (found, needed) = (Tuple(found), Tuple(needed));
        fault(format!("the array {name} has the shape {found}, and the model needs {needed}"))
    };
    if found == needed { Ok(()) } else { Err(wrong()) }
}
