//! Batch normalization, over the last axis: Ioffe and Szegedy 2015, as Keras computes it.
//!
//! ```text
//! training    y = γ·x̂ + β,   x̂ = (x − μ)/√(v + ε),   μ and v of the whole batch, v divided by its count
//!             moving ← momentum·moving + (1 − momentum)·batch
//! afterwards  the same with the moving values
//! backward    dγ = Σ dy·x̂,   dβ = Σ dy,   dx = γ/√(v + ε)·(dy − dβ/n − x̂·dγ/n)
//! ```
//!
//! A batch's statistics are joined from the chunks' counts, means and sums of squared distances, in the order of the
//! rows (Chan et al. 1983), which loses no digits where the mean is large.

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use super::{Backward, Built, Count, Forward, InTraining, Layer, LayerSpec, Misfit, Moment, Operation, Sums};
use crate::Real;
use crate::initializers::Initializer;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, per_position, per_position_mut};

/// The layer `BatchNormalization`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BatchNormalization {
    /// The axis of the channels: the last, which is −1.
    pub axis: isize,
    /// How much of a moving value stays in a step.
    pub momentum: f64,
    /// What keeps the denominator from 0, ε.
    pub epsilon: f64,
    /// Whether there is a β.
    pub center: bool,
    /// Whether there is a γ.
    pub scale: bool,
    /// How β begins.
    pub beta_initializer: Initializer,
    /// How γ begins.
    pub gamma_initializer: Initializer,
    /// How the moving mean begins.
    pub moving_mean_initializer: Initializer,
    /// How the moving variance begins.
    pub moving_variance_initializer: Initializer,
    /// The penalty on β.
    pub beta_regularizer: Option<L1L2>,
    /// The penalty on γ.
    pub gamma_regularizer: Option<L1L2>,
}

impl Default for BatchNormalization {
    fn default() -> Self {
        BatchNormalization {
            axis: -1,
            momentum: 0.99,
            epsilon: 0.001,
            center: true,
            scale: true,
            beta_initializer: Initializer::Zeros {},
            gamma_initializer: Initializer::Ones {},
            moving_mean_initializer: Initializer::Zeros {},
            moving_variance_initializer: Initializer::Ones {},
            beta_regularizer: None,
            gamma_regularizer: None,
        }
    }
}

impl LayerSpec for BatchNormalization {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let channels = input.last();
        if input.dims().is_empty() || (self.axis != -1 && self.axis != input.dims().len() as isize) {
            let problem = format!("axis {} of {input}: it normalizes the last axis", self.axis);
            return Err(Misfit::new(problem, "take axis = -1, and an input with a last axis"));
        }
        if !((0.0..=1.0).contains(&self.momentum) && self.epsilon.is_finite() && self.epsilon >= 0.0) {
            let problem = format!("a momentum of {} and an epsilon of {}", self.momentum, self.epsilon);
            return Err(Misfit::new(problem, "take a momentum between 0 and 1, and an epsilon of 0 or more"));
        }
        let vector = |name, initializer, regularizer| ParamSpec::new(name, vec![channels], initializer, regularizer);
        let frozen = |name, initializer| ParamSpec { trainable: false, ..vector(name, initializer, None) };
        let mut params = vec![];
        if self.scale {
            params.push(vector("gamma", &self.gamma_initializer, self.gamma_regularizer));
        }
        if self.center {
            params.push(vector("beta", &self.beta_initializer, self.beta_regularizer));
        }
        params.push(frozen("moving_mean", &self.moving_mean_initializer));
        params.push(frozen("moving_variance", &self.moving_variance_initializer));
        let each = params.len();
        let names: Vec<_> = params.iter().map(|param| param.name.replace('_', " ")).collect();
        let count = Count {
            formula: format!("{each} × {channels} channels"),
            total: each.saturating_mul(channels),
            reason: format!(
                "each channel has a {}; no gradient moves the moving mean and variance, {} of them all",
                names.join(", a "),
                channels.saturating_mul(2)
            ),
        };
        let Self { momentum, epsilon, center, scale, .. } = *self;
        let layer = Normalize { channels, momentum, epsilon, center, scale, positions: input.n_positions() };
        let operations = vec![Operation::Layer(Box::new(layer))];
        Ok(Built { output: input.clone(), params, operations, count })
    }
}

struct Normalize {
    channels: usize,
    momentum: f64,
    epsilon: f64,
    center: bool,
    scale: bool,
    positions: usize,
}

