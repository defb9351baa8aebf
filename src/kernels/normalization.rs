//! Loops of batch normalization over rows with one value per channel, and of layer normalization
//! over vectors. Sums are in double precision, in the order of the values.

use super::kernel;
use crate::Real;

kernel! {
    /// Writes the mean of each channel and the sum of its squared deviations.
    pub fn mean_and_squares(x: &[Real], means: &mut [f64], squares: &mut [f64]) {
        let channels = means.len();
        means.fill(0.0);
        squares.fill(0.0);
        for row in x.chunks_exact(channels) {
            means.iter_mut().zip(row).for_each(|(sum, x)| *sum += f64::from(*x));
        }
        let count = (x.len() / channels) as f64;
        means.iter_mut().for_each(|sum| *sum /= count);
        for row in x.chunks_exact(channels) {
            for ((square, mean), x) in squares.iter_mut().zip(&*means).zip(row) {
                let deviation = f64::from(*x) - mean;
                *square += deviation * deviation;
            }
        }
    }
}

kernel! {
    /// Writes `Σ dy` and `Σ dy·x` of each channel.
    pub fn gradient_sums(x: &[Real], dy: &[Real], sums: &mut [f64], products: &mut [f64]) {
        let channels = sums.len();
        sums.fill(0.0);
        products.fill(0.0);
        for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
            let sums = sums.iter_mut().zip(&mut *products);
            for ((sum, product), (x, dy)) in sums.zip(x.iter().zip(dy)) {
                *sum += f64::from(*dy);
                *product += f64::from(*dy) * f64::from(*x);
            }
        }
    }
}

kernel! {
    /// `y = scale·x + shift`, with a scale and a shift for each channel.
    pub fn affine(x: &[Real], scale: &[Real], shift: &[Real], y: &mut [Real]) {
        for (y, x) in y.chunks_exact_mut(scale.len()).zip(x.chunks_exact(scale.len())) {
            for ((y, x), (scale, shift)) in y.iter_mut().zip(x).zip(scale.iter().zip(shift)) {
                *y = scale * x + shift;
            }
        }
    }
}

/// Coefficients of `dx = a·dy + b·x + c`, each with one value per channel.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<'a> {
    /// Factor of `dy`.
    pub a: &'a [Real],
    /// Factor of `x`.
    pub b: &'a [Real],
    /// Constant.
    pub c: &'a [Real],
}

kernel! {
    /// `dx = a·dy + b·x + c`.
    pub fn input_gradient(dy: &[Real], x: &[Real], coefficients: Coefficients, dx: &mut [Real]) {
        let Coefficients { a, b, c } = coefficients;
        let channels = a.len();
        let rows = dy.chunks_exact(channels).zip(x.chunks_exact(channels));
        for (dx, (dy, x)) in dx.chunks_exact_mut(channels).zip(rows) {
            let coefficients = a.iter().zip(b).zip(c);
            for (((dx, dy), x), ((a, b), c)) in dx.iter_mut().zip(dy).zip(x).zip(coefficients) {
                *dx = a * dy + b * x + c;
            }
        }
    }
}

/// Vectors to normalize, each by its own mean and variance.
#[derive(Debug, Clone, Copy)]
pub struct LayerNormalizationInput<'a> {
    /// Vectors, one after the other.
    pub x: &'a [Real],
    /// Factor of each value of a vector; empty for 1.
    pub gamma: &'a [Real],
    /// Length of a vector.
    pub width: usize,
    /// Term added to the variance.
    pub epsilon: f64,
}

/// Mean of a vector, and `1/√(v + ε)` for its variance v.
struct Moments {
    mean: f64,
    inverse: f64,
}

impl Moments {
    #[inline(always)]
    fn of(vector: &[Real], epsilon: f64) -> Moments {
        let n = vector.len() as f64;
        let mean = vector.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
        let square = |x: &Real| (f64::from(*x) - mean) * (f64::from(*x) - mean);
        let variance = vector.iter().map(square).sum::<f64>() / n;
        Moments { mean, inverse: 1.0 / (variance + epsilon).sqrt() }
    }

    #[inline(always)]
    fn normalized(&self, x: Real) -> f64 {
        (f64::from(x) - self.mean) * self.inverse
    }
}

/// Value of an array that may be empty, which stands for `default` everywhere.
#[inline(always)]
pub fn value_or(array: &[Real], i: usize, default: f64) -> f64 {
    array.get(i).map_or(default, |value| f64::from(*value))
}

kernel! {
    /// `y = γ·x̂ + β` of each vector; an empty `beta` is 0.
    pub fn layer_forward(input: LayerNormalizationInput, beta: &[Real], y: &mut [Real]) {
        let LayerNormalizationInput { x, gamma, width, epsilon } = input;
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            let moments = Moments::of(x, epsilon);
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                let scaled = value_or(gamma, i, 1.0) * moments.normalized(*x);
                *y = (scaled + value_or(beta, i, 0.0)) as Real;
            }
        }
    }
}

kernel! {
    /// `dγ += Σ dy·x̂`, and `dx = (g − Σ g/n − x̂·Σ g·x̂/n)/√(v + ε)` with `g = γ·dy`, for each
    /// vector. An empty array is not computed.
    pub fn layer_backward(
        input: LayerNormalizationInput,
        dy: &[Real],
        d_gamma: &mut [Real],
        dx: &mut [Real],
    ) {
        let LayerNormalizationInput { x, gamma, width, epsilon } = input;
        for (number, (x, dy)) in x.chunks_exact(width).zip(dy.chunks_exact(width)).enumerate() {
            let moments = Moments::of(x, epsilon);
            for ((d_gamma, dy), x) in d_gamma.iter_mut().zip(dy).zip(x) {
                *d_gamma += (f64::from(*dy) * moments.normalized(*x)) as Real;
            }
            let Some(dx) = dx.get_mut(number * width..(number + 1) * width) else { continue };
            let (mut sum, mut product) = (0.0, 0.0);
            for (i, (x, dy)) in x.iter().zip(dy).enumerate() {
                let gradient = value_or(gamma, i, 1.0) * f64::from(*dy);
                sum += gradient;
                product += gradient * moments.normalized(*x);
            }
            let (mean, slope) = (sum / width as f64, product / width as f64);
            for (i, ((x, dy), dx)) in x.iter().zip(dy).zip(dx).enumerate() {
                let gradient = value_or(gamma, i, 1.0) * f64::from(*dy);
                let centered = gradient - mean - moments.normalized(*x) * slope;
                *dx = (centered * moments.inverse) as Real;
            }
        }
    }
}
