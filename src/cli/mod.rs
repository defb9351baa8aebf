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
mod loaded_model;
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

use std::env;
use std::error::Error;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use tallynet::formats::{self, Loaded};
use tallynet::kernels;
use tallynet::report::drawings::Terminal;
use tallynet::training::ranks;

use loaded_model::LoadedModel;

/// Train small Keras-style models on the CPU, and explain and verify their parameter counts.
///
/// Results go to stdout, progress and notices to stderr. Exit codes: 0 success, 1 failure, 2 wrong
/// command line, such as the name of a file that does not exist; 130, 143 and 129 a training that
/// Ctrl-C, SIGTERM or SIGHUP ended.
#[derive(Parser)]
#[command(name = "tallynet", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// No colors on the terminal (also: NO_COLOR=1)
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
        let is_usage = (&error as &dyn Error).downcast_ref().is_some_and(is_usage);
        Failure { message: error.to_string(), code: if is_usage { 2 } else { 1 } }
    }
}

/// True for a mistake in the command line, from which arguments and the names of files come.
fn is_usage(error: &tallynet::Error) -> bool {
    match error {
        tallynet::Error::Option { .. } | tallynet::Error::NotCompiled(_) => true,
        // A file to read that does not exist; of one to write, its folder is missing.
        tallynet::Error::Io { action: "read" | "load" | "find the data at", path, source } => {
            source.kind() == ErrorKind::NotFound && is_argument(path)
        }
        _ => false,
    }
}

/// True if the command line names this file, rather than a variable or another file.
fn is_argument(path: &Path) -> bool {
    env::args_os().any(|argument| {
        let value = argument.to_str().and_then(|text| text.split_once('='));
        Path::new(&argument) == path || value.is_some_and(|(_, value)| Path::new(value) == path)
    })
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
    let world = ranks::start(is_shared);
    let outcome = match (ranks::check(), arguments) {
        (Err(error), _) => Err(Failure::usage(error)),
        (Ok(()), Err(error)) => Err(print_help(&error)),
        (Ok(()), Ok(_)) if !is_shared && !ranks::is_first() => Ok(()),
        (Ok(()), Ok(Arguments { command, no_color })) => {
            // A launcher of ranks gives each a terminal of its own, whatever it writes to itself.
            run(command, Terminal::at_stdout(no_color).filter(|_| world.is_none()))
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

/// Loads a file and prints its warnings.
fn load(path: &Path) -> Result<Loaded, Failure> {
    let loaded = formats::load(path)?;
    output::warnings(path, &loaded.warnings);
    Ok(loaded)
}