impl Normalize {
    /// γ and β of a channel, and its moving mean and variance.
    fn of_channel(&self, params: &[Real], channel: usize) -> [f64; 4] {
        let mut arrays = params.chunks_exact(self.channels).map(|array| f64::from(array[channel]));
        let gamma = if self.scale { arrays.next() } else { None };
        let beta = if self.center { arrays.next() } else { None };
        let mut next = || arrays.next().unwrap_or(0.0);
        [gamma.unwrap_or(1.0), beta.unwrap_or(0.0), next(), next()]
    }

    /// `y = γ·(x − mean)/√(variance + ε) + β`, given each channel's mean and variance.
    fn normalize(
        &self,
        params: &[Real],
        statistics: impl Fn(usize) -> (f64, f64),
        x: ArrayView2<Real>,
        y: ArrayViewMut2<Real>,
        scratch: &mut [Real],
    ) {
        let (factors, rest) = scratch.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let ([gamma, beta, ..], (mean, variance)) = (self.of_channel(params, channel), statistics(channel));
            let factor = gamma / (variance + self.epsilon).sqrt();
            (factors[channel], rest[channel]) = (factor as Real, (beta - mean * factor) as Real);
        }
        let (x, mut y) = (per_position(x, self.channels), per_position_mut(y, self.channels));
        for (x, mut y) in x.rows().into_iter().zip(y.rows_mut()) {
            let factors = factors.iter().zip(rest.iter());
            y.iter_mut().zip(x).zip(factors).for_each(|((y, &x), (factor, shift))| *y = factor * x + shift);
        }
    }

    /// Mean and variance of a channel over the batch.
    fn of_batch(&self, sums: &[f64], channel: usize) -> (f64, f64) {
        (sums[1 + channel], sums[1 + self.channels + channel] / sums[0])
    }

    /// Writes `Σ dy` and `Σ dy·x̂` of each channel, one behind the other.
    fn sum_gradients(
        &self,
        statistics: impl Fn(usize) -> (f64, f64),
        x: ArrayView2<Real>,
        dy: ArrayView2<Real>,
        sums: &mut [f64],
    ) {
        sums.fill(0.0);
        let (d_beta, d_gamma) = sums.split_at_mut(self.channels);
        for (x, dy) in per_position(x, self.channels).rows().into_iter().zip(per_position(dy, self.channels).rows()) {
            for (channel, (&x, &dy)) in x.iter().zip(dy).enumerate() {
                d_beta[channel] += f64::from(dy);
                d_gamma[channel] += f64::from(dy) * f64::from(x);
            }
        }
        for channel in 0..self.channels {
            let (mean, variance) = statistics(channel);
            d_gamma[channel] = (d_gamma[channel] - mean * d_beta[channel]) / (variance + self.epsilon).sqrt();
        }
    }

    /// Hands the sums of a chunk's rows to the gradients of γ and β; those of the moving values are 0.
    fn write_gradients(&self, sums: &[f64], d_params: &mut [Real], accumulate: bool) {
        if !accumulate {
            d_params.fill(0.0);
        }
        let (d_beta, d_gamma) = sums.split_at(self.channels);
        let trained = [d_gamma, d_beta].into_iter().zip([self.scale, self.center]).filter(|(_, there)| *there);
        for (array, (sums, _)) in d_params.chunks_exact_mut(self.channels).zip(trained) {
            array.iter_mut().zip(sums).for_each(|(d, sum)| *d += *sum as Real);
        }
    }

    fn moving(&self, params: &[Real]) -> impl Fn(usize) -> (f64, f64) {
        |channel| {
            let [.., mean, variance] = self.of_channel(params, channel);
            (mean, variance)
        }
    }
}

impl Layer for Normalize {
    fn forward(&self, params: &[Real], x: ArrayView2<Real>, y: ArrayViewMut2<Real>, scratch: &mut [Real]) {
        self.normalize(params, self.moving(params), x, y, scratch);
    }

    /// For a layer that is not trained: what it does is then fixed.
    fn backward(&self, pass: Backward) {
        pass.d_params.fill(0.0);
        if let Some(dx) = pass.dx {
            let (mut dx, dy) = (per_position_mut(dx, self.channels), per_position(pass.dy, self.channels));
            for (mut dx, dy) in dx.rows_mut().into_iter().zip(dy.rows()) {
                for (channel, (dx, &dy)) in dx.iter_mut().zip(dy).enumerate() {
                    let [gamma, .., variance] = self.of_channel(pass.params, channel);
                    *dx = (f64::from(dy) * gamma / (variance + self.epsilon).sqrt()) as Real;
                }
            }
        }
    }

