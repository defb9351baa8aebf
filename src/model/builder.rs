//! Builds a model from its description. All shape errors are found here, and their messages show
//! the whole chain of layers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::layer::LayerName;
use super::plan::PlannedLayer;
use super::{BuiltLayer, Compiled, Node, Plan, Sequential, Style};
use crate::layers::{AnyLayer, Built, Operation};
use crate::params::Parameters;
use crate::shape::Shape;
use crate::{Error, Result};

/// Description of a model: the shape of a sample, and layers.
///
/// ```
/// use tallynet::layers::Dense;
/// use tallynet::model::Sequential;
///
/// let model = Sequential::builder([4]).add(Dense::new(3)).named("hidden").build(0)?;
/// assert!(model.layer("hidden").is_some());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug)]
pub struct SequentialBuilder {
    name: String,
    input: Shape,
    layers: Vec<LayerDescription>,
    max_params: usize,
    init_weights: bool,
}

#[derive(Debug)]
struct LayerDescription {
    name: Option<String>,
    trainable: bool,
    layer: AnyLayer,
}

impl SequentialBuilder {
    pub(super) fn new(input: Shape) -> Self {
        SequentialBuilder {
            name: "sequential".to_string(),
            input,
            layers: vec![],
            max_params: usize::MAX,
            init_weights: true,
        }
    }

    /// Adds a layer: one of [`layers`](crate::layers), or a custom one.
    #[allow(clippy::should_implement_trait)] // Keras's name for it.
    pub fn add(self, layer: impl Into<AnyLayer>) -> Self {
        self.described(None, true, layer.into())
    }

    /// Adds a layer with the name and the `trainable` flag that a file has for it.
    pub(crate) fn described(
        mut self,
        name: Option<&str>,
        trainable: bool,
        layer: AnyLayer,
    ) -> Self {
        let name = name.map(str::to_string);
        self.layers.push(LayerDescription { name, trainable, layer });
        self
    }

    /// Names the layer that was added last, or the model if there is none.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        match self.layers.last_mut() {
            Some(layer) => layer.name = Some(name.into()),
            None => self.name = name.into(),
        }
        self
    }

    /// Freezes the layer that was added last: training does not update its parameters.
    pub fn frozen(mut self) -> Self {
        if let Some(layer) = self.layers.last_mut() {
            layer.trainable = false;
        }
        self
    }

    /// Limits the number of parameters, and leaves them 0 unless `init_weights` is set.
    pub(crate) fn max_params(self, max_params: usize, init_weights: bool) -> Self {
        SequentialBuilder { max_params, init_weights, ..self }
    }

    /// Infers every shape and draws the initial weights from the seed.
    ///
    /// # Errors
    /// Layers whose shapes do not fit, names that occur twice, options out of range, and too little
    /// memory for the parameters.
    pub fn build(self, seed: u64) -> Result<Sequential> {
        let names = self.names()?;
        if self.input.dims().contains(&0) || self.input.n_values() > isize::MAX as usize / 8 {
            let shape = &self.input;
            let problem =
                format!("no sample has the shape {shape}; give every axis a length that fits");
            return Err(Error::option("input_shape", problem));
        }
        let plan = Plan::new(self.input.n_values());
        let mut chain = Chain { input: self.input, layers: vec![], plan };
        for (i, description) in self.layers.into_iter().enumerate() {
            chain.push(description, &names[i..])?;
        }
        let Chain { input, layers, plan } = chain;
        let arrays = layers.iter().map(|layer| layer.params.clone()).collect();
        let seed_of_weights = if self.init_weights { Some(seed) } else { None };
        let parameters = Parameters::build(arrays, self.max_params, seed_of_weights)?;
        Ok(Sequential {
            name: self.name,
            input,
            layers,
            parameters,
            plan,
            compiled: None,
            seed,
            epochs_done: 0,
            batch_size: None,
            byte_scale: None,
            best: BTreeMap::new(),
            fixed_batch: None,
            n_threads: std::thread::available_parallelism().map_or(1, usize::from),
        })
    }

    fn names(&self) -> Result<Vec<LayerName>> {
        let mut ordinals: HashMap<&str, usize> = HashMap::new();
        let mut taken = HashSet::new();
        let mut names = vec![];
        for LayerDescription { name, layer, .. } in &self.layers {
            let name = match name {
                Some(name) => LayerName::Given(name.clone()),
                None => {
                    let ordinal = ordinals.entry(layer.class_name()).or_insert(0);
                    *ordinal += 1;
                    LayerName::Automatic { class: layer.class_name(), ordinal: *ordinal }
                }
            };
            let spelled = name.in_style(Style::Keras2);
            if spelled.contains('/') {
                let rule = "a name has no /, which separates it from the name of an array";
                let problem = format!("a layer is called {spelled:?}; {rule}");
                return Err(Error::option("name", problem));
            }
            if !taken.insert(spelled.clone()) {
                let problem =
                    format!("two layers are called {spelled:?}; give one of them another name");
                return Err(Error::option("name", problem));
            }
            names.push(name);
        }
        Ok(names)
    }
}

/// Layers built so far, and their operations.
struct Chain {
    input: Shape,
    layers: Vec<BuiltLayer>,
    plan: Plan,
}

