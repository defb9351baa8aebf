//! Where words go: results to stdout, the rest to stderr.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::{Path, PathBuf};

use tallynet::formats;

use super::{Failure, Outcome};

/// Prints a result. A reader that has gone away (`| head`) is no failure.
pub fn result(text: &str) -> Outcome {
    let mut stdout = stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure { message: format!("cannot write to stdout: {error}"), code: 1 })
        }
        _ => Ok(()),
    }
}

/// What was saved, and where.
pub fn saved(path: &Path) -> String {
    let alone =
        if formats::holds_weights(path) { "" } else { " (a description alone, without weights)" };
    format!("Saved {}{alone}", path.display())
}

/// Prints a notice, if anybody listens.
pub fn notice(text: &str) {
    let _ = writeln!(stderr(), "{text}");
}

/// Says what is odd about a file.
pub fn warnings(path: &Path, warnings: &[String]) {
    warnings.iter().for_each(|warning| notice(&format!("warning: {}: {warning}", path.display())));
}

/// Refuses to write where something else is: what is read, or another output.
pub fn refuse_overwriting(flag: &str, path: &Path, others: &[PathBuf]) -> Outcome {
    let place = |path: &Path| formats::place(path).ok();
    // Hard links have two places. Only files are opened: to open a pipe is to wait for whoever
    // writes to it.
    let linked = |other: &PathBuf| {
        path.is_file() && other.is_file() && same_file::is_same_file(path, other).unwrap_or(false)
    };
    let same =
        |other: &PathBuf| (place(path).is_some() && place(path) == place(other)) || linked(other);
    match others.iter().find(|other| same(other)) {
        Some(other) => Err(Failure::usage(format!(
            "{flag} {} would overwrite {}",
            path.display(),
            other.display()
        ))),
        None => Ok(()),
    }
}
