//! Functions and classes that a script defines.

use std::collections::HashMap;
use std::rc::Rc;

use super::evaluate::{Interpreter, Read};
use super::syntax::{Class as ClassCode, ExprKind, Function as Code, StmtKind};
use super::values::{Class, Function, Value, last_part, push};

impl Interpreter<'_> {
    pub fn function(&mut self, code: &Rc<Code>, takes_instance: bool) -> Value {
        let function =
            Function { code: code.clone(), scope: self.scope, was_called: false, takes_instance };
        let id = push(&mut self.heap.functions, function);
        self.codes.push(id);
        Value::Function(id)
    }

    pub fn class(&mut self, code: &ClassCode) -> Read<()> {
        let mut base = None;
        let mut members = HashMap::new();
        for value in &code.bases {
            match self.expression(value)? {
                Value::Path(path) if last_part(&path) != "object" => base = base.or(Some(path)),
                Value::Class(parent) => {
                    members.extend(self.heap.classes[parent].members.clone());
                    base = base.or_else(|| self.heap.classes[parent].base.clone());
                }
                _ => {}
            }
        }
        for statement in &code.body {
            self.enter(statement.line)?;
            match &statement.kind {
                StmtKind::Function(method) => {
                    let value = self.function(method, !method.is_static);
                    members.insert(method.name.as_str().into(), value);
                }
                StmtKind::Assign { targets, value } => {
                    let value = self.expression(value)?;
                    for target in targets {
                        if let ExprKind::Name(name) = &target.kind {
                            members.insert(name.as_str().into(), value.clone());
                        }
                    }
                }
                _ => {}
            }
            self.leave();
        }
        let name: Rc<str> = code.name.as_str().into();
        let class = Class { name, line: code.line, base, members };
        let value = Value::Class(push(&mut self.heap.classes, class));
        self.assign_name(&code.name, value);
        Ok(())
    }
}
