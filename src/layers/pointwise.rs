//! Layers that map each value, or each vector of the last axis: activations and rescaling. None has
//! parameters.
//!
//! Layers whose options match a built-in activation, such as [`ELU`] with `alpha` 1, run that one.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::activations::{
    ActivationFunction, ActivationKind, AnyActivation, back_from_input, values_of,
};
use crate::classes::class;
use crate::kernels::elementary::{exp, exp_m1};
use crate::kernels::rows::map2_inplace;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

/// An activation as a layer of its own, as in `Activation('softmax')`.
///
/// ```
/// use tallynet::layers::{Activation, Layer};
///
/// assert_eq!(Activation::new("softmax").build(&[10].into())?.output, [10].into());
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Activation {
    /// Activation to apply.
    pub activation: AnyActivation,
}

class! {
    /// `min(x, max_value)` above `threshold`, `negative_slope·(x − threshold)` below.
    ///
    /// ```
    /// let relu6 = tallynet::layers::ReLU { max_value: Some(6.0), ..Default::default() };
    /// ```
    ReLU {
        /// Upper bound of the output, if any.
        max_value: Option<f64> = None,
        /// Slope below the threshold.
        negative_slope: f64 = 0.0,
        /// Value from which `x` passes unchanged.
        threshold: f64 = 0.0,
    }
}

class! {
    /// `x` from 0 on, `negative_slope·x` below.
    ///
    /// ```
    /// let leaky = tallynet::layers::LeakyReLU { negative_slope: 0.1 };
    /// ```
    LeakyReLU {
        /// Slope below 0.
        negative_slope: f64 = 0.3,
    }
}

class! {
    /// `x` above 0, `alpha·(e^x − 1)` below.
    ///
    /// ```
    /// let elu = tallynet::layers::ELU { alpha: 0.5 };
    /// ```
    ELU {
        /// Negated limit of the output as x goes to −∞.
        alpha: f64 = 1.0,
    }
}

class! {
    /// `e^xⱼ / Σₖ e^xₖ` along the last axis.
    ///
    /// ```
    /// let softmax = tallynet::layers::Softmax::default();
    /// ```
    Softmax {
        /// Axis to normalize: the last, which is −1.
        axis: i64 = -1,
    }
}

class! {
    /// `y = x·scale + offset`, for example to map the bytes of an image to numbers from 0 to 1.
    ///
    /// ```
    /// let unit = tallynet::layers::Rescaling { scale: 1.0 / 255.0, offset: 0.0 };
    /// ```
    Rescaling {
        /// Factor of each value.
        scale: f64 = 1.0,
        /// Term added to the product.
        offset: f64 = 0.0,
    }
}

impl Activation {
    /// A layer that applies this activation.
    pub fn new(activation: impl Into<AnyActivation>) -> Self {
        Activation { activation: activation.into() }
    }
}

impl Layer for Activation {
    fn build(&self, input: &Shape) -> Result<Built> {
        if self.activation.kind() == Some(ActivationKind::Softmax) && input.dims().is_empty() {
            return Err(Error::shape(
                "softmax expects a last axis to divide among, and a sample here is a single number",
                "put a Dense layer in front of it",
            ));
        }
        let operation = Operation::activation(&self.activation, input)?;
        Ok(Built::weightless(input.clone(), operation))
    }
}

impl ReLU {
    /// True if the options leave the activation `relu`.
    pub(super) fn is_plain(&self) -> bool {
        self.max_value.is_none() && self.negative_slope == 0.0 && self.threshold == 0.0
    }
}

impl Layer for ReLU {
    fn build(&self, input: &Shape) -> Result<Built> {
        let max = at_least_0("max_value", self.max_value.unwrap_or(f64::MAX))?;
        let slope = at_least_0("negative_slope", self.negative_slope)?;
        let threshold = at_least_0("threshold", self.threshold)?;
        if self.is_plain() {
            return Activation::new(ActivationKind::Relu).build(input);
        }
        // As in Keras, the derivative of a leaky ReLU at 0 is 1, not the slope.
        let passes = move |x| x > threshold || (slope > 0.0 && threshold == 0.0 && x == 0.0);
        let value = move |x: Real| {
            if passes(x) {
                x.min(max)
            } else if slope == 0.0 && x <= threshold {
                // Not a product: 0 · −∞ is NaN.
                0.0
            } else {
                slope * (x - threshold)
            }
        };
        let derivative = move |x: Real| {
            if !passes(x) {
                slope
            } else if x < max {
                1.0
            } else {
                0.0
            }
        };
        let formula = Formula::Relu { max: self.max_value.map(|_| max), slope, threshold };
        Ok(Built::weightless(input.clone(), Some(pointwise(formula, value, derivative))))
    }
}

