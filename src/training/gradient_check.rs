//! The gradients of a whole model against differences of its loss: the proof that training goes
//! downhill.

use ndarray::{ArrayD, IxDyn};
use rand::Rng;
use rand::seq::index;
use rand_chacha::ChaCha8Rng;

use crate::datasets::{Dataset, Inputs, Targets};
use crate::losses::TargetForm;
use crate::model::Sequential;
use crate::random::{self, Stream};
use crate::shape::Shape;
use crate::{Error, Real, Result};

/// How far an analytic gradient may be from a difference, relative as [`GradientCheck::worst`] is.
/// In `f64` that is a proof to six digits. In `f32` a short step drowns in the loss's rounding and
/// a long one crosses the kinks of thousands of relus: up to 0.032 was seen where `f64` agrees to
/// 1e-7. It still finds a wrong sign, scale or term.
pub const TOLERANCE: f64 = if size_of::<Real>() == 8 { 1e-6 } else { 0.05 };

/// Samples that the loss is taken over, and parameters of an array that are tried at most.
const ROWS: usize = 3;
const PARAMETERS: usize = 40;
/// How far a parameter is moved: rounding spoils a short step and a kink a long one; a wrong
/// formula spoils all.
const STEPS: [Real; 4] =
    if size_of::<Real>() == 8 { [1e-4, 1e-5, 1e-6, 1e-7] } else { [1e-2, 3e-3, 1e-3, 3e-4] };
/// The longest axis of an image that is checked; a larger one is cut down to it where the layers
/// allow.
const SIDE: usize = 14;

/// What was found for one parameter array.
#[derive(Debug, Clone)]
pub struct GradientCheck {
    /// The array's full name: `dense_1/kernel`.
    pub name: String,
    /// How many of its parameters were tried.
    pub tried: usize,
    /// The largest distance between gradient and difference, relative to the array's largest
    /// gradient, or to a hundredth of the model's where that is more.
    pub worst: f64,
}

/// Compares gradients with differences for some parameters of every trained array, on random data
/// and from random parameters, both from the seed. Returns the shape that the model was checked at,
/// which is smaller than its own where that is large, and what was found.
pub fn check_gradients(model: &Sequential, seed: u64) -> Result<(Shape, Vec<GradientCheck>)> {
    let mut generator = random::generator(seed, Stream::Check);
    let mut model = smaller(model)?;
    for value in &mut model.parameters.values {
        *value += 0.1 * (generator.random::<Real>() - 0.5);
    }
    let data = random_data(&model, &mut generator)?;
    let (_, gradients) = model.gradients(&data)?;
    let largest_of = |gradients: &[Real]| {
        gradients.iter().fold(0.0, |largest: f64, &g| largest.max(f64::from(g).abs()))
    };
    // An array may have no gradient but rounding, as a bias in front of a BatchNormalization.
    let least = 1e-12 + 0.01 * largest_of(&gradients);
    let mut found = vec![];
    for entry in model.parameters.entries.clone().iter().filter(|entry| entry.spec.trainable) {
        let own = &gradients[entry.range.clone()];
        let largest = largest_of(own).max(least);
        let tried = index::sample(&mut generator, own.len(), PARAMETERS.min(own.len()));
        let mut worst: f64 = 0.0;
        for i in tried.iter() {
            let at = entry.range.start + i;
            let value = model.parameters.values[at];
            let mut loss_at = |moved: Real| {
                model.parameters.values[at] = moved;
                model.gradients(&data).map(|(loss, _)| loss)
            };
            let mut best = f64::INFINITY;
            for step in STEPS {
                // What was really added, after rounding.
                let (above, below) = (value + step, value - step);
                let difference = (loss_at(above)? - loss_at(below)?) / f64::from(above - below);
                best = best.min((difference - f64::from(own[i])).abs() / largest);
            }
            model.parameters.values[at] = value;
            worst = worst.max(best);
        }
        found.push(GradientCheck { name: model.full_name(entry), tried: tried.len(), worst });
    }
    Ok((model.input_shape().clone(), found))
}

/// The same layers on smaller images, if they are large and the layers allow it.
fn smaller(model: &Sequential) -> Result<Sequential> {
    if let &[height, width, channels] = model.input_shape().dims() {
        for side in
            (0..).map(|doublings| SIDE << doublings).take_while(|&side| side < height.max(width))
        {
            let shape = Shape::from([height.min(side), width.min(side), channels]);
            if let Ok(model) = model.rebuilt(&shape, model.seed) {
                return Ok(model);
            }
        }
    }
    model.rebuilt(model.input_shape(), model.seed)
}

fn random_data(model: &Sequential, generator: &mut ChaCha8Rng) -> Result<Dataset> {
    let rows = |dims: &[usize]| IxDyn(&[&[ROWS], dims].concat());
    let output = model.output_shape();
    let values = model.input_shape().n_values().max(output.n_values()).saturating_mul(ROWS);
    if Vec::<Real>::new().try_reserve_exact(values).is_err()
        || u32::try_from(output.last()).is_err()
    {
        return Err(Error::Memory(format!(
            "there is no room for {ROWS} samples of {} and {output}",
            model.input_shape()
        )));
    }
    let x = ArrayD::from_shape_simple_fn(rows(model.input_shape().dims()), || {
        generator.random::<Real>()
    });
    let positions = &output.dims()[..output.dims().len().saturating_sub(1)];
    let y = match model.compiled()?.loss.as_loss().target_form() {
        TargetForm::Vectors => {
            Targets::Reals(ArrayD::from_shape_simple_fn(rows(output.dims()), || {
                generator.random::<Real>()
            }))
        }
        TargetForm::Labels => {
            Targets::Labels(ArrayD::from_shape_simple_fn(rows(positions), || {
                generator.random_range(0..output.last() as u32)
            }))
        }
    };
    Ok(Dataset { x: Inputs::Reals(x), y })
}
