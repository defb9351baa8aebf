//! `AnyActivation`: the activation of a layer, built-in or custom.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ActivationKind;
use crate::{Real, Result};

/// Custom activation, which converts into an [`AnyActivation`].
///
/// ```
/// use tallynet::{Real, activations::{ActivationFunction, AnyActivation}};
///
/// #[derive(Debug)]
/// struct Square;
/// impl ActivationFunction for Square {
///     fn forward(&self, _width: usize, values: &mut [Real]) {
///         values.iter_mut().for_each(|x| *x *= *x);
///     }
///     fn backward(&self, _width: usize, x: &[Real], dy: &mut [Real]) {
///         dy.iter_mut().zip(x).for_each(|(dy, x)| *dy *= 2.0 * x);
///     }
/// }
/// assert_eq!(AnyActivation::from(Square).to_string(), "Square");
/// ```
pub trait ActivationFunction: fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Replaces each `x` by `y`. `width` is the length of the last axis.
    fn forward(&self, width: usize, values: &mut [Real]);

    /// Replaces the gradient with respect to the output by that with respect to the input `x`.
    fn backward(&self, width: usize, x: &[Real], dy: &mut [Real]);
}

/// Activation of a layer: built-in, by kind or name, or custom. Custom ones cannot be saved.
///
/// ```
/// use tallynet::activations::{ActivationKind, AnyActivation};
/// assert_eq!(AnyActivation::from("relu").kind(), Some(ActivationKind::Relu));
/// assert!(AnyActivation::from("rectified").validate().is_err());
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum AnyActivation {
    /// Built-in activation.
    BuiltIn(ActivationKind),
    /// Custom activation.
    Custom(Arc<dyn ActivationFunction>),
    /// Unknown name, rejected by [`AnyActivation::validate`].
    Unknown(String),
}

impl AnyActivation {
    /// Kind of a built-in activation.
    pub fn kind(&self) -> Option<ActivationKind> {
        match self {
            AnyActivation::BuiltIn(kind) => Some(*kind),
            AnyActivation::Custom(_) | AnyActivation::Unknown(_) => None,
        }
    }

    /// Rejects an unknown name; the error lists the known ones.
    pub fn validate(&self) -> Result<()> {
        match self {
            AnyActivation::BuiltIn(_) | AnyActivation::Custom(_) => Ok(()),
            AnyActivation::Unknown(name) => ActivationKind::by_name(name).map(drop),
        }
    }
}

impl Default for AnyActivation {
    fn default() -> Self {
        ActivationKind::Linear.into()
    }
}

/// Keras's name, or the class name of a custom activation.
impl fmt::Display for AnyActivation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            AnyActivation::BuiltIn(kind) => kind.fmt(f),
            AnyActivation::Custom(function) => f.write_str(function.class_name()),
            AnyActivation::Unknown(name) => f.write_str(name),
        }
    }
}

impl From<ActivationKind> for AnyActivation {
    fn from(kind: ActivationKind) -> Self {
        AnyActivation::BuiltIn(kind)
    }
}

impl From<&str> for AnyActivation {
    fn from(name: &str) -> Self {
        match ActivationKind::by_name(name) {
            Ok(kind) => AnyActivation::BuiltIn(kind),
            Err(_) => AnyActivation::Unknown(name.to_string()),
        }
    }
}

impl<T: ActivationFunction + 'static> From<T> for AnyActivation {
    fn from(function: T) -> Self {
        AnyActivation::Custom(Arc::new(function))
    }
}

impl Serialize for AnyActivation {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if let AnyActivation::Custom(function) = self {
            let class = function.class_name();
            let problem = format!("the activation {class} is from outside the crate");
            return Err(serde::ser::Error::custom(problem));
        }
        self.to_string().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AnyActivation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        ActivationKind::deserialize(deserializer).map(AnyActivation::BuiltIn)
    }
}
