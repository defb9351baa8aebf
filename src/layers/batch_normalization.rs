//! Batch normalization, over the last axis: Ioffe and Szegedy 2015, as Keras computes it.
//!
//! ```text
//! training    y = γ·x̂ + β,   x̂ = (x − μ)/√(v + ε),   μ and v of the whole batch, v divided by its count
//!             moving ← momentum·moving + (1 − momentum)·batch
//! afterwards  the same with the moving values
//! backward    dγ = Σ dy·x̂,   dβ = Σ dy,   dx = γ/√(v + ε)·(dy − dβ/n − x̂·dγ/n)
//! ```
//!
//! A batch's statistics are joined from the chunks' counts, means and sums of squared distances, in
//! the order of the rows (Chan et al. 1983), which loses no digits where the mean is large.

use ndarray::ArrayView2;

use super::{
    Backward, Built, Count, Coupling, Forward, Layer, LayerSpec, Misfit, Operation, Training,
    misfit,
};
use crate::Real;
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::normalization::{self, Coefficients};
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};

class! {
    /// The layer `BatchNormalization`.
    BatchNormalization {
        /// The axis of the channels: the last, which is −1.
        axis: isize = -1,
        /// How much of a moving value stays in a step.
        momentum: f64 = 0.99,
        /// What keeps the denominator from 0, ε.
        epsilon: f64 = 0.001,
        /// Whether there is a β.
        center: bool = true,
        /// Whether there is a γ.
        scale: bool = true,
        /// How β begins.
        beta_initializer: Initializer = Initializer::Zeros {},
        /// How γ begins.
        gamma_initializer: Initializer = Initializer::Ones {},
        /// How the moving mean begins.
        moving_mean_initializer: Initializer = Initializer::Zeros {},
        /// How the moving variance begins.
        moving_variance_initializer: Initializer = Initializer::Ones {},
        /// The penalty on β.
        beta_regularizer: Option<L1L2> = None,
        /// The penalty on γ.
        gamma_regularizer: Option<L1L2> = None,
    }
}

impl LayerSpec for BatchNormalization {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let channels = input.last();
        if input.dims().is_empty() || (self.axis != -1 && self.axis != input.dims().len() as isize)
        {
            let problem = format!("axis {} of {input}: it normalizes the last axis", self.axis);
            return misfit(problem, "take axis = -1, and an input with a last axis");
        }
        if !((0.0..=1.0).contains(&self.momentum)
            && self.epsilon.is_finite()
            && self.epsilon >= 0.0)
        {
            let problem =
                format!("a momentum of {} and an epsilon of {}", self.momentum, self.epsilon);
            return misfit(problem, "take a momentum between 0 and 1, and an epsilon of 0 or more");
        }
        let vector = |name, initializer, regularizer| {
            ParamSpec::new(name, vec![channels], initializer, regularizer)
        };
        let frozen =
            |name, initializer| ParamSpec { trainable: false, ..vector(name, initializer, None) };
        let gamma =
            self.scale.then(|| vector("gamma", &self.gamma_initializer, self.gamma_regularizer));
        let beta =
            self.center.then(|| vector("beta", &self.beta_initializer, self.beta_regularizer));
        let mean = frozen("moving_mean", &self.moving_mean_initializer);
        let variance = frozen("moving_variance", &self.moving_variance_initializer);
        let params: Vec<_> = gamma.into_iter().chain(beta).chain([mean, variance]).collect();

        let names: Vec<_> = params.iter().map(|param| param.name.replace('_', " ")).collect();
        let count = Count {
            formula: format!("{} × {channels} channels", names.len()),
            total: names.len().saturating_mul(channels),
            reason: format!(
                "each channel has a {}; no gradient moves the moving mean and variance, {} of them all",
                names.join(", a "),
                channels.saturating_mul(2)
            ),
        };
        let layer =
            Normalization { options: self.clone(), channels, positions: input.n_positions() };
        Ok(Built {
            output: input.clone(),
            params,
            operations: vec![Operation::layer(layer)],
            count,
        })
    }
}

struct Normalization {
    options: BatchNormalization,
    channels: usize,
    positions: usize,
}

impl Normalization {
    /// Mean and variance of a channel over the batch that has these sums.
    fn of_batch(&self, sums: &[f64], channel: usize) -> [f64; 2] {
        [sums[1 + channel], sums[1 + self.channels + channel] / sums[0]]
    }

    /// γ and β of a channel, its mean and its variance: the batch's in training, else the moving
    /// ones.
    fn of_channel(&self, params: &[Real], training: Option<Training>, channel: usize) -> [f64; 4] {
        let array = |number: usize| f64::from(params[number * self.channels + channel]);
        let BatchNormalization { scale, center, .. } = self.options;
        let gamma = if scale { array(0) } else { 1.0 };
        let beta = if center { array(usize::from(scale)) } else { 0.0 };
        let first = usize::from(scale) + usize::from(center);
        let moving = || [array(first), array(first + 1)];
        let [mean, variance] =
            training.map_or_else(moving, |training| self.of_batch(training.sums, channel));
        [gamma, beta, mean, variance]
    }

