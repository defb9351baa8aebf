//! A model as text: what a file stores beside the numbers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{LayerName, Sequential};
use crate::shape::Shape;
use crate::{Error, Result, layers, losses, optimizers};

/// Everything about a model but its numbers, under Keras's names where Keras has one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    input_shape: Shape,
    layers: Vec<Described>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compile: Option<CompileDescription>,
    training: TrainingDescription,
}

/// Something with a class and its options.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Described {
    class_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    config: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct CompileDescription {
    optimizer: Described,
    loss: String,
    metrics: Vec<String>,
    /// What the optimizer remembers, beside its vectors.
    iteration: u64,
    learning_rate: f64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct TrainingDescription {
    seed: u64,
    epochs: usize,
    batch_size: Option<usize>,
}

impl Sequential {
    /// The description of this model.
    pub fn description(&self) -> Description {
        let layer = |layer: &super::BuiltLayer| Described {
            class_name: layer.class_name().to_string(),
            name: match layer.layer_name() {
                LayerName::Given(name) => Some(name.clone()),
                LayerName::Automatic { .. } => None,
            },
            config: layer.spec().config(),
        };
        Description {
            input_shape: self.input_shape().clone(),
            layers: self.layers().iter().map(layer).collect(),
            compile: self.compiled.as_ref().map(|compiled| CompileDescription {
                optimizer: Described {
                    class_name: compiled.optimizer.class_name().to_string(),
                    name: None,
                    config: compiled.optimizer.config(),
                },
                loss: compiled.loss.name().to_string(),
                metrics: compiled.metrics.clone(),
                iteration: compiled.state.iteration,
                learning_rate: compiled.state.learning_rate,
            }),
            training: TrainingDescription { seed: self.seed, epochs: self.epochs_done, batch_size: self.batch_size },
        }
    }

    /// Builds the model that is described, if it has no more parameters than `most`. They are drawn anew.
    ///
    /// # Errors
    /// A class or an option that is not in the catalogue, layers that cannot follow each other, and more parameters:
    /// a description from outside must not claim more memory than the numbers beside it fill.
    pub fn from_description_within(description: Description, most: usize) -> Result<Sequential> {
        let mut builder = Sequential::builder(description.input_shape);
        for (i, Described { class_name, name, config }) in description.layers.into_iter().enumerate() {
            let spec = layers::from_config(&class_name, config)
                .map_err(|problem| Error::Build(format!("layer {} ({class_name}): {problem}", i + 1)))?;
            builder = builder.add_boxed(name, spec);
        }
        let TrainingDescription { seed, epochs, batch_size } = description.training;
        let mut model = builder.most_params(most).build(seed)?;
        (model.epochs_done, model.batch_size) = (epochs, batch_size);
        if let Some(compile) = description.compile {
            let rule = optimizers::from_config(&compile.optimizer.class_name, compile.optimizer.config);
            let loss = losses::by_name(&compile.loss).map_err(Error::Build)?;
            model.compile_with(rule.map_err(Error::Build)?.into(), loss.into(), compile.metrics)?;
            let state = &mut model.compiled_mut()?.state;
            (state.iteration, state.learning_rate) = (compile.iteration, compile.learning_rate);
        }
        Ok(model)
    }
}
