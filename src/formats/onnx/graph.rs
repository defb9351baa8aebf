//! Building of an ONNX graph, node by node along the chain of layers.
//!
//! Keras's values are channels last, and ONNX's windows work on channels first. The builder knows
//! the layout of the current value and transposes it only where a node needs the other one, so that
//! a convolution followed by an activation and a pool is transposed once at each end.

use std::collections::HashSet;

use super::messages::{
    AttributeProto, AttributeType, DataType, GraphProto, NodeProto, TensorProto,
};
use crate::Real;
use crate::formats::stages::unique;

/// Name of the graph's input and output.
pub const INPUT: &str = "input";
pub const OUTPUT: &str = "output";

/// A graph under construction.
pub struct Graph {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    node_names: HashSet<String>,
    value_names: HashSet<String>,
    /// Layer that nodes are added for.
    layer: String,
    /// Name of the current value.
    value: String,
    /// Axes of a sample of the current value, channels last.
    dims: Vec<usize>,
    is_channels_first: bool,
}

impl Graph {
    /// A graph whose input has samples with these axes. `weights` are names that nodes leave free.
    pub fn new(dims: &[usize], weights: impl Iterator<Item = String>) -> Graph {
        let mut value_names: HashSet<String> = weights.collect();
        value_names.extend([INPUT.to_string(), OUTPUT.to_string()]);
        Graph {
            nodes: vec![],
            initializers: vec![],
            node_names: HashSet::new(),
            value_names,
            layer: String::new(),
            value: INPUT.to_string(),
            dims: dims.to_vec(),
            is_channels_first: false,
        }
    }

    /// Names the nodes that follow after this layer.
    pub fn begin_layer(&mut self, name: &str) {
        self.layer = name.to_string();
    }

    /// Axes of a sample of the current value, channels last.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Index of the axis of channels of the current value, in the graph.
    pub fn channel_axis(&self) -> i64 {
        if self.is_channels_first { 1 } else { -1 }
    }

    /// Values for each axis, given for the batch and then channels last, in the current layout.
    pub fn in_layout<T: Copy>(&self, mut of_axes: Vec<T>) -> Vec<T> {
        if self.is_channels_first
            && let Some(channels) = of_axes.pop()
        {
            of_axes.insert(1, channels);
        }
        of_axes
    }

    /// Name of the current value.
    pub fn value(&self) -> String {
        self.value.clone()
    }

    /// Applies an operator to the current value, with these further inputs. The first node of a
    /// layer that is not a helper has the layer's name.
    pub fn apply(&mut self, op: &str, more: &[&str], attributes: Vec<AttributeProto>) {
        let mut inputs = vec![self.value()];
        inputs.extend(more.iter().map(|name| name.to_string()));
        self.value = self.node(op, inputs, attributes);
    }

    /// As [`Graph::apply`], for an operator that gives samples these axes.
    pub fn apply_to(
        &mut self,
        dims: &[usize],
        op: &str,
        more: &[&str],
        attributes: Vec<AttributeProto>,
    ) {
        self.apply(op, more, attributes);
        self.dims = dims.to_vec();
    }

    /// Makes the value of a node the current one.
    pub fn take(&mut self, value: String, dims: &[usize]) {
        self.value = value;
        self.dims = dims.to_vec();
    }

    /// Adds a node with any inputs; returns the name of its output.
    pub fn node(
        &mut self,
        op: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = if self.node_names.contains(&self.layer) {
            format!("{}/{op}", self.layer)
        } else {
            self.layer.clone()
        };
        self.named_node(&name, op, inputs, attributes)
    }

    /// As [`Graph::node`], for a node that only prepares an input of the one with the layer's name.
    pub fn helper_node(
        &mut self,
        op: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = format!("{}/{op}", self.layer);
        self.named_node(&name, op, inputs, attributes)
    }

    fn named_node(
        &mut self,
        name: &str,
        op: &str,
        inputs: Vec<String>,
        attributes: Vec<AttributeProto>,
    ) -> String {
        let name = unique(&mut self.node_names, name);
        let output = unique(&mut self.value_names, &name);
        self.nodes.push(NodeProto {
            input: inputs,
            output: vec![output.clone()],
            name: Some(name),
            op_type: Some(op.to_string()),
            attribute: attributes,
        });
        output
    }

    /// Puts channels first.
    pub fn channels_first(&mut self) {
        let rank = self.dims.len() as i64;
        if !self.is_channels_first && rank > 1 {
            self.transpose([0, rank].into_iter().chain(1..rank).collect());
        }
        self.is_channels_first = rank > 1;
    }

