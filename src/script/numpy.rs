//! Methods of arrays, and the functions of NumPy, TensorFlow and scikit-learn that keep track of
//! shapes and classes.

use super::arrays::{Array, Dim};
use super::evaluate::{Interpreter, Read};
use super::strings::spelled;
use super::syntax::{Expr, ExprKind, Slice};
use super::values::{Arguments, Entry, Id, Value, last_part};

impl Interpreter<'_> {
    /// `owner[indices]`.
    pub fn index(&mut self, owner: Value, indices: &[Expr]) -> Read<Value> {
        if let Value::Array(id) = owner {
            return self.index_array(id, indices);
        }
        if let Value::Unknown(id) = owner {
            return Ok(self.heap.derived(id));
        }
        let [index] = indices else { return Ok(self.not_known("an index", &[&owner])) };
        if let ExprKind::Slice(slice) = &index.kind {
            return self.slice(&owner, slice);
        }
        let index = self.expression(index)?;
        let found = match &owner {
            Value::Dict(id) => {
                self.charge(self.heap.dicts[*id].len())?;
                let is_key = |entry: &&Entry| self.equal(&entry.key, &index) == Some(true);
                self.heap.dicts[*id].iter().find(is_key).map(|entry| entry.value.clone())
            }
            _ => match self.count(&owner) {
                Some(count) => self
                    .position(&index, usize::try_from(count).unwrap_or(0))
                    .map(|at| self.item_at(&owner, at as u64)),
                None => None,
            },
        };
        Ok(match found {
            Some(value) => value,
            None => self.not_known("an index", &[&owner, &index]),
        })
    }

    /// `owner[start:stop:step]` of a list, a tuple or a string.
    fn slice(&mut self, owner: &Value, slice: &Slice) -> Read<Value> {
        let Some(count) = self.count(owner) else {
            return Ok(self.not_known("a slice", &[owner]));
        };
        let len = i64::try_from(count).unwrap_or(i64::MAX);
        let Some(range) = self.slice_range(slice, len)? else {
            return Ok(self.unknown("the ends of a slice are not known"));
        };
        self.charge(range.len() as usize)?;
        let mut items = vec![];
        for i in 0..range.len() {
            if let Value::Int(at) = range.at(i) {
                items.push(self.item_at(owner, at as u64));
            }
        }
        Ok(match owner {
            Value::Tuple(_) => self.heap.tuple(items),
            Value::String(_) => {
                let strings = items.iter().filter_map(spelled);
                Value::String(strings.collect::<String>().into())
            }
            _ => self.heap.list(items),
        })
    }

    /// Method of an array.
    pub fn array_method(&mut self, id: Id, name: &str, arguments: &Arguments) -> Value {
        let array = self.heap.arrays[id].clone();
        let first = arguments.positional.first();
        let result = match name {
            "reshape" | "resize" => self.reshape(array, arguments),
            "astype" | "copy" | "round" => array,
            "clip" => Array { scaling: None, ..array },
            "flatten" | "ravel" => array.reshaped(vec![Some(-1)]),
            "squeeze" => {
                let keep = |dim: &Dim| *dim != Some(1);
                let shape = array.shape.map(|shape| shape.into_iter().filter(keep).collect());
                Array { shape, ..array }
            }
            "expand_dims" => return self.expand_dims(array, first.or(arguments.named("axis"))),
            "transpose" => {
                let all = self.heap.tuple(arguments.positional.clone());
                let order = match first {
                    Some(Value::Int(_)) => Some(all),
                    other => other.cloned(),
                };
                return self.transpose(array, order);
            }
            "max" | "min" => return self.extreme(&array, name),
            "sum" | "mean" | "std" | "any" | "all" => {
                return self.unknown(format!("the {name} of the data is not known"));
            }
            _ => return self.unknown(format!("the method {name} of an array is not supported")),
        };
        self.heap.array(result)
    }

    /// The array in another shape, given as a tuple or as several numbers.
    fn reshape(&mut self, array: Array, arguments: &Arguments) -> Array {
        let all = self.heap.tuple(arguments.positional.clone());
        let dims = match arguments.get(0, "newshape") {
            Some(Value::Int(_)) => Some(all),
            // The first number may be the size of the data, which is not known.
            Some(_) if arguments.positional.len() > 1 => Some(all),
            Some(other) => Some(other.clone()),
            None => arguments.named("shape").cloned(),
        };
        match dims.and_then(|dims| self.integers(&dims)) {
            Some(dims) => array.reshaped(dims),
            None => Array { shape: None, ..array },
        }
    }

    fn expand_dims(&mut self, array: Array, axis: Option<&Value>) -> Value {
        let mut shape = array.shape.clone();
        if let Some(shape) = &mut shape {
            let at = match axis {
                None => Some(0),
                Some(axis) => self.position(axis, shape.len() + 1),
            };
            match at {
                Some(at) => shape.insert(at, Some(1)),
                None => return self.unknown("an axis is not known"),
            }
        }
        let expanded = shape.map_or(array.clone(), |shape| array.in_shape(shape));
        self.heap.array(expanded)
    }

    fn transpose(&mut self, array: Array, order: Option<Value>) -> Value {
        let Some(shape) = &array.shape else { return self.heap.array(array) };
        let order = match order.and_then(|order| self.integers(&order)) {
            Some(order) => order,
            None => (0..shape.len() as i64).rev().map(Some).collect(),
        };
        let mut turned: Vec<Dim> = vec![];
        for axis in order {
            let axis = axis.and_then(|axis| self.position(&Value::Int(axis), shape.len()));
            turned.push(axis.and_then(|axis| shape[axis]));
        }
        self.heap.array(Array { shape: Some(turned), ..array })
    }

    /// Largest or smallest number: known for labels, and for the bytes of images.
    fn extreme(&mut self, array: &Array, name: &str) -> Value {
        match (name, array.classes, array.scaling) {
            ("max", Some(classes), _) if !array.is_one_hot => {
                Value::Int(i64::try_from(classes).unwrap_or(i64::MAX).saturating_sub(1))
            }
            ("max", None, Some(scaling)) => Value::Float(255.0 * scaling.factor + scaling.offset),
            ("min", None, Some(scaling)) => Value::Float(scaling.offset),
            _ => self.unknown(format!("the {name} of the data is not known")),
        }
    }

    /// Method of something that is not supported. A scaler's keeps the shape of what it gets.
    pub fn method_of_unknown(&mut self, owner: &Value, name: &str, arguments: &Arguments) -> Value {
        if let ("fit_transform" | "transform", Some(Value::Array(id))) =
            (name, arguments.positional.first())
        {
            let array = Array { scaling: None, ..self.heap.arrays[*id].clone() };
            return self.heap.array(array);
        }
        self.suspect(arguments, name);
        match owner {
            Value::Unknown(id) if name == "nunique" => {
                let classes = self.classes_of(&Value::Unknown(*id));
                match classes {
                    Some(Value::Array(classes)) => self.rows(classes),
                    Some(unknown) => unknown,
                    None => owner.clone(),
                }
            }
            Value::Unknown(id) => self.heap.derived(*id),
            other => {
                let kind = self.heap.kind(other);
                self.unknown(format!("the method {name} of {kind} is not supported"))
            }
        }
    }

    /// Functions of libraries that compute with arrays; `None` for others.
    pub fn array_function(&mut self, path: &str, arguments: &Arguments) -> Option<Value> {
        let name = last_part(path);
        let first = arguments.positional.first();
        let rest = || Arguments {
            positional: arguments.positional.get(1..).unwrap_or_default().to_vec(),
            ..arguments.clone()
        };
        match (name, first) {
            (
                "reshape" | "expand_dims" | "squeeze" | "transpose" | "clip",
                Some(Value::Array(id)),
            ) => Some(self.array_method(*id, name, &rest())),
            ("max" | "amax" | "reduce_max", Some(Value::Array(id))) => {
                Some(self.array_method(*id, "max", &rest()))
            }
            (
                "array" | "asarray" | "copy" | "float32" | "cast" | "constant"
                | "convert_to_tensor" | "zeros_like",
                Some(array @ Value::Array(_)),
            ) => Some(array.clone()),
            ("unique", Some(labels)) => self.classes_of(labels),
            ("prod", Some(Value::List(_) | Value::Tuple(_))) => {
                let dims = self.dims_of(first?)?;
                let product =
                    dims.iter().try_fold(1u64, |product, dim| product.checked_mul((*dim)?))?;
                Some(Value::Int(i64::try_from(product).ok()?))
            }
            _ => {
                let shape = self.shape_of_new(path, arguments)?;
                Some(self.heap.array(Array::of_shape(shape)))
            }
        }
    }

    /// Shape of the array that a function makes.
    fn shape_of_new(&mut self, path: &str, arguments: &Arguments) -> Option<Vec<Dim>> {
        let first = arguments.positional.first();
        match (last_part(path), first) {
            ("array" | "asarray", Some(list @ (Value::List(_) | Value::Tuple(_)))) => {
                self.nested_shape(list)
            }
            ("zeros" | "ones" | "empty" | "full", Some(shape)) => self.dims_of(shape),
            ("linspace", _) => self.dims_of(arguments.get(2, "num")?),
            ("arange", Some(count)) => self.dims_of(count),
            ("rand" | "randn", Some(_)) => {
                let all = self.heap.tuple(arguments.positional.clone());
                self.dims_of(&all)
            }
            ("random" | "random_sample" | "normal" | "uniform" | "randint", _)
                if path.contains("random") =>
            {
                let size = arguments.named("size").or(arguments.positional.last())?;
                self.dims_of(size)
            }
            _ => None,
        }
    }

    /// Shape of lists within lists, by their first items.
    fn nested_shape(&self, value: &Value) -> Option<Vec<Dim>> {
        let mut shape = vec![];
        let mut value = value.clone();
        while let Some(items) = self.heap.items(&value) {
            shape.push(Some(items.len() as u64));
            match items.first() {
                Some(first) if shape.len() < 8 => value = first.clone(),
                _ => return None,
            }
        }
        if let Value::Range(range) = value {
            shape.push(Some(range.len()));
        }
        Some(shape)
    }
}
