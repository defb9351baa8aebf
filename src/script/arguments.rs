//! `argparse`: every argument takes its default, or the value of `--set`.

use super::evaluate::Interpreter;
use super::values::{Arguments, Id, Keyword, Value};

/// Path of the parser.
pub const PARSER: &str = "argparse.ArgumentParser";

impl Interpreter<'_> {
    /// Method of an argument parser, which holds the defaults that were added so far.
    pub fn parser_method(&mut self, id: Id, name: &str, arguments: &Arguments) -> Value {
        match name {
            "add_argument" => self.add_argument(id, arguments),
            "parse_args" => return Value::Object(id),
            "parse_known_args" => {
                let rest = self.heap.list(vec![]);
                return self.heap.tuple(vec![Value::Object(id), rest]);
            }
            _ => {}
        }
        Value::None
    }

    fn add_argument(&mut self, id: Id, arguments: &Arguments) {
        let mut names: Vec<String> = vec![];
        for value in &arguments.positional {
            if let Value::String(name) = value {
                names.push(name.to_string());
            }
        }
        let long = names.iter().find(|name| name.starts_with("--")).or(names.first());
        let dest = match (arguments.named("dest"), long) {
            (Some(Value::String(dest)), _) => dest.to_string(),
            (_, Some(name)) => name.trim_start_matches('-').replace('-', "_"),
            _ => return,
        };
        let is_flag = match arguments.named("action") {
            Some(Value::String(action)) => &**action == "store_true",
            _ => false,
        };
        let dotted = format!("args.{dest}");
        let value = match (self.given(&dotted), arguments.named("default").cloned()) {
            (Some(given), _) => given,
            (None, Some(default)) => default,
            (None, None) if is_flag => Value::Bool(false),
            (None, None) => {
                let value = self.unknown(format!("the argument {dest} has no default"));
                self.name_unknown(&value, &dotted);
                value
            }
        };
        let keyword = Keyword { name: dest.as_str().into(), value };
        self.heap.objects[id].arguments.keywords.push(keyword);
    }
}
