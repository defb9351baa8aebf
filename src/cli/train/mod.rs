//! `tallynet train`.

mod backup;
mod compile;
mod data;
mod doctor;
mod fit;
mod outputs;
mod record;
mod report;
mod resume;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tallynet::losses::AnyLoss;
use tallynet::model::{Sequential, Style};
use tallynet::optimizers::AnyOptimizer;
use tallynet::report::drawings::Terminal;
use tallynet::training::{BackupEvery, ranks};

use super::data::Data;
use super::description::Supplied;
use super::interrupt::Signal;
use super::table::TableFlags;
use super::{Failure, LoadedModel, Outcome, from_1, output, run_info};
use fit::Trained;
use record::KnownScores;
use report::{ReportOptions, join_errors};

/// Train a model, evaluate it on the test set and verify its weights.
///
/// Validation after every epoch uses the samples that --validation-split holds out, else the folder
/// validation/ or val/ of images, else the test set. The test score is always taken on the test
/// set. On a terminal, the losses of the epochs and the confusion matrix are drawn at the end.
///
/// Ctrl-C, SIGTERM and SIGHUP end training after the current batch; the model is still evaluated
/// and saved, as it is at that moment, and the exit code is 130, 143 or 129. A second signal ends
/// the program at once. One that is ignored when the program starts, as by nohup, stays ignored.
///
/// A quick look at the data says one line if something seems wrong with them; `tallynet doctor`
/// examines them thoroughly.
///
/// --backup DIR makes the same command resume after a crash, a kill or a full disk.
///
/// A program built with the cargo feature `mpi` trains on several processes or machines, with the
/// same result as on one: mpirun -n 4 tallynet train. benches/MPI.md says when that is faster.
///
/// Training resumes from a saved file, even in the middle of an epoch: epoch numbers continue in
/// the output, the log and the checkpoint names, --csv appends to its log, and --checkpoint saves
/// only epochs that are better than the best so far, which the file records. --epochs is the number
/// of further epochs. --patience counts from 0 again.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet train
  tallynet train mnist-softmax --epochs 3 --learning-rate 0.1 --save digits.safetensors
  tallynet train digits.safetensors --epochs 5 --save digits.safetensors
  tallynet train model.py --set units=64 --epochs 3
  tallynet train --data fashion-mnist/ --validation-split 0.1 --quiet
  tallynet train model.json --data iris.csv --target species --save iris.keras
  tallynet train --epochs 50 --patience 3 --csv log.csv
  tallynet train --epochs 50 --backup night/ --save digits.keras
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
    /// Preset (see `tallynet models`), Keras script or notebook, or saved file, to continue its
    /// training
    #[arg(default_value = "mnist-softmax")]
    model: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    supplied: Supplied,
    #[command(flatten)]
    table: TableFlags,
    /// Number of epochs [default: the preset's or the script's; 1 for a saved file]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    epochs: Option<usize>,
    /// Epoch to resume from; 0 also resets the best val_loss, for training on new data [default:
    /// the saved file's]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    initial_epoch: Option<usize>,
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
    /// Multiply the learning rate by 0.1 after N epochs without improvement of val_loss [default
    /// without N: 10]
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
    /// Draw the --validation-split at random (by --seed), stratified by class, instead of taking
    /// the last samples
    #[arg(long, requires = "validation_split")]
    shuffle_split: bool,
    /// Keep the order of the training samples in every epoch
    #[arg(long)]
    no_shuffle: bool,
    /// Print only the test score and the metrics
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Print one line of JSON. Its "split" has the numbers of samples to train, to validate and to
    /// test on, and the fraction "test_split" that was held out to test on
    #[arg(long)]
    json: bool,
    /// Save the model after every epoch with the best val_loss so far; the name may contain
    /// {epoch:02d} and {val_loss:.2f}
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<String>,
    /// Write the logs of every epoch to a CSV file; a resumed run appends to it; any other run
    /// refuses to overwrite it
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Back up the training to a folder: the same command resumes from there after a crash, and
    /// ends with the same weights, log and checkpoint. A run that ends well removes its backup
    #[arg(long, value_name = "DIR")]
    backup: Option<PathBuf>,
    /// Back up after every N batches, or Ns seconds (such as 60s), too, not only after an epoch;
    /// backups that would take over 2 % of the time are put off
    #[arg(long, value_name = "N|Ns", requires = "backup", value_parser = backup::parse_every)]
    backup_every: Option<BackupEvery>,
    /// Write a report of the trained model, one page of HTML (see `tallynet report`); it also
    /// measures the training loss at the end of each epoch
    #[arg(long, value_name = "OUT.html")]
    report: Option<PathBuf>,
    /// Save the trained model: .keras, .safetensors, .weights.h5, .npz or .json
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

