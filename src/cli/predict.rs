//! `tallynet predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use ndarray_npy::WriteNpyExt;
use tallynet::{datasets::npz, formats};

use super::data::Scale;
use super::{Outcome, choose, output};

/// Write what a model puts out for an array of inputs.
#[derive(Args)]
#[command(after_help = "Example:\n  tallynet predict model.keras x.npy -o y.npy")]
pub struct Predict {
    /// A saved file, or a name that `tallynet models` lists
    file: String,

    /// The inputs: a .npy array, or a .npz archive with x_test
    #[arg(value_name = "INPUT.npy|.npz")]
    input: PathBuf,

    /// Where the outputs go, one row a sample
    #[arg(short, long, value_name = "OUT.npy")]
    output: PathBuf,

    /// How bytes become numbers: divided by 255, or as they are
    #[arg(long, value_enum, default_value_t = Scale::Unit, hide_default_value = true)]
    scale: Scale,
}

impl Predict {
    pub fn run(self) -> Outcome {
        output::refuse_overwriting("-o", &self.output, &[Path::new(&self.file), &self.input])?;
        formats::check_writable(&self.output)?;
        let chosen = choose(&self.file, None)?;
        chosen.warn_if_untrained(&self.file);
        let mut inputs = npz::load_inputs(&self.input)?;
        self.scale.apply(&chosen, [&mut inputs], false);
        let outputs = chosen.model.predict(&inputs)?;
        let mut bytes = vec![];
        outputs.write_npy(&mut bytes)?;
        formats::replace(&self.output, &bytes)?;
        output::notice(&format!("Wrote {} with the shape {:?}", self.output.display(), outputs.shape()));
        Ok(())
    }
}
