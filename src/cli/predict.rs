//! `tallynet predict`.

use std::path::PathBuf;

use clap::Args;
use ndarray_npy::WriteNpyExt;
use tallynet::datasets::npz;
use tallynet::{Error, formats};

use super::{Failure, Outcome, choose, output};

/// Write what a model puts out for an array of inputs.
#[derive(Args)]
#[command(after_help = "Example:\n  tallynet predict model.keras x.npy -o y.npy")]
pub struct Predict {
    /// A saved file
    file: String,

    /// The inputs: a .npy array, or a .npz archive with x_test; bytes count as the numbers from 0 to 255 that they are
    #[arg(value_name = "INPUT.npy|.npz")]
    input: PathBuf,

    /// Where the outputs go, one row a sample
    #[arg(short, long, value_name = "OUT.npy")]
    output: PathBuf,
}

impl Predict {
    /// Computes and writes the outputs.
    pub fn run(self) -> Outcome {
        let model = choose(&self.file, None)?.model;
        let outputs = model.predict(&npz::load_inputs(&self.input)?)?;
        let mut bytes = vec![];
        let failed = |error: &dyn std::fmt::Display| Failure { message: error.to_string(), code: 1 };
        outputs.write_npy(&mut bytes).map_err(|error| failed(&error))?;
        formats::replace(&self.output, &bytes).map_err(|error: Error| Failure::from(error))?;
        output::notice(&format!("Wrote {} with the shape {:?}", self.output.display(), outputs.shape()));
        Ok(())
    }
}
