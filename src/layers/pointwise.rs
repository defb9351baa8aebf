//! Layers that compute each value anew, or each vector of the last axis: activations, and
//! rescaling. None has parameters.
//!
//! Where the options of an activation's own layer leave one that has a name, that one is what runs.

use serde::{Deserialize, Serialize};

use super::{Backward, Built, Forward, Layer, LayerSpec, Misfit, Operation, misfit};
use crate::Real;
use crate::activations::{ActivationKind, back_from_input, values_of};
use crate::classes::class;
use crate::kernels::elementary::{exp, exp_m1};
use crate::kernels::rows::map2_inplace;
use crate::shape::{Shape, flat, flat_mut};

/// Any activation as a layer of its own, as in `Activation('softmax')`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Which one.
    pub activation: ActivationKind,
}

class! {
    /// `min(x, max_value)` above `threshold`, `negative_slope·(x − threshold)` below.
    ReLU {
        /// The largest output, if there is to be one.
        max_value: Option<f64> = None,
        /// The slope below the threshold.
        negative_slope: f64 = 0.0,
        /// Where `x` begins to pass unchanged.
        threshold: f64 = 0.0,
    }
}

class! {
    /// `x` from 0 on, `negative_slope·x` below.
    LeakyReLU {
        /// The slope below 0.
        negative_slope: f64 = 0.3,
    }
}

class! {
    /// `x` above 0, `alpha·(e^x − 1)` below.
    ELU {
        /// The output nears `−alpha` far below 0.
        alpha: f64 = 1.0,
    }
}

class! {
    /// `e^xⱼ / Σₖ e^xₖ` along the last axis.
    Softmax {
        /// The axis to divide along: -1, the last one.
        axis: i64 = -1,
    }
}

class! {
    /// `y = x·scale + offset`, as when the bytes of an image become numbers from 0 to 1.
    Rescaling {
        /// What each value is multiplied by.
        scale: f64 = 1.0,
        /// What is added to the product.
        offset: f64 = 0.0,
    }
}

const REASON: &str = "it only computes each value anew";

impl Activation {
    /// A layer that applies this activation.
    pub fn new(activation: ActivationKind) -> Self {
        Activation { activation }
    }
}

impl LayerSpec for Activation {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if self.activation == ActivationKind::Softmax && input.dims().is_empty() {
            let problem =
                "softmax expects a last axis to divide among, and a sample here is a single number";
            return misfit(problem, "put a Dense layer in front of it");
        }
        let reason = format!("{} only computes each value anew", self.activation);
        Built::weightless(input.clone(), Operation::activation(self.activation, input), reason)
    }
}

impl LayerSpec for ReLU {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let most = at_least_0("max_value", self.max_value.unwrap_or(f64::MAX))?;
        let slope = at_least_0("negative_slope", self.negative_slope)?;
        let threshold = at_least_0("threshold", self.threshold)?;
        if self.max_value.is_none() && slope == 0.0 && threshold == 0.0 {
            return Activation::new(ActivationKind::Relu).build(input);
        }
        // A slope reaches 0 itself, as in Keras: at the kink of a leaky one the derivative is 1.
        let passes = move |x| x > threshold || (slope > 0.0 && threshold == 0.0 && x == 0.0);
        let value = move |x: Real| match passes(x) {
            true => x.min(most),
            // No product: that of 0 and −∞ is no number.
            false if slope == 0.0 && x <= threshold => 0.0,
            false => slope * (x - threshold),
        };
        let derivative = move |x: Real| match passes(x) {
            true if x < most => 1.0,
            true => 0.0,
            false => slope,
        };
        Built::weightless(input.clone(), Some(Operation::pointwise(value, derivative)), REASON)
    }
}

impl LayerSpec for LeakyReLU {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        ReLU { negative_slope: self.negative_slope, ..ReLU::default() }.build(input)
    }
}

impl LayerSpec for ELU {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let alpha = at_least_0("alpha", self.alpha)?;
        if alpha == 1.0 {
            return Activation::new(ActivationKind::Elu).build(input);
        }
        let value = move |x: Real| if x > 0.0 { x } else { alpha * exp_m1(x) };
        let derivative = move |x: Real| if x > 0.0 { 1.0 } else { alpha * exp(x) };
        Built::weightless(input.clone(), Some(Operation::pointwise(value, derivative)), REASON)
    }
}

impl LayerSpec for Softmax {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if self.axis != -1 {
            let problem =
                format!("axis is {}: it divides along the last axis alone, which is -1", self.axis);
            return misfit(problem, "give axis -1");
        }
        Activation::new(ActivationKind::Softmax).build(input)
    }
}

impl LayerSpec for Rescaling {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (scale, offset) = (self.scale as Real, self.offset as Real);
        if !(scale.is_finite() && offset.is_finite()) {
            let problem = format!("scale is {} and offset is {}", self.scale, self.offset);
            return misfit(problem, "give scale and offset finite numbers");
        }
        let rescale = Operation::pointwise(move |x| x * scale + offset, move |_| scale);
        Built::weightless(input.clone(), Some(rescale), REASON)
    }
}

fn at_least_0(name: &str, value: f64) -> Result<Real, Misfit> {
    match value >= 0.0 && value.is_finite() {
        true => Ok(value as Real),
        false => misfit(format!("{name} is {value}"), format!("give {name} a number from 0 on")),
    }
}

/// An activation whose gradient needs what it was given.
pub(super) struct KeepsInput(pub ActivationKind);

impl Layer for KeepsInput {
    fn forward(&self, mut pass: Forward) {
        pass.y.assign(&pass.x);
        values_of(self.0, flat_mut(pass.y));
    }

    fn backward(&self, mut pass: Backward) {
        if let Some(dx) = &mut pass.dx {
            dx.assign(&pass.dy);
            back_from_input(self.0, flat(pass.x), flat_mut(dx.view_mut()));
        }
    }
}

/// Computes `value(x)`, whose derivative is `derivative(x)`.
struct Pointwise<V, D> {
    value: V,
    derivative: D,
}

impl Operation {
    /// Computes each value anew, and keeps the old ones for the way back.
    fn pointwise<V, D>(value: V, derivative: D) -> Operation
    where
        V: Fn(Real) -> Real + Send + Sync + 'static,
        D: Fn(Real) -> Real + Send + Sync + 'static,
    {
        Operation::layer(Pointwise { value, derivative })
    }
}

impl<V: Fn(Real) -> Real + Send + Sync, D: Fn(Real) -> Real + Send + Sync> Layer
    for Pointwise<V, D>
{
    fn forward(&self, pass: Forward) {
        map2_inplace(flat_mut(pass.y), flat(pass.x), |_, x| (self.value)(x));
    }

    fn backward(&self, mut pass: Backward) {
        if let Some(dx) = &mut pass.dx {
            dx.assign(&pass.dy);
            map2_inplace(flat_mut(dx.view_mut()), flat(pass.x), |dy, x| dy * (self.derivative)(x));
        }
    }
}
