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
