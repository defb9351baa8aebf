//! Origin of the model and of the page: data, seeds, commands, versions, fingerprint.

use serde::Serialize;

use super::ReportInput;
use super::curve::epochs;
use super::program::PixelScale;
use super::text::number;
use crate::Real;
use crate::model::{RecordedData, TrainingRecord, TrainingRun};
use crate::table::with_commas;

/// Section on the origin.
#[derive(Debug, Serialize)]
pub struct Provenance {
    pub fingerprint: String,
    /// Version of the program that makes the page.
    pub version: String,
    pub origin: Option<String>,
    /// Command that makes the page.
    pub command: String,
    /// Seed and epochs; `None` if the file does not record them.
    pub training: Option<Training>,
    /// True if the weights are the initial ones.
    pub is_untrained: bool,
    pub optimizer: Option<String>,
    pub loss: Option<String>,
    pub byte_scale: Option<String>,
    pub runs: Vec<Run>,
    /// Sentence that compares the weights with those at the end of the last training.
    pub agreement: Option<String>,
}

/// Seed and number of epochs of all trainings.
#[derive(Debug, Serialize)]
pub struct Training {
    pub seed: u64,
    pub epochs_done: usize,
}

/// Training that the model went through.
#[derive(Debug, Serialize)]
pub struct Run {
    pub epochs: String,
    pub command: Option<String>,
    /// Names and values of what is known.
    pub facts: Vec<Fact>,
}

/// Name and value.
#[derive(Debug, Serialize)]
pub struct Fact {
    pub name: &'static str,
    pub value: String,
}

/// The section of a report on a model whose pixels have this scale.
pub fn section(input: &ReportInput, scale: &PixelScale) -> Provenance {
    let model = input.model;
    let fingerprint = model.fingerprint();
    let compiled = model.compiled().ok();
    let optimizer = compiled.and_then(|compiled| compiled.optimizer().ok());
    let optimizer = optimizer.and_then(|optimizer| serde_json::to_value(optimizer).ok());
    let is_trained = model.epochs_done > 0 || !model.record.is_empty();
    // Weights in a file without a record may come from any program.
    let is_untrained = !is_trained && input.origin.is_none() && input.arrays.is_none();
    let training = Training { seed: model.seed, epochs_done: model.epochs_done };
    Provenance {
        is_untrained,
        training: if is_trained || is_untrained { Some(training) } else { None },
        agreement: agreement(&model.record, &fingerprint),
        fingerprint,
        version: env!("CARGO_PKG_VERSION").to_string(),
        origin: input.origin.clone(),
        command: command(&input.command),
        optimizer: optimizer.map(|optimizer| options(&optimizer)),
        loss: compiled.map(|compiled| compiled.loss().name()),
        byte_scale: scale.of_bytes.map(scaling),
        runs: runs(&model.record),
    }
}

/// Sentence that compares the fingerprint with that at the end of the last training.
fn agreement(record: &TrainingRecord, fingerprint: &str) -> Option<String> {
    let last = record.runs.last()?.fingerprint.as_ref()?;
    if last == fingerprint {
        return Some("Weights: as the last training left them.".to_string());
    }
    Some(format!(
        "The last training ended with the fingerprint {last}: the weights, or the instruction set \
         of the machine, are others now."
    ))
}

/// `bytes / 255` for a factor of bytes.
fn scaling(factor: Real) -> String {
    let divisor = f64::from(factor).recip();
    if (divisor - divisor.round()).abs() < 1e-3 {
        format!("bytes / {}", divisor.round())
    } else {
        format!("bytes × {}", number(f64::from(factor)))
    }
}

/// Trainings with their epochs.
fn runs(record: &TrainingRecord) -> Vec<Run> {
    let epochs = epochs(record);
    let mut runs = vec![];
    let mut done = 0;
    for each in &record.runs {
        let n_epochs = each.n_epochs();
        if n_epochs > 0 {
            runs.push(run(each, epochs[done], epochs[done + n_epochs - 1]));
        }
        done += n_epochs;
    }
    runs
}

/// Training from its first to its last epoch.
fn run(run: &TrainingRun, first: usize, last: usize) -> Run {
    let mut facts = vec![];
    let mut add = |name, value: Option<String>| {
        facts.extend(value.map(|value| Fact { name, value }));
    };
    add("data", run.data.as_ref().map(RecordedData::to_string));
    add("training samples", run.n_samples.map(with_commas));
    add("validation", run.validation.map(|validation| validation.to_string()));
    add("batch size", run.batch_size.map(with_commas));
    add("seed", run.seed.map(|seed| seed.to_string()));
    add("loss", run.loss.clone());
    add("optimizer", Some(options(&run.optimizer)).filter(|text| !text.is_empty()));
    add("tallynet", run.version.clone());
    add("fingerprint at the end", run.fingerprint.clone());
    Run {
        epochs: if first == last {
            format!("epoch {first}")
        } else {
            format!("epochs {first} to {last}")
        },
        command: Some(command(&run.command)).filter(|command| !command.is_empty()),
        facts,
    }
}

/// `SGD: learning_rate 0.01, momentum 0` from the description of a class.
fn options(class: &serde_json::Value) -> String {
    let name = class["class_name"].as_str().unwrap_or_default();
    let mut options = vec![];
    for (key, value) in class["config"].as_object().into_iter().flatten() {
        let is_plain = value.is_number() || value.as_bool() == Some(true) || value.is_string();
        if is_plain && key != "name" {
            options.push(format!("{key} {}", value.to_string().trim_matches('"')));
        }
    }
    if options.is_empty() { name.to_string() } else { format!("{name}: {}", options.join(", ")) }
}

/// The words of a command, in quotes where a shell needs them.
fn command(words: &[String]) -> String {
    let is_plain = |word: &str| {
        let safe = |letter: char| letter.is_alphanumeric() || "-_./,:=@%+".contains(letter);
        !word.is_empty() && word.chars().all(safe)
    };
    let mut quoted = vec![];
    for word in words {
        quoted.push(if is_plain(word) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        });
    }
    quoted.join(" ")
}
