//! `tallynet convert`.

use std::path::PathBuf;

use clap::Args;
use tallynet::formats;

use super::description::Supplied;
use super::{LoadedModel, Outcome, output};

/// Convert a model to another file format, chosen by the extension of the new file.
///
/// Exports hold the predictions alone and cannot be read again: .onnx for ONNX Runtime (opset 17,
/// any batch size; the input is named input, and the output output), and .h, one C99 header with a
/// function predict for microcontrollers; its first comment states its sizes.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet convert model.keras model.safetensors
  tallynet convert old-model.h5 model.keras
  tallynet convert model.py model.keras --weights model.weights.h5
  tallynet convert model.json model.keras --weights model.weights.h5
  tallynet convert model.keras model.npz            one array per weight, for NumPy
  tallynet convert model.keras model.onnx           for ONNX Runtime and other programs
  tallynet convert model.keras model.h              for a program in C: predict(in, out)")]
pub struct Convert {
    /// Saved file, Keras script or notebook, or preset (see `tallynet models`)
    from: String,
    /// New file: .keras, .safetensors, .weights.h5, .npz, .json, .onnx or .h
    to: PathBuf,
    /// Load the weights from this file: .weights.h5, .npz, or a saved model with the same layers
    /// (TensorFlow.js: its model.json)
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    #[command(flatten)]
    supplied: Supplied,
}

impl Convert {
    /// Loads the model and writes it in the other format.
    pub fn run(self) -> Outcome {
        if let Some(weights) = &self.weights {
            output::refuse_overwriting("the new file", &self.to, std::slice::from_ref(weights))?;
        }
        formats::check_convertible(&self.to)?;
        let loaded = LoadedModel::open_with(&self.from, None, &self.supplied)?;
        if self.weights.is_none() && formats::holds_weights(&self.to) {
            loaded.warn_if_untrained(&self.from);
        }
        let mut model = loaded.model;
        if let Some(weights) = &self.weights {
            let arrays = formats::load_weights_at(&mut model, weights, &loaded.layer_paths)?;
            output::warnings(weights, &arrays.warnings);
        }
        formats::save(&model, &self.to)?;
        output::notice(&output::saved(&self.to));
        Ok(())
    }
}
