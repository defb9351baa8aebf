//! The command line: one file per subcommand, and the flags that they share.

mod convert;
mod data;
mod description;
mod doctor;
mod drawings;
mod evaluate;
mod gradcheck;
mod held_out;
mod images;
mod interrupt;
mod model_json;
mod models;
mod named_model;
mod new;
mod output;
mod output_table;
mod per_class;
mod pictures;
mod plan;
mod plot;
mod predict;
mod predictions;
mod report;
mod run_info;
mod scale;
mod schedule;
mod script_callbacks;
mod summary;
mod table;
mod table_file;
mod train;
mod verify;

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use tallynet::Real;
use tallynet::formats::{self, Loaded};
use tallynet::kernels;
use tallynet::model::{ArrayCount, Sequential, presets};
use tallynet::report::drawings::Terminal;
use tallynet::training::ranks;

use description::{DescribedModel, Supplied};
use plan::Plan;

/// Train small Keras-style models on the CPU, and explain and verify their parameter counts.
///
/// Results go to stdout, progress and notices to stderr. Exit codes: 0 success, 1 failure, 2 wrong
/// command line; 130, 143 and 129 a training that Ctrl-C, SIGTERM or SIGHUP ended.
#[derive(Parser)]
#[command(name = "tallynet", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Draw on a terminal without colors, as with the variable NO_COLOR
    #[arg(long, global = true)]
    no_color: bool,
}

const EXAMPLES: &str = "Examples:
  tallynet train                            train 784->10 on MNIST, evaluate, verify the weights
  tallynet train --save digits.safetensors  the same, and save the model
  tallynet summary --explain                why Dense(10) on 784 inputs has 7850 parameters
  tallynet verify digits.safetensors        count the weights in the file
  tallynet doctor digits.npz model.py       faults of data, before anything is trained
  tallynet train model.py                   train the model of a Keras script, without Python";

#[derive(Subcommand)]
enum Command {
    Train(Box<train::Train>),
    Summary(summary::Summary),
    Verify(verify::Verify),
    Plot(plot::Plot),
    Doctor(Box<doctor::Doctor>),
    Evaluate(evaluate::Evaluate),
    Predict(predict::Predict),
    Report(report::Report),
    Convert(convert::Convert),
    Gradcheck(gradcheck::Gradcheck),
    New(new::New),
    /// List the presets with their data, batch size, epochs, optimizer, loss and metrics.
    Models,
}

impl Command {
    /// True if ranks of MPI share out the work; otherwise the first one does all of it.
    fn is_shared(&self) -> bool {
        matches!(self, Command::Train(_) | Command::Evaluate(_))
    }
}

/// Error of a command: the message, empty if it was printed before, and the exit code.
struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// A mistake in the command line.
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

/// Parser of a count that is at least 1.
fn from_1() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// Parses the command line, runs the command, prints its error and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::try_parse();
    let is_shared = match &arguments {
        Ok(arguments) => arguments.command.is_shared(),
        Err(_) => false,
    };
    // Dropped after all that ranks do together.
    let _session = ranks::start(is_shared);
    let outcome = match (ranks::check(), arguments) {
        (Err(error), _) => Err(Failure::usage(error)),
        (Ok(()), Err(error)) => Err(print_help(&error)),
        (Ok(()), Ok(_)) if !is_shared && !ranks::is_first() => Ok(()),
        (Ok(()), Ok(Arguments { command, no_color })) => {
            run(command, Terminal::at_stdout(no_color).filter(|_| ranks::is_first()))
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // The launcher of the ranks passes on the code of one.
        Err(Failure { message, code }) if message.is_empty() => {
            ExitCode::from(if ranks::is_first() { code } else { 0 })
        }
        Err(Failure { message, code }) => {
            ranks::abort(code, |rank| output::report(&format!("error{rank}: {message}")))
        }
    }
}

/// Prints the help that was asked for, or the mistake in the command line.
fn print_help(error: &clap::Error) -> Failure {
    if ranks::is_first() {
        // A closed pipe is not a failure.
        let _ = error.print();
    }
    Failure { message: String::new(), code: error.exit_code() as u8 }
}

