//! The summary of a model, in the style of three generations of Keras, with its arithmetic where that is asked for.
//!
//! The total is the model's alone: Keras 3 adds an optimizer's variables to it after a `fit`, this never does.

mod explain;
mod keras1_and_2;
mod keras3;

use super::{Sequential, Style};

impl Sequential {
    /// The summary as this generation of Keras prints it, ending in a line break.
    ///
    /// `width` is the length of a line: by default 100, 65, and for Keras 3 that of a terminal of 80 columns, 76.
    pub fn summary(&self, style: Style, width: Option<usize>) -> String {
        match style {
            Style::Keras1 => keras1_and_2::render(self, style, width.unwrap_or(100)),
            Style::Keras2 => keras1_and_2::render(self, style, width.unwrap_or(65)),
            Style::Keras3 => keras3::render(self, width.unwrap_or(76)),
        }
    }

    /// Each layer's inbound and outbound nodes.
    pub fn nodes(&self) -> String {
        let mut text = String::new();
        for layer in self.layers() {
            text += &format!("{}\n", layer.name());
            for (kind, nodes) in [("inbound", &layer.inbound_nodes), ("outbound", &layer.outbound_nodes)] {
                let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
                text += &format!("  {kind}_nodes: [{}]\n", nodes.join(", "));
            }
        }
        text
    }

    /// All parameters, those that training moves, and the others.
    fn totals(&self) -> [usize; 3] {
        let counts = self.layers().iter().map(super::BuiltLayer::count_params);
        let (all, trained) = counts.fold((0, 0), |(all, trained), layer| (all + layer.0, trained + layer.1));
        [all, trained, all - trained]
    }
}

/// `7850` as `7,850`.
fn with_commas(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_commas(number / 1000), number % 1000),
    }
}
