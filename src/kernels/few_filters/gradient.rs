//! Gradient of the kernel: sums over pixels, which run along the lanes.

use super::super::convolution::BackwardInput;
use super::super::kernel;
use super::super::simd::{MAX_LANES, QUAD, Simd};
use super::super::windows::Convolution;
use super::planes::{Planes, copy_gradient, copy_input};
use super::{MAX_FILTERS, MAX_TAPS};
use crate::Real;

/// Taps of the tile with the most.
const MAX_T: usize = 5;

/// Length of the sums, one per lane, of a kernel with this number of taps.
pub(super) fn sums_len(taps: usize) -> usize {
    (taps + MAX_T) * MAX_FILTERS * MAX_LANES
}

kernel! {
    /// Writes the gradient of the kernel, or adds to it if `accumulate`.
    pub(in super::super) fn kernel_gradient<S: Simd>(
        c: &Convolution,
        input: BackwardInput,
        d_kernel: &mut [Real],
        accumulate: bool,
        scratch: &mut [Real],
    ) {
        // T × NF registers of sums leave room for NF of dy and one of x.
        match (c.filters, S::REGISTERS) {
            (1, 32) => tiles::<S, 5, 1>(c, input, d_kernel, accumulate, scratch),
            (1, _) => tiles::<S, 3, 1>(c, input, d_kernel, accumulate, scratch),
            (3 | 5 | 6, 32) => tiles::<S, 5, 3>(c, input, d_kernel, accumulate, scratch),
            (3 | 5 | 6, _) => tiles::<S, 3, 3>(c, input, d_kernel, accumulate, scratch),
            (_, 32) => tiles::<S, 5, 4>(c, input, d_kernel, accumulate, scratch),
            _ => tiles::<S, 3, 4>(c, input, d_kernel, accumulate, scratch),
        }
    }
}

/// Tiles of `T` taps and `NF` filters.
#[inline(always)]
fn tiles<S: Simd, const T: usize, const NF: usize>(
    c: &Convolution,
    input: BackwardInput,
    d_kernel: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (of_x, of_dy) = (Planes::of_input(c), Planes::of_gradient(c));
    let (groups, taps) = (c.filters.div_ceil(NF), c.depth());
    let (x_planes, scratch) = scratch.split_at_mut(c.channels * of_x.len());
    let (dy_planes, sums) = scratch.split_at_mut(groups * NF * of_dy.len());
    let sums = &mut sums[..taps.div_ceil(T) * T * groups * NF * S::LANES];
    sums.fill(0.0);
    let mut offsets = [0; MAX_TAPS + MAX_T];
    for (tap, offset) in offsets[..taps.next_multiple_of(T)].iter_mut().enumerate() {
        *offset = offset_of(c, of_x, tap.min(taps - 1));
    }
    let row = c.columns.output * c.filters;
    for (x, dy) in input.images(c) {
        for (number, dy) in dy.chunks(of_dy.rows * row).enumerate() {
            copy_input(c, x, number * of_dy.rows, x_planes);
            copy_gradient::<S>(c, dy, dy_planes);
            let rows = dy.len() / row;
            let mut sums = sums.chunks_exact_mut(T * NF * S::LANES);
            for offsets in offsets[..taps.next_multiple_of(T)].as_chunks::<T>().0 {
                for planes in dy_planes.chunks_exact(NF * of_dy.len()) {
                    let sums = sums.next().unwrap_or_default();
                    add_products::<S, T, NF>(offsets, x_planes, of_x, planes, of_dy, rows, sums);
                }
            }
        }
    }
    store::<S, T, NF>(c, sums, d_kernel, accumulate);
}

/// Distance in the planes from a pixel of dy to the one of x that a tap multiplies it with. Taps
/// are in the order of channels, rows and columns of the window.
fn offset_of(c: &Convolution, size: Planes, tap: usize) -> usize {
    let (rest, b) = (tap / c.columns.kernel, tap % c.columns.kernel);
    let (channel, a) = (rest / c.rows.kernel, rest % c.rows.kernel);
    channel * size.len() + a * size.pitch + b
}

/// Adds the products of some rows to the sums of a tile.
#[inline(always)]
fn add_products<S: Simd, const T: usize, const NF: usize>(
    offsets: &[usize; T],
    x: &[Real],
    of_x: Planes,
    dy: &[Real],
    of_dy: Planes,
    rows: usize,
    to: &mut [Real],
) {
    let mut sums = [[S::splat(0.0); NF]; T];
    for t in 0..T {
        for f in 0..NF {
            sums[t][f] = S::load(&to[(t * NF + f) * S::LANES..]);
        }
    }
    for row in 0..rows {
        let mut x_lines: [&[Real]; T] = [&[]; T];
        for t in 0..T {
            x_lines[t] = &x[offsets[t] + row * of_x.pitch..][..of_dy.pitch];
        }
        let mut dy_lines: [&[Real]; NF] = [&[]; NF];
        for f in 0..NF {
            dy_lines[f] = &dy[f * of_dy.len() + row * of_dy.pitch..][..of_dy.pitch];
        }
        for column in (0..of_dy.pitch).step_by(S::LANES) {
            let mut dy = [S::splat(0.0); NF];
            for f in 0..NF {
                dy[f] = S::load(&dy_lines[f][column..]);
            }
            for t in 0..T {
                let x = S::load(&x_lines[t][column..]);
                for f in 0..NF {
                    sums[t][f] = S::mul_add(x, dy[f], sums[t][f]);
                }
            }
        }
    }
    for t in 0..T {
        for f in 0..NF {
            S::store(sums[t][f], &mut to[(t * NF + f) * S::LANES..]);
        }
    }
}

/// Adds up the lanes of each sum and writes or adds the gradient.
#[inline(always)]
fn store<S: Simd, const T: usize, const NF: usize>(
    c: &Convolution,
    sums: &[Real],
    d_kernel: &mut [Real],
    accumulate: bool,
) {
    let groups = c.filters.div_ceil(NF);
    let pixels = c.rows.kernel * c.columns.kernel;
    for tap in 0..c.depth() {
        let (channel, pixel) = (tap / pixels, tap % pixels);
        let to = &mut d_kernel[(pixel * c.channels + channel) * c.filters..][..c.filters];
        for (f, to) in to.iter_mut().enumerate() {
            let tile = tap / T * groups + f / NF;
            let at = (tile * T + tap % T) * NF + f % NF;
            let mut quad = [S::splat(0.0); QUAD];
            quad[0] = S::load(&sums[at * S::LANES..]);
            let [sum, ..] = S::sums(quad);
            *to = if accumulate { *to + sum } else { sum };
        }
    }
}
