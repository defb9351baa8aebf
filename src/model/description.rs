//! A model as text: what a file stores beside the numbers, in the form of Keras's `config.json`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{MetricChoice, Sequential};
use crate::layers::AnyLayer;
use crate::losses::AnyLoss;
use crate::optimizers::AnyOptimizer;
use crate::shape::Shape;
use crate::{Error, Result};

/// Everything about a model but its numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    class_name: String,
    config: Config,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    compile_config: Option<CompileConfig>,
    /// What Keras does not store.
    #[serde(default)]
    training: Training,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Config {
    name: String,
    /// The first is the input; each is `{"class_name": …, "config": {"name": …, "trainable": …, …}}`.
    layers: Vec<Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CompileConfig {
    optimizer: Option<AnyOptimizer>,
    loss: AnyLoss,
    metrics: Vec<MetricChoice>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Training {
    seed: u64,
    epochs: usize,
    batch_size: Option<usize>,
    iteration: u64,
    learning_rate: Option<f64>,
}

impl Sequential {
    /// The description of this model.
    pub fn description(&self) -> Description {
        let mut layers = vec![input_layer(self.input_shape())];
        for layer in self.layers() {
            let mut value = serde_json::to_value(&layer.spec).unwrap_or_default();
            if let Some(Value::Object(config)) = value.get_mut("config") {
                config.insert("name".to_string(), json!(layer.name()));
                config.insert("trainable".to_string(), json!(layer.trainable));
            }
            layers.push(value);
        }
        let state = self.compiled.as_ref().map(|compiled| &compiled.state);
        Description {
            class_name: "Sequential".to_string(),
            config: Config { name: self.name.clone(), layers },
            compile_config: self.compiled.as_ref().map(|compiled| CompileConfig {
                optimizer: compiled.optimizer.clone(),
                loss: compiled.loss.clone(),
                metrics: compiled.metrics.clone(),
            }),
            training: Training {
                seed: self.seed,
                epochs: self.epochs_done,
                batch_size: self.batch_size,
                iteration: state.map_or(0, |state| state.iteration),
                learning_rate: state.map(|state| state.learning_rate),
            },
        }
    }
}

impl Description {
    /// The same for samples of another shape.
    pub fn with_input(mut self, shape: &Shape) -> Description {
        self.config.layers[0] = input_layer(shape);
        self
    }

    /// The same with its first parameters to be drawn from another seed.
    pub fn seeded(mut self, seed: u64) -> Description {
        self.training.seed = seed;
        self
    }

    /// Builds the model that is described. Its parameters are drawn anew.
    ///
    /// It is an error if there are more than `most`: a description from outside must not claim more memory than the
    /// numbers beside it fill. So are classes and options that are not in the catalogue, named with their layer.
    pub fn build(self, most: usize) -> Result<Sequential> {
        let mut layers = self.config.layers.into_iter().enumerate();
        let input = layers.next().map(|(_, input)| input).unwrap_or_default();
        let input = batch_shape(&input).ok_or_else(|| {
            Error::Build("the first layer is no InputLayer with a batch_shape such as [null, 28, 28]".to_string())
        })?;
        let mut builder = Sequential::builder(input).named(self.config.name).most_params(most);
        for (number, mut layer) in layers {
            let (name, trainable) = match layer.get_mut("config") {
                Some(Value::Object(config)) => (take_text(config, "name"), config.remove("trainable")),
                _ => (None, None),
            };
            let class = layer.get("class_name").and_then(Value::as_str).unwrap_or("?").to_string();
            let spec: AnyLayer = serde_json::from_value(layer).map_err(|error| {
                let name = name.as_deref().unwrap_or("without a name");
                Error::Build(format!("layer {number}, {name} ({class}): {error}"))
            })?;
            builder = builder.add(spec);
            if let Some(name) = name {
                builder = builder.named(name);
            }
            if trainable == Some(Value::Bool(false)) {
                builder = builder.frozen();
            }
        }
        let mut model = builder.build(self.training.seed)?;
        (model.epochs_done, model.batch_size) = (self.training.epochs, self.training.batch_size);
        if let Some(CompileConfig { optimizer, loss, metrics }) = self.compile_config {
            model.compile_with(optimizer, loss, metrics)?;
            let state = &mut model.compiled_mut()?.state;
            state.iteration = self.training.iteration;
            state.learning_rate = self.training.learning_rate.unwrap_or(state.learning_rate);
        }
        Ok(model)
    }
}

/// The input as Keras describes it, with the batch axis as `null`.
fn input_layer(shape: &Shape) -> Value {
    let dims = shape.dims().iter().map(|&axis| json!(axis));
    let batch_shape: Vec<Value> = [Value::Null].into_iter().chain(dims).collect();
    json!({ "class_name": "InputLayer", "config": { "batch_shape": batch_shape } })
}

/// `[null, 28, 28]` as the shape of a sample.
fn batch_shape(input: &Value) -> Option<Shape> {
    let dims = input.get("config")?.get("batch_shape")?.as_array()?;
    let dims: Option<Vec<usize>> = dims.iter().skip(1).map(|axis| axis.as_u64()?.try_into().ok()).collect();
    dims.map(Shape::from)
}

fn take_text(config: &mut Map<String, Value>, key: &str) -> Option<String> {
    config.remove(key)?.as_str().map(str::to_string)
}
