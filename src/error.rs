//! The error type. A message says the problem, its location, the expected value and the fix.

use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

/// Result of everything in tallynet that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Error of any operation, with a message for the person who can fix the cause.
///
/// ```
/// use tallynet::Error;
/// use tallynet::optimizers::Sgd;
/// use tallynet::layers::Dense;
/// use tallynet::model::Sequential;
///
/// let mut model = Sequential::builder([4]).add(Dense::new(1)).build(0)?;
/// let refused = model.compile(Sgd { momentum: 2.0, ..Sgd::default() }, "mse", &[]);
/// assert!(matches!(refused, Err(Error::Option { name, .. }) if name == "momentum"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on a file failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// Operation that failed: `read`, `write`, `create`.
        action: &'static str,
        /// File or folder.
        path: PathBuf,
        /// Reason given by the operating system.
        source: io::Error,
    },

    /// The content of a file, or of bytes in memory, is damaged, unsupported or of another format.
    #[error("{}{found}\n  {help}", file_prefix(path.as_deref()))]
    Format {
        /// File, if the bytes came from one.
        path: Option<PathBuf>,
        /// Problem found and what was expected instead.
        found: String,
        /// Suggested fix.
        help: String,
    },

    /// A layer does not fit its input shape.
    #[error("{}", shape_message(chain.as_deref(), found, help))]
    Shape {
        /// All layers with their shapes, the failing one marked; added by the builder.
        chain: Option<String>,
        /// Shape found and shape expected.
        found: String,
        /// Suggested fix.
        help: String,
    },

    /// An option, argument or name has a value that is out of range, unknown or unsupported.
    #[error("{problem}")]
    Option {
        /// Option: `momentum`, `batch_size`, `optimizer`.
        name: String,
        /// Value found, values expected, and an example.
        problem: String,
    },

    /// A parameter array is missing, unknown, or of another shape.
    #[error("{problem}")]
    Weights {
        /// Full name of the array: `dense_1/kernel`.
        array: String,
        /// Shape or name found, and what was expected.
        problem: String,
    },

    /// Data do not fit the model: shapes, counts or labels.
    #[error("{0}")]
    Data(String),

    /// The operation needs a loss or an optimizer, and the model has none.
    #[error("{0}")]
    NotCompiled(String),

    /// Not enough memory.
    #[error("{0}")]
    Memory(String),

    /// The loss became NaN or infinite, and training stopped.
    #[error(
        "the loss became {loss} in epoch {epoch}, batch {batch}; training stopped there\n  {reason}"
    )]
    NotFinite {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Batch, counted from 1.
        batch: usize,
        /// Loss of that batch.
        loss: f64,
        /// Most likely cause, and what to change.
        reason: String,
    },

    /// A callback returned an error of its own.
    #[error(transparent)]
    Callback(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// Closure for `map_err` that adds the action and the path to an I/O error.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_path_buf();
        move |source| Error::Io { action, path, source }
    }

    /// Error in the content of bytes; [`Error::in_file`] adds the path.
    pub(crate) fn format(found: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Format { path: None, found: found.into(), help: help.into() }
    }

    /// Error in the content of a file.
    pub(crate) fn file(path: &Path, found: impl Into<String>, help: impl Into<String>) -> Error {
        Error::format(found, help).in_file(path)
    }

    /// Adds the path to a format or weights error; other errors are unchanged.
    pub fn in_file(self, file: &Path) -> Error {
        match self {
            Error::Format { path: None, found, help } => {
                Error::Format { path: Some(file.to_path_buf()), found, help }
            }
            Error::Weights { array, problem } => {
                let problem = format!("{}: {problem}", file.display());
                Error::Weights { array, problem }
            }
            other => other,
        }
    }

    /// A layer that does not fit its input; the builder adds the chain of layers.
    pub fn shape(found: impl Into<String>, help: impl Into<String>) -> Error {
        Error::Shape { chain: None, found: found.into(), help: help.into() }
    }

    /// An option out of range, unknown or unsupported.
    pub fn option(name: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Option { name: name.into(), problem: problem.into() }
    }

    /// A parameter array that is missing, unknown or of another shape.
    pub(crate) fn weights(array: impl Into<String>, problem: impl Into<String>) -> Error {
        Error::Weights { array: array.into(), problem: problem.into() }
    }

    /// A callback's own error.
    pub fn callback(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Callback(source.into())
    }
}

/// `model.keras: ` if the path is known.
pub(crate) fn file_prefix(path: Option<&Path>) -> String {
    path.map_or(String::new(), |path| format!("{}: ", path.display()))
}

/// Message of a shape error; the chain already contains `found`.
fn shape_message(chain: Option<&str>, found: &str, help: &str) -> String {
    match chain {
        Some(chain) => format!("{chain}  what would fix it: {help}"),
        None => format!("{found}\n  {help}"),
    }
}

impl From<Infallible> for Error {
    fn from(never: Infallible) -> Error {
        match never {}
    }
}
