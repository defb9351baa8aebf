//! Loops over the rows of a matrix or over vectors: biases, softmax, sums, scaling, Adam.

use super::elementary::exp;
use super::kernel;
use crate::Real;

/// Largest number of values that are added in single precision.
const BLOCK: usize = 256;

kernel! {
    /// `y[i, j] += bias[j]`.
    pub fn add_bias(y: &mut [Real], bias: &[Real]) {
        for row in y.chunks_exact_mut(bias.len()) {
            row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
        }
    }
}

kernel! {
    /// `sums[j] = Σᵢ dy[i, j]`, or `+=` if `accumulate`, in the order of the rows.
    pub fn sum_rows(dy: &[Real], sums: &mut [Real], accumulate: bool) {
        if !accumulate {
            sums.fill(0.0);
        }
        let width = sums.len();
        // Blocks of rows keep the rounding error of a long sum small.
        for rows in dy.chunks(BLOCK * width) {
            for (columns, sums) in sums.chunks_mut(64).enumerate() {
                let rows = &rows[columns * 64..];
                match sums.len() {
                    0..=16 => add_columns::<16>(rows, width, sums),
                    17..=32 => add_columns::<32>(rows, width, sums),
                    _ => add_columns::<64>(rows, width, sums),
                }
            }
        }
    }
}

/// Adds the first columns of each row, one for each sum and at most `N`, to the sums. The lanes
/// beyond them hold the values that follow in memory, and are ignored.
#[inline(always)]
fn add_columns<const N: usize>(mut rows: &[Real], width: usize, sums: &mut [Real]) {
    let mut parts = [0.0; N];
    while let Some(lanes) = rows.first_chunk::<N>() {
        for i in 0..N {
            parts[i] += lanes[i];
        }
        rows = rows.get(width..).unwrap_or_default();
    }
    for row in rows.chunks(width) {
        parts.iter_mut().zip(row).for_each(|(part, dy)| *part += dy);
    }
    sums.iter_mut().zip(&parts).for_each(|(sum, part)| *sum += part);
}

/// Sum of a vector, in blocks, which keep the rounding error of a long sum small.
#[inline(always)]
pub fn sum(vector: &[Real]) -> Real {
    if vector.len() <= BLOCK {
        return vector.iter().sum();
    }
    vector.chunks(BLOCK).map(|part| f64::from(part.iter().sum::<Real>())).sum::<f64>() as Real
}

kernel! {
    /// Softmax of each vector of length `width`: `e^(xⱼ − max x) / Σₖ e^(xₖ − max x)`, which does
    /// not overflow for finite vectors.
    pub fn softmax(values: &mut [Real], width: usize) {
        for vector in values.chunks_exact_mut(width) {
            let values = vector.iter().copied();
            let max = values.fold(Real::NEG_INFINITY, |max, x| if x > max { x } else { max });
            vector.iter_mut().for_each(|x| *x -= max);
        }
        // All exponentials in one loop, so that short vectors fill the lanes too.
        values.iter_mut().for_each(|x| *x = exp(*x));
        for vector in values.chunks_exact_mut(width) {
            let inverse = 1.0 / sum(vector);
            vector.iter_mut().for_each(|x| *x *= inverse);
        }
    }
}

kernel! {
    /// Backward pass of the softmax: replaces `dp` by `dx = p·(dp − Σₖ dpₖ·pₖ)` in each vector of
    /// length `width`.
    pub fn softmax_backward(p: &[Real], dp: &mut [Real], width: usize) {
        for (p, dp) in p.chunks_exact(width).zip(dp.chunks_exact_mut(width)) {
            let dot: Real = p.iter().zip(&*dp).map(|(p, dp)| p * dp).sum();
            dp.iter_mut().zip(p).for_each(|(dp, p)| *dp = p * (*dp - dot));
        }
    }
}

/// Index of the largest value; the first of equal ones.
pub fn argmax(vector: &[Real]) -> usize {
    let (mut index, mut max) = (0, Real::NEG_INFINITY);
    for (i, &x) in vector.iter().enumerate() {
        if x > max {
            (index, max) = (i, x);
        }
    }
    index
}

/// Prefetches bytes that will be read soon: rows in random order are not in the cache.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing and faults at no address; every x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

kernel! {
    /// `to[i] = from[i]·scale`: converts the bytes of images while a batch is gathered.
    pub fn scale_bytes(from: &[u8], scale: Real, to: &mut [Real]) {
        for (to, from) in to.iter_mut().zip(from) {
            *to = Real::from(*from) * scale;
        }
    }
}

/// Sums over a vector, in double precision.
#[derive(Debug, Clone, Copy)]
pub struct AbsAndSquareSums {
    /// `Σ|x|`.
    pub abs: f64,
    /// `Σx²`.
    pub squares: f64,
}

kernel! {
    /// `Σ|x|` and `Σx²`, each in sixteen partial sums, one per lane, which are added at the end.
    pub fn abs_and_square_sums(values: &[Real]) -> AbsAndSquareSums {
        let mut sums = [[0.0; 16]; 2];
        let (chunks, rest) = values.as_chunks::<16>();
        let mut last = [0.0; 16];
        last[..rest.len()].copy_from_slice(rest);
        for values in chunks.iter().chain([&last]) {
            for i in 0..16 {
                let x = f64::from(values[i]);
                sums[0][i] += x.abs();
                sums[1][i] += x * x;
            }
        }
        let [abs, squares] = sums;
        AbsAndSquareSums { abs: abs.iter().sum(), squares: squares.iter().sum() }
    }
}

kernel! {
    /// `x = f(x, y)` for each `x` and the `y` at the same index. Keep `f` small, or it will not be
    /// inlined.
    pub fn map2_inplace(x: &mut [Real], y: &[Real], f: impl Fn(Real, Real) -> Real) {
        x.iter_mut().zip(y).for_each(|(x, &y)| *x = f(*x, y));
    }
}
