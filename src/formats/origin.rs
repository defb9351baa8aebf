//! Origin of a file: the version of Keras that wrote it, and its backend.

use std::fmt;

use serde_json::Value;

use crate::Result;
use crate::hdf5::Object;

/// Beginning of the version that TensorFlow.js states.
const TFJS: &str = "tfjs-layers";

/// Version and backend that a file states for itself.
///
/// ```
/// use tallynet::formats::Origin;
/// let origin =
///     Origin { keras_version: Some("2.2.4".into()), backend: Some("theano".into()) };
/// assert_eq!(origin.to_string(), "Keras 2.2.4 on Theano");
/// assert_eq!(origin.major_version(), Some(2));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Version of Keras: `2.2.4`, `2.1.6-tf`, `3.15.1`; of TensorFlow.js: `tfjs-layers 4.22.0`.
    pub keras_version: Option<String>,
    /// Backend, in the file's spelling: `theano`, `tensorflow`, `jax`; `.keras` files have none.
    pub backend: Option<String>,
}

impl Origin {
    /// Origin in the keys `keras_version` and `backend` of an object in JSON; empty for
    /// tallynet's own files.
    pub fn of(object: &Value) -> Origin {
        if object.get("tallynet").is_some() {
            return Origin::default();
        }
        let text = |key: &str| object[key].as_str().map(str::to_string);
        Origin { keras_version: text("keras_version"), backend: text("backend") }
    }

    /// Origin in the attributes of an HDF5 file: those of its root, or of its group of weights.
    ///
    /// # Errors
    /// Damaged attributes.
    pub fn of_hdf5(root: &Object) -> Result<Origin> {
        let weights = root.group("model_weights")?;
        let attribute = |name: &str| -> Result<Option<String>> {
            let mut found = text(root, name)?;
            if let (None, Some(group)) = (&found, &weights) {
                found = text(group, name)?;
            }
            Ok(found)
        };
        Ok(Origin { keras_version: attribute("keras_version")?, backend: attribute("backend")? })
    }

    /// True if nothing is stated.
    pub fn is_empty(&self) -> bool {
        self.keras_version.is_none() && self.backend.is_none()
    }

    /// True for Theano, which stored the kernels of convolutions flipped.
    pub fn is_theano(&self) -> bool {
        self.backend.as_deref() == Some("theano")
    }

    /// True for TensorFlow.js, which states its own version: `tfjs-layers 4.22.0`.
    pub fn is_tfjs(&self) -> bool {
        self.keras_version.as_ref().is_some_and(|version| version.starts_with(TFJS))
    }

    /// Major version: 1, 2 or 3. TensorFlow.js computes as Keras 2. `None` if no version is stated
    /// that begins with a number.
    pub fn major_version(&self) -> Option<u32> {
        if self.is_tfjs() {
            return Some(2);
        }
        self.keras_version.as_ref()?.split('.').next()?.parse().ok()
    }

    /// True for a Keras 1 or 2 before this minor version of Keras 2, in TensorFlow or not.
    pub fn is_before_2(&self, minor: u32) -> bool {
        let own_minor = || self.keras_version.as_ref()?.split('.').nth(1)?.parse::<u32>().ok();
        match self.major_version() {
            Some(1) => true,
            Some(2) => own_minor().is_some_and(|own| own < minor),
            _ => false,
        }
    }
}

/// `Keras 2.2.4 on Theano`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let version = self.keras_version.as_deref().unwrap_or("of an unknown version");
        if let Some(number) = version.strip_prefix(TFJS) {
            return write!(f, "TensorFlow.js{number}");
        }
        write!(f, "Keras {version}")?;
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

/// Attribute that holds one string.
pub fn text(group: &Object, name: &str) -> Result<Option<String>> {
    Ok(group.strings(name)?.and_then(|strings| strings.into_iter().next()))
}
