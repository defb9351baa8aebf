//! `Trainer`: a model with the threads and buffers of its training, and the methods of
//! [`Sequential`] that use one for a single call.

use ndarray::ArrayD;

use super::engines::{EVALUATION_ROWS, Engines, Evaluation, engine_for, scores};
use super::fit::{Fit, reason_of_not_finite};
use super::gradient_check::BatchLoss;
use super::loss_head::Objective;
use super::{Callback, FitOptions, History};
use crate::datasets::{Dataset, Inputs};
use crate::model::Sequential;
use crate::{Error, Real, Result};

/// Result of `evaluate`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Mean loss, penalties included.
    pub loss: f64,
    /// Each metric under the name that it was compiled with.
    pub metrics: Vec<(String, f64)>,
}

/// A model with threads and buffers that are kept between calls. The methods of [`Sequential`] set
/// them up for each call, which is slower for many small calls.
///
/// ```
/// use ndarray::Array;
/// use tallynet::datasets::{Dataset, Inputs, Targets};
/// use tallynet::layers::Dense;
/// use tallynet::model::Sequential;
/// use tallynet::training::Trainer;
///
/// let mut model = Sequential::builder([3]).add(Dense::new(1)).build(0)?;
/// model.compile("sgd", "mse", &[])?;
/// let (x, y) = (Array::ones(vec![8, 3]), Array::zeros(vec![8, 1]));
/// let batch = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
///
/// let mut trainer = Trainer::new(&mut model);
/// let first = trainer.train_on_batch(&batch)?.loss;
/// for _ in 0..20 {
///     trainer.train_on_batch(&batch)?;
/// }
/// assert!(trainer.evaluate(&batch)?.loss < first);
/// # Ok::<(), tallynet::Error>(())
/// ```
pub struct Trainer<'m> {
    model: &'m mut Sequential,
    engines: Engines,
}

impl<'m> Trainer<'m> {
    /// Trainer of this model. The first call starts threads and allocates buffers.
    pub fn new(model: &'m mut Sequential) -> Self {
        Trainer { model, engines: Engines::default() }
    }

    /// Model in training.
    pub fn model(&self) -> &Sequential {
        self.model
    }

