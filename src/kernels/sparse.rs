//! Gradients of a convolution if most of `dy` is zero, as below a max pooling.
//!
//! Each nonzero `dy[i, j, f]` adds `dy·window` to `dW[f]`, and `dy·W[f]` to the gradient of that
//! window. So both gradients are sums of scaled rows, from which zeros are left out. The lanes run
//! along a window, for which the kernel and its gradient are transposed: filters first.

use std::ops::Range;

use super::convolution::BackwardInput;
use super::kernel;
use super::simd::{QUAD, Simd};
use super::windows::Convolution;
use crate::Real;

/// Length of the largest kernel that is transposed.
const MAX_KERNEL: usize = 1 << 18;
/// Terms that are added at a time.
const MAX_TERMS: usize = 256;

/// Row to be added, with its factor.
#[derive(Clone, Copy)]
struct Term {
    start: usize,
    factor: Real,
}

impl Term {
    const ZERO: Term = Term { start: 0, factor: 0.0 };
}

/// True if the sparse gradients are faster for an image: its windows can be read in place, the rows
/// of a window and the filters fill registers, and fewer than `limit` values of `dy` are nonzero.
fn is_profitable(c: &Convolution, dy: &[Real], limit: usize) -> bool {
    let fits = c.is_unpadded()
        && c.columns.dilation == 1
        && c.run().is_multiple_of(16)
        && c.filters.is_multiple_of(16)
        && c.filters * c.depth() <= MAX_KERNEL;
    fits && dy.iter().filter(|dy| **dy != 0.0).count() < limit
}

/// Consecutive images whose gradients are all sparse or all dense.
pub(super) struct Part {
    pub images: Range<usize>,
    pub sparse: bool,
}

impl Part {
    /// Range of their inputs.
    pub fn inputs(&self, c: &Convolution) -> Range<usize> {
        self.images.start * c.n_inputs()..self.images.end * c.n_inputs()
    }

    /// Range of their outputs.
    pub fn outputs(&self, c: &Convolution) -> Range<usize> {
        self.images.start * c.n_outputs()..self.images.end * c.n_outputs()
    }
}

/// Splits images by the sparsity of their gradients, which are sparse if fewer than `limit` values
/// of an image are nonzero.
pub(super) fn split_by_sparsity(
    c: &Convolution,
    dy: &[Real],
    limit: usize,
) -> impl Iterator<Item = Part> {
    let n = dy.len() / c.n_outputs();
    let is_sparse =
        move |image: usize| is_profitable(c, &dy[image * c.n_outputs()..][..c.n_outputs()], limit);
    let mut next = 0;
    // Parts alternate.
    let mut sparse = n > 0 && is_sparse(0);
    std::iter::from_fn(move || {
        let start = next;
        if start == n {
            return None;
        }
        next = (start + 1..n).find(|&image| is_sparse(image) != sparse).unwrap_or(n);
        let part = Part { images: start..next, sparse };
        sparse = !sparse;
        Some(part)
    })
}

/// Length of the scratch memory that the two functions below need.
pub(super) fn scratch_len(c: &Convolution) -> usize {
    MAX_KERNEL.min(c.filters.saturating_mul(c.depth()))
}

/// Distance between the rows of a window.
fn row_stride(c: &Convolution) -> usize {
    c.rows.dilation * c.columns.input * c.channels
}

/// Offsets of the windows of an image.
fn windows(c: &Convolution) -> impl Iterator<Item = usize> {
    let down = c.rows.stride * c.columns.input * c.channels;
    let across = c.columns.stride * c.channels;
    let columns = c.columns.output;
    (0..c.rows.output).flat_map(move |i| (0..columns).map(move |j| i * down + j * across))
}

kernel! {
    /// Writes the gradient of the kernel, or adds to it if `accumulate`.
    pub(super) fn kernel_gradient<S: Simd>(
        c: &Convolution,
        input: BackwardInput,
        d_kernel: &mut [Real],
        accumulate: bool,
        scratch: &mut [Real],
    ) {
        let (n, depth, run, stride) = (c.filters, c.depth(), c.run(), row_stride(c));
        let sums = &mut scratch[..n * depth];
        sums.fill(0.0);
        let mut starts = [0; MAX_TERMS];
        let mut terms = [Term::ZERO; MAX_TERMS];
        for (x, dy) in input.images(c) {
            let mut windows = windows(c);
            for dy in dy.chunks(MAX_TERMS * n) {
                starts.iter_mut().zip(&mut windows).for_each(|(start, window)| *start = window);
                for (f, sums) in sums.chunks_exact_mut(depth).enumerate() {
                    let factors = dy[f..].iter().step_by(n);
                    let all = starts.iter().zip(factors);
                    let all = all.map(|(&start, &factor)| Term { start, factor });
                    let terms = nonzero(&mut terms, all);
                    for (row, sums) in sums.chunks_exact_mut(run).enumerate() {
                        add_rows::<S>(sums, terms, &x[row * stride..]);
                    }
                }
            }
        }
        transpose::<S>(sums, depth, d_kernel, accumulate);
    }
}

