//! From a description to a model. Everything about shapes that can be wrong is found here, and shown on the whole chain.

use std::collections::HashMap;

use super::{BuiltLayer, LayerName, Node, Plan, Sequential, Style};
use crate::layers::{LayerSpec, Misfit};
use crate::params::Parameters;
use crate::shape::Shape;
use crate::{Error, Result};

/// The description of a model: the shape of a sample, and layers.
#[derive(Debug)]
pub struct SequentialBuilder {
    input: Shape,
    layers: Vec<(Option<String>, Box<dyn LayerSpec>)>,
    most_params: usize,
}

impl SequentialBuilder {
    pub(super) fn new(input: Shape) -> Self {
        SequentialBuilder { input, layers: vec![], most_params: usize::MAX }
    }

    /// Adds a layer with an automatic name.
    #[allow(clippy::should_implement_trait)] // Keras's name for it.
    pub fn add(self, layer: impl LayerSpec + 'static) -> Self {
        self.add_boxed(None, Box::new(layer))
    }

    /// Adds a layer with a name of its own.
    pub fn add_named(self, name: impl Into<String>, layer: impl LayerSpec + 'static) -> Self {
        self.add_boxed(Some(name.into()), Box::new(layer))
    }

    /// Adds a layer of whatever class.
    pub fn add_boxed(mut self, name: Option<String>, layer: Box<dyn LayerSpec>) -> Self {
        self.layers.push((name, layer));
        self
    }

    /// Refuses to build a model with more parameters than so many.
    pub fn most_params(mut self, most: usize) -> Self {
        self.most_params = most;
        self
    }

    /// Fixes every size and draws the first parameters from the seed.
    ///
    /// # Errors
    /// Layers that cannot follow each other, names that occur twice, and more parameters than memory holds.
    pub fn build(self, seed: u64) -> Result<Sequential> {
        let names = names(&self.layers)?;
        let mut layers: Vec<BuiltLayer> = vec![];
        let mut operations = vec![];
        let mut arrays = vec![];
        let mut shape = self.input.clone();
        if shape.dims().contains(&0) {
            return Err(Error::Build(format!("the model's input {shape} has an axis of length 0; give it at least 1")));
        }
        for (i, (name, (_, spec))) in names.iter().zip(self.layers).enumerate() {
            let built = match spec.build(&shape) {
                Ok(built) => built,
                Err(misfit) => return Err(chain_error(&self.input, &layers, name, &*spec, &names[i + 1..], &misfit)),
            };
            layers.push(BuiltLayer {
                name: name.clone(),
                spec,
                input: std::mem::replace(&mut shape, built.output.clone()),
                output: built.output,
                count: built.count,
                inbound_nodes: vec![],
                outbound_nodes: vec![],
            });
            operations.push(built.operations);
            arrays.push(built.params);
        }
        connect(&mut layers);
        let parameters = Parameters::build(&arrays, self.most_params, seed)?;
        let mut plan = Plan::new(self.input.n_values());
        for (i, operations) in operations.into_iter().enumerate() {
            for operation in operations {
                plan.push(operation, parameters.range_of(i), layers[i].output.n_values());
            }
        }
        let n_threads = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Sequential {
            input: self.input,
            layers,
            parameters,
            plan,
            compiled: None,
            seed,
            epochs_done: 0,
            batch_size: None,
            n_threads,
        })
    }
}

fn names(layers: &[(Option<String>, Box<dyn LayerSpec>)]) -> Result<Vec<LayerName>> {
    let mut ordinals = HashMap::new();
    let mut names: Vec<LayerName> = vec![];
    for (given, spec) in layers {
        let name = match given {
            Some(name) => LayerName::Given(name.clone()),
            None => {
                let ordinal = ordinals.entry(spec.class_name()).or_insert(0);
                *ordinal += 1;
                LayerName::Automatic { class: spec.class_name(), ordinal: *ordinal }
            }
        };
        let spelled = name.in_style(Style::Keras2);
        if names.iter().any(|other| other.in_style(Style::Keras2) == spelled) {
            return Err(Error::Build(format!("two layers are called {spelled:?}; give one of them another name")));
        }
        names.push(name);
    }
    Ok(names)
}

fn connect(layers: &mut [BuiltLayer]) {
    for i in 0..layers.len() {
        let source = match i.checked_sub(1) {
            Some(below) => layers[below].name(),
            None => layers[0].name.input_in_style(layers[0].class_name(), Style::Keras1),
        };
        let node = Node {
            outbound_layer: layers[i].name(),
            inbound_layer: source,
            input_shape: layers[i].input.clone(),
            output_shape: layers[i].output.clone(),
        };
        if i > 0 {
            layers[i - 1].outbound_nodes.push(node.clone());
        }
        layers[i].inbound_nodes.push(node);
    }
}

/// The whole chain with the shape behind each layer, the failing layer marked, and what would fix it.
fn chain_error(
    input: &Shape,
    built: &[BuiltLayer],
    failing: &LayerName,
    spec: &dyn LayerSpec,
    rest: &[LayerName],
    misfit: &Misfit,
) -> Error {
    let mut text = format!("{} cannot follow the layers before it:\n", spec.class_name());
    let mut line = |mark: &str, name: &str, shape: &str| text += &format!("  {mark} {name:<28} {shape}\n");
    line(" ", "input", &input.to_string());
    for layer in built {
        line(" ", &format!("{} ({})", layer.name(), layer.class_name()), &layer.output.to_string());
    }
    line(">", &format!("{} ({})", failing.in_style(Style::Keras2), spec.class_name()), &misfit.problem);
    for name in rest {
        line(" ", &name.in_style(Style::Keras2), "?");
    }
    Error::Build(text + "  what would fix it: " + &misfit.remedy)
}
