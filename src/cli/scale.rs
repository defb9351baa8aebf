//! `--scale`: the factor of inputs that are bytes.

use clap::{Args, ValueEnum};
use ndarray::ArrayD;
use tallynet::Real;
use tallynet::datasets::Inputs;
use tallynet::datasets::batches::Rows;
use tallynet::model::Sequential;

use super::data::sample_shape;
use super::{Failure, LoadedModel, Outcome};

/// Scaling of byte inputs.
#[derive(Args)]
pub struct Scale {
    /// Scaling of byte inputs (and of image targets) [default: the saved file's; none if the model
    /// begins with Rescaling, Normalization or Embedding; unit for images; required for other
    /// bytes]
    #[arg(long, value_enum)]
    scale: Option<ByteScaling>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByteScaling {
    /// Divide bytes by 255, into [0, 1]
    Unit,
    /// Keep bytes as numbers from 0 to 255, as Keras does
    None,
}

/// Factor of [`ByteScaling::Unit`].
pub const UNIT: Real = 1.0 / 255.0;

impl Scale {
    /// Sets the factor of all inputs that are bytes, and prints a notice unless it is 1.
    /// Inputs that do not fit the model are an error, before any question about their scale.
    pub fn apply(&self, loaded: &LoadedModel, inputs: &mut [&mut Inputs]) -> Outcome {
        for inputs in inputs.iter() {
            Rows::inputs_only(inputs, loaded.model.input_shape())?;
        }
        self.apply_to_images(loaded, inputs)
    }

    /// As [`Scale::apply`], for inputs whose shape fits the model, or will be made to.
    pub fn apply_to_images(&self, loaded: &LoadedModel, inputs: &mut [&mut Inputs]) -> Outcome {
        let bytes = inputs.iter().find_map(|inputs| match &**inputs {
            Inputs::Bytes { values, .. } => Some(values),
            Inputs::Reals(_) => None,
        });
        let Some(bytes) = bytes else { return Ok(()) };
        let factor = self.factor(loaded, bytes)?;
        if factor != 1.0 {
            let operation = if factor == UNIT {
                "divided by 255".to_string()
            } else {
                format!("multiplied by {factor}")
            };
            let text = format!(
                "Inputs are bytes; they are {operation} (--scale none takes them as they are)."
            );
            loaded.notice(&text);
        }
        for inputs in inputs {
            inputs.scale_bytes(factor);
        }
        Ok(())
    }

    /// Factor of the flag.
    pub fn flag(&self) -> Option<Real> {
        Some(match self.scale? {
            ByteScaling::Unit => UNIT,
            ByteScaling::None => 1.0,
        })
    }

    /// Factor that the flag, the file or the model says, else that of images. Bytes that need not
    /// be an image are refused: a bag of words must not be divided by 255.
    pub fn factor(&self, loaded: &LoadedModel, bytes: &ArrayD<u8>) -> Result<Real, Failure> {
        if let Some(factor) = self.settled_factor(&loaded.model)? {
            return Ok(factor);
        }
        let Some(reason) = why_not_images(loaded, bytes) else { return Ok(UNIT) };
        Err(Failure::usage(format!(
            "the inputs are bytes, and {reason}\n  give --scale unit to divide them by 255, as for \
             images, or --scale none to take them as they are"
        )))
    }

    /// Factor that does not depend on the data: that of the flag, else of a model that takes
    /// indices, of the training, or of a model that rescales its inputs itself.
    fn settled_factor(&self, model: &Sequential) -> Result<Option<Real>, Failure> {
        let takes_indices = takes_indices(model);
        match self.scale {
            Some(ByteScaling::Unit) if takes_indices => {
                let problem =
                    "--scale unit: the model begins with an Embedding, which takes indices";
                return Err(Failure::usage(problem));
            }
            Some(_) => return Ok(self.flag()),
            None => {}
        }
        if takes_indices {
            return Ok(Some(1.0));
        }
        if model.byte_scale.is_some() {
            return Ok(model.byte_scale);
        }
        Ok(if model.rescales_inputs() { Some(1.0) } else { None })
    }
}

/// True if the first layer with weights is an Embedding or another layer with a vocabulary.
fn takes_indices(model: &Sequential) -> bool {
    let first_with_weights = model.layers().iter().find(|layer| !layer.params.is_empty());
    first_with_weights.is_some_and(|layer| layer.spec.as_layer().vocabulary_size().is_some())
}

/// Reason to doubt that these bytes are images; `None` if they are taken for images.
fn why_not_images(loaded: &LoadedModel, bytes: &ArrayD<u8>) -> Option<&'static str> {
    let sample = sample_shape(bytes.shape());
    if bytes.iter().all(|byte| *byte <= 1) && bytes.iter().any(|byte| *byte == 1) {
        Some("they are all 0 or 1")
    } else if loaded.has_weights && loaded.model.batch_size.is_some() {
        Some("the model was trained on numbers and not on bytes")
    } else if loaded.is_file && sample.squeezed().len() < 2 {
        Some("they need not be an image, and the file does not say how the model was trained")
    } else {
        None
    }
}
