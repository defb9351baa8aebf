//! How a model is trained: optimizer, loss and metrics, as Keras's `compile` takes them.

use std::sync::Arc;

use super::Sequential;
use crate::losses::Loss;
use crate::optimizers::{Optimizer, OptimizerState};
use crate::{Error, Result, metrics};

/// The most metrics that a model may be compiled with.
pub const MAX_METRICS: usize = 8;

/// What a model was compiled with.
#[derive(Debug)]
pub struct Compiled {
    /// The rule.
    pub optimizer: Arc<dyn Optimizer>,
    /// What the rule remembers.
    pub state: OptimizerState,
    /// What training makes small.
    pub loss: Arc<dyn Loss>,
    /// The metrics' names, as they were given.
    pub metrics: Vec<String>,
}

impl Sequential {
    /// Says how the model is trained. What an earlier optimizer remembered is forgotten.
    ///
    /// # Errors
    /// A metric that is not in the catalogue, or more than [`MAX_METRICS`].
    pub fn compile(
        &mut self,
        optimizer: impl Optimizer + 'static,
        loss: impl Loss + 'static,
        metrics: &[&str],
    ) -> Result<()> {
        let names = metrics.iter().map(|name| name.to_string()).collect();
        self.compile_with(Arc::new(optimizer), Arc::new(loss), names)
    }

    /// [`Sequential::compile`] for an optimizer and a loss of whatever class.
    ///
    /// # Errors
    /// A metric that is not in the catalogue, or more than [`MAX_METRICS`].
    pub fn compile_with(
        &mut self,
        optimizer: Arc<dyn Optimizer>,
        loss: Arc<dyn Loss>,
        metrics: Vec<String>,
    ) -> Result<()> {
        if metrics.len() > MAX_METRICS {
            return Err(Error::Argument(format!("{} metrics are more than the {MAX_METRICS} that fit", metrics.len())));
        }
        for name in &metrics {
            metrics::by_name(name, 1, 1).map_err(Error::Argument)?;
        }
        let state = OptimizerState::new(optimizer.as_ref(), self.count_params());
        self.compiled = Some(Compiled { optimizer, state, loss, metrics });
        Ok(())
    }

    /// What the model was compiled with.
    ///
    /// # Errors
    /// A model that was not.
    pub fn compiled(&self) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(not_compiled)
    }

    /// The same, to change: a learning rate, say.
    ///
    /// # Errors
    /// A model that was not compiled.
    pub fn compiled_mut(&mut self) -> Result<&mut Compiled> {
        self.compiled.as_mut().ok_or_else(not_compiled)
    }
}

pub(crate) fn not_compiled() -> Error {
    Error::Argument("the model has no optimizer and no loss yet; call compile first".to_string())
}
