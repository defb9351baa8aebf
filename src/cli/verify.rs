//! `tallynet verify`.

use std::path::PathBuf;

use clap::Args;
use tallynet::formats::safetensors;

use super::{Outcome, output};

/// Count the weights in a saved file against the formulas and the summary.
#[derive(Args)]
#[command(after_help = "Example:\n  tallynet verify digits.safetensors")]
pub struct Verify {
    /// A file that `tallynet train --save` wrote
    file: PathBuf,
}

impl Verify {
    /// Prints the three counts side by side.
    pub fn run(self) -> Outcome {
        let (model, arrays) = safetensors::load(&self.file)?;
        output::result(&format!("{}\n", model.verify_arrays(arrays)?))
    }
}
