//! Strings: f-strings, `%`, `format` and the methods of `str`.

use super::evaluate::{Interpreter, Read};
use super::expressions::MAX_STRING;
use super::syntax::Expr;
use super::values::{Arguments, Value};

impl Interpreter<'_> {
    /// An f-string.
    pub fn format(&mut self, parts: &[Expr]) -> Read<Value> {
        let mut text = String::new();
        for part in parts {
            let value = self.expression(part)?;
            match spelled(&value) {
                Some(part) => text += &part,
                None => return Ok(self.not_known("an f-string", &[&value])),
            }
            if text.len() > MAX_STRING {
                return Ok(self.unknown("a string is too long"));
            }
        }
        Ok(Value::String(text.into()))
    }

    /// `format % values`, with `%d`, `%i` and `%s`.
    pub fn percent(&mut self, format: &str, values: &Value) -> Value {
        let values = match self.heap.items(values) {
            Some(items) => items.to_vec(),
            None => vec![values.clone()],
        };
        let mut values = values.iter();
        let mut pieces = format.split('%');
        let mut text = pieces.next().unwrap_or_default().to_string();
        for piece in pieces {
            let Some(rest) = piece.strip_prefix(['d', 'i', 's']) else {
                return self.unknown("a format other than %d and %s is not supported");
            };
            let Some(value) = values.next() else {
                return self.unknown("a format has fewer values than places");
            };
            match spelled(value) {
                Some(value) => text += &value,
                None => return self.not_known("a format", &[value]),
            }
            text += rest;
        }
        Value::String(text.into())
    }

    /// Method of a string.
    pub fn text_method(&mut self, text: &str, name: &str, arguments: &Arguments) -> Value {
        let first = match arguments.positional.first() {
            Some(Value::String(first)) => Some(&**first),
            _ => None,
        };
        let changed = match (name, first) {
            ("format", _) => return self.format_method(text, arguments),
            ("lower", _) => text.to_lowercase(),
            ("upper", _) => text.to_uppercase(),
            ("strip", None) => text.trim().to_string(),
            ("startswith", Some(start)) => return Value::Bool(text.starts_with(start)),
            ("endswith", Some(end)) => return Value::Bool(text.ends_with(end)),
            ("split", separator) => {
                let parts: Vec<Value> = match separator {
                    Some("") | None => text.split_whitespace().map(text_value).collect(),
                    Some(separator) => text.split(separator).map(text_value).collect(),
                };
                return self.heap.list(parts);
            }
            ("join", _) => {
                match arguments.positional.first().and_then(|all| self.heap.items(all)) {
                    Some(items) if items.len() < MAX_STRING / 8 => {
                        let strings: Option<Vec<String>> = items.iter().map(spelled).collect();
                        match strings {
                            Some(strings) => strings.join(text),
                            None => return self.unknown("the strings to join are not known"),
                        }
                    }
                    _ => return self.unknown("the strings to join are not known"),
                }
            }
            _ => return self.unknown(format!("the method {name} of a string is not supported")),
        };
        if changed.len() > MAX_STRING {
            return self.unknown("a string is too long");
        }
        Value::String(changed.into())
    }

    /// `"{}-{name}".format(…)`, without format specifications.
    fn format_method(&mut self, format: &str, arguments: &Arguments) -> Value {
        let mut text = String::new();
        let mut rest = format;
        let mut next = 0;
        while let Some(start) = rest.find('{') {
            let Some(end) = rest[start..].find('}').map(|end| start + end) else { break };
            let place = &rest[start + 1..end];
            let value = match (place, place.parse::<usize>()) {
                ("", _) => {
                    next += 1;
                    arguments.positional.get(next - 1)
                }
                (_, Ok(position)) => arguments.positional.get(position),
                (name, Err(_)) => arguments.named(name),
            };
            let Some(spelled) = value.and_then(spelled) else {
                return self.unknown("a format is not supported");
            };
            text += &rest[..start];
            text += &spelled;
            if text.len() > MAX_STRING {
                return self.unknown("a string is too long");
            }
            rest = &rest[end + 1..];
        }
        Value::String((text + rest).into())
    }
}

fn text_value(text: &str) -> Value {
    Value::String(text.into())
}

/// A simple value as `str` spells it.
pub fn spelled(value: &Value) -> Option<String> {
    match value {
        Value::None => Some("None".to_string()),
        Value::Bool(true) => Some("True".to_string()),
        Value::Bool(false) => Some("False".to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Float(value) => Some(format!("{value:?}")),
        Value::String(text) => Some(text.to_string()),
        _ => None,
    }
}
