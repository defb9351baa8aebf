//! What a layer is called.
//!
//! Keras counts automatic names per process and class, so that a model's names depend on what was made before it.
//! Here they are counted per model, kept as class and ordinal, and spelled by the style that prints them.

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
    /// Automatic: the n-th layer of its class without a given name, counted from 1.
    Automatic {
        /// The name of the class: `MaxPooling2D`.
        class: &'static str,
        /// Counted from 1.
        ordinal: usize,
    },
}

impl LayerName {
    /// The name as this generation spells it.
    pub fn in_style(&self, style: Style) -> String {
        match (self, style) {
            (LayerName::Given(name), _) => name.clone(),
            (LayerName::Automatic { class, ordinal }, Style::Keras1) => format!("{}_{ordinal}", class.to_lowercase()),
            (LayerName::Automatic { class, ordinal }, Style::Keras2) => format!("{}_{ordinal}", snake_case(class)),
            (LayerName::Automatic { class, ordinal: 1 }, Style::Keras3) => snake_case(class),
            (LayerName::Automatic { class, ordinal }, Style::Keras3) => {
                format!("{}_{}", snake_case(class), ordinal - 1)
            }
        }
    }

    /// The name of the input that a first layer with this name and class gets of itself.
    pub fn input_in_style(&self, class: &str, style: Style) -> String {
        match style {
            Style::Keras1 => format!("{}_input_1", class.to_lowercase()),
            Style::Keras2 => format!("{}_input", self.in_style(style)),
            Style::Keras3 => "input_layer".to_string(),
        }
    }
}

/// `MaxPooling2D` becomes `max_pooling2d` and `ReLU` becomes `re_lu`: a line is put in front of a capital that lower
/// case or a digit follows, and between lower case and a capital.
pub fn snake_case(class: &str) -> String {
    let letters: Vec<char> = class.chars().collect();
    let mut name = String::new();
    for (i, &letter) in letters.iter().enumerate() {
        let starts_word = letters.get(i + 1).is_some_and(|next| next.is_ascii_lowercase() || next.is_ascii_digit());
        let ends_word = i > 0 && letters[i - 1].is_ascii_lowercase();
        if i > 0 && letter.is_ascii_uppercase() && (starts_word || ends_word) {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
