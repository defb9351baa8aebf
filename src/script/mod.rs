//! Keras scripts, read as descriptions of a model. Nothing of a script is executed.
//!
//! [`read`] evaluates a Python file or the code cells of a notebook and returns Keras's
//! `config.json` of the model, with the arguments of its `compile` and `fit`. It understands
//! literals, names, arithmetic, strings, lists, loops, comprehensions and conditions on known
//! values, functions and classes of the file, Keras's classes in all spellings since Keras 1, and
//! what happens to the shapes, labels and scaling of Keras's own data sets. Everything else is a
//! value that is not known, and an error only where the model needs it.
//!
//! The stages of a script: `source` (text) → `parse` (syntax tree) → `evaluate` (values) →
//! `describe` and `training` (JSON).
//!
//! **Decision.** Options pass under the names that the script uses, because
//! `formats::keras_config` reads those of all versions of Keras. **Rejected:** an interpreter of
//! Python (monty, RustPython), which would execute the script, and a language of our own.

mod arguments;
mod arrays;
mod batched;
mod branches;
mod builtins;
mod calls;
mod data_info;
mod datasets;
mod definitions;
mod describe;
mod error;
mod evaluate;
mod expressions;
mod folders;
mod keras_calls;
mod model;
mod names;
mod numpy;
mod operators;
mod parse;
mod parse_expressions;
mod parse_literals;
mod range;
mod signatures;
mod source;
mod strings;
mod syntax;
mod training;
mod uncalled;
mod unpack;
mod values;

use std::path::Path;

use serde_json::{Value as Json, json};

use crate::classes::did_you_mean;
use crate::datasets::ImageShape;
use crate::{Error, Result};
use describe::Unsupported;
use evaluate::Interpreter;
use source::Source;
use values::{Id, Value};

pub use training::{DataUse, Fit};

/// Values, and info about the data, that a user supplies for a script.
///
/// ```
/// use tallynet::script::{DataInfo, Settings};
///
/// let units = "units=128".parse().unwrap();
/// let data = Some(DataInfo { sample: vec![28, 28], classes: Some(10) });
/// let settings = Settings { set: vec![units], data };
/// assert_eq!(settings.set[0].value, "128");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Values that take the place of those in the script.
    pub set: Vec<Setting>,
    /// Info about the data that the script is used with.
    pub data: Option<DataInfo>,
}

/// A name of the script and its value, in Python.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Name: `units`, `args.epochs`.
    pub name: String,
    /// Value: `128`, `(28, 28)`, `relu`.
    pub value: String,
}

impl std::str::FromStr for Setting {
    type Err = String;

    /// Parses `NAME=VALUE`.
    fn from_str(text: &str) -> std::result::Result<Setting, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                Ok(Setting { name: name.trim().to_string(), value: value.trim().to_string() })
            }
            _ => Err(format!("{text:?} is not of the form NAME=VALUE, such as units=128")),
        }
    }
}

/// Shape and classes of data.
#[derive(Debug, Clone)]
pub struct DataInfo {
    /// Shape of a sample.
    pub sample: Vec<u64>,
    /// Number of classes, if the targets are labels.
    pub classes: Option<u64>,
}

/// A script that has been read.
#[derive(Debug, Clone)]
pub struct Script {
    /// Keras's `config.json`, with `compile_config` if the script compiles the model.
    pub description: Json,
    /// Options of `fit`.
    pub fit: Fit,
    /// Data set that the script trains on, if it is one of Keras's.
    pub data: Option<DataUse>,
    /// Reason for which the data that the script trains on are not known, with its line.
    pub unknown_data: Option<String>,
    /// Fraction of the data that the script splits off to test or to validate.
    pub test_fraction: Option<f64>,
    /// Shape of the images of a folder that the script reads, if it gives their size.
    pub image_shape: Option<ImageShape>,
    /// True if the script trains the model.
    pub has_fit: bool,
    /// Parts of the model and its `compile` that are ignored or uncertain, each with its line.
    pub notes: Vec<String>,
    /// The same for `fit` and its data.
    pub training_notes: Vec<String>,
}

/// Reads a script.
///
/// ```
/// use tallynet::script::{Settings, read};
///
/// let path = std::env::temp_dir().join("tallynet-example.py");
/// std::fs::write(&path, "from keras import Sequential, layers
/// model = Sequential([layers.Input((4,)), layers.Dense(3)])
/// ").unwrap();
/// let script = read(&path, &Settings::default())?;
/// assert_eq!(script.description["config"]["layers"][1]["config"]["units"], 3);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// A file that is not Python, that builds no model, or whose model needs something that is not
/// known; scripts that are too long or take too many operations; settings that the script does not
/// use.
pub fn read(path: &Path, settings: &Settings) -> Result<Script> {
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    read_bytes(path, &bytes, settings)
}

