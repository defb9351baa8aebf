//! `fit`, `evaluate` and `predict`, as Keras means them.

use std::time::Instant;

use ndarray::ArrayD;

use super::batch::cut;
use super::engine::Engine;
use super::head::{Head, Tally};
use super::threads::Threads;
use super::{Callback, Control, Course, History, Logs};
use crate::datasets::batches::{Rows, shuffle};
use crate::datasets::{Dataset, Inputs};
use crate::model::Sequential;
use crate::{Error, Real, Result};

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
    /// The share of the rows, from the end, that is kept for validation. Not used beside
    /// `validation_data`.
    pub validation_split: f64,
    /// How much the loss of each row counts, one number a row; those that `validation_split` takes
    /// keep theirs, as in Keras. Metrics do not heed it. Not together with `class_weight`.
    pub sample_weight: Option<&'a [Real]>,
    /// How much the loss of a row counts by its class; classes that are not named count 1.
    pub class_weight: Option<&'a [(usize, Real)]>,
}

impl Default for FitOptions<'_> {
    fn default() -> Self {
        FitOptions {
            batch_size: 32,
            epochs: 1,
            shuffle: true,
            validation_data: None,
            validation_split: 0.0,
            sample_weight: None,
            class_weight: None,
        }
    }
}

/// What `evaluate` returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// The mean loss, penalties included.
    pub loss: f64,
    /// Each metric under the name that it was compiled with.
    pub metrics: Vec<(String, f64)>,
}

