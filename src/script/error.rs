//! Messages of scripts that cannot be read: where, why, what was read before, and the workaround.

use std::path::Path;

use super::describe::Unsupported;
use super::evaluate::Interpreter;
use super::source::Source;
use super::values::{Id, Value};
use crate::Error;

/// Workaround for any script: Keras itself writes the model.
pub const HELP: &str = "write the model's JSON in Keras, \
                        open(\"m.json\",\"w\").write(model.to_json()), and pass m.json instead of \
                        the script";

/// Error for a script without a model.
pub fn no_model(path: &Path, source: &Source, interpreter: &Interpreter) -> Error {
    let lines = source.text.lines().count();
    let mut modules: Vec<&str> = vec![];
    for value in interpreter.heap.scopes.iter().flat_map(|scope| scope.names.values()) {
        if let Value::Path(path) = value {
            let module = path.split('.').next().unwrap_or_default();
            if !module.is_empty() && !modules.contains(&module) {
                modules.push(module);
            }
        }
    }
    modules.sort_unstable();
    let lines = if lines == 1 { "a line".to_string() } else { format!("{lines} lines") };
    let mut found = format!("no model was found in this Python script of {lines}");
    if !modules.is_empty() {
        found += &format!(", which imports {}", modules.join(", "));
    }
    if let Some(refused) = &interpreter.refused {
        found += &format!("\n  {}: {}", source.location(refused.line), refused.text);
    } else if let Some(empty) = interpreter.heap.models.first() {
        found += &format!("\n  {}: this model has no layers", source.location(empty.line));
    } else if let Some(own) = interpreter
        .heap
        .classes
        .iter()
        .find(|class| class.base.as_deref().is_some_and(|base| base.ends_with("Model")))
    {
        let location = source.location(own.line);
        found += &format!("\n  {location}: {} is a model class of its own", own.name);
    }
    Error::file(path, found, HELP)
}

/// Error for a model that needs something unsupported or unknown.
pub fn stopped(
    path: &Path,
    source: &Source,
    interpreter: &Interpreter,
    model: Option<Id>,
    unsupported: &Unsupported,
) -> Error {
    let mut found = format!("{}: {}", source.location(unsupported.line), unsupported.problem);
    if let Some(model) = model {
        found += &format!("\n  read: {}", read_so_far(source, interpreter, model));
    }
    let mut ways = vec![];
    match &unsupported.name {
        Some(name) if name.ends_with(".shape") => {
            ways.push(format!("set it with --set \"{name}=(ROWS, COLUMNS)\""));
        }
        Some(name) => ways.push(format!("set it with --set {name}=VALUE")),
        None => {}
    }
    if unsupported.is_data {
        ways.push(
            "supply it with --data of `train`, `evaluate`, `summary` or `verify`".to_string(),
        );
    }
    ways.push(HELP.to_string());
    Error::file(path, found, ways.join(", or "))
}

/// The model and its layers before the first that is not known.
fn read_so_far(source: &Source, interpreter: &Interpreter, id: Id) -> String {
    let model = &interpreter.heap.models[id];
    let name = model.variable.as_deref().unwrap_or("a model");
    let location = source.location(model.line);
    let mut classes = vec![];
    for added in &model.layers {
        match &added.layer {
            Value::Object(object) => classes.push(interpreter.heap.objects[*object].class()),
            _ => classes.push("?"),
        }
        if classes.len() == 12 {
            classes.push("…");
            break;
        }
    }
    if classes.is_empty() {
        return format!("{name} of {location}, without a layer");
    }
    format!("{name} of {location} with {}", classes.join(", "))
}