/// As [`read`], from bytes; the path is for the messages.
#[doc(hidden)]
pub fn read_bytes(path: &Path, bytes: &[u8], settings: &Settings) -> Result<Script> {
    let source = Source::decode(path, bytes)?;
    let block = parse::parse(&source.text).map_err(|error| {
        let location = source.location(error.line);
        Error::file(
            path,
            format!("{location}, column {}: {}", error.column, error.problem),
            error::HELP,
        )
    })?;
    let mut interpreter = Interpreter::new(settings, &source);
    give(&mut interpreter, settings);
    let model = match interpreter.run(&block) {
        Ok(model) => model,
        Err(stop) => {
            let unsupported = Unsupported::new(stop.line, stop.reason);
            return Err(error::stopped(path, &source, &interpreter, None, &unsupported));
        }
    };
    let Some(id) = model else { return Err(error::no_model(path, &source, &interpreter)) };
    check_used(&interpreter)?;
    describe(&mut interpreter, id)
        .map_err(|unsupported| error::stopped(path, &source, &interpreter, Some(id), &unsupported))
}

/// Evaluates the values of `--set`. A word that is not a value in Python is a string.
fn give(interpreter: &mut Interpreter, settings: &Settings) {
    for setting in &settings.set {
        let text = Value::String(setting.value.as_str().into());
        let expression = parse::parse(&setting.value).unwrap_or_default();
        let value = match expression.as_slice() {
            [syntax::Stmt { kind: syntax::StmtKind::Expression(expression), .. }] => {
                match interpreter.expression(expression) {
                    Ok(Value::Unknown(_)) | Err(_) => text,
                    Ok(value) => value,
                }
            }
            _ => text,
        };
        interpreter.given.insert(setting.name.as_str().into(), value);
    }
}

/// Refuses settings that the script has no use for.
fn check_used(interpreter: &Interpreter) -> Result<()> {
    for setting in &interpreter.settings.set {
        if interpreter.used.iter().any(|used| **used == *setting.name) {
            continue;
        }
        let name = &setting.name;
        let problem = format!("--set {name}: the script has no variable of this name");
        let hint = settable_names(interpreter, name);
        return Err(Error::option("set", problem + &hint));
    }
    Ok(())
}

/// The names, of the module and of functions, that the script gives simple values; the one most
/// like `wanted` as a question.
fn settable_names(interpreter: &Interpreter, wanted: &str) -> String {
    let mut names: Vec<&str> = vec![];
    for scope in &interpreter.heap.scopes {
        for (name, value) in &scope.names {
            if matches!(value, Value::Int(_) | Value::Float(_) | Value::String(_)) {
                names.push(name);
            }
        }
    }
    names.sort_unstable();
    names.dedup();
    let mut hint = did_you_mean(wanted, &names);
    if !names.is_empty() {
        names.truncate(12);
        hint += &format!("; its variables are {}", names.join(", "));
    }
    hint
}

fn describe(interpreter: &mut Interpreter, id: Id) -> std::result::Result<Script, Unsupported> {
    let read = interpreter.layers(id)?;
    let mut input = interpreter.fitted_shape(id);
    match (read.input, &interpreter.settings.data) {
        (Some(Ok(shape)), _) => input = Some(shape),
        (Some(Err(unsupported)), None) if input.is_none() => return Err(unsupported),
        _ => {}
    }
    let mut layers = read.layers;
    if let Some(shape) = input {
        let mut batch_shape = vec![Json::Null];
        batch_shape.extend(shape.into_iter().map(Json::from));
        layers.insert(
            0,
            json!({ "class_name": "InputLayer", "config": { "batch_shape": batch_shape } }),
        );
    }
    let mut description = json!({ "class_name": "Sequential", "config": { "layers": layers } });
    if let Some(Value::String(name)) = &interpreter.heap.models[id].name {
        description["config"]["name"] = json!(&**name);
    }
    if let Some(compile) = interpreter.compile_config(id) {
        description["compile_config"] = compile;
    }
    if !interpreter.is_keras_1 {
        // Names whose meaning changed are Keras 3's.
        description["module"] = json!("keras");
    }
    interpreter.remark_choice(id);
    let notes = interpreter.take_remarks();
    let fit = interpreter.fit(id);
    let data = interpreter.data_use(id);
    let unknown_data = interpreter.unknown_data(id);
    let test_fraction = interpreter.test_fraction;
    let image_shape = interpreter.image_shape;
    let has_fit = interpreter.heap.models[id].fit.is_some();
    let training_notes = interpreter.take_remarks();
    Ok(Script {
        description,
        fit,
        data,
        unknown_data,
        test_fraction,
        image_shape,
        has_fit,
        notes,
        training_notes,
    })
}
