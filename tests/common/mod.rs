//! The program as the tests of the command line run it.

// Each test file uses a part.
#![allow(dead_code)]

use std::path::Path;
use std::time::Duration;

use assert_cmd::Command;

/// Outcome of a command.
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program. A command that hangs is a defect too.
pub fn tallynet() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallynet"));
    command.env_remove("TALLYNET_DATA").timeout(Duration::from_secs(60));
    command
}

/// Runs a command, which does not panic.
pub fn output(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let run = Run {
        code: output.status.code().expect("no signal: a panic would abort"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    run
}

/// Runs the program with these arguments.
pub fn run(arguments: &[&str]) -> Run {
    output(tallynet().args(arguments))
}

/// Runs the program in a folder.
pub fn run_in(folder: &Path, arguments: &[&str]) -> Run {
    output(tallynet().current_dir(folder).args(arguments))
}
