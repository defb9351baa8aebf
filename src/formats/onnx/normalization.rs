//! Normalizations.

use super::graph::{Graph, float, int};
use crate::formats::stages::Stage;
use crate::layers::FeatureStatistics;
use crate::{Real, Result};

/// Batch normalization by the running statistics. ONNX's operator needs γ and β.
pub fn batch(graph: &mut Graph, stage: &Stage, epsilon: f64) -> Result<()> {
    let (mean, variance) = (stage.needed("moving_mean")?, stage.needed("moving_variance")?);
    let gamma = weight_or(graph, stage, "gamma", mean.shape, 1.0);
    let beta = weight_or(graph, stage, "beta", mean.shape, 0.0);
    let mean = graph.weight("moving_mean", mean.shape, mean.values);
    let variance = graph.weight("moving_variance", variance.shape, variance.values);
    graph.channels_first();
    let epsilon = float("epsilon", epsilon as f32);
    graph.apply("BatchNormalization", &[&gamma, &beta, &mean, &variance], vec![epsilon]);
    Ok(())
}

/// Layer normalization along the last axes.
pub fn layer(graph: &mut Graph, stage: &Stage, axes: usize, epsilon: f64) {
    graph.channels_last();
    let first = graph.dims().len().saturating_sub(axes);
    let vector = graph.dims()[first..].to_vec();
    let gamma = weight_or(graph, stage, "gamma", &vector, 1.0);
    let beta = weight_or(graph, stage, "beta", &vector, 0.0);
    let attributes = vec![int("axis", -(axes as i64)), float("epsilon", epsilon as f32)];
    graph.apply("LayerNormalization", &[&gamma, &beta], attributes);
}

/// The array of this name, or one of equal values.
fn weight_or(
    graph: &mut Graph,
    stage: &Stage,
    name: &str,
    shape: &[usize],
    default: Real,
) -> String {
    match stage.weight(name) {
        Some(weight) => graph.weight(name, weight.shape, weight.values),
        None => graph.constant(name, shape, &vec![default; shape.iter().product()]),
    }
}

/// Standardization by a mean and a variance that are weights or given as options.
pub fn standardization(
    graph: &mut Graph,
    stage: &Stage,
    given: Option<&FeatureStatistics>,
    invert: bool,
) -> Result<()> {
    graph.channels_last();
    let (mean, variance) = match given {
        Some(FeatureStatistics { mean, variance }) => {
            let mean = graph.constant("mean", &[mean.len()], mean);
            (mean, graph.constant("variance", &[variance.len()], variance))
        }
        None => {
            let (mean, variance) = (stage.needed("mean")?, stage.needed("variance")?);
            let mean = graph.weight("mean", mean.shape, mean.values);
            (mean, graph.weight("variance", variance.shape, variance.values))
        }
    };
    let least = graph.scalar("min_deviation", FeatureStatistics::MIN_DEVIATION);
    let root = graph.helper_node("Sqrt", vec![variance], vec![]);
    let deviation = graph.helper_node("Max", vec![root, least], vec![]);
    if invert {
        graph.apply("Mul", &[&deviation], vec![]);
        graph.apply("Add", &[&mean], vec![]);
    } else {
        graph.apply("Sub", &[&mean], vec![]);
        graph.apply("Div", &[&deviation], vec![]);
    }
    Ok(())
}
