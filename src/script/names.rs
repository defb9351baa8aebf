//! Names: their values, and assignment to names, tuples, attributes and items.

use std::rc::Rc;

use super::evaluate::{Interpreter, Read};
use super::keras_calls::starred;
use super::syntax::{Expr, ExprKind};
use super::values::{Id, Keyword, Scope, Value, push};

/// Functions and types of Python. `builtins.rs` says what is read of them.
const BUILTINS: &[&str] = &[
    "abs",
    "all",
    "any",
    "bool",
    "dict",
    "enumerate",
    "eval",
    "exit",
    "filter",
    "float",
    "getattr",
    "hasattr",
    "input",
    "int",
    "isinstance",
    "iter",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "open",
    "print",
    "range",
    "reversed",
    "round",
    "set",
    "sorted",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "zip",
];

impl Interpreter<'_> {
    /// A new scope within another.
    pub fn child_scope(&mut self, parent: Id) -> Id {
        push(&mut self.heap.scopes, Scope { parent: Some(parent), ..Scope::default() })
    }

    /// Value of a name.
    pub fn lookup(&mut self, name: &str) -> Value {
        let mut stars: Vec<Rc<str>> = vec![];
        let mut scope = Some(self.scope);
        while let Some(id) = scope {
            if let Some(value) = self.heap.scopes[id].names.get(name) {
                return value.clone();
            }
            stars.extend(self.heap.scopes[id].stars.iter().cloned());
            scope = self.heap.scopes[id].parent;
        }
        if let Some(value) = self.given(name) {
            return value;
        }
        if name == "__name__" {
            return Value::String("__main__".into());
        }
        if BUILTINS.contains(&name) {
            return Value::Path(format!("builtins.{name}").into());
        }
        if let Some(path) = starred(&stars, name) {
            return Value::Path(path);
        }
        let reason = match stars.first() {
            Some(module) => format!("{name} may come from {module}, which is not supported"),
            None => format!("{name} has no value in the script"),
        };
        let unknown = self.unknown(reason);
        self.name_unknown(&unknown, name);
        unknown
    }

    /// Value that `--set` gives to a name.
    pub fn given(&mut self, name: &str) -> Option<Value> {
        let (name, value) = self.given.get_key_value(name)?;
        if !self.used.contains(name) {
            self.used.push(name.clone());
        }
        Some(value.clone())
    }

    /// Assigns a value to a target.
    pub fn assign(&mut self, target: &Expr, value: Value) -> Read<()> {
        match &target.kind {
            ExprKind::Name(name) => self.assign_name(name, value),
            ExprKind::Tuple(targets) | ExprKind::List(targets) => {
                self.enter(target.line)?;
                self.unpack(targets, value)?;
                self.leave();
            }
            ExprKind::Attribute(owner, name) => {
                let owner = self.expression(owner)?;
                self.set_attribute(owner, name, value);
            }
            ExprKind::Index(owner, indices) => {
                let owner = self.expression(owner)?;
                let index = match indices.as_slice() {
                    [index] if !matches!(index.kind, ExprKind::Slice(_)) => {
                        Some(self.expression(index)?)
                    }
                    _ => None,
                };
                self.set_item(owner, index, value)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Assigns an item to the variable of a loop.
    pub fn assign_item(&mut self, target: &Expr, item: Value) -> Read<()> {
        self.is_loop_variable = true;
        self.assign(target, item)?;
        self.is_loop_variable = false;
        Ok(())
    }

    /// Assigns a value to a name of the current scope. `--set` takes precedence.
    pub fn assign_name(&mut self, name: &str, value: Value) {
        let value = self.given(name).unwrap_or(value);
        self.name_unknown(&value, name);
        if let Value::Model(id) = value
            && self.heap.models[id].variable.is_none()
        {
            self.heap.models[id].variable = Some(name.into());
        }
        let mut scope = self.scope;
        if self.heap.scopes[scope].globals.iter().any(|global| global == name) {
            while let Some(parent) = self.heap.scopes[scope].parent {
                scope = parent;
                if self.heap.scopes[scope].names.contains_key(name) {
                    break;
                }
            }
        }
        let is_outside = scope != self.scope;
        let value = if is_outside { self.uncertain(value) } else { value };
        self.heap.scopes[scope].names.insert(name.into(), value);
    }

    /// The value, or an unknown one if a block that may not run assigns it outside of the block.
    fn uncertain(&mut self, value: Value) -> Value {
        match self.unknown_branch {
            Some(branch) => Value::Unknown(branch.reason),
            None => value,
        }
    }

    /// Records the name by which `--set` can supply an unknown value.
    pub fn name_unknown(&mut self, value: &Value, name: &str) {
        if let Value::Unknown(id) = value
            && !self.is_loop_variable
        {
            let known = &mut self.heap.unknowns[*id].name;
            if known.as_ref().is_none_or(|known| known.ends_with(".shape")) {
                *known = Some(name.into());
            }
        }
    }

    fn set_attribute(&mut self, owner: Value, name: &str, value: Value) {
        let uncertain_value = self.uncertain(value.clone());
        match owner {
            Value::Instance(id) => {
                let is_own = self.unknown_branch.is_none_or(|branch| id >= branch.instances);
                let value = if is_own { value } else { uncertain_value };
                self.name_unknown(&value, name);
                if let Value::Model(id) = value {
                    let variable = &mut self.heap.models[id].variable;
                    *variable = variable.take().or_else(|| Some(format!("self.{name}").into()));
                }
                self.heap.instances[id].attributes.insert(name.into(), value);
            }
            Value::Object(id) => {
                let keywords = &mut self.heap.objects[id].arguments.keywords;
                keywords.retain(|keyword| &*keyword.name != name);
                let value = if self.unknown_branch.is_none_or(|branch| id >= branch.objects) {
                    value
                } else {
                    uncertain_value
                };
                keywords.push(Keyword { name: Rc::from(name), value });
            }
            Value::Array(id) if name == "shape" => {
                if let Some(dims) = self.dims_of(&value) {
                    self.heap.arrays[id].shape = Some(dims);
                }
            }
            _ => {}
        }
    }

    fn set_item(&mut self, owner: Value, index: Option<Value>, value: Value) -> Read<()> {
        match owner {
            Value::Dict(id) => {
                let is_own = self.unknown_branch.is_none_or(|branch| id >= branch.dicts);
                let value = if is_own { value } else { self.uncertain(value) };
                let key = index.unwrap_or(Value::None);
                let mut entries = std::mem::take(&mut self.heap.dicts[id]);
                let result = self.set_entry(&mut entries, key, value);
                self.heap.dicts[id] = entries;
                result?;
            }
            Value::List(id) => {
                let is_own = self.unknown_branch.is_none_or(|branch| id >= branch.lists);
                let value = if is_own { value } else { self.uncertain(value) };
                let at = index.and_then(|index| self.position(&index, self.heap.lists[id].len()));
                match at.and_then(|at| self.heap.lists[id].get_mut(at)) {
                    Some(item) => *item = value,
                    None => {
                        let unknown =
                            self.unknown("items of a list are replaced in an unsupported way");
                        self.forget(&owner, unknown);
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}
