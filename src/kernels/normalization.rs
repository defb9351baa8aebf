//! Loops of batch normalization over rows with one value per channel. Sums are in double precision,
//! in the order of the rows.

use super::kernel;
use crate::Real;

kernel! {
    /// Writes the mean of each channel and the sum of its squared deviations.
    pub fn moments(x: &[Real], means: &mut [f64], squares: &mut [f64]) {
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
