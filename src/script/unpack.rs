//! Unpacking: `a, b = value` and `first, *rest = value`.

use super::evaluate::{Interpreter, Read};
use super::syntax::{Expr, ExprKind};
use super::values::Value;

impl Interpreter<'_> {
    /// Assigns the items of a value to several targets. An item that is not known stays unknown.
    pub fn unpack(&mut self, targets: &[Expr], value: Value) -> Read<()> {
        let star = targets.iter().position(|target| matches!(target.kind, ExprKind::Splat(_)));
        let count = self.count(&value).map(|count| count as usize);
        let (Some(count), None) = (count, star) else {
            return self.unpack_starred(targets, star, value, count);
        };
        for (i, target) in targets.iter().enumerate() {
            let item = if count == targets.len() {
                self.item_at(&value, i as u64)
            } else {
                self.part_of(&value)
            };
            self.assign(target, item)?;
        }
        Ok(())
    }

    /// Unpacks something unknown, or into `first, *rest, last`. `at` is the index of the next item
    /// to assign; the starred target takes the items that the `others` leave.
    fn unpack_starred(
        &mut self,
        targets: &[Expr],
        star: Option<usize>,
        value: Value,
        count: Option<usize>,
    ) -> Read<()> {
        let others = targets.len() - usize::from(star.is_some());
        let known = count.filter(|count| *count >= others);
        let mut at = 0;
        for target in targets {
            let ExprKind::Splat(rest) = &target.kind else {
                let item = match known {
                    Some(_) => self.item_at(&value, at as u64),
                    None => self.part_of(&value),
                };
                at += 1;
                self.assign(target, item)?;
                continue;
            };
            let item = match known {
                Some(count) => {
                    let end = at + count - others;
                    let items = (at..end).map(|i| self.item_at(&value, i as u64)).collect();
                    at = end;
                    self.heap.list(items)
                }
                None => self.part_of(&value),
            };
            self.assign(rest, item)?;
        }
        Ok(())
    }

    /// An unknown part of a value. Each part has a name of its own.
    fn part_of(&mut self, value: &Value) -> Value {
        match value {
            Value::Unknown(id) => self.heap.derived(*id),
            Value::Path(path) => self.unknown(format!("{path} is not supported")),
            other => {
                let kind = self.heap.kind(other);
                self.unknown(format!("{kind} is unpacked into a different number of names"))
            }
        }
    }
}
