//! A model of the script, as far as it has been read.

use std::rc::Rc;

use super::values::{Arguments, Id, Value};

/// A model, its `compile` and its `fit`.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// Line that creates it.
    pub line: u32,
    /// First name that the script gives it.
    pub variable: Option<Rc<str>>,
    /// Argument `name`.
    pub name: Option<Value>,
    pub layers: Vec<Added>,
    /// Unknown value that makes the list of layers uncertain.
    pub uncertain: Option<Id>,
    /// Shape given to `build`.
    pub build_shape: Option<Value>,
    pub compile: Option<Arguments>,
    pub fit: Option<Arguments>,
    /// Values that decide about `compile` or `fit`, of the blocks that they are in.
    pub uncertain_calls: Vec<Id>,
}

/// A layer and the line that adds it.
#[derive(Debug, Clone)]
pub struct Added {
    pub layer: Value,
    pub line: u32,
}
