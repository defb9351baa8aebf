//! Maximum over disjoint windows of 2×2, the usual pooling: the four pixels of a window are two
//! neighbors in each of two rows, read in one loop over the channels, without a list of offsets.
//!
//! ```text
//! upper row   a₀…aₙ b₀…bₙ │ …        y = max(a, b, c, d)
//! lower row   c₀…cₙ d₀…dₙ │ …
//! ```

use super::pooling::{Pool, Pooling};
use crate::Real;

/// True if these functions can be used.
pub(super) fn is_suitable(pooling: &Pooling) -> bool {
    let is_halved = [pooling.rows, pooling.columns].iter().all(|axis| {
        let is_2_by_2 = axis.kernel == 2 && axis.stride == 2 && axis.before == 0;
        is_2_by_2 && 2 * axis.output <= axis.input
    });
    is_halved && pooling.pool == Pool::Max
}

/// Writes `y` of one image, given `x`.
#[inline(always)]
pub(super) fn forward(pooling: &Pooling, x: &[Real], y: &mut [Real]) {
    let n = pooling.channels;
    let row_len = pooling.columns.input * n;
    let row_pairs = x.chunks_exact(2 * row_len);
    for (rows, y) in row_pairs.zip(y.chunks_exact_mut(pooling.columns.output * n)) {
        let (upper, lower) = rows.split_at(row_len);
        let windows = upper.chunks_exact(2 * n).zip(lower.chunks_exact(2 * n));
        for ((upper, lower), y) in windows.zip(y.chunks_exact_mut(n)) {
            let ((a, b), (c, d)) = (upper.split_at(n), lower.split_at(n));
            for i in 0..n {
                y[i] = larger(larger(a[i], b[i]), larger(c[i], d[i]));
            }
        }
    }
}

/// Writes `dx` of one image, given `x` and `dy`: the first of equal maxima gets the gradient.
#[inline(always)]
pub(super) fn backward(pooling: &Pooling, x: &[Real], dy: &[Real], dx: &mut [Real]) {
    let n = pooling.channels;
    let row_len = pooling.columns.input * n;
    // A last row or column beyond the windows has no gradient.
    dx.fill(0.0);
    let row_pairs = x.chunks_exact(2 * row_len).zip(dx.chunks_exact_mut(2 * row_len));
    for ((rows, dx), dy) in row_pairs.zip(dy.chunks_exact(pooling.columns.output * n)) {
        let (upper, lower) = rows.split_at(row_len);
        let (dx_upper, dx_lower) = dx.split_at_mut(row_len);
        let windows = upper.chunks_exact(2 * n).zip(lower.chunks_exact(2 * n));
        let gradients = dx_upper.chunks_exact_mut(2 * n).zip(dx_lower.chunks_exact_mut(2 * n));
        for (((upper, lower), (dx_upper, dx_lower)), dy) in
            windows.zip(gradients).zip(dy.chunks_exact(n))
        {
            let ((a, b), (c, d)) = (upper.split_at(n), lower.split_at(n));
            let (da, db) = dx_upper.split_at_mut(n);
            let (dc, dd) = dx_lower.split_at_mut(n);
            for i in 0..n {
                let y = larger(larger(a[i], b[i]), larger(c[i], d[i]));
                let is_a = a[i] == y;
                let is_b = b[i] == y && !is_a;
                let is_c = c[i] == y && !(is_a || is_b);
                let is_d = d[i] == y && !(is_a || is_b || is_c);
                da[i] = if is_a { dy[i] } else { 0.0 };
                db[i] = if is_b { dy[i] } else { 0.0 };
                dc[i] = if is_c { dy[i] } else { 0.0 };
                dd[i] = if is_d { dy[i] } else { 0.0 };
            }
        }
    }
}

/// The larger of two values, or NaN if one is.
#[inline(always)]
fn larger(a: Real, b: Real) -> Real {
    if b.is_nan() || b > a { b } else { a }
}
