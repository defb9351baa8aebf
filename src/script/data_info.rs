//! Attributes of data that are not supported: shapes and classes, from `--data` or `--set`.

use super::arrays::{Array, Dim};
use super::evaluate::Interpreter;
use super::expressions::MAX_STRING;
use super::values::{Id, Value};

/// Attributes of data sets that `--data` supplies.
const OF_DATA: &[&str] =
    &["shape", "classes_", "class_names", "class_indices", "num_classes", "image_shape"];

impl Interpreter<'_> {
    /// Attribute of something unknown. The data give a shape, and the classes of labels.
    pub fn attribute_of_unknown(&mut self, id: Id, name: &str) -> Value {
        let unknown = self.heap.unknowns[id].clone();
        let dotted = unknown.name.as_ref().map(|owner| format!("{owner}.{name}"));
        if let Some(value) = dotted.as_ref().and_then(|dotted| self.given(dotted)) {
            return value;
        }
        let owner = unknown.name.as_deref().unwrap_or("the data");
        if let Some(value) = self.attribute_of_data(owner, name) {
            return value;
        }
        if OF_DATA.contains(&name) {
            let reason = format!("the {name} of {owner} is not known: {}", unknown.reason);
            let value = self.heap.unknown_data(unknown.line, reason);
            if let Some(dotted) = dotted.filter(|_| name == "shape") {
                self.name_unknown(&value, &dotted);
            }
            return value;
        }
        match dotted {
            // A method call is more likely than a value, but a value can be given by this name.
            Some(dotted) if dotted.len() < MAX_STRING => {
                let value = self.heap.derived(id);
                self.name_unknown(&value, &dotted);
                value
            }
            _ => self.heap.derived(id),
        }
    }

    /// The classes that occur in labels, as an array of their number.
    pub fn classes_of(&mut self, labels: &Value) -> Option<Value> {
        let classes = match labels {
            Value::Array(id) => self.heap.arrays[*id].classes,
            Value::Unknown(_) => self.settings.data.as_ref().and_then(|data| data.classes),
            _ => return None,
        };
        if classes.is_none() {
            let reason = "the number of classes is counted in the data";
            return Some(self.heap.unknown_data(self.line, reason));
        }
        Some(self.heap.array(Array::of_shape(vec![classes])))
    }

    /// Attribute of unknown data, from those of `--data`; the name tells inputs from targets.
    pub fn attribute_of_data(&mut self, owner: &str, name: &str) -> Option<Value> {
        let data = self.settings.data.clone()?;
        let owner = owner.to_lowercase();
        let is_target = owner.starts_with(['y', 't']) && !owner.starts_with("tr")
            || owner.contains("label")
            || owner.contains("target")
            || owner.ends_with("_y");
        match name {
            "shape" if is_target => Some(self.shape_tuple(&[None, data.classes])),
            "shape" => {
                let mut shape = vec![None];
                shape.extend(data.sample.iter().map(|dim| Some(*dim)));
                Some(self.shape_tuple(&shape))
            }
            "classes_" => Some(self.heap.array(Array::of_shape(vec![Some(data.classes?)]))),
            "num_classes" => Some(Value::Int(i64::try_from(data.classes?).ok()?)),
            // The names are not known, and only their number matters to a model.
            "class_names" | "class_indices" => {
                Some(self.heap.array(Array::of_shape(vec![Some(data.classes?)])))
            }
            "image_shape" => {
                let dims: Vec<Dim> = data.sample.iter().map(|dim| Some(*dim)).collect();
                Some(self.shape_tuple(&dims))
            }
            _ => None,
        }
    }
}
