//! The activations that Keras has as layers of their own, for the sake of their options. None has parameters. Where the
//! options leave an activation that has a name, that one is what runs.

use serde::{Deserialize, Serialize};

use super::{Activation, Built, LayerSpec, Misfit, pointwise};
use crate::Real;
use crate::activations::ActivationKind;
use crate::shape::Shape;

/// `min(x, max_value)` above `threshold`, `negative_slope·(x − threshold)` below.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReLU {
    /// The largest output, if there is to be one.
    pub max_value: Option<f64>,
    /// The slope below the threshold.
    pub negative_slope: f64,
    /// Where `x` begins to pass unchanged.
    pub threshold: f64,
}

/// `x` from 0 on, `negative_slope·x` below.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LeakyReLU {
    /// The slope below 0.
    pub negative_slope: f64,
}

/// `x` above 0, `alpha·(e^x − 1)` below.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ELU {
    /// The output nears `−alpha` far below 0.
    pub alpha: f64,
}

/// `e^xⱼ / Σₖ e^xₖ` along the last axis.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Softmax {
    /// The axis to divide along: -1, the last one.
    pub axis: i64,
}

impl Default for LeakyReLU {
    fn default() -> Self {
        LeakyReLU { negative_slope: 0.3 }
    }
}

impl Default for ELU {
    fn default() -> Self {
        ELU { alpha: 1.0 }
    }
}

impl Default for Softmax {
    fn default() -> Self {
        Softmax { axis: -1 }
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
        let derivative = move |x| match passes(x) {
            true if x < most => 1.0,
            true => 0.0,
            false => slope,
        };
        let operation = pointwise::operation(value, derivative);
        Ok(Built::weightless(input.clone(), Some(operation), "it only computes each value anew"))
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
        let value = move |x: Real| if x > 0.0 { x } else { alpha * x.exp_m1() };
        let operation = pointwise::operation(value, move |x| if x > 0.0 { 1.0 } else { alpha * x.exp() });
        Ok(Built::weightless(input.clone(), Some(operation), "it only computes each value anew"))
    }
}

impl LayerSpec for Softmax {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if self.axis != -1 {
            let problem = format!("axis is {}: it divides along the last axis alone, which is -1", self.axis);
            return Err(Misfit::new(problem, "give axis -1"));
        }
        Activation::new(ActivationKind::Softmax).build(input)
    }
}

fn at_least_0(name: &str, value: f64) -> Result<Real, Misfit> {
    match value >= 0.0 && value.is_finite() {
        true => Ok(value as Real),
        false => Err(Misfit::new(format!("{name} is {value}"), format!("give {name} a number from 0 on"))),
    }
}
