//! The models that have a name, with the way they are trained.

use super::{Sequential, SequentialBuilder};
use crate::activations::ActivationKind::{Relu, Softmax};
use crate::layers::{Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D};
use crate::losses::{
    AnyLoss, CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy,
};
use crate::optimizers::{Adam, AnyOptimizer, Sgd};
use crate::regularizers::L1L2;
use crate::{Error, Result, initializers::Initializer};

/// A model with a name. Its metric is the accuracy.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line or two.
    pub about: &'static str,
    /// What it is trained on where nothing else is given.
    pub task: Task,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Epochs of a training.
    pub epochs: usize,
    layers: fn() -> SequentialBuilder,
    compile: fn() -> (AnyOptimizer, AnyLoss),
}

/// What a model is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The handwritten digits.
    Mnist,
    /// A synthetic regression that a linear model can learn.
    SyntheticRegression,
    /// Synthetic images whose every pixel has a class.
    SyntheticPixels,
}

/// All of them.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "mnist-softmax",
        about: "Flatten -> Dense(10) -> softmax on 1x28x28 images: 784 x 10 + 10 = 7850 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        layers: || {
            Sequential::builder([1, 28, 28])
                .add(Flatten {})
                .add(Dense::new(10))
                .add(Activation::new(Softmax))
        },
        compile: || (Sgd::default().into(), CategoricalCrossentropy::default().into()),
    },
    Recipe {
        name: "mnist-cnn",
        about: "two convolutions of 3x3 with relu, Flatten, Dense(10) with softmax: 387466 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 3,
        layers: || {
            Sequential::builder([28, 28, 1])
                .add(conv(32))
                .add(conv(64))
                .add(Flatten {})
                .add(classes())
        },
        compile: || (Sgd::default().into(), CategoricalCrossentropy::default().into()),
    },
    Recipe {
        name: "mnist-convnet",
        about: "the same with a 2x2 max pool behind each convolution and Dropout(0.5), Keras's own example: 34826 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        layers: || {
            let pool = MaxPooling2D::default;
            let images = Sequential::builder([28, 28, 1])
                .add(conv(32))
                .add(pool())
                .add(conv(64))
                .add(pool());
            images.add(Flatten {}).add(Dropout::new(0.5)).add(classes())
        },
        compile: || (Adam::default().into(), CategoricalCrossentropy::default().into()),
    },
    Recipe {
        name: "conv-224",
        about: "three convolutions of 3x3 on 224x224x3 images and Dense(10) on every pixel:\n    \
                896 + 18496 + 73856 + 1290 = 94538 parameters",
        task: Task::SyntheticPixels,
        batch_size: 8,
        epochs: 3,
        layers: || {
            Sequential::builder([224, 224, 3])
                .add(conv(32))
                .add(conv(64))
                .add(conv(128))
                .add(classes())
        },
        compile: || (Sgd::default().into(), SparseCategoricalCrossentropy::default().into()),
    },
    Recipe {
        about: "Dense(514) -> Dense(257) on 514 inputs, L1 and L2 on both kernels: 264710 + 132355 = 397065 parameters.\n    \
                Accuracy on such a regression means how often the largest coordinate is the right one",
        ..REGRESSION
    },
    Recipe {
        name: "dense-514-activation",
        about: "the same with a linear Activation between the two, as its printed summary shows it",
        layers: || {
            Sequential::builder([514]).add(dense(514)).add(Activation::default()).add(dense(257))
        },
        ..REGRESSION
    },
];

const REGRESSION: Recipe = Recipe {
    name: "dense-514",
    about: "",
    task: Task::SyntheticRegression,
    batch_size: 128,
    epochs: 10,
    layers: || Sequential::builder([514]).add(dense(514)).add(dense(257)),
    compile: || (Adam::default().into(), MeanSquaredError::default().into()),
};

fn conv(filters: usize) -> Conv2D {
    Conv2D { activation: Relu, ..Conv2D::new(filters, [3, 3]) }
}

fn classes() -> Dense {
    Dense::new(10).activation(Softmax)
}

fn dense(units: usize) -> Dense {
    let kernel_regularizer = Some(L1L2::new(1e-6, 1e-6));
    Dense { kernel_initializer: Initializer::normal(), kernel_regularizer, ..Dense::new(units) }
}

impl Recipe {
    /// Builds and compiles the model, its first parameters drawn from the seed.
    pub fn build(&self, seed: u64) -> Result<Sequential> {
        let (mut model, (optimizer, loss)) = ((self.layers)().build(seed)?, (self.compile)());
        model.compile(optimizer, loss, &["accuracy"])?;
        Ok(model)
    }
}

/// The model of that name; an error lists those that there are.
pub fn named(name: &str) -> Result<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let names: Vec<_> = RECIPES.iter().map(|recipe| recipe.name).collect();
        Error::option(
            "model",
            format!(
                "there is no model {name:?}, and no such file; models are {}",
                names.join(", ")
            ),
        )
    })
}
