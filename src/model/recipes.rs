//! The models that have a name, with the way they are trained.

use super::Sequential;
use crate::activations::ActivationKind::Softmax;
use crate::layers::{Activation, Dense, Flatten};
use crate::losses::{CategoricalCrossentropy, MeanSquaredError};
use crate::optimizers::{Adam, Sgd};
use crate::regularizers::L1L2;
use crate::{Error, Result, initializers::Initializer};

/// A model with a name.
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
    build: fn(u64) -> Result<Sequential>,
}

/// What a model is trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// The handwritten digits.
    Mnist,
    /// A made-up regression that a linear model can learn.
    MadeUpRegression,
    /// Made-up images whose every pixel has a class.
    MadeUpPixels,
}

/// All of them.
pub const RECIPES: &[Recipe] = &[
    Recipe {
        name: "mnist-softmax",
        about: "Flatten -> Dense(10) -> softmax on 1x28x28 images: 784 x 10 + 10 = 7850 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        build: mnist_softmax,
    },
    Recipe {
        name: "dense-514",
        about: "Dense(514) -> Dense(257) on 514 inputs, L1 and L2 on both kernels: 264710 + 132355 = 397065 parameters.\n    \
                Accuracy on such a regression means how often the largest coordinate is the right one",
        task: Task::MadeUpRegression,
        batch_size: 128,
        epochs: 10,
        build: |seed| dense_514(seed, false),
    },
    Recipe {
        name: "dense-514-activation",
        about: "the same with a linear Activation between the two, as its printed summary shows it",
        task: Task::MadeUpRegression,
        batch_size: 128,
        epochs: 10,
        build: |seed| dense_514(seed, true),
    },
];

impl Recipe {
    /// Builds and compiles the model, its first parameters drawn from the seed.
    pub fn build(&self, seed: u64) -> Result<Sequential> {
        (self.build)(seed)
    }
}

/// The model of that name; an error lists those that there are.
pub fn named(name: &str) -> Result<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let names: Vec<_> = RECIPES.iter().map(|recipe| recipe.name).collect();
        Error::Argument(format!("there is no model {name:?}, and no such file; models are {}", names.join(", ")))
    })
}

fn mnist_softmax(seed: u64) -> Result<Sequential> {
    let mut model = Sequential::builder([1, 28, 28])
        .add(Flatten {})
        .add(Dense::new(10))
        .add(Activation::new(Softmax))
        .build(seed)?;
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &["accuracy"])?;
    Ok(model)
}

fn dense_514(seed: u64, with_activation: bool) -> Result<Sequential> {
    let dense = |units| Dense {
        kernel_initializer: Initializer::normal(),
        kernel_regularizer: Some(L1L2::new(1e-6, 1e-6)),
        ..Dense::new(units)
    };
    let mut builder = Sequential::builder([514]).add(dense(514));
    if with_activation {
        builder = builder.add(Activation::default());
    }
    let mut model = builder.add(dense(257)).build(seed)?;
    model.compile(Adam::default(), MeanSquaredError::default(), &["accuracy"])?;
    Ok(model)
}
