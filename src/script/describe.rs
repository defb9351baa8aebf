//! The model of a script as Keras's `config.json`. Here unknown values become errors.

use serde_json::{Map, Value as Json, json};

use super::evaluate::Interpreter;
use super::keras_calls::is_keras;
use super::model::Added;
use super::signatures::{KERAS_1, class_name, option_name, positional};
use super::values::{Id, Object, Unknown, Value, last_part};

/// Error of a model that needs something unsupported or unknown.
#[derive(Debug, Clone)]
pub struct Unsupported {
    /// Line of the layer or call that needs it.
    pub line: u32,
    pub problem: String,
    /// Name by which `--set` supplies it.
    pub name: Option<String>,
    /// True if `--data` may supply it.
    pub is_data: bool,
}

impl Unsupported {
    pub fn new(line: u32, problem: impl Into<String>) -> Unsupported {
        Unsupported { line, problem: problem.into(), name: None, is_data: false }
    }
}

/// Layers of a model, and the shape of a sample, if the layers give it.
pub struct Layers {
    pub layers: Vec<Json>,
    /// `None` if the script gives no shape; `Err` if it gives one that cannot be evaluated.
    pub input: Option<Result<Vec<u64>, Unsupported>>,
}

impl Interpreter<'_> {
    /// Layers of a model.
    pub fn layers(&mut self, id: Id) -> Result<Layers, Unsupported> {
        if let Some(reason_id) = self.heap.models[id].uncertain {
            let Unknown { reason, line, .. } = self.heap.unknowns[reason_id].clone();
            return Err(Unsupported::new(line, format!("the layers are not known: {reason}")));
        }
        let mut flat = vec![];
        self.flatten(id, 0, &mut flat)?;
        let mut layers = vec![];
        let mut input = None;
        for Added { layer, line } in flat {
            let Value::Object(object) = layer else {
                return Err(Unsupported {
                    name: None,
                    ..self.unsupported(line, "a layer", &layer)
                });
            };
            let object = self.heap.objects[object].clone();
            let line = object.arguments.line;
            let is_first = layers.is_empty();
            if is_first && input.is_none() {
                input = self.input_of(&object, line);
            }
            if matches!(object.class(), "Input" | "InputLayer") {
                continue;
            }
            layers.push(self.layer(&object, line)?);
        }
        if input.is_none()
            && let Some(shape) = self.heap.models[id].build_shape.clone()
        {
            let line = self.heap.models[id].line;
            input = Some(self.sample_shape(&shape, true, line));
        }
        Ok(Layers { layers, input })
    }

    /// Layers in order, those of nested models in their place.
    fn flatten(&self, id: Id, depth: usize, flat: &mut Vec<Added>) -> Result<(), Unsupported> {
        for added in &self.heap.models[id].layers {
            if flat.len() > 10_000 || depth > 20 {
                return Err(Unsupported::new(added.line, "the model has more than 10000 layers"));
            }
            match added.layer {
                Value::Model(inner) => self.flatten(inner, depth + 1, flat)?,
                _ => flat.push(added.clone()),
            }
        }
        Ok(())
    }

    /// Shape of a sample, if the first layer gives it.
    fn input_of(&self, object: &Object, line: u32) -> Option<Result<Vec<u64>, Unsupported>> {
        let arguments = &object.arguments;
        let is_input = matches!(object.class(), "Input" | "InputLayer");
        for name in ["batch_shape", "batch_input_shape"] {
            if let Some(shape) = arguments.named(name) {
                return Some(self.sample_shape(shape, true, line));
            }
        }
        for name in ["input_shape", "shape", "input_dim"] {
            let is_vocabulary = name == "input_dim" && object.class() == "Embedding";
            if let Some(shape) = arguments.named(name).filter(|_| !is_vocabulary) {
                return Some(self.sample_shape(shape, false, line));
            }
        }
        let shape = arguments.positional.first().filter(|_| is_input)?;
        Some(self.sample_shape(shape, false, line))
    }

    /// Lengths of all axes of a sample.
    fn sample_shape(
        &self,
        shape: &Value,
        has_batch: bool,
        line: u32,
    ) -> Result<Vec<u64>, Unsupported> {
        let Some(dims) = self.integers(shape) else {
            return Err(self.unsupported(line, "the input shape", shape));
        };
        let first = usize::from(has_batch);
        let mut lengths = vec![];
        for (i, dim) in dims.iter().enumerate().skip(first) {
            match dim.and_then(|dim| u64::try_from(dim).ok()) {
                Some(dim) => lengths.push(dim),
                None => {
                    let item = self.heap.items(shape).and_then(|items| items.get(i));
                    let item = item.unwrap_or(shape);
                    return Err(self.unsupported(line, "the input shape", item));
                }
            }
        }
        Ok(lengths)
    }

    fn layer(&mut self, object: &Object, line: u32) -> Result<Json, Unsupported> {
        let mut described = self.object(object, line)?;
        described["location"] = json!(self.source.location(line));
        if let Some(config) = described["config"].as_object_mut() {
            let is_embedding = object.class() == "Embedding";
            config.retain(|name, _| match name.as_str() {
                "batch_input_shape" | "input_shape" | "batch_size" => false,
                "input_dim" => is_embedding,
                _ => true,
            });
        }
        Ok(described)
    }

    /// `{"class_name": …, "config": {…}}`.
    fn object(&mut self, object: &Object, line: u32) -> Result<Json, Unsupported> {
        let name = object.class();
        if !is_keras(&object.path) {
            let problem = format!("{name} is a class of the script's own, which is not supported");
            return Err(Unsupported::new(line, problem));
        }
        let class = class_name(name);
        let mut options = object.arguments.keywords.iter().map(|keyword| &*keyword.name);
        self.is_keras_1 |= options.any(|name| KERAS_1.contains(&name));
        if let ("Conv2D", [_, Value::Int(rows), Value::Int(columns)]) =
            (name, object.arguments.positional.as_slice())
            && rows == columns
        {
            self.line = line;
            self.remark("the third number of Conv2D is read as strides, as Keras 3 does");
        }
        let names = self.positional_names(object);
        let mut config = Map::new();
        for (i, value) in object.arguments.positional.iter().enumerate() {
            let option = match names.get(i) {
                Some(option) => option.to_string(),
                None => format!("argument {}", i + 1),
            };
            let what = format!("{option} of {name}");
            config.insert(option, self.json(value, &what, line)?);
        }
        for keyword in &object.arguments.keywords {
            let option = option_name(class, &keyword.name);
            if option == "weights" || self.is_dropped(option, &keyword.value) {
                self.line = line;
                self.remark(format!("{option} of {name} is ignored"));
                continue;
            }
            if matches!(option, "input_shape" | "batch_input_shape") {
                continue;
            }
            let what = format!("{option} of {name}");
            config.insert(option.to_string(), self.json(&keyword.value, &what, line)?);
        }
        Ok(json!({ "class_name": class, "config": config }))
    }

    /// True for an option that is not known and changes neither shapes nor numbers.
    fn is_dropped(&self, option: &str, value: &Value) -> bool {
        matches!(option, "name" | "seed" | "dtype") && matches!(value, Value::Unknown(_))
    }

    /// Names of the positional arguments. Keras 1 gave the size of a kernel as two integers.
    fn positional_names(&self, object: &Object) -> &'static [&'static str] {
        let name = object.class();
        let second = object.arguments.positional.get(1);
        if name == "Convolution2D" && matches!(second, Some(Value::Tuple(_) | Value::List(_))) {
            return positional("Conv2D");
        }
        match positional(name) {
            [] => positional(class_name(name)),
            names => names,
        }
    }

    /// A value in JSON. `what` names it in an error.
    pub fn json(&mut self, value: &Value, what: &str, line: u32) -> Result<Json, Unsupported> {
        self.enter(line).map_err(|_| Unsupported::new(line, format!("{what} is too large")))?;
        let json = self.json_of(value, what, line)?;
        self.leave();
        Ok(json)
    }

    fn json_of(&mut self, value: &Value, what: &str, line: u32) -> Result<Json, Unsupported> {
        Ok(match value {
            Value::None => Json::Null,
            Value::Bool(value) => json!(value),
            Value::Int(value) => json!(value),
            Value::Float(value) if value.is_finite() => json!(value),
            Value::String(text) => json!(&**text),
            Value::Tuple(_) | Value::List(_) => {
                let items = self.heap.items(value).unwrap_or_default().to_vec();
                let mut list = vec![];
                for item in &items {
                    list.push(self.json(item, what, line)?);
                }
                Json::Array(list)
            }
            Value::Object(id) => {
                let object = self.heap.objects[*id].clone();
                self.object(&object, line)?
            }
            Value::Path(path) if is_keras(path) => json!(last_part(path)),
            other => return Err(self.unsupported(line, what, other)),
        })
    }

    /// `units of Dense is not known: pandas.read_csv is not supported (line 3)`.
    fn because(&self, what: &str, unknown: &Unknown, line: u32) -> String {
        let mut text = format!("{what} is not known: {}", unknown.reason);
        let location = self.source.location(unknown.line);
        if unknown.line != line && !text.contains(&location) {
            text += &format!(" ({location})");
        }
        text
    }

    /// Error for something, `what`, that needs this value.
    pub fn unsupported(&self, line: u32, what: &str, value: &Value) -> Unsupported {
        let Value::Unknown(id) = value else {
            let found = match value {
                Value::Path(path) => format!("{path}, which is not supported"),
                Value::Object(id) => self.heap.objects[*id].class().to_string(),
                other => self.heap.kind(other).to_string(),
            };
            return Unsupported::new(line, format!("{what} is {found}"));
        };
        let unknown = &self.heap.unknowns[*id];
        Unsupported {
            line,
            problem: self.because(what, unknown, line),
            name: unknown.name.as_ref().map(|name| name.to_string()),
            is_data: unknown.is_data,
        }
    }
}
