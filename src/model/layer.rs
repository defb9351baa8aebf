//! A layer of a built model: what it is called, what is known of it and what it is connected with.
//!
//! Keras counts automatic names per process and class, so that a model's names depend on what was
//! made before it. Here they are counted per model, kept as class and ordinal, and spelled by the
//! style that prints them.

use std::fmt;

use crate::classes::snake_case;
use crate::layers::{AnyLayer, Count};
use crate::params::ParamSpec;
use crate::shape::Shape;

/// The generations of Keras, as far as names and summaries differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Keras 1: `dense_1`, `maxpooling2d_1`.
    Keras1,
    /// Keras 2: `dense_1`, `max_pooling2d_1`.
    Keras2,
    /// Keras 3: `dense`, `dense_1`, `max_pooling2d`.
    Keras3,
}

/// A layer's name before any style spells it.
#[derive(Debug, Clone)]
pub(super) enum LayerName {
    /// Given by hand or read from a file: printed as it is.
    Given(String),
    /// A class, and the how manieth layer of it without a given name this is, counted from 1.
    Automatic(&'static str, usize),
}

impl LayerName {
    pub fn in_style(&self, style: Style) -> String {
        match (self, style) {
            (LayerName::Given(name), _) => name.clone(),
            (LayerName::Automatic(class, n), Style::Keras1) => {
                format!("{}_{n}", class.to_lowercase())
            }
            (LayerName::Automatic(class, 1), Style::Keras3) => snake_case(class),
            (LayerName::Automatic(class, n), Style::Keras2) => format!("{}_{n}", snake_case(class)),
            (LayerName::Automatic(class, n), Style::Keras3) => {
                format!("{}_{}", snake_case(class), n - 1)
            }
        }
    }
}

/// A layer of a built model. Its mathematics is in the plan.
#[derive(Debug)]
#[non_exhaustive]
pub struct BuiltLayer {
    pub(super) layer_name: LayerName,
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

    /// `dense_1 (Dense)`.
    pub(super) fn title(&self, style: Style) -> String {
        format!("{} ({})", self.layer_name.in_style(style), self.spec.class_name())
    }

    /// Its parameters by the summary's count, from the shapes that it asked for: all, and those
    /// that training moves.
    pub fn count_params(&self) -> (usize, usize) {
        let trained = self.params.iter().filter(|param| param.trainable);
        (self.params.iter().map(ParamSpec::count).sum(), trained.map(ParamSpec::count).sum())
    }
}

/// One call of a layer: in Keras an inbound node of the called layer and an outbound node of the
/// one that its input came from. A `Sequential` calls each layer once, with one input: the lists of
/// indices that Keras keeps are all `[0]`.
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
