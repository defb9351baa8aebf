//! Batch normalization over the last axis: Ioffe and Szegedy 2015, as Keras computes it.
//!
//! ```text
//! training    y = γ·x̂ + β,   x̂ = (x − μ)/√(v + ε),   mean μ, variance v of the batch (÷ n)
//!             running ← momentum·running + (1 − momentum)·batch
//! inference   the same with the running statistics
//! backward    dγ = Σ dy·x̂,   dβ = Σ dy,   dx = γ/√(v + ε)·(dy − dβ/n − x̂·dγ/n)
//! ```
//!
//! Batch statistics are merged from the counts, means and sums of squared deviations of the
//! micro-batches (Chan et al. 1983), which is accurate even for a large mean.

use ndarray::ArrayView2;

use super::{
    Backward, BatchStatistics, Built, Formula, Forward, Layer, Op, Operation, TrainContext,
};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::kernels::normalization::{self, Coefficients};
use crate::params::{ParamSpec, ParamViews, ParamViewsMut};
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// Normalization of each channel by the mean and variance of the batch.
    ///
    /// ```
    /// use tallynet::layers::{BatchNormalization, Layer};
    ///
    /// let built = BatchNormalization::default().build(&[26, 26, 32].into())?;
    /// assert_eq!(built.params.iter().map(|array| array.count()).sum::<usize>(), 4 * 32);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    BatchNormalization {
        /// Axis of the channels: the last, which is −1.
        axis: isize = -1,
        /// Fraction of a running statistic that a step keeps.
        momentum: f64 = 0.99,
        /// ε, which keeps the denominator away from 0.
        epsilon: f64 = 0.001,
        /// True if there is a β.
        center: bool = true,
        /// True if there is a γ.
        scale: bool = true,
        /// Initializer of β.
        beta_initializer: Initializer = Initializer::Zeros {},
        /// Initializer of γ.
        gamma_initializer: Initializer = Initializer::Ones {},
        /// Initializer of the running mean.
        moving_mean_initializer: Initializer = Initializer::Zeros {},
        /// Initializer of the running variance.
        moving_variance_initializer: Initializer = Initializer::Ones {},
        /// Penalty on β.
        beta_regularizer: Option<L1L2> = None,
        /// Penalty on γ.
        gamma_regularizer: Option<L1L2> = None,
    }
}

impl BatchNormalization {
    fn validate(&self, input: &Shape) -> Result<()> {
        if !input.is_last(self.axis as i64) {
            return Err(Error::shape(
                format!("axis {} of {input}: it normalizes the last axis", self.axis),
                "take axis = -1, and an input with a last axis",
            ));
        }
        let epsilon_fits = self.epsilon.is_finite() && self.epsilon >= 0.0;
        if !(0.0..=1.0).contains(&self.momentum) || !epsilon_fits {
            return Err(Error::shape(
                format!("momentum is {} and epsilon is {}", self.momentum, self.epsilon),
                "take a momentum between 0 and 1, and an epsilon of 0 or more",
            ));
        }
        Ok(())
    }
}

impl Layer for BatchNormalization {
    fn build(&self, input: &Shape) -> Result<Built> {
        self.validate(input)?;
        let channels = input.last();
        let vector = |name, initializer, regularizer| {
            ParamSpec::new(name, [channels], initializer, regularizer)
        };
        let mut params = vec![];
        if self.scale {
            params.push(vector("gamma", &self.gamma_initializer, self.gamma_regularizer));
        }
        if self.center {
            params.push(vector("beta", &self.beta_initializer, self.beta_regularizer));
        }
        params.push(vector("moving_mean", &self.moving_mean_initializer, None).non_trainable());
        let variance = vector("moving_variance", &self.moving_variance_initializer, None);
        params.push(variance.non_trainable());

        let op = NormalizationOp {
            momentum: self.momentum,
            epsilon: self.epsilon,
            channels,
            positions: input.n_positions(),
        };
        Ok(Built { output: input.clone(), params, operations: vec![Operation::op(op)] })
    }
}

struct NormalizationOp {
    momentum: f64,
    epsilon: f64,
    channels: usize,
    positions: usize,
}

/// Mean and variance of a channel.
struct ChannelStatistics {
    mean: f64,
    variance: f64,
}

impl NormalizationOp {
    /// Statistics of a channel, from the sums of a batch.
    fn of_batch(&self, sums: &[f64], channel: usize) -> ChannelStatistics {
        let variance = sums[1 + self.channels + channel] / sums[0];
        ChannelStatistics { mean: sums[1 + channel], variance }
    }

