//! What is done to each row of a matrix, or over all of them: biases, softmax, scaling.

use super::elementary::exp;
use super::kernel;
use super::lanes::Lanes;
use crate::Real;

/// Numbers that are added up in single precision at most.
const STRETCH: usize = 256;

kernel! {
    /// `y[i, j] += bias[j]`.
    pub fn add_bias(y: &mut [Real], bias: &[Real]) = add_bias_body
}

#[inline(always)]
fn add_bias_body<L: Lanes>(y: &mut [Real], bias: &[Real]) {
    for row in y.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
    }
}

kernel! {
    /// `sums[j] = Σᵢ dy[i, j]`, or `+=` where `accumulate` says so, in the order of the rows.
    pub fn sum_rows(dy: &[Real], sums: &mut [Real], accumulate: bool) = sum_rows_body
}

#[inline(always)]
fn sum_rows_body<L: Lanes>(dy: &[Real], sums: &mut [Real], accumulate: bool) {
    if !accumulate {
        sums.fill(0.0);
    }
    let width = sums.len();
    // In stretches, so that no digits are lost where there are many rows.
    for rows in dy.chunks(STRETCH * width) {
        for (block, sums) in sums.chunks_mut(64).enumerate() {
            let mut parts = [0.0; 64];
            for row in rows.chunks_exact(width) {
                parts.iter_mut().zip(&row[block * 64..]).for_each(|(part, dy)| *part += dy);
            }
            sums.iter_mut().zip(&parts).for_each(|(sum, part)| *sum += part);
        }
    }
}

/// The sum of a vector: in stretches, so that no digits are lost where it is long.
#[inline(always)]
pub fn total(vector: &[Real]) -> Real {
    if vector.len() <= STRETCH {
        return vector.iter().sum();
    }
    vector.chunks(STRETCH).map(|part| f64::from(part.iter().sum::<Real>())).sum::<f64>() as Real
}

kernel! {
    /// Each vector of this width becomes `e^(xⱼ − max x) / Σₖ e^(xₖ − max x)`: the softmax, which
    /// any finite vector survives.
    pub fn softmax(values: &mut [Real], width: usize) = softmax_body
}

#[inline(always)]
fn softmax_body<L: Lanes>(values: &mut [Real], width: usize) {
    for vector in values.chunks_exact_mut(width) {
        let max =
            vector.iter().copied().fold(Real::NEG_INFINITY, |max, x| if x > max { x } else { max });
        vector.iter_mut().for_each(|x| *x -= max);
    }
    // All exponentials in one go, so that short vectors fill the lanes too.
    values.iter_mut().for_each(|x| *x = exp(*x));
    for vector in values.chunks_exact_mut(width) {
        let inverse = 1.0 / total(vector);
        vector.iter_mut().for_each(|x| *x *= inverse);
    }
}

kernel! {
    /// Through the softmax: `dx = p·(dp − Σₖ dpₖ·pₖ)` for each vector of this width, where `dp`
    /// becomes `dx`.
    pub fn softmax_backward(p: &[Real], dp: &mut [Real], width: usize) = softmax_backward_body
}

#[inline(always)]
fn softmax_backward_body<L: Lanes>(p: &[Real], dp: &mut [Real], width: usize) {
    for (p, dp) in p.chunks_exact(width).zip(dp.chunks_exact_mut(width)) {
        let dot: Real = p.iter().zip(&*dp).map(|(p, dp)| p * dp).sum();
        dp.iter_mut().zip(p).for_each(|(dp, p)| *dp = p * (*dp - dot));
    }
}

/// The place of the largest number; of equals the first counts.
pub fn largest(vector: &[Real]) -> usize {
    let first = (0, Real::NEG_INFINITY);
    vector.iter().enumerate().fold(first, |best, (i, &x)| if x > best.1 { (i, x) } else { best }).0
}

/// Asks for bytes that will be read soon: rows in random order are nowhere near the cache.
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
    /// `to[i] = from[i]·scale`: bytes become numbers while a batch is gathered.
    pub fn scale_bytes(from: &[u8], scale: Real, to: &mut [Real]) = scale_bytes_body
}

#[inline(always)]
fn scale_bytes_body<L: Lanes>(from: &[u8], scale: Real, to: &mut [Real]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = Real::from(*from) * scale;
    }
}

kernel! {
    /// `Σ|x|` and `Σx²`, in double precision: sixteen sums of every sixteenth value each, added up
    /// at the end.
    pub fn norms(values: &[Real]) -> [f64; 2] = norms_body
}

#[inline(always)]
fn norms_body<L: Lanes>(values: &[Real]) -> [f64; 2] {
    let mut sums = [[0.0; 16]; 2];
    let (whole, rest) = values.as_chunks::<16>();
    let mut last = [0.0; 16];
    last[..rest.len()].copy_from_slice(rest);
    for values in whole.iter().chain([&last]) {
        for i in 0..16 {
            let x = f64::from(values[i]);
            sums[0][i] += x.abs();
            sums[1][i] += x * x;
        }
    }
    sums.map(|sums| sums.iter().sum())
}

kernel! {
    /// Each `x` becomes `f(x, y)`, where y is the number in its place among the others. A long f
    /// would stay a call.
    pub fn zip(values: &mut [Real], others: &[Real], f: impl Fn(Real, Real) -> Real) = zip_body
}

#[inline(always)]
fn zip_body<L: Lanes>(values: &mut [Real], others: &[Real], f: impl Fn(Real, Real) -> Real) {
    values.iter_mut().zip(others).for_each(|(x, &y)| *x = f(*x, y));
}
