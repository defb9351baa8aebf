//! Optimizer, loss and metrics of a model, as Keras's `compile` takes them.

use super::Sequential;
use crate::losses::{AnyLoss, TargetForm};
use crate::metrics::AnyMetric;
use crate::optimizers::{AnyOptimizer, LearningRate, OptimizerState};
use crate::{Error, Result};

/// Maximum number of metrics of a model.
pub const MAX_METRICS: usize = 8;

/// Configuration of a compiled model.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Optimizer; without one, as from some files, the model can only be evaluated.
    pub(crate) optimizer: Option<AnyOptimizer>,
    /// Optimizer state.
    pub(crate) state: OptimizerState,
    /// Loss to minimize.
    pub(crate) loss: AnyLoss,
    /// At most [`MAX_METRICS`]; all of them resolve.
    pub(super) metrics: Vec<MetricChoice>,
}

/// A metric and its name in the logs.
///
/// Without a class, the name is Keras's and selects the metric; `accuracy` stands for one of three,
/// by the shapes of targets and outputs.
///
/// ```
/// use tallynet::metrics::Precision;
/// use tallynet::model::MetricChoice;
///
/// let by_name = MetricChoice::from("accuracy");
/// let with_options = MetricChoice::from(Precision { thresholds: Some(0.9) });
/// assert_eq!(with_options.name, "precision");
/// ```
#[derive(Debug, Clone)]
pub struct MetricChoice {
    /// Name in the logs.
    pub name: String,
    /// Metric with its options; `None` to select it by name.
    pub class: Option<AnyMetric>,
}

impl From<&str> for MetricChoice {
    fn from(name: &str) -> Self {
        MetricChoice { name: name.to_string(), class: None }
    }
}

impl<M: crate::metrics::Metric + 'static> From<M> for MetricChoice {
    fn from(metric: M) -> Self {
        let class = AnyMetric::from(metric);
        MetricChoice { name: class.name(), class: Some(class) }
    }
}

impl MetricChoice {
    /// Finds the metric for targets and outputs whose last axes have these lengths. An unknown
    /// metric is an error, as is one that does not fit, and a name that the logs reserve.
    pub(crate) fn resolve(&self, target_width: usize, output_width: usize) -> Result<AnyMetric> {
        let is_taken = ["loss", "epoch", "learning_rate"].contains(&self.name.as_str());
        if is_taken || self.name.starts_with("val_") {
            let problem = format!(
                "a metric cannot be called {:?}: the logs have that name for another number",
                self.name
            );
            return Err(Error::option("metrics", problem));
        }
        let metric = match &self.class {
            Some(class) => class.clone(),
            None => AnyMetric::by_name(&self.name, target_width, output_width)?,
        };
        metric.check(&self.name, target_width, output_width)?;
        Ok(metric)
    }
}

impl Compiled {
    /// Loss to minimize.
    pub fn loss(&self) -> &AnyLoss {
        &self.loss
    }

    /// Optimizer state.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Takes over the optimizer state of an earlier compilation of this model if the slots are the
    /// same, and with `with_rate` also its learning rate.
    pub fn resume(&mut self, earlier: Compiled, with_rate: bool) {
        let layout = |compiled: &Compiled| {
            let names = compiled.optimizer.as_ref().map(|any| any.as_optimizer().slots());
            (names, compiled.state.slots.each_ref().map(Vec::len))
        };
        if layout(self) != layout(&earlier) {
            return;
        }
        let own_rate = self.state.learning_rate;
        self.state = earlier.state;
        if !with_rate {
            self.state.learning_rate = own_rate;
        }
    }

    /// Metrics to report.
    pub fn metrics(&self) -> &[MetricChoice] {
        &self.metrics
    }

    /// Optimizer.
    ///
    /// # Errors
    /// A model without an optimizer.
    pub fn optimizer(&self) -> Result<&AnyOptimizer> {
        self.optimizer.as_ref().ok_or_else(|| {
            Error::NotCompiled(
                "the model has a loss and no optimizer that is known here; compile it with one to \
                 train it"
                    .to_string(),
            )
        })
    }

    /// Learning rate of the next step; 0 without an optimizer.
    pub fn learning_rate(&self) -> f64 {
        let rate = |any: &AnyOptimizer| self.state.step(any.as_optimizer()).learning_rate;
        self.optimizer.as_ref().map_or(0.0, rate)
    }

    /// Sets the learning rate of the following steps.
    ///
    /// # Errors
    /// A rate out of range, and an optimizer whose rate follows a schedule.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        if let LearningRate::Schedule(_) = self.optimizer()?.as_optimizer().learning_rate() {
            return Err(Error::option(
                "learning_rate",
                "the learning rate follows a schedule, so nothing else can set it; give the \
                 optimizer a number",
            ));
        }
        LearningRate::Constant(rate).validate()?;
        self.state.learning_rate = rate;
        Ok(())
    }
}