    /// √(v + ε).
    fn deviation(&self, variance: f64) -> f64 {
        (variance + self.options.epsilon).sqrt()
    }
}

impl Layer for Normalization {
    /// `y = γ·(x − μ)/√(v + ε) + β`, as a product and a sum.
    fn forward(&self, pass: Forward) {
        let (factors, shifts) = pass.scratch.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let [gamma, beta, mean, variance] =
                self.of_channel(pass.params, pass.training, channel);
            let factor = gamma / self.deviation(variance);
            (factors[channel], shifts[channel]) = (factor as Real, (beta - mean * factor) as Real);
        }
        normalization::affine(flat(pass.x), factors, &shifts[..self.channels], flat_mut(pass.y));
    }

    /// `dx = a·dy + b·x + c`, with three factors a channel; b and c are 0 where the moving values
    /// are what counts.
    fn backward(&self, pass: Backward) {
        if pass.training.is_none() {
            pass.d_params.fill(0.0);
        }
        let Some(dx) = pass.dx else { return };
        let (factors, rest) = pass.scratch.split_at_mut(self.channels);
        let (slopes, shifts) = rest.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let [gamma, _, mean, variance] = self.of_channel(pass.params, pass.training, channel);
            let [n, d_beta, d_gamma] = pass.training.map_or(
                [1.0, 0.0, 0.0],
                |Training { sums, gradient_sums, .. }| {
                    [sums[0], gradient_sums[channel], gradient_sums[self.channels + channel]]
                },
            );
            let inverse = 1.0 / self.deviation(variance);
            let slope = -gamma * inverse * inverse * d_gamma / n;
            factors[channel] = (gamma * inverse) as Real;
            slopes[channel] = slope as Real;
            shifts[channel] = (-gamma * inverse * d_beta / n - slope * mean) as Real;
        }
        let coefficients = Coefficients { a: factors, b: slopes, c: &shifts[..self.channels] };
        normalization::input_gradient(flat(pass.dy), flat(pass.x), coefficients, flat_mut(dx));
    }

    fn scratch_len(&self) -> usize {
        3 * self.channels
    }

    fn work(&self) -> usize {
        2 * self.channels * self.positions
    }

    fn coupling(&self) -> Option<&dyn Coupling> {
        Some(self)
    }
}

impl Coupling for Normalization {
    /// The count, then each channel's mean, then each channel's sum of squared distances from it.
    fn n_sums(&self) -> usize {
        1 + 2 * self.channels
    }

    fn sums(&self, x: ArrayView2<Real>, sums: &mut [f64]) {
        sums[0] = (x.len() / self.channels) as f64;
        let (means, squares) = sums[1..].split_at_mut(self.channels);
        normalization::moments(flat(x), means, squares);
    }

    fn join(&self, total: &mut [f64], part: &[f64]) {
        let (n, m) = (total[0], part[0]);
        let all = n + m;
        total[0] = all;
        for mean in 1..=self.channels {
            let square = mean + self.channels;
            let distance = part[mean] - total[mean];
            total[mean] += distance * m / all;
            total[square] += part[square] + distance * distance * n * m / all;
        }
    }

    /// `dβ = Σ dy` of each channel, then `dγ = Σ dy·x̂` of each.
    fn gradient_sums(&self, pass: Backward, gradient_sums: &mut [f64]) {
        let (d_beta, d_gamma) = gradient_sums.split_at_mut(self.channels);
        normalization::gradient_sums(
            flat(pass.x),
            flat(pass.dy),
            d_beta,
            &mut d_gamma[..self.channels],
        );
        for channel in 0..self.channels {
            let [_, _, mean, variance] = self.of_channel(pass.params, pass.training, channel);
            d_gamma[channel] =
                (d_gamma[channel] - mean * d_beta[channel]) / self.deviation(variance);
        }
        if !pass.accumulate {
            pass.d_params.fill(0.0);
        }
        // In the order of the parameters; the gradients of the moving values stay 0.
        let sums = self
            .options
            .scale
            .then_some(d_gamma)
            .into_iter()
            .chain(self.options.center.then_some(d_beta));
        for (array, sums) in pass.d_params.chunks_exact_mut(self.channels).zip(sums) {
            array.iter_mut().zip(sums).for_each(|(d, sum)| *d += *sum as Real);
        }
    }

    fn settle(&self, sums: &[f64], params: &mut [Real]) {
        let first = params.len() - 2 * self.channels;
        let keep = self.options.momentum;
        for channel in 0..self.channels {
            for (array, new) in self.of_batch(sums, channel).into_iter().enumerate() {
                let value = &mut params[first + array * self.channels + channel];
                *value = (keep * f64::from(*value) + (1.0 - keep) * new) as Real;
            }
        }
    }
}
