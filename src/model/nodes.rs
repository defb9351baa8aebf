//! How layers are connected: one node a call of a layer, as Keras keeps them.

use std::fmt;

use crate::shape::Shape;

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
        write!(
            f,
            "<Node {}[0][0] {} -> {} {}>",
            self.inbound_layer, self.input_shape, self.outbound_layer, self.output_shape
        )
    }
}
