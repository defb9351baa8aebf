//! Gradient check: the gradients of a whole model against finite differences of its loss.

use rand::Rng;
use rand::seq::index;

use super::engine::{Engine, EngineSize};
use super::loss_head::Objective;
use super::threads::Threads;
use crate::datasets::{Dataset, synthetic};
use crate::model::Sequential;
use crate::params::Entry;
use crate::random::{self, Stream};
use crate::shape::Shape;
use crate::{Real, Result};

/// Maximum error of a gradient, relative as in [`ArrayCheck::worst`]. In `f64`, six digits agree.
/// In `f32`, a short step is lost in the rounding of the loss and a long one crosses the kinks of
/// thousands of relus: errors up to 0.032 were seen where `f64` agrees to 1e-7. The larger
/// tolerance still detects a wrong sign, factor or term.
pub const TOLERANCE: f64 = if size_of::<Real>() == 8 { 1e-6 } else { 0.05 };

/// Maximum number of parameters checked per array.
const PARAMETERS: usize = 40;
/// Steps of the finite differences: rounding affects short ones and kinks affect long ones, but a
/// wrong gradient affects all.
const STEPS: [Real; 4] =
    if size_of::<Real>() == 8 { [1e-4, 1e-5, 1e-6, 1e-7] } else { [1e-2, 3e-3, 1e-3, 3e-4] };
/// Maximum side of an image; larger ones are reduced if the layers allow it.
const SIDE: usize = 14;

/// Result for a model.
#[derive(Debug, Clone)]
pub struct GradientCheck {
    /// Input shape of the check: smaller than the model's if that is a large image.
    pub input: Shape,
    /// Result for each trainable array.
    pub arrays: Vec<ArrayCheck>,
}

/// Result for one parameter array.
#[derive(Debug, Clone)]
pub struct ArrayCheck {
    /// Full name: `dense_1/kernel`.
    pub name: String,
    /// Number of parameters checked.
    pub tried: usize,
    /// Maximum distance between gradient and finite difference, divided by the array's largest
    /// gradient, or by a hundredth of the model's if that is larger.
    pub worst: f64,
}

/// Compares gradients with finite differences for a sample of the parameters of every trainable
/// array. The data and an offset of the initial weights are drawn from the seed.
///
/// # Errors
/// A model that was not compiled, and too little memory.
pub fn check_gradients(model: &Sequential, seed: u64) -> Result<GradientCheck> {
    let mut generator = random::generator(seed, Stream::Check);
    let mut model = smaller(model)?;
    for value in &mut model.parameters.values {
        *value += 0.1 * (generator.random::<Real>() - 0.5);
    }
    let form = model.compiled()?.loss.as_loss().target_form();
    let (input, output) = (model.input_shape(), model.output_shape());
    let data = synthetic::random(input, output, form, &mut generator)?;
    let mut loss = BatchLoss::new(&model, &data)?;
    loss.at(&model);
    let gradients = loss.engine.gradient(&model.parameters).to_vec();
    // A gradient may be only rounding errors, as for a bias before a BatchNormalization.
    let least = 1e-12 + 0.01 * largest(&gradients);
    let mut arrays = vec![];
    for entry in model.parameters.entries.clone() {
        if !entry.spec.trainable {
            continue;
        }
        let own = &gradients[entry.range.clone()];
        let scale = largest(own).max(least);
        let tried = index::sample(&mut generator, own.len(), PARAMETERS.min(own.len()));
        let mut worst: f64 = 0.0;
        for i in tried.iter() {
            let distance = loss.distance(&mut model, &entry, i, f64::from(own[i]));
            worst = worst.max(distance / scale);
        }
        arrays.push(ArrayCheck { name: model.full_name(&entry), tried: tried.len(), worst });
    }
    Ok(GradientCheck { input: model.input_shape().clone(), arrays })
}

/// Loss of a model over one batch, as a function of its weights.
pub(super) struct BatchLoss<'a> {
    pub engine: Engine,
    objective: Objective<'a>,
    batch: Vec<u32>,
}

impl<'a> BatchLoss<'a> {
    pub fn new(model: &Sequential, data: &'a Dataset) -> Result<Self> {
        let objective = Objective::new(model, data)?;
        let (batch_size, target_width) = (objective.rows.len(), objective.rows.target_width());
        let size = EngineSize { batch_size, target_width, training: true };
        let engine = Engine::new(model, Threads::new(1, 1), size)?;
        Ok(BatchLoss { engine, objective, batch: (0..batch_size as u32).collect() })
    }

    /// The loss. The engine then has its gradient.
    pub fn at(&mut self, model: &Sequential) -> f64 {
        let BatchLoss { engine, objective, batch } = self;
        engine.forward_backward(model, objective, batch, &[]).mean_loss()
    }

    /// Distance between the gradient of one parameter and the nearest of its finite differences.
    fn distance(
        &mut self,
        model: &mut Sequential,
        entry: &Entry,
        index: usize,
        gradient: f64,
    ) -> f64 {
        let place = entry.range.start + index;
        let value = model.parameters.values[place];
        let mut best = f64::INFINITY;
        for step in STEPS {
            let (above, below) = (value + step, value - step);
            model.parameters.values[place] = above;
            let loss_above = self.at(model);
            model.parameters.values[place] = below;
            let loss_below = self.at(model);
            // The step after rounding.
            let difference = (loss_above - loss_below) / f64::from(above - below);
            best = best.min((difference - gradient).abs());
        }
        model.parameters.values[place] = value;
        best
    }
}

fn largest(gradients: &[Real]) -> f64 {
    gradients.iter().fold(0.0, |largest: f64, &g| largest.max(f64::from(g).abs()))
}

/// The same layers on smaller images, if they are large and the layers allow it.
fn smaller(model: &Sequential) -> Result<Sequential> {
    if let &[height, width, channels] = model.input_shape().dims() {
        let mut side = SIDE;
        while side < height.max(width) {
            let shape = Shape::from([height.min(side), width.min(side), channels]);
            if let Ok(model) = model.rebuilt(&shape, model.seed) {
                return Ok(model);
            }
            side *= 2;
        }
    }
    model.rebuilt(model.input_shape(), model.seed)
}
