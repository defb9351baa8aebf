//! `tallynet verify`.

use std::path::PathBuf;

use clap::Args;
use tallynet::model::presets;

use super::{Failure, Outcome, load, output};

/// Verify the number of weights in a saved file against the formulas and the summary.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet verify digits.safetensors
  tallynet verify model.keras")]
pub struct Verify {
    /// File written by `tallynet train --save` or by Keras
    file: PathBuf,
}

impl Verify {
    pub fn run(self) -> Outcome {
        if let Some(name) = self.file.to_str()
            && presets::named(name).is_ok()
        {
            return Err(Failure::usage(format!(
                "{name} is a preset, not a saved file; train --save FILE writes one"
            )));
        }
        let loaded = load(&self.file)?;
        let origin = &loaded.origin;
        let Some(arrays) = loaded.arrays else {
            let path = self.file.display();
            let mut message =
                format!("{path}: this is a description alone; it holds no weights to count");
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
