//! `tallynet predict`.

use std::path::{Path, PathBuf};

use clap::Args;
use ndarray::ArrayD;
use tallynet::datasets::images::UnlabeledImages;
use tallynet::datasets::{ImageShape, Inputs, npy, npz};
use tallynet::model::Sequential;
use tallynet::report::Form;
use tallynet::report::drawings::Terminal;
use tallynet::{Real, formats};

use super::drawings::SeenImages;
use super::images::{self, FolderFlags};
use super::output_table::OutputTable;
use super::pictures::{self, Preparation};
use super::predictions::{ClassColumns, predictions};
use super::scale::Scale;
use super::{Failure, LoadedModel, Outcome, output, table};

/// Maximum number of columns of numbers in a table to read.
const MAX_COLUMNS: usize = 16;

/// Maximum number of images that are drawn on a terminal.
const MAX_DRAWN: usize = 12;

/// Predict the class of each sample, with its probability and the runner-up, or, for a
/// regression, the predicted values.
///
/// For a model of MNIST, an image is prepared as MNIST's were: the digit is cut out (dark on light
/// or light on dark, under uneven light too), scaled to 20 pixels and centered in 28x28. On a
/// terminal, images are drawn as the model sees them.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet predict digits.keras photo.jpg
  tallynet predict cnn.keras photos/ --skip-broken
  tallynet predict iris.keras new.csv
  tallynet predict iris.keras new.csv -o predictions.csv
  tallynet predict model.keras x.npy -o y.npy")]
pub struct Predict {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    /// Inputs: a .npy array, or a .npz archive with x_test or a single array (also from a pipe);
    /// PNG and JPEG images and folders of them, in name order; or a table (CSV), for a model that
    /// was trained on one
    #[arg(value_name = "INPUT.npy|.npz|.csv|.png|.jpg|DIR", required = true)]
    inputs: Vec<PathBuf>,
    /// File for the outputs, one row per sample: .npy with all of the model's numbers, or .csv or
    /// .json with the columns of the table [default: a table on stdout]
    #[arg(short, long, value_name = "OUT.npy|.csv|.json")]
    output: Option<PathBuf>,
    /// Print one line of JSON: an array with an object for each sample, which has the columns of
    /// the table and the probabilities of all classes
    #[arg(long, conflicts_with = "output")]
    json: bool,
    /// Print the table on a terminal too, and draw no images
    #[arg(long)]
    quiet: bool,
    #[command(flatten)]
    folder: FolderFlags,
    #[command(flatten)]
    scale: Scale,
}

/// Inputs of the model, and the images that they were made of.
struct ReadInputs {
    values: Inputs,
    /// Paths of the images; empty for arrays and tables.
    images: Vec<PathBuf>,
    /// Size of the images after their preparation.
    size: Option<ImageShape>,
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
    pub fn run(self, terminal: Option<Terminal>) -> Outcome {
        let format = self.format()?;
        let mut loaded = LoadedModel::open(&self.file, None)?;
        loaded.warn_if_untrained(&self.file);
        loaded.warn_about_layers();
        let form = Form::of(&loaded.model);
        check_form(&form, &loaded.model, format)?;
        let read = self.read_inputs(&mut loaded)?;
        let outputs = loaded.model.predict(&read.values)?;
        let Some(path) = &self.output else {
            let terminal = terminal.filter(|_| !self.quiet);
            return output::result(&self.answer(&form, outputs, &read, terminal)?);
        };
        let n_rows = outputs.shape()[0];
        let mut shape = format!("{n_rows} rows");
        let bytes = match format {
            Some(OutputFormat::Csv) => {
                self.rows(&form, outputs, &read.images, ClassColumns::Best)?.csv()?
            }
            Some(OutputFormat::Json) => {
                self.rows(&form, outputs, &read.images, ClassColumns::Best)?.json()?
            }
            _ => {
                let bytes = npy::write(outputs.view());
                shape = format!("the shape {:?}{}", outputs.shape(), columns(&form));
                bytes
            }
        };
        formats::replace(path, &bytes)?;
        output::notice(&format!("Wrote {} with {shape}", path.display()));
        Ok(())
    }

