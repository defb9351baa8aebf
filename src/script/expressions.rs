//! Expressions.

use super::evaluate::{Interpreter, Read};
use super::syntax::{Clause, Comprehension, Expr, ExprKind, Logical, Pair};
use super::values::{Entry, Id, Value};

/// Largest number of items of a list.
pub const MAX_ITEMS: usize = 100_000;

/// Largest number of bytes of a string that is put together.
pub const MAX_STRING: usize = 2000;

/// Items of a `for` in a comprehension.
struct ComprehendedItems<'e> {
    target: &'e Expr,
    items: Value,
    count: u64,
}

impl Interpreter<'_> {
    pub fn expression(&mut self, expr: &Expr) -> Read<Value> {
        self.enter(expr.line)?;
        let value = self.evaluate(expr)?;
        self.leave();
        self.line = expr.line;
        Ok(value)
    }

    fn evaluate(&mut self, expr: &Expr) -> Read<Value> {
        Ok(match &expr.kind {
            ExprKind::None => Value::None,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::String(text) => {
                self.charge(text.len() / 64)?;
                Value::String(text.as_str().into())
            }
            ExprKind::Format(parts) => self.format(parts)?,
            ExprKind::Name(name) => self.lookup(name),
            ExprKind::Attribute(owner, name) => {
                let owner = self.expression(owner)?;
                self.attribute(owner, name)
            }
            ExprKind::Index(owner, indices) => {
                let owner = self.expression(owner)?;
                self.index(owner, indices)?
            }
            ExprKind::Ellipsis => Value::Ellipsis,
            ExprKind::Tuple(items) => {
                let items = self.items(items)?;
                self.heap.tuple(items)
            }
            ExprKind::List(items) => {
                let items = self.items(items)?;
                self.heap.list(items)
            }
            ExprKind::Dict(pairs) => self.dict(pairs)?,
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension)?,
            ExprKind::Call(function, arguments) => self.call_expression(function, arguments)?,
            ExprKind::Lambda => self.unknown("a lambda is not supported"),
            ExprKind::Other(syntax) => self.unknown(format!("{syntax} is not supported")),
            operation => self.operation(operation)?,
        })
    }

    fn operation(&mut self, operation: &ExprKind) -> Read<Value> {
        Ok(match operation {
            ExprKind::Unary(operator, operand) => {
                let operand = self.expression(operand)?;
                self.unary(*operator, operand)
            }
            ExprKind::Binary(operator, left, right) => {
                let left = self.expression(left)?;
                let right = self.expression(right)?;
                self.binary(*operator, left, right)?
            }
            ExprKind::Logical(logical, left, right) => self.logical(*logical, left, right)?,
            ExprKind::Compare(first, comparisons) => self.comparison(first, comparisons)?,
            ExprKind::Conditional(choice) => {
                let test = self.expression(&choice.test)?;
                match self.truth(&test) {
                    Some(true) => self.expression(&choice.then)?,
                    Some(false) => self.expression(&choice.otherwise)?,
                    None => {
                        let reason = self.unknown_condition("the condition", &test);
                        let then = self.in_case(reason, &choice.then)?;
                        let otherwise = self.in_case(reason, &choice.otherwise)?;
                        self.merge_all(reason, vec![then, otherwise])
                    }
                }
            }
            _ => self.unknown("a slice or a star stands by itself"),
        })
    }

    /// Value of an expression that may or may not be evaluated.
    fn in_case(&mut self, reason: Id, expr: &Expr) -> Read<Value> {
        let outer = self.unknown_branch;
        self.unknown_branch = Some(self.new_unknown_branch(reason));
        let value = self.expression(expr)?;
        self.unknown_branch = outer;
        Ok(value)
    }

    /// Values of expressions, those of `*items` in their place.
    pub fn items(&mut self, items: &[Expr]) -> Read<Vec<Value>> {
        let mut values = vec![];
        for item in items {
            let ExprKind::Splat(inner) = &item.kind else {
                values.push(self.expression(item)?);
                continue;
            };
            let inner = self.expression(inner)?;
            match self.count(&inner) {
                Some(count) => {
                    self.charge(count as usize)?;
                    values.extend((0..count).map(|index| self.item_at(&inner, index)));
                }
                None => values.push(self.unknown("the items after `*` are not known")),
            }
        }
        Ok(values)
    }

    fn dict(&mut self, pairs: &[Pair]) -> Read<Value> {
        let mut entries: Vec<Entry> = vec![];
        for pair in pairs {
            let value = self.expression(&pair.value)?;
            match (&pair.key, &value) {
                (Some(key), _) => {
                    let key = self.expression(key)?;
                    self.set_entry(&mut entries, key, value)?;
                }
                (None, Value::Dict(id)) => {
                    for entry in self.heap.dicts[*id].clone() {
                        self.set_entry(&mut entries, entry.key, entry.value)?;
                    }
                }
                (None, _) => {}
            }
        }
        Ok(self.heap.dict(entries))
    }

    /// Sets an entry of a dictionary.
    pub fn set_entry(&mut self, entries: &mut Vec<Entry>, key: Value, value: Value) -> Read<()> {
        self.charge(entries.len())?;
        match entries.iter().position(|entry| self.equal(&entry.key, &key) == Some(true)) {
            Some(at) => entries[at].value = value,
            None => entries.push(Entry { key, value }),
        }
        Ok(())
    }

    fn logical(&mut self, logical: Logical, left: &Expr, right: &Expr) -> Read<Value> {
        let left = self.expression(left)?;
        match (self.truth(&left), logical) {
            (Some(true), Logical::And) | (Some(false), Logical::Or) => self.expression(right),
            (Some(_), _) => Ok(left),
            (None, _) => {
                let reason = self.unknown_condition("`and` / `or`", &left);
                let right = self.in_case(reason, right)?;
                let decides = self.truth(&right) == Some(logical == Logical::Or);
                Ok(if decides { right } else { left })
            }
        }
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Read<Value> {
        let mut entries = vec![];
        let scope = self.child_scope(self.scope);
        let outer = std::mem::replace(&mut self.scope, scope);
        let problem = self.comprehend(comprehension, 0, &mut entries)?;
        self.scope = outer;
        if let Some(unknown) = problem {
            return Ok(unknown);
        }
        if comprehension.key.is_some() {
            return Ok(self.heap.dict(entries));
        }
        Ok(self.heap.list(entries.into_iter().map(|entry| entry.value).collect()))
    }

    /// Adds the items of a comprehension from this clause on; an unknown value if a clause is not
    /// known.
    fn comprehend(
        &mut self,
        comprehension: &Comprehension,
        clause: usize,
        entries: &mut Vec<Entry>,
    ) -> Read<Option<Value>> {
        self.enter(self.line)?;
        let problem = self.comprehend_clause(comprehension, clause, entries)?;
        self.leave();
        Ok(problem)
    }

    fn comprehend_clause(
        &mut self,
        comprehension: &Comprehension,
        clause: usize,
        entries: &mut Vec<Entry>,
    ) -> Read<Option<Value>> {
        match comprehension.clauses.get(clause) {
            None => {
                let none = Expr { line: self.line, kind: ExprKind::None };
                let key = self.expression(comprehension.key.as_ref().unwrap_or(&none))?;
                let value = self.expression(&comprehension.value)?;
                entries.push(Entry { key, value });
            }
            Some(Clause::If(test)) => {
                let test = self.expression(test)?;
                match self.truth(&test) {
                    Some(true) => return self.comprehend(comprehension, clause + 1, entries),
                    Some(false) => {}
                    None => {
                        let reason = self.unknown_condition("the comprehension", &test);
                        self.in_case(reason, &comprehension.value)?;
                        return Ok(Some(Value::Unknown(reason)));
                    }
                }
            }
            Some(Clause::For { target, items }) => {
                let items = self.expression(items)?;
                let Some(count) = self.count(&items) else {
                    let reason = self.unknown_condition("the comprehension", &items);
                    let item = self.heap.derived(reason);
                    self.assign_item(target, item)?;
                    self.in_case(reason, &comprehension.value)?;
                    return Ok(Some(Value::Unknown(reason)));
                };
                return self.comprehend_items(
                    comprehension,
                    clause,
                    &ComprehendedItems { target, items, count },
                    entries,
                );
            }
        }
        Ok(None)
    }

    /// Adds what the clauses after this one give for each item.
    fn comprehend_items(
        &mut self,
        comprehension: &Comprehension,
        clause: usize,
        loop_over: &ComprehendedItems,
        entries: &mut Vec<Entry>,
    ) -> Read<Option<Value>> {
        for index in 0..loop_over.count {
            if self.is_long() {
                let unknown = self.unknown("a comprehension is too long");
                let reason = self.unknown_condition("the comprehension", &unknown);
                self.in_case(reason, &comprehension.value)?;
                return Ok(Some(unknown));
            }
            self.charge(1)?;
            let item = self.item_at(&loop_over.items, index);
            self.assign_item(loop_over.target, item)?;
            let problem = self.comprehend(comprehension, clause + 1, entries)?;
            if problem.is_some() {
                return Ok(problem);
            }
        }
        Ok(None)
    }

    /// Number of items to iterate over; `None` if it is not known.
    pub fn count(&self, value: &Value) -> Option<u64> {
        match value {
            Value::Range(range) => Some(range.len()),
            Value::Dict(id) => Some(self.heap.dicts[*id].len() as u64),
            Value::String(text) if text.len() > MAX_STRING => None,
            Value::String(text) => Some(text.chars().count() as u64),
            other => self.heap.items(other).map(|items| items.len() as u64),
        }
    }

    /// Item at an index below the count.
    pub fn item_at(&mut self, value: &Value, index: u64) -> Value {
        let at = index as usize;
        let found = match value {
            Value::Range(range) => Some(range.at(index)),
            Value::Dict(id) => self.heap.dicts[*id].get(at).map(|entry| entry.key.clone()),
            Value::String(text) => {
                text.chars().nth(at).map(|letter| Value::String(letter.to_string().into()))
            }
            other => self.heap.items(other).and_then(|items| items.get(at)).cloned(),
        };
        match found {
            Some(item) => item,
            None => self.unknown("a list changed while a loop went over it"),
        }
    }
}
