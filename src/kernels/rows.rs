//! What is done to each row of a matrix, or over all of them: biases, softmax, scaling.

use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use super::kernel;
use super::lanes::Lanes;
use crate::Real;

/// `y[i, j] += bias[j]`.
pub fn add_to_each(mut y: ArrayViewMut2<Real>, bias: &[Real]) {
    add_bias(y.as_slice_mut().expect("rows without gaps"), bias);
}

kernel! {
    fn add_bias(y: &mut [Real], bias: &[Real]) = add_bias_body
}

#[inline(always)]
fn add_bias_body<L: Lanes>(y: &mut [Real], bias: &[Real]) {
    for row in y.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
    }
}

/// `sums[j] = Σᵢ dy[i, j]`, or `+=` where `accumulate` says so, in the order of the rows.
pub fn sum(dy: ArrayView2<Real>, sums: &mut [Real], accumulate: bool) {
    sum_rows(dy.to_slice().expect("rows without gaps"), sums, accumulate);
}

kernel! {
    fn sum_rows(dy: &[Real], sums: &mut [Real], accumulate: bool) = sum_rows_body
}

#[inline(always)]
fn sum_rows_body<L: Lanes>(dy: &[Real], sums: &mut [Real], accumulate: bool) {
    if !accumulate {
        sums.fill(0.0);
    }
    for row in dy.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, dy)| *sum += dy);
    }
}

/// The row becomes `e^(xⱼ − max x) / Σₖ e^(xₖ − max x)`: the softmax, which any finite row survives.
pub fn softmax(mut row: ArrayViewMut1<Real>) {
    let max = row.iter().copied().fold(Real::NEG_INFINITY, Real::max);
    row.mapv_inplace(|x| (x - max).exp());
    let sum = row.sum();
    row.mapv_inplace(|x| x / sum);
}

/// Through the softmax: `dx = p·(dp − Σₖ dpₖ·pₖ)`, where `dp` becomes `dx`.
pub fn softmax_backward(p: ArrayView1<Real>, mut dp: ArrayViewMut1<Real>) {
    let dot = p.dot(&dp);
    dp.zip_mut_with(&p, |dp, p| *dp = p * (*dp - dot));
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
    /// `to[i] += from[i]`.
    pub fn add(from: &[Real], to: &mut [Real]) = add_body
}

#[inline(always)]
fn add_body<L: Lanes>(from: &[Real], to: &mut [Real]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
}

kernel! {
    /// Each `x` becomes `max(x, 0)`; a NaN stays one, and shows in the loss.
    pub fn relu(values: &mut [Real]) = relu_body
}

#[inline(always)]
fn relu_body<L: Lanes>(values: &mut [Real]) {
    values.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x });
}

kernel! {
    /// `dy` becomes 0 where `y` is not above 0.
    pub fn relu_backward(y: &[Real], dy: &mut [Real]) = relu_backward_body
}

#[inline(always)]
fn relu_backward_body<L: Lanes>(y: &[Real], dy: &mut [Real]) {
    dy.iter_mut().zip(y).for_each(|(dy, y)| *dy = if *y > 0.0 { *dy } else { 0.0 });
}

/// Moments smaller than this are taken for 0. A parameter that gets no gradient any more (a pixel that is always
/// black) would otherwise let them decay into numbers so small that processors compute with them a hundred times slower.
const NEGLIGIBLE: Real = 1e-30;

kernel! {
    /// Adam's step over a stretch: `factors` are α, 1 − β₁, 1 − β₂ and ε.
    pub fn adam(w: &mut [Real], g: &[Real], m: &mut [Real], v: &mut [Real], factors: [Real; 4]) = adam_body
}

#[inline(always)]
fn adam_body<L: Lanes>(w: &mut [Real], g: &[Real], m: &mut [Real], v: &mut [Real], factors: [Real; 4]) {
    let [alpha, rest_1, rest_2, epsilon] = factors;
    let flushed = |x: Real| if x.abs() < NEGLIGIBLE { 0.0 } else { x };
    for (((w, &g), m), v) in w.iter_mut().zip(g).zip(m).zip(v) {
        *m = flushed(*m + rest_1 * (g - *m));
        *v = flushed(*v + rest_2 * (g * g - *v));
        *w -= alpha * *m / (v.sqrt() + epsilon);
    }
}