    /// Trains on a dataset, as [`Sequential::fit`], with its errors.
    pub fn fit(
        &mut self,
        data: &Dataset,
        options: FitOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History> {
        options.validate()?;
        self.model.compiled()?.optimizer()?;
        let FitData { training, validation } = FitData::new(self.model, data, &options)?;
        let engines = &mut self.engines;
        let (rows, n) = (&training.rows, options.batch_size.min(training.rows.len()));
        let engine = engine_for(&mut engines.training, self.model, rows, n, true, None)?;
        let threads = engine.threads.clone();
        let validation = match validation {
            Some(objective) => {
                let (rows, n) = (&objective.rows, objective.rows.len().min(EVALUATION_ROWS));
                let slot = &mut engines.evaluation;
                let engine = engine_for(slot, self.model, rows, n, false, Some(&threads))?;
                Some(Evaluation { engine, objective })
            }
            None => None,
        };
        if options.epochs > options.initial_epoch {
            self.model.check_trainable()?;
            self.model.batch_size = Some(options.batch_size);
            self.model.byte_scale = data.x.byte_scale().or(self.model.byte_scale);
        }
        let fit = Fit::new(self.model, training, engine, validation, options);
        threads.install(|| fit.run(callbacks))
    }

    /// Takes one optimizer step with the whole dataset as one batch. Returns loss and metrics
    /// before the step.
    ///
    /// # Errors
    /// Data that do not fit the model, and a loss that is not finite: the weights are then
    /// unchanged.
    pub fn train_on_batch(&mut self, data: &Dataset) -> Result<Scores> {
        let model = &mut *self.model;
        model.compiled()?.optimizer()?;
        model.check_trainable()?;
        let objective = Objective::new(model, data)?;
        let batch: Vec<u32> = (0..objective.rows.len() as u32).collect();
        let slot = &mut self.engines.training;
        let engine = engine_for(slot, model, &objective.rows, batch.len(), true, None)?;
        model.byte_scale = data.x.byte_scale().or(model.byte_scale);
        let threads = engine.threads.clone();
        let sums = threads.install(|| engine.train_step(model, &objective, &batch, &[]));
        let loss = sums.mean_loss();
        if !loss.is_finite() {
            let reason = reason_of_not_finite(model.parameters.are_finite(), &objective.rows);
            return Err(Error::NotFinite { epoch: 1, batch: 1, loss, reason });
        }
        Ok(scores(&objective.head, &sums))
    }

    /// Loss and metrics over a dataset, as [`Sequential::evaluate`], with its errors.
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Scores> {
        self.engines.evaluate(self.model, data)
    }

    /// Outputs for all samples, as [`Sequential::predict`], with its errors.
    pub fn predict(&mut self, x: &Inputs) -> Result<ArrayD<Real>> {
        self.engines.predict(self.model, x)
    }
}

impl Sequential {
    /// Trains on a dataset and returns loss and metrics of every epoch. It prints nothing; the
    /// callback `report::Progress` does.
    ///
    /// The loss of an epoch is the mean over its batches, each before its own step; `val_loss` is
    /// that of the weights at the end of the epoch.
    ///
    /// # Errors
    /// A model that was not compiled, options out of range, data that do not fit the model, errors
    /// of callbacks, and a loss that is not finite, unless [`Callback::on_not_finite`] ends
    /// training. In both cases the weights are those before that batch.
    pub fn fit(
        &mut self,
        data: &Dataset,
        options: FitOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History> {
        Trainer::new(self).fit(data, options, callbacks)
    }

    /// Takes one optimizer step on one batch, as [`Trainer::train_on_batch`], with its errors.
    pub fn train_on_batch(&mut self, data: &Dataset) -> Result<Scores> {
        Trainer::new(self).train_on_batch(data)
    }

    /// Loss and metrics over a dataset.
    ///
    /// # Errors
    /// A model that was not compiled, and data that do not fit it.
    pub fn evaluate(&self, data: &Dataset) -> Result<Scores> {
        Engines::default().evaluate(self, data)
    }

    /// Outputs for all samples, in order; the first axis of `x` is the sample axis.
    ///
    /// # Errors
    /// Inputs that do not fit the model.
    pub fn predict(&self, x: &Inputs) -> Result<ArrayD<Real>> {
        Engines::default().predict(self, x)
    }

    /// Mean loss over a dataset taken as one batch, and its gradient with respect to every
    /// parameter, penalties included. Gradients of frozen layers are unspecified. Errors are those
    /// of [`Sequential::evaluate`].
    pub fn gradients(&self, data: &Dataset) -> Result<LossGradient> {
        let mut batch = BatchLoss::new(self, data)?;
        let loss = batch.at(self);
        Ok(LossGradient { loss, gradient: batch.engine.gradient(&self.parameters).to_vec() })
    }
}

/// Loss and its gradient, in the order of the parameter vector.
#[derive(Debug, Clone)]
pub struct LossGradient {
    /// Mean loss.
    pub loss: f64,
    /// Gradient with respect to every parameter.
    pub gradient: Vec<Real>,
}

/// Rows to train on and to validate on.
struct FitData<'d> {
    training: Objective<'d>,
    validation: Option<Objective<'d>>,
}

impl<'d> FitData<'d> {
    /// Splits and weights the rows as the options say.
    fn new(model: &Sequential, data: &'d Dataset, options: &FitOptions<'d>) -> Result<Self> {
        let Objective { head, rows } = Objective::new(model, data)?;
        let mut rows = rows.weighted(options.sample_weight, None)?;
        let mut validation = None;
        if let Some(data) = options.validation_data {
            validation = Some(Objective::new(model, data).map_err(in_validation_data)?);
        } else if options.validation_split != 0.0 {
            let (first, last) = rows.split(options.validation_split)?;
            rows = first;
            validation = Some(Objective { head: head.clone(), rows: last });
        }
        // Class weights do not apply to validation; sample weights stay with their rows.
        if options.class_weight.is_some() {
            rows = rows.weighted(options.sample_weight, options.class_weight)?;
        }
        Ok(FitData { training: Objective { head, rows }, validation })
    }
}

fn in_validation_data(error: Error) -> Error {
    match error {
        Error::Data(problem) => Error::Data(format!("in the validation data: {problem}")),
        other => other,
    }
}
