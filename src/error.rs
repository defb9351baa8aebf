//! Every way in which something outside the program can be wrong. An error names what was found,
//! where, what was expected and what to do; nothing here is raised inside a training step.

use std::io;
use std::path::{Path, PathBuf};

/// The result of everything in tallynet that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong, in words for the person who can mend it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused something about a file.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `create`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's own reason.
        source: io::Error,
    },

    /// A file was read, and what it holds is not what its place calls for.
    #[error("{}: {found}\n  {remedy}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected instead.
        found: String,
        /// What to do about it.
        remedy: String,
    },

    /// Layers that cannot follow each other: the whole chain with its shapes, the failing layer
    /// marked.
    #[error("{0}")]
    Build(String),

    /// Data that do not fit the model: shapes, counts or labels.
    #[error("{0}")]
    Data(String),

    /// An argument outside the values that make sense.
    #[error("{0}")]
    Argument(String),

    /// The loss stopped being a finite number, so training ended at once.
    #[error(
        "the loss became {loss} in epoch {epoch}, batch {batch}; training stopped there\n  {reason}"
    )]
    NotFinite {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1.
        batch: usize,
        /// The loss of that batch.
        loss: f64,
        /// What it most likely comes from, and what to change.
        reason: String,
    },
}

impl Error {
    /// For `map_err`: the operating system's refusal with the action and the path it concerns.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    }

    /// A file whose content is wrong.
    pub(crate) fn file(path: &Path, found: impl Into<String>, remedy: impl Into<String>) -> Error {
        Error::File { path: path.to_path_buf(), found: found.into(), remedy: remedy.into() }
    }
}
