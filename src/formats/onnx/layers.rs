//! Layers as nodes of the graph: one node per formula where ONNX has the operator.

use super::graph::{Graph, int};
use super::messages::DataType;
use super::{normalization, pointwise, windows};
use crate::Result;
use crate::formats::stages::Stage;
use crate::layers::Formula;

/// Adds the nodes of a layer.
pub fn add_layer(graph: &mut Graph, stage: &Stage) -> Result<()> {
    graph.begin_layer(&stage.name);
    let output = stage.layer.output.dims();
    if stage.formulas.is_empty() && graph.dims() == output {
        graph.apply("Identity", &[], vec![]);
    }
    for formula in &stage.formulas {
        add_formula(graph, stage, formula)?;
    }
    if graph.dims() != output {
        graph.reshape(output);
    }
    Ok(())
}

fn add_formula(graph: &mut Graph, stage: &Stage, formula: &Formula) -> Result<()> {
    match formula {
        Formula::Identity => graph.apply("Identity", &[], vec![]),
        Formula::Dense => dense(graph, stage)?,
        Formula::Convolution(convolution) => windows::convolution(graph, stage, convolution)?,
        Formula::Pooling(pooling) => windows::pooling(graph, pooling),
        Formula::BatchNormalization { epsilon } => {
            normalization::batch(graph, stage, *epsilon)?;
        }
        Formula::LayerNormalization { axes, epsilon } => {
            normalization::layer(graph, stage, *axes, *epsilon);
        }
        Formula::Standardization { given, invert } => {
            normalization::standardization(graph, stage, given.as_ref(), *invert)?;
        }
        Formula::Embedding => embedding(graph, stage)?,
        Formula::Activation(kind) => pointwise::activation(graph, *kind),
        Formula::Relu { max, slope, threshold } => {
            pointwise::relu(graph, *max, *slope, *threshold);
        }
        Formula::Elu { alpha } => pointwise::elu(graph, *alpha),
        Formula::PRelu => pointwise::prelu(graph, stage)?,
        Formula::Rescaling { scale, offset } => pointwise::rescaling(graph, *scale, *offset),
        Formula::Repetition { n } => repetition(graph, *n),
        Formula::UpSampling { size, interpolation } => {
            windows::up_sampling(graph, *size, *interpolation);
        }
        Formula::ZeroPadding { padding } => windows::zero_padding(graph, *padding),
    }
    Ok(())
}

fn dense(graph: &mut Graph, stage: &Stage) -> Result<()> {
    graph.channels_last();
    let kernel = stage.needed("kernel")?;
    let kernel_name = graph.weight("kernel", kernel.shape, kernel.values);
    let bias = stage.weight("bias").map(|bias| graph.weight("bias", bias.shape, bias.values));
    let rank = graph.dims().len();
    let output = match graph.dims().split_last() {
        Some((_, positions)) => [positions, &kernel.shape[1..]].concat(),
        None => kernel.shape[1..].to_vec(),
    };
    if rank == 1 {
        let inputs: Vec<&str> =
            [&kernel_name].into_iter().chain(&bias).map(|s| s.as_str()).collect();
        graph.apply_to(&output, "Gemm", &inputs, vec![]);
        return Ok(());
    }
    graph.apply_to(&output, "MatMul", &[&kernel_name], vec![]);
    if let Some(bias) = bias {
        graph.apply("Add", &[&bias], vec![]);
    }
    Ok(())
}

/// The vector of each word. Words come as real numbers, whose fraction is cut off.
fn embedding(graph: &mut Graph, stage: &Stage) -> Result<()> {
    graph.channels_last();
    let embeddings = stage.needed("embeddings")?;
    let name = graph.weight("embeddings", embeddings.shape, embeddings.values);
    let output = [graph.dims(), &embeddings.shape[1..]].concat();
    let words = graph.value();
    let words = graph.helper_node("Cast", vec![words], vec![int("to", DataType::Int64 as i64)]);
    let vectors = graph.node("Gather", vec![name, words], vec![int("axis", 0)]);
    graph.take(vectors, &output);
    Ok(())
}

/// The vector at each of `n` steps.
fn repetition(graph: &mut Graph, n: usize) {
    let width = graph.dims().iter().product();
    graph.reshape(&[1, width]);
    let shape = graph.integers("repeated", vec![1, n as i64, width as i64]);
    graph.apply_to(&[n, width], "Expand", &[&shape], vec![]);
}
