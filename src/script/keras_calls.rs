//! Calls of Keras: models, layers and their like.

use std::rc::Rc;

use super::arguments::PARSER;
use super::evaluate::{Interpreter, Read, Remark};
use super::model::{Added, Model};
use super::values::{Arguments, Id, Value, last_part, push};

/// Names without a capital that `from keras.… import *` may bring.
const STARRED: &[&str] = &[
    "l1",
    "l2",
    "l1_l2",
    "l1l2",
    "max_norm",
    "maxnorm",
    "unit_norm",
    "non_neg",
    "to_categorical",
    "np_utils",
    "mnist",
    "fashion_mnist",
    "cifar10",
    "cifar100",
    "boston_housing",
    "he_normal",
    "he_uniform",
    "glorot_normal",
    "glorot_uniform",
    "layers",
    "models",
    "optimizers",
    "regularizers",
    "initializers",
    "datasets",
    "utils",
    "callbacks",
    "losses",
    "metrics",
];

/// True for a path of Keras, in any of the packages that it has come in.
pub fn is_keras(path: &str) -> bool {
    let package = path.split('.').next();
    matches!(package, Some("keras" | "tf_keras" | "keras_core" | "tensorflow"))
}

/// Path of a name that one of these modules may bring by `import *`.
pub fn starred(modules: &[Rc<str>], name: &str) -> Option<Rc<str>> {
    let is_name = name.starts_with(|letter: char| letter.is_ascii_uppercase());
    if !is_name && !STARRED.contains(&name) {
        return None;
    }
    let module = modules.iter().rev().find(|module| is_keras(module))?;
    Some(format!("{module}.{name}").into())
}

