//! `tallynet verify`.

use std::path::PathBuf;

use clap::Args;
use tallynet::formats::{self, LoadedArrays};
use tallynet::model::presets;

use super::description::Supplied;
use super::{Failure, LoadedModel, Outcome, load, output};

/// Verify the number of weights in a saved file against the formulas and the summary.
///
/// With a second file, each array of that file is verified against the layers of the model, by name
/// and shape: does this script fit these weights?
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet verify digits.safetensors
  tallynet verify model.keras
  tallynet verify model.py model.weights.h5")]
pub struct Verify {
    /// File written by `tallynet train --save` or by Keras, or a Keras script with WEIGHTS
    file: PathBuf,
    /// File of weights to verify against the model of FILE
    weights: Option<PathBuf>,
    #[command(flatten)]
    supplied: Supplied,
}

impl Verify {
    /// Counts the parameters and prints the comparison.
    pub fn run(self) -> Outcome {
        if let Some(weights) = &self.weights {
            let name = self.file.to_string_lossy();
            let mut model = LoadedModel::open_with(&name, None, &self.supplied)?.model;
            let LoadedArrays { arrays, warnings } = formats::load_weights(&mut model, weights)?;
            output::warnings(weights, &warnings);
            return output::result(&format!("{}\n", model.verify_arrays(&arrays)?));
        }
        if let Some(name) = self.file.to_str()
            && presets::named(name).is_ok()
        {
            return Err(Failure::usage(format!(
                "{name} is a preset, not a saved file; train --save FILE writes one"
            )));
        }
        if let Some(described) = self.supplied.open(&self.file)? {
            let path = self.file.display();
            let count = described.loaded.model.count_params();
            return Err(Failure::usage(format!(
                "{path} describes a model with {count} parameters but holds no weights; pass the \
                 weights file too: tallynet verify {path} WEIGHTS"
            )));
        }
        let loaded = load(&self.file)?;
        let origin = &loaded.origin;
        let Some(arrays) = loaded.arrays else {
            let path = self.file.display();
            let mut message = format!(
                "{path}: this file holds the architecture only; it has no weights to count"
            );
            if !origin.is_empty() {
                message += &format!("\n  it was written by {origin}");
            }
            return Err(Failure { message, code: 1 });
        };
        let mut text = String::new();
        if !origin.is_empty() {
            text = format!("Written by {origin}\n");
        }
        output::result(&format!("{text}{}\n", loaded.model.verify_arrays(&arrays)?))
    }
}
