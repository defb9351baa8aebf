//! `tallynet evaluate`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tallynet::datasets::DataDescription;
use tallynet::formats;
use tallynet::model::Sequential;
use tallynet::report::drawings::Terminal;
use tallynet::report::{Classes, Form};
use tallynet::training::{Scores, ranks};

use super::data::Data;
use super::description::Supplied;
use super::held_out::{own_data, recorded_data};
use super::output_table::OutputTable;
use super::per_class::{self, PerClass};
use super::{Failure, LoadedModel, Outcome, drawings, from_1, output, run_info};

/// Maximum number of columns or classes that an error names.
const MAX_NAMES: usize = 20;

/// Evaluate a saved model on the test set.
///
/// A saved file knows the table, the folder or the archive that it was trained on. With the same
/// --data it is evaluated on the samples that the training held out. On a terminal, the confusion
/// matrix is drawn below the scores.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet evaluate digits.safetensors
  tallynet evaluate digits.safetensors --data fashion.npz --json
  tallynet evaluate iris.keras --data test.csv --per-class --mistakes wrong.csv")]
pub struct Evaluate {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    supplied: Supplied,
    /// Maximum number of threads; the result does not depend on it [default: the machine's]
    #[arg(long, value_name = "N", value_parser = from_1())]
    threads: Option<usize>,
    /// Print precision, recall, F1 and support of each class, and the confusion matrix
    #[arg(long)]
    per_class: bool,
    /// Write misclassified samples to a CSV file: row or image file, true class, predicted class,
    /// probability; the most confident first
    #[arg(long, value_name = "OUT.csv")]
    mistakes: Option<PathBuf>,
    /// Print the scores alone on a terminal too, without the drawing of the confusion matrix
    #[arg(long, conflicts_with = "json")]
    quiet: bool,
    /// Print one line of JSON. In its "split", "test" is the number of samples, and "test_split"
    /// the fraction of its data that the training held out to test on, if these samples are that
    /// part
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    /// Evaluates the model and prints its scores.
    pub fn run(self, terminal: Option<Terminal>) -> Outcome {
        let supplied = self.supplied.with_data(self.data.path(), true);
        let mut loaded = LoadedModel::open_with(&self.file, None, &supplied)?;
        loaded.warn_if_untrained(&self.file);
        loaded.warn_about_layers();
        loaded.model.n_threads = self.threads.unwrap_or(loaded.model.n_threads);
        loaded.is_quiet = self.json;
        self.check_named(&loaded.model)?;
        let classes = self.classes(&loaded.model)?;
        self.check_mistakes(&loaded.model)?;
        let test = self.data.load_test(&mut loaded)?;
        let start = Instant::now();
        let scores = loaded.model.evaluate(&test.data)?;
        let seconds = start.elapsed().as_secs_f64();
        let mut text = lines(&scores);
        let source = self.data.source(&loaded.model)?;
        let mut line = run_info::of(&self.file, &source, &loaded.model);
        line["split"] = json!({ "test": test.data.len(), "test_split": test.test_split });
        line["loss"] = json!(scores.loss);
        line["metrics"] = json!(BTreeMap::from_iter(scores.metrics));
        line["fingerprint"] = json!(loaded.model.fingerprint());
        line["seconds"] = json!(seconds);
        let mut per_class = None;
        if let Some(classes) = &classes {
            let true_classes = classes.true_classes(&test.data.y)?;
            let predictions = classes.predictions(loaded.model.predict(&test.data.x)?)?;
            if let Some(path) = self.mistakes_path() {
                let mistakes = per_class::mistakes(classes, &true_classes, &predictions, &test);
                write_mistakes(path, &mistakes)?;
            }
            per_class = Some(PerClass::new(classes, &true_classes, &predictions));
        }
        if let Some(per_class) = per_class.as_ref().filter(|_| self.per_class) {
            text += &format!("\n{}", per_class.text());
            line["per_class"] = per_class.json();
        }
        if self.json {
            return output::result(&format!("{line}\n"));
        }
        // --per-class has printed the matrix already.
        if let Some(terminal) = terminal.filter(|_| !self.quiet && !self.per_class) {
            text += &match &per_class {
                Some(known) => {
                    drawings::confusion_matrix(known.classes, &known.confusion, terminal)
                }
                None => drawings::confusion_on(&loaded.model, &test.data, terminal),
            };
        }
        output::result(&text)
    }

