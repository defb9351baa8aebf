//! Training: loss and metrics of every epoch, the best epoch, and what they say.

use serde::Serialize;

use super::chart::{Chart, Line};
use super::curve::{Curve, epochs};
use super::scale::Scale;
use super::text::number;
use super::verdict::verdict;
use crate::layers::AnyLayer;
use crate::model::{BuiltLayer, Sequential, TrainingRecord, Validation};
use crate::report::Form;
use crate::table::with_commas;

/// Epochs up to which each point of a curve is marked.
const MARKED: usize = 60;

/// Training section of the page.
#[derive(Debug, Serialize)]
pub struct History {
    /// Number of epochs that are known.
    pub n_epochs: usize,
    pub n_epochs_text: String,
    /// Charts of the logs; none of a single epoch, which has no curve.
    pub charts: Vec<Chart>,
    /// Sentences on the best epoch.
    pub verdict: Vec<String>,
    /// The last running mean and a training loss of fixed weights, if both are known.
    pub comparison: Option<Comparison>,
    /// Samples that the validation curve is of, in words.
    pub validation: Option<String>,
    /// True if the validation samples are the test samples.
    pub validation_is_test: bool,
    /// True if the model has a layer that drops values.
    pub has_dropout: bool,
    /// Names of the columns of the table of logs, and its rows.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// Two numbers that are both called the training loss.
#[derive(Debug, Serialize)]
pub struct Comparison {
    pub running_mean: String,
    /// Weights that have the second one: `the final weights have`.
    pub weights: &'static str,
    pub at_end: String,
    /// Samples that the second one is of.
    pub samples: String,
}

/// Loss of the final weights on the training samples, and their number.
#[derive(Debug, Clone)]
pub struct TrainingLoss {
    /// Mean loss, penalties included.
    pub loss: f64,
    /// Number of samples that it is of.
    pub n_samples: usize,
}

/// Name in the logs for the loss of the weights at the end of an epoch on the training samples.
pub const LOSS_AT_END: &str = "loss_at_end";

/// Names in the logs, in the order in which they came up.
fn names(record: &TrainingRecord) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for series in record.runs.iter().flat_map(|run| &run.series) {
        if !names.contains(&series.name) {
            names.push(series.name.clone());
        }
    }
    names
}

/// The training section; `None` if the file does not say how the model was trained.
pub fn section(model: &Sequential, at_end: Option<&TrainingLoss>) -> Option<History> {
    let record = &model.record;
    let n_epochs: usize = record.runs.iter().map(|run| run.n_epochs()).sum();
    if n_epochs == 0 {
        return None;
    }
    let restarts = restarts(record);
    let names = names(record);
    let watched = Curve::of(record, if has(&names, "val_loss") { "val_loss" } else { "loss" });
    let best = watched.lowest();
    let mut charts = vec![];
    let charted = if n_epochs > 1 { &names[..] } else { &[] };
    for name in charted {
        let is_of_another = name.starts_with("val_") && has(&names, &name[4..]);
        if is_of_another
            || is_meaningless(model, name)
            || [LOSS_AT_END, "learning_rate"].contains(&&name[..])
        {
            continue;
        }
        charts.push(chart(record, name, best, &restarts, at_end));
    }
    let last_run = record.runs.iter().rev().find(|run| run.n_epochs() > 0)?;
    let (columns, rows) = table(record, &names);
    Some(History {
        n_epochs,
        n_epochs_text: with_commas(n_epochs),
        charts,
        verdict: verdict(&watched, best),
        comparison: comparison(record, at_end),
        validation: last_run.validation.map(|validation| validation.to_string()),
        validation_is_test: matches!(last_run.validation, Some(Validation::TestSet(_))),
        has_dropout: model.layers().iter().any(drops_values),
        columns,
        rows,
    })
}

/// True for a layer that drops values in training.
fn drops_values(layer: &BuiltLayer) -> bool {
    matches!(
        layer.spec,
        AnyLayer::Dropout(_) | AnyLayer::SpatialDropout1D(_) | AnyLayer::SpatialDropout2D(_)
    )
}

/// True for the accuracy of a regression, whose outputs hardly ever equal the targets.
pub fn is_meaningless(model: &Sequential, name: &str) -> bool {
    matches!(Form::of(model), Form::Numbers(_)) && is_share(model, name)
}

/// True if the values of this name in the logs are shares, from 0 to 1.
pub fn is_share(model: &Sequential, name: &str) -> bool {
    model.logged_metric(name).is_some_and(|metric| metric.as_metric().is_share())
}

