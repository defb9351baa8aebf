//! Nodes: the calls that connect the layers of a model, as Keras lists them.

use std::fmt;

use crate::model::{Sequential, Style};

/// One call of a layer: in Keras an inbound node of the called layer and an outbound node of the
/// layer before it. A `Sequential` calls each layer once, with one input, so the index lists of
/// Keras are all `[0]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Name of the called layer.
    pub outbound_layer: String,
    /// Name of the layer before it, or of the input.
    pub inbound_layer: String,
    /// Shape of a batch of inputs: `(None, 784)`.
    pub input_shape: String,
    /// Shape of a batch of outputs.
    pub output_shape: String,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Node { outbound_layer, inbound_layer, input_shape, output_shape } = self;
        write!(f, "<Node {inbound_layer}[0][0] {input_shape} -> {outbound_layer} {output_shape}>")
    }
}

impl Sequential {
    /// Inbound nodes of the layers, one each, with the names of this style. The next one is the
    /// outbound node of a layer.
    ///
    /// ```
    /// use tallynet::model::{Style, presets};
    ///
    /// let nodes = presets::named("mnist-softmax")?.build(0)?.inbound_nodes(Style::Keras2);
    /// assert_eq!(nodes[1].inbound_layer, "flatten_1");
    /// assert_eq!(nodes[1].output_shape, "(None, 10)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn inbound_nodes(&self, style: Style) -> Vec<Node> {
        let mut nodes: Vec<Node> = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let inbound_layer = match nodes.last() {
                Some(below) => below.outbound_layer.clone(),
                None => format!("{}_input_1", layer.spec.class_name().to_lowercase()),
            };
            nodes.push(Node {
                outbound_layer: layer.name_in(style),
                inbound_layer,
                input_shape: self.shape_text(i),
                output_shape: self.shape_text(i + 1),
            });
        }
        nodes
    }

    /// Text of the inbound and outbound nodes of each layer, with the names of this style.
    pub fn nodes(&self, style: Style) -> String {
        let mut text = String::new();
        let nodes = self.inbound_nodes(style);
        for (i, inbound) in nodes.iter().enumerate() {
            let name = &inbound.outbound_layer;
            let outbound = nodes.get(i + 1).map_or(String::new(), Node::to_string);
            text +=
                &format!("{name}\n  inbound_nodes: [{inbound}]\n  outbound_nodes: [{outbound}]\n");
        }
        text
    }
}
