//! ONNX models, for ONNX Runtime and other programs. They are written and not read.
//!
//! The graph has one input and one output, `input` and `output`, real numbers with a batch of any
//! length. The main node of each layer has the layer's name, and a weight has its full name
//! (`dense_1/kernel`). Kernels of convolutions are in ONNX's order of axes. The names of the
//! classes and columns of the training data are in the model's metadata. Words are real numbers
//! here too; ONNX Runtime counts negative ones from the end and refuses those beyond it.
//!
//! **Decision.** Before a file is written, its bytes are decoded and compared with the graph; the
//! numbers that ONNX Runtime computes are compared with those of `tallynet predict` by
//! `tests/keras/exports.py`, since running a graph here would take a second implementation of each
//! operator. The messages are written out in `messages.rs` instead of generated, so that building
//! needs no compiler of protocol buffers.

mod graph;
mod layers;
mod messages;
mod normalization;
mod pointwise;
mod windows;

use prost::Message;
use serde_json::json;

use self::graph::{Graph, INPUT, OUTPUT};
use self::messages::{
    DataType, Dimension, Length, ModelProto, OperatorSetIdProto, StringStringEntryProto,
    TensorShapeProto, TensorType, TypeProto, ValueInfoProto,
};
use super::invalid;
use super::stages::stages;
use crate::model::Sequential;
use crate::shape::Shape;
use crate::{Error, Result};

/// Version of the operators: the first with LayerNormalization, of 2022.
const OPSET: i64 = 17;
/// Version of the file format that came with it.
const IR_VERSION: i64 = 8;
/// Largest file that protocol buffers allow, in bytes.
const MAX_BYTES: usize = i32::MAX as usize;

/// Encodes the inference of a model.
///
/// # Errors
/// Layers that cannot be exported, and a model of more than 2 GB.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    check_size(model.count_params().saturating_mul(4))?;
    let message = message(model)?;
    check_size(message.encoded_len())?;
    let bytes = message.encode_to_vec();
    let decoded = ModelProto::decode(&bytes[..]).map_err(invalid)?;
    // As bytes, since a NaN is not equal to itself.
    if decoded.encode_to_vec() != bytes || decoded.graph.is_none() {
        return Err(invalid("the encoded ONNX model differs from the model"));
    }
    Ok(bytes)
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let found = format!("the model takes {bytes} bytes, and an ONNX file at most {MAX_BYTES}");
    Err(Error::option("path", format!("{found}\n  export a model with fewer parameters")))
}

fn message(model: &Sequential) -> Result<ModelProto> {
    let weights = model.weights().map(|(name, _)| name);
    let mut graph = Graph::new(model.input_shape().dims(), weights);
    for stage in stages(model)? {
        layers::add_layer(&mut graph, &stage)?;
    }
    let mut graph = graph.finish(&model.name);
    graph.input = vec![value_info(INPUT, model.input_shape())];
    graph.output = vec![value_info(OUTPUT, model.output_shape())];
    let opset = OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) };
    Ok(ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("tallynet".to_string()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_string()),
        graph: Some(graph),
        opset_import: vec![opset],
        metadata_props: metadata(model),
    })
}

/// Name and type of a value: a batch of any length, whose samples have this shape.
fn value_info(name: &str, shape: &Shape) -> ValueInfoProto {
    let mut dim = vec![Dimension { value: Some(Length::Param("batch".to_string())) }];
    for axis in shape.dims() {
        dim.push(Dimension { value: Some(Length::Value(*axis as i64)) });
    }
    let tensor_type = TensorType {
        elem_type: Some(DataType::Float as i32),
        shape: Some(TensorShapeProto { dim }),
    };
    ValueInfoProto {
        name: Some(name.to_string()),
        r#type: Some(TypeProto { tensor_type: Some(tensor_type) }),
    }
}

/// Description of the model's data, as JSON: `classes`, the names by label, `data`, all
/// names and encodings, and `byte_scale`, the factor of inputs that are bytes.
fn metadata(model: &Sequential) -> Vec<StringStringEntryProto> {
    let mut entries = vec![];
    if let Some(data) = &model.data {
        if !data.classes.is_empty() {
            entries.push(entry("classes", json!(data.classes)));
        }
        entries.push(entry("data", json!(data)));
    }
    if let Some(scale) = model.byte_scale {
        entries.push(entry("byte_scale", json!(scale)));
    }
    entries
}

fn entry(key: &str, value: serde_json::Value) -> StringStringEntryProto {
    StringStringEntryProto { key: Some(key.to_string()), value: Some(value.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_2_gb_are_refused() {
        assert!(check_size(MAX_BYTES).is_ok());
        let message = check_size(MAX_BYTES + 1).unwrap_err().to_string();
        assert!(message.contains("takes 2147483648 bytes"), "{message}");
    }
}
