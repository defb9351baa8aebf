//! A layer of a built model: what it is called, what is known of it and what it is connected with.

use std::fmt;

use super::{LayerName, Style};
use crate::layers::{AnyLayer, Count};
use crate::params::ParamSpec;
use crate::shape::Shape;

/// A layer of a built model. Its mathematics is in the plan.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuiltLayer {
    /// The name before any style spells it.
    pub layer_name: LayerName,
    /// Whether training moves its parameters.
    pub trainable: bool,
    /// The description that it was built from.
    pub spec: AnyLayer,
    /// The shape of a sample that it takes.
    pub input: Shape,
    /// The shape of a sample that it puts out.
    pub output: Shape,
    /// The parameter arrays that it asked for.
    pub params: Vec<ParamSpec>,
    /// The arithmetic of its parameter count.
    pub count: Count,
    /// The connections that end in this layer: one, as in a Keras `Sequential` made of a list.
    pub inbound_nodes: Vec<Node>,
    /// The connections that start from this layer: one, or none for the last layer.
    pub outbound_nodes: Vec<Node>,
}

impl BuiltLayer {
    /// The name as Keras 1 and 2 spell it: `dense_1`.
    pub fn name(&self) -> String {
        self.layer_name.in_style(Style::Keras2)
    }

    /// Its parameters by the summary's count, from the shapes that it asked for: all, and those that training moves.
    pub fn count_params(&self) -> (usize, usize) {
        let count = |trainable: bool| {
            self.params.iter().filter(|param| param.trainable || !trainable).map(ParamSpec::count).sum()
        };
        (count(false), count(true))
    }
}

/// One call of a layer. In Keras it stands in the inbound nodes of the called layer and in the outbound nodes of the
/// layer that its input came from.
///
/// A `Sequential` calls each layer once, with one input: the lists of indices that Keras keeps are all `[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The called layer's name.
    pub outbound_layer: String,
    /// The name of the layer that the input came from.
    pub inbound_layer: String,
    /// The shape of a sample that came in.
    pub input_shape: Shape,
    /// The shape of a sample that went out.
    pub output_shape: Shape,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Node { outbound_layer, inbound_layer, input_shape, output_shape } = self;
        write!(f, "<Node {inbound_layer}[0][0] {input_shape} -> {outbound_layer} {output_shape}>")
    }
}
