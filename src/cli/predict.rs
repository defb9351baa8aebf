//! `tallynet predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use ndarray::ArrayD;
use ndarray_npy::WriteNpyExt;
use tallynet::datasets::{Inputs, npz};
use tallynet::model::{Form, Sequential};
use tallynet::{Real, formats};

use super::images::{self, ImageFlags};
use super::output_table::OutputTable;
use super::scale::Scale;
use super::{Failure, LoadedModel, Outcome, output, predictions, table};

/// Maximum number of columns of numbers in a table to read.
const MAX_COLUMNS: usize = 16;

/// Predict the class of each sample, with its probability and the runner-up, or its numbers.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet predict iris.keras new.csv
  tallynet predict iris.keras new.csv -o predictions.csv
  tallynet predict model.keras x.npy -o y.npy")]
pub struct Predict {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    /// Inputs: a .npy array, or a .npz archive with x_test or a single array (also from a pipe); a
    /// PNG or JPEG image or a folder of them, in name order; or a table (CSV), for a model that was
    /// trained on one
    #[arg(value_name = "INPUT.npy|.npz|.csv|.png|.jpg|DIR")]
    input: PathBuf,
    /// File for the outputs, one row per sample: .npy with all of the model's numbers, or .csv or
    /// .json with the columns of the table [default: a table on stdout]
    #[arg(short, long, value_name = "OUT.npy|.csv|.json")]
    output: Option<PathBuf>,
    #[command(flatten)]
    images: ImageFlags,
    #[command(flatten)]
    scale: Scale,
}

/// Format of the file for the outputs, by its extension.
#[derive(Clone, Copy, PartialEq)]
enum OutputFormat {
    /// NumPy array: the outputs as the model computes them.
    Npy,
    /// Rows of text with a header.
    Csv,
    /// Array with an object for each row.
    Json,
}

impl OutputFormat {
    fn of(path: &Path) -> Result<OutputFormat, Failure> {
        let Some(extension) = path.extension() else { return Ok(OutputFormat::Npy) };
        match extension.to_ascii_lowercase().to_str() {
            Some("npy") => Ok(OutputFormat::Npy),
            Some("csv") => Ok(OutputFormat::Csv),
            Some("json") => Ok(OutputFormat::Json),
            _ => Err(Failure::usage(format!(
                "-o {}: outputs are a NumPy array or text; end it in .npy, .csv or .json",
                path.display()
            ))),
        }
    }
}

impl Predict {
    /// Predicts and prints or writes the outputs.
    pub fn run(self) -> Outcome {
        let mut format = None;
        if let Some(path) = &self.output {
            let inputs = [PathBuf::from(&self.file), self.input.clone()];
            output::refuse_overwriting("-o", path, &inputs)?;
            format = Some(OutputFormat::of(path)?);
            formats::check_writable(path)?;
        }
        let mut loaded = LoadedModel::open(&self.file, None)?;
        loaded.warn_if_untrained(&self.file);
        loaded.warn_about_layers();
        let form = Form::of(&loaded.model);
        check_form(&form, &loaded.model, format)?;
        let is_of_images = images::are_images(&self.input);
        let paths = if is_of_images { images::paths(&self.input)? } else { vec![] };
        let inputs = self.load_inputs(&paths, &mut loaded)?;
        let outputs = loaded.model.predict(&inputs)?;
        let Some(path) = &self.output else {
            return output::result(&self.rows(&form, outputs, &paths)?.text());
        };
        let n_rows = outputs.shape()[0];
        let mut shape = format!("{n_rows} rows");
        let bytes = match format {
            Some(OutputFormat::Csv) => self.rows(&form, outputs, &paths)?.csv()?,
            Some(OutputFormat::Json) => self.rows(&form, outputs, &paths)?.json()?,
            _ => {
                let mut bytes = vec![];
                outputs.write_npy(&mut bytes)?;
                shape = format!("the shape {:?}{}", outputs.shape(), columns(&form));
                bytes
            }
        };
        formats::replace(path, &bytes)?;
        output::notice(&format!("Wrote {} with {shape}", path.display()));
        Ok(())
    }

    /// Loads the inputs: the images at these paths if there are some.
    fn load_inputs(&self, images: &[PathBuf], loaded: &mut LoadedModel) -> Result<Inputs, Failure> {
        let mut inputs = if !images.is_empty() {
            table::refuse_images(&loaded.model)?;
            self.images.load_inputs(images, &loaded.model)?
        } else if table::is_table(&self.input, &loaded.model) {
            table::load_inputs(&self.input, &loaded.model)?
        } else {
            npz::load_inputs(&self.input)?
        };
        loaded.fit_open_axes(inputs.shape())?;
        self.scale.apply(loaded, &mut [&mut inputs])?;
        Ok(inputs)
    }

    /// The outputs as rows, with the names of images.
    fn rows(
        &self,
        form: &Form,
        outputs: ArrayD<Real>,
        images: &[PathBuf],
    ) -> Result<OutputTable, Failure> {
        let mut files = vec![];
        for path in images {
            let in_folder = path.strip_prefix(&self.input).ok();
            let name = in_folder.filter(|_| self.input.is_dir()).unwrap_or(path);
            files.push(name.display().to_string());
        }
        predictions::predictions(form, outputs, &files)
    }
}

/// `; its columns are the classes oak, birch`, for outputs of classes with names.
fn columns(form: &Form) -> String {
    match form {
        Form::Classes(classes) if classes.name_outputs() => {
            format!("; its columns are the classes {}", classes.names().join(", "))
        }
        _ => String::new(),
    }
}

/// Refuses to write arrays as rows of text, and many numbers as a table to read.
fn check_form(form: &Form, model: &Sequential, format: Option<OutputFormat>) -> Outcome {
    let is_refused = match (form, format) {
        (_, Some(OutputFormat::Npy)) => false,
        (Form::Array, _) => true,
        (Form::Numbers(names), None) => names.len() > MAX_COLUMNS,
        _ => false,
    };
    if !is_refused {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "the model's output is {}, which does not fit a row of text\n  \
         write the outputs to a NumPy array: -o OUT.npy",
        model.output_shape()
    )))
}
