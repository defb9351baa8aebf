//! Origin of a file: the version of Keras that wrote it, and its backend.

use std::fmt;

use serde_json::Value;

/// Version and backend that a file states for itself.
///
/// ```
/// use tallynet::formats::Origin;
/// let origin = Origin { keras_version: "2.2.4".into(), backend: Some("theano".into()) };
/// assert_eq!(origin.to_string(), "Keras 2.2.4 on Theano");
/// assert_eq!(origin.generation(), Some(2));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Version of Keras: `2.2.4`, `2.1.6-tf`, `3.15.1`.
    pub keras_version: String,
    /// Backend, in the file's spelling: `theano`, `tensorflow`, `jax`; `.keras` files have none.
    pub backend: Option<String>,
}

impl Origin {
    /// Origin in the keys `keras_version` and `backend` of an object. `None` if it states no
    /// version, and for tallynet's own files.
    pub fn of(object: &Value) -> Option<Origin> {
        if object.get("tallynet").is_some() {
            return None;
        }
        let text = |key: &str| object[key].as_str().map(str::to_string);
        Some(Origin { keras_version: text("keras_version")?, backend: text("backend") })
    }

    /// Major version: 1, 2 or 3. `None` if the version does not begin with a number.
    pub fn generation(&self) -> Option<u32> {
        let digits = self.keras_version.split('.').next()?;
        digits.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()
    }
}

/// `Keras 2.2.4 on Theano`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Keras {}", self.keras_version)?;
        let Some(backend) = &self.backend else { return Ok(()) };
        let name = match backend.as_str() {
            "theano" => "Theano",
            "tensorflow" => "TensorFlow",
            "cntk" => "CNTK",
            "jax" => "JAX",
            "torch" => "PyTorch",
            "numpy" => "NumPy",
            "tensor_flow.js" => "TensorFlow.js",
            other => other,
        };
        write!(f, " on {name}")
    }
}
