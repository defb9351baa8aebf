//! Models: layers with names and shapes, one parameter vector, and an execution plan.

mod builder;
mod chain;
mod compile;
mod layer;
mod open_axes;
mod plan;
pub mod presets;
mod record;
mod running_epoch;
mod standardize;
mod workspace;

pub use builder::SequentialBuilder;
pub use compile::{Compiled, MAX_METRICS, MetricChoice};
pub use layer::{BuiltLayer, ParamCount, Style};
use open_axes::OpenAxes;
pub(crate) use plan::Plan;
pub use record::{LoggedSeries, RecordedData, TrainingRecord, TrainingRun, Validation};
pub use running_epoch::RunningEpoch;
pub(crate) use workspace::{BatchSums, GradientSink, OutputBuffers, Pass, Workspace};

use std::collections::BTreeMap;

use ndarray::{ArrayD, ArrayViewD};

use crate::datasets::DataDescription;
pub use crate::kernels::counting::MultiplyAdds;
use crate::params::{Entry, Parameters};
use crate::shape::{Shape, Tuple};
use crate::{Error, Real, Result, kernels};

/// A built chain of layers, with all shapes known and all parameters allocated.
///
/// ```
/// use tallynet::activations::ActivationKind;
/// use tallynet::layers::{Activation, Dense, Flatten};
/// use tallynet::model::Sequential;
///
/// let model = Sequential::builder([1, 28, 28])
///     .add(Flatten {})
///     .add(Dense::new(10))
///     .add(Activation::new(ActivationKind::Softmax))
///     .build(0)?;
/// assert_eq!(model.count_params(), 7850);
/// assert_eq!(model.layer("dense_1").unwrap().output.to_string(), "(None, 10)");
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Sequential {
    pub(crate) name: String,
    input: Shape,
    layers: Vec<BuiltLayer>,
    pub(crate) parameters: Parameters,
    pub(crate) plan: Plan,
    /// Optimizer, loss and metrics, once compiled.
    pub(crate) compiled: Option<Compiled>,
    /// Seed of shuffling and dropout; at first that of `build`, which drew the initial weights.
    pub seed: u64,
    /// Epochs trained so far; shuffling depends on it.
    pub epochs_done: usize,
    /// Epoch that a training was interrupted in, if it was; it is not among `epochs_done`.
    pub running_epoch: Option<RunningEpoch>,
    /// Batch size of the last training.
    pub batch_size: Option<usize>,
    /// Scale factor of byte inputs in the last training on bytes.
    pub byte_scale: Option<Real>,
    /// Description of the data of the last training, if they have names.
    pub data: Option<DataDescription>,
    /// Reasons why training is refused: options of a file that matter only in training, such as
    /// constraints, and that would be ignored.
    pub training_obstacles: Vec<String>,
    /// Trainings so far, saved with the model.
    pub record: TrainingRecord,
    /// Axes of the input and of each layer's output whose length the data decide.
    open_axes: OpenAxes,
    /// Options and classes of a file's layers that are not read and are written again, by name.
    pub(crate) kept: BTreeMap<String, serde_json::Value>,
    /// Best value so far of each name in the logs that a callback watched, such as `val_loss`.
    pub best: BTreeMap<String, f64>,
    /// Batch size that `Input(batch_size=…)` fixed: summaries print it in place of `None`. Any
    /// number of samples can be computed all the same.
    pub fixed_batch: Option<usize>,
    /// Maximum number of threads; by default all of the machine. Results do not depend on it.
    pub n_threads: usize,
}

impl Sequential {
    /// Builder for samples of this shape.
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

    /// Size n of the vocabulary, if the inputs are indices from 0 to n − 1.
    pub(crate) fn vocabulary_size(&self) -> Option<usize> {
        self.layers.first()?.spec.as_layer().vocabulary_size()
    }

    /// The number of parameters.
    pub fn count_params(&self) -> usize {
        self.parameters.values.len()
    }

    /// Every parameter array with its full name (`dense_1/kernel`), in the order of the layers.
    pub fn weights(&self) -> impl Iterator<Item = (String, ArrayViewD<'_, Real>)> {
        self.parameters.entries.iter().map(|entry| {
            let values = &self.parameters.values[entry.range.clone()];
            let view = ArrayViewD::from_shape(&entry.spec.shape[..], values)
                .expect("the table matches the vector");
            (self.full_name(entry), view)
        })
    }

    /// Replaces a parameter array, named as in [`Sequential::weights`].
    ///
    /// # Errors
    /// A name or a shape that the model does not have.
    pub fn set_weight(&mut self, name: &str, values: &ArrayD<Real>) -> Result<()> {
        let Some(entry) =
            self.parameters.entries.iter().find(|entry| self.full_name(entry) == name)
        else {
            let names: Vec<_> = self.weights().map(|(name, _)| name).collect();
            let problem = format!("there is no weight {name:?}; there are {}", names.join(", "));
            return Err(Error::weights(name, problem));
        };
        if values.shape() != entry.spec.shape {
            let (needed, given) = (Tuple(&entry.spec.shape), Tuple(values.shape()));
            let problem = format!("{name} has the shape {needed}, and the new values have {given}");
            return Err(Error::weights(name, problem));
        }
        for (to, from) in self.parameters.values[entry.range.clone()].iter_mut().zip(values) {
            *to = *from;
        }
        Ok(())
    }

    /// Instruction set and CRC-32 of the weights, such as `avx2:5c0f13b2`. The same training gives
    /// the same fingerprint on machines with the same instruction set.
    pub fn fingerprint(&self) -> String {
        let mut hash = flate2::Crc::new();
        for value in &self.parameters.values {
            hash.update(&value.to_le_bytes());
        }
        let precision = if size_of::<Real>() == 8 { "-f64" } else { "" };
        format!("{}{precision}:{:08x}", kernels::instruction_set().name(), hash.sum())
    }

    /// Full name of an array: `dense_1/kernel`.
    pub(crate) fn full_name(&self, entry: &Entry) -> String {
        format!("{}/{}", self.layers[entry.layer].name(), entry.spec.name)
    }
}
