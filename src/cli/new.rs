//! `tallynet new`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tallynet::formats;

use super::{Failure, Outcome, output};

/// Write a commented Keras script to start from, which tallynet and Keras both read.
#[derive(Args)]
#[command(after_help = "Example:
  tallynet new mlp -o model.py
  tallynet summary model.py --explain
  tallynet train model.py --set hidden=64 --save model.keras")]
pub struct New {
    /// Template of model
    #[arg(value_enum)]
    kind: Template,
    /// New file
    #[arg(short, long, value_name = "FILE.py", default_value = "model.py")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Template {
    /// Two hidden layers with dropout
    Mlp,
    /// Two convolutions with pools
    Cnn,
    /// A linear classifier
    Softmax,
    /// Two hidden layers for a number, such as a price
    Regression,
}

impl New {
    /// Writes the script.
    pub fn run(self) -> Outcome {
        let path = self.output.display();
        if self.output.exists() {
            return Err(Failure::usage(format!(
                "{path} already exists; choose another file with -o"
            )));
        }
        let template = match self.kind {
            Template::Mlp => include_str!("templates/mlp.py"),
            Template::Cnn => include_str!("templates/cnn.py"),
            Template::Softmax => include_str!("templates/softmax.py"),
            Template::Regression => include_str!("templates/regression.py"),
        };
        let text = template.replace("FILE", &path.to_string());
        formats::check_writable(&self.output)?;
        formats::replace(&self.output, text.as_bytes())?;
        let data = if matches!(self.kind, Template::Regression) {
            " --data TABLE --target NAME"
        } else {
            ""
        };
        output::notice(&format!("Wrote {path}; `tallynet train {path}{data}` trains it"));
        Ok(())
    }
}
