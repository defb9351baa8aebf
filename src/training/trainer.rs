//! `fit`, `evaluate` and `predict`, as Keras means them.

use std::time::Instant;

use ndarray::ArrayD;

use super::engine::{Engine, Head, Tally, Threads, useful_threads};
use super::{Callback, Control, History, Logs};
use crate::datasets::batches::{Encoding, Rows, shuffle};
use crate::datasets::{Dataset, Inputs};
use crate::losses::TargetForm;
use crate::model::Sequential;
use crate::{Error, Real, Result, metrics};

/// Rows that are evaluated in one go: a constant, so that sums run in the same order everywhere.
const EVALUATION_ROWS: usize = 2048;

/// How a model is fitted. The defaults are Keras's.
#[derive(Debug, Clone, Copy)]
pub struct FitOptions<'a> {
    /// Rows of a batch; the last one of an epoch may be smaller, and is trained on all the same.
    pub batch_size: usize,
    /// Epochs to train.
    pub epochs: usize,
    /// Whether each epoch takes the rows in an order of its own.
    pub shuffle: bool,
    /// What is evaluated after every epoch.
    pub validation_data: Option<&'a Dataset>,
    /// The share of the rows, from the end, that is kept for validation. Not used beside `validation_data`.
    pub validation_split: f64,
}

impl Default for FitOptions<'_> {
    fn default() -> Self {
        FitOptions { batch_size: 32, epochs: 1, shuffle: true, validation_data: None, validation_split: 0.0 }
    }
}

/// What `evaluate` returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The mean loss.
    pub loss: f64,
    /// Each metric under the name that it was compiled with.
    pub metrics: Vec<(String, f64)>,
}

impl Sequential {
    /// Trains on a dataset and returns the numbers of every epoch.
    ///
    /// The loss of an epoch is the mean over its batches as they were trained, so over changing weights; `val_loss` is
    /// the loss of the weights at its end.
    ///
    /// # Errors
    /// A model that was not compiled, options out of range, data that do not fit the model, what a callback returns,
    /// and a loss that stops being finite: the parameters are then those before the batch in question.
    pub fn fit(&mut self, data: &Dataset, options: FitOptions, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        if options.batch_size == 0 {
            return Err(Error::Argument("a batch has at least 1 row; 0 were asked for".to_string()));
        }
        let rows = self.rows(data)?;
        let (rows, validation) = match options.validation_data {
            Some(validation) => (rows, Some(self.rows(validation)?)),
            None if options.validation_split != 0.0 => {
                let (rows, validation) = rows.split(options.validation_split)?;
                (rows, Some(validation))
            }
            None => (rows, None),
        };
        let batch_size = options.batch_size.min(rows.len());
        self.batch_size = Some(options.batch_size);
        let threads = Threads::new(self.n_threads().min(useful_threads(&self.plan, batch_size)))?;
        threads.clone().enter(|| Fit::new(self, rows, validation, batch_size, options, threads)?.run(callbacks))
    }

    /// The loss and the metrics over a dataset.
    ///
    /// # Errors
    /// A model that was not compiled, and data that do not fit the model.
    pub fn evaluate(&self, data: &Dataset) -> Result<Scores> {
        let rows = self.rows(data)?;
        let head = self.head()?;
        let threads = Threads::new(self.n_threads().min(useful_threads(&self.plan, rows.len().min(EVALUATION_ROWS))))?;
        let tally = threads.clone().enter(|| tally(self, &mut evaluation_engine(self, &threads, &rows), &head, &rows));
        let mut scores = means(&head, &tally).into_iter();
        let loss = scores.next().unwrap_or(f64::NAN);
        Ok(Scores { loss, metrics: self.compiled()?.metrics.iter().cloned().zip(scores).collect() })
    }

