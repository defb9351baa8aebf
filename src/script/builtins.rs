//! Python's own functions, and the methods of lists and dictionaries.

use super::evaluate::{Interpreter, Read};
use super::expressions::MAX_ITEMS;
use super::operators::number;
use super::range::Range;
use super::strings::spelled;
use super::values::{Arguments, Entry, Keyword, Value, last_part};

impl Interpreter<'_> {
    /// Calls a function of Python.
    pub fn builtin(&mut self, name: &str, arguments: &Arguments) -> Read<Value> {
        let values = &arguments.positional;
        let known = match (name, values.as_slice()) {
            ("print", _) => Some(Value::None),
            ("len", [Value::Array(id)]) => Some(self.rows(*id)),
            ("len", [value]) => self.count(value).and_then(int),
            ("set", [value @ (Value::Array(_) | Value::Unknown(_))]) => self.classes_of(value),
            ("range", values) => range(values),
            ("int", [value]) => to_int(value),
            ("float", [value]) => to_float(value),
            ("str", [value]) => spelled(value).map(|text| Value::String(text.into())),
            ("bool", [value]) => self.truth(value).map(Value::Bool),
            ("abs", [Value::Int(value)]) => value.checked_abs().map(Value::Int),
            ("abs", [Value::Float(value)]) => Some(Value::Float(value.abs())),
            ("round", [value]) => number(value).map(|value| Value::Int(value.round() as i64)),
            ("dict", []) => {
                let entries = arguments.keywords.iter().map(entry).collect();
                Some(self.heap.dict(entries))
            }
            ("isinstance", [value, Value::Path(class)]) => {
                self.is_instance(value, class).map(Value::Bool)
            }
            ("map", [function, items]) => self.map(function, items)?,
            ("sum" | "min" | "max", [items]) => self.fold(name, items)?,
            ("min" | "max", [_, _, ..]) => {
                let items = self.heap.list(values.clone());
                self.fold(name, &items)?
            }
            _ => self.builtin_on_items(name, values)?,
        };
        match known {
            Some(value) => Ok(value),
            None => {
                let operands: Vec<&Value> = values.iter().collect();
                Ok(self.not_known(&format!("{name}()"), &operands))
            }
        }
    }

    /// Functions that turn items into a list.
    fn builtin_on_items(&mut self, name: &str, values: &[Value]) -> Read<Option<Value>> {
        let mut columns = vec![];
        for value in values {
            let Some(items) = self.all_items(value)? else { return Ok(None) };
            columns.push(items);
        }
        Ok(match (name, columns.as_mut_slice()) {
            ("list" | "set", []) => Some(self.heap.list(vec![])),
            ("tuple", []) => Some(self.heap.tuple(vec![])),
            ("list" | "set", [items]) => Some(self.heap.list(std::mem::take(items))),
            ("tuple", [items]) => Some(self.heap.tuple(std::mem::take(items))),
            ("reversed", [items]) => {
                items.reverse();
                Some(self.heap.list(std::mem::take(items)))
            }
            ("sorted", [items]) if items.iter().all(|item| number(item).is_some()) => {
                items.sort_by(|a, b| {
                    number(a).partial_cmp(&number(b)).unwrap_or(std::cmp::Ordering::Equal)
                });
                Some(self.heap.list(std::mem::take(items)))
            }
            ("enumerate", [items]) => {
                let counted: Vec<Vec<Value>> = std::mem::take(items)
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| vec![Value::Int(i as i64), item])
                    .collect();
                Some(self.list_of_tuples(counted))
            }
            ("zip", columns) => {
                let rows = columns.iter().map(Vec::len).min().unwrap_or(0);
                let row = |i: usize| columns.iter().map(|column| column[i].clone()).collect();
                let rows = (0..rows).map(row).collect();
                Some(self.list_of_tuples(rows))
            }
            _ => None,
        })
    }

    fn list_of_tuples(&mut self, rows: Vec<Vec<Value>>) -> Value {
        let tuples = rows.into_iter().map(|row| self.heap.tuple(row)).collect();
        self.heap.list(tuples)
    }

    /// All items of a value; `None` if they are not known or too many.
    fn all_items(&mut self, value: &Value) -> Read<Option<Vec<Value>>> {
        match self.count(value) {
            Some(count) if count <= MAX_ITEMS as u64 => {
                self.charge(count as usize)?;
                Ok(Some((0..count).map(|index| self.item_at(value, index)).collect()))
            }
            _ => Ok(None),
        }
    }

    fn fold(&mut self, name: &str, items: &Value) -> Read<Option<Value>> {
        let Some(items) = self.all_items(items)? else { return Ok(None) };
        let mut best = if name == "sum" { Some(Value::Int(0)) } else { None };
        for item in items {
            let Some(number_of_item) = number(&item) else { return Ok(None) };
            best = Some(match &best {
                None => item,
                Some(sum) if name == "sum" => {
                    self.binary(super::syntax::Operator::Add, sum.clone(), item)?
                }
                Some(best) => {
                    let is_better = match number(best) {
                        Some(best) if name == "min" => number_of_item < best,
                        Some(best) => number_of_item > best,
                        None => false,
                    };
                    if is_better { item } else { best.clone() }
                }
            });
        }
        Ok(best)
    }

    fn is_instance(&self, value: &Value, class: &str) -> Option<bool> {
        let own = match value {
            Value::Int(_) => "int",
            Value::Float(_) => "float",
            Value::Bool(_) => "bool",
            Value::String(_) => "str",
            Value::List(_) => "list",
            Value::Tuple(_) => "tuple",
            Value::Dict(_) => "dict",
            Value::None => "None",
            Value::Object(id) => return Some(self.heap.objects[*id].class() == last_part(class)),
            _ => return None,
        };
        Some(own == last_part(class))
    }

    /// Method of a list.
    pub fn list_method(&mut self, id: usize, name: &str, arguments: &Arguments) -> Read<Value> {
        let list = Value::List(id);
        let first = arguments.positional.first().cloned();
        match (name, first) {
            ("append", Some(item)) => {
                let items = self.heap.list(vec![item]);
                self.extend_list(&list, &items)?;
            }
            ("extend", Some(items)) => self.extend_list(&list, &items)?,
            ("copy", _) => return self.builtin("list", &Arguments::of(list)),
            ("insert", Some(Value::Int(at @ 0..))) if self.unknown_branch.is_none() => {
                let items = &mut self.heap.lists[id];
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(items.len());
                items.insert(at, arguments.positional.get(1).cloned().unwrap_or(Value::None));
                let count = items.len();
                self.charge(count)?;
            }
            ("reverse", None) if self.unknown_branch.is_none() => {
                self.charge(self.heap.lists[id].len())?;
                self.heap.lists[id].reverse();
            }
            ("pop", None) if self.unknown_branch.is_none() => {
                return match self.heap.lists[id].pop() {
                    Some(item) => Ok(item),
                    None => Ok(self.unknown("pop from an empty list")),
                };
            }
            (name, _) => {
                let unknown = self.unknown(format!("the method {name} of a list is not supported"));
                if !["index", "count"].contains(&name) {
                    self.forget(&list, unknown.clone());
                }
                return Ok(unknown);
            }
        }
        Ok(Value::None)
    }

    /// Adds items to a list, in place. In a block that may not run they are unknown.
    pub fn extend_list(&mut self, list: &Value, items: &Value) -> Read<()> {
        let Value::List(id) = *list else { return Ok(()) };
        let mut items = match self.all_items(items)? {
            Some(items) => items,
            None => vec![self.not_known("more items of a list", &[items])],
        };
        if let Some(branch) = self.unknown_branch.filter(|branch| id < branch.lists) {
            items = vec![Value::Unknown(branch.reason)];
        }
        if self.heap.lists[id].len() + items.len() > MAX_ITEMS {
            return Err(self.stop(format!("a list has more than {MAX_ITEMS} items")));
        }
        self.heap.lists[id].extend(items);
        Ok(())
    }

    /// Replaces what a list or a dictionary holds, which changed in an unsupported way.
    pub fn forget(&mut self, owner: &Value, unknown: Value) {
        match owner {
            Value::List(id) => self.heap.lists[*id] = vec![unknown],
            Value::Dict(id) => {
                self.heap.dicts[*id] = vec![Entry { key: unknown.clone(), value: unknown }];
            }
            _ => {}
        }
    }

    /// `map(function, items)`, item by item.
    fn map(&mut self, function: &Value, items: &Value) -> Read<Option<Value>> {
        let Some(items) = self.all_items(items)? else { return Ok(None) };
        let mut results = vec![];
        for item in items {
            results.push(self.call(function.clone(), Arguments::of(item))?);
        }
        Ok(Some(self.heap.list(results)))
    }

    /// Method of a dictionary.
    pub fn dict_method(&mut self, id: usize, name: &str, arguments: &Arguments) -> Read<Value> {
        self.charge(self.heap.dicts[id].len())?;
        let entries = self.heap.dicts[id].clone();
        Ok(match (name, arguments.positional.first()) {
            ("get", Some(key)) => {
                let is_key = |entry: &&Entry| self.equal(&entry.key, key) == Some(true);
                let found = entries.iter().find(is_key).map(|entry| entry.value.clone());
                let default = arguments.positional.get(1).cloned();
                found.or(default).unwrap_or(Value::None)
            }
            ("keys", _) => self.heap.list(entries.into_iter().map(|entry| entry.key).collect()),
            ("values", _) => self.heap.list(entries.into_iter().map(|entry| entry.value).collect()),
            ("items", _) => {
                let rows = entries.into_iter().map(|entry| vec![entry.key, entry.value]).collect();
                self.list_of_tuples(rows)
            }
            ("update", Some(Value::Dict(other))) => {
                let mut merged = entries;
                for entry in self.heap.dicts[*other].clone() {
                    self.set_entry(&mut merged, entry.key, entry.value)?;
                }
                self.heap.dicts[id] = merged;
                Value::None
            }
            _ => {
                let unknown =
                    self.unknown(format!("the method {name} of a dictionary is not supported"));
                self.forget(&Value::Dict(id), unknown.clone());
                unknown
            }
        })
    }
}

fn entry(keyword: &Keyword) -> Entry {
    Entry { key: Value::String(keyword.name.clone()), value: keyword.value.clone() }
}

fn int(count: u64) -> Option<Value> {
    i64::try_from(count).ok().map(Value::Int)
}

fn range(values: &[Value]) -> Option<Value> {
    let mut numbers = vec![];
    for value in values {
        let Value::Int(value) = value else { return None };
        numbers.push(*value);
    }
    let range = match numbers.as_slice() {
        [stop] => Range { start: 0, stop: *stop, step: 1 },
        [start, stop] => Range { start: *start, stop: *stop, step: 1 },
        [start, stop, step] if *step != 0 => Range { start: *start, stop: *stop, step: *step },
        _ => return None,
    };
    Some(Value::Range(range))
}

fn to_int(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) => Some(value.clone()),
        Value::Bool(value) => Some(Value::Int(i64::from(*value))),
        Value::Float(value) if value.abs() < 9e15 => Some(Value::Int(value.trunc() as i64)),
        Value::String(text) => text.trim().parse().ok().map(Value::Int),
        _ => None,
    }
}

fn to_float(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => text.trim().parse().ok().map(Value::Float),
        value => number(value).map(Value::Float),
    }
}
