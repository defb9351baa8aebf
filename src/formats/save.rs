//! Saving: the table of formats, and the check that a file holds the model.

use std::path::Path;

use super::keras_config::LayerPaths;
use super::keras_weights::write_weights;
use super::{
    c_header, check_memory, check_writable, decode, decode_into, invalid, keras, keras_config, npz,
    onnx, problem, safetensors,
};
use crate::model::Sequential;
use crate::replace::replace;
use crate::{Error, Result};

/// A format to write.
struct FileFormat {
    extension: &'static str,
    contents: Contents,
    write: Write,
}

/// Encodes a model for a file of this path.
type Write = fn(&Sequential, &Path) -> Result<Vec<u8>>;

/// Parts of a model that a format holds.
#[derive(Clone, Copy, PartialEq)]
enum Contents {
    Model,
    Weights,
    Description,
    /// Inference alone, for other programs, which checks its own bytes and is not read here.
    Export,
}
use Contents::{Description, Export, Model, Weights};

/// Formats that are written; the line of a new one goes here.
const FORMATS: &[FileFormat] = &[
    FileFormat::new(".keras", Model, |model, _| keras::write(model)),
    FileFormat::new(".safetensors", Model, |model, _| safetensors::write(model)),
    FileFormat::new(".weights.h5", Weights, |model, _| write_weights(model)),
    FileFormat::new(".npz", Weights, |model, _| npz::write(model)),
    FileFormat::new(".json", Description, |model, _| keras_config::write(model)),
    FileFormat::new(".onnx", Export, |model, _| onnx::write(model)),
    FileFormat::new(".h", Export, c_header::write),
];

/// Reads weights into zeroed layers like those of `model`.
fn read_same_layers(model: &Sequential, bytes: &[u8]) -> Result<Sequential> {
    let mut copy = model.rebuild(None, model.input_shape(), None)?;
    decode_into(&mut copy, bytes, &LayerPaths::default())?;
    Ok(copy)
}

impl FileFormat {
    const fn new(extension: &'static str, contents: Contents, write: Write) -> FileFormat {
        FileFormat { extension, contents, write }
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
            "the extension names no file format that can be written"
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
    fn encode(&self, model: &Sequential, path: &Path) -> Result<Vec<u8>> {
        let bytes = (self.write)(model, path)?;
        let copy = match self.contents {
            Export => return Ok(bytes),
            Weights => read_same_layers(model, &bytes),
            Model | Description => decode(&bytes).map(|loaded| loaded.model),
        };
        self.compare(model, copy).map_err(|error| {
            let found = format!("the encoded file differs from the model: {}", problem(error));
            Error::file(path, found, "please report this defect")
        })?;
        Ok(bytes)
    }

    /// Refuses a copy that is not the model.
    fn compare(&self, model: &Sequential, copy: Result<Sequential>) -> Result<()> {
        let copy = copy?;
        let is_same = match self.contents {
            Model => {
                model.description() == copy.description()
                    && self.values(model).eq(self.values(&copy))
            }
            Weights => self.values(model).eq(self.values(&copy)),
            // It lacks the seed and the epochs of `Sequential::description`.
            Description | Export => true,
        };
        if !is_same {
            return Err(invalid("its description or its numbers differ"));
        }
        Ok(())
    }

    /// The parameters and the optimizer state that this format holds, in the 32 bits that every
    /// format keeps.
    fn values<'m>(&self, model: &'m Sequential) -> impl Iterator<Item = u32> + use<'m> {
        let compiled = model.compiled.as_ref().filter(|_| self.contents == Model);
        let slots = compiled.into_iter().flat_map(|compiled| compiled.state.slots.iter().flatten());
        model.parameters.values.iter().chain(slots).map(|value| (*value as f32).to_bits())
    }
}

/// Checks that a model could be saved here and read again, before work is done that would be lost
/// otherwise.
///
/// # Errors
/// Those of [`check_convertible`], and an extension of an export.
pub fn check_savable(path: &Path) -> Result<()> {
    check_convertible(path)?;
    if FileFormat::of(path)?.contents == Export {
        let found = "an export cannot be read again, so the trained model would be lost";
        let help = "save it as .keras or .safetensors, and export that with `tallynet convert`";
        return Err(Error::option("path", format!("{}: {found}\n  {help}", path.display())));
    }
    Ok(())
}

/// Checks that a model could be written here, exports included.
///
/// # Errors
/// An extension that names no format, a folder that is missing or not writable, or a path that is a
/// folder.
pub fn check_convertible(path: &Path) -> Result<()> {
    check_writable(path)?;
    FileFormat::of(path)?;
    Ok(())
}

/// Copies of a model's numbers that saving holds at most: arrays, file, archive, and all of these
/// once more while it is decoded.
const COPIES: usize = 6;

/// True if a file of this name would hold weights, and not only a description.
pub fn holds_weights(path: &Path) -> bool {
    FileFormat::of(path).is_ok_and(|format| format.contents != Description)
}

/// Saves a model in the format that the extension names: `.safetensors` and `.keras` hold all of
/// it, `.weights.h5` its weights and the optimizer state, `.npz` its weights, `.json` its
/// description. `.onnx` and `.h`, a C header, hold its inference for other programs, and are not
/// read again. The bytes are decoded and compared, and read back from the disk, before they replace
/// a file.
///
/// # Errors
/// An extension that names no format, a class from outside the crate in a format that holds the
/// description, and refusals of the operating system.
pub fn save(model: &Sequential, path: &Path) -> Result<()> {
    let format = FileFormat::of(path)?;
    if matches!(format.contents, Model | Description) {
        refuse_custom(model)?;
    }
    check_memory(model, COPIES)?;
    let bytes = format.encode(model, path)?;
    replace(path, &bytes)
}

/// Refuses a model with a class from outside the crate, which no description can hold.
fn refuse_custom(model: &Sequential) -> Result<()> {
    let mut custom = vec![];
    for layer in model.layers() {
        if layer.spec.is_custom() {
            custom.push(format!("the layer {} ({})", layer.name(), layer.spec.class_name()));
        } else if let Err(problem) = serde_json::to_value(&layer.spec) {
            custom.push(format!("the layer {} ({problem})", layer.name()));
        }
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
        "no file can describe a class from outside tallynet: {}\n  save only the weights, as \
         .weights.h5 or .npz, and build the model in your program",
        custom.join(", ")
    );
    Err(Error::option("path", problem))
}
