//! Strings that are safe in C: identifiers, comments, strings and numbers.

use std::collections::HashSet;

use crate::formats::stages::unique;

/// Identifiers of one header.
pub struct Names {
    taken: HashSet<String>,
}

/// None is taken but the name of the array of classes.
impl Default for Names {
    fn default() -> Names {
        Names { taken: HashSet::from(["class_names".to_string()]) }
    }
}

impl Names {
    /// An identifier for a name of the model, different from all before.
    pub fn identifier(&mut self, name: &str) -> String {
        unique(&mut self.taken, &identifier(name))
    }
}

/// The name with `_` for all but letters and digits of ASCII; it starts with a letter.
pub fn identifier(name: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let identifier: String = name.chars().map(safe).collect();
    if identifier.starts_with(|c: char| c.is_ascii_alphabetic()) {
        identifier
    } else {
        format!("layer_{identifier}")
    }
}

/// The text inside a comment: no end of it, no nested one, no trigraph, only ASCII.
pub fn comment(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '_' };
    let text: String = text.chars().map(plain).collect();
    text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?")
}

/// A string literal of these bytes.
pub fn string(text: &str) -> String {
    let mut literal = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | b'?' => literal.extend(['\\', char::from(byte)]),
            b' '..=b'~' => literal.push(char::from(byte)),
            // Three digits, so that a digit after them does not belong to the escape.
            _ => literal += &format!("\\{byte:03o}"),
        }
    }
    literal + "\""
}

/// The shortest literal that is this number and no other.
pub fn number(value: f32) -> String {
    if value.is_nan() {
        "NAN".to_string()
    } else if value.is_infinite() {
        let sign = if value < 0.0 { "-" } else { "" };
        format!("{sign}INFINITY")
    } else {
        format!("{value:?}f")
    }
}

/// Value of a literal that [`number`] wrote.
pub fn value(literal: &str) -> Option<f32> {
    match literal {
        "NAN" => Some(f32::NAN),
        "INFINITY" => Some(f32::INFINITY),
        "-INFINITY" => Some(f32::NEG_INFINITY),
        _ => literal.strip_suffix('f')?.parse().ok(),
    }
}
