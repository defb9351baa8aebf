//! Operators on values: truth, equality, comparison and arithmetic.

use super::evaluate::{Interpreter, Read};
use super::expressions::{MAX_ITEMS, MAX_STRING};
use super::syntax::{Compare, Comparison, Expr, Operator};
use super::values::Value;

/// Number of values that a comparison of two lists looks at.
const EQUAL_BUDGET: usize = 1000;

impl Interpreter<'_> {
    /// Truth of a value; `None` if it is not known.
    pub fn truth(&self, value: &Value) -> Option<bool> {
        match value {
            Value::None => Some(false),
            Value::Bool(value) => Some(*value),
            Value::Int(value) => Some(*value != 0),
            Value::Float(value) => Some(*value != 0.0),
            Value::Object(_) | Value::Model(_) | Value::Function(_) | Value::Class(_) => Some(true),
            Value::Instance(_) | Value::Ellipsis => Some(true),
            other => self.count(other).map(|count| count > 0),
        }
    }

    /// Equality of two values; `None` if it is not known.
    pub fn equal(&self, a: &Value, b: &Value) -> Option<bool> {
        self.equal_within(a, b, 8, &mut EQUAL_BUDGET.clone())
    }

    fn equal_within(&self, a: &Value, b: &Value, depth: usize, budget: &mut usize) -> Option<bool> {
        *budget = budget.checked_sub(1)?;
        match (a, b) {
            (Value::Unknown(_) | Value::Array(_), _) | (_, Value::Unknown(_) | Value::Array(_)) => {
                None
            }
            (Value::None, Value::None) | (Value::Ellipsis, Value::Ellipsis) => Some(true),
            (Value::String(a), Value::String(b)) => Some(a == b),
            (Value::Path(a), Value::Path(b)) if a == b => Some(true),
            (Value::Path(_), Value::None) | (Value::None, Value::Path(_)) => Some(false),
            (Value::Path(_), _) | (_, Value::Path(_)) => None,
            (Value::Tuple(a), Value::Tuple(b)) | (Value::List(a), Value::List(b)) if a == b => {
                Some(true)
            }
            (Value::Tuple(_), Value::Tuple(_)) | (Value::List(_), Value::List(_)) => {
                let depth = depth.checked_sub(1)?;
                let (a, b) = (self.heap.items(a)?, self.heap.items(b)?);
                if a.len() != b.len() {
                    return Some(false);
                }
                for (a, b) in a.iter().zip(b) {
                    if !self.equal_within(a, b, depth, budget)? {
                        return Some(false);
                    }
                }
                Some(true)
            }
            (Value::Dict(a), Value::Dict(b)) if a == b => Some(true),
            (Value::Dict(_), Value::Dict(_)) => None,
            (Value::Model(a), Value::Model(b))
            | (Value::Object(a), Value::Object(b))
            | (Value::Function(a), Value::Function(b))
            | (Value::Class(a), Value::Class(b))
            | (Value::Instance(a), Value::Instance(b)) => Some(a == b),
            _ => match (number(a), number(b)) {
                (Some(a), Some(b)) => Some(a == b),
                _ => Some(false),
            },
        }
    }

    pub fn comparison(&mut self, first: &Expr, comparisons: &[Comparison]) -> Read<Value> {
        let mut left = self.expression(first)?;
        for Comparison { operator, right } in comparisons {
            let right = self.expression(right)?;
            match self.compare(*operator, &left, &right)? {
                Some(true) => left = right,
                Some(false) => return Ok(Value::Bool(false)),
                None => return Ok(self.not_known("a comparison", &[&left, &right])),
            }
        }
        Ok(Value::Bool(true))
    }

    fn compare(&mut self, operator: Compare, left: &Value, right: &Value) -> Read<Option<bool>> {
        let order = || match (left, right) {
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => number(left)?.partial_cmp(&number(right)?),
        };
        Ok(match operator {
            Compare::Equal | Compare::Is => self.equal(left, right),
            Compare::NotEqual | Compare::IsNot => self.equal(left, right).map(|equal| !equal),
            Compare::Less => order().map(|order| order.is_lt()),
            Compare::LessOrEqual => order().map(|order| order.is_le()),
            Compare::Greater => order().map(|order| order.is_gt()),
            Compare::GreaterOrEqual => order().map(|order| order.is_ge()),
            Compare::In => self.contains(right, left)?,
            Compare::NotIn => self.contains(right, left)?.map(|found| !found),
        })
    }

    fn contains(&mut self, items: &Value, wanted: &Value) -> Read<Option<bool>> {
        if let (Value::String(text), Value::String(part)) = (items, wanted) {
            return Ok(Some(text.contains(&**part)));
        }
        let Some(count) = self.count(items) else { return Ok(None) };
        for index in 0..count {
            self.charge(1)?;
            let item = self.item_at(items, index);
            match self.equal(&item, wanted) {
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
                None => return Ok(None),
            }
        }
        Ok(Some(false))
    }

    /// Unknown result of an operation on these values: the unknown one among them, if any.
    pub fn not_known(&mut self, operation: &str, operands: &[&Value]) -> Value {
        if let Some(id) = self.heap.first_unknown(operands.iter().copied()) {
            return Value::Unknown(id);
        }
        if let Some(Value::Path(path)) =
            operands.iter().find(|operand| matches!(operand, Value::Path(_)))
        {
            let reason = format!("{path} is not supported");
            return self.unknown(reason);
        }
        let kinds: Vec<_> = operands.iter().map(|operand| self.heap.kind(operand)).collect();
        let reason = format!("{operation} of {} is not evaluated", kinds.join(" and "));
        self.unknown(reason)
    }

    pub fn unary(&mut self, operator: Operator, operand: Value) -> Value {
        match (operator, &operand) {
            (Operator::Not, _) => match self.truth(&operand) {
                Some(truth) => Value::Bool(!truth),
                None => self.not_known("`not`", &[&operand]),
            },
            (Operator::Subtract, Value::Int(value)) => match value.checked_neg() {
                Some(value) => Value::Int(value),
                None => self.unknown("an integer is beyond 64 bits"),
            },
            (Operator::Subtract, Value::Float(value)) => Value::Float(-value),
            (Operator::Add, Value::Int(_) | Value::Float(_)) => operand,
            _ => self.not_known("an operator", &[&operand]),
        }
    }

    /// `old += value`, which changes a list in place.
    pub fn augmented(&mut self, operator: Operator, old: Value, value: Value) -> Read<Value> {
        if let (Operator::Add, Value::List(_)) = (operator, &old) {
            self.extend_list(&old, &value)?;
            return Ok(old);
        }
        self.binary(operator, old, value)
    }

    pub fn binary(&mut self, operator: Operator, left: Value, right: Value) -> Read<Value> {
        if let (Value::Array(_), _) | (_, Value::Array(_)) = (&left, &right) {
            return Ok(self.array_arithmetic(operator, &left, &right));
        }
        match (operator, &left, &right) {
            (Operator::Modulo, Value::String(format), _) => return Ok(self.percent(format, &right)),
            (Operator::Add, Value::String(a), Value::String(b)) => {
                self.charge((a.len() + b.len()) / 64)?;
                if a.len() + b.len() <= MAX_STRING {
                    return Ok(Value::String(format!("{a}{b}").into()));
                }
                return Ok(self.unknown("a string is too long"));
            }
            (Operator::Multiply, Value::String(text), Value::Int(times)) => {
                let times = usize::try_from(*times).unwrap_or(0);
                self.charge(text.len().saturating_mul(times) / 64)?;
                if text.len().saturating_mul(times) <= MAX_STRING {
                    return Ok(Value::String(text.repeat(times).into()));
                }
                return Ok(self.unknown("a string is too long"));
            }
            _ => {}
        }
        if let Some(value) = self.join_lists(operator, &left, &right)? {
            return Ok(value);
        }
        match arithmetic(operator, &left, &right) {
            Some(value) => Ok(value),
            None => Ok(self.not_known("arithmetic", &[&left, &right])),
        }
    }

    /// `[1] + [2]` and `[0] * 3`, and the same of tuples; `None` for other operands.
    fn join_lists(
        &mut self,
        operator: Operator,
        left: &Value,
        right: &Value,
    ) -> Read<Option<Value>> {
        let (pieces, times) = match (operator, left, right) {
            (Operator::Add, Value::List(_), Value::List(_))
            | (Operator::Add, Value::Tuple(_), Value::Tuple(_)) => ([Some(left), Some(right)], 1),
            (Operator::Multiply, Value::List(_) | Value::Tuple(_), Value::Int(times)) => {
                ([Some(left), None], usize::try_from(*times).unwrap_or(0))
            }
            _ => return Ok(None),
        };
        let mut items = vec![];
        for piece in pieces.into_iter().flatten() {
            items.extend_from_slice(self.heap.items(piece).unwrap_or_default());
        }
        let count = items.len().saturating_mul(times);
        if count > MAX_ITEMS {
            return Ok(Some(self.unknown(format!("a list of {count} items is too long"))));
        }
        self.charge(count)?;
        let items = (0..times).flat_map(|_| items.iter().cloned()).collect();
        Ok(Some(match left {
            Value::Tuple(_) => self.heap.tuple(items),
            _ => self.heap.list(items),
        }))
    }

    /// Index into a list of this length, counted from the end if negative.
    pub fn position(&self, index: &Value, len: usize) -> Option<usize> {
        let Value::Int(index) = index else { return None };
        let len = i64::try_from(len).ok()?;
        let index = if *index < 0 { index.checked_add(len)? } else { *index };
        usize::try_from(index).ok().filter(|index| (*index as i64) < len)
    }
}

