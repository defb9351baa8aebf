//! A model: names, shapes and one vector of parameters, over the layers' mathematics.

mod builder;
pub mod catalogue;
mod compile;
mod description;
mod naming;
mod nodes;
mod plan;
mod summary;
mod verify;

pub use builder::SequentialBuilder;
pub(crate) use compile::not_compiled;
pub use compile::{Compiled, MAX_METRICS};
pub use description::Description;
pub use naming::{LayerName, Style, snake_case};
pub use nodes::Node;
pub use plan::{Plan, Workspace};
pub use verify::{ArrayCount, Verification};

use std::fmt;

use ndarray::{ArrayD, ArrayViewD};

use crate::layers::{Count, LayerSpec};
use crate::params::{Entry, Parameters};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result};

/// Layers one behind the other, built: every size is known, every parameter is there.
///
/// ```
/// use tallynet::activations::ActivationKind;
/// use tallynet::layers::{Activation, Dense, Flatten};
/// use tallynet::model::Sequential;
///
/// let model = Sequential::builder([1, 28, 28])
///     .add(Flatten::new())
///     .add(Dense::new(10))
///     .add(Activation::new(ActivationKind::Softmax))
///     .build(0)?;
/// assert_eq!(model.count_params(), 7850);
/// assert_eq!(model.layer("dense_1").unwrap().output_shape().to_string(), "(None, 10)");
/// # Ok::<(), tallynet::Error>(())
/// ```
pub struct Sequential {
    input: Shape,
    layers: Vec<BuiltLayer>,
    /// Every parameter, and where it lies.
    pub(crate) parameters: Parameters,
    pub(crate) plan: Plan,
    pub(crate) compiled: Option<Compiled>,
    /// The seed that the first values and the order of rows are drawn from.
    pub(crate) seed: u64,
    /// Epochs trained so far, which the order of rows depends on.
    pub(crate) epochs_done: usize,
    /// The batch size that it was last trained with.
    pub(crate) batch_size: Option<usize>,
    n_threads: usize,
}

/// A layer of a built model: what it is called and what is known of it. Its mathematics is in the plan.
#[derive(Debug)]
pub struct BuiltLayer {
    name: LayerName,
    spec: Box<dyn LayerSpec>,
    input: Shape,
    output: Shape,
    count: Count,
    inbound_nodes: Vec<Node>,
    outbound_nodes: Vec<Node>,
}

impl Sequential {
    /// Starts a description for samples of this shape.
    pub fn builder(input: impl Into<Shape>) -> SequentialBuilder {
        SequentialBuilder::new(input.into())
    }

    /// The shape of an input sample.
    pub fn input_shape(&self) -> &Shape {
        &self.input
    }

    /// The shape of an output sample.
    pub fn output_shape(&self) -> &Shape {
        self.layers.last().map_or(&self.input, |layer| &layer.output)
    }

    /// The layers, from input to output.
    pub fn layers(&self) -> &[BuiltLayer] {
        &self.layers
    }

    /// The layer with this name, spelled as Keras 1 and 2 do (`dense_1`) or as it was given.
    pub fn layer(&self, name: &str) -> Option<&BuiltLayer> {
        self.layers.iter().find(|layer| layer.name() == name)
    }

    /// The number of parameters.
    pub fn count_params(&self) -> usize {
        self.parameters.values.len()
    }

    /// The parameters of one layer by the summary's count: from the shapes that it asked for.
    pub fn count_params_of(&self, layer: usize) -> usize {
        self.parameters.of_layer(layer).map(|entry| entry.spec.shape.iter().product::<usize>()).sum()
    }

    /// Every parameter array with its full name (`dense_1/kernel`), in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = (String, ArrayViewD<'_, Real>)> {
        self.parameters.entries().iter().map(|entry| {
            let values = &self.parameters.values[entry.range.clone()];
            let view = ArrayViewD::from_shape(&entry.spec.shape[..], values).expect("the table matches the vector");
            (self.full_name(entry), view)
        })
    }

    /// Replaces a parameter array, named as in [`Sequential::weights`].
    ///
    /// # Errors
    /// A name or a shape that the model does not have.
    pub fn set_weight(&mut self, name: &str, values: &ArrayD<Real>) -> Result<()> {
        let found = self.parameters.entries().iter().find(|entry| self.full_name(entry) == name);
        let Some(entry) = found else {
            let names: Vec<_> = self.weights().map(|(name, _)| name).collect();
            return Err(Error::Argument(format!("there is no weight {name:?}; there are {}", names.join(", "))));
        };
        if values.shape() != entry.spec.shape {
            return Err(Error::Argument(format!(
                "{name} has the shape {}, and the new values have {}",
                Tuple(&entry.spec.shape),
                Tuple(values.shape())
            )));
        }
        let range = entry.range.clone();
        self.parameters.values[range].iter_mut().zip(values).for_each(|(to, from)| *to = *from);
        Ok(())
    }

    /// `dense_1/kernel`.
    pub(crate) fn full_name(&self, entry: &Entry) -> String {
        format!("{}/{}", self.layers[entry.layer].name(), entry.spec.name)
    }

    /// How many threads work at most. It changes how long training takes and not one bit of the result.
    pub fn set_threads(&mut self, n_threads: usize) {
        self.n_threads = n_threads.max(1);
    }

    /// How many threads work at most: at first as many as the machine has.
    pub fn n_threads(&self) -> usize {
        self.n_threads
    }

    /// The seed that the first values and the order of rows are drawn from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws the order of rows in training from this seed from now on. The parameters stay.
    pub fn set_seed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// The batch size that it was last trained with.
    pub fn last_batch_size(&self) -> Option<usize> {
        self.batch_size
    }

    /// Epochs trained so far.
    pub fn epochs_done(&self) -> usize {
        self.epochs_done
    }
}

impl fmt::Debug for Sequential {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let fields = (&self.input, &self.layers, &self.compiled);
        f.debug_tuple("Sequential").field(&fields.0).field(&fields.1).field(&fields.2).finish()
    }
}

impl BuiltLayer {
    /// The name as Keras 1 and 2 spell it: `dense_1`.
    pub fn name(&self) -> String {
        self.name.in_style(Style::Keras2)
    }

    /// The name before any style spells it.
    pub fn layer_name(&self) -> &LayerName {
        &self.name
    }

    /// Keras's name of the class: `Dense`.
    pub fn class_name(&self) -> &'static str {
        self.spec.class_name()
    }

    /// The description that it was built from.
    pub fn spec(&self) -> &dyn LayerSpec {
        self.spec.as_ref()
    }

    /// The shape of a sample that it takes.
    pub fn input_shape(&self) -> &Shape {
        &self.input
    }

    /// The shape of a sample that it puts out.
    pub fn output_shape(&self) -> &Shape {
        &self.output
    }

    /// The arithmetic of its parameter count.
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// The connections that end in this layer: one, as in a Keras `Sequential` made of a list.
    pub fn inbound_nodes(&self) -> &[Node] {
        &self.inbound_nodes
    }

    /// The connections that start from this layer: one, or none for the last layer.
    pub fn outbound_nodes(&self) -> &[Node] {
        &self.outbound_nodes
    }
}
