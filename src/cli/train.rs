//! `tallynet train`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tallynet::datasets::TrainTest;
use tallynet::losses::AnyLoss;
use tallynet::model::{Compiled, MetricChoice, Sequential, Style};
use tallynet::optimizers::AnyOptimizer;
use tallynet::report::Progress;
use tallynet::training::{
    CSVLogger, Callback, EarlyStopping, FitOptions, History, ModelCheckpoint, ReduceLROnPlateau,
    Scores,
};
use tallynet::{Error, datasets, formats};

use super::data::{Data, DataSource};
use super::interrupt::Interrupt;
use super::{Failure, LoadedModel, Outcome, evaluate, from_1, output, schedule};

/// Train a model, evaluate it on the test set and verify its weights.
///
/// Validation after every epoch uses the test set, or the samples that --validation-split holds
/// out. The test score is always taken on the test set. Ctrl-C ends training after the current
/// batch; the model is still evaluated and saved.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet train
  tallynet train mnist-softmax --epochs 3 --learning-rate 0.1 --save digits.safetensors
  tallynet train digits.safetensors --epochs 5 --save digits.safetensors
  tallynet train --data fashion-mnist/ --validation-split 0.1 --quiet
  tallynet train --epochs 50 --patience 3 --csv log.csv
  tallynet train --epochs 50 --checkpoint '{epoch:02d}-{val_loss:.3f}.safetensors'
  tallynet train --optimizer rmsprop --metrics accuracy,precision --reduce-on-plateau=5
  tallynet train --schedule exponential:decay_steps=469,decay_rate=0.8,staircase=true

Schedules, with Keras's names and defaults; a step is a batch:
  exponential:decay_steps=1000,decay_rate=0.96
  inverse-time:decay_steps=1000,decay_rate=0.5
  polynomial:decay_steps=5000,end_learning_rate=0
  piecewise:boundaries=1000/5000,values=0.1/0.01/0.001
  cosine:decay_steps=5000,initial_learning_rate=0,warmup_target=0.1,warmup_steps=500")]
