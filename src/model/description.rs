//! A model as text: what a file stores beside the numbers, in the form of Keras's `config.json`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Compiled, MetricChoice, Sequential};
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
        layers.extend(self.layers().iter().map(|layer| {
            let mut value = serde_json::to_value(&layer.spec).unwrap_or_default();
            value["config"]["name"] = json!(layer.name());
            value["config"]["trainable"] = json!(layer.trainable);
            value
        }));
        let compile_config = self.compiled.as_ref().map(|Compiled { optimizer, loss, metrics, .. }| CompileConfig {
            optimizer: optimizer.clone(),
            loss: loss.clone(),
            metrics: metrics.clone(),
        });
        let state = self.compiled.as_ref().map(|compiled| &compiled.state);
        let training = Training {
            seed: self.seed,
            epochs: self.epochs_done,
            batch_size: self.batch_size,
            iteration: state.map_or(0, |state| state.iteration),
            learning_rate: state.map(|state| state.learning_rate),
        };
        let config = Config { name: self.name.clone(), layers };
        Description { class_name: "Sequential".to_string(), config, compile_config, training }
    }
}

impl Description {
    /// The same for samples of another shape.
    pub(crate) fn with_input(mut self, shape: &Shape) -> Description {
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
        let input = self.config.layers.first().and_then(sample_shape).ok_or_else(|| {
            Error::Build("the first layer is no InputLayer with a batch_shape such as [null, 28, 28]".to_string())
        })?;
        let mut builder = Sequential::builder(input).named(self.config.name).most_params(most);
        for (number, mut layer) in self.config.layers.into_iter().enumerate().skip(1) {
            let config = layer.get_mut("config").and_then(Value::as_object_mut);
            let [name, trainable] =
                config.map_or([None, None], |config| ["name", "trainable"].map(|key| config.remove(key)));
            let name = name.as_ref().and_then(Value::as_str);
            let class = layer.get("class_name").and_then(Value::as_str).unwrap_or("?").to_string();
            let spec = serde_json::from_value::<AnyLayer>(layer).map_err(|error| {
                Error::Build(format!("layer {number}, {} ({class}): {error}", name.unwrap_or("without a name")))
            })?;
            builder = builder.described(name, trainable != Some(Value::Bool(false)), spec);
        }
        let Training { seed, epochs, batch_size, iteration, learning_rate } = self.training;
        let mut model = builder.build(seed)?;
        (model.epochs_done, model.batch_size) = (epochs, batch_size);
        if let Some(CompileConfig { optimizer, loss, metrics }) = self.compile_config {
            model.compile_with(optimizer, loss, metrics)?;
            let state = &mut model.compiled_mut()?.state;
            state.iteration = iteration;
            state.learning_rate = learning_rate.unwrap_or(state.learning_rate);
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

/// The shape of a sample that such an input has.
fn sample_shape(input: &Value) -> Option<Shape> {
    let axes = input.pointer("/config/batch_shape")?.as_array()?.iter().skip(1);
    let dims = axes.map(|axis| usize::try_from(axis.as_u64()?).ok()).collect::<Option<Vec<_>>>();
    dims.map(Shape::from)
}
