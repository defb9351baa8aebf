//! Regression: predicted against true values, and their residuals.

use ndarray::{Array2, ArrayD};
use serde::Serialize;

use super::chart::{Chart, Line, Mark};
use super::histogram::Histogram;
use super::samples::Samples;
use super::scale::Scale;
use super::text::number;
use crate::datasets::Targets;
use crate::report::by_sample;
use crate::table::with_commas;
use crate::{Real, Result};

/// Largest number of outputs that are shown.
const MAX_OUTPUTS: usize = 4;
/// Largest number of points of a chart.
const MAX_POINTS: usize = 600;

/// Output of a regression on the test samples.
#[derive(Debug, Serialize)]
pub struct OutputSection {
    pub name: String,
    pub mean_absolute_error: String,
    pub root_mean_squared_error: String,
    /// Fraction of the variance that is explained; `None` for constant targets.
    pub r_squared: Option<String>,
    /// Mean of predicted minus true.
    pub bias: String,
    pub chart: Chart,
    pub residuals: Option<Histogram>,
    /// Sentence on the worst prediction.
    pub worst: String,
}

/// Regression section of the page.
#[derive(Debug, Serialize)]
pub struct NumberSection {
    pub outputs: Vec<OutputSection>,
    /// Mean absolute error over all outputs.
    pub mean_absolute_error: String,
    /// Number of outputs of the model.
    pub n_outputs: usize,
}

/// The section for the outputs of a model on these samples; `None` if targets and outputs differ in
/// shape.
pub fn section(
    names: &[String],
    samples: &Samples,
    outputs: ArrayD<Real>,
) -> Result<Option<NumberSection>> {
    let targets = match &samples.data.y {
        Targets::Labels(labels) => labels.mapv(|label| label as Real),
        Targets::Reals(values) => values.clone(),
    };
    let (outputs, targets) = (by_sample(outputs)?, by_sample(targets)?);
    if outputs.dim() != targets.dim() || outputs.is_empty() {
        return Ok(None);
    }
    let n_outputs = outputs.ncols();
    let mut sections = vec![];
    for column in 0..n_outputs.min(MAX_OUTPUTS) {
        let name = names.get(column).cloned().unwrap_or_else(|| format!("output {column}"));
        sections.push(of_output(name, column, samples, &outputs, &targets));
    }
    let mut sum = 0.0;
    for (predicted, truth) in outputs.iter().zip(&targets) {
        sum += (f64::from(*predicted) - f64::from(*truth)).abs();
    }
    let mean_absolute_error = number(sum / outputs.len() as f64);
    Ok(Some(NumberSection { outputs: sections, mean_absolute_error, n_outputs }))
}

fn of_output(
    name: String,
    column: usize,
    samples: &Samples,
    outputs: &Array2<Real>,
    targets: &Array2<Real>,
) -> OutputSection {
    let predicted: Vec<f64> = outputs.column(column).iter().map(|v| f64::from(*v)).collect();
    let truth: Vec<f64> = targets.column(column).iter().map(|v| f64::from(*v)).collect();
    let residuals: Vec<f64> = predicted.iter().zip(&truth).map(|(p, t)| p - t).collect();
    let n = residuals.len() as f64;
    let squares: f64 = residuals.iter().map(|r| r * r).sum();
    let mean = truth.iter().sum::<f64>() / n;
    let variance: f64 = truth.iter().map(|t| (t - mean) * (t - mean)).sum();
    let mut worst = 0;
    for (i, residual) in residuals.iter().enumerate() {
        if residual.abs() > residuals[worst].abs() || residual.is_nan() {
            worst = i;
        }
    }
    OutputSection {
        mean_absolute_error: number(residuals.iter().map(|r| r.abs()).sum::<f64>() / n),
        root_mean_squared_error: number((squares / n).sqrt()),
        r_squared: if variance > 0.0 { Some(number(1.0 - squares / variance)) } else { None },
        bias: number(residuals.iter().sum::<f64>() / n),
        chart: scatter(&name, &truth, &predicted),
        residuals: Histogram::of(residuals.iter().copied()),
        worst: format!(
            "The worst prediction is that of {}: {} instead of {}.",
            samples.name(worst),
            number(predicted[worst]),
            number(truth[worst])
        ),
        name,
    }
}

/// Predicted against true values, with the diagonal on which they are equal.
fn scatter(name: &str, truth: &[f64], predicted: &[f64]) -> Chart {
    let all = truth.iter().chain(predicted).copied();
    let (x, y) = (Scale::horizontal(all.clone()), Scale::vertical(all.clone()));
    let finite = all.filter(|value| value.is_finite());
    let low = finite.clone().fold(f64::INFINITY, f64::min);
    let high = finite.fold(f64::NEG_INFINITY, f64::max);
    let mut chart =
        Chart::new(format!("{name}: predicted (vertical) against true (horizontal)"), "true");
    (chart.x_ticks, chart.y_ticks) = (x.ticks(), y.ticks());
    if low <= high {
        let points =
            format!("{},{} {},{}", x.place(low), y.place(low), x.place(high), y.place(high));
        chart.lines.push(Line {
            name: "predicted = true".to_string(),
            style: "diagonal",
            stretches: vec![points],
            marks: vec![],
        });
    }
    let every = truth.len().div_ceil(MAX_POINTS).max(1);
    let mut marks = vec![];
    for i in (0..truth.len()).step_by(every) {
        if truth[i].is_finite() && predicted[i].is_finite() {
            let text = format!("true {}, predicted {}", number(truth[i]), number(predicted[i]));
            marks.push(Mark { x: x.place(truth[i]), y: y.place(predicted[i]), text });
        }
    }
    let n_points = with_commas(marks.len());
    let name = if every == 1 {
        format!("all {n_points} samples")
    } else {
        format!("{n_points} of the samples")
    };
    chart.lines.push(Line { name, style: "points", stretches: vec![], marks });
    chart
}
