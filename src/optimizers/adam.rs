//! Adam: Kingma and Ba 2015, in the form that Keras computes, where ε is added to √v before bias
//! correction.
//!
//! ```text
//! m ← m + (1 − β₁)·(g − m),   v ← v + (1 − β₂)·(g² − v)
//! w ← w − α·m / (√v + ε),     α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ),   t counted from 1
//! amsgrad (Reddi et al. 2018): the largest v so far replaces v under the root
//! ```

use super::*;
use crate::kernels::kernel;

optimizer_class! {
    /// The optimizer `Adam`.
    ///
    /// ```
    /// use tallynet::optimizers::{Adam, Optimizer};
    /// let amsgrad = Adam { amsgrad: true, ..Adam::new(0.002) };
    /// assert_eq!(amsgrad.slots(), ["momentum", "velocity", "largest_velocity"]);
    /// ```
    Adam: learning_rate 0.001, weight_decay None;
    /// Decay rate β₁ of the mean gradient.
    beta_1: f64 = 0.9, 0.0..1.0;
    /// Decay rate β₂ of the mean squared gradient.
    beta_2: f64 = 0.999, 0.0..1.0;
    /// Term ε that keeps the denominator from 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
    /// True for the variant whose denominator never shrinks.
    amsgrad: bool = false;
}

optimizer_class! {
    /// The optimizer `AdamW` (Loshchilov and Hutter 2019): [`Adam`] with weight decay by default.
    ///
    /// ```
    /// use tallynet::optimizers::{AdamW, Options};
    /// assert_eq!(AdamW::new(0.002).common().weight_decay, Some(0.004));
    /// ```
    AdamW: learning_rate 0.001, weight_decay Some(0.004);
    /// Decay rate β₁ of the mean gradient.
    beta_1: f64 = 0.9, 0.0..1.0;
    /// Decay rate β₂ of the mean squared gradient.
    beta_2: f64 = 0.999, 0.0..1.0;
    /// Term ε that keeps the denominator from 0.
    epsilon: f64 = 1e-7, 0.0..f64::INFINITY;
    /// True for the variant whose denominator never shrinks.
    amsgrad: bool = false;
}

impl Optimizer for Adam {
    fn slots(&self) -> &'static [&'static str] {
        slot_names(self.amsgrad)
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let factors = Factors::new(step, self.beta_1, self.beta_2, self.epsilon);
        update(factors, self.amsgrad, params, gradients, slots);
    }
}

impl Optimizer for AdamW {
    fn slots(&self) -> &'static [&'static str] {
        slot_names(self.amsgrad)
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], slots: &mut Slots) {
        let factors = Factors::new(step, self.beta_1, self.beta_2, self.epsilon);
        update(factors, self.amsgrad, params, gradients, slots);
    }
}

fn slot_names(amsgrad: bool) -> &'static [&'static str] {
    let names = &["momentum", "velocity", "largest_velocity"];
    if amsgrad { names } else { &names[..2] }
}

/// The factors of one step.
#[derive(Clone, Copy)]
struct Factors {
    /// Bias-corrected learning rate α.
    alpha: Real,
    one_minus_beta_1: Real,
    one_minus_beta_2: Real,
    epsilon: Real,
}

impl Factors {
    fn new(step: Step, beta_1: f64, beta_2: f64, epsilon: f64) -> Self {
        let t = (step.iteration + 1) as f64;
        let alpha = step.learning_rate * (1.0 - beta_2.powf(t)).sqrt() / (1.0 - beta_1.powf(t));
        Factors {
            alpha: alpha as Real,
            one_minus_beta_1: (1.0 - beta_1) as Real,
            one_minus_beta_2: (1.0 - beta_2) as Real,
            epsilon: epsilon as Real,
        }
    }
}

fn update(factors: Factors, amsgrad: bool, w: &mut [Real], g: &[Real], slots: &mut Slots) {
    let [m, v, largest] = slots;
    if !amsgrad {
        return adam(w, g, m, v, factors);
    }
    let moments = m.iter_mut().zip(v.iter_mut()).zip(largest.iter_mut());
    for ((w, &g), ((m, v), largest)) in w.iter_mut().zip(g).zip(moments) {
        approach(m, g, factors.one_minus_beta_1);
        approach(v, g * g, factors.one_minus_beta_2);
        *largest = largest.max(*v);
        *w -= factors.alpha * *m / (largest.sqrt() + factors.epsilon);
    }
}

kernel! {
    /// One step without amsgrad.
    fn adam(w: &mut [Real], g: &[Real], m: &mut [Real], v: &mut [Real], factors: Factors) {
        for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
            approach(m, g, factors.one_minus_beta_1);
            approach(v, g * g, factors.one_minus_beta_2);
            *w -= factors.alpha * *m / (v.sqrt() + factors.epsilon);
        }
    }
}
