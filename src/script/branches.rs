//! Conditions and loops. Where a value that decides is not known, all branches are evaluated.

use std::collections::HashMap;
use std::rc::Rc;

use super::evaluate::{EarlyReturn, Flow, Interpreter, Read, UnknownBranch};
use super::syntax::{Block, Branch, Expr};
use super::values::{Id, Value};

/// Joins a condition or loop and the reason why it is not known.
const DEPENDS: &str = " depends on something unknown: ";

/// Largest number of rounds of a loop that are evaluated. No model has as many layers.
const MAX_ROUNDS: u64 = 1000;

type Names = HashMap<Rc<str>, Value>;

impl Interpreter<'_> {
    /// The unknown value that decides about `location`; it is made of `value`.
    pub fn unknown_condition(&mut self, location: &str, value: &Value) -> Id {
        let (reason, line, is_data) = match value {
            Value::Unknown(id) => {
                let unknown = &self.heap.unknowns[*id];
                (unknown.reason.clone(), unknown.line, unknown.is_data)
            }
            Value::Path(path) => (format!("{path} is not supported"), self.line, false),
            other => (format!("{} is not evaluated here", self.heap.kind(other)), self.line, false),
        };
        // Only the first reason of a chain of them.
        let first = reason.rsplit(DEPENDS).next().unwrap_or_default();
        let here = self.source.location(self.line);
        let reason = format!("{location} in {here}{DEPENDS}{first}");
        self.heap.unknown_id(line, reason, is_data)
    }

    /// Evaluates all blocks, of which one will run, and merges the names that they leave. Each
    /// block begins with the names from before. Within the blocks `self.unknown_branch` is theirs;
    /// then the outer one is back, unless a block may have left the loop or the function: in that
    /// case the rest of it is uncertain too, and the loop or the call restores the outer one at its
    /// end.
    pub fn evaluate_all(&mut self, reason: Id, branches: &[&Block]) -> Read<Flow> {
        let unknown_branch = Some(self.new_unknown_branch(reason));
        let outer = self.unknown_branch;
        let before = self.heap.scopes[self.scope].names.clone();
        let mut merged: Option<Names> = None;
        let mut returned = vec![];
        let mut has_jump = false;
        for branch in branches {
            self.charge(before.len())?;
            self.heap.scopes[self.scope].names = before.clone();
            self.unknown_branch = unknown_branch;
            match self.block(branch)? {
                Flow::Return(value) => {
                    returned.push(value);
                    continue;
                }
                Flow::Break | Flow::Continue => has_jump = true,
                Flow::Next => {}
            }
            let names = std::mem::take(&mut self.heap.scopes[self.scope].names);
            merged = Some(match merged {
                None => names,
                Some(merged) => self.merge_names(reason, merged, names),
            });
        }
        let returns_model = returned.iter().any(|value| matches!(value, Value::Model(_)));
        self.unknown_branch = if has_jump || returns_model { unknown_branch } else { outer };
        match merged {
            None => {
                self.heap.scopes[self.scope].names = before;
                Ok(Flow::Return(self.merge_all(reason, returned)))
            }
            Some(names) => {
                self.heap.scopes[self.scope].names = names;
                let returned = returned.into_iter().map(|value| EarlyReturn { reason, value });
                self.early_returns.extend(returned);
                Ok(Flow::Next)
            }
        }
    }

    /// State of an unknown branch that begins now.
    pub fn new_unknown_branch(&self, reason: Id) -> UnknownBranch {
        UnknownBranch {
            reason,
            models: self.heap.models.len(),
            lists: self.heap.lists.len(),
            dicts: self.heap.dicts.len(),
            objects: self.heap.objects.len(),
            instances: self.heap.instances.len(),
        }
    }

    fn merge_names(&mut self, reason: Id, mut names: Names, other: Names) -> Names {
        for (name, value) in other {
            let merged = match names.remove(&name) {
                Some(first) => self.merge(reason, first, value),
                None => value,
            };
            self.name_unknown(&merged, &name);
            names.insert(name, merged);
        }
        names
    }

    /// One value for several, of which one is right.
    pub fn merge_all(&mut self, reason: Id, values: Vec<Value>) -> Value {
        let mut values = values.into_iter();
        let mut merged = values.next().unwrap_or(Value::None);
        for value in values {
            merged = self.merge(reason, merged, value);
        }
        merged
    }

    /// One value for two. A model is preferred to one that is loaded from a file, or to none.
    fn merge(&mut self, reason: Id, first: Value, second: Value) -> Value {
        if self.equal(&first, &second) == Some(true) {
            return first;
        }
        match (&first, &second) {
            (Value::Model(_), Value::Unknown(_) | Value::None) => first,
            (Value::Unknown(_) | Value::None, Value::Model(_)) => second,
            _ => self.heap.derived(reason),
        }
    }

    pub fn if_statement(&mut self, branches: &[Branch], otherwise: &Block) -> Read<Flow> {
        for (i, branch) in branches.iter().enumerate() {
            let test = self.expression(&branch.test)?;
            match self.truth(&test) {
                Some(true) => return self.block(&branch.body),
                Some(false) => {}
                None => {
                    let reason = self.unknown_condition("the condition", &test);
                    let mut branches: Vec<&Block> =
                        branches[i..].iter().map(|branch| &branch.body).collect();
                    branches.push(otherwise);
                    return self.evaluate_all(reason, &branches);
                }
            }
        }
        self.block(otherwise)
    }

    /// Follows one more round of a loop that has too many, as one that may or may not run.
    fn evaluate_long_loop(&mut self, target: Option<&Expr>, body: &Block) -> Read<Flow> {
        let reason = format!("the loop in {} is too long", self.source.location(self.line));
        let unknown = self.unknown(reason);
        let Value::Unknown(reason) = unknown else { return Ok(Flow::Next) };
        if let Some(target) = target {
            let item = self.heap.derived(reason);
            self.assign_item(target, item)?;
        }
        self.evaluate_all(reason, &[body, &vec![]])
    }

    /// Ends with `Break` if the loop did.
    pub fn for_statement(&mut self, target: &Expr, items: &Expr, body: &Block) -> Read<Flow> {
        let items = self.expression(items)?;
        let Some(count) = self.count(&items) else {
            let reason = self.unknown_condition("the loop", &items);
            let item = self.heap.derived(reason);
            self.assign_item(target, item)?;
            return self.evaluate_all(reason, &[body, &vec![]]);
        };
        let outer = self.unknown_branch;
        let mut end = Flow::Next;
        for index in 0..count {
            if index >= MAX_ROUNDS || self.is_long() {
                return self.evaluate_long_loop(Some(target), body);
            }
            self.charge(1)?;
            let item = self.item_at(&items, index);
            self.assign_item(target, item)?;
            match self.block(body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => {
                    end = Flow::Break;
                    break;
                }
                returned => return Ok(returned),
            }
        }
        self.unknown_branch = outer;
        Ok(end)
    }

    pub fn while_statement(&mut self, test: &Expr, body: &Block) -> Read<Flow> {
        let outer = self.unknown_branch;
        for round in 0.. {
            if round >= MAX_ROUNDS || self.is_long() {
                return self.evaluate_long_loop(None, body);
            }
            let value = self.expression(test)?;
            match self.truth(&value) {
                Some(true) => {}
                Some(false) => break,
                None => {
                    let reason = self.unknown_condition("the while loop", &value);
                    return self.evaluate_all(reason, &[body, &vec![]]);
                }
            }
            match self.block(body)? {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                returned => return Ok(returned),
            }
        }
        self.unknown_branch = outer;
        Ok(Flow::Next)
    }
}