impl Sequential {
    /// Trains on a dataset and returns the numbers of every epoch. It prints nothing; the callback
    /// [`Progress`](super::Progress) does.
    ///
    /// The loss of an epoch is the mean over its batches as they were trained, so over changing
    /// weights; `val_loss` is the loss of the weights at its end.
    ///
    /// Errors are a model that was not compiled, options out of range, data that do not fit the
    /// model, what a callback returns, and a loss that stops being finite, unless a callback takes
    /// it ([`Callback::on_not_finite`]): the parameters are then those before the batch in
    /// question.
    pub fn fit(
        &mut self,
        data: &Dataset,
        options: FitOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<History> {
        if options.batch_size == 0 {
            return Err(Error::option(
                "batch_size",
                "a batch has at least 1 row; 0 were asked for".to_string(),
            ));
        }
        self.compiled()?.optimizer()?;
        let (head, mut rows) = Head::on(self, data)?;
        rows = rows.weighted(options.sample_weight, None)?;
        let mut validation = options
            .validation_data
            .map(|data| Head::on(self, data))
            .transpose()
            .map_err(|error| match error {
            Error::Data(problem) => Error::Data(format!("in the validation data: {problem}")),
            other => other,
        })?;
        if validation.is_none() && options.validation_split != 0.0 {
            let (first, last) = rows.split(options.validation_split)?;
            (rows, validation) = (first, Some((head.clone(), last)));
        }
        // Class weights are for training alone; sample weights go with their rows.
        if options.class_weight.is_some() {
            rows = rows.weighted(options.sample_weight, options.class_weight)?;
        }
        let batch_size = options.batch_size.min(rows.len());
        let (threads, engine) = engine(self, &rows, batch_size, true)?;
        let validation = validation.map(|(head, rows)| {
            let batch_size = rows.len().min(EVALUATION_ROWS);
            Engine::new(self, &threads, batch_size, rows.target_width(), false)
                .map(|engine| (engine, head, rows))
        });
        let validation = validation.transpose()?;
        let order = (0..rows.len() as u32).collect();
        if options.epochs > 0 {
            self.batch_size = Some(options.batch_size);
            self.byte_scale = data.x.byte_scale().or(self.byte_scale);
        }
        let (plan, sound) = (self.plan.id, self.is_sound());
        threads.enter(|| {
            Fit { model: self, plan, sound, rows, order, validation, head, engine, options }
                .run(callbacks)
        })
    }

    /// One step on one batch, all of the dataset: the loss and the metrics at the weights before
    /// it. A loss that is not finite is an error, and then nothing moves.
    pub fn train_on_batch(&mut self, data: &Dataset) -> Result<Scores> {
        self.compiled()?.optimizer()?;
        let (head, rows) = Head::on(self, data)?;
        let batch: Vec<u32> = (0..rows.len() as u32).collect();
        let (threads, mut engine) = engine(self, &rows, batch.len(), true)?;
        self.byte_scale = data.x.byte_scale().or(self.byte_scale);
        let sound = self.is_sound();
        let tally = threads.enter(|| step(self, &mut engine, &head, &rows, &batch, &[]));
        match tally.mean_loss() {
            loss if loss.is_finite() => Ok(scores(&head, &tally)),
            loss => Err(not_finite(sound, &rows, 0, 0, loss)),
        }
    }

    fn is_sound(&self) -> bool {
        self.parameters.values.iter().all(|value| value.is_finite())
    }

    /// The loss and the metrics over a dataset.
    pub fn evaluate(&self, data: &Dataset) -> Result<Scores> {
        let (head, rows) = Head::on(self, data)?;
        let (threads, mut engine) = engine(self, &rows, rows.len().min(EVALUATION_ROWS), false)?;
        Ok(scores(&head, &threads.enter(|| tally(self, &mut engine, &head, &rows))))
    }

    /// The output for each sample, in their order; the first axis of `x` counts samples.
    pub fn predict(&self, x: &Inputs) -> Result<ArrayD<Real>> {
        let rows = Rows::inputs_only(x, self.input_shape())?;
        let (threads, mut engine) = engine(self, &rows, rows.len().min(EVALUATION_ROWS), false)?;
        let values = threads.enter(|| engine.predict(self, &rows))?;
        let shape = [&[rows.len()], self.output_shape().dims()].concat();
        ArrayD::from_shape_vec(shape, values).map_err(|error| Error::Data(error.to_string()))
    }

    /// The mean loss over a dataset taken as one batch, and its gradient at every parameter, in the
    /// order of the parameter vector, penalties included. Where a layer is not trained its gradient
    /// means nothing.
    pub fn gradients(&self, data: &Dataset) -> Result<(f64, Vec<Real>)> {
        let (head, rows) = Head::on(self, data)?;
        let batch: Vec<u32> = (0..rows.len() as u32).collect();
        let mut engine =
            Engine::new(self, &Threads::new(1, 1)?, batch.len(), rows.target_width(), true)?;
        let tally = engine.gradients(self, &head, &rows, &batch, &[]);
        Ok((tally.mean_loss(), engine.sum().to_vec()))
    }
}

/// One run of `fit`.
struct Fit<'a> {
    model: &'a mut Sequential,
    /// The plan that memory is sized for.
    plan: u64,
    /// Whether the weights were finite before the first step.
    sound: bool,
    rows: Rows<'a>,
    /// The numbers of the rows, in the order in which they are taken.
    order: Vec<u32>,
    validation: Option<(Engine, Head, Rows<'a>)>,
    head: Head,
    engine: Engine,
    options: FitOptions<'a>,
}

impl Fit<'_> {
    fn run(mut self, callbacks: &mut [&mut dyn Callback]) -> Result<History> {
        let mut history = History::default();
        let batches = self.order.len().div_ceil(self.options.batch_size);
        let of_validation =
            self.validation.iter().flat_map(|_| &self.head.names).map(|name| format!("val_{name}"));
        let of_validation: Vec<_> = of_validation.collect();
        let added = callbacks.iter().flat_map(|callback| callback.adds()).map(ToString::to_string);
        let names: Vec<_> =
            self.head.names.iter().chain(&of_validation).cloned().chain(added).collect();
        let course = Course { epochs: self.options.epochs, batches, names: &names };
        callbacks
            .iter_mut()
            .try_for_each(|callback| callback.on_train_begin(self.model, &course))?;
        for epoch in 0..self.options.epochs {
            callbacks
                .iter_mut()
                .try_for_each(|callback| callback.on_epoch_begin(self.model, epoch))?;
            self.check_model()?;
            if self.options.shuffle {
                shuffle(&mut self.order, self.model.seed, self.model.epochs_done);
            }
            let start = Instant::now();
            let Some((tally, is_whole, mut control)) = self.epoch(epoch, callbacks)? else { break };
            let seconds = start.elapsed().as_secs_f64();
            // The last step may have left what no later loss was there to show.
            if !self.model.is_sound() {
                return Err(not_finite(self.sound, &self.rows, epoch, batches - 1, f64::NAN));
            }
            // An epoch that a callback cut short is taken from its beginning when training goes on.
            self.model.epochs_done = self.model.epochs_done.saturating_add(usize::from(is_whole));
            let mut logs: Logs =
                self.head.names.iter().cloned().zip(self.head.means(&tally)).collect();
            if let Some((engine, head, rows)) = &mut self.validation {
                let validated = head.means(&self::tally(self.model, engine, head, rows));
                logs.extend(of_validation.iter().cloned().zip(validated));
            }
            for callback in callbacks.iter_mut() {
                control = control.max(callback.on_epoch_end(self.model, epoch, &mut logs)?);
                self.check_model()?;
            }
            history.record(epoch, logs, seconds);
            if control == Control::Stop {
                break;
            }
        }
        callbacks.iter_mut().try_for_each(|callback| callback.on_train_end(self.model))?;
        Ok(history)
    }

