//! Values of options, converted from all forms that Keras has had for them to those of this crate.

use serde_json::{Value, json};

use super::history;

/// The value of an option in this crate's form; `None` if it is not supported.
pub fn converted(key: &str, value: &Value, default: &Value) -> Option<Value> {
    Some(match (key, value) {
        (_, Value::Null) => Value::Null,
        // As Python writes it; it bounds nothing.
        ("max_value", _) if value == "Infinity" => Value::Null,
        ("activation", _) => json!(activation(value)?),
        // A schedule in the place of a learning rate.
        (_, Value::Object(_)) if value.get("class_name").is_some() => initializer(value)?,
        ("padding", _) if default.is_array() => padding(value)?,
        _ => value.clone(),
    })
}

/// The name of an activation, given directly, or as a function or a layer without options.
pub fn activation(value: &Value) -> Option<&str> {
    let name = value.as_str().or(value["config"].as_str());
    let config = &value["config"];
    let is_zero = |key: &str| config[key].is_null() || config[key].as_f64() == Some(0.0);
    name.or_else(|| match value["class_name"].as_str()? {
        "ReLU" => {
            let has_slope = !is_zero("negative_slope") || !is_zero("alpha");
            let is_plain = config["max_value"].is_null() && is_zero("threshold") && !has_slope;
            if is_plain { Some("relu") } else { None }
        }
        "Softmax" if config["axis"].is_null() || config["axis"] == -1 => Some("softmax"),
        _ => None,
    })
}

/// Forms of a value that a class may expect: Keras takes one number for all axes, and writes a
/// number as a list of one. The class itself says which it takes.
pub fn spellings(value: Value) -> Vec<Value> {
    let single = match &value {
        Value::Array(list) if list.len() == 1 => list[0].clone(),
        other => other.clone(),
    };
    let mut forms = vec![value];
    if forms[0] != single {
        forms.push(single.clone());
    }
    if single.is_number() {
        forms.extend([json!([single]), json!([single, single])]);
    }
    forms
}

/// Rows and columns around an image: `[[top, bottom], [left, right]]`, from that form, one number,
/// `[rows, columns]`, and Keras 1's `[top, bottom, left, right]` and its four names.
fn padding(value: &Value) -> Option<Value> {
    if value.is_number() {
        return Some(json!([[value, value], [value, value]]));
    }
    if let Value::Object(names) = value {
        let known = ["top_pad", "bottom_pad", "left_pad", "right_pad"];
        if !names.keys().all(|name| known.contains(&name.as_str())) {
            return None;
        }
        let [top, bottom, left, right] =
            known.map(|name| names.get(name).cloned().unwrap_or(json!(0)));
        return Some(json!([[top, bottom], [left, right]]));
    }
    match value.as_array()?.as_slice() {
        [rows, columns] if rows.is_number() && columns.is_number() => {
            Some(json!([[rows, rows], [columns, columns]]))
        }
        [top, bottom, left, right] => Some(json!([[top, bottom], [left, right]])),
        _ => Some(value.clone()),
    }
}

/// An initializer, a regularizer or a schedule, given as a name in either spelling or as an object,
/// without options that have no effect. Keras 1 wrote the name of a regularizer among its options.
pub fn initializer(value: &Value) -> Option<Value> {
    let class = value["class_name"].as_str();
    let config = if class.is_some() { &value["config"] } else { value };
    let mut config = config.as_object().cloned().unwrap_or_default();
    config.retain(|key, value| !super::effects::has_no_effect(key, value));
    let class = pascal_case(class.or(value["name"].as_str()).or(value.as_str())?);
    let class = history::initializer_name(&class);
    // Keras 2 wrote the class that the named ones derive from.
    if class == "VarianceScaling" {
        let family = match (config.get("scale")?.as_f64()?, config.get("mode")?.as_str()?) {
            (1.0, "fan_avg") => "Glorot",
            (2.0, "fan_in") => "He",
            (1.0, "fan_in") => "Lecun",
            _ => return None,
        };
        let is_uniform = config.get("distribution")? == "uniform";
        let distribution = if is_uniform { "Uniform" } else { "Normal" };
        return Some(json!({ "class_name": format!("{family}{distribution}"), "config": {} }));
    }
    Some(json!({ "class_name": class, "config": config }))
}

/// `glorot_uniform` becomes `GlorotUniform`.
fn pascal_case(name: &str) -> String {
    let mut pascal = String::new();
    for word in name.split('_') {
        let mut letters = word.chars();
        pascal.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        pascal.extend(letters);
    }
    pascal
}

/// A value in few words, for a message: an object by its class.
pub fn short(value: &Value) -> String {
    if let Some(class) = value["class_name"].as_str() {
        return class.to_string();
    }
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
