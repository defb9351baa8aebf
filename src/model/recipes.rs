//! The models that have a name, with the way they are trained.

use super::Sequential;
use crate::activations::ActivationKind::{Relu, Softmax};
use crate::layers::{Activation, Conv2D, Dense, Dropout, Flatten, MaxPooling2D};
use crate::losses::{CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy};
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
        name: "mnist-cnn",
        about: "two convolutions of 3x3 with relu, Flatten, Dense(10) with softmax: 387466 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 3,
        build: mnist_cnn,
    },
    Recipe {
        name: "mnist-convnet",
        about: "the same with a 2x2 max pool behind each convolution and Dropout(0.5), Keras's own example: 34826 parameters",
        task: Task::Mnist,
        batch_size: 128,
        epochs: 12,
        build: mnist_convnet,
    },
    Recipe {
        name: "conv-224",
        about: "three convolutions of 3x3 on 224x224x3 images and Dense(10) on every pixel:\n    \
                896 + 18496 + 73856 + 1290 = 94538 parameters",
        task: Task::MadeUpPixels,
        batch_size: 8,
        epochs: 3,
        build: conv_224,
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

fn relu_conv(filters: usize) -> Conv2D {
    Conv2D { activation: Relu, ..Conv2D::new(filters, [3, 3]) }
}

fn mnist_cnn(seed: u64) -> Result<Sequential> {
    let mut model = Sequential::builder([28, 28, 1])
        .add(relu_conv(32))
        .add(relu_conv(64))
        .add(Flatten {})
        .add(Dense::new(10).activation(Softmax))
        .build(seed)?;
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &["accuracy"])?;
    Ok(model)
}

fn mnist_convnet(seed: u64) -> Result<Sequential> {
    let mut model = Sequential::builder([28, 28, 1])
        .add(relu_conv(32))
        .add(MaxPooling2D::default())
        .add(relu_conv(64))
        .add(MaxPooling2D::default())
        .add(Flatten {})
        .add(Dropout::new(0.5))
        .add(Dense::new(10).activation(Softmax))
        .build(seed)?;
    model.compile(Adam::default(), CategoricalCrossentropy::default(), &["accuracy"])?;
    Ok(model)
}

fn conv_224(seed: u64) -> Result<Sequential> {
    let mut model = Sequential::builder([224, 224, 3])
        .add(relu_conv(32))
        .add(relu_conv(64))
        .add(relu_conv(128))
        .add(Dense::new(10).activation(Softmax))
        .build(seed)?;
    model.compile(Sgd::default(), SparseCategoricalCrossentropy::default(), &["accuracy"])?;
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
