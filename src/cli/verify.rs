//! `tallynet verify`.

use std::path::PathBuf;

use clap::Args;
use tallynet::model::presets;

use super::{Failure, Outcome, load, output};

/// Count the weights in a saved file against the formulas and the summary.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tallynet verify digits.safetensors\n  tallynet verify model.keras"
)]
pub struct Verify {
    /// A file that `tallynet train --save` or Keras wrote
    file: PathBuf,
}

impl Verify {
    pub fn run(self) -> Outcome {
        if let Some(name) = self.file.to_str().filter(|name| presets::named(name).is_ok()) {
            let what = format!(
                "{name} is a model with a name, and no file to count in; train --save FILE makes one"
            );
            return Err(Failure::usage(what));
        }
        let loaded = load(&self.file)?;
        let alone = || {
            format!(
                "{}: this is a description alone; it holds no weights to count",
                self.file.display()
            )
        };
        let arrays = loaded.arrays.ok_or_else(|| Failure { message: alone(), code: 1 })?;
        output::result(&format!("{}\n", loaded.model.verify_arrays(&arrays)?))
    }
}