/// First epoch of each further run.
fn restarts(record: &TrainingRecord) -> Vec<usize> {
    let epochs = epochs(record);
    let mut restarts = vec![];
    let mut done = 0;
    for run in &record.runs {
        if done > 0 && run.n_epochs() > 0 {
            restarts.push(epochs[done]);
        }
        done += run.n_epochs();
    }
    restarts
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|known| known == name)
}

/// Losses of the weights at the end of each epoch: those of the logs, else that of the final ones.
fn losses_at_end(record: &TrainingRecord, at_end: Option<&TrainingLoss>) -> StyledCurve {
    let mut curve = Curve::of(record, LOSS_AT_END);
    let mut title = "training (weights at the end of the epoch)";
    if curve.is_empty()
        && let Some(at_end) = at_end
        && let Some(last) = curve.values.last_mut()
    {
        *last = Some(at_end.loss);
        title = "training (final weights)";
    }
    StyledCurve { curve, title, style: "at-end" }
}

/// Curves of a name in the logs: training, validation, and for the loss the third one.
fn curves(record: &TrainingRecord, name: &str, at_end: Option<&TrainingLoss>) -> Vec<StyledCurve> {
    let mut curves = vec![
        StyledCurve {
            curve: Curve::of(record, name),
            title: "training (running mean, as Keras prints it)",
            style: "train",
        },
        StyledCurve {
            curve: Curve::of(record, &format!("val_{name}")),
            title: "validation",
            style: "validation",
        },
    ];
    if name == "loss" {
        curves.push(losses_at_end(record, at_end));
    }
    curves
}

/// Chart of a name in the logs, with its validation curve.
fn chart(
    record: &TrainingRecord,
    name: &str,
    best: Option<usize>,
    restarts: &[usize],
    at_end: Option<&TrainingLoss>,
) -> Chart {
    let is_loss = name == "loss";
    let curves = curves(record, name, at_end);
    let epochs = curves[0].curve.epochs.clone();
    let values: Vec<f64> = curves.iter().flat_map(|each| each.curve.finite()).collect();
    let values = values.iter().copied();
    let ends = [epochs.first(), epochs.last()].into_iter().flatten();
    let x = Scale::horizontal(ends.map(|epoch| *epoch as f64));
    let y = if is_loss { Scale::of_losses(values) } else { Scale::vertical(values) };
    let note = if y.is_logarithmic() { ", logarithmic" } else { "" };
    let mut chart = Chart::new(format!("{name}{note}"), "epoch");
    (chart.x_ticks, chart.y_ticks) = (x.whole_ticks(), y.ticks());
    for StyledCurve { curve, title, style } in curves {
        let n_values = curve.finite().count();
        if n_values > 0 {
            let has_marks = epochs.len() <= MARKED || n_values == 1;
            chart.lines.push(Line::through(title, style, &curve, &x, &y, has_marks));
        }
    }
    if let Some(best) = best {
        let epoch = epochs[best];
        chart.rule(x.place(epoch as f64), format!("best epoch: {epoch}"));
    }
    for restart in restarts {
        chart.rule(x.place(*restart as f64 - 0.5), "training continued".to_string());
    }
    chart
}

/// Curve with its title and the class of its style.
struct StyledCurve {
    curve: Curve,
    title: &'static str,
    style: &'static str,
}

fn comparison(record: &TrainingRecord, at_end: Option<&TrainingLoss>) -> Option<Comparison> {
    let running_mean = Curve::of(record, "loss").values.last().copied().flatten()?;
    let ends = Curve::of(record, LOSS_AT_END).values.last().copied().flatten();
    let recorded = record.runs.last().and_then(|run| run.n_samples);
    let (weights, loss, n_samples) = match (ends, at_end) {
        (_, Some(at_end)) => ("the final weights have", at_end.loss, Some(at_end.n_samples)),
        // The best weights may have been restored since.
        (Some(loss), None) => ("the weights at the end of the last epoch had", loss, recorded),
        (None, None) => return None,
    };
    let samples = match n_samples {
        Some(n_samples) => format!("the {} training samples", with_commas(n_samples)),
        None => "the training samples".to_string(),
    };
    let (running_mean, at_end) = (number(running_mean), number(loss));
    Some(Comparison { running_mean, weights, at_end, samples })
}

/// Columns and rows of the table of all logs.
fn table(record: &TrainingRecord, names: &[String]) -> (Vec<String>, Vec<Vec<String>>) {
    let curves: Vec<Curve> = names.iter().map(|name| Curve::of(record, name)).collect();
    let mut rows = vec![];
    for (i, epoch) in epochs(record).into_iter().enumerate() {
        let mut row = vec![epoch.to_string()];
        for curve in &curves {
            row.push(curve.values[i].map_or("–".to_string(), number));
        }
        rows.push(row);
    }
    let columns = std::iter::once("epoch".to_string()).chain(names.iter().cloned()).collect();
    (columns, rows)
}