    /// Refuses to evaluate a model of a table or of a folder of images on the default data.
    fn check_named(&self, model: &Sequential) -> Outcome {
        let Some(data) = own_data(model).filter(|_| !self.data.is_named()) else {
            return Ok(());
        };
        let (kind, needed) = if data.columns.is_empty() {
            let classes = listed(&data.classes);
            ("images", format!("FOLDER, with one folder of images per class: {classes}"))
        } else {
            let columns = listed(&needed_columns(data));
            ("a table", format!("FILE.csv, with the columns {columns}"))
        };
        let mut message = format!(
            "{}: the model was trained on {kind}; name the data to evaluate it on\n  \
             --data {needed}",
            self.file
        );
        if let Some(path) = recorded_data(model) {
            message += &format!("; it was trained on {}", path.display());
        }
        Err(Failure::usage(message))
    }

    /// The classes of the model, if a flag needs them; a model without classes is then refused.
    fn classes(&self, model: &Sequential) -> Result<Option<Classes>, Failure> {
        let flag = if self.per_class {
            "--per-class"
        } else if self.mistakes.is_some() {
            "--mistakes"
        } else {
            return Ok(None);
        };
        if let Form::Classes(classes) = Form::of(model) {
            return Ok(Some(classes));
        }
        Err(Failure::usage(format!(
            "{flag}: the model has no classes: its output is {}, without a softmax, a crossentropy \
             loss or class names",
            model.output_shape()
        )))
    }

    /// File for the mistakes, which the first rank writes.
    fn mistakes_path(&self) -> Option<&Path> {
        self.mistakes.as_deref().filter(|_| ranks::is_first())
    }

    /// Refuses a file for the mistakes that is one of the inputs or cannot be written.
    fn check_mistakes(&self, model: &Sequential) -> Outcome {
        let Some(path) = self.mistakes_path() else { return Ok(()) };
        let mut files = vec![PathBuf::from(&self.file)];
        files.extend(self.data.source(model)?.files());
        output::refuse_overwriting("--mistakes", path, &files)?;
        if path.extension().is_some_and(|extension| !extension.eq_ignore_ascii_case("csv")) {
            let path = path.display();
            let message = format!("--mistakes {path}: it is a table in text; end it in .csv");
            return Err(Failure::usage(message));
        }
        Ok(formats::check_writable(path)?)
    }
}

/// Columns that a table to evaluate on must have: the inputs and the targets.
fn needed_columns(data: &DataDescription) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for column in &data.columns {
        names.push(column.name().to_string());
    }
    for target in &data.targets {
        names.push(format!("{target} (target)"));
    }
    names
}

/// The first of these names, and the number of the others.
fn listed(names: &[String]) -> String {
    let shown = names[..names.len().min(MAX_NAMES)].join(", ");
    match names.len() - names.len().min(MAX_NAMES) {
        0 => shown,
        n => format!("{shown} and {n} more"),
    }
}

fn write_mistakes(path: &Path, mistakes: &OutputTable) -> Outcome {
    formats::replace(path, &mistakes.csv()?)?;
    let n_mistakes = mistakes.rows.len();
    output::notice(&format!("Wrote {} with {n_mistakes} mistakes", path.display()));
    Ok(())
}

/// `Test score: 0.3674` and a line for each metric.
pub fn lines(scores: &Scores) -> String {
    let mut text = format!("Test score: {}\n", readable(scores.loss));
    for (name, value) in &scores.metrics {
        text += &format!("Test {name}: {}\n", readable(*value));
    }
    text
}

/// A score with four decimals, or with an exponent if it is large: `0.3674`, `3.5925e11`.
fn readable(score: f64) -> String {
    if score.abs() < 1e7 { format!("{score:.4}") } else { format!("{score:.4e}") }
}
