//! The `tallynet` program: parses the command line, runs one command, returns its exit code.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