    /// The output for each sample, in their order; the first axis of `x` counts samples.
    ///
    /// # Errors
    /// Inputs that do not fit the model.
    pub fn predict(&self, x: &Inputs) -> Result<ArrayD<Real>> {
        let rows = Rows::inputs_only(x, self.input_shape())?;
        let threads = Threads::new(self.n_threads().min(useful_threads(&self.plan, rows.len())))?;
        let values = threads.clone().enter(|| {
            let mut engine = Engine::new(&self.plan, &threads, rows.len().min(EVALUATION_ROWS), 0, None);
            engine.predict(&self.plan, &self.parameters.values, &rows)
        });
        let shape: Vec<usize> = [rows.len()].into_iter().chain(self.output_shape().dims().iter().copied()).collect();
        ArrayD::from_shape_vec(shape, values).map_err(|error| Error::Data(error.to_string()))
    }

    /// The mean loss over a dataset taken as one batch, and its gradient at every parameter, in the order of the
    /// parameter vector.
    ///
    /// # Errors
    /// A model that was not compiled, and data that do not fit the model.
    pub fn gradients(&self, data: &Dataset) -> Result<(f64, Vec<Real>)> {
        let rows = self.rows(data)?;
        let head = self.head()?;
        let batch: Vec<u32> = (0..rows.len() as u32).collect();
        let threads = Threads::new(1)?;
        let mut engine = Engine::new(&self.plan, &threads, batch.len(), rows.target_width(), Some(self.count_params()));
        let tally = engine.gradients(&self.plan, &self.parameters.values, &head, &rows, &batch);
        Ok((means(&head, &tally)[0], engine.sum().to_vec()))
    }

    fn rows<'a>(&self, data: &'a Dataset) -> Result<Rows<'a>> {
        let encoding = match self.compiled()?.loss.target_form() {
            TargetForm::OneHot => Encoding::OneHot,
            TargetForm::Label => Encoding::Label,
        };
        Rows::new(data, self.input_shape(), self.output_shape(), encoding)
    }

    fn head(&self) -> Result<Head> {
        let compiled = self.compiled()?;
        let output_width = self.output_shape().last();
        let target_width = match compiled.loss.target_form() {
            TargetForm::OneHot => output_width,
            TargetForm::Label => 1,
        };
        let metric = |name: &String| metrics::by_name(name, target_width, output_width).map_err(Error::Argument);
        Ok(Head {
            loss: compiled.loss.clone(),
            metrics: compiled.metrics.iter().map(metric).collect::<Result<_>>()?,
            absorbed: self.plan.last_activation().is_some_and(|last| compiled.loss.absorbs(last)),
            positions: self.output_shape().n_positions(),
            output_width,
            target_width,
        })
    }
}

/// One run of `fit`.
struct Fit<'a> {
    model: &'a mut Sequential,
    rows: Rows<'a>,
    validation: Option<(Rows<'a>, Engine)>,
    head: Head,
    engine: Engine,
    batch_size: usize,
    options: FitOptions<'a>,
    /// `loss` and the metrics, as they are logged.
    names: Vec<String>,
}

impl<'a> Fit<'a> {
    fn new(
        model: &'a mut Sequential,
        rows: Rows<'a>,
        validation: Option<Rows<'a>>,
        batch_size: usize,
        options: FitOptions<'a>,
        threads: Threads,
    ) -> Result<Self> {
        let head = model.head()?;
        let names = ["loss".to_string()].into_iter().chain(model.compiled()?.metrics.iter().cloned()).collect();
        let engine =
            Engine::new(&model.plan, &threads, batch_size, rows.target_width(), Some(model.parameters.values.len()));
        let validation = validation.map(|rows| {
            let engine = evaluation_engine(model, &threads, &rows);
            (rows, engine)
        });
        Ok(Fit { model, rows, validation, head, engine, batch_size, options, names })
    }

