//! The models that have a name, with the way they are trained.

use super::Sequential;
use crate::activations::ActivationKind;
use crate::layers::{Activation, Dense, Flatten};
use crate::losses::CategoricalCrossentropy;
use crate::optimizers::Sgd;
use crate::{Error, Result};

/// A model with a name.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// What it is trained on.
    pub data: &'static str,
    /// Rows of a batch.
    pub batch_size: usize,
    /// Epochs of a training.
    pub epochs: usize,
    build: fn(u64) -> Result<Sequential>,
}

/// All of them.
pub const RECIPES: &[Recipe] = &[Recipe {
    name: "mnist-softmax",
    about: "Flatten -> Dense(10) -> softmax on 1x28x28 images: 784 x 10 + 10 = 7850 parameters",
    data: "MNIST",
    batch_size: 128,
    epochs: 12,
    build: mnist_softmax,
}];

impl Recipe {
    /// Builds and compiles the model, its first parameters drawn from the seed.
    ///
    /// # Errors
    /// None that depends on the seed.
    pub fn build(&self, seed: u64) -> Result<Sequential> {
        (self.build)(seed)
    }
}

/// The model of that name.
///
/// # Errors
/// A name that none of them has, with those that there are.
pub fn named(name: &str) -> Result<&'static Recipe> {
    RECIPES.iter().find(|recipe| recipe.name == name).ok_or_else(|| {
        let names: Vec<_> = RECIPES.iter().map(|recipe| recipe.name).collect();
        Error::Argument(format!("there is no model {name:?}, and no such file; models are {}", names.join(", ")))
    })
}

fn mnist_softmax(seed: u64) -> Result<Sequential> {
    let mut model = Sequential::builder([1, 28, 28])
        .add(Flatten::new())
        .add(Dense::new(10))
        .add(Activation::new(ActivationKind::Softmax))
        .build(seed)?;
    model.compile(Sgd::new(0.01)?, CategoricalCrossentropy::default(), &["accuracy"])?;
    Ok(model)
}
