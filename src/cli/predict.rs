//! `tallynet predict`.

use std::path::PathBuf;

use clap::Args;
use ndarray_npy::WriteNpyExt;
use tallynet::{datasets::npz, formats};

use super::data::Scale;
use super::pictures::{self, PictureFlags};
use super::{Failure, LoadedModel, Outcome, output, table};

/// Write the model's outputs for an array of inputs.
#[derive(Args)]
#[command(after_help = "Example:\n  tallynet predict model.keras x.npy -o y.npy")]
pub struct Predict {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    /// Inputs: a .npy array, or a .npz archive with x_test or one array, a pipe too; a PNG or JPEG
    /// picture, or a folder of them, in the order of their names; or a table (CSV), for a model that
    /// was trained on one
    #[arg(value_name = "INPUT.npy|.npz|.csv|.png|.jpg|DIR")]
    input: PathBuf,
    /// File for the outputs, one row per sample
    #[arg(short, long, value_name = "OUT.npy")]
    output: PathBuf,
    #[command(flatten)]
    pictures: PictureFlags,
    #[command(flatten)]
    scale: Scale,
}

impl Predict {
    pub fn run(self) -> Outcome {
        let inputs = [PathBuf::from(&self.file), self.input.clone()];
        output::refuse_overwriting("-o", &self.output, &inputs)?;
        let path = self.output.display();
        if self.output.extension().is_some_and(|extension| !extension.eq_ignore_ascii_case("npy")) {
            let message = format!("-o {path}: outputs are a NumPy array; end it in .npy");
            return Err(Failure::usage(message));
        }
        formats::check_writable(&self.output)?;
        let loaded = LoadedModel::open(&self.file, None)?;
        loaded.warn_if_untrained(&self.file);
        loaded.warn_about_layers();
        let mut inputs = if pictures::are_pictures(&self.input) {
            self.pictures.load_inputs(&self.input, &loaded.model)?
        } else if table::is_table(&self.input, &loaded.model) {
            table::load_inputs(&self.input, &loaded.model)?
        } else {
            npz::load_inputs(&self.input)?
        };
        self.scale.apply(&loaded, &mut [&mut inputs])?;
        let outputs = loaded.model.predict(&inputs)?;
        let mut bytes = vec![];
        outputs.write_npy(&mut bytes)?;
        formats::replace(&self.output, &bytes)?;
        output::notice(&format!("Wrote {path} with the shape {:?}", outputs.shape()));
        Ok(())
    }
}