impl Train {
    /// Trains, evaluates, verifies and saves the model.
    pub fn run(self, terminal: Option<Terminal>) -> Outcome {
        let start = Instant::now();
        self.check_table_is_named()?;
        let supplied = self.supplied_values();
        let is_quiet = self.quiet || self.json;
        let mut loaded = LoadedModel::open_with(&self.model, self.seed, &supplied)?;
        self.compile(&mut loaded.model)?;
        loaded.model.n_threads = self.threads.unwrap_or(loaded.model.n_threads);
        loaded.is_quiet = is_quiet;
        self.resume(&mut loaded);
        let source = self.data.source(&loaded.model)?;
        loaded.plan.check_data(&source, self.data.is_named(), &loaded.model)?;
        self.notice_without_fit(&loaded);
        let is_first = ranks::is_first();
        let _locks = if is_first { self.check_outputs(&source, &loaded.model)? } else { vec![] };
        // A table gives the model a layer, which the summary shows.
        let from_table = self.load_table(&source, &mut loaded)?;
        if !loaded.is_quiet {
            output::result(&loaded.model.summary(Style::Keras1, None))?;
        }
        let data = match from_table {
            Some(data) => data,
            None => self.data.load(&source, &mut loaded, self.table.test_split)?,
        };
        // Some are about the classes, which the data name.
        loaded.warn_about_layers();
        let data = self.draw_validation(data, loaded.model.seed)?;
        let diagnosis = self.examine(&loaded, &data, &source)?;
        let trained = self.fit(&mut loaded, &data, &source, &diagnosis)?;
        let Trained { result, has_trained, interrupt, mut backup, loss_at_end } = trained;
        let model = loaded.model;
        let signal = interrupt.signal();
        if let Some(signal) = signal {
            notice_of_interrupt(signal, &model, backup.is_some());
        }
        // The model is saved first: whatever fails later does not lose it.
        let saved = if has_trained && is_first { self.save(&model) } else { Ok(()) };
        let history = result.map_err(|error| join_errors(diagnosis.explain(error), &saved))?;
        let mut info = run_info::of(&self.model, &source, &model);
        info["split"] = self.split_info(&data, &loaded.plan, model.data.as_ref());
        let options = ReportOptions { start, is_saved: saved.is_ok(), signal, info, terminal };
        let reported = self.report(&model, &history, &data.sets.test, &options);
        saved?;
        let known = KnownScores { test: reported?, loss_at_end };
        self.write_report(&model, &data, &source, known)?;
        if let Some(signal) = signal {
            // The message was printed before.
            return Err(Failure { message: String::new(), code: signal.exit_code() });
        }
        match &mut backup {
            Some(backup) => Ok(backup.remove()?),
            None => Ok(()),
        }
    }
}

/// Notice that a signal ended the training.
fn notice_of_interrupt(signal: &Signal, model: &Sequential, has_backup: bool) {
    let next = if has_backup { " The same command resumes there." } else { "" };
    output::notice(&format!(
        "\nInterrupted by {} after {}: saving and reporting. A second signal ends the program at \
         once.{next}",
        signal.name,
        model.trained_until()
    ));
}
