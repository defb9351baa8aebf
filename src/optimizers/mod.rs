//! The catalogue of optimizers, one file each: how a gradient moves the parameters.
//!
//! A rule is a small immutable value; what it remembers between steps is kept beside the parameter
//! vector it is bound to. It steps once a batch over everything, so no parameter can be a step
//! ahead of another.

mod adagrad;
mod adam;
mod options;
mod rmsprop;
mod schedules;
mod sgd;

pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
use options::optimizer;
pub use options::{Common, Options};
pub use rmsprop::RMSprop;
pub use schedules::{LearningRate, Schedule};
pub use sgd::Sgd;

use std::fmt;

use crate::classes::{class, classes};
use crate::{Error, Real, Result};

classes! {
    /// An optimizer of any class.
    AnyOptimizer: Optimizer as as_optimizer {
        "Adagrad" => Adagrad,
        "Adam" => Adam,
        "AdamW" => AdamW,
        "RMSprop" => RMSprop,
        "SGD" => Sgd,
    }
}

/// The most vectors that a rule keeps beside the parameters.
pub const MAX_SLOTS: usize = 3;

/// A stretch of each of these vectors; those that a rule does not use are empty.
pub type Slots<'a> = [&'a mut [Real]; MAX_SLOTS];

/// A rule: how a gradient moves a parameter. It acts on each parameter alone, so the vector can be
/// cut anywhere.
pub trait Optimizer: Options + fmt::Debug + Send + Sync {
    /// Class name in summaries and errors: the type's own.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// The names of the vectors that it keeps beside the parameters, at most [`MAX_SLOTS`].
    fn slots(&self) -> &'static [&'static str];

    /// What these vectors are full of before the first step.
    fn initial_slot(&self) -> Real {
        0.0
    }

    /// Moves a stretch of the parameters. `slots` are the same stretch of the vectors it keeps.
    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots);
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
    /// The learning rate now; it is the rule's own until something changes it. Where the rule has a
    /// schedule, that is what counts.
    pub learning_rate: f64,
    /// The vectors it keeps, each as long as the parameter vector; those it does not use are empty.
    pub slots: [Vec<Real>; MAX_SLOTS],
}

impl OptimizerState {
    /// The state before the first step, for so many parameters; without a rule there is nothing to
    /// remember. It is an error where memory does not hold it.
    pub fn new(rule: Option<&dyn Optimizer>, n_params: usize) -> Result<Self> {
        let mut state =
            OptimizerState { iteration: 0, learning_rate: 0.0, slots: Default::default() };
        let Some(rule) = rule else { return Ok(state) };
        state.learning_rate = rule.learning_rate().at(0);
        for slot in state.slots.iter_mut().take(rule.slots().len()) {
            if slot.try_reserve_exact(n_params).is_err() {
                let problem =
                    format!("there is no room for the {n_params} numbers that the optimizer keeps");
                return Err(Error::Memory(problem));
            }
            slot.resize(n_params, rule.initial_slot());
        }
        Ok(state)
    }

    /// What is wrong with its numbers, if anything: they may come from a file.
    pub fn problem(&self) -> Option<String> {
        let many =
            || format!("{} steps are said to be taken, which nobody can have", self.iteration);
        LearningRate::Constant(self.learning_rate)
            .problem()
            .or_else(|| (self.iteration >= 1 << 53).then(many))
    }

    /// The step that this rule takes next.
    pub fn step(&self, rule: &dyn Optimizer) -> Step {
        let learning_rate = match rule.learning_rate() {
            LearningRate::Constant(_) => self.learning_rate,
            schedule => schedule.at(self.iteration),
        };
        Step { iteration: self.iteration, learning_rate }
    }
}

impl AnyOptimizer {
    /// Learning rate, to change before compiling; none for an optimizer from outside the crate.
    pub fn learning_rate_mut(&mut self) -> Option<&mut LearningRate> {
        match self {
            AnyOptimizer::Adagrad(rule) => Some(&mut rule.learning_rate),
            AnyOptimizer::Adam(rule) => Some(&mut rule.learning_rate),
            AnyOptimizer::AdamW(rule) => Some(&mut rule.learning_rate),
            AnyOptimizer::RMSprop(rule) => Some(&mut rule.learning_rate),
            AnyOptimizer::Sgd(rule) => Some(&mut rule.learning_rate),
            AnyOptimizer::Custom(_) => None,
        }
    }

    /// The optimizer of this name (`sgd`, `rmsprop`), with Keras's defaults; an error lists all
    /// names.
    pub fn by_name(name: &str) -> Result<AnyOptimizer> {
        let names: Vec<_> =
            AnyOptimizer::all().iter().map(|rule| rule.class_name().to_lowercase()).collect();
        let problem = || {
            Error::option(
                "optimizer",
                format!("there is no optimizer {name:?} here; known: {}", names.join(", ")),
            )
        };
        AnyOptimizer::all()
            .into_iter()
            .find(|rule| rule.class_name().eq_ignore_ascii_case(name))
            .ok_or_else(problem)
    }
}

impl TryFrom<&str> for AnyOptimizer {
    type Error = Error;

    fn try_from(name: &str) -> Result<AnyOptimizer> {
        AnyOptimizer::by_name(name)
    }
}
