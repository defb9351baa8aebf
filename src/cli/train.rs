//! `tallynet train`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tallynet::losses::AnyLoss;
use tallynet::model::{Sequential, Style};
use tallynet::optimizers::AnyOptimizer;
use tallynet::report::Progress;
use tallynet::training::{
    CSVLogger, Callback, EarlyStopping, FitOptions, History, ModelCheckpoint, ReduceLROnPlateau,
    Scores,
};
use tallynet::{Error, datasets, formats};

use super::data::{Data, Place};
use super::interrupt::Interrupt;
use super::{Failure, Outcome, choose, evaluate, from_1, output, schedule};

/// Train a model, score it on the test set and verify its weights.
///
/// After every epoch the model is evaluated on the test set, or on the rows that --validation-split
/// keeps. The test score is always taken on the test set. Ctrl-C ends the training after the batch,
/// and all that follows it still does.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet train
  tallynet train mnist-softmax --epochs 3 --learning-rate 0.1 --save digits.safetensors
  tallynet train digits.safetensors --epochs 5 --save digits.safetensors
  tallynet train --data fashion-mnist/ --validation-split 0.1 --quiet
  tallynet train --epochs 50 --patience 3 --checkpoint '{epoch:02d}-{val_loss:.3f}.safetensors' --csv log.csv
  tallynet train --optimizer rmsprop --metrics accuracy,top_k_categorical_accuracy --reduce-on-plateau=5
  tallynet train --learning-rate 0.1 --schedule exponential:decay_steps=469,decay_rate=0.8,staircase=true

Schedules, with Keras's names and defaults; a step is a batch:
  exponential:decay_steps=1000,decay_rate=0.96      inverse-time:decay_steps=1000,decay_rate=0.5
  polynomial:decay_steps=5000,end_learning_rate=0   piecewise:boundaries=1000/5000,values=0.1/0.01/0.001
  cosine:decay_steps=5000,initial_learning_rate=0,warmup_target=0.1,warmup_steps=500")]
pub struct Train {
    /// A name that `tallynet models` lists, or a saved file, which goes on where it stopped
    #[arg(default_value = "mnist-softmax")]
    model: String,

    #[command(flatten)]
    data: Data,

    /// Epochs to train [default: the model's; 1 for a saved file]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<usize>,

    /// Rows of a batch [default: the model's]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = from_1())]
    batch_size: Option<usize>,

    /// How the gradient moves the parameters: sgd, rmsprop, adagrad, adam or adamw [default: the
    /// model's]
    #[arg(long, value_name = "NAME", value_parser = AnyOptimizer::by_name)]
    optimizer: Option<AnyOptimizer>,

    /// How far a step goes [default: the model's, or the named optimizer's]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    learning_rate: Option<f64>,

    /// How the learning rate changes from batch to batch, as in the examples below; it starts at
    /// --learning-rate
    #[arg(long, value_name = "NAME:OPTIONS", conflicts_with = "reduce_on_plateau")]
    schedule: Option<String>,

    /// Take a tenth of the learning rate after N epochs without a better val_loss [default: 10]
    #[arg(long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "10")]
    reduce_on_plateau: Option<usize>,

    /// Stop after N epochs without a better val_loss, and go back to the best weights
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    patience: Option<usize>,

    /// How much of its last move a parameter keeps, from 0 to 1; for sgd [default: the model's]
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    momentum: Option<f64>,

    /// What training makes small: categorical_crossentropy, mse, huber, … [default: the model's]
    #[arg(long, value_name = "NAME", value_parser = AnyLoss::by_name)]
    loss: Option<AnyLoss>,

    /// What is counted beside the loss, separated by commas: accuracy, mae, precision, … [default:
    /// the model's]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    metrics: Option<Vec<String>>,

    /// What the first weights and the order of rows are drawn from [default: 0, or the saved
    /// file's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seed: Option<u64>,

    /// Threads at most; the result does not depend on it [default: as many as the machine has]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = from_1())]
    threads: Option<usize>,

    /// Validate on this share of the training rows, taken from their end, instead of on the test
    /// set
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    validation_split: Option<f64>,

