//! Pooling: each window of an image becomes one value per channel; vector lanes run along the
//! channels. The backward pass finds the maximum again, which costs less than storing its index.
//! Maxima over disjoint windows of 2×2 are in `max_pool_2x2`.

use super::convolution::Axis;
use super::{kernel, max_pool_2x2};
use crate::Real;

/// Reduction of the values of a window; pixels outside the image do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Maximum, or NaN if the window has one; its gradient goes to the first of equal values in
    /// row-major order.
    Max,
    /// Maximum; its gradient is divided evenly among equal values.
    SharedMax,
    /// Mean.
    Average,
}

use Pool::{Average, Max, SharedMax};

/// Pooling of images of one size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pooling {
    /// Reduction of each window.
    pub pool: Pool,
    /// Windows along the height.
    pub rows: Axis,
    /// Windows along the width.
    pub columns: Axis,
    /// Number of channels.
    pub channels: usize,
}

impl Pooling {
    /// Length of the scratch memory that [`forward`] and [`backward`] need.
    pub fn scratch_len(&self) -> usize {
        3 * self.channels
    }

    /// Values of an input image.
    fn n_inputs(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// Values of an output image.
    fn n_outputs(&self) -> usize {
        self.rows.output * self.columns.output * self.channels
    }

    /// Windows in row-major order, each as the offsets of its pixels in the same order.
    #[inline(always)]
    fn windows(&self) -> impl Iterator<Item = impl Iterator<Item = usize> + Clone> {
        let Pooling { rows, columns, channels, .. } = *self;
        let window = move |row: usize, column: usize| {
            let pixel = move |row, column| (row * columns.input + column) * channels;
            rows.inside(row)
                .flat_map(move |row| columns.inside(column).map(move |column| pixel(row, column)))
        };
        (0..rows.output)
            .flat_map(move |row| (0..columns.output).map(move |column| window(row, column)))
    }
}

kernel! {
    /// Writes `y`, given `x`. The content of `scratch` does not matter.
    pub fn forward(pooling: &Pooling, x: &[Real], y: &mut [Real], scratch: &mut [Real]) {
        let images = x.chunks_exact(pooling.n_inputs());
        let is_2x2 = max_pool_2x2::is_suitable(pooling);
        for (x, y) in images.zip(y.chunks_exact_mut(pooling.n_outputs())) {
            if is_2x2 {
                max_pool_2x2::forward(pooling, x, y);
                continue;
            }
            for (pixels, y) in pooling.windows().zip(y.chunks_exact_mut(pooling.channels)) {
                reduce(pooling.pool, pixels, x, y, &mut scratch[..pooling.channels]);
            }
        }
    }
}

/// Reduces one window to `y`. `lost` is the rounding error of each sum so far (Kahan 1965), since a
/// window may be a whole image.
#[inline(always)]
fn reduce(
    pool: Pool,
    pixels: impl Iterator<Item = usize>,
    x: &[Real],
    y: &mut [Real],
    lost: &mut [Real],
) {
    y.fill(if pool == Average { 0.0 } else { Real::NEG_INFINITY });
    if pool == Average {
        lost.fill(0.0);
    }
    let mut count = 0.0;
    for pixel in pixels {
        count += 1.0;
        let x = &x[pixel..][..y.len()];
        if pool == Average {
            y.iter_mut().zip(&mut *lost).zip(x).for_each(|((y, lost), x)| {
                let term = x - *lost;
                let sum = *y + term;
                *lost = if sum.is_finite() { (sum - *y) - term } else { 0.0 };
                *y = sum;
            });
        } else {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = if x.is_nan() || *x > *y { *x } else { *y });
        }
    }
    if pool == Average {
        y.iter_mut().for_each(|y| *y /= count);
    }
}

kernel! {
    /// Writes `dx`, given `x` and `dy`. The content of `scratch` does not matter.
    pub fn backward(
        pooling: &Pooling,
        x: &[Real],
        dy: &[Real],
        dx: &mut [Real],
        scratch: &mut [Real],
    ) {
        let (pool, n) = (pooling.pool, pooling.channels);
        // For each channel: the maximum, the share of a pixel in the gradient, and the number of
        // pixels that share it.
        let (y, rest) = scratch[..3 * n].split_at_mut(n);
        let (share, ties) = rest.split_at_mut(n);
        let gradients = dy.chunks_exact(pooling.n_outputs());
        let images = x.chunks_exact(pooling.n_inputs()).zip(gradients);
        let is_2x2 = max_pool_2x2::is_suitable(pooling);
        for ((x, dy), dx) in images.zip(dx.chunks_exact_mut(pooling.n_inputs())) {
            if is_2x2 {
                max_pool_2x2::backward(pooling, x, dy, dx);
                continue;
            }
            dx.fill(0.0);
            for (pixels, dy) in pooling.windows().zip(dy.chunks_exact(n)) {
                share.copy_from_slice(dy);
                match pool {
                    Average => ties.fill(pixels.clone().count() as Real),
                    Max | SharedMax => reduce(pool, pixels.clone(), x, y, ties),
                }
                if pool == SharedMax {
                    ties.fill(0.0);
                    for pixel in pixels.clone() {
                        for ((ties, x), y) in ties.iter_mut().zip(&x[pixel..][..n]).zip(&*y) {
                            *ties += if x == y { 1.0 } else { 0.0 };
                        }
                    }
                }
                if pool != Max {
                    share.iter_mut().zip(&*ties).for_each(|(share, ties)| *share /= ties);
                }
                for pixel in pixels {
                    let (x, dx) = (&x[pixel..][..n], &mut dx[pixel..][..n]);
                    if pool == Average {
                        dx.iter_mut().zip(&*share).for_each(|(dx, share)| *dx += share);
                        continue;
                    }
                    for (((dx, x), y), share) in dx.iter_mut().zip(x).zip(&*y).zip(&mut *share) {
                        let part = if x == y { *share } else { 0.0 };
                        *dx += part;
                        // The first of equal values leaves nothing to the others.
                        *share -= if pool == Max { part } else { 0.0 };
                    }
                }
            }
        }
    }
}
