//! Abstract arrays: shape, classes, scaling and the data set that they come from.

use std::rc::Rc;

use super::evaluate::{Interpreter, Read};
use super::operators::number;
use super::range::Range;
use super::syntax::{Expr, ExprKind, Operator, Slice};
use super::values::{Arguments, Id, Value};

/// Length of an axis; `None` if it is not known.
pub type Dim = Option<u64>;

/// Abstract array: what is known about its content.
#[derive(Debug, Clone, Default)]
pub struct Array {
    /// Lengths of the axes, if their number is known.
    pub shape: Option<Vec<Dim>>,
    /// Number of classes, if these are labels.
    pub classes: Option<u64>,
    /// True for labels that are one-hot vectors.
    pub is_one_hot: bool,
    /// Scaling of the numbers in the data set's files; `None` if it is not known.
    pub scaling: Option<Scaling>,
    /// Data set and part of it.
    pub source: Option<Source>,
}

/// `number * factor + offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    pub factor: f64,
    pub offset: f64,
}

/// Part of a data set of Keras.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    pub dataset: Rc<str>,
    /// True for the test set.
    pub is_test: bool,
    /// Number of values of a sample in Keras's data set, if the user's data take its place.
    pub replaces: Option<u64>,
}

impl Array {
    /// Array of which only the shape is known.
    pub fn of_shape(shape: Vec<Dim>) -> Array {
        Array { shape: Some(shape), ..Array::default() }
    }

    /// Number of values; `None` if it is not known.
    fn len(&self) -> Option<u64> {
        product(self.shape.as_ref()?)
    }

    /// The array in a shape that the script gives it. Shapes are written for Keras's data set:
    /// where the user's data take its place, a flattened sample is theirs, flattened, and images
    /// that have channels already get no further axis.
    pub fn in_shape(&self, shape: Vec<Dim>) -> Array {
        let array = Array { shape: Some(shape), ..self.clone() };
        let replaces = self.source.as_ref().and_then(|source| source.replaces);
        let (Some(n_values), Some(own)) = (replaces, self.sample()) else { return array };
        let Some(asked) = array.sample() else { return array };
        let is_written_for_other_data = product(&asked) == Some(n_values);
        let sample = match (asked.len(), own.as_slice()) {
            (1, _) if is_written_for_other_data => vec![product(&own)],
            (3, &[height, width]) if is_written_for_other_data => vec![height, width, Some(1)],
            (2 | 3, [_, ..]) if is_written_for_other_data => own,
            // One more axis after the channels.
            (4, [_, _, _]) if asked[..3] == own && asked[3] == Some(1) => own,
            _ => return array,
        };
        let mut shape = vec![None];
        shape.extend(sample);
        Array { shape: Some(shape), ..self.clone() }
    }

    /// Lengths of the axes of a sample.
    fn sample(&self) -> Option<Vec<Dim>> {
        Some(self.shape.as_ref()?.get(1..)?.to_vec())
    }

    /// The same numbers in another shape. `-1` is the length that remains.
    pub fn reshaped(&self, dims: Vec<Option<i64>>) -> Array {
        let known: Option<u64> = dims
            .iter()
            .filter(|dim| **dim != Some(-1))
            .try_fold(1u64, |product, dim| product.checked_mul(u64::try_from((*dim)?).ok()?));
        let rest = match (self.len(), known) {
            (Some(len), Some(known)) => len.checked_div(known),
            _ => None,
        };
        let rows = self.shape.as_ref().and_then(|shape| shape.first().copied().flatten());
        let mut shape: Vec<Dim> = vec![];
        for (i, dim) in dims.iter().enumerate() {
            shape.push(match dim {
                Some(-1) if i == 0 => rest.or(rows),
                Some(-1) => rest,
                dim => dim.and_then(|dim| u64::try_from(dim).ok()),
            });
        }
        self.in_shape(shape)
    }

    /// The array after arithmetic with a number: `array op number`, or `number op array`.
    fn scaled(&self, operator: Operator, number: f64, is_left: bool) -> Array {
        let scaling = self.scaling.and_then(|Scaling { factor, offset }| {
            let (by, plus) = match (operator, is_left) {
                (Operator::Divide, false) => (1.0 / number, 0.0),
                (Operator::Multiply, _) => (number, 0.0),
                (Operator::Add, _) => (1.0, number),
                (Operator::Subtract, false) => (1.0, -number),
                (Operator::Subtract, true) => (-1.0, number),
                _ => return None,
            };
            Some(Scaling { factor: factor * by, offset: offset * by + plus })
        });
        Array { scaling, ..self.clone() }
    }
}

/// Product of lengths; `None` if one is not known.
fn product(dims: &[Dim]) -> Dim {
    dims.iter().try_fold(1u64, |product, dim| product.checked_mul((*dim)?))
}