    /// Take the rows in their own order in every epoch
    #[arg(long)]
    no_shuffle: bool,

    /// Print the test score and the metrics alone
    #[arg(long, conflicts_with = "json")]
    quiet: bool,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,

    /// Save the model after every epoch with the best val_loss so far; {epoch:02d} and
    /// {val_loss:.2f} stand for values
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<String>,

    /// Write the numbers of every epoch to a CSV file
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,

    /// Save the trained model: .keras, .safetensors, .weights.h5, .npz or .json
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Train {
    pub fn run(self) -> Outcome {
        let start = Instant::now();
        let silent = self.quiet || self.json;
        let mut chosen = choose(&self.model, self.seed)?;
        self.compile(&mut chosen.model)?;
        chosen.model.n_threads = self.threads.unwrap_or(chosen.model.n_threads);
        let place = self.data.place(&chosen)?;
        self.check(&place)?;
        if !silent {
            output::result(&chosen.model.summary(Style::Keras1, None))?;
        }
        let mut callbacks = self.callbacks(!silent);
        let data = self.data.load(&place, &chosen, silent)?;
        let mut model = chosen.model;
        let options = FitOptions {
            batch_size: self.batch_size.unwrap_or(chosen.batch_size),
            epochs: self.epochs.unwrap_or(chosen.epochs),
            shuffle: !self.no_shuffle,
            validation_data: self.validation_split.is_none().then_some(&data.test),
            validation_split: self.validation_split.unwrap_or(0.0),
            ..FitOptions::default()
        };
        let mut callbacks: Vec<&mut dyn Callback> =
            callbacks.iter_mut().map(|callback| &mut **callback as _).collect();
        let steps =
            |model: &Sequential| model.compiled().map_or(0, |compiled| compiled.state().iteration);
        let before = steps(&model);
        let history = model.fit(&data.train, options, &mut callbacks);
        // First of all what would be lost otherwise: also where a callback's file could not be
        // written any more.
        let is_trained = history.is_ok()
            || (!matches!(history, Err(Error::NotFinite { .. })) && steps(&model) > before);
        if let Some(path) = self.save.as_ref().filter(|_| is_trained) {
            formats::save(&model, path)?;
        }
        let history = history?;
        let scores = model.evaluate(&data.test)?;
        let verification = model.verify()?;
        let mut text = evaluate::lines(&scores);
        if self.json {
            text = json_line(&model, &history, &scores, start.elapsed().as_secs_f64());
        } else if !self.quiet {
            text += &format!("\n{verification}\n");
            text += &self.save.as_ref().map_or(String::new(), |path| output::saved(path) + "\n");
        }
        output::result(&text)
    }

    /// Refuses what training would only stumble over at its end, and what would write over other
    /// files.
    fn check(&self, data: &Place) -> Outcome {
        if self.validation_split.is_some_and(|share| !(share > 0.0 && share < 1.0)) {
            return Err(Failure::usage("--validation-split is between 0 and 1, such as 0.1"));
        }
        let checkpoint = self.checkpoint.as_ref().map(Path::new);
        let outputs = [
            ("--save", self.save.as_deref()),
            ("--checkpoint", checkpoint),
            ("--csv", self.csv.as_deref()),
        ];
        let mut read = match data {
            Place::Path(path) => datasets::files(path),
            Place::Synthetic(_) => vec![],
        };
        for (flag, path) in outputs.into_iter().filter_map(|(flag, path)| Some((flag, path?))) {
            output::refuse_overwriting(flag, path, &read)?;
            if flag == "--csv" {
                output::refuse_overwriting(flag, path, &[PathBuf::from(&self.model)])?;
                formats::check_writable(path)?;
            } else {
                formats::check_savable(path)?;
            }
            read.push(path.to_path_buf());
        }
        let problem =
            "--checkpoint: a .json would hold no weights; end it in .keras or .safetensors";
        checkpoint
            .is_none_or(formats::holds_weights)
            .then_some(())
            .ok_or_else(|| Failure::usage(problem))
    }

    /// What the flags ask for beside training. The progress comes last: it prints what the others
    /// add to the logs.
    fn callbacks(&self, verbose: bool) -> Vec<Box<dyn Callback>> {
        let mut callbacks: Vec<Box<dyn Callback>> = vec![Box::new(Interrupt::listen())];
        if let Some(patience) = self.reduce_on_plateau {
            callbacks.push(Box::new(ReduceLROnPlateau {
                patience,
                verbose,
                ..ReduceLROnPlateau::default()
            }));
        }
        if let Some(patience) = self.patience {
            let stopping = EarlyStopping {
                patience,
                verbose,
                restore_best_weights: true,
                ..EarlyStopping::default()
            };
            callbacks.push(Box::new(stopping));
        }
        if let Some(path) = &self.checkpoint {
            callbacks.push(Box::new(ModelCheckpoint {
                save_best_only: true,
                verbose,
                ..ModelCheckpoint::new(path)
            }));
        }
        if callbacks.len() > 1 && verbose && self.validation_split.is_none() {
            output::notice(
                "val_loss is that of the test set, which the test score then flatters; --validation-split F keeps rows for it.",
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

    /// Compiles the model anew where a flag says something else than it was compiled with.
    fn compile(&self, model: &mut Sequential) -> Outcome {
        let old = model.compiled().ok().cloned();
        let missing = |flags: &str| {
            Failure::usage(format!("{} does not say how it is trained; give {flags}", self.model))
        };
        let (optimizer, loss) = match &old {
            Some(old) => (old.optimizer().ok().cloned(), Some(old.loss().clone())),
            None => (None, None),
        };
        let (mut optimizer, loss) =
            match (self.optimizer.clone().or(optimizer), self.loss.clone().or(loss)) {
                (Some(optimizer), Some(loss)) => (optimizer, loss),
                (None, Some(_)) if old.is_some() => {
                    return Err(Failure::usage(
                        "the file has no optimizer that is known here; give --optimizer",
                    ));
                }
                (None, None) => return Err(missing("--optimizer and --loss")),
                (None, _) => return Err(missing("--optimizer, such as sgd or adam")),
                (_, None) => return Err(missing("--loss")),
            };
        let metrics = match &self.metrics {
            Some(names) => names
                .iter()
                .map(|name| name.trim())
                .filter(|name| !name.is_empty())
                .map(Into::into)
                .collect(),
            None => old.as_ref().map_or(vec![], |old| old.metrics().to_vec()),
        };
        if let Some(rate) = self.learning_rate {
            if let Some(own) = optimizer.learning_rate_mut() {
                *own = rate.into();
            }
        }
        if let Some(text) = &self.schedule {
            let default = optimizer.as_optimizer().learning_rate().at(0);
            let schedule = schedule::parse(text, self.learning_rate, default);
            if let Some(own) = optimizer.learning_rate_mut() {
                *own = schedule.map_err(Failure::usage)?;
            }
        }
        if let Some(momentum) = self.momentum {
            let AnyOptimizer::Sgd(sgd) = &mut optimizer else {
                let class = optimizer.class_name();
                return Err(Failure::usage(format!(
                    "--momentum is for sgd, and the optimizer is {class}"
                )));
            };
            sgd.momentum = momentum;
        }
        model.compile_with(Some(optimizer), loss, metrics)?;
        if let Some(old) = old {
            model
                .compiled_mut()?
                .resume(old, self.optimizer.is_none() && self.learning_rate.is_none());
        }
        Ok(())
    }
}

fn json_line(model: &Sequential, history: &History, scores: &Scores, seconds: f64) -> String {
    let by_layer: BTreeMap<_, _> =
        model.layers().iter().map(|each| (each.name(), each.count_params().total)).collect();
    let values_by_name: BTreeMap<_, _> =
        history.series.iter().map(|series| (&series.name, &series.values)).collect();
    let line = json!({
        "loss": scores.loss,
        "metrics": BTreeMap::from_iter(scores.metrics.clone()),
        "history": values_by_name,
        "parameters": { "total": model.count_params(), "layers": by_layer },
        "fingerprint": model.fingerprint(),
        "seed": model.seed,
        "threads": model.n_threads,
        "seconds": seconds,
        "seconds_per_epoch": history.median_seconds(),
    });
    format!("{line}\n")
}