    /// Statistics of a channel: the batch's in training, the running ones in inference.
    fn statistics(
        &self,
        params: ParamViews,
        training: Option<TrainContext>,
        channel: usize,
    ) -> ChannelStatistics {
        match training {
            Some(context) => self.of_batch(context.forward_sums, channel),
            None => ChannelStatistics {
                mean: f64::from(params.get("moving_mean")[channel]),
                variance: f64::from(params.get("moving_variance")[channel]),
            },
        }
    }

    /// A running statistic after a batch.
    fn running(&self, old: Real, of_batch: f64) -> Real {
        (self.momentum * f64::from(old) + (1.0 - self.momentum) * of_batch) as Real
    }

    /// `√(v + ε)`.
    fn deviation(&self, variance: f64) -> f64 {
        (variance + self.epsilon).sqrt()
    }
}

impl Op for NormalizationOp {
    /// `y = γ·(x − μ)/√(v + ε) + β`, as `factor·x + shift`.
    fn forward(&self, pass: Forward) {
        let (gammas, betas) = (pass.params.get("gamma"), pass.params.get("beta"));
        let (factors, shifts) = pass.scratch.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let ChannelStatistics { mean, variance } =
                self.statistics(pass.params, pass.training, channel);
            let factor = normalization::value_or(gammas, channel, 1.0) / self.deviation(variance);
            factors[channel] = factor as Real;
            shifts[channel] =
                (normalization::value_or(betas, channel, 0.0) - mean * factor) as Real;
        }
        normalization::affine(flat(pass.x), factors, &shifts[..self.channels], flat_mut(pass.y));
    }

    /// `dx = a·dy + b·x + c`, with three factors per channel; b and c are 0 in inference.
    fn backward(&self, mut pass: Backward) {
        if pass.training.is_none() {
            pass.d_params.fill(0.0);
        }
        let Some(dx) = pass.dx else { return };
        let gammas = pass.params.get("gamma");
        let (factors, rest) = pass.scratch.split_at_mut(self.channels);
        let (slopes, shifts) = rest.split_at_mut(self.channels);
        for channel in 0..self.channels {
            let gamma = normalization::value_or(gammas, channel, 1.0);
            let ChannelStatistics { mean, variance } =
                self.statistics(pass.params, pass.training, channel);
            let mut n = 1.0;
            let mut d_beta = 0.0;
            let mut d_gamma = 0.0;
            if let Some(context) = pass.training {
                n = context.forward_sums[0];
                d_beta = context.backward_sums[channel];
                d_gamma = context.backward_sums[self.channels + channel];
            }
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

    fn formula(&self) -> Option<Formula> {
        Some(Formula::BatchNormalization { epsilon: self.epsilon })
    }

    fn batch_statistics(&self) -> Option<&dyn BatchStatistics> {
        Some(self)
    }
}

impl BatchStatistics for NormalizationOp {
    /// The count, then the mean of each channel, then its sum of squared deviations.
    fn n_sums(&self) -> usize {
        1 + 2 * self.channels
    }

    fn collect(&self, x: ArrayView2<Real>, sums: &mut [f64]) {
        sums[0] = (x.len() / self.channels) as f64;
        let (means, squares) = sums[1..].split_at_mut(self.channels);
        normalization::mean_and_squares(flat(x), means, squares);
    }

    fn merge(&self, total: &mut [f64], part: &[f64]) {
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
    fn collect_backward(&self, mut pass: Backward, sums: &mut [f64]) {
        let (d_beta, d_gamma) = sums.split_at_mut(self.channels);
        let d_gamma = &mut d_gamma[..self.channels];
        normalization::gradient_sums(flat(pass.x), flat(pass.dy), d_beta, d_gamma);
        for channel in 0..self.channels {
            let ChannelStatistics { mean, variance } =
                self.statistics(pass.params, pass.training, channel);
            d_gamma[channel] =
                (d_gamma[channel] - mean * d_beta[channel]) / self.deviation(variance);
        }
        if !pass.accumulate {
            pass.d_params.fill(0.0);
        }
        // The gradients of the running statistics stay 0.
        add(pass.d_params.get("gamma"), d_gamma);
        add(pass.d_params.get("beta"), d_beta);
    }

    fn update_running(&self, sums: &[f64], mut params: ParamViewsMut) {
        for (channel, mean) in params.get("moving_mean").iter_mut().enumerate() {
            *mean = self.running(*mean, self.of_batch(sums, channel).mean);
        }
        for (channel, variance) in params.get("moving_variance").iter_mut().enumerate() {
            *variance = self.running(*variance, self.of_batch(sums, channel).variance);
        }
    }
}

fn add(gradients: &mut [Real], sums: &[f64]) {
    for (gradient, sum) in gradients.iter_mut().zip(sums) {
        *gradient += *sum as Real;
    }
}
