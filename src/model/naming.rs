//! What a layer is called.
//!
//! Keras counts automatic names per process and class, so that a model's names depend on what was made before it.
//! Here they are counted per model, kept as class and ordinal, and spelled by the style that prints them.

use crate::classes::snake_case;

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

/// A layer's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LayerName {
    /// Given by hand or read from a file: printed as it is.
    Given(String),
    /// Automatic: a class, and the how manieth layer of it without a given name this is, counted from 1.
    Automatic(&'static str, usize),
}

impl LayerName {
    /// The name as this generation spells it.
    pub fn in_style(&self, style: Style) -> String {
        match (self, style) {
            (LayerName::Given(name), _) => name.clone(),
            (LayerName::Automatic(class, n), Style::Keras1) => format!("{}_{n}", class.to_lowercase()),
            (LayerName::Automatic(class, 1), Style::Keras3) => snake_case(class),
            (LayerName::Automatic(class, n), Style::Keras2) => format!("{}_{n}", snake_case(class)),
            (LayerName::Automatic(class, n), Style::Keras3) => format!("{}_{}", snake_case(class), n - 1),
        }
    }
}

/// The name of the input that a first layer of this name and class gets of itself.
pub(super) fn input_name(name: &LayerName, class: &str, style: Style) -> String {
    match style {
        Style::Keras1 => format!("{}_input_1", class.to_lowercase()),
        Style::Keras2 => format!("{}_input", name.in_style(style)),
        Style::Keras3 => "input_layer".to_string(),
    }
}
