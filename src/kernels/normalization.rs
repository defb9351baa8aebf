//! What batch normalization does to each channel: rows of so many channels, and vectors with one
//! number a channel. Sums are in double precision, in the order of the rows.

use super::kernel;
use super::lanes::Lanes;
use crate::Real;

kernel! {
    /// Writes the mean of each channel, and the sum of squared distances from it.
    pub fn moments(x: &[Real], means: &mut [f64], squares: &mut [f64]) = moments_body
}

#[inline(always)]
fn moments_body<L: Lanes>(x: &[Real], means: &mut [f64], squares: &mut [f64]) {
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
            let distance = f64::from(*x) - mean;
            *square += distance * distance;
        }
    }
}

kernel! {
    /// Writes `Σ dy` and `Σ dy·x` of each channel.
    pub fn gradient_sums(x: &[Real], dy: &[Real], sums: &mut [f64], products: &mut [f64]) = gradient_sums_body
}

#[inline(always)]
fn gradient_sums_body<L: Lanes>(x: &[Real], dy: &[Real], sums: &mut [f64], products: &mut [f64]) {
    let channels = sums.len();
    sums.fill(0.0);
    products.fill(0.0);
    for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
        for ((sum, product), (x, dy)) in sums.iter_mut().zip(&mut *products).zip(x.iter().zip(dy)) {
            *sum += f64::from(*dy);
            *product += f64::from(*dy) * f64::from(*x);
        }
    }
}

kernel! {
    /// `y = a·x + c`, with an a and a c for each channel.
    pub fn scale(x: &[Real], a: &[Real], c: &[Real], y: &mut [Real]) = scale_body
}

#[inline(always)]
fn scale_body<L: Lanes>(x: &[Real], a: &[Real], c: &[Real], y: &mut [Real]) {
    for (y, x) in y.chunks_exact_mut(a.len()).zip(x.chunks_exact(a.len())) {
        y.iter_mut().zip(x).zip(a.iter().zip(c)).for_each(|((y, x), (a, c))| *y = a * x + c);
    }
}

kernel! {
    /// `dx = a·dy + b·x + c`, with three factors for each channel.
    pub fn combine(dy: &[Real], x: &[Real], factors: [&[Real]; 3], dx: &mut [Real]) = combine_body
}

#[inline(always)]
fn combine_body<L: Lanes>(dy: &[Real], x: &[Real], [a, b, c]: [&[Real]; 3], dx: &mut [Real]) {
    let rows =
        dx.chunks_exact_mut(a.len()).zip(dy.chunks_exact(a.len())).zip(x.chunks_exact(a.len()));
    for ((dx, dy), x) in rows {
        let factors = a.iter().zip(b).zip(c);
        dx.iter_mut()
            .zip(dy)
            .zip(x)
            .zip(factors)
            .for_each(|(((dx, dy), x), ((a, b), c))| *dx = a * dy + b * x + c);
    }
}