    /// A callback may change the model that is trained, and not put another in its place, for which
    /// no memory is sized.
    fn check_model(&self) -> Result<()> {
        let replaced = || {
            Error::option(
                "model",
                "a callback put another model in the place of the one being trained".to_string(),
            )
        };
        (self.model.plan.id == self.plan).then_some(()).ok_or_else(replaced)
    }

    /// The sums of one epoch, whether all its batches were trained on, and whether it is the last;
    /// nothing where a callback ended it at a loss that is not finite.
    fn epoch(
        &mut self,
        epoch: usize,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Option<(Tally, bool, Control)>> {
        let mut total = Tally::ZERO;
        for (number, batch) in self.order.chunks(self.options.batch_size).enumerate() {
            let next =
                &self.order[((number + 1) * self.options.batch_size).min(self.order.len())..];
            let tally = step(self.model, &mut self.engine, &self.head, &self.rows, batch, next);
            let loss = tally.mean_loss();
            if !loss.is_finite() {
                let mut controls = callbacks
                    .iter_mut()
                    .map(|callback| callback.on_not_finite(epoch, number, loss));
                return match controls.any(|control| control == Control::Stop) {
                    true => Ok(None),
                    false => Err(not_finite(self.sound, &self.rows, epoch, number, loss)),
                };
            }
            total.add(&tally);
            let (names, means) = (&self.head.names, self.head.means(&total));
            let controls = callbacks
                .iter_mut()
                .map(|each| each.on_batch_end(number, names, &means[..names.len()]));
            if controls.max() == Some(Control::Stop) {
                return Ok(Some((total, next.is_empty(), Control::Stop)));
            }
        }
        Ok(Some((total, true, Control::Continue)))
    }
}

/// One step on a batch, unless its loss is not finite, and the sums at the weights before it.
fn step(
    model: &mut Sequential,
    engine: &mut Engine,
    head: &Head,
    rows: &Rows,
    batch: &[u32],
    next: &[u32],
) -> Tally {
    let tally = engine.gradients(model, head, rows, batch, next);
    if tally.mean_loss().is_finite() {
        engine.update(model);
    }
    tally
}

fn scores(head: &Head, tally: &Tally) -> Scores {
    let metrics = head.names.iter().cloned().zip(head.means(tally)).skip(1).collect();
    Scores { loss: tally.mean_loss(), metrics }
}

/// What the loss of a batch, it and the epoch counted from 0, most likely comes from.
fn not_finite(sound: bool, rows: &Rows, epoch: usize, batch: usize, loss: f64) -> Error {
    let reason = match rows.divergence_cause() {
        Some(reason) => reason,
        None if !sound => {
            "the weights held values that are not finite before the first step".to_string()
        }
        None => "the learning rate is probably too large; try a tenth of it".to_string(),
    };
    Error::NotFinite { epoch: epoch + 1, batch: batch + 1, loss, reason }
}

/// The threads of a run in batches of at most so many rows, and their memory.
fn engine(
    model: &Sequential,
    rows: &Rows,
    batch_size: usize,
    training: bool,
) -> Result<(Threads, Engine)> {
    let threads = Threads::new(model.n_threads, cut(&model.plan, batch_size).1)?;
    let engine = Engine::new(model, &threads, batch_size, rows.target_width(), training)?;
    Ok((threads, engine))
}

fn tally(model: &Sequential, engine: &mut Engine, head: &Head, rows: &Rows) -> Tally {
    let mut total = Tally::ZERO;
    for first in (0..rows.len()).step_by(EVALUATION_ROWS) {
        let len = EVALUATION_ROWS.min(rows.len() - first);
        total.add(&engine.tally(model, head, rows, first, len));
    }
    total.loss += model.parameters.penalty() * total.vectors as f64;
    total
}
