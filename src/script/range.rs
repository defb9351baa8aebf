//! `range(…)`, whose integers are not written out.

use super::values::Value;

/// Integers from `start` to `stop`, which is not among them.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    pub start: i64,
    pub stop: i64,
    pub step: i64,
}

impl Range {
    /// Number of integers.
    pub fn len(&self) -> u64 {
        let span = if self.step > 0 {
            i128::from(self.stop) - i128::from(self.start)
        } else {
            i128::from(self.start) - i128::from(self.stop)
        };
        let step = i128::from(self.step).abs().max(1);
        u64::try_from((span + step - 1) / step).unwrap_or(0)
    }

    /// The integer at this index.
    pub fn at(&self, index: u64) -> Value {
        let offset = i64::try_from(index).unwrap_or(i64::MAX).wrapping_mul(self.step);
        Value::Int(self.start.wrapping_add(offset))
    }
}