pub struct Train {
    /// Preset (see `tallynet models`), or saved file, to continue its training
    #[arg(default_value = "mnist-softmax")]
    model: String,
    #[command(flatten)]
    data: Data,
    /// Number of epochs [default: the preset's; 1 for a saved file]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<usize>,
    /// Batch size [default: the model's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = from_1())]
    batch_size: Option<usize>,
    /// Optimizer: sgd, rmsprop, adagrad, adadelta, adam, adamw, adamax or nadam [default: the
    /// model's]
    #[arg(long, value_name = "NAME", value_parser = AnyOptimizer::by_name)]
    optimizer: Option<AnyOptimizer>,
    /// Learning rate [default: the model's, or the named optimizer's]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    learning_rate: Option<f64>,
    /// Learning-rate schedule, as in the examples below; it starts at --learning-rate
    #[arg(long, value_name = "NAME:OPTIONS", conflicts_with = "reduce_on_plateau")]
    schedule: Option<String>,
    /// Multiply the learning rate by 0.1 after N epochs (10) without improvement of val_loss
    #[arg(long, value_name = "N")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "10")]
    reduce_on_plateau: Option<usize>,
    /// Stop after N epochs without improvement of val_loss, and restore the best weights
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    patience: Option<usize>,
    /// Momentum, from 0 to 1 (sgd only) [default: the model's]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    momentum: Option<f64>,
    /// Nesterov's variant of momentum (sgd only)
    #[arg(long)]
    nesterov: bool,
    /// Loss to minimize: categorical_crossentropy, mse, huber, … [default: the model's]
    #[arg(long, value_name = "NAME", value_parser = AnyLoss::by_name)]
    loss: Option<AnyLoss>,
    /// Metrics to report, separated by commas: accuracy, mae, precision, … [default: the model's]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    metrics: Option<Vec<String>>,
    /// Random seed of initial weights, shuffling and dropout [default: 0, or the saved file's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Maximum number of threads; the result does not depend on it [default: the machine's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = from_1())]
    threads: Option<usize>,
    /// Fraction of the training samples, taken from the end, to validate on instead of the test set
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    validation_split: Option<f64>,
    /// Keep the order of the training samples in every epoch
    #[arg(long)]
    no_shuffle: bool,
    /// Print only the test score and the metrics
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
    /// Save the model after every epoch with the best val_loss so far; the name may contain
    /// {epoch:02d} and {val_loss:.2f}
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<String>,
    /// Write the logs of every epoch to a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Save the trained model: .keras, .safetensors, .weights.h5, .npz or .json
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Train {
    pub fn run(self) -> Outcome {
        let start = Instant::now();
        let mut loaded = LoadedModel::open(&self.model, self.seed)?;
        self.compile(&mut loaded.model)?;
        loaded.model.n_threads = self.threads.unwrap_or(loaded.model.n_threads);
        loaded.is_quiet = self.quiet || self.json;
        let source = self.data.source(&loaded.model)?;
        self.check_outputs(&source)?;
        if !loaded.is_quiet {
            output::result(&loaded.model.summary(Style::Keras1, None))?;
        }
        let data = self.data.load(&source, &loaded)?;
        let history = self.fit(&mut loaded, &data)?;
        let model = loaded.model;
        let scores = model.evaluate(&data.test)?;
        let verification = model.verify()?;
        if self.json {
            let seconds = start.elapsed().as_secs_f64();
            return output::result(&json_line(&model, &history, &scores, seconds));
        }
        let mut text = evaluate::lines(&scores);
        if !self.quiet {
            text += &format!("\n{verification}\n");
            if let Some(path) = &self.save {
                text += &format!("{}\n", output::saved(path));
            }
        }
        output::result(&text)
    }

    /// Trains the model and saves it.
    fn fit(&self, loaded: &mut LoadedModel, data: &TrainTest) -> Result<History, Failure> {
        let options = FitOptions {
            batch_size: self.batch_size.unwrap_or(loaded.batch_size),
            epochs: self.epochs.unwrap_or(loaded.epochs),
            shuffle: !self.no_shuffle,
            validation_data: self.validation_split.is_none().then_some(&data.test),
            validation_split: self.validation_split.unwrap_or(0.0),
            ..FitOptions::default()
        };
        let mut callbacks = self.callbacks(!loaded.is_quiet);
        let mut callbacks: Vec<&mut dyn Callback> =
            callbacks.iter_mut().map(|callback| &mut **callback as _).collect();
        let model = &mut loaded.model;
        let steps_before = model.compiled()?.state().iteration;
        let history = model.fit(&data.train, options, &mut callbacks);
        // An error of a callback (a full disk) does not lose the trained model.
        let is_trained = match &history {
            Ok(_) => true,
            Err(Error::NotFinite { .. }) => false,
            Err(_) => model.compiled()?.state().iteration > steps_before,
        };
        if is_trained && let Some(path) = &self.save {
            formats::save(model, path)?;
        }
        Ok(history?)
    }

    /// Refuses outputs that cannot be written, or that would overwrite another file, before
    /// training starts.
    fn check_outputs(&self, source: &DataSource) -> Outcome {
        if let Some(fraction) = self.validation_split
            && !(fraction > 0.0 && fraction < 1.0)
        {
            return Err(Failure::usage("--validation-split is between 0 and 1, such as 0.1"));
        }
        let mut files = match source {
            DataSource::Path(path) => datasets::files(path),
            DataSource::Synthetic(_) => vec![],
        };
        let checkpoint = self.checkpoint.as_ref().map(PathBuf::from);
        let models = [("--save", &self.save), ("--checkpoint", &checkpoint)];
        for (flag, path) in models {
            if let Some(path) = path {
                output::refuse_overwriting(flag, path, &files)?;
                formats::check_savable(path)?;
                files.push(path.clone());
            }
        }
        if let Some(path) = &self.csv {
            files.push(PathBuf::from(&self.model));
            output::refuse_overwriting("--csv", path, &files)?;
            formats::check_writable(path)?;
        }
        if let Some(path) = checkpoint.filter(|path| !formats::holds_weights(path)) {
            let extension = path.extension().unwrap_or_default().to_string_lossy();
            return Err(Failure::usage(format!(
                "--checkpoint: a .{extension} would hold no weights; end it in .keras or \
                 .safetensors"
            )));
        }
        Ok(())
    }

    /// The callbacks of the flags. Progress is last: it prints the logs that others add.
    fn callbacks(&self, verbose: bool) -> Vec<Box<dyn Callback>> {
        let mut callbacks: Vec<Box<dyn Callback>> = vec![Box::new(Interrupt::listen())];
        if let Some(patience) = self.reduce_on_plateau {
            let reduce = ReduceLROnPlateau { patience, verbose, ..ReduceLROnPlateau::default() };
            callbacks.push(Box::new(reduce));
        }
        if let Some(patience) = self.patience {
            let restore_best_weights = true;
            let default = EarlyStopping::default();
            let stopping = EarlyStopping { patience, verbose, restore_best_weights, ..default };
            callbacks.push(Box::new(stopping));
        }
        if let Some(path) = &self.checkpoint {
            let save_best_only = true;
            let new = ModelCheckpoint::new(path);
            callbacks.push(Box::new(ModelCheckpoint { save_best_only, verbose, ..new }));
        }
        if callbacks.len() > 1 && verbose && self.validation_split.is_none() {
            output::notice(
                "val_loss is that of the test set, which makes the test score optimistic; \
                 --validation-split F holds out training samples for it.",
            );
        }
        if let Some(path) = &self.csv {
            callbacks.push(Box::new(CSVLogger::new(path)));
        }
        if verbose {
            callbacks.push(Box::new(Progress::default()));
        }
        callbacks
    }

    /// Compiles the model with the flags; what they leave out stays as it was compiled before.
    fn compile(&self, model: &mut Sequential) -> Outcome {
        let old = model.compiled().ok().cloned();
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
        model.compile_with(Some(optimizer), loss, self.metrics(old.as_ref()))?;
        if let Some(old) = old {
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

    fn metrics(&self, old: Option<&Compiled>) -> Vec<MetricChoice> {
        match (&self.metrics, old) {
            (Some(names), _) => names
                .iter()
                .map(|name| name.trim())
                .filter(|name| !name.is_empty())
                .map(MetricChoice::from)
                .collect(),
            (None, Some(old)) => old.metrics().to_vec(),
            (None, None) => vec![],
        }
    }
}

fn json_line(model: &Sequential, history: &History, scores: &Scores, seconds: f64) -> String {
    let by_layer: BTreeMap<_, _> =
        model.layers().iter().map(|each| (each.name(), each.count_params().total)).collect();
    let by_name: BTreeMap<_, _> =
        history.series.iter().map(|series| (&series.name, &series.values)).collect();
    let line = json!({
        "loss": scores.loss,
        "metrics": BTreeMap::from_iter(scores.metrics.clone()),
        "history": by_name,
        "parameters": { "total": model.count_params(), "layers": by_layer },
        "fingerprint": model.fingerprint(),
        "seed": model.seed,
        "threads": model.n_threads,
        "seconds": seconds,
        "seconds_per_epoch": history.median_seconds(),
    });
    format!("{line}\n")
}