impl Interpreter<'_> {
    /// Calls something of a library.
    pub fn call_path(&mut self, path: &str, arguments: Arguments) -> Read<Value> {
        let name = last_part(path);
        if let Some(value) = self.array_function(path, &arguments) {
            return Ok(value);
        }
        match name {
            "load_data" => return Ok(self.load_data(path)),
            "to_categorical" | "one_hot" => return Ok(self.one_hot(&arguments)),
            "train_test_split" => return Ok(self.train_test_split(&arguments)),
            "load_model" | "model_from_json" | "model_from_yaml" | "clone_model" => {
                return Ok(self.unknown(format!("{name} reads a model from elsewhere")));
            }
            "KerasClassifier" | "KerasRegressor" => return self.wrapped_model(arguments),
            "image_dataset_from_directory" => return Ok(self.images_of_directory(&arguments)),
            "ImageDataGenerator" => {
                if let Some(Value::Float(fraction)) = arguments.named("validation_split") {
                    self.note_test_fraction(Some(*fraction));
                }
            }
            _ => {}
        }
        if !is_keras(path) {
            if path == PARSER {
                return Ok(self.heap.object(path, Arguments::default()));
            }
            if let Some(value) = self.load_of_sklearn(path, &arguments) {
                return Ok(value);
            }
            self.suspect(&arguments, path);
            return Ok(self.unknown(format!("{path} is not supported")));
        }
        Ok(self.call_keras(path, name, arguments))
    }

    fn call_keras(&mut self, path: &str, name: &str, arguments: Arguments) -> Value {
        let is_class = name.starts_with(|letter: char| letter.is_ascii_uppercase());
        let factories = ["regularizers", "initializers", "initializations", "constraints"];
        let is_factory = path.split('.').any(|part| factories.contains(&part))
            || ["l1", "l2", "l1_l2", "l1l2", "max_norm", "maxnorm"].contains(&name);
        match name {
            "Sequential" => self.sequential(arguments),
            "Model" if !arguments.positional.is_empty() || !arguments.keywords.is_empty() => {
                self.functional(&arguments)
            }
            "image_data_format" => Value::String("channels_last".into()),
            "image_dim_ordering" => Value::String("tf".into()),
            "floatx" => Value::String("float32".into()),
            _ if path.contains(".applications.") => {
                self.unknown(format!("{name} is a pretrained model, which is not supported"))
            }
            _ if is_class || is_factory => self.heap.object(path, arguments),
            _ if path.contains(".layers.") => self.unknown(format!("{name} joins several outputs")),
            _ => self.unknown(format!("{path} is not supported")),
        }
    }

    fn sequential(&mut self, arguments: Arguments) -> Value {
        let line = arguments.line;
        let mut model = Model { line, name: arguments.named("name").cloned(), ..Model::default() };
        if let Some(list) = arguments.get(0, "layers") {
            match self.heap.items(list) {
                Some(items) => {
                    let layers = items.iter().cloned();
                    model.layers.extend(layers.map(|layer| Added { layer, line }));
                }
                None if matches!(list, Value::None) => {}
                None => {
                    if let Value::Unknown(id) = self.not_known("a list of layers", &[list]) {
                        model.uncertain = Some(id);
                    }
                }
            }
        }
        Value::Model(push(&mut self.heap.models, model))
    }

    /// A layer that is called: on the output of another, or on an input.
    pub fn call_layer(&mut self, id: Id, arguments: &Arguments) -> Value {
        let mut chain = match arguments.positional.first() {
            Some(Value::Object(input)) => vec![Value::Object(*input)],
            Some(Value::Tensor(chain)) => self.heap.tensors[*chain].clone(),
            Some(other) if self.heap.items(other).is_some() => {
                return self.unknown("a layer joins several outputs");
            }
            Some(Value::Unknown(id)) => return self.heap.derived(*id),
            _ => return self.unknown("a layer is called on something that is not supported"),
        };
        chain.push(Value::Object(id));
        Value::Tensor(push(&mut self.heap.tensors, chain))
    }

    /// `Model(inputs, outputs)`, if it is one chain of layers.
    fn functional(&mut self, arguments: &Arguments) -> Value {
        let line = arguments.line;
        let output = ["outputs", "output"].iter().find_map(|name| arguments.named(name));
        let chain = match output.or(arguments.positional.get(1)) {
            Some(Value::Tensor(chain)) => self.heap.tensors[*chain].clone(),
            other => {
                let text = match other {
                    Some(Value::Unknown(id)) => self.heap.unknowns[*id].reason.clone(),
                    _ => "the outputs are not a chain of layers".to_string(),
                };
                let text = format!("this model is not a chain of layers: {text}");
                self.refused = Some(Remark { line, text: text.clone() });
                return self.unknown(text);
            }
        };
        let name = arguments.named("name").cloned();
        let layers = chain.into_iter().map(|layer| Added { layer, line }).collect();
        let model = Model { line, name, layers, ..Model::default() };
        Value::Model(push(&mut self.heap.models, model))
    }

    /// `KerasClassifier(build_fn=…, epochs=…)`: calls the function, and takes the options of `fit`.
    fn wrapped_model(&mut self, arguments: Arguments) -> Read<Value> {
        let function = ["build_fn", "model"].iter().find_map(|name| arguments.named(name));
        let Some(Value::Function(id)) = function.or(arguments.positional.first()).cloned() else {
            return Ok(self.unknown("a wrapped model is not supported"));
        };
        let model = self.call_function(id, None, Arguments::default())?;
        if let Value::Model(id) = model {
            let fit = Arguments { positional: vec![], ..arguments };
            self.heap.models[id].fit = Some(fit);
        }
        Ok(self.unknown("the wrapper of scikit-learn is not supported"))
    }

    /// Method of a model.
    pub fn model_method(&mut self, id: Id, name: &str, arguments: Arguments) -> Read<Value> {
        self.charge(1)?;
        let uncertain =
            self.unknown_branch.filter(|branch| id < branch.models).map(|branch| branch.reason);
        let line = self.line;
        let model = &mut self.heap.models[id];
        match name {
            "add" => {
                let layer = arguments.get(0, "layer").cloned().unwrap_or(Value::None);
                model.layers.push(Added { layer, line });
                model.uncertain = model.uncertain.or(uncertain);
                return Ok(Value::None);
            }
            "pop" => {
                model.layers.pop();
                model.uncertain = model.uncertain.or(uncertain);
                return Ok(Value::None);
            }
            "build" => {
                model.build_shape = arguments
                    .get(0, "input_shape")
                    .or(arguments.named("batch_input_shape"))
                    .cloned();
                return Ok(Value::None);
            }
            "compile" => {
                model.uncertain_calls.extend(uncertain);
                model.compile = Some(arguments);
                return Ok(Value::None);
            }
            "fit" | "fit_generator" => {
                model.uncertain_calls.extend(uncertain);
                let named = if name == "fit" { arguments } else { without_data(arguments) };
                model.fit = Some(named);
            }
            _ => {}
        }
        Ok(self.unknown(format!("the result of {name} is computed by the model")))
    }
}

/// Arguments of a `fit` on a generator, whose data and batches are its own.
fn without_data(mut arguments: Arguments) -> Arguments {
    arguments.positional.clear();
    arguments.keywords.retain(|keyword| &*keyword.name != "validation_data");
    arguments
}