impl Layer for LeakyReLU {
    fn build(&self, input: &Shape) -> Result<Built> {
        ReLU { negative_slope: self.negative_slope, ..ReLU::default() }.build(input)
    }
}

impl Layer for ELU {
    fn build(&self, input: &Shape) -> Result<Built> {
        let alpha = at_least_0("alpha", self.alpha)?;
        if alpha == 1.0 {
            return Activation::new(ActivationKind::Elu).build(input);
        }
        let value = move |x: Real| if x > 0.0 { x } else { alpha * exp_m1(x) };
        let derivative = move |x: Real| if x > 0.0 { 1.0 } else { alpha * exp(x) };
        let elu = pointwise(Formula::Elu { alpha }, value, derivative);
        Ok(Built::weightless(input.clone(), Some(elu)))
    }
}

impl Layer for Softmax {
    fn build(&self, input: &Shape) -> Result<Built> {
        let softmax = Activation::new(ActivationKind::Softmax).build(input)?;
        if input.is_last(self.axis) {
            return Ok(softmax);
        }
        let found = format!("axis {} of {input}: it divides along the last axis only", self.axis);
        Err(Error::shape(found, "give axis -1"))
    }
}

impl Layer for Rescaling {
    fn build(&self, input: &Shape) -> Result<Built> {
        let (scale, offset) = (self.scale as Real, self.offset as Real);
        if !(scale.is_finite() && offset.is_finite()) {
            let found = format!("scale is {} and offset is {}", self.scale, self.offset);
            return Err(Error::shape(found, "give scale and offset finite numbers"));
        }
        let formula = Formula::Rescaling { scale, offset };
        let rescale = pointwise(formula, move |x| x * scale + offset, move |_| scale);
        Ok(Built::weightless(input.clone(), Some(rescale)))
    }
}

fn at_least_0(name: &str, value: f64) -> Result<Real> {
    if value >= 0.0 && value.is_finite() {
        return Ok(value as Real);
    }
    Err(Error::shape(format!("{name} is {value}"), format!("give {name} a number from 0 on")))
}

/// An activation whose gradient needs its input.
pub(super) struct KeepsInput(pub ActivationKind);

impl Op for KeepsInput {
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

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Activation(self.0))
    }
}

/// Custom activation.
pub(super) struct CustomActivation {
    pub function: Arc<dyn ActivationFunction>,
    pub width: usize,
}

impl Op for CustomActivation {
    fn forward(&self, mut pass: Forward) {
        pass.y.assign(&pass.x);
        self.function.forward(self.width, flat_mut(pass.y));
    }

    fn backward(&self, mut pass: Backward) {
        if let Some(dx) = &mut pass.dx {
            dx.assign(&pass.dy);
            self.function.backward(self.width, flat(pass.x), flat_mut(dx.view_mut()));
        }
    }
}

/// A function of each value, `value(x)`, and its `derivative(x)`.
struct Pointwise<V, D> {
    formula: Formula,
    value: V,
    derivative: D,
}

/// The operation that maps each value and keeps the input for the backward pass.
fn pointwise<V, D>(formula: Formula, value: V, derivative: D) -> Operation
where
    V: Fn(Real) -> Real + Send + Sync + 'static,
    D: Fn(Real) -> Real + Send + Sync + 'static,
{
    Operation::op(Pointwise { formula, value, derivative })
}

impl<V: Fn(Real) -> Real + Send + Sync, D: Fn(Real) -> Real + Send + Sync> Op for Pointwise<V, D> {
    fn forward(&self, pass: Forward) {
        map2_inplace(flat_mut(pass.y), flat(pass.x), |_, x| (self.value)(x));
    }

    fn backward(&self, mut pass: Backward) {
        if let Some(dx) = &mut pass.dx {
            dx.assign(&pass.dy);
            map2_inplace(flat_mut(dx.view_mut()), flat(pass.x), |dy, x| dy * (self.derivative)(x));
        }
    }

    fn formula(&self) -> Option<Formula> {
        Some(self.formula.clone())
    }
}
