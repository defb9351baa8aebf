//! `tallynet plot`.

use std::path::{Path, PathBuf};

use clap::Args;
use tallynet::{formats, report};

use super::named_model::NamedModel;
use super::{Failure, Outcome, output};

/// Draw a model's layers, as Keras's plot_model does, as an SVG picture.
///
/// Each layer is a box with its name, class, input and output shape, its number of parameters and
/// its multiply-adds for one sample (see `tallynet summary --explain`). A browser shows the
/// picture, with the colors of its light or dark scheme.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet plot mnist-cnn -o model.svg
  tallynet plot model.keras -o model.svg
  tallynet plot model.py --data flowers.csv --target species -o model.svg
  tallynet plot model.h5 | rsvg-convert -o model.png")]
pub struct Plot {
    #[command(flatten)]
    model: NamedModel,
    /// File for the picture [default: stdout]
    #[arg(short, long, value_name = "OUT.svg")]
    output: Option<PathBuf>,
}

impl Plot {
    /// Writes the picture.
    pub fn run(self) -> Outcome {
        if let Some(path) = &self.output {
            self.check_output(path)?;
        }
        let picture = report::plot(&self.model.open()?);
        let Some(path) = &self.output else { return output::result(&picture) };
        formats::replace(path, picture.as_bytes())?;
        output::notice(&format!("Wrote {}", path.display()));
        Ok(())
    }

    /// Refuses a file that is one of the inputs, of another format, or cannot be written.
    fn check_output(&self, path: &Path) -> Outcome {
        let mut inputs = vec![PathBuf::from(&self.model.model)];
        inputs.extend(self.model.data.clone());
        output::refuse_overwriting("-o", path, &inputs)?;
        if !path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg")) {
            return Err(Failure::usage(format!(
                "-o {}: the picture is SVG; end it in .svg, or leave -o out for stdout. A browser \
                 shows it, and `rsvg-convert model.svg -o model.png` makes a PNG of it",
                path.display()
            )));
        }
        Ok(formats::check_writable(path)?)
    }
}
