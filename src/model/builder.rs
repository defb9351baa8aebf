//! From a description to a model. Everything about shapes that can be wrong is found here, and shown on the whole chain.

use std::collections::HashMap;

use super::naming::input_name;
use super::{BuiltLayer, LayerName, Node, Plan, Sequential, Style};
use crate::layers::{AnyLayer, Misfit};
use crate::params::Parameters;
use crate::shape::Shape;
use crate::{Error, Result};

/// The description of a model: the shape of a sample, and layers.
#[derive(Debug)]
pub struct SequentialBuilder {
    name: String,
    input: Shape,
    layers: Vec<Described>,
    most_params: usize,
}

#[derive(Debug)]
struct Described {
    name: Option<String>,
    trainable: bool,
    spec: AnyLayer,
}

impl SequentialBuilder {
    pub(super) fn new(input: Shape) -> Self {
        SequentialBuilder { name: "sequential".to_string(), input, layers: vec![], most_params: usize::MAX }
    }

    /// Adds a layer.
    #[allow(clippy::should_implement_trait)] // Keras's name for it.
    pub fn add(mut self, layer: impl Into<AnyLayer>) -> Self {
        self.layers.push(Described { name: None, trainable: true, spec: layer.into() });
        self
    }

    /// Names the layer that was added last, or the model where none was.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        match self.layers.last_mut() {
            Some(layer) => layer.name = Some(name.into()),
            None => self.name = name.into(),
        }
        self
    }

    /// Keeps the parameters of the layer that was added last from being trained.
    pub fn frozen(mut self) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            layer.trainable = false;
        }
        self
    }

    /// Refuses to build a model with more parameters than so many.
    pub fn most_params(mut self, most: usize) -> Self {
        self.most_params = most;
        self
    }

    /// Fixes every size and draws the first parameters from the seed.
    ///
    /// Layers that cannot follow each other, names that occur twice, and more parameters than memory holds are errors.
    pub fn build(self, seed: u64) -> Result<Sequential> {
        let names = self.names()?;
        let mut layers: Vec<BuiltLayer> = vec![];
        let mut operations = vec![];
        let mut shape = self.input.clone();
        if shape.dims().contains(&0) || shape.n_values() > isize::MAX as usize / 8 {
            return Err(Error::Build(format!("no sample has the shape {shape}; give every axis a length that fits")));
        }
        for (i, (name, Described { trainable, spec, .. })) in names.iter().zip(self.layers).enumerate() {
            let mut built = match spec.build(&shape) {
                Ok(built) => built,
                Err(misfit) => return Err(chain_error(&self.input, &layers, &spec, &names[i..], &misfit)),
            };
            built.params.iter_mut().for_each(|param| param.trainable &= trainable);
            if let Some(problem) = built.params.iter().find_map(|param| param.initializer.problem()) {
                return Err(Error::Build(format!("{}: {problem}", name.in_style(Style::Keras2))));
            }
            operations.push(built.operations);
            layers.push(BuiltLayer {
                layer_name: name.clone(),
                trainable,
                spec,
                input: std::mem::replace(&mut shape, built.output.clone()),
                output: built.output,
                params: built.params,
                count: built.count,
                inbound_nodes: vec![],
                outbound_nodes: vec![],
            });
        }
        connect(&mut layers);
        let arrays = layers.iter().map(|layer| layer.params.clone()).collect();
        let parameters = Parameters::build(arrays, self.most_params, seed)?;
        let mut plan = Plan::new(self.input.n_values());
        for (i, operations) in operations.into_iter().enumerate() {
            for operation in operations {
                plan.push(operation, parameters.range_of(i), layers[i].trainable, layers[i].output.n_values());
            }
        }
        Ok(Sequential {
            name: self.name,
            input: self.input,
            layers,
            parameters,
            plan,
            compiled: None,
            seed,
            epochs_done: 0,
            batch_size: None,
            n_threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    fn names(&self) -> Result<Vec<LayerName>> {
        let mut ordinals = HashMap::new();
        let mut names: Vec<LayerName> = vec![];
        for Described { name, spec, .. } in &self.layers {
            let name = match name {
                Some(name) => LayerName::Given(name.clone()),
                None => {
                    let ordinal = ordinals.entry(spec.class_name()).or_insert(0);
                    *ordinal += 1;
                    LayerName::Automatic(spec.class_name(), *ordinal)
                }
            };
            let spelled = name.in_style(Style::Keras2);
            if spelled.contains('/') {
                let problem =
                    format!("a layer is called {spelled:?}; a name has no /, which stands before an array's own");
                return Err(Error::Build(problem));
            }
            if names.iter().any(|other| other.in_style(Style::Keras2) == spelled) {
                return Err(Error::Build(format!("two layers are called {spelled:?}; give one of them another name")));
            }
            names.push(name);
        }
        Ok(names)
    }
}

fn connect(layers: &mut [BuiltLayer]) {
    for i in 0..layers.len() {
        let inbound_layer = match i.checked_sub(1) {
            Some(below) => layers[below].name(),
            None => input_name(&layers[0].layer_name, layers[0].spec.class_name(), Style::Keras1),
        };
        let layer = &layers[i];
        let (input_shape, output_shape) = (layer.input.clone(), layer.output.clone());
        let node = Node { outbound_layer: layer.name(), inbound_layer, input_shape, output_shape };
        if i > 0 {
            layers[i - 1].outbound_nodes.push(node.clone());
        }
        layers[i].inbound_nodes.push(node);
    }
}

/// The whole chain with the shape behind each layer, the failing layer marked, and what would fix it.
fn chain_error(input: &Shape, built: &[BuiltLayer], spec: &AnyLayer, rest: &[LayerName], misfit: &Misfit) -> Error {
    let class = spec.class_name();
    let mut text = format!("{class} cannot follow the layers before it:\n    {:<36} {input}\n", "input");
    for layer in built {
        let name = format!("{} ({})", layer.name(), layer.spec.class_name());
        text += &format!("    {name:<36} {}\n", layer.output);
    }
    for (i, name) in rest.iter().map(|name| name.in_style(Style::Keras2)).enumerate() {
        text += &match i {
            0 => format!("  > {:<36} {}\n", format!("{name} ({class})"), misfit.problem),
            _ => format!("    {name:<36} ?\n"),
        };
    }
    Error::Build(text + "  what would fix it: " + &misfit.remedy)
}
