//! How a model is trained: optimizer, loss and metrics, as Keras's `compile` takes them.

use super::Sequential;
use crate::losses::{AnyLoss, TargetForm};
use crate::optimizers::{AnyOptimizer, LearningRate, OptimizerState};
use crate::{Error, Result, metrics};

/// The most metrics that a model may be compiled with.
pub const MAX_METRICS: usize = 8;

/// What a model was compiled with.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The rule.
    pub optimizer: AnyOptimizer,
    /// What the rule remembers.
    pub state: OptimizerState,
    /// What training makes small.
    pub loss: AnyLoss,
    /// The metrics' names, as they were given.
    pub metrics: Vec<String>,
}

impl Compiled {
    /// The learning rate of the next step.
    pub fn learning_rate(&self) -> f64 {
        self.state.step(&*self.optimizer).learning_rate
    }

    /// Sets the learning rate of the steps to come. One out of range is an error, as is one beside a schedule.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        if let LearningRate::Schedule(_) = self.optimizer.learning_rate() {
            let what =
                "the learning rate follows a schedule, so nothing else can set it; compile with a number instead";
            return Err(Error::Argument(what.to_string()));
        }
        LearningRate::Constant(rate).problem().map_or(Ok(()), |problem| Err(Error::Argument(problem)))?;
        self.state.learning_rate = rate;
        Ok(())
    }
}

impl Sequential {
    /// Says how the model is trained. What an earlier optimizer remembered is forgotten. Options out of range,
    /// metrics that are not in the catalogue and metrics that the loss's targets do not fit are errors.
    pub fn compile(
        &mut self,
        optimizer: impl Into<AnyOptimizer>,
        loss: impl Into<AnyLoss>,
        metrics: &[&str],
    ) -> Result<()> {
        let (optimizer, loss) = (optimizer.into(), loss.into());
        if let Some(problem) = optimizer.problem() {
            return Err(Error::Argument(problem));
        }
        if metrics.len() > MAX_METRICS {
            return Err(Error::Argument(format!("{} metrics are more than the {MAX_METRICS} that fit", metrics.len())));
        }
        let (target_width, output_width) = self.widths(&loss);
        for name in metrics {
            metrics::by_name(name, target_width, output_width)?;
        }
        let state = OptimizerState::new(&*optimizer, self.count_params());
        let metrics = metrics.iter().map(|name| name.to_string()).collect();
        self.compiled = Some(Compiled { optimizer, state, loss, metrics });
        Ok(())
    }

    /// The lengths of the last axis of targets and of outputs.
    pub(crate) fn widths(&self, loss: &AnyLoss) -> (usize, usize) {
        let output_width = self.output_shape().last();
        (if loss.target_form() == TargetForm::Label { 1 } else { output_width }, output_width)
    }

    /// What the model was compiled with; an error where it was not.
    pub fn compiled(&self) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(not_compiled)
    }

    /// The same, to change: a learning rate, say.
    pub fn compiled_mut(&mut self) -> Result<&mut Compiled> {
        self.compiled.as_mut().ok_or_else(not_compiled)
    }
}

pub(crate) fn not_compiled() -> Error {
    Error::Argument("the model has no optimizer and no loss yet; call compile first".to_string())
}