    fn scratch_len(&self) -> usize {
        3 * self.channels
    }

    fn work(&self) -> usize {
        2 * self.channels * self.positions
    }

    fn in_training(&self) -> Option<&dyn InTraining> {
        Some(self)
    }
}

impl InTraining for Normalize {
    /// The count, then each channel's mean, then each channel's sum of squared distances from it.
    fn n_sums(&self) -> usize {
        1 + 2 * self.channels
    }

    fn sums(&self, x: ArrayView2<Real>, sums: &mut [f64]) {
        let x = per_position(x, self.channels);
        let count = x.nrows() as f64;
        sums.fill(0.0);
        sums[0] = count;
        let (means, squares) = sums[1..].split_at_mut(self.channels);
        for row in x.rows() {
            means.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        means.iter_mut().for_each(|sum| *sum /= count);
        for row in x.rows() {
            for ((square, mean), &x) in squares.iter_mut().zip(&*means).zip(row) {
                *square += (f64::from(x) - mean) * (f64::from(x) - mean);
            }
        }
    }

    fn join(&self, total: &mut [f64], part: &[f64]) {
        let (n, m) = (total[0], part[0]);
        let all = n + m;
        total[0] = all;
        for channel in 0..self.channels {
            let (mean, square) = (1 + channel, 1 + self.channels + channel);
            let distance = part[mean] - total[mean];
            total[mean] += distance * m / all;
            total[square] += part[square] + distance * distance * n * m / all;
        }
    }

    fn forward(&self, pass: Forward) {
        let statistics = |channel| self.of_batch(pass.sums, channel);
        self.normalize(pass.params, statistics, pass.x, pass.y, pass.scratch);
    }

    fn gradient_sums(&self, sums: &[f64], x: ArrayView2<Real>, dy: ArrayView2<Real>, gradient_sums: &mut [f64]) {
        self.sum_gradients(|channel| self.of_batch(sums, channel), x, dy, &mut gradient_sums[..2 * self.channels]);
    }

    fn backward(&self, _: Moment, batch: Sums, pass: Backward) {
        let (sums, gradient_sums) = (batch.forward, batch.backward);
        self.write_gradients(batch.own, pass.d_params, pass.accumulate);
        let Some(dx) = pass.dx else { return };
        // dx = a·dy + b·x + c, with three factors a channel.
        let (factors, rest) = pass.scratch.split_at_mut(self.channels);
        let (slopes, shifts) = rest.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let [gamma, ..] = self.of_channel(pass.params, channel);
            let (mean, variance) = self.of_batch(sums, channel);
            let inverse = 1.0 / (variance + self.epsilon).sqrt();
            let (d_beta, d_gamma) = (gradient_sums[channel], gradient_sums[self.channels + channel]);
            let slope = -gamma * inverse * inverse * d_gamma / sums[0];
            factors[channel] = (gamma * inverse) as Real;
            slopes[channel] = slope as Real;
            shifts[channel] = (-gamma * inverse * d_beta / sums[0] - slope * mean) as Real;
        }
        let (mut dx, x, dy) = (
            per_position_mut(dx, self.channels),
            per_position(pass.x, self.channels),
            per_position(pass.dy, self.channels),
        );
        for ((mut dx, x), dy) in dx.rows_mut().into_iter().zip(x.rows()).zip(dy.rows()) {
            let factors = factors.iter().zip(slopes.iter()).zip(shifts.iter());
            for (((dx, &x), &dy), ((factor, slope), shift)) in dx.iter_mut().zip(x).zip(dy).zip(factors) {
                *dx = factor * dy + slope * x + shift;
            }
        }
    }

    fn settle(&self, sums: &[f64], params: &mut [Real]) {
        let first = params.len() - 2 * self.channels;
        let (means, variances) = params[first..].split_at_mut(self.channels);
        let keep = self.momentum;
        for channel in 0..self.channels {
            let (mean, variance) = self.of_batch(sums, channel);
            let moved = |old: Real, new: f64| (keep * f64::from(old) + (1.0 - keep) * new) as Real;
            means[channel] = moved(means[channel], mean);
            variances[channel] = moved(variances[channel], variance);
        }
    }
}
