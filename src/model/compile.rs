//! How a model is trained: optimizer, loss and metrics, as Keras's `compile` takes them.

use super::Sequential;
use crate::losses::{AnyLoss, TargetForm};
use crate::metrics::AnyMetric;
use crate::optimizers::{AnyOptimizer, LearningRate, OptimizerState};
use crate::{Error, Result};

/// The most metrics that a model may be compiled with.
pub const MAX_METRICS: usize = 8;

/// What a model was compiled with.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// The rule; none where a file's is unknown here, and then the model can be evaluated and not
    /// trained.
    pub(crate) optimizer: Option<AnyOptimizer>,
    /// What the rule remembers: vectors as long as the parameters, as many as the rule keeps.
    pub(crate) state: OptimizerState,
    /// What training makes small.
    pub(crate) loss: AnyLoss,
    /// At most [`MAX_METRICS`], which resolve.
    pub(super) metrics: Vec<MetricChoice>,
}

/// A metric, and the name that its values go under.
///
/// Without a class the name is Keras's and says which metric it is; `accuracy` may then be one of
/// three.
#[derive(Debug, Clone)]
pub struct MetricChoice {
    /// The name.
    pub name: String,
    /// The metric, where it has options or a name of its own.
    pub class: Option<AnyMetric>,
}

impl From<&str> for MetricChoice {
    fn from(name: &str) -> Self {
        MetricChoice { name: name.to_string(), class: None }
    }
}

impl MetricChoice {
    /// The metric for targets and outputs whose last axes have these lengths. One that does not fit
    /// is an error, as is one whose name the logs have for something else.
    pub(crate) fn resolve(&self, target_width: usize, output_width: usize) -> Result<AnyMetric> {
        if self.name == "loss" || self.name.starts_with("val_") {
            let problem = format!(
                "a metric cannot be called {:?}: the logs have that name for another number",
                self.name
            );
            return Err(Error::option("metrics", problem));
        }
        let by_name = || AnyMetric::by_name(&self.name, target_width, output_width);
        let metric = self.class.clone().map_or_else(by_name, Ok)?;
        metric.check(&self.name, target_width, output_width)?;
        Ok(metric)
    }
}

impl Compiled {
    /// What training makes small.
    pub fn loss(&self) -> &AnyLoss {
        &self.loss
    }

    /// What the optimizer remembers.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Takes over what an earlier optimizer of this model remembers, if this one keeps the same,
    /// and where `with_rate` says so the learning rate that it had come to.
    pub fn resume(&mut self, earlier: Compiled, with_rate: bool) {
        let kept = |compiled: &Compiled| {
            let names =
                compiled.optimizer.as_ref().map(|optimizer| optimizer.as_optimizer().slots());
            (names, compiled.state.slots.each_ref().map(Vec::len))
        };
        if kept(self) == kept(&earlier) {
            let learning_rate =
                if with_rate { earlier.state.learning_rate } else { self.state.learning_rate };
            self.state = OptimizerState { learning_rate, ..earlier.state };
        }
    }

    /// What is counted beside the loss.
    pub fn metrics(&self) -> &[MetricChoice] {
        &self.metrics
    }

    /// The rule; an error where the file's is unknown.
    pub fn optimizer(&self) -> Result<&AnyOptimizer> {
        let problem = "the model has a loss and no optimizer that is known here; compile it with one to train it";
        self.optimizer.as_ref().ok_or_else(|| Error::NotCompiled(problem.to_string()))
    }

    /// The learning rate of the next step; 0 without a rule.
    pub fn learning_rate(&self) -> f64 {
        self.optimizer
            .as_ref()
            .map_or(0.0, |optimizer| self.state.step(optimizer.as_optimizer()).learning_rate)
    }

    /// Sets the learning rate of the steps to come. One out of range is an error, as is one beside
    /// a schedule.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        if let LearningRate::Schedule(_) = self.optimizer()?.as_optimizer().learning_rate() {
            let what = "the learning rate follows a schedule, so nothing else can set it; give the optimizer a number";
            return Err(Error::option("learning_rate", what.to_string()));
        }
        LearningRate::Constant(rate).validate()?;
        self.state.learning_rate = rate;
        Ok(())
    }
}

impl Sequential {
    /// Says how the model is trained. What an earlier optimizer remembered is forgotten. Options
    /// out of range, metrics that are not in the catalogue and metrics that the loss's targets do
    /// not fit are errors.
    pub fn compile(
        &mut self,
        optimizer: impl Into<AnyOptimizer>,
        loss: impl Into<AnyLoss>,
        metrics: &[&str],
    ) -> Result<()> {
        self.compile_with(
            Some(optimizer.into()),
            loss.into(),
            metrics.iter().map(|&name| name.into()).collect(),
        )
    }

    /// The same with metrics that may have options, and perhaps without an optimizer: then it can
    /// be evaluated alone.
    ///
    /// Of metrics with the same name the second goes under `name_1`, as in Keras.
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
            return Err(Error::option(
                "metrics",
                format!("{} metrics are more than the {MAX_METRICS} that fit", metrics.len()),
            ));
        }
        let (target_width, output_width) = self.widths(&loss);
        for i in 0..metrics.len() {
            let class = metrics[i].resolve(target_width, output_width)?;
            let taken = |name: &str| metrics[..i].iter().any(|other| other.name == name);
            if taken(&metrics[i].name) {
                let mut names = (1..).map(|number| format!("{}_{number}", metrics[i].name));
                let name = names.find(|name| !taken(name)).unwrap_or_default();
                metrics[i] = MetricChoice { name, class: Some(class) };
            }
        }
        let state = OptimizerState::new(
            optimizer.as_ref().map(AnyOptimizer::as_optimizer),
            self.count_params(),
        )?;
        self.compiled = Some(Compiled { optimizer, state, loss, metrics });
        Ok(())
    }

    /// The lengths of the last axis of targets and of outputs.
    pub(crate) fn widths(&self, loss: &AnyLoss) -> (usize, usize) {
        let output_width = self.output_shape().last();
        let target_width = match loss.as_loss().target_form() {
            TargetForm::Labels => 1,
            TargetForm::Vectors => output_width,
        };
        (target_width, output_width)
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

fn not_compiled() -> Error {
    let problem = "nothing says what the model is measured by: it was saved without a loss, or not compiled yet\n  compile \
                   it first; on the command line, train FILE --epochs 0 --loss NAME --optimizer sgd --save FILE does \
                   that and trains nothing";
    Error::NotCompiled(problem.to_string())
}
