//! Convolution with up to eight filters, such as the first one of LeNet-5.
//!
//! A panel of full registers would stay half empty, so here the lanes run along the pixels of a
//! row. Channels-last images are copied to planes first, one per channel and padded:
//!
//! ```text
//!                plane of a channel        window at b = 0 and b = 1, 16 pixels at a time
//!   row i        ┌────────────────────┐    ├───────────────┤
//!   row i + 1    │                    │     ├───────────────┤
//!                └────────────────────┘     × W[a, b, c, f], in every lane: sums of filter f
//! ```
//!
//! A forward tile holds the sums of some registers of pixels and all filters. For the gradient of
//! the kernel, dy is copied to planes too; a tile holds some taps (weights of a filter) times some
//! filters, one sum per lane, and the lanes are added at the end. The geometry alone decides, so a
//! row's bits do not depend on the other rows.

mod gradient;
mod planes;

use self::planes::{Planes, copy_input};
use super::filters::Filters;
use super::kernel;
use super::simd::{MAX_LANES, Simd};
use super::small_n::{self, Place};
use super::windows::Convolution;
use crate::Real;

pub(super) use self::gradient::kernel_gradient;

/// Largest number of filters.
const MAX_FILTERS: usize = 8;
/// Approximate length of the planes.
const PLANES: usize = 1 << 14;
/// Largest number of taps, whose sums of the kernel's gradient have a register each.
const MAX_TAPS: usize = 256;

/// True if lanes along the pixels are faster for this geometry.
pub(super) fn is_profitable(c: &Convolution) -> bool {
    let is_dense = c.rows.is_dense() && c.columns.is_dense();
    is_dense && c.filters <= MAX_FILTERS && c.columns.output >= 8
}

/// The same for the gradient of the kernel.
pub(super) fn is_gradient_profitable(c: &Convolution) -> bool {
    is_profitable(c) && c.depth() <= MAX_TAPS
}

/// Length of the scratch memory that the functions below need.
pub(super) fn scratch_len(c: &Convolution) -> usize {
    if !is_profitable(c) {
        return 0;
    }
    let planes = c.channels * Planes::of_input(c).len();
    if !is_gradient_profitable(c) {
        return planes + c.depth() * MAX_FILTERS;
    }
    planes + MAX_FILTERS * Planes::of_gradient(c).len() + gradient::sums_len(c.depth())
}

kernel! {
    /// Writes `y`, given `x`.
    pub(super) fn correlate<S: Simd>(
        c: &Convolution,
        filters: Filters,
        x: &[Real],
        y: &mut [Real],
        scratch: &mut [Real],
    ) {
        match (c.filters, S::REGISTERS) {
            (1, _) => tiles::<S, 8, 1>(c, &filters, x, y, scratch),
            (2..=4, 32) => tiles::<S, 6, 4>(c, &filters, x, y, scratch),
            (2..=4, _) => tiles::<S, 3, 4>(c, &filters, x, y, scratch),
            (5..=6, 32) => tiles::<S, 4, 6>(c, &filters, x, y, scratch),
            (5..=6, _) => tiles::<S, 2, 6>(c, &filters, x, y, scratch),
            (_, 32) => tiles::<S, 3, 8>(c, &filters, x, y, scratch),
            _ => tiles::<S, 1, 8>(c, &filters, x, y, scratch),
        }
    }
}

