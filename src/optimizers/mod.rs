//! The catalogue of optimizers, one file each: how a gradient moves the parameters.
//!
//! A rule is a small immutable value; what it remembers between steps is kept beside the parameter vector it is bound
//! to. It steps once a batch over everything, so no parameter can be a step ahead of another.

mod sgd;

pub use sgd::Sgd;

use std::fmt;

use serde_json::{Map, Value};

use crate::Real;

/// The most vectors that a rule keeps beside the parameters.
pub const MAX_SLOTS: usize = 3;

/// A rule: how a gradient moves a parameter. It acts on each parameter alone, so the vector can be cut anywhere.
pub trait Optimizer: fmt::Debug + Send + Sync {
    /// Keras's name of the class: `SGD`.
    fn class_name(&self) -> &'static str;

    /// The options under Keras's names, as a file stores them.
    fn config(&self) -> Map<String, Value>;

    /// The learning rate that training starts with.
    fn learning_rate(&self) -> f64;

    /// The names of the vectors that it keeps beside the parameters, at most [`MAX_SLOTS`].
    fn slots(&self) -> &'static [&'static str];

    /// Moves a stretch of the parameters. `slots` are the same stretch of the vectors it keeps.
    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut [&mut [Real]; MAX_SLOTS]);
}

/// Which step is taken, and how far.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Steps taken before this one.
    pub iteration: u64,
    /// The learning rate of this step.
    pub learning_rate: Real,
}

/// What a rule remembers, bound to one parameter vector.
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// Steps taken so far.
    pub iteration: u64,
    /// The learning rate now; it is the rule's own until something changes it.
    pub learning_rate: f64,
    /// The vectors it keeps, each as long as the parameter vector; those it does not use are empty.
    pub slots: [Vec<Real>; MAX_SLOTS],
}

impl OptimizerState {
    /// The state before the first step, for so many parameters.
    pub fn new(rule: &dyn Optimizer, n_params: usize) -> Self {
        OptimizerState {
            iteration: 0,
            learning_rate: rule.learning_rate(),
            slots: std::array::from_fn(|slot| vec![0.0; if slot < rule.slots().len() { n_params } else { 0 }]),
        }
    }
}

/// Makes a rule from a class name and its options, as a file stores them.
///
/// # Errors
/// A class that is not in the catalogue, or an option that the class does not have, in words.
pub fn from_config(class_name: &str, config: Map<String, Value>) -> Result<Box<dyn Optimizer>, String> {
    match class_name {
        "SGD" => Ok(Box::new(serde_json::from_value::<Sgd>(Value::Object(config)).map_err(|error| error.to_string())?)),
        _ => Err(format!("there is no optimizer {class_name:?} here; known: SGD")),
    }
}
