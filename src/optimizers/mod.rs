//! The catalogue of optimizers, one file each: how a gradient moves the parameters.
//!
//! A rule is a small immutable value; what it remembers between steps is kept beside the parameter vector it is bound
//! to. It steps once a batch over everything, so no parameter can be a step ahead of another.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use std::fmt;

use crate::classes::classes;
use crate::{Error, Real, Result};

classes! {
    /// An optimizer of any class.
    AnyOptimizer: Optimizer {
        "Adam" => Adam,
        "SGD" => Sgd,
    }
}

/// The most vectors that a rule keeps beside the parameters.
pub const MAX_SLOTS: usize = 3;

/// A rule: how a gradient moves a parameter. It acts on each parameter alone, so the vector can be cut anywhere.
pub trait Optimizer: fmt::Debug + Send + Sync {
    /// What is wrong with its options, if anything.
    fn problem(&self) -> Option<String>;

    /// The learning rate that training starts with.
    fn learning_rate(&self) -> f64;

    /// The same, to change before compiling.
    fn learning_rate_mut(&mut self) -> &mut f64;

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
    pub learning_rate: f64,
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

impl AnyOptimizer {
    /// The optimizer of this name (`sgd`, `adam`), with Keras's defaults; an error lists all names.
    pub fn by_name(name: &str) -> Result<AnyOptimizer> {
        let names: Vec<_> = AnyOptimizer::all().iter().map(|rule| rule.class_name().to_lowercase()).collect();
        let found = AnyOptimizer::all().into_iter().find(|rule| rule.class_name().eq_ignore_ascii_case(name));
        found
            .ok_or_else(|| Error::Argument(format!("there is no optimizer {name:?} here; known: {}", names.join(", "))))
    }
}

/// The first complaint about an option that is outside its range.
fn first_problem(checks: &[(&str, f64, bool, &str)]) -> Option<String> {
    let wrong = checks.iter().find(|(_, _, sound, _)| !sound);
    wrong.map(|(name, value, _, range)| format!("{name} is {range}, and not {value}"))
}

/// Whether this is a learning rate, or anything else that is finite and not negative.
fn not_negative(value: f64) -> bool {
    value.is_finite() && value >= 0.0
}
