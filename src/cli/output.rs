//! Where words go: results to stdout, the rest to stderr.

use std::io::{ErrorKind, Write, stderr, stdout};
use std::path::Path;

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
    let alone = if formats::holds_weights(path) { "" } else { " (a description alone, without weights)" };
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

/// Refuses to write where something is read from.
pub fn refuse_overwriting(flag: &str, path: &Path, read: &[&Path]) -> Outcome {
    let place = |path: &Path| path.canonicalize().ok();
    match place(path) {
        Some(output) if read.iter().any(|read| place(read).as_ref() == Some(&output)) => {
            Err(Failure::usage(format!("{flag} {} would overwrite what is read", path.display())))
        }
        _ => Ok(()),
    }
}