impl Sequential {
    /// Sets optimizer, loss and metrics, and drops the state of an earlier optimizer. Optimizer and
    /// loss are names (`"adam"`, `"mse"`), classes with their options, or custom ones.
    ///
    /// # Errors
    /// Unknown names, options out of range, and metrics that do not fit the loss's targets.
    pub fn compile<O, L>(&mut self, optimizer: O, loss: L, metrics: &[&str]) -> Result<()>
    where
        O: TryInto<AnyOptimizer>,
        L: TryInto<AnyLoss>,
        Error: From<O::Error> + From<L::Error>,
    {
        let metrics = metrics.iter().map(|&name| name.into()).collect();
        self.compile_with(Some(optimizer.try_into()?), loss.try_into()?, metrics)
    }

    /// Like [`Sequential::compile`], with options for metrics and an optional optimizer; without
    /// one the model can only be evaluated.
    ///
    /// A second metric of the same name is logged as `name_1`, as in Keras. Errors are those of
    /// [`Sequential::compile`].
    pub fn compile_with(
        &mut self,
        optimizer: Option<AnyOptimizer>,
        loss: AnyLoss,
        mut metrics: Vec<MetricChoice>,
    ) -> Result<()> {
        if let Some(optimizer) = &optimizer {
            optimizer.as_optimizer().validate()?;
        }
        loss.as_loss().validate()?;
        if metrics.len() > MAX_METRICS {
            let n = metrics.len();
            let problem = format!("{n} metrics are more than the {MAX_METRICS} that fit");
            return Err(Error::option("metrics", problem));
        }
        let widths = self.vector_widths(&loss);
        for i in 0..metrics.len() {
            let class = metrics[i].resolve(widths.target, widths.output)?;
            let taken = |name: &str| metrics[..i].iter().any(|other| other.name == name);
            if taken(&metrics[i].name) {
                let mut names = (1..).map(|number| format!("{}_{number}", metrics[i].name));
                let name = names.find(|name| !taken(name)).unwrap_or_default();
                metrics[i] = MetricChoice { name, class: Some(class) };
            }
        }
        let rule = optimizer.as_ref().map(AnyOptimizer::as_optimizer);
        let state = OptimizerState::new(rule, self.count_params())?;
        self.compiled = Some(Compiled { optimizer, state, loss, metrics });
        Ok(())
    }

    /// Lengths of the last axis of targets and outputs.
    pub(crate) fn vector_widths(&self, loss: &AnyLoss) -> VectorWidths {
        let output = self.output_shape().last();
        let target = match loss.as_loss().target_form() {
            TargetForm::Labels => 1,
            TargetForm::Vectors => output,
        };
        VectorWidths { target, output }
    }

    /// Metric that this name in the logs (`accuracy`, `val_mae`) stands for: one that was compiled
    /// with options, or that of the name.
    pub fn logged_metric(&self, name: &str) -> Option<AnyMetric> {
        let name = name.strip_prefix("val_").unwrap_or(name);
        let mut choices = self.compiled.iter().flat_map(|compiled| &compiled.metrics);
        match choices.find(|choice| choice.name == name && choice.class.is_some()) {
            Some(choice) => choice.class.clone(),
            None => AnyMetric::by_name(name, 1, 1).ok(),
        }
    }

    /// Takes the configuration out of the model, to compile it again with parts of it.
    pub fn take_compiled(&mut self) -> Option<Compiled> {
        self.compiled.take()
    }

    /// Configuration of the compiled model.
    ///
    /// # Errors
    /// A model that was not compiled.
    pub fn compiled(&self) -> Result<&Compiled> {
        self.compiled.as_ref().ok_or_else(not_compiled)
    }

    /// Rejects the model of a file with options that training would ignore, and names all of them.
    pub(crate) fn check_trainable(&self) -> Result<()> {
        if self.training_obstacles.is_empty() {
            return Ok(());
        }
        let options = self.training_obstacles.join("\n  ");
        let problem = format!(
            "training would ignore what is not supported:\n  {options}\n  build the model without \
             it to train it here, or train it in Keras"
        );
        Err(Error::option("training_obstacles", problem))
    }

    /// Mutable configuration, for example to set the learning rate.
    pub fn compiled_mut(&mut self) -> Result<&mut Compiled> {
        self.compiled.as_mut().ok_or_else(not_compiled)
    }
}

/// Lengths of the last axis of targets and outputs.
#[derive(Clone, Copy)]
pub(crate) struct VectorWidths {
    pub target: usize,
    pub output: usize,
}

fn not_compiled() -> Error {
    Error::NotCompiled(
        "nothing says what the model is measured by: it was saved without a loss, or not compiled \
         yet\n  compile it first; on the command line, train FILE --epochs 0 --loss NAME \
         --optimizer sgd --save FILE does that and trains nothing"
            .to_string(),
    )
}
