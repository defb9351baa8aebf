//! The arguments of `compile` and `fit`, and the data that the script trains on.

use serde_json::{Map, Value as Json};

use super::arrays::{Array, Scaling};
use super::datasets::is_images;
use super::describe::Unsupported;
use super::evaluate::Interpreter;
use super::signatures::{option_name, positional};
use super::values::{Arguments, Id, Value};

/// Arguments of `fit` that change a training, and that a script cannot give here.
const UNSUPPORTED_OF_FIT: [&str; 7] = [
    "class_weight",
    "sample_weight",
    "initial_epoch",
    "steps_per_epoch",
    "validation_steps",
    "validation_batch_size",
    "validation_freq",
];

/// Options of the script's `fit`, those that it gives and that are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fit {
    /// Number of epochs.
    pub epochs: Option<u64>,
    /// Samples of a batch.
    pub batch_size: Option<u64>,
    /// Fraction of the training samples to validate on.
    pub validation_split: Option<f64>,
    /// True for validation on data of its own.
    pub has_validation_data: bool,
    /// False to keep the order of the samples.
    pub shuffle: Option<bool>,
    /// Callbacks, each as `{"class_name": …, "config": {…}}`.
    pub callbacks: Vec<Json>,
}

/// Data set that a script trains on by name.
#[derive(Debug, Clone, PartialEq)]
pub struct DataUse {
    /// Name in Keras: `mnist`, `cifar10`.
    pub dataset: String,
    /// Shape of a sample, as the script gives it to the model.
    pub sample: Option<Vec<u64>>,
    /// Factor of the inputs' bytes; `None` if it is not known or the script also shifts them.
    pub factor: Option<f64>,
    /// True for labels as one-hot vectors.
    pub is_one_hot: bool,
}

impl Interpreter<'_> {
    /// `compile_config` of a model; `None` without a `compile`, or without a loss that is known.
    pub fn compile_config(&mut self, id: Id) -> Option<Json> {
        let arguments = self.heap.models[id].compile.clone()?;
        let options = ["optimizer", "loss", "loss_weights", "weighted_metrics"];
        let mut config = self.named_arguments("compile", &arguments, &options);
        if let Some(metrics) = arguments.get(2, "metrics") {
            let metrics = self.known_items(metrics, "a metric", arguments.line);
            config.insert("metrics".to_string(), Json::Array(metrics));
        }
        if config.get("loss").is_none_or(Json::is_null) {
            return None;
        }
        Some(Json::Object(config))
    }

    /// Options of `fit`.
    pub fn fit(&mut self, id: Id) -> Fit {
        let Some(arguments) = self.heap.models[id].fit.clone() else { return Fit::default() };
        let options = ["epochs", "batch_size", "validation_split", "shuffle"];
        let options = self.named_arguments("fit", &arguments, &options);
        self.remark_ignored(&arguments);
        let batch_size = self.batch_size_of(arguments.get(0, "x"));
        let validation = arguments.get(7, "validation_data");
        let mut callbacks = vec![];
        if let Some(list) = arguments.get(5, "callbacks") {
            callbacks = self.known_items(list, "a callback", arguments.line);
        }
        Fit {
            epochs: options.get("epochs").and_then(Json::as_u64),
            batch_size: options.get("batch_size").and_then(Json::as_u64).or(batch_size),
            validation_split: options.get("validation_split").and_then(Json::as_f64),
            has_validation_data: validation.is_some_and(|data| !matches!(data, Value::None)),
            shuffle: options.get("shuffle").and_then(Json::as_bool),
            callbacks,
        }
    }

    /// Remarks on arguments of `fit` that change a training and are not supported.
    fn remark_ignored(&mut self, arguments: &Arguments) {
        self.line = arguments.line;
        for name in UNSUPPORTED_OF_FIT {
            let value = arguments.named(name);
            if value.is_some_and(|value| !matches!(value, Value::None)) {
                self.remark(format!("{name} of fit is not supported; it is ignored"));
            }
        }
    }

    /// The wanted arguments, by name. Unknown ones are ignored, with a remark.
    fn named_arguments(
        &mut self,
        function: &str,
        arguments: &Arguments,
        wanted: &[&str],
    ) -> Map<String, Json> {
        let names = positional(function).iter().copied().zip(&arguments.positional);
        let keywords = arguments.keywords.iter().map(|keyword| (&*keyword.name, &keyword.value));
        let mut known = Map::new();
        for (name, value) in names.chain(keywords) {
            let name = option_name(function, name);
            if !wanted.contains(&name) {
                continue;
            }
            match self.json(value, name, arguments.line) {
                Ok(value) => {
                    known.insert(name.to_string(), value);
                }
                Err(unsupported) => self.ignored(unsupported),
            }
        }
        known
    }

    /// Items of a list, or one item, in JSON, without those that are not known.
    fn known_items(&mut self, list: &Value, what: &str, line: u32) -> Vec<Json> {
        let items = match self.heap.items(list) {
            Some(items) => items.to_vec(),
            None if matches!(list, Value::None) => vec![],
            None => vec![list.clone()],
        };
        let mut known = vec![];
        for item in &items {
            match self.json(item, what, line) {
                Ok(item) => known.push(item),
                Err(unsupported) => self.ignored(unsupported),
            }
        }
        known
    }

    fn ignored(&mut self, unsupported: Unsupported) {
        self.line = unsupported.line;
        self.remark(format!("{}; it is ignored", unsupported.problem));
    }

    /// Reason for which the data that the model is fitted on are not known, with its line.
    pub fn unknown_data(&self, id: Id) -> Option<String> {
        let arguments = self.heap.models[id].fit.as_ref()?;
        let inputs = arguments.get(0, "x").filter(|inputs| !matches!(inputs, Value::Array(_)))?;
        let unsupported = self.unsupported(arguments.line, "the training set", inputs);
        Some(format!("{}: {}", self.source.location(arguments.line), unsupported.problem))
    }

    /// Data that the model is fitted on, if they are known.
    pub fn data_use(&mut self, id: Id) -> Option<DataUse> {
        let arguments = self.heap.models[id].fit.clone()?;
        let y = arguments.get(1, "y").cloned();
        let Some(Value::Array(x)) = arguments.get(0, "x") else { return None };
        let inputs = self.heap.arrays[*x].clone();
        let dataset = inputs.source.as_ref()?.dataset.to_string();
        let is_one_hot = match y {
            Some(Value::Array(y)) => self.heap.arrays[y].is_one_hot,
            _ => false,
        };
        let factor = match inputs.scaling {
            Some(Scaling { factor, offset: 0.0 }) => Some(factor),
            _ => None,
        };
        if factor.is_none() && is_images(&dataset) {
            self.line = arguments.line;
            self.remark("the scaling of the inputs is not known; bytes are divided by 255");
        }
        Some(DataUse { dataset, sample: sample_of(&inputs), factor, is_one_hot })
    }

    /// Shape of a sample that the model is fitted on.
    pub fn fitted_shape(&self, id: Id) -> Option<Vec<u64>> {
        let arguments = self.heap.models[id].fit.as_ref()?;
        match arguments.get(0, "x")? {
            Value::Array(x) => sample_of(&self.heap.arrays[*x]),
            _ => None,
        }
    }
}

/// Lengths of all axes but the first, if they are known.
fn sample_of(array: &Array) -> Option<Vec<u64>> {
    array.shape.as_ref()?.get(1..)?.iter().copied().collect()
}
