//! Weights: their distribution per array, what is wrong with them, and pictures of those that act
//! on pixels.

use serde::Serialize;

use super::histogram::Histogram;
use super::picture::{Picture, of_weights};
use super::samples::image_size;
use super::text::{counted, number, percent};
use crate::datasets::ImageShape;
use crate::formats::stages::{Stage, Weight, stages};
use crate::layers::Formula;
use crate::model::Sequential;
use crate::report::{Classes, Form};
use crate::table::with_commas;
use crate::{Real, Result};

/// Largest number of units whose weights are pictures.
const MAX_PICTURES: usize = 64;

/// Largest number of values of an array that are listed instead of counted.
const MAX_LISTED: usize = 10;

/// Distribution of the values of an array.
#[derive(Debug, Serialize)]
pub struct Distribution {
    pub name: String,
    pub n_values: String,
    pub mean: String,
    pub deviation: String,
    /// Histogram of many values.
    pub histogram: Option<Histogram>,
    /// Values of an array that has only few.
    pub list: Vec<String>,
    /// Remarks on values that are not finite, and on units of zeros.
    pub warnings: Vec<String>,
}

/// Pictures of the weights of the first layer, one for each unit or filter.
#[derive(Debug, Serialize)]
pub struct WeightPictures {
    pub layer: String,
    /// True for the filters of a convolution, false for units of a Dense layer.
    pub are_filters: bool,
    pub pictures: Vec<UnitPicture>,
    pub n_units: usize,
    /// Number of channels that each picture is the mean of.
    pub n_channels: usize,
    /// Weight of the strongest color.
    pub limit: String,
}

/// Picture of the weights of a unit.
#[derive(Debug, Serialize)]
pub struct UnitPicture {
    pub name: String,
    pub picture: Picture,
}

/// Distribution of every parameter array.
pub fn distributions(model: &Sequential) -> Vec<Distribution> {
    let mut distributions = vec![];
    for (name, array) in model.weights() {
        let values: Vec<Real> = array.iter().copied().collect();
        // The columns of an embedding are not units: they have no bias.
        let is_kernel = name.ends_with("/kernel");
        let n_units = if is_kernel { array.shape().last().copied().unwrap_or(1) } else { 0 };
        distributions.push(distribution(name, &values, n_units));
    }
    distributions
}

/// Distribution of an array whose last axis counts units; 0 if it does not.
fn distribution(name: String, values: &[Real], n_units: usize) -> Distribution {
    let finite = values.iter().copied().map(f64::from).filter(|value| value.is_finite());
    let n_finite = finite.clone().count();
    let mean = finite.clone().sum::<f64>() / n_finite.max(1) as f64;
    let squares: f64 = finite.clone().map(|value| (value - mean) * (value - mean)).sum();
    let is_short = values.len() <= MAX_LISTED;
    let mut list = vec![];
    if is_short {
        list.extend(values.iter().map(|value| number(f64::from(*value))));
    }
    Distribution {
        warnings: warnings(values, n_units),
        n_values: with_commas(values.len()),
        mean: number(if n_finite == 0 { f64::NAN } else { mean }),
        deviation: number((squares / n_finite.max(1) as f64).sqrt()),
        histogram: if is_short { None } else { Histogram::of(finite) },
        list,
        name,
    }
}

