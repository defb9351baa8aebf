//! Optimizer, loss and metrics of a training: the flags, and what the model was compiled with.

use tallynet::losses::AnyLoss;
use tallynet::model::{Compiled, MetricChoice, Sequential};
use tallynet::optimizers::AnyOptimizer;

use super::super::{Failure, Outcome, schedule};
use super::Train;

impl Train {
    /// Compiles the model with the flags; options without a flag keep their compiled values.
    pub(super) fn compile(&self, model: &mut Sequential) -> Outcome {
        let old = model.take_compiled();
        let mut optimizer = self.optimizer.clone();
        let mut loss = self.loss.clone();
        if let Some(old) = &old {
            optimizer = optimizer.or(old.optimizer().ok().cloned());
            loss = loss.or(Some(old.loss().clone()));
        }
        let missing =
            |flags: &str| Failure::usage(format!("{} is not compiled; give {flags}", self.model));
        let (mut optimizer, loss) = match (optimizer, loss) {
            (Some(optimizer), Some(loss)) => (optimizer, loss),
            (None, Some(_)) if old.is_some() => {
                let message = "the file has no optimizer that is known here; give --optimizer";
                return Err(Failure::usage(message));
            }
            (None, Some(_)) => return Err(missing("--optimizer, such as sgd or adam")),
            (Some(_), None) => return Err(missing("--loss")),
            (None, None) => return Err(missing("--optimizer and --loss")),
        };
        self.apply_flags(&mut optimizer)?;
        let metrics = self.metrics(old.as_ref(), &loss);
        model.compile_with(Some(optimizer), loss, metrics)?;
        if let Some(old) = old {
            if old.loss().name() != model.compiled()?.loss().name() {
                // Values of another loss do not compare.
                model.best.clear();
                model.running_epoch = None;
            }
            let keeps_learning_rate = self.optimizer.is_none() && self.learning_rate.is_none();
            model.compiled_mut()?.resume(old, keeps_learning_rate);
        }
        Ok(())
    }

    /// Sets the learning rate and the momentum that the flags give.
    fn apply_flags(&self, optimizer: &mut AnyOptimizer) -> Outcome {
        if let Some(rate) = optimizer.learning_rate_mut() {
            if let Some(flag) = self.learning_rate {
                *rate = flag.into();
            }
            if let Some(text) = &self.schedule {
                *rate = schedule::parse(text, self.learning_rate, rate.at(0))?;
            }
        }
        let flag = match (self.momentum, self.nesterov) {
            (Some(_), _) => "--momentum",
            (None, true) => "--nesterov",
            (None, false) => return Ok(()),
        };
        let AnyOptimizer::Sgd(sgd) = optimizer else {
            let class = optimizer.class_name();
            let message = format!("{flag} is for sgd, and the optimizer is {class}");
            return Err(Failure::usage(message));
        };
        sgd.momentum = self.momentum.unwrap_or(sgd.momentum);
        sgd.nesterov |= self.nesterov;
        if self.nesterov && sgd.momentum == 0.0 {
            let message = "--nesterov has no effect without momentum; give --momentum, such as 0.9";
            return Err(Failure::usage(message));
        }
        Ok(())
    }

    /// Metrics of the flag or of the file; a model that was never compiled gets the accuracy, if
    /// its loss is one of classes.
    fn metrics(&self, old: Option<&Compiled>, loss: &AnyLoss) -> Vec<MetricChoice> {
        match (&self.metrics, old) {
            (Some(names), _) => names
                .iter()
                .map(|name| name.trim())
                .filter(|name| !name.is_empty())
                .map(MetricChoice::from)
                .collect(),
            (None, Some(old)) => old.metrics().to_vec(),
            (None, None) if loss.is_of_classes() => vec![MetricChoice::from("accuracy")],
            (None, None) => vec![],
        }
    }
}
