//! One file a subcommand, and the flags that they share. Nothing here computes.

mod convert;
mod data;
mod evaluate;
mod gradcheck;
mod interrupt;
mod models;
mod output;
mod predict;
mod schedule;
mod summary;
mod train;
mod verify;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use tallynet::formats::{self, Loaded};
use tallynet::kernels;
use tallynet::model::Sequential;
use tallynet::model::presets;

/// Train small Keras-style models on the CPU, see why they have the parameters they have, and prove
/// it.
///
/// Results go to stdout, progress and notices to stderr. The exit code is 0, or 2 where the command
/// line is wrong, or 1 where anything else is, or 130 where Ctrl-C was pressed twice.
#[derive(Parser)]
#[command(name = "tallynet", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  tallynet train                                  train the 784->10 model on MNIST, score it, verify its weights
  tallynet train --save digits.safetensors        the same, and keep the model
  tallynet summary --explain                      why has Dense(10) on 784 inputs 7850 parameters?
  tallynet verify digits.safetensors              recount the weights in the file";

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Train>),
    Summary(summary::Summary),
    Verify(verify::Verify),
    Evaluate(evaluate::Evaluate),
    Predict(predict::Predict),
    Convert(convert::Convert),
    Gradcheck(gradcheck::Gradcheck),
    /// List the models that have a name: what they are trained on, and how.
    Models,
}

/// What ends a command early: the message, and whether the command line was at fault.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    fn usage(message: impl ToString) -> Failure {
        Failure { message: message.to_string(), code: 2 }
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        // Arguments come from the command line.
        let is_usage = matches!(
            (&error as &dyn Error).downcast_ref(),
            Some(tallynet::Error::Option { .. } | tallynet::Error::NotCompiled(_))
        );
        Failure { message: error.to_string(), code: if is_usage { 2 } else { 1 } }
    }
}

type Outcome = Result<(), Failure>;

/// For a flag that counts something, of which there is at least one.
fn from_1() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Parses the command line, runs the command and says how it went.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome =
        kernels::check_choice().map_err(Failure::usage).and_then(|()| match arguments.command {
            Command::Train(command) => command.run(),
            Command::Summary(command) => command.run(),
            Command::Verify(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Convert(command) => command.run(),
            Command::Gradcheck(command) => command.run(),
            Command::Models => models::run(),
        });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { message, code }) => {
            output::notice(&format!("error: {message}"));
            ExitCode::from(code)
        }
    }
}

/// The model behind a name or in a file, and how it is trained.
struct Chosen {
    model: Sequential,
    batch_size: usize,
    epochs: usize,
    /// Whether it is somebody's own file, and no model with a name.
    is_own: bool,
    /// Whether the weights come from a file, and not from the seed.
    has_weights: bool,
}

impl Chosen {
    /// Says what is done to the data. Never left out for somebody's own model, whose score depends
    /// on it.
    fn notice(&self, quiet: bool, text: &str) {
        if self.is_own || !quiet {
            output::notice(text);
        }
    }

    /// Says so where what follows depends on weights that nobody trained.
    fn warn_if_untrained(&self, name: &str) {
        if !self.has_weights {
            let seed = self.model.seed;
            output::notice(&format!(
                "warning: {name} has no weights; these are drawn from the seed {seed}, untrained"
            ));
        }
    }
}

/// Builds the model of this name, or loads the one in this file. The seed is what first weights are
/// drawn from.
fn choose(name_or_file: &str, seed: Option<u64>) -> Result<Chosen, Failure> {
    let path = Path::new(name_or_file);
    match presets::named(name_or_file) {
        Ok(preset) => {
            let model = preset.build(seed.unwrap_or(0))?;
            Ok(Chosen {
                model,
                batch_size: preset.batch_size,
                epochs: preset.epochs,
                is_own: false,
                has_weights: false,
            })
        }
        Err(_) if path.exists() => {
            let Loaded { mut model, arrays, .. } = load(path)?;
            if let (None, Some(seed)) = (&arrays, seed) {
                model = model.rebuilt(model.input_shape(), seed)?;
            }
            model.seed = seed.unwrap_or(model.seed);
            let has_weights = arrays.is_some() || model.count_params() == 0;
            let batch_size = model.batch_size.unwrap_or(32);
            Ok(Chosen { model, batch_size, epochs: 1, is_own: true, has_weights })
        }
        Err(error) => Err(Failure::usage(error)),
    }
}

/// Loads a file, and says what is odd about it.
fn load(path: &Path) -> Result<Loaded, Failure> {
    let loaded = formats::load(path)?;
    output::warnings(path, &loaded.warnings);
    Ok(loaded)
}