/// A number as a float; truth values count as 0 and 1.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Bool(value) => Some(f64::from(u8::from(*value))),
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

/// Arithmetic on numbers; `None` for other operands, and for results beyond 64 bits.
fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Option<Value> {
    let as_int = |value: &Value| match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::Int(value) => Some(*value),
        _ => None,
    };
    if let (Some(a), Some(b)) = (as_int(left), as_int(right)) {
        let exact = match operator {
            Operator::Add => Some(a.checked_add(b)?),
            Operator::Subtract => Some(a.checked_sub(b)?),
            Operator::Multiply => Some(a.checked_mul(b)?),
            Operator::FloorDivide => Some(floor_divide(a, b)?),
            Operator::Modulo => Some(a.checked_sub(floor_divide(a, b)?.checked_mul(b)?)?),
            Operator::Power if b >= 0 => Some(a.checked_pow(u32::try_from(b).ok()?)?),
            _ => None,
        };
        if let Some(value) = exact {
            return Some(Value::Int(value));
        }
    }
    let a = number(left)?;
    let b = number(right)?;
    let divides = matches!(operator, Operator::Divide | Operator::FloorDivide | Operator::Modulo);
    if divides && b == 0.0 {
        return None;
    }
    Some(Value::Float(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::FloorDivide => (a / b).floor(),
        Operator::Modulo => a - (a / b).floor() * b,
        Operator::Power => a.powf(b),
        Operator::Not | Operator::Other => return None,
    }))
}

/// Quotient, rounded down; `None` for a division by 0.
fn floor_divide(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    let is_inexact = a.checked_rem(b)? != 0;
    Some(if is_inexact && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}
