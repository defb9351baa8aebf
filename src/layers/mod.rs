//! The catalogue of layers, one file each: what a user writes (a [`LayerSpec`]), and the mathematics that it becomes
//! once its input's shape is known (a [`Layer`] over borrowed views).
//!
//! A layer owns no parameters, no buffers and no name: the model does. It is handed its slice of the parameter
//! vector, its input and its output, and reads like its formula.

mod activation;
mod dense;
mod flatten;

pub use activation::Activation;
pub use dense::Dense;
pub use flatten::Flatten;

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::Real;
use crate::activations::InPlace;
use crate::params::ParamSpec;
use crate::shape::Shape;

/// What a user writes and a file stores: a layer before it knows its input.
pub trait LayerSpec: fmt::Debug + Send + Sync {
    /// Keras's name of the class: `Dense`.
    fn class_name(&self) -> &'static str;

    /// The options under Keras's names, as a file stores them.
    fn config(&self) -> Map<String, Value>;

    /// Fixes every size for an input of this shape.
    ///
    /// # Errors
    /// What the layer expected instead, and the change that would fix it.
    fn build(&self, input: &Shape) -> Result<Built, Misfit>;
}

/// Why a layer cannot follow the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What the layer expected and what it got.
    pub problem: String,
    /// The change that would fix it.
    pub remedy: String,
}

/// A layer that knows all its sizes.
pub struct Built {
    /// The shape of its output.
    pub output: Shape,
    /// The parameter arrays it asks for, in order.
    pub params: Vec<ParamSpec>,
    /// What runs, in order. A layer that only changes a shape runs nothing.
    pub operations: Vec<Operation>,
    /// Why it has as many parameters as it has.
    pub count: Count,
}

/// One thing that runs.
pub enum Operation {
    /// Reads its input and writes an output of its own.
    Layer(Box<dyn Layer>),
    /// Changes the output of the layer below in place.
    InPlace(InPlace),
}

/// The arithmetic of a parameter count, made from the layer's sizes and not from its arrays.
#[derive(Debug, Clone, Default)]
pub struct Count {
    /// In numbers and words: `784 inputs × 10 units + 10 biases`.
    pub formula: String,
    /// What that comes to.
    pub total: usize,
    /// The reason behind the formula, as one would tell it.
    pub reason: String,
}

/// A layer's mathematics. Rows are samples; a row's values lie in row-major order of the sample's shape.
pub trait Layer: Send + Sync {
    /// Writes the layer's value at `x` into `y`.
    fn forward(&self, params: &[Real], x: ArrayView2<Real>, y: ArrayViewMut2<Real>, scratch: &mut [Real]);

    /// Writes the gradients of the loss, given the one at the output.
    fn backward(&self, pass: Backward);

    /// Numbers of scratch memory, with any content, that both passes may use.
    fn scratch_len(&self) -> usize {
        0
    }

    /// Multiplications that the forward pass of one row takes, about: what the work is shared out by.
    fn work(&self) -> usize;
}

/// What a backward pass reads and writes.
pub struct Backward<'a> {
    /// The layer's parameters.
    pub params: &'a [Real],
    /// The input of the forward pass.
    pub x: ArrayView2<'a, Real>,
    /// The gradient of the loss at the output.
    pub dy: ArrayView2<'a, Real>,
    /// Where the gradient at the parameters goes.
    pub d_params: &'a mut [Real],
    /// Whether it is added to what is there, or replaces it.
    pub accumulate: bool,
    /// Where the gradient at the input goes, if somebody below needs it. Overwritten.
    pub dx: Option<ArrayViewMut2<'a, Real>>,
    /// At least [`Layer::scratch_len`] numbers.
    pub scratch: &'a mut [Real],
}

/// The options of a specification as Keras's keys: what its fields are called, since they have Keras's names.
fn config_of(spec: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(spec) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Makes a layer's specification from a class name and its options, as a file stores them.
///
/// # Errors
/// A class that is not in the catalogue, or an option that the class does not have, in words.
pub fn from_config(class_name: &str, config: Map<String, Value>) -> Result<Box<dyn LayerSpec>, String> {
    fn parse<S: LayerSpec + serde::de::DeserializeOwned + 'static>(
        config: Map<String, Value>,
    ) -> Result<Box<dyn LayerSpec>, String> {
        let spec: S = serde_json::from_value(Value::Object(config)).map_err(|error| error.to_string())?;
        Ok(Box::new(spec))
    }
    match class_name {
        "Activation" => parse::<Activation>(config),
        "Dense" => parse::<Dense>(config),
        "Flatten" => parse::<Flatten>(config),
        _ => Err("there is no such layer here; Activation, Dense and Flatten are known".to_string()),
    }
}
