//! Programs at a terminal, as a person sees them.

// Each test file uses a part.
#![allow(dead_code)]

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Output of a program whose stdout is a terminal. Its stderr is a pipe.
pub struct Seen {
    pub code: Option<i32>,
    pub screen: String,
    pub stderr: String,
}

/// Runs a program whose stdout is a pseudoterminal.
pub fn at_terminal(command: &mut Command) -> Seen {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, vec![]).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let program_side = File::from(rustix::fs::open(&name, flags, Mode::empty()).unwrap());
    let errors = tempfile::NamedTempFile::new().unwrap();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(program_side)
        .stderr(errors.reopen().unwrap())
        .spawn()
        .unwrap();
    // The program's side is closed here, so that reading ends with the program.
    command.stdout(Stdio::null());
    let mut bytes = vec![];
    let mut part = [0; 4096];
    let mut terminal = File::from(terminal);
    // Linux ends the output of a terminal with an error.
    while let Ok(n) = terminal.read(&mut part) {
        if n == 0 {
            break;
        }
        bytes.extend_from_slice(&part[..n]);
    }
    let code = child.wait().unwrap().code();
    let stderr = std::fs::read_to_string(errors.path()).unwrap();
    // A terminal ends lines with CR and LF.
    let screen = String::from_utf8(bytes).unwrap().replace("\r\n", "\n");
    Seen { code, screen, stderr }
}

/// Command that runs the program in a folder, with the colors of a usual terminal.
pub fn tallynet(folder: &std::path::Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallynet"));
    command.current_dir(folder).args(arguments);
    for variable in ["TALLYNET_DATA", "NO_COLOR", "COLORTERM"] {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm-256color");
    command
}
