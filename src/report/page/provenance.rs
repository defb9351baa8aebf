//! Origin of the model and of the page: data, seeds, commands, versions, fingerprint.

use serde::Serialize;

use super::ReportInput;
use super::history::without_remark;
use super::text::{count, number};
use crate::model::TrainingRun;

/// Section on the origin.
#[derive(Debug, Serialize)]
pub struct Provenance {
    pub fingerprint: String,
    /// Version of the program that makes the page.
    pub version: String,
    pub origin: Option<String>,
    /// Command that makes the page.
    pub command: String,
    pub seed: u64,
    pub epochs_done: usize,
    pub optimizer: Option<String>,
    pub loss: Option<String>,
    pub byte_scale: Option<String>,
    pub runs: Vec<Run>,
    /// Sentence that compares the weights with those at the end of the last training.
    pub agreement: Option<String>,
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

/// The section of a report.
pub fn section(input: &ReportInput) -> Provenance {
    let model = input.model;
    let fingerprint = model.fingerprint();
    let compiled = model.compiled().ok();
    let optimizer = compiled.and_then(|compiled| compiled.optimizer().ok());
    let optimizer = optimizer.and_then(|optimizer| serde_json::to_value(optimizer).ok());
    let data_scale = input.test.as_ref().ok().and_then(|test| test.data.x.byte_scale());
    let byte_scale = model.byte_scale.or(data_scale);
    let last = model.record.runs.last().and_then(|run| run.fingerprint.as_ref());
    let agreement = last.map(|last| {
        if *last == fingerprint {
            "Weights: from the end of the last epoch.".to_string()
        } else {
            format!(
                "The last training ended with the fingerprint {last}: the weights, or the \
                     instruction set of the machine, are others now."
            )
        }
    });
    Provenance {
        agreement,
        fingerprint,
        version: env!("CARGO_PKG_VERSION").to_string(),
        origin: input.origin.clone(),
        command: command(&input.command),
        seed: model.seed,
        epochs_done: model.epochs_done,
        optimizer: optimizer.map(|optimizer| options(&optimizer)),
        loss: compiled.map(|compiled| compiled.loss().name()),
        byte_scale: byte_scale.map(|scale| {
            let divisor = f64::from(scale).recip();
            if (divisor - divisor.round()).abs() < 1e-3 {
                format!("bytes / {}", divisor.round())
            } else {
                format!("bytes × {}", number(f64::from(scale)))
            }
        }),
        runs: model.record.runs.iter().filter(|run| run.n_epochs() > 0).map(run).collect(),
    }
}

fn run(run: &TrainingRun) -> Run {
    let first = run.first_epoch.saturating_add(1);
    let last = run.first_epoch.saturating_add(run.n_epochs());
    let mut facts = vec![];
    let mut add = |name, value: Option<String>| {
        facts.extend(value.map(|value| Fact { name, value }));
    };
    add("data", run.data.clone());
    add("training samples", run.n_samples.map(count));
    add("validation", run.validation.as_deref().map(without_remark));
    add("batch size", run.batch_size.map(count));
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