    /// Puts channels last.
    pub fn channels_last(&mut self) {
        let rank = self.dims.len() as i64;
        if self.is_channels_first {
            self.transpose([0].into_iter().chain(2..=rank).chain([1]).collect());
        }
        self.is_channels_first = false;
    }

    fn transpose(&mut self, permutation: Vec<i64>) {
        let inputs = vec![self.value()];
        self.value = self.helper_node("Transpose", inputs, vec![ints("perm", permutation)]);
    }

    /// Gives samples these axes; their values keep their order, channels last.
    pub fn reshape(&mut self, dims: &[usize]) {
        let positions = self.dims.split_last().map_or(1, |(_, axes)| axes.iter().product());
        let has_one_order = positions == 1 || self.dims.last() == Some(&1);
        if !has_one_order {
            self.channels_last();
        }
        self.is_channels_first = false;
        // 0 stands for the length of the same axis of the input: the batch.
        let shape = [0].into_iter().chain(dims.iter().map(|axis| *axis as i64)).collect();
        let shape = self.integers("shape", shape);
        self.apply_to(dims, "Reshape", &[&shape], vec![]);
    }

    /// Adds a parameter array of the layer; returns its name.
    pub fn weight(&mut self, name: &str, dims: &[usize], values: &[Real]) -> String {
        self.tensor(format!("{}/{name}", self.layer), dims, values)
    }

    /// Adds a constant that is not a parameter array; returns its name.
    pub fn constant(&mut self, name: &str, dims: &[usize], values: &[Real]) -> String {
        let name = unique(&mut self.value_names, &format!("{}/{name}", self.layer));
        self.tensor(name, dims, values)
    }

    /// Adds a constant of one value; returns its name.
    pub fn scalar(&mut self, name: &str, value: Real) -> String {
        self.constant(name, &[], &[value])
    }

    fn tensor(&mut self, name: String, dims: &[usize], values: &[Real]) -> String {
        let mut bytes = Vec::with_capacity(4 * values.len());
        for value in values {
            bytes.extend((*value as f32).to_le_bytes());
        }
        let dims = dims.iter().map(|axis| *axis as i64).collect();
        self.initializer(name, dims, DataType::Float, bytes)
    }

    /// Adds a constant vector of integers; returns its name.
    pub fn integers(&mut self, name: &str, values: Vec<i64>) -> String {
        let name = unique(&mut self.value_names, &format!("{}/{name}", self.layer));
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(name, vec![values.len() as i64], DataType::Int64, bytes)
    }

    fn initializer(
        &mut self,
        name: String,
        dims: Vec<i64>,
        data_type: DataType,
        bytes: Vec<u8>,
    ) -> String {
        self.initializers.push(TensorProto {
            dims,
            data_type: Some(data_type as i32),
            name: Some(name.clone()),
            raw_data: Some(bytes),
        });
        name
    }

    /// The finished graph, without its inputs and outputs; the last node's value is the output.
    pub fn finish(mut self, name: &str) -> GraphProto {
        self.channels_last();
        if self.nodes.is_empty() {
            self.apply("Identity", &[], vec![]);
        }
        if let Some(last) = self.nodes.last_mut() {
            last.output = vec![OUTPUT.to_string()];
        }
        GraphProto {
            node: self.nodes,
            name: Some(name.to_string()),
            initializer: self.initializers,
            input: vec![],
            output: vec![],
        }
    }
}

fn attribute(name: &str, kind: AttributeType) -> AttributeProto {
    AttributeProto {
        name: Some(name.to_string()),
        r#type: Some(kind as i32),
        ..AttributeProto::default()
    }
}

/// Attribute of one integer.
pub fn int(name: &str, value: i64) -> AttributeProto {
    AttributeProto { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// Attribute of a list of integers.
pub fn ints(name: &str, values: Vec<i64>) -> AttributeProto {
    AttributeProto { ints: values, ..attribute(name, AttributeType::Ints) }
}

/// Attribute of one real number.
pub fn float(name: &str, value: f32) -> AttributeProto {
    AttributeProto { f: Some(value), ..attribute(name, AttributeType::Float) }
}

/// Attribute of a text.
pub fn text(name: &str, value: &str) -> AttributeProto {
    AttributeProto { s: Some(value.as_bytes().to_vec()), ..attribute(name, AttributeType::String) }
}
