//! `SequentialBuilder`: builds a model from the shape of a sample and a list of layers.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::chain::Chain;
use super::layer::LayerName;
use super::{Compiled, Plan, Sequential, Style, TrainingRecord};
use crate::layers::AnyLayer;
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
#[derive(Debug, Clone)]
pub struct SequentialBuilder {
    name: String,
    pub(super) input: Shape,
    layers: Vec<LayerDescription>,
    max_params: usize,
    pub(super) init_weights: bool,
}

/// Description of a layer that is not yet built.
#[derive(Debug, Clone)]
pub(super) struct LayerDescription {
    pub name: Option<String>,
    pub trainable: bool,
    pub layer: AnyLayer,
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
        if !self.input.is_addressable() {
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
            running_epoch: None,
            record: TrainingRecord::default(),
            batch_size: None,
            byte_scale: None,
            data: None,
            training_obstacles: vec![],
            kept: BTreeMap::new(),
            open_axes: vec![],
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

impl Sequential {
    /// Same layers for samples of this shape, compiled alike, with weights drawn from this seed.
    /// Errors are those of [`SequentialBuilder::build`].
    pub fn rebuilt(&self, input: &Shape, seed: u64) -> Result<Sequential> {
        self.rebuild(None, input, Some(seed))
    }

    /// Like [`Sequential::rebuilt`], with a new first layer if it is given; without a seed the
    /// weights are 0.
    pub(crate) fn rebuild(
        &self,
        first: Option<AnyLayer>,
        input: &Shape,
        seed: Option<u64>,
    ) -> Result<Sequential> {
        let has_new_layer = first.is_some();
        let mut builder = Sequential::builder(input.dims()).named(&self.name);
        builder = builder.max_params(usize::MAX, seed.is_some());
        if let Some(first) = first {
            builder = builder.add(first);
        }
        for layer in &self.layers {
            let name = match &layer.layer_name {
                LayerName::Given(name) => Some(&name[..]),
                LayerName::Automatic { .. } => None,
            };
            builder = builder.described(name, layer.trainable, layer.spec.clone());
        }
        let mut model = builder.build(seed.unwrap_or_default())?;
        model.training_obstacles.clone_from(&self.training_obstacles);
        model.kept.clone_from(&self.kept);
        if !has_new_layer {
            model.open_axes.clone_from(&self.open_axes);
        }
        model.fixed_batch = self.fixed_batch;
        if let Some(Compiled { optimizer, loss, metrics, .. }) = &self.compiled {
            model.compile_with(optimizer.clone(), loss.clone(), metrics.clone())?;
        }
        Ok(model)
    }
}
