//! `tallynet predict`.

use std::path::PathBuf;

use clap::Args;
use ndarray_npy::WriteNpyExt;
use tallynet::{datasets::npz, formats};

use super::data::Scale;
use super::{Failure, Outcome, choose, output};

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

    #[command(flatten)]
    scale: Scale,
}

impl Predict {
    pub fn run(self) -> Outcome {
        output::refuse_overwriting(
            "-o",
            &self.output,
            &[PathBuf::from(&self.file), self.input.clone()],
        )?;
        if self.output.extension().is_some_and(|extension| !extension.eq_ignore_ascii_case("npy")) {
            return Err(Failure::usage(format!(
                "-o {}: outputs are a NumPy array; end it in .npy",
                self.output.display()
            )));
        }
        formats::check_writable(&self.output)?;
        let chosen = choose(&self.file, None)?;
        chosen.warn_if_untrained(&self.file);
        let mut inputs = npz::load_inputs(&self.input)?;
        self.scale.apply(&chosen, [&mut inputs], false);
        let outputs = chosen.model.predict(&inputs)?;
        let mut bytes = vec![];
        outputs.write_npy(&mut bytes)?;
        formats::replace(&self.output, &bytes)?;
        output::notice(&format!(
            "Wrote {} with the shape {:?}",
            self.output.display(),
            outputs.shape()
        ));
        Ok(())
    }
}
