//! Presets: models with a name, and their training options.

use super::{Sequential, SequentialBuilder};
use crate::activations::ActivationKind::{Relu, Softmax};
use crate::layers::{Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D};
use crate::regularizers::L1L2;
use crate::{Error, Result, initializers::Initializer};

/// A model with a name. Its metric is the accuracy.
///
/// ```
/// let model = tallynet::model::presets::named("mnist-softmax")?.build(0)?;
/// assert_eq!(model.count_params(), 7850);
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Preset {
    /// Name on the command line.
    pub name: &'static str,
    /// Description, in a line or two.
    pub about: &'static str,
    /// Task that it is trained on by default.
    pub task: Task,
    /// Samples of a batch.
    pub batch_size: usize,
    /// Epochs of a training.
    pub epochs: usize,
    layers: fn() -> SequentialBuilder,
    optimizer: &'static str,
    loss: &'static str,
}

/// Data that a preset is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Handwritten digits.
    Mnist,
    /// A synthetic regression that a linear model can learn.
    SyntheticRegression,
    /// Synthetic images with a class for each pixel.
    SyntheticPixels,
}

/// All presets.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "mnist-softmax",
        about: "Flatten -> Dense(10) -> softmax on 1x28x28 images: 784 x 10 + 10 = 7850 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        layers: || {
            let images = Sequential::builder([1, 28, 28]);
            images.add(Flatten {}).add(Dense::new(10)).add(Activation::new(Softmax))
        },
        optimizer: "sgd",
        loss: "categorical_crossentropy",
    },
    Preset {
        name: "mnist-cnn",
        about: "two convolutions of 3x3 with relu, Flatten, Dense(10) with softmax: \
                387466 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 3,
        layers: || {
            let images = Sequential::builder([28, 28, 1]);
            images.add(conv(32)).add(conv(64)).add(Flatten {}).add(classes())
        },
        optimizer: "sgd",
        loss: "categorical_crossentropy",
    },
    Preset {
        name: "mnist-convnet",
        about: "the same with a 2x2 max pool after each convolution and Dropout(0.5), Keras's own \
                example: 34826 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        layers: || {
            let pool = MaxPooling2D::default;
            let images = Sequential::builder([28, 28, 1]);
            let features = images.add(conv(32)).add(pool()).add(conv(64)).add(pool());
            features.add(Flatten {}).add(Dropout::new(0.5)).add(classes())
        },
        optimizer: "adam",
        loss: "categorical_crossentropy",
    },
    Preset {
        name: "conv-224",
        about: "three convolutions of 3x3 on 224x224x3 images and Dense(10) on every pixel:\n    \
                896 + 18496 + 73856 + 1290 = 94538 parameters",
        task: Task::SyntheticPixels,
        batch_size: 8,
        epochs: 3,
        layers: || {
            let images = Sequential::builder([224, 224, 3]);
            images.add(conv(32)).add(conv(64)).add(conv(128)).add(classes())
        },
        optimizer: "sgd",
        loss: "sparse_categorical_crossentropy",
    },
    Preset {
        name: "dense-514",
        about: "Dense(514) -> Dense(257) on 514 inputs, L1 and L2 on both kernels: \
                264710 + 132355 = 397065 parameters.\n    \
                Accuracy on such a regression means how often the largest coordinate is the \
                right one",
        task: Task::SyntheticRegression,
        batch_size: 128,
        epochs: 10,
        layers: || Sequential::builder([514]).add(dense(514)).add(dense(257)),
        optimizer: "adam",
        loss: "mean_squared_error",
    },
    Preset {
        name: "dense-514-activation",
        about: "the same with a linear Activation between the two, as its printed summary shows it",
        task: Task::SyntheticRegression,
        batch_size: 128,
        epochs: 10,
        layers: || {
            Sequential::builder([514]).add(dense(514)).add(Activation::default()).add(dense(257))
        },
        optimizer: "adam",
        loss: "mean_squared_error",
    },
];

fn conv(filters: usize) -> Conv2D {
    Conv2D::new(filters, [3, 3]).activation(Relu)
}

fn classes() -> Dense {
    Dense::new(10).activation(Softmax)
}

fn dense(units: usize) -> Dense {
    let kernel_regularizer = Some(L1L2::new(1e-6, 1e-6));
    Dense { kernel_initializer: Initializer::normal(), kernel_regularizer, ..Dense::new(units) }
}

impl Preset {
    /// Builds and compiles the model with initial parameters drawn from the seed. Too little memory
    /// is an error.
    pub fn build(&self, seed: u64) -> Result<Sequential> {
        let mut model = (self.layers)().build(seed)?;
        model.compile(self.optimizer, self.loss, &["accuracy"])?;
        Ok(model)
    }
}

/// The preset of this name. The error for an unknown name lists all.
pub fn named(name: &str) -> Result<&'static Preset> {
    if let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) {
        return Ok(preset);
    }
    let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
    let names = names.join(", ");
    let problem = format!("there is no model {name:?}, and no such file; models are {names}");
    Err(Error::option("model", problem))
}
