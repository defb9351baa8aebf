//! The report of a model: one page of HTML that needs nothing else, made from a template.
//!
//! This module computes what the page says; `page.html` says it, `style.css` shows it, and
//! `classify.js` and `draw.js` are the canvas. The template escapes all text, so that no name of a
//! class or a file becomes a part of the page.
//!
//! **Decision.** The charts are drawn from plain structs of coordinates by the template.
//! **Rejected:** a plotting library, whose pictures have fixed colors and fonts and cannot follow
//! the reader's dark mode; and pictures made by JavaScript, which a printer or a mail program may
//! not run.

mod bars;
mod chart;
mod classes;
mod curve;
mod dead;
mod histogram;
mod history;
mod layers;
mod numbers;
mod picture;
mod program;
mod provenance;
mod samples;
mod scale;
mod text;
mod verdict;
mod weights;

pub use history::{LOSS_AT_END, TrainingLoss};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde::Serialize;

use crate::datasets::{Dataset, SampleNames};
use crate::formats::ArrayCount;
use crate::model::Sequential;
use crate::report::Form;
use crate::report::doctor::first_loss::n_classes;
use crate::table::with_commas;
use crate::training::Scores;
use crate::{Error, Result};
use program::{PixelScale, Program};
use samples::Samples;
use text::{number, percent};

/// Everything that a report is made from.
///
/// ```
/// use tallynet::model::presets;
/// use tallynet::report::{ReportInput, report};
///
/// let model = presets::named("mnist-softmax")?.build(0)?;
/// let page = report(&ReportInput::new("digits.keras", &model))?;
/// assert!(page.contains("784 inputs × 10 units + 10 biases"));
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug)]
pub struct ReportInput<'a> {
    /// Name of the model, such as its file's.
    pub name: String,
    /// The model.
    pub model: &'a Sequential,
    /// Parameter arrays as they were counted in the model's file; `None` counts those in memory.
    pub arrays: Option<&'a [ArrayCount]>,
    /// Program and version that wrote the file, if it is another one.
    pub origin: Option<String>,
    /// Words of the command that makes the report.
    pub command: Vec<String>,
    /// Samples to evaluate on, or the reason why there are none.
    pub test: std::result::Result<TestSamples<'a>, String>,
    /// Loss of the final weights on the training samples, if it was computed.
    pub training_loss: Option<TrainingLoss>,
    /// Remarks for the head of the page.
    pub warnings: Vec<String>,
}

/// Samples to evaluate on.
#[derive(Debug)]
pub struct TestSamples<'a> {
    /// Inputs and targets.
    pub data: &'a Dataset,
    /// Names of the samples.
    pub names: SampleNames,
    /// Origin of the samples, in words.
    pub source: String,
    /// Scores of the model on them; `None` computes them.
    pub scores: Option<Scores>,
}

impl<'a> ReportInput<'a> {
    /// Input of a report on a model alone.
    pub fn new(name: impl Into<String>, model: &'a Sequential) -> ReportInput<'a> {
        ReportInput {
            name: name.into(),
            model,
            arrays: None,
            origin: None,
            command: vec![],
            test: Err("no test data were given".to_string()),
            training_loss: None,
            warnings: vec![],
        }
    }
}

/// Content of the page, as the template takes it.
#[derive(Serialize)]
struct Page {
    name: String,
    warnings: Vec<String>,
    summary: layers::Summary,
    evaluation: Option<Evaluation>,
    /// Reason why there is no evaluation.
    without_test: String,
    history: Option<history::History>,
    classes: Option<classes::ClassSection>,
    numbers: Option<numbers::NumberSection>,
    /// Canvas of a model that can be drawn for.
    canvas: Option<Canvas>,
    /// Reason why there is no canvas.
    without_canvas: Option<String>,
    distributions: Vec<weights::Distribution>,
    pictures: Option<weights::WeightPictures>,
    activity: Option<dead::Activity>,
    provenance: provenance::Provenance,
}

/// Scores on the test samples.
#[derive(Serialize)]
struct Evaluation {
    source: String,
    n_samples: String,
    scores: Vec<Score>,
}

/// Value with its name.
#[derive(Serialize)]
struct Score {
    name: String,
    value: String,
    /// Remark on the value.
    note: Option<String>,
}

/// Canvas to draw on.
#[derive(Serialize)]
struct Canvas {
    /// Model that sees the drawing.
    program: Program,
    /// Values of the pixels.
    pixels: String,
}

/// Makes the report of a model.
///
/// # Errors
/// Data that do not fit the model.
pub fn report(input: &ReportInput) -> Result<String> {
    let model = input.model;
    let own = model.array_counts();
    let inputs = input.test.as_ref().ok().map(|test| &test.data.x);
    let scale = PixelScale::of(model, inputs);
    let mut page = Page {
        name: input.name.clone(),
        warnings: input.warnings.clone(),
        summary: layers::section(model, input.arrays.unwrap_or(&own), input.arrays.is_some()),
        evaluation: None,
        without_test: String::new(),
        history: history::section(model, input.training_loss.as_ref()),
        classes: None,
        numbers: None,
        canvas: None,
        without_canvas: None,
        distributions: weights::distributions(model),
        pictures: weights::pictures(model)?,
        activity: None,
        provenance: provenance::section(input, &scale),
    };
    match &input.test {
        Ok(test) => page.evaluate(model, test)?,
        Err(reason) => page.without_test.clone_from(reason),
    }
    page.add_canvas(model, scale);
    render(&page)
}

impl Page {
    /// Adds a canvas, or the reason why there is none.
    fn add_canvas(&mut self, model: &Sequential, scale: PixelScale) {
        let Form::Classes(classes) = Form::of(model) else { return };
        match program::program(model, &classes, scale.factor) {
            Ok(program) => self.canvas = Some(Canvas { program, pixels: scale.words }),
            Err(reason) => self.without_canvas = Some(reason),
        }
    }

