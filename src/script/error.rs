//! Messages of scripts that cannot be read: where, why, what was read before, and the way round.

use std::path::Path;

use super::describe::Obstacle;
use super::evaluate::Interpreter;
use super::source::Source;
use super::values::{Id, Value};
use crate::Error;

/// The way round any script: Keras itself writes the model.
pub const HELP: &str = "let Keras write the model, open(\"m.json\",\"w\").write(model.to_json()), \
                        and give m.json in place of the script";

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
        found += &format!("\n  {}: {}", source.place(refused.line), refused.text);
    } else if let Some(empty) = interpreter.heap.models.first() {
        found += &format!("\n  {}: this model has no layers", source.place(empty.line));
    } else if let Some(own) = interpreter
        .heap
        .classes
        .iter()
        .find(|class| class.base.as_deref().is_some_and(|base| base.ends_with("Model")))
    {
        let place = source.place(own.line);
        found += &format!("\n  {place}: {} is a model class of its own", own.name);
    }
    Error::file(path, found, HELP)
}

/// Error for an obstacle to reading a model.
pub fn stopped(
    path: &Path,
    source: &Source,
    interpreter: &Interpreter,
    model: Option<Id>,
    obstacle: &Obstacle,
) -> Error {
    let mut found = format!("{}: {}", source.place(obstacle.line), obstacle.problem);
    if let Some(model) = model {
        found += &format!("\n  read: {}", read_so_far(source, interpreter, model));
    }
    let mut ways = vec![];
    match &obstacle.name {
        Some(name) if name.ends_with(".shape") => {
            ways.push(format!("--set \"{name}=(ROWS, COLUMNS)\" supplies it"));
        }
        Some(name) => ways.push(format!("--set {name}=VALUE supplies it")),
        None => {}
    }
    if obstacle.is_data {
        ways.push("--data of `train`, `evaluate` and `summary` supplies it".to_string());
    }
    ways.push(HELP.to_string());
    Error::file(path, found, ways.join("; or "))
}

/// The model and its layers before the first that is not known.
fn read_so_far(source: &Source, interpreter: &Interpreter, id: Id) -> String {
    let model = &interpreter.heap.models[id];
    let name = model.variable.as_deref().unwrap_or("a model");
    let place = source.place(model.line);
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
        return format!("{name} of {place}, without a layer");
    }
    format!("{name} of {place} with {}", classes.join(", "))
}