/// Runs a command, which draws if stdout is a terminal.
fn run(command: Command, terminal: Option<Terminal>) -> Outcome {
    kernels::check_choice().map_err(Failure::usage)?;
    match command {
        Command::Train(command) => command.run(terminal),
        Command::Summary(command) => command.run(),
        Command::Verify(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Plot(command) => command.run(),
        Command::Evaluate(command) => command.run(terminal),
        Command::Predict(command) => command.run(terminal),
        Command::Report(command) => command.run(),
        Command::Convert(command) => command.run(),
        Command::Gradcheck(command) => command.run(),
        Command::New(command) => command.run(),
        Command::Models => models::run(),
    }
}

/// A model from a preset or a file, with its training defaults.
struct LoadedModel {
    model: Sequential,
    batch_size: usize,
    epochs: usize,
    /// False for a preset.
    is_file: bool,
    /// True if the weights come from a file, false if they were drawn from the seed.
    has_weights: bool,
    /// Parameter arrays as they are in the file.
    arrays: Option<Vec<ArrayCount>>,
    /// Program and version that wrote the file, if it is not tallynet.
    origin: Option<String>,
    /// True if notices about a preset's data are not printed.
    is_quiet: bool,
    /// Options of training that come with a script or another description.
    plan: Plan,
    /// Paths of the layers in the file.
    layer_paths: formats::LayerPaths,
}

impl LoadedModel {
    /// Builds the preset of this name, or loads this file. Initial weights are drawn from the seed.
    fn open(name_or_file: &str, seed: Option<u64>) -> Result<LoadedModel, Failure> {
        LoadedModel::open_with(name_or_file, seed, &Supplied::default())
    }

    /// As [`LoadedModel::open`], with values for a script.
    fn open_with(
        name_or_file: &str,
        seed: Option<u64>,
        supplied: &Supplied,
    ) -> Result<LoadedModel, Failure> {
        let path = Path::new(name_or_file);
        match presets::named(name_or_file) {
            Ok(preset) => {
                supplied.refuse_set(name_or_file)?;
                Ok(LoadedModel {
                    model: preset.build(seed.unwrap_or(0))?,
                    batch_size: preset.batch_size,
                    epochs: preset.epochs,
                    is_file: false,
                    has_weights: false,
                    arrays: None,
                    origin: None,
                    is_quiet: false,
                    plan: Plan::default(),
                    layer_paths: formats::LayerPaths::default(),
                })
            }
            Err(_) if path.exists() => LoadedModel::from_file(path, seed, supplied),
            Err(error) => Err(Failure::usage(error)),
        }
    }

    fn from_file(
        path: &Path,
        seed: Option<u64>,
        supplied: &Supplied,
    ) -> Result<LoadedModel, Failure> {
        let DescribedModel { loaded, plan } = match supplied.open(path)? {
            Some(described) => described,
            None => DescribedModel { loaded: formats::load(path)?, plan: Plan::default() },
        };
        output::warnings(path, &loaded.warnings);
        let Loaded { mut model, arrays, layer_paths, origin, .. } = loaded;
        model.byte_scale = plan.byte_scale.map_or(model.byte_scale, |scale| Some(scale as Real));
        if let Some(seed) = seed {
            if arrays.is_none() {
                model = model.rebuilt(model.input_shape(), seed)?;
            }
            model.seed = seed;
        }
        Ok(LoadedModel {
            batch_size: plan.batch_size.or(model.batch_size).unwrap_or(32),
            epochs: plan.epochs.unwrap_or(1),
            is_file: true,
            has_weights: arrays.is_some() || model.count_params() == 0,
            arrays,
            origin: Some(origin.to_string()).filter(|_| !origin.is_empty()),
            is_quiet: false,
            plan,
            model,
            layer_paths,
        })
    }

    /// Fits the open axes of the model's input to samples in an array of this shape.
    fn fit_open_axes(&mut self, data: &[usize]) -> Outcome {
        if self.model.open_axes().is_empty() || data.is_empty() {
            return Ok(());
        }
        let mut sample = data[1..].to_vec();
        // Gray images may lack their axis of channels.
        if sample.len() + 1 == self.model.input_shape().dims().len() {
            sample.push(1);
        }
        self.model = self.model.clone().with_input_shape(&sample.into())?;
        Ok(())
    }

    /// Prints a notice about the data. It is always printed for a file, whose score depends on it.
    fn notice(&self, text: &str) {
        if self.is_file || !self.is_quiet {
            output::notice(text);
        }
    }

    /// Prints Keras's warnings about the layers and the loss.
    fn warn_about_layers(&self) {
        for warning in self.model.warnings() {
            output::notice(&format!("warning: {warning}"));
        }
    }

    /// Prints a warning if the weights were never trained.
    fn warn_if_untrained(&self, name: &str) {
        if !self.has_weights {
            let seed = self.model.seed;
            output::notice(&format!(
                "warning: {name} holds no weights: the model is untrained, initialized from seed \
                 {seed}"
            ));
        }
    }
}

/// Loads a file and prints its warnings.
fn load(path: &Path) -> Result<Loaded, Failure> {
    let loaded = formats::load(path)?;
    output::warnings(path, &loaded.warnings);
    Ok(loaded)
}
