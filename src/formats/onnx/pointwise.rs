//! Activations and other functions of each value.

use std::f32::consts::FRAC_1_SQRT_2;

use super::graph::{Graph, float, int};
use crate::activations::ActivationKind::{self, *};
use crate::formats::stages::Stage;
use crate::{Real, Result};

pub fn activation(graph: &mut Graph, kind: ActivationKind) {
    match kind {
        Linear => {}
        Relu => graph.apply("Relu", &[], vec![]),
        Sigmoid => graph.apply("Sigmoid", &[], vec![]),
        Tanh => graph.apply("Tanh", &[], vec![]),
        Softmax => {
            let axis = graph.channel_axis();
            graph.apply("Softmax", &[], vec![int("axis", axis)]);
        }
        Elu => elu(graph, 1.0),
        Selu => graph.apply("Selu", &[], vec![]),
        Gelu => gelu(graph),
        Silu => {
            let x = graph.value();
            graph.apply("Sigmoid", &[], vec![]);
            graph.apply("Mul", &[&x], vec![]);
        }
        Softplus => graph.apply("Softplus", &[], vec![]),
        Softsign => graph.apply("Softsign", &[], vec![]),
        LeakyRelu => relu(graph, None, -LeakyRelu.value(-1.0), 0.0),
        HardSigmoid => {
            let attributes = vec![float("alpha", 1.0 / 6.0), float("beta", 0.5)];
            graph.apply("HardSigmoid", &[], attributes);
        }
        Exponential => graph.apply("Exp", &[], vec![]),
    }
}

/// `x·(½ + ½·erf(x/√2))`; its own operator is of a later opset.
fn gelu(graph: &mut Graph) {
    let x = graph.value();
    let (root, half) =
        (graph.scalar("root_half", FRAC_1_SQRT_2 as Real), graph.scalar("half", 0.5));
    graph.apply("Mul", &[&root], vec![]);
    graph.apply("Erf", &[], vec![]);
    graph.apply("Mul", &[&half], vec![]);
    graph.apply("Add", &[&half], vec![]);
    graph.apply("Mul", &[&x], vec![]);
}

/// `min(x, max)` above the threshold, `slope·(x − threshold)` below.
pub fn relu(graph: &mut Graph, max: Option<Real>, slope: Real, threshold: Real) {
    if threshold == 0.0 && max.is_none() {
        graph.apply("LeakyRelu", &[], vec![float("alpha", slope as f32)]);
        return;
    }
    let x = graph.value();
    if threshold == 0.0
        && slope == 0.0
        && let Some(max) = max
    {
        let (min, max) = (graph.scalar("min", 0.0), graph.scalar("max", max));
        graph.apply("Clip", &[&min, &max], vec![]);
        return;
    }
    let threshold = graph.scalar("threshold", threshold);
    let slope = graph.scalar("slope", slope);
    let passes = graph.helper_node("Greater", vec![x.clone(), threshold.clone()], vec![]);
    let mut above = x.clone();
    if let Some(max) = max {
        let max = graph.scalar("max", max);
        above = graph.helper_node("Min", vec![x, max], vec![]);
    }
    graph.apply("Sub", &[&threshold], vec![]);
    graph.apply("Mul", &[&slope], vec![]);
    let (below, dims) = (graph.value(), graph.dims().to_vec());
    let chosen = graph.node("Where", vec![passes, above, below], vec![]);
    graph.take(chosen, &dims);
}

pub fn elu(graph: &mut Graph, alpha: Real) {
    graph.apply("Elu", &[], vec![float("alpha", alpha as f32)]);
}

pub fn prelu(graph: &mut Graph, stage: &Stage) -> Result<()> {
    graph.channels_last();
    let alpha = stage.needed("alpha")?;
    let slope = graph.weight("alpha", alpha.shape, alpha.values);
    graph.apply("PRelu", &[&slope], vec![]);
    Ok(())
}

pub fn rescaling(graph: &mut Graph, scale: Real, offset: Real) {
    let scale = graph.scalar("scale", scale);
    graph.apply("Mul", &[&scale], vec![]);
    if offset != 0.0 {
        let offset = graph.scalar("offset", offset);
        graph.apply("Add", &[&offset], vec![]);
    }
}