    /// Format of the outputs; `None` for a table or drawings. A file that is an input or cannot be
    /// written is refused.
    fn format(&self) -> Result<Option<OutputFormat>, Failure> {
        let Some(path) = &self.output else {
            return Ok(if self.json { Some(OutputFormat::Json) } else { None });
        };
        let mut read = vec![PathBuf::from(&self.file)];
        read.extend(self.inputs.clone());
        output::refuse_overwriting("-o", path, &read)?;
        let format = OutputFormat::of(path)?;
        formats::check_writable(path)?;
        Ok(Some(format))
    }

    /// Text for stdout: JSON, the images as the model sees them, or the table.
    fn answer(
        &self,
        form: &Form,
        outputs: ArrayD<Real>,
        read: &ReadInputs,
        terminal: Option<Terminal>,
    ) -> Result<String, Failure> {
        if self.json {
            return self.rows(form, outputs, &read.images, ClassColumns::All)?.json_line();
        }
        let is_small = (1..=MAX_DRAWN).contains(&read.images.len());
        let (Some(terminal), Some(size), true) = (terminal, read.size, is_small) else {
            return Ok(self.rows(form, outputs, &read.images, ClassColumns::Best)?.text());
        };
        let files = self.names(&read.images);
        SeenImages { files: &files, inputs: &read.values, size, outputs }.draw(form, terminal)
    }

    /// Reads the inputs.
    fn read_inputs(&self, loaded: &mut LoadedModel) -> Result<ReadInputs, Failure> {
        if self.inputs.iter().any(|input| pictures::are_images(input)) {
            return self.read_images(loaded);
        }
        let [input] = &self.inputs[..] else {
            return Err(Failure::usage(
                "several inputs are images and folders; give arrays and tables one at a time",
            ));
        };
        let mut values = if table::is_table(input, &loaded.model) {
            table::load_inputs(input, &loaded.model)?
        } else {
            npz::load_inputs(input)?
        };
        loaded.fit_open_axes(values.shape())?;
        self.scale.apply(loaded, &mut [&mut values])?;
        Ok(ReadInputs { values, images: vec![], size: None })
    }

    /// Reads images and prepares them for the model.
    fn read_images(&self, loaded: &mut LoadedModel) -> Result<ReadInputs, Failure> {
        let paths = pictures::paths(&self.inputs)?;
        table::refuse_images(&loaded.model)?;
        let preparation = Preparation::of(&self.folder.images, &loaded.model)?;
        let UnlabeledImages { x: mut values, files: images, .. } =
            preparation.read(&paths, &self.folder)?;
        if preparation == Preparation::Digit {
            loaded.notice(
                "Images are prepared as MNIST's were: the ink is found, scaled to 20 pixels and \
                 centered in 28x28 (--image-size 28x28 only resizes them).",
            );
        }
        let size = match *values.shape() {
            [_, height, width, channels] => Some(ImageShape { height, width, channels }),
            _ => None,
        };
        loaded.fit_open_axes(values.shape())?;
        self.scale.apply_to_images(loaded, &mut [&mut values])?;
        images::flatten(&mut values, &loaded.model)?;
        Ok(ReadInputs { values, images, size })
    }

    /// The outputs as rows, with the names of images.
    fn rows(
        &self,
        form: &Form,
        outputs: ArrayD<Real>,
        images: &[PathBuf],
        columns: ClassColumns,
    ) -> Result<OutputTable, Failure> {
        predictions(form, outputs, &self.names(images), columns)
    }

    /// Names of images: their paths, or those in the only folder.
    fn names(&self, images: &[PathBuf]) -> Vec<String> {
        let mut names = vec![];
        for path in images {
            let name = match &self.inputs[..] {
                [folder] if folder.is_dir() => path.strip_prefix(folder).unwrap_or(path),
                _ => path,
            };
            names.push(name.display().to_string());
        }
        names
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
