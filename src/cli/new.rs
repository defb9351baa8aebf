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
    /// Kind of model
    #[arg(value_enum)]
    kind: Kind,
    /// New file
    #[arg(short, long, value_name = "FILE.py", default_value = "model.py")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
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
    pub fn run(self) -> Outcome {
        let path = self.output.display();
        if self.output.exists() {
            return Err(Failure::usage(format!("{path} is there already; -o names another file")));
        }
        let template = match self.kind {
            Kind::Mlp => include_str!("templates/mlp.py"),
            Kind::Cnn => include_str!("templates/cnn.py"),
            Kind::Softmax => include_str!("templates/softmax.py"),
            Kind::Regression => include_str!("templates/regression.py"),
        };
        let text = template.replace("FILE", &path.to_string());
        formats::check_writable(&self.output)?;
        formats::replace(&self.output, text.as_bytes())?;
        let data =
            if matches!(self.kind, Kind::Regression) { " --data TABLE --target NAME" } else { "" };
        output::notice(&format!("Wrote {path}; `tallynet train {path}{data}` trains it"));
        Ok(())
    }
}