impl Interpreter<'_> {
    /// A dimension as a value.
    fn dim(&mut self, dim: Dim) -> Value {
        match dim.and_then(|dim| i64::try_from(dim).ok()) {
            Some(dim) => Value::Int(dim),
            None => self.heap.unknown_data(self.line, "the size of the data is not known"),
        }
    }

    /// Number of rows of an array.
    pub fn rows(&mut self, id: Id) -> Value {
        let rows = self.heap.arrays[id].shape.as_ref().and_then(|shape| shape.first().copied());
        self.dim(rows.flatten())
    }

    /// Shape as a tuple.
    pub fn shape_tuple(&mut self, shape: &[Dim]) -> Value {
        let dims = shape.iter().map(|dim| self.dim(*dim)).collect();
        self.heap.tuple(dims)
    }

    pub fn array_attribute(&mut self, id: Id, name: &str) -> Value {
        let array = &self.heap.arrays[id];
        match (name, array.shape.clone()) {
            ("shape", Some(shape)) => self.shape_tuple(&shape),
            ("shape" | "ndim" | "size", None) => {
                self.heap.unknown_data(self.line, "the shape of the data is not known")
            }
            ("ndim", Some(shape)) => Value::Int(shape.len() as i64),
            ("size", Some(_)) => {
                let len = array.len();
                self.dim(len)
            }
            ("T", _) => self.array_method(id, "transpose", &Arguments::default()),
            _ => self.heap.method(Value::Array(id), name),
        }
    }

    /// Integers of a tuple or a list, or one integer: a shape. Unknown ones are `None`.
    pub fn integers(&self, value: &Value) -> Option<Vec<Option<i64>>> {
        let integer = |value: &Value| match value {
            Value::Int(value) => Some(*value),
            _ => None,
        };
        match value {
            Value::Int(value) => Some(vec![Some(*value)]),
            other => Some(self.heap.items(other)?.iter().map(integer).collect()),
        }
    }

    /// A shape as the lengths of axes.
    pub fn dims_of(&self, value: &Value) -> Option<Vec<Dim>> {
        let dims = self.integers(value)?;
        Some(dims.iter().map(|dim| dim.and_then(|dim| u64::try_from(dim).ok())).collect())
    }

    /// Arithmetic with an array: the shape stays, and the scaling if it is with a number.
    pub fn array_arithmetic(&mut self, operator: Operator, left: &Value, right: &Value) -> Value {
        let result = match (left, right) {
            (Value::Array(id), other) if !matches!(other, Value::Array(_)) => {
                let array = &self.heap.arrays[*id];
                match number(other) {
                    Some(number) => array.scaled(operator, number, false),
                    None => Array { scaling: None, ..array.clone() },
                }
            }
            (other, Value::Array(id)) if !matches!(other, Value::Array(_)) => {
                let array = &self.heap.arrays[*id];
                match number(other) {
                    Some(number) => array.scaled(operator, number, true),
                    None => Array { scaling: None, ..array.clone() },
                }
            }
            (Value::Array(left), Value::Array(right)) => {
                let (left, right) = (&self.heap.arrays[*left], &self.heap.arrays[*right]);
                let axes = |array: &Array| array.shape.as_ref().map_or(0, Vec::len);
                let larger = if axes(left) >= axes(right) { left } else { right };
                Array { scaling: None, ..larger.clone() }
            }
            _ => Array::default(),
        };
        self.heap.array(result)
    }

    /// `array[indices]`.
    pub fn index_array(&mut self, id: Id, indices: &[Expr]) -> Read<Value> {
        let array = self.heap.arrays[id].clone();
        let Some(shape) = array.shape.clone() else { return Ok(Value::Array(id)) };
        let is_new = |expr: &Expr| match &expr.kind {
            ExprKind::None => true,
            ExprKind::Attribute(_, name) => name == "newaxis",
            _ => false,
        };
        let n_taken = indices
            .iter()
            .filter(|expr| !is_new(expr) && !matches!(expr.kind, ExprKind::Ellipsis))
            .count();
        let mut rest = shape.into_iter();
        let mut result: Vec<Dim> = vec![];
        for expr in indices {
            match &expr.kind {
                _ if is_new(expr) => result.push(Some(1)),
                ExprKind::Ellipsis => {
                    let filled = rest.len().saturating_sub(n_taken);
                    result.extend(rest.by_ref().take(filled));
                }
                ExprKind::Slice(slice) => {
                    let dim = rest.next().flatten();
                    result.push(self.sliced(dim, slice)?);
                }
                _ => {
                    rest.next();
                    match self.expression(expr)? {
                        Value::Int(_) => {}
                        _ => result.push(None),
                    }
                }
            }
        }
        result.extend(rest);
        Ok(self.heap.array(array.in_shape(result)))
    }

    /// Length of a slice of an axis.
    fn sliced(&mut self, dim: Dim, slice: &Slice) -> Read<Dim> {
        if slice.start.is_none() && slice.stop.is_none() && slice.step.is_none() {
            return Ok(dim);
        }
        let Some(len) = dim.and_then(|dim| i64::try_from(dim).ok()) else { return Ok(None) };
        Ok(self.slice_range(slice, len)?.map(|range| range.len()))
    }

    /// Indices that a slice takes of this many items; `None` if they are not known.
    pub fn slice_range(&mut self, slice: &Slice, len: i64) -> Read<Option<Range>> {
        let mut parts = [None, None, None];
        for (part, expr) in parts.iter_mut().zip([&slice.start, &slice.stop, &slice.step]) {
            let Some(expr) = expr else { continue };
            match self.expression(expr)? {
                Value::Int(value) => *part = Some(value),
                Value::None => {}
                _ => return Ok(None),
            }
        }
        let step = parts[2].unwrap_or(1);
        if step == 0 {
            return Ok(None);
        }
        let lowest = if step > 0 { 0 } else { -1 };
        let highest = if step > 0 { len } else { len - 1 };
        let bound = |part: Option<i64>, default: i64| match part {
            None => default,
            Some(at) if at < 0 => at.saturating_add(len).clamp(lowest, highest),
            Some(at) => at.clamp(lowest, highest),
        };
        let (first, last) = if step > 0 { (lowest, highest) } else { (highest, lowest) };
        let start = bound(parts[0], first);
        let stop = bound(parts[1], last);
        Ok(Some(Range { start, stop, step }))
    }
}
