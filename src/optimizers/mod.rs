//! Optimizers, one file each: update rules for the parameters.
//!
//! An optimizer is an immutable value; its state is stored separately, for one parameter vector.
//! Each batch is one step, which updates the whole vector.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod nadam;
mod options;
mod rmsprop;
mod schedules;
mod sgd;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use nadam::Nadam;
use options::optimizer_class;
pub use options::{Common, Options};
pub use rmsprop::RMSprop;
pub use schedules::{LearningRate, Schedule};
pub use sgd::Sgd;

use std::fmt;

use crate::classes::{class, classes, unknown};
use crate::{Error, Real, Result};

classes! {
    /// An optimizer of any class.
    AnyOptimizer: Optimizer as as_optimizer {
        "Adadelta" => Adadelta,
        "Adagrad" => Adagrad,
        "Adam" => Adam,
        "AdamW" => AdamW,
        "Adamax" => Adamax,
        "Nadam" => Nadam,
        "RMSprop" => RMSprop,
        "SGD" => Sgd,
    }
}

/// Maximum number of slots: state vectors of an optimizer, each as long as the parameter vector.
pub const MAX_SLOTS: usize = 3;

/// The same range of each slot; slots that a rule does not use are empty.
pub type Slots<'a> = [&'a mut [Real]; MAX_SLOTS];

/// Update rule for the parameters. It is elementwise, so the vector can be split anywhere.
///
/// ```
/// use tallynet::{Real, layers::Dense, model::Sequential};
/// use tallynet::optimizers::{LearningRate, Optimizer, Options, Slots, Step};
///
/// /// Steps by the sign of the gradient.
/// #[derive(Debug)]
/// struct SignDescent(LearningRate);
/// impl Options for SignDescent {
///     fn learning_rate(&self) -> &LearningRate { &self.0 }
///     fn learning_rate_mut(&mut self) -> &mut LearningRate { &mut self.0 }
/// }
/// impl Optimizer for SignDescent {
///     fn slots(&self) -> &'static [&'static str] { &[] }
///     fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], _: &mut Slots) {
///         let rate = step.learning_rate as Real;
///         params.iter_mut().zip(gradients).for_each(|(w, g)| *w -= rate * g.signum());
///     }
/// }
/// let mut model = Sequential::builder([2]).add(Dense::new(1)).build(0)?;
/// model.compile(SignDescent(LearningRate::Constant(0.01)), "mse", &[])?;
/// # Ok::<(), tallynet::Error>(())
/// ```
pub trait Optimizer: Options + fmt::Debug + Send + Sync {
    /// Class name in summaries and errors; by default the name of the type.
    fn class_name(&self) -> &'static str {
        crate::classes::type_name::<Self>()
    }

    /// Names of the slots in use, at most [`MAX_SLOTS`].
    fn slots(&self) -> &'static [&'static str];

    /// Value that fills the slots before the first step.
    fn initial_slot(&self) -> Real {
        0.0
    }

    /// True if Keras's files hold the first two slots of an array side by side, and false if they
    /// hold one slot of all arrays after the other.
    fn interleaves_slots(&self) -> bool {
        true
    }

    /// Value of the variable that Keras's files hold behind the slots, after a number of steps.
    fn last_variable(&self, _steps: u64) -> Option<f64> {
        None
    }

    /// Updates a range of the parameters and the same range of the slots.
    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots);
}

/// Number and learning rate of a step.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// Steps taken before this one.
    pub iteration: u64,
    /// Learning rate of this step.
    pub learning_rate: f64,
}

/// State of an optimizer for one parameter vector.
#[derive(Debug, Clone)]
pub struct OptimizerState {
    /// Steps taken so far.
    pub iteration: u64,
    /// Current learning rate; a rule's schedule takes precedence.
    pub learning_rate: f64,
    /// The slots, each as long as the parameter vector; those that are not used are empty.
    pub slots: [Vec<Real>; MAX_SLOTS],
}

impl OptimizerState {
    /// State before the first step. Without a rule it is empty. Too little memory is an error.
    pub fn new(rule: Option<&dyn Optimizer>, n_params: usize) -> Result<Self> {
        let mut state =
            OptimizerState { iteration: 0, learning_rate: 0.0, slots: Default::default() };
        let Some(rule) = rule else { return Ok(state) };
        state.learning_rate = rule.learning_rate().at(0);
        if rule.slots().len() > MAX_SLOTS {
            let class = rule.class_name();
            let problem =
                format!("{class} keeps {} slots; at most {MAX_SLOTS} fit", rule.slots().len());
            return Err(Error::option("optimizer", problem));
        }
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

    /// Checks the numbers, which may come from a file; the error names the one that is wrong.
    pub fn validate(&self) -> Result<()> {
        LearningRate::Constant(self.learning_rate).validate()?;
        if self.iteration < 1 << 53 {
            return Ok(());
        }
        let problem =
            format!("{} steps are said to be taken, which nobody can have", self.iteration);
        Err(Error::option("iteration", problem))
    }

    /// The next step of this rule.
    pub fn step(&self, rule: &dyn Optimizer) -> Step {
        let learning_rate = match rule.learning_rate() {
            LearningRate::Constant(_) => self.learning_rate,
            schedule => schedule.at(self.iteration),
        };
        Step { iteration: self.iteration, learning_rate }
    }
}

impl AnyOptimizer {
    /// Mutable learning rate, to set before compiling; `None` for a custom optimizer that is
    /// shared.
    pub fn learning_rate_mut(&mut self) -> Option<&mut LearningRate> {
        Some(self.class_mut()?.learning_rate_mut())
    }

    /// The optimizer of this name (`sgd`, `rmsprop`), with Keras's defaults. The error for an
    /// unknown name lists all.
    pub fn by_name(name: &str) -> Result<AnyOptimizer> {
        let is_named = |rule: &AnyOptimizer| rule.class_name().eq_ignore_ascii_case(name);
        if let Some(rule) = AnyOptimizer::all().into_iter().find(is_named) {
            return Ok(rule);
        }
        let rules = AnyOptimizer::all();
        let known: Vec<String> =
            rules.iter().map(|rule| rule.class_name().to_lowercase()).collect();
        Err(unknown("optimizer", "optimizer", name, &known))
    }
}

/// As [`AnyOptimizer::by_name`].
impl TryFrom<&str> for AnyOptimizer {
    type Error = Error;

    fn try_from(name: &str) -> Result<AnyOptimizer> {
        AnyOptimizer::by_name(name)
    }
}

/// Moves a moving average a share of the way to a value.
#[inline(always)]
fn approach(average: &mut Real, value: Real, share: Real) {
    *average = flush_denormal(*average + share * (value - *average));
}

/// The moment, or 0 if it is negligible. Without a gradient, as for a pixel that is always black,
/// moments would decay into denormal numbers, which are a hundred times slower.
#[inline(always)]
fn flush_denormal(moment: Real) -> Real {
    if moment.abs() < 1e-30 { 0.0 } else { moment }
}