    fn run(mut self, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        let mut history = History::default();
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        let first = self.model.epochs_done;
        let n_batches = order.len().div_ceil(self.batch_size);
        for callback in callbacks.iter_mut() {
            callback.on_train_begin(self.model, first, self.options.epochs, n_batches)?;
        }
        for epoch in first..first + self.options.epochs {
            for callback in callbacks.iter_mut() {
                callback.on_epoch_begin(self.model, epoch)?;
            }
            if self.options.shuffle {
                shuffle(&mut order, self.model.seed(), epoch);
            }
            let start = Instant::now();
            let tally = self.epoch(epoch, &order, callbacks)?;
            let seconds = start.elapsed().as_secs_f64();
            self.model.epochs_done = epoch + 1;
            let mut logs: Logs = self.names.iter().cloned().zip(means(&self.head, &tally)).collect();
            if let Some((rows, engine)) = &mut self.validation {
                let validated = means(&self.head, &self::tally(self.model, engine, &self.head, rows));
                logs.extend(self.names.iter().map(|name| format!("val_{name}")).zip(validated));
            }
            let mut control = Control::Continue;
            for callback in callbacks.iter_mut() {
                if callback.on_epoch_end(self.model, epoch, &mut logs)? == Control::Stop {
                    control = Control::Stop;
                }
            }
            history.record(epoch, logs, seconds);
            if control == Control::Stop {
                break;
            }
        }
        Ok(history)
    }

    fn epoch(&mut self, epoch: usize, order: &[u32], callbacks: &mut [&mut dyn Callback]) -> Result<Tally> {
        let mut total = Tally::ZERO;
        let model = &mut *self.model;
        for (number, batch) in order.chunks(self.batch_size).enumerate() {
            let tally = self.engine.gradients(&model.plan, &model.parameters.values, &self.head, &self.rows, batch);
            let loss = tally.loss / tally.vectors as f64;
            if !loss.is_finite() {
                return Err(Error::NotFinite { epoch: epoch + 1, batch: number + 1, loss, reason: reason(&self.rows) });
            }
            let compiled = model.compiled.as_mut().ok_or_else(crate::model::not_compiled)?;
            self.engine.update(&mut model.parameters.values, &*compiled.optimizer, &mut compiled.state);
            total.add(&tally);
            if !callbacks.is_empty() {
                let (means, n) = mean_array(&self.head, &total);
                callbacks.iter_mut().for_each(|callback| callback.on_batch_end(number, &self.names, &means[..n]));
            }
        }
        Ok(total)
    }
}

fn evaluation_engine(model: &Sequential, threads: &Threads, rows: &Rows) -> Engine {
    Engine::new(&model.plan, threads, rows.len().min(EVALUATION_ROWS), rows.target_width(), None)
}

fn tally(model: &Sequential, engine: &mut Engine, head: &Head, rows: &Rows) -> Tally {
    let mut total = Tally::ZERO;
    for first in (0..rows.len()).step_by(EVALUATION_ROWS) {
        let len = EVALUATION_ROWS.min(rows.len() - first);
        total.add(&engine.tally(&model.plan, &model.parameters.values, head, rows, first, len));
    }
    total
}

/// The loss and the metrics that sums come to.
fn means(head: &Head, tally: &Tally) -> Vec<f64> {
    let (means, n) = mean_array(head, tally);
    means[..n].to_vec()
}

fn mean_array(head: &Head, tally: &Tally) -> ([f64; 1 + crate::model::MAX_METRICS], usize) {
    let mut means = [0.0; 1 + crate::model::MAX_METRICS];
    means[0] = tally.loss / tally.vectors as f64;
    for ((mean, metric), counters) in means[1..].iter_mut().zip(&head.metrics).zip(&tally.counters) {
        *mean = metric.result(counters);
    }
    (means, 1 + head.metrics.len())
}

/// What a loss that is not finite most likely comes from.
fn reason(rows: &Rows) -> String {
    rows.suspicion().unwrap_or_else(|| "the learning rate is probably too large; try a tenth of it".to_string())
}