fn warnings(values: &[Real], n_units: usize) -> Vec<String> {
    let mut warnings = vec![];
    let n_nan = values.iter().filter(|value| value.is_nan()).count();
    let n_infinite = values.iter().filter(|value| value.is_infinite()).count();
    if n_nan > 0 {
        let share = percent(n_nan as f64 / values.len() as f64);
        warnings.push(format!(
            "{} NaN ({share}): every output that depends on them is NaN. The training diverged; \
             a smaller learning rate, or scaled inputs, prevent that.",
            counted(n_nan, "value") + if n_nan == 1 { " is" } else { " are" }
        ));
    }
    if n_infinite > 0 {
        warnings.push(format!("{} infinite.", counted(n_infinite, "value")));
    }
    if n_units == 0 || values.is_empty() {
        return warnings;
    }
    if values.iter().all(|value| *value == 0.0) {
        warnings.push("All values are 0: the layer's output does not depend on its input.".into());
        return warnings;
    }
    let is_zero = |unit: &usize| values.iter().skip(*unit).step_by(n_units).all(|v| *v == 0.0);
    let n_zero = (0..n_units).filter(is_zero).count();
    if n_zero > 0 {
        warnings.push(format!(
            "{} of {} have only zeros as weights: their output is their bias, whatever the input.",
            with_commas(n_zero),
            counted(n_units, "unit")
        ));
    }
    warnings
}

/// Pictures of the first layer's weights, if they act on pixels.
pub fn pictures(model: &Sequential) -> Result<Option<WeightPictures>> {
    let Some(size) = image_size(model) else { return Ok(None) };
    // A layer from outside the crate is not known here.
    let Ok(stages) = stages(model) else { return Ok(None) };
    for stage in &stages {
        let Some(kernel) = stage.weight("kernel") else { continue };
        return match stage.formulas.first() {
            Some(Formula::Dense) if kernel.shape[0] == size.n_values() && size.channels == 1 => {
                let classes = match Form::of(model) {
                    Form::Classes(classes) if stage.layer.output == *model.output_shape() => {
                        Some(classes)
                    }
                    _ => None,
                };
                of_dense(stage, kernel, size, classes).map(Some)
            }
            Some(Formula::Convolution(_)) => of_filters(stage, kernel),
            _ => Ok(None),
        };
    }
    Ok(None)
}

/// Largest of the finite values, in size.
fn limit(values: &[Real]) -> Real {
    values.iter().filter(|value| value.is_finite()).fold(0.0, |limit, v| limit.max(v.abs()))
}

fn of_dense(
    stage: &Stage,
    kernel: Weight,
    size: ImageShape,
    classes: Option<Classes>,
) -> Result<WeightPictures> {
    let n_units = kernel.shape[1];
    let limit = limit(kernel.values);
    let mut pictures = vec![];
    for unit in 0..n_units.min(MAX_PICTURES) {
        let values: Vec<Real> = kernel.values.iter().skip(unit).step_by(n_units).copied().collect();
        let name = match &classes {
            Some(classes) => classes.name(unit),
            None => format!("unit {unit}"),
        };
        let alt = format!("weights of {name} for each pixel");
        let picture = of_weights(&values, size.height, size.width, limit, alt)?;
        pictures.push(UnitPicture { name, picture });
    }
    let layer = stage.name.clone();
    let limit = number(f64::from(limit));
    Ok(WeightPictures { layer, are_filters: false, pictures, n_units, n_channels: 1, limit })
}

/// Pictures of a convolution's filters; one over several channels is shown as their mean.
fn of_filters(stage: &Stage, kernel: Weight) -> Result<Option<WeightPictures>> {
    let &[height, width, channels, n_units] = kernel.shape else { return Ok(None) };
    let mut filters = vec![];
    for unit in 0..n_units.min(MAX_PICTURES) {
        let mut values = vec![];
        for position in 0..height * width {
            let mut sum = 0.0;
            for channel in 0..channels {
                sum += kernel.values[(position * channels + channel) * n_units + unit];
            }
            values.push(sum / channels as Real);
        }
        filters.push(values);
    }
    let limit = limit(&filters.concat());
    let mut pictures = vec![];
    for (unit, values) in filters.iter().enumerate() {
        let name = format!("filter {unit}");
        let alt = format!("weights of {name}");
        let picture = of_weights(values, height, width, limit, alt)?;
        pictures.push(UnitPicture { name, picture });
    }
    let layer = stage.name.clone();
    let limit = number(f64::from(limit));
    Ok(Some(WeightPictures {
        layer,
        are_filters: true,
        pictures,
        n_units,
        n_channels: channels,
        limit,
    }))
}
