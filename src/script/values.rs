//! Values of a script: what its names stand for while it is evaluated.
//!
//! **Decision.** Everything that contains other values lies in a [`Heap`] and is named by its
//! index. Lists are shared and may contain themselves, as in Python, and nothing that a script
//! builds can overflow the stack when it is dropped. **Rejected:** `Rc<RefCell<…>>`, which does.

use std::collections::HashMap;
use std::rc::Rc;

use super::arrays::Array;
use super::model::Model;
use super::range::Range;
use super::syntax;

/// Index of a value on the heap, among those of its kind.
pub type Id = usize;

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    String(Rc<str>),
    Ellipsis,
    Range(Range),
    Tuple(Id),
    List(Id),
    Dict(Id),
    /// Dotted path of an imported module, or of something in it; `builtins.` for Python's own.
    Path(Rc<str>),
    /// Instance of a class that is not supported: a layer, an optimizer, a callback.
    Object(Id),
    Array(Id),
    Model(Id),
    /// Output of a layer that was called: the chain of layers up to it.
    Tensor(Id),
    Function(Id),
    Class(Id),
    Instance(Id),
    Method(Id),
    Unknown(Id),
}

/// A value that is not known, and the reason.
#[derive(Debug, Clone)]
pub struct Unknown {
    /// Reason: `pandas.read_csv is not supported`.
    pub reason: String,
    /// Line of the reason.
    pub line: u32,
    /// Name that `--set` can supply it by.
    pub name: Option<Rc<str>>,
    /// True if the data would supply it: a shape, or a number of classes.
    pub is_data: bool,
    /// Samples of a batch, for data that come in batches.
    pub batch_size: Option<u64>,
}

/// A key of a dictionary and its value.
#[derive(Debug, Clone)]
pub struct Entry {
    pub key: Value,
    pub value: Value,
}

/// An argument of a call by its name.
#[derive(Debug, Clone)]
pub struct Keyword {
    pub name: Rc<str>,
    pub value: Value,
}

/// Arguments of a call, and its line.
#[derive(Debug, Clone, Default)]
pub struct Arguments {
    pub positional: Vec<Value>,
    pub keywords: Vec<Keyword>,
    pub line: u32,
}

impl Arguments {
    /// One argument.
    pub fn of(value: Value) -> Arguments {
        Arguments { positional: vec![value], ..Arguments::default() }
    }

    /// Argument at this position, or of this name.
    pub fn get(&self, position: usize, name: &str) -> Option<&Value> {
        self.positional.get(position).or_else(|| self.named(name))
    }

    /// Argument of this name.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.keywords.iter().find(|keyword| &*keyword.name == name).map(|keyword| &keyword.value)
    }
}

/// Instance of a class that is not supported.
#[derive(Debug, Clone)]
pub struct Object {
    /// Dotted path of the class.
    pub path: Rc<str>,
    pub arguments: Arguments,
}

impl Object {
    /// Name of the class.
    pub fn class(&self) -> &str {
        last_part(&self.path)
    }
}

/// Function of the file and the scope that it was defined in.
#[derive(Debug, Clone)]
pub struct Function {
    pub code: Rc<syntax::Function>,
    pub scope: Id,
    pub was_called: bool,
    /// True if it is in a class, and gets the instance as its first argument.
    pub takes_instance: bool,
}

/// Class of the file.
#[derive(Debug, Clone)]
pub struct Class {
    pub name: Rc<str>,
    pub line: u32,
    /// Path of the first base class that is not in the file: `keras.layers.Layer`.
    pub base: Option<Rc<str>>,
    pub members: HashMap<Rc<str>, Value>,
}

/// Instance of a class of the file.
#[derive(Debug, Clone)]
pub struct Instance {
    pub class: Id,
    pub attributes: HashMap<Rc<str>, Value>,
}

/// Attribute of a value, to be called.
#[derive(Debug, Clone)]
pub struct Method {
    pub receiver: Value,
    pub name: Rc<str>,
}

/// Names of a module, a class or a call.
#[derive(Debug, Default)]
pub struct Scope {
    pub names: HashMap<Rc<str>, Value>,
    pub parent: Option<Id>,
    /// Names that are the module's, by `global`.
    pub globals: Vec<String>,
    /// Modules of `from module import *`.
    pub stars: Vec<Rc<str>>,
}

