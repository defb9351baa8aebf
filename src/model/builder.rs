//! From a description to a model. Everything about shapes that can be wrong is found here, and
//! shown on the whole chain.

use std::collections::{HashMap, HashSet};

use super::layer::LayerName;
use super::{BuiltLayer, Compiled, Node, Plan, Sequential, Style};
use crate::layers::{AnyLayer, Built, Misfit};
use crate::params::{ParamSpec, Parameters};
use crate::shape::Shape;
use crate::{Error, Result};

/// The description of a model: the shape of a sample, and layers.
#[derive(Debug)]
pub struct SequentialBuilder {
    name: String,
    input: Shape,
    layers: Vec<Described>,
    most_params: usize,
    drawn: bool,
}

#[derive(Debug)]
struct Described {
    name: Option<String>,
    trainable: bool,
    spec: AnyLayer,
}

impl SequentialBuilder {
    pub(super) fn new(input: Shape) -> Self {
        SequentialBuilder {
            name: "sequential".to_string(),
            input,
            layers: vec![],
            most_params: usize::MAX,
            drawn: true,
        }
    }

    /// Adds a layer.
    #[allow(clippy::should_implement_trait)] // Keras's name for it.
    pub fn add(self, layer: impl Into<AnyLayer>) -> Self {
        self.described(None, true, layer.into())
    }

    /// Adds a layer with its name, if it has one, and whether it is trained.
    pub(crate) fn described(mut self, name: Option<&str>, trainable: bool, spec: AnyLayer) -> Self {
        self.layers.push(Described { name: name.map(str::to_string), trainable, spec });
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

    /// Refuses to build a model with more parameters than so many, and draws them only where that
    /// is said.
    pub(crate) fn most_params(self, most_params: usize, drawn: bool) -> Self {
        SequentialBuilder { most_params, drawn, ..self }
    }

    /// Fixes every size and draws the first parameters from the seed.
    ///
    /// Layers that cannot follow each other, names that occur twice, and more parameters than
    /// memory holds are errors.
    pub fn build(self, seed: u64) -> Result<Sequential> {
        let names = self.names()?;
        let (mut layers, mut n_params): (Vec<BuiltLayer>, usize) = (vec![], 0);
        let mut plan = Plan::new(self.input.n_values());
        if self.input.dims().contains(&0) || self.input.n_values() > isize::MAX as usize / 8 {
            let problem = format!(
                "no sample has the shape {}; give every axis a length that fits",
                self.input
            );
            return Err(Error::option("input_shape", problem));
        }
        for (i, Described { trainable, spec, .. }) in self.layers.into_iter().enumerate() {
            let input = layers.last().map_or(&self.input, |below| &below.output).clone();
            let Built { output, mut params, operations, count } = spec
                .build(&input)
                .map_err(|misfit| chain_error(&self.input, &layers, &spec, &names[i..], &misfit))?;
            let (layer_name, name) = (names[i].clone(), names[i].in_style(Style::Keras2));
            params.iter_mut().for_each(|param| param.trainable &= trainable);
            params.iter().try_for_each(ParamSpec::validate).map_err(|error| match error {
                Error::Option { name: option, problem } => {
                    Error::option(option, format!("{name}: {problem}"))
                }
                other => other,
            })?;
            let of_its_own = || format!("{}_input_1", spec.class_name().to_lowercase());
            let inbound_layer = layers.last().map_or_else(of_its_own, BuiltLayer::name);
            let (input_shape, output_shape) = (input.clone(), output.clone());
            let node = Node { outbound_layer: name, inbound_layer, input_shape, output_shape };
            if let Some(below) = layers.last_mut() {
                below.outbound_nodes.push(node.clone());
            }
            // Where its parameters will lie: behind those of the layers below.
            let first = n_params;
            n_params = params.iter().fold(first, |end, param| end.saturating_add(param.count()));
            for operation in operations {
                plan.push(operation, first..n_params, trainable, output.n_values());
            }
            layers.push(BuiltLayer {
                layer_name,
                trainable,
                spec,
                input,
                output,
                params,
                count,
                inbound_nodes: vec![node],
                outbound_nodes: vec![],
            });
        }
        let arrays = layers.iter().map(|layer| layer.params.clone()).collect();
        let parameters = Parameters::build(arrays, self.most_params, self.drawn.then_some(seed))?;
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
            byte_scale: None,
            n_threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    fn names(&self) -> Result<Vec<LayerName>> {
        let (mut ordinals, mut taken) = (HashMap::new(), HashSet::new());
        let name = |Described { name, spec, .. }: &Described| {
            let name = name.clone().map(LayerName::Given).unwrap_or_else(|| {
                let ordinal = ordinals.entry(spec.class_name()).or_insert(0);
                *ordinal += 1;
                LayerName::Automatic(spec.class_name(), *ordinal)
            });
            let spelled = name.in_style(Style::Keras2);
            if spelled.contains('/') {
                let rule = "a name has no /, which stands before an array's own";
                return Err(Error::option(
                    "name",
                    format!("a layer is called {spelled:?}; {rule}"),
                ));
            }
            match taken.insert(spelled.clone()) {
                true => Ok(name),
                false => Err(Error::option(
                    "name",
                    format!("two layers are called {spelled:?}; give one of them another name"),
                )),
            }
        };
        self.layers.iter().map(name).collect()
    }
}

impl Sequential {
    /// The same layers for samples of this shape, compiled in the same way, with parameters drawn
    /// anew from this seed. Errors are those of [`SequentialBuilder::build`] and of
    /// [`Sequential::compile`].
    pub fn rebuilt(&self, input: &Shape, seed: u64) -> Result<Sequential> {
        self.rebuild(input, Some(seed))
    }

    /// The same, with parameters that are all 0 where there is no seed.
    pub(crate) fn rebuild(&self, input: &Shape, seed: Option<u64>) -> Result<Sequential> {
        let builder = Sequential::builder(input.dims())
            .named(&self.name)
            .most_params(usize::MAX, seed.is_some());
        let mut model = self
            .layers
            .iter()
            .fold(builder, |builder, layer| {
                builder.described(Some(&layer.name()), layer.trainable, layer.spec.clone())
            })
            .build(seed.unwrap_or_default())?;
        if let Some(Compiled { optimizer, loss, metrics, .. }) = &self.compiled {
            model.compile_with(optimizer.clone(), loss.clone(), metrics.clone())?;
        }
        Ok(model)
    }
}

/// The whole chain with the shape behind each layer, the failing layer marked, and what would fix
/// it.
fn chain_error(
    input: &Shape,
    built: &[BuiltLayer],
    spec: &AnyLayer,
    rest: &[LayerName],
    misfit: &Misfit,
) -> Error {
    let class = spec.class_name();
    let mut text =
        format!("{class} cannot follow the layers before it:\n    {:<36} {input}\n", "input");
    for layer in built {
        text += &format!("    {:<36} {}\n", layer.title(Style::Keras2), layer.output);
    }
    for (i, name) in rest.iter().map(|name| name.in_style(Style::Keras2)).enumerate() {
        text += &match i {
            0 => format!("  > {:<36} {}\n", format!("{name} ({class})"), misfit.problem),
            _ => format!("    {name:<36} ?\n"),
        };
    }
    Error::Shape { chain: Some(text), found: misfit.problem.clone(), help: misfit.remedy.clone() }
}