    /// Adds what the test samples say.
    fn evaluate(&mut self, model: &Sequential, test: &TestSamples) -> Result<()> {
        let outputs = model.predict(&test.data.x)?;
        if outputs.iter().any(|output| output.is_nan()) {
            self.without_test = "the outputs for the test samples are NaN; see the weights".into();
            return Ok(());
        }
        let samples = Samples::new(model, test.data, &test.names);
        let scores = match &test.scores {
            Some(known) => score_rows(model, known),
            None => match model.evaluate(test.data) {
                Ok(found) => score_rows(model, &found),
                Err(Error::NotCompiled(_)) => vec![],
                Err(error) => return Err(error),
            },
        };
        self.evaluation = Some(Evaluation {
            source: test.source.clone(),
            n_samples: with_commas(test.data.len()),
            scores,
        });
        match Form::of(model) {
            Form::Classes(classes) => {
                self.classes = Some(classes::section(&classes, &samples, outputs)?);
            }
            Form::Numbers(names) => self.numbers = numbers::section(&names, &samples, outputs)?,
            Form::Array => self.numbers = numbers::section(&[], &samples, outputs)?,
        }
        self.activity = dead::activity(model, test.data)?;
        Ok(())
    }
}

/// Loss and metrics, with what the loss is of a model that guesses.
fn score_rows(model: &Sequential, scores: &Scores) -> Vec<Score> {
    let loss = model.compiled().map(|compiled| compiled.loss().name()).unwrap_or_default();
    let mut rows =
        vec![Score { name: format!("loss ({loss})"), value: number(scores.loss), note: None }];
    if let Some(n_classes) = n_classes(model) {
        let guess = number((n_classes as f64).ln());
        rows[0].note = Some(format!("guessing at random would give ln({n_classes}) = {guess}"));
    }
    for (name, value) in &scores.metrics {
        if history::is_meaningless(model, name) {
            continue;
        }
        let is_share = history::is_share(model, name);
        let value = if is_share { percent(*value) } else { number(*value) };
        rows.push(Score { name: name.clone(), value, note: None });
    }
    rows
}

fn render(page: &Page) -> Result<String> {
    let failed = |error: minijinja::Error| Error::Data(format!("the report failed: {error:#}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let parts = [
        ("charts.html", include_str!("charts.html")),
        ("results.html", include_str!("results.html")),
        ("model.html", include_str!("model.html")),
        ("page.html", include_str!("page.html")),
    ];
    for (name, source) in parts {
        environment.add_template(name, source).map_err(failed)?;
    }
    environment.add_global("style", Value::from_safe_string(include_str!("style.css").into()));
    let scripts = [include_str!("classify.js"), include_str!("draw.js")];
    environment.add_global("script", Value::from_safe_string(scripts.concat()));
    let template = environment.get_template("page.html").map_err(failed)?;
    template.render(Serde(page)).map_err(failed)
}