/// Tiles of `R` registers of pixels and `NF` filters, at least as many as the convolution has.
#[inline(always)]
fn tiles<S: Simd, const R: usize, const NF: usize>(
    c: &Convolution,
    filters: &Filters,
    x: &[Real],
    y: &mut [Real],
    scratch: &mut [Real],
) {
    let (n, ow) = (c.filters, c.columns.output);
    let size = Planes::of_input(c);
    let (packed, planes) = scratch.split_at_mut(c.depth() * NF);
    filters.pack_by_channel(c, NF, packed);
    let mut bias = [0.0; NF];
    bias.iter_mut().zip(filters.weights.bias).for_each(|(to, from)| *to = *from);
    let across = ow.div_ceil(S::LANES);
    // The last register of a row overlaps the one before.
    let start = |register: usize| (register * S::LANES).min(ow.saturating_sub(S::LANES));
    let band = Planes::of_gradient(c).rows;
    for (x, y) in x.chunks_exact(c.n_inputs()).zip(y.chunks_exact_mut(c.n_outputs())) {
        for (number, y) in y.chunks_mut(band * ow * n).enumerate() {
            copy_input(c, x, number * band, planes);
            let registers = y.len() / (ow * n) * across;
            for first in (0..registers).step_by(R) {
                let mut at = [[0; 2]; R];
                for (r, at) in at.iter_mut().enumerate() {
                    let register = (first + r).min(registers - 1);
                    *at = [register / across, start(register % across)];
                }
                let sums = tile::<S, R, NF>(c, &at, planes, size, packed, &bias);
                // Constant indices, without which the sums would not stay in registers.
                let mut tile = [[[0.0; MAX_LANES]; NF]; R];
                for r in 0..R {
                    for f in 0..NF {
                        S::store(sums[r][f], &mut tile[r][f]);
                    }
                }
                for (sums, [row, column]) in tile.iter().zip(at) {
                    store::<S, NF>(sums, &mut y[(row * ow + column) * n..], n, ow);
                }
            }
        }
    }
}

/// Sums of the windows at these rows and columns.
#[inline(always)]
fn tile<S: Simd, const R: usize, const NF: usize>(
    c: &Convolution,
    at: &[[usize; 2]; R],
    planes: &[Real],
    size: Planes,
    packed: &[Real],
    bias: &[Real; NF],
) -> [[S::Vector; NF]; R] {
    let mut sums = [[S::splat(0.0); NF]; R];
    for r in 0..R {
        for f in 0..NF {
            sums[r][f] = S::splat(bias[f]);
        }
    }
    let mut rows = packed.chunks_exact(c.columns.kernel * NF);
    for plane in planes.chunks_exact(size.len()).take(c.channels) {
        for (a, weights) in rows.by_ref().take(c.rows.kernel).enumerate() {
            let mut lines: [&[Real]; R] = [&[]; R];
            for r in 0..R {
                let start = (at[r][0] + a) * size.pitch + at[r][1];
                lines[r] = &plane[start..][..S::LANES + c.columns.kernel - 1];
            }
            for (b, weights) in weights.chunks_exact(NF).enumerate() {
                let mut x = [S::splat(0.0); R];
                for r in 0..R {
                    x[r] = S::load(&lines[r][b..]);
                }
                for f in 0..NF {
                    let weight = S::splat(weights[f]);
                    for r in 0..R {
                        sums[r][f] = S::mul_add(x[r], weight, sums[r][f]);
                    }
                }
            }
        }
    }
    sums
}

/// Stores a register of pixels, or as many as a row of `ow` pixels has.
#[inline(always)]
fn store<S: Simd, const NF: usize>(
    sums: &[[Real; MAX_LANES]; NF],
    y: &mut [Real],
    n: usize,
    ow: usize,
) {
    let mut columns = [S::splat(0.0); NF];
    for f in 0..NF {
        columns[f] = S::load(&sums[f]);
    }
    let place = Place { n, columns: n, accumulate: false };
    if NF == 1 {
        let pixels = S::LANES.min(ow);
        y[..pixels].copy_from_slice(&sums[0][..pixels]);
    } else if ow < S::LANES {
        let mut tile = [0.0; MAX_LANES * MAX_FILTERS];
        small_n::store::<S, NF>(&columns, &mut tile, place);
        y[..ow * n].copy_from_slice(&tile[..ow * n]);
    } else {
        small_n::store::<S, NF>(&columns, y, place);
    }
}