/// All values that contain others. Ids come only from here, and nothing is removed, so that every
/// id is in range.
#[derive(Debug, Default)]
pub struct Heap {
    pub tuples: Vec<Vec<Value>>,
    pub lists: Vec<Vec<Value>>,
    pub dicts: Vec<Vec<Entry>>,
    pub objects: Vec<Object>,
    pub arrays: Vec<Array>,
    pub models: Vec<Model>,
    pub tensors: Vec<Vec<Value>>,
    pub functions: Vec<Function>,
    pub classes: Vec<Class>,
    pub instances: Vec<Instance>,
    pub methods: Vec<Method>,
    pub unknowns: Vec<Unknown>,
    pub scopes: Vec<Scope>,
}

/// Adds an item and returns its id.
pub fn push<T>(items: &mut Vec<T>, item: T) -> Id {
    items.push(item);
    items.len() - 1
}

impl Heap {
    /// New tuple.
    pub fn tuple(&mut self, items: Vec<Value>) -> Value {
        Value::Tuple(push(&mut self.tuples, items))
    }

    /// New list.
    pub fn list(&mut self, items: Vec<Value>) -> Value {
        Value::List(push(&mut self.lists, items))
    }

    /// New dictionary.
    pub fn dict(&mut self, entries: Vec<Entry>) -> Value {
        Value::Dict(push(&mut self.dicts, entries))
    }

    /// New abstract array.
    pub fn array(&mut self, array: Array) -> Value {
        Value::Array(push(&mut self.arrays, array))
    }

    /// New instance of the class at this dotted path, which is not evaluated.
    pub fn object(&mut self, path: &str, arguments: Arguments) -> Value {
        Value::Object(push(&mut self.objects, Object { path: path.into(), arguments }))
    }

    /// Method of this name, bound to its receiver.
    pub fn method(&mut self, receiver: Value, name: &str) -> Value {
        Value::Method(push(&mut self.methods, Method { receiver, name: name.into() }))
    }

    /// New unknown value, with the line and the reason.
    pub fn unknown(&mut self, line: u32, reason: impl Into<String>) -> Value {
        Value::Unknown(self.unknown_id(line, reason, false))
    }

    /// An unknown value that the data would supply.
    pub fn unknown_data(&mut self, line: u32, reason: impl Into<String>) -> Value {
        Value::Unknown(self.unknown_id(line, reason, true))
    }

    /// Index of a new unknown value, which the data would supply if `is_data` is set.
    pub fn unknown_id(&mut self, line: u32, reason: impl Into<String>, is_data: bool) -> Id {
        let reason = shortened(reason.into());
        let unknown = Unknown { reason, line, name: None, is_data, batch_size: None };
        push(&mut self.unknowns, unknown)
    }

    /// A value that depends on an unknown one: unknown for the same reason, under no name yet. A
    /// length can be given by the name of the shape.
    pub fn derived(&mut self, id: Id) -> Value {
        let unknown = self.unknowns[id].clone();
        let name = unknown.name.filter(|name| name.ends_with(".shape"));
        let unknown = Unknown { name, ..unknown };
        Value::Unknown(push(&mut self.unknowns, unknown))
    }

    /// Items of a list or a tuple.
    pub fn items(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(id) => Some(&self.tuples[*id]),
            Value::List(id) => Some(&self.lists[*id]),
            _ => None,
        }
    }

    /// First unknown value among these; a path of a module that is not Keras's is unknown too.
    pub fn first_unknown<'v>(&self, values: impl IntoIterator<Item = &'v Value>) -> Option<Id> {
        values.into_iter().find_map(|value| match value {
            Value::Unknown(id) => Some(*id),
            _ => None,
        })
    }

    /// Kind of a value in words, for reasons.
    pub fn kind(&self, value: &Value) -> &'static str {
        match value {
            Value::None => "None",
            Value::Bool(_) => "a truth value",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::String(_) => "a string",
            Value::Ellipsis => "...",
            Value::Range(_) => "a range",
            Value::Tuple(_) => "a tuple",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dictionary",
            Value::Path(_) => "something from a module",
            Value::Object(_) => "an object",
            Value::Array(_) => "an array of data",
            Value::Model(_) => "a model",
            Value::Tensor(_) => "the output of a layer",
            Value::Function(_) => "a function of the script",
            Value::Class(_) => "a class of the script",
            Value::Instance(_) => "an instance of a class of the script",
            Value::Method(_) => "a method",
            Value::Unknown(_) => "something unknown",
        }
    }
}

/// A reason that does not grow with every value that it is passed on to.
fn shortened(reason: String) -> String {
    match reason.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

/// Last part of a dotted path.
pub fn last_part(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
