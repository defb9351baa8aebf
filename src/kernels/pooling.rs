//! Pooling: what a window over an image holds becomes one value, channel by channel, as many at a
//! time as a register has lanes. The backward pass finds the largest value again, which costs less
//! than to keep where it was.

use std::ops::Range;

use super::convolution::Axis;
use super::kernel;
use super::lanes::Lanes;
use crate::Real;

/// What becomes of the values under a window. Pixels outside the image are not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// The largest; its gradient goes to the first that is as large, in row-major order. A NaN
    /// stays one.
    Max,
    /// The largest; its gradient is divided evenly among all that are as large.
    SharedMax,
    /// The mean.
    Average,
}

use Pool::{Average, Max, SharedMax};

/// What is done to images of one size.
#[derive(Debug, Clone, Copy)]
pub struct Pooling {
    /// What becomes of a window.
    pub pool: Pool,
    /// The windows from top to bottom.
    pub rows: Axis,
    /// The windows from left to right.
    pub columns: Axis,
    /// The values of a pixel.
    pub channels: usize,
}

impl Axis {
    /// Those pixels of a window that lie inside the image.
    fn inside(&self, window: usize) -> Range<usize> {
        let start = window * self.stride;
        start.saturating_sub(self.before)..(start + self.kernel - self.before).min(self.input)
    }
}

impl Pooling {
    /// Numbers of scratch memory that [`forward`] and [`backward`] need.
    pub fn scratch_len(&self) -> usize {
        3 * self.channels
    }

    /// The numbers of an image, and of its output.
    fn sizes(&self) -> [usize; 2] {
        [self.rows.input * self.columns.input, self.rows.output * self.columns.output]
            .map(|n| n * self.channels)
    }

    /// Each window, in row-major order: where its pixels begin, in the same order.
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
    /// Writes what becomes of each window of a few images. `scratch` has three times as many
    /// numbers as a pixel, whose content does not matter.
    pub fn forward(pooling: &Pooling, x: &[Real], y: &mut [Real], scratch: &mut [Real]) = forward_body
}

#[inline(always)]
fn forward_body<L: Lanes>(pooling: &Pooling, x: &[Real], y: &mut [Real], scratch: &mut [Real]) {
    let [image, output] = pooling.sizes();
    for (x, y) in x.chunks_exact(image).zip(y.chunks_exact_mut(output)) {
        for (pixels, y) in pooling.windows().zip(y.chunks_exact_mut(pooling.channels)) {
            reduce(pooling.pool, pixels, x, y, &mut scratch[..pooling.channels]);
        }
    }
}

/// What becomes of one window. `lost` is what rounding took from each sum so far (Kahan 1965): a
/// window may be an image.
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
        match pool {
            Average => y.iter_mut().zip(&mut *lost).zip(x).for_each(|((y, lost), x)| {
                let part = x - *lost;
                let sum = *y + part;
                *lost = if sum.is_finite() { (sum - *y) - part } else { 0.0 };
                *y = sum;
            }),
            _ => y
                .iter_mut()
                .zip(x)
                .for_each(|(y, x)| *y = if x.is_nan() || *x > *y { *x } else { *y }),
        }
    }
    if pool == Average {
        y.iter_mut().for_each(|y| *y /= count);
    }
}

kernel! {
    /// Writes the gradient at `x`, given the one at the output. `scratch` is as in the forward
    /// pass.
    pub fn backward(pooling: &Pooling, x: &[Real], dy: &[Real], dx: &mut [Real], scratch: &mut [Real]) = backward_body
}

#[inline(always)]
fn backward_body<L: Lanes>(
    pooling: &Pooling,
    x: &[Real],
    dy: &[Real],
    dx: &mut [Real],
    scratch: &mut [Real],
) {
    let (pool, n, [image, output]) = (pooling.pool, pooling.channels, pooling.sizes());
    // The largest value, what a pixel gets of the gradient if it gets any, and how many get it.
    let (y, rest) = scratch[..3 * n].split_at_mut(n);
    let (share, ties) = rest.split_at_mut(n);
    for ((x, dy), dx) in
        x.chunks_exact(image).zip(dy.chunks_exact(output)).zip(dx.chunks_exact_mut(image))
    {
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
                    // The first leaves nothing to the others.
                    *share -= if pool == Max { part } else { 0.0 };
                }
            }
        }
    }
}
