//! The gradients of a convolution where most of `dy` is zero, as it is behind a max pool.
//!
//! A number of `dy` adds its window, that many times, to the gradient of its filter, and the
//! weights of its filter, that many times, to the gradient of its window. So both are sums of a few
//! lines with a factor each, and a zero is left out. The lanes run along a window, for which the
//! kernel and its gradient are turned on their side: filters first.

use super::kernel;
use super::lanes::{FOUR, Lanes};
use super::windows::Convolution;
use crate::Real;

/// The most numbers of a kernel that is turned.
const MOST: usize = 1 << 18;
/// Lines that are summed at a time.
const TERMS: usize = 256;

/// Where a line begins, and its factor.
type Term = (usize, Real);

/// Whether this way pays for an image: its windows lie in memory as they are, in lines that fill
/// registers, as its filters do, and less than a third of `dy` is not zero.
pub(super) fn pays(c: &Convolution, dy: &[Real]) -> bool {
    let fits = c.as_is()
        && c.columns.dilation == 1
        && run(c).is_multiple_of(16)
        && c.filters.is_multiple_of(16);
    fits && c.filters * c.depth() <= MOST
        && dy.iter().filter(|dy| **dy != 0.0).count() * 3 < dy.len()
}

/// Numbers of scratch memory that the two functions below need.
pub(super) fn scratch_len(c: &Convolution) -> usize {
    MOST.min(c.filters.saturating_mul(c.depth()))
}

/// The values of a window that lie one behind the other.
fn run(c: &Convolution) -> usize {
    c.columns.kernel * c.channels
}

/// Where the windows of an image begin, and how far it is from one line of a window to the next.
fn windows(c: &Convolution) -> (impl Iterator<Item = usize>, usize) {
    let row = c.columns.input * c.channels;
    let (down, across, columns) =
        (c.rows.stride * row, c.columns.stride * c.channels, c.columns.output);
    let starts =
        (0..c.rows.output).flat_map(move |i| (0..columns).map(move |j| i * down + j * across));
    (starts, c.rows.dilation * row)
}

kernel! {
    /// The gradient at the kernel: replaced, or added to where `accumulate` says so.
    pub(super) fn kernel_gradient(c: &Convolution, x: &[Real], dy: &[Real], d_kernel: &mut [Real], accumulate: bool, scratch: &mut [Real]) = kernel_gradient_body
}

#[inline(always)]
fn kernel_gradient_body<L: Lanes>(
    c: &Convolution,
    x: &[Real],
    dy: &[Real],
    d_kernel: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, depth, run) = (c.filters, c.depth(), run(c));
    let sums = &mut scratch[..n * depth];
    sums.fill(0.0);
    let (mut starts, mut terms) = ([0; TERMS], [(0, 0.0); TERMS]);
    for (x, dy) in x.chunks_exact(c.n_inputs()).zip(dy.chunks_exact(c.n_outputs())) {
        let (mut windows, step) = windows(c);
        for dy in dy.chunks(TERMS * n) {
            starts.iter_mut().zip(&mut windows).for_each(|(start, window)| *start = window);
            for (f, sums) in sums.chunks_exact_mut(depth).enumerate() {
                let column = dy[f..].iter().step_by(n);
                let terms = list(&mut terms, starts.iter().copied().zip(column.copied()));
                for (line, sums) in sums.chunks_exact_mut(run).enumerate() {
                    add_lines::<L>(sums, terms, &x[line * step..]);
                }
            }
        }
    }
    turn::<L>(sums, depth, d_kernel, accumulate);
}

kernel! {
    /// `dx` from `dy`.
    pub(super) fn input_gradient(c: &Convolution, kernel: &[Real], dy: &[Real], dx: &mut [Real], scratch: &mut [Real]) = input_gradient_body
}

#[inline(always)]
fn input_gradient_body<L: Lanes>(
    c: &Convolution,
    kernel: &[Real],
    dy: &[Real],
    dx: &mut [Real],
    scratch: &mut [Real],
) {
    let (n, depth, run) = (c.filters, c.depth(), run(c));
    let filters = &mut scratch[..n * depth];
    turn::<L>(kernel, n, filters, false);
    dx.fill(0.0);
    let mut terms = [(0, 0.0); TERMS];
    for (dy, dx) in dy.chunks_exact(c.n_outputs()).zip(dx.chunks_exact_mut(c.n_inputs())) {
        let (windows, step) = windows(c);
        for (window, dy) in windows.zip(dy.chunks_exact(n)) {
            for (block, dy) in dy.chunks(TERMS).enumerate() {
                let starts = (block * TERMS..).map(|f| f * depth);
                let terms = list(&mut terms, starts.zip(dy.iter().copied()));
                for line in 0..c.rows.kernel {
                    add_lines::<L>(
                        &mut dx[window + line * step..][..run],
                        terms,
                        &filters[line * run..],
                    );
                }
            }
        }
    }
}

/// Keeps the terms whose factor is not zero.
#[inline(always)]
fn list(kept: &mut [Term; TERMS], terms: impl Iterator<Item = Term>) -> &[Term] {
    let mut n = 0;
    for term in terms {
        kept[n % TERMS] = term;
        n += usize::from(term.1 != 0.0);
    }
    &kept[..n.min(TERMS)]
}

/// `to += Σ factor·line`, for lines of `from` that begin where the terms say.
#[inline(always)]
fn add_lines<L: Lanes>(to: &mut [Real], terms: &[Term], from: &[Real]) {
    let mut at = 0;
    while at < to.len() {
        let (to, from) = (&mut to[at..], &from[at..]);
        at += match to.len() / L::N {
            12.. => add_registers::<L, 12>(to, terms, from),
            4.. => add_registers::<L, 4>(to, terms, from),
            _ => add_registers::<L, 1>(to, terms, from),
        };
    }
}

/// The same for the first `V` registers; their length.
#[inline(always)]
fn add_registers<L: Lanes, const V: usize>(
    to: &mut [Real],
    terms: &[Term],
    from: &[Real],
) -> usize {
    let to = &mut to[..V * L::N];
    let mut sums = [L::splat(0.0); V];
    for v in 0..V {
        sums[v] = L::load(&to[v * L::N..]);
    }
    for &(start, factor) in terms {
        let (line, factor) = (&from[start..][..V * L::N], L::splat(factor));
        for v in 0..V {
            sums[v] = L::multiply_add(factor, L::load(&line[v * L::N..]), sums[v]);
        }
    }
    for v in 0..V {
        L::store(sums[v], &mut to[v * L::N..]);
    }
    V * L::N
}

/// A matrix of rows of this width becomes, or is added to, one of such columns. Both fill
/// registers.
#[inline(always)]
fn turn<L: Lanes>(from: &[Real], width: usize, to: &mut [Real], accumulate: bool) {
    let (height, one) = (from.len() / width, L::splat(1.0));
    for (i, rows) in (0..height).step_by(FOUR).zip(from.chunks_exact(FOUR * width)) {
        for j in (0..width).step_by(L::N) {
            let mut lines = [L::splat(0.0); FOUR];
            for k in 0..FOUR {
                lines[k] = L::load(&rows[k * width + j..]);
            }
            let lines = L::turn(lines);
            for k in 0..FOUR {
                let to = &mut to[(j + k) * height + i..];
                let before =
                    if accumulate { L::load_fours(to, FOUR * height) } else { L::splat(0.0) };
                L::store_fours(L::multiply_add(one, before, lines[k]), to, FOUR * height);
            }
        }
    }
}
