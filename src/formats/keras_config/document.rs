//! The JSON of a description, from text in the encodings and wrappings in which people have it.

use serde_json::{Value, json};

use crate::formats::invalid;
use crate::{Error, Result};

/// True if these bytes are text that begins like JSON, in UTF-8 or UTF-16.
pub fn is_json(bytes: &[u8]) -> bool {
    let beginning = &bytes[..bytes.len().min(64)];
    let text = decoded(beginning);
    let rest = text.trim_start();
    // A quote: JSON that was dumped twice. `[` followed by text: the bare list of layers.
    rest.starts_with(['{', '[', '"']) && !rest.contains('\0')
}

/// Parses a description. JSON that was dumped twice is parsed twice, arrays and tuples that Keras
/// writes as objects become plain lists, and the bare result of `get_config()` gets its class.
///
/// # Errors
/// Text that is not JSON.
pub fn parse(bytes: &[u8]) -> Result<Value> {
    let text = decoded(bytes);
    let mut value = json_value(&text)?;
    for _ in 0..2 {
        if let Value::String(inner) = &value {
            value = json_value(inner)?;
        }
    }
    Ok(with_class(plain(value)))
}

fn json_value(text: &str) -> Result<Value> {
    let value = serde_json::from_str(text);
    // Python writes numbers that JSON does not have.
    let value = value.or_else(|error| serde_json::from_str(&quoted(text)).map_err(|_| error));
    value.map_err(|error| {
        if text.trim_start().starts_with("{'") {
            let help = "write it with model.to_json(), or with json.dumps(config)";
            return Error::format("this is a dictionary as Python prints it, not JSON", help);
        }
        invalid(format!("the description is not JSON: {error}"))
    })
}

/// JSON of Python with its numbers `NaN`, `Infinity` and `-Infinity` as strings.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_text = false;
    while let Some(letter) = rest.chars().next() {
        let number = ["NaN", "Infinity", "-Infinity"].iter().find(|word| rest.starts_with(**word));
        let length = match (letter, number) {
            (_, Some(word)) if !is_text => {
                quoted.extend(["\"", word, "\""]);
                rest = &rest[word.len()..];
                continue;
            }
            // A backslash and the letter that it escapes.
            ('\\', _) if is_text => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            ('"', _) => {
                is_text = !is_text;
                1
            }
            _ => letter.len_utf8(),
        };
        quoted.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    quoted
}

/// The text of these bytes, which may begin with a byte order mark.
fn decoded(bytes: &[u8]) -> String {
    let (bytes, is_big_endian) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => return String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        // A first character of ASCII, without a mark.
        [b'{' | b'[' | b'"', 0, 1..=255, 0, ..] => (bytes, false),
        [0, b'{' | b'[' | b'"', 0, 1..=255, ..] => (bytes, true),
        _ => return String::from_utf8_lossy(bytes).into_owned(),
    };
    let units = bytes.as_chunks::<2>().0.iter();
    let units: Vec<u16> = if is_big_endian {
        units.map(|unit| u16::from_be_bytes(*unit)).collect()
    } else {
        units.map(|unit| u16::from_le_bytes(*unit)).collect()
    };
    String::from_utf16_lossy(&units)
}

/// Replaces the objects in which Keras wraps arrays, tensors and tuples by their values. The depth
/// of a value is limited by the parser.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(plain).collect(),
        Value::Object(mut map) => {
            let class = map.get("class_name").and_then(Value::as_str).unwrap_or_default();
            let inner = match class {
                "__tuple__" => map.get_mut("items"),
                "__numpy__" | "__tensor__" => {
                    map.get_mut("config").and_then(|config| config.get_mut("value"))
                }
                _ if map.get("type").is_some_and(|kind| kind == "ndarray") => map.get_mut("value"),
                _ => None,
            };
            match inner {
                Some(inner) => plain(inner.take()),
                None => map.into_iter().map(|(key, value)| (key, plain(value))).collect(),
            }
        }
        other => other,
    }
}

/// Adds the class of a model to the bare result of `get_config()`.
fn with_class(value: Value) -> Value {
    let is_list = value[0].get("class_name").is_some();
    let is_config = value.get("class_name").is_none() && value["layers"].is_array();
    if !is_list && !is_config {
        return value;
    }
    let class = if value.get("input_layers").is_some() { "Functional" } else { "Sequential" };
    json!({ "class_name": class, "config": value })
}