kernel! {
    /// Writes `dx`, given `dy`.
    pub(super) fn input_gradient<S: Simd>(
        c: &Convolution,
        kernel: &[Real],
        dy: &[Real],
        dx: &mut [Real],
        scratch: &mut [Real],
    ) {
        let (n, depth, run, stride) = (c.filters, c.depth(), c.run(), row_stride(c));
        let filters = &mut scratch[..n * depth];
        transpose::<S>(kernel, n, filters, false);
        dx.fill(0.0);
        let mut terms = [Term::ZERO; MAX_TERMS];
        for (dy, dx) in dy.chunks_exact(c.n_outputs()).zip(dx.chunks_exact_mut(c.n_inputs())) {
            for (window, dy) in windows(c).zip(dy.chunks_exact(n)) {
                for (block, dy) in dy.chunks(MAX_TERMS).enumerate() {
                    let all = (block * MAX_TERMS..).zip(dy);
                    let all = all.map(|(f, &factor)| Term { start: f * depth, factor });
                    let terms = nonzero(&mut terms, all);
                    for row in 0..c.rows.kernel {
                        let to = &mut dx[window + row * stride..][..run];
                        add_rows::<S>(to, terms, &filters[row * run..]);
                    }
                }
            }
        }
    }
}

/// Collects the terms with a nonzero factor, without a branch.
#[inline(always)]
fn nonzero(kept: &mut [Term; MAX_TERMS], terms: impl Iterator<Item = Term>) -> &[Term] {
    let mut n = 0;
    for term in terms {
        kept[n % MAX_TERMS] = term;
        n += usize::from(term.factor != 0.0);
    }
    &kept[..n.min(MAX_TERMS)]
}

/// `to += Σ factor·row`, for rows of `from` that begin at the terms' starts.
#[inline(always)]
fn add_rows<S: Simd>(to: &mut [Real], terms: &[Term], from: &[Real]) {
    let mut at = 0;
    while at < to.len() {
        let (to, from) = (&mut to[at..], &from[at..]);
        at += match to.len() / S::LANES {
            12.. => add_registers::<S, 12>(to, terms, from),
            4.. => add_registers::<S, 4>(to, terms, from),
            _ => add_registers::<S, 1>(to, terms, from),
        };
    }
}

/// `to += Σ factor·row` for the first `NV` registers; returns their length.
#[inline(always)]
fn add_registers<S: Simd, const NV: usize>(
    to: &mut [Real],
    terms: &[Term],
    from: &[Real],
) -> usize {
    let to = &mut to[..NV * S::LANES];
    let mut sums = [S::splat(0.0); NV];
    for v in 0..NV {
        sums[v] = S::load(&to[v * S::LANES..]);
    }
    for term in terms {
        let row = &from[term.start..][..NV * S::LANES];
        let factor = S::splat(term.factor);
        for v in 0..NV {
            sums[v] = S::mul_add(factor, S::load(&row[v * S::LANES..]), sums[v]);
        }
    }
    for v in 0..NV {
        S::store(sums[v], &mut to[v * S::LANES..]);
    }
    NV * S::LANES
}

/// Writes the transpose of a matrix with rows of length `width`, or adds it if `accumulate`. Both
/// sizes fill registers.
#[inline(always)]
fn transpose<S: Simd>(from: &[Real], width: usize, to: &mut [Real], accumulate: bool) {
    let height = from.len() / width;
    let one = S::splat(1.0);
    for (i, rows) in (0..height).step_by(QUAD).zip(from.chunks_exact(QUAD * width)) {
        for j in (0..width).step_by(S::LANES) {
            let mut quads = [S::splat(0.0); QUAD];
            for k in 0..QUAD {
                quads[k] = S::load(&rows[k * width + j..]);
            }
            let quads = S::transpose(quads);
            for k in 0..QUAD {
                let to = &mut to[(j + k) * height + i..];
                let before =
                    if accumulate { S::load_quads(to, QUAD * height) } else { S::splat(0.0) };
                S::store_quads(S::mul_add(one, before, quads[k]), to, QUAD * height);
            }
        }
    }
}
