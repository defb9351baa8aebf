//! Maximum over disjoint windows of 2×2, the usual pooling: the four pixels of a window are two
//! neighbors in each of two rows.
//!
//! ```text
//! upper row   a₀…aₙ b₀…bₙ │ …        y = max(a, b, c, d)
//! lower row   c₀…cₙ d₀…dₙ │ …
//! ```
//!
//! Vector lanes run along the channels, [`LANES`] at a time; the last vector of a pixel overlaps
//! the one before. A pixel of fewer channels is computed with the first values of the pixels after
//! it: what is written beyond its own channels is overwritten by the next windows, in order. The
//! last windows of a row take the loop over their own channels.

use super::pooling::{Pool, Pooling};
use crate::Real;

/// Number of channels that are computed at once.
const LANES: usize = 8;

/// True if these functions can be used.
pub(super) fn is_suitable(pooling: &Pooling) -> bool {
    let is_halved = [pooling.rows, pooling.columns].iter().all(|axis| {
        let is_2_by_2 = axis.kernel == 2 && axis.stride == 2 && axis.before == 0;
        is_2_by_2 && 2 * axis.output <= axis.input
    });
    is_halved && pooling.pool == Pool::Max
}

/// Offsets of a window.
struct Window {
    /// The four pixels, in row-major order.
    pixels: [usize; 4],
    output: usize,
    /// True if `LANES` values can be written at each offset.
    is_wide: bool,
}

/// First channels of the vectors of a wide window.
#[inline(always)]
fn vectors(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(LANES).map(move |first| first.min(n.saturating_sub(LANES)))
}

/// A window by its row and column in the output.
#[inline(always)]
fn window(pooling: &Pooling, row: usize, column: usize) -> Window {
    let Pooling { rows, columns, channels: n, .. } = *pooling;
    let row_len = columns.input * n;
    let first = 2 * row * row_len + 2 * column * n;
    let output = (row * columns.output + column) * n;
    let width = n.max(LANES);
    let fits_row = (2 * column + 1) * n + width <= 2 * columns.output * n;
    let fits_output = output + width <= rows.output * columns.output * n;
    Window {
        pixels: [first, first + n, first + row_len, first + row_len + n],
        output,
        is_wide: fits_row && fits_output,
    }
}

/// Writes `y` of one image, given `x`.
#[inline(always)]
pub(super) fn forward(pooling: &Pooling, x: &[Real], y: &mut [Real]) {
    let n = pooling.channels;
    for row in 0..pooling.rows.output {
        for column in 0..pooling.columns.output {
            let Window { pixels, output, is_wide } = window(pooling, row, column);
            if is_wide {
                for first in vectors(n) {
                    let y = &mut y[output + first..][..LANES];
                    y.copy_from_slice(&maxima(&read::<LANES, _>(x, pixels, first)));
                }
                continue;
            }
            let [a, b, c, d] = pixels.map(|pixel| &x[pixel..][..n]);
            for (i, y) in y[output..][..n].iter_mut().enumerate() {
                [*y] = maxima(&[[a[i]], [b[i]], [c[i]], [d[i]]]);
            }
        }
    }
}

/// Writes `dx` of one image, given `x` and `dy`: the first of equal maxima gets the gradient.
#[inline(always)]
pub(super) fn backward(pooling: &Pooling, x: &[Real], dy: &[Real], dx: &mut [Real]) {
    let n = pooling.channels;
    let (rows, columns) = (pooling.rows, pooling.columns);
    if 2 * rows.output < rows.input || 2 * columns.output < columns.input {
        // A last row or column beyond the windows has no gradient.
        dx.fill(0.0);
    }
    for row in 0..pooling.rows.output {
        for column in 0..pooling.columns.output {
            let Window { pixels, output, is_wide } = window(pooling, row, column);
            if is_wide {
                for first in vectors(n) {
                    let [dy] = read::<LANES, _>(dy, [output], first);
                    let gradients = gradients(&read(x, pixels, first), &dy);
                    for (pixel, gradient) in pixels.iter().zip(gradients) {
                        dx[pixel + first..][..LANES].copy_from_slice(&gradient);
                    }
                }
                continue;
            }
            let [a, b, c, d] = pixels.map(|pixel| &x[pixel..][..n]);
            let (upper, lower) = dx.split_at_mut(pixels[2]);
            let (da, db) = upper[pixels[0]..][..2 * n].split_at_mut(n);
            let (dc, dd) = lower[..2 * n].split_at_mut(n);
            let dy = &dy[output..][..n];
            for i in 0..n {
                let gradients = gradients(&[[a[i]], [b[i]], [c[i]], [d[i]]], &[dy[i]]);
                [[da[i]], [db[i]], [dc[i]], [dd[i]]] = gradients;
            }
        }
    }
}

#[inline(always)]
fn read<const N: usize, const W: usize>(
    x: &[Real],
    offsets: [usize; W],
    first: usize,
) -> [[Real; N]; W] {
    let mut values = [[0.0; N]; W];
    for (values, offset) in values.iter_mut().zip(offsets) {
        values.copy_from_slice(&x[offset + first..][..N]);
    }
    values
}

/// The largest of four values, or NaN if one is.
#[inline(always)]
fn maxima<const N: usize>([a, b, c, d]: &[[Real; N]; 4]) -> [Real; N] {
    let mut y = [0.0; N];
    for i in 0..N {
        y[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]));
    }
    y
}

#[inline(always)]
fn larger(a: Real, b: Real) -> Real {
    if b.is_nan() | (b > a) { b } else { a }
}

/// Gradients of the four pixels. Without branches, which half of the values would mispredict.
#[inline(always)]
fn gradients<const N: usize>(x: &[[Real; N]; 4], dy: &[Real; N]) -> [[Real; N]; 4] {
    let y = maxima(x);
    let mut gradients = [[0.0; N]; 4];
    // Gradient not yet assigned: `dy` until the first maximum, then 0.
    let mut rest = *dy;
    for (gradient, x) in gradients.iter_mut().zip(x) {
        for i in 0..N {
            let is_max = x[i] == y[i];
            gradient[i] = if is_max { rest[i] } else { 0.0 };
            rest[i] = if is_max { 0.0 } else { rest[i] };
        }
    }
    gradients
}
