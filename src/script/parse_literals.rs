//! Python text into the syntax tree: numbers and strings.

use tree_sitter::Node;

use super::parse::{children, line};
use super::parse_expressions::Translator;
use super::syntax::*;

/// An integer, in any base, with Python 2's `L`.
pub fn integer(text: &str) -> ExprKind {
    let digits = text.replace('_', "").to_lowercase();
    let digits = digits.trim_end_matches('l');
    let parsed = match digits.get(..2) {
        Some("0x") => i64::from_str_radix(&digits[2..], 16),
        Some("0o") => i64::from_str_radix(&digits[2..], 8),
        Some("0b") => i64::from_str_radix(&digits[2..], 2),
        _ => digits.parse(),
    };
    match parsed {
        Ok(value) => ExprKind::Int(value),
        Err(_) => ExprKind::Other("an integer beyond 64 bits"),
    }
}

impl Translator<'_> {
    /// A string, an f-string, or several side by side.
    pub fn string(&mut self, node: Node) -> ExprKind {
        let strings =
            if node.kind() == "concatenated_string" { children(node) } else { vec![node] };
        let mut parts = vec![];
        for string in strings {
            self.string_parts(string, &mut parts);
        }
        let mut whole = String::new();
        for part in &parts {
            let ExprKind::String(text) = &part.kind else { return ExprKind::Format(parts) };
            whole += text;
        }
        ExprKind::String(whole)
    }

    /// Strings and interpolations of one string.
    fn string_parts(&mut self, string: Node, parts: &mut Vec<Expr>) {
        let parts_of_string = children(string);
        let start = parts_of_string.first().map(|start| self.text(*start)).unwrap_or_default();
        let prefix = start.trim_end_matches(['"', '\'']).to_lowercase();
        for part in parts_of_string {
            let kind = match part.kind() {
                "string_content" if prefix.contains('r') => ExprKind::String(self.text(part)),
                "string_content" => {
                    let mut text = unescaped(&self.text(part));
                    if prefix.contains('f') {
                        text = text.replace("{{", "{").replace("}}", "}");
                    }
                    ExprKind::String(text)
                }
                "interpolation" if part.child_by_field_name("format_specifier").is_some() => {
                    ExprKind::Other("a format specification in an f-string")
                }
                "interpolation" => self.field(part, "expression").kind,
                _ => continue,
            };
            // An interpolated text literal stays an interpolation of the same text.
            parts.push(Expr { line: line(part), kind });
        }
    }
}

/// A string with its escape sequences replaced. Unknown ones stay, as in Python.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            plain.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('0') => plain.push('\0'),
            Some('\n') => {}
            Some(quoted @ ('\\' | '\'' | '"')) => plain.push(quoted),
            Some(other) => plain.extend(['\\', other]),
            None => plain.push('\\'),
        }
    }
    plain
}