impl Chain {
    /// Builds the next layer; `names` are its own and those of the layers behind it.
    fn push(&mut self, description: LayerDescription, names: &[LayerName]) -> Result<()> {
        let LayerDescription { layer: spec, trainable, .. } = description;
        let input = self.layers.last().map_or(&self.input, |below| &below.output).clone();
        let built = spec.as_layer().build(&input).map_err(|error| {
            chain_error(&self.input, &self.layers, spec.class_name(), names, error)
        })?;
        check_built(&input, &built).map_err(|error| {
            chain_error(&self.input, &self.layers, spec.class_name(), names, error)
        })?;
        let explanation = spec.explain(&input, &built);
        let Built { output, mut params, operations } = built;
        let name = names[0].in_style(Style::Keras2);
        for param in &mut params {
            param.trainable &= trainable;
            param.validate().map_err(|error| in_layer(&name, error))?;
        }
        let node = node(self.layers.last(), &spec, name, &input, &output);
        if let Some(below) = self.layers.last_mut() {
            below.outbound_nodes.push(node.clone());
        }
        let output_width = output.n_values();
        self.plan.push(operations, &PlannedLayer { params: &params, trainable, output_width });
        self.layers.push(BuiltLayer {
            layer_name: names[0].clone(),
            trainable,
            spec,
            input,
            output,
            params,
            explanation,
            inbound_nodes: vec![node],
            outbound_nodes: vec![],
        });
        Ok(())
    }
}

/// Rejects what a custom layer must not build: empty outputs, operations of another width than the
/// output, and arrays without a name of their own.
fn check_built(input: &Shape, built: &Built) -> Result<()> {
    let (n, help) = (built.output.n_values(), "mend the layer's `build`");
    let width = input.n_values();
    let fits = |operation: &Operation| match operation {
        Operation::Op(_) => true,
        Operation::InPlace { width, .. } => *width > 0 && n.is_multiple_of(*width),
    };
    let in_place = built.operations.iter().all(|op| matches!(op, Operation::InPlace { .. }));
    if n == 0 || !built.operations.iter().all(fits) || (in_place && n != width) {
        let output = &built.output;
        let found = format!("its operations do not turn {input} into {output}");
        return Err(Error::shape(found, help));
    }
    for (i, param) in built.params.iter().enumerate() {
        let is_taken = built.params[..i].iter().any(|other| other.name == param.name);
        if is_taken || param.name.is_empty() || param.name.contains('/') {
            let found = format!("an array cannot be called {:?} here", param.name);
            return Err(Error::shape(found, help));
        }
    }
    Ok(())
}

/// Adds the layer's name to an option error.
fn in_layer(layer: &str, error: Error) -> Error {
    match error {
        Error::Option { name, problem } => Error::option(name, format!("{layer}: {problem}")),
        other => other,
    }
}

/// Connection from the previous layer, or from the model's input.
fn node(
    below: Option<&BuiltLayer>,
    layer: &AnyLayer,
    name: String,
    input: &Shape,
    output: &Shape,
) -> Node {
    let inbound_layer = match below {
        Some(below) => below.name(),
        None => format!("{}_input_1", layer.class_name().to_lowercase()),
    };
    Node {
        outbound_layer: name,
        inbound_layer,
        input_shape: input.clone(),
        output_shape: output.clone(),
    }
}

impl Sequential {
    /// Same layers for samples of this shape, compiled alike, with weights drawn from this seed.
    ///
    /// # Errors
    /// Those of [`SequentialBuilder::build`] and [`Sequential::compile`].
    pub fn rebuilt(&self, input: &Shape, seed: u64) -> Result<Sequential> {
        self.rebuild(input, Some(seed))
    }

    /// Like [`Sequential::rebuilt`]; without a seed the weights are 0.
    pub(crate) fn rebuild(&self, input: &Shape, seed: Option<u64>) -> Result<Sequential> {
        let mut builder = Sequential::builder(input.dims()).named(&self.name);
        builder = builder.max_params(usize::MAX, seed.is_some());
        for layer in &self.layers {
            builder = builder.described(Some(&layer.name()), layer.trainable, layer.spec.clone());
        }
        let mut model = builder.build(seed.unwrap_or_default())?;
        model.fixed_batch = self.fixed_batch;
        if let Some(Compiled { optimizer, loss, metrics, .. }) = &self.compiled {
            model.compile_with(optimizer.clone(), loss.clone(), metrics.clone())?;
        }
        Ok(model)
    }
}

/// Adds the chain of layers and output shapes to a shape error, the failing layer marked.
fn chain_error(
    input: &Shape,
    built: &[BuiltLayer],
    class: &str,
    rest: &[LayerName],
    error: Error,
) -> Error {
    let Error::Shape { chain: None, found, help } = error else {
        return in_layer(&rest[0].in_style(Style::Keras2), error);
    };
    let mut chain =
        format!("{class} cannot follow the layers before it:\n    {:<36} {input}\n", "input");
    for layer in built {
        chain += &format!("    {:<36} {}\n", layer.title(Style::Keras2), layer.output);
    }
    for (i, name) in rest.iter().map(|name| name.in_style(Style::Keras2)).enumerate() {
        if i == 0 {
            chain += &format!("  > {:<36} {found}\n", format!("{name} ({class})"));
        } else {
            chain += &format!("    {name:<36} ?\n");
        }
    }
    Error::Shape { chain: Some(chain), found, help }
}
