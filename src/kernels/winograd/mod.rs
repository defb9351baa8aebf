//! Convolution with windows of 3 × 3 pixels one pixel apart, by Winograd's F(4 × 4, 3 × 3): a
//! quarter of the multiplications.
//!
//! ```text
//!   x: 6 × 6 pixels     36 points                          36 points     y: 4 × 4 pixels
//!  ┌─┬─┬─┬─┬─┬─┐                    ┌─────────┐                         ┌─┬─┬─┬─┐
//!  ├─┼─┼─┼─┼─┼─┤  Bᵀ·x·B    tiles  │    V    │· U  =  tiles × filters  ├─┼─┼─┼─┤
//!  ├─┼─┼─┼─┼─┼─┤ ─────────►        │channels │         ─────────►      ├─┼─┼─┼─┤
//!  ├─┼─┼─┼─┼─┼─┤                    └─────────┘          Aᵀ·(V·U)·A      ├─┼─┼─┼─┤
//!  ├─┼─┼─┼─┼─┼─┤          a matrix product for each point                └─┴─┴─┴─┘
//!  └─┴─┴─┴─┴─┴─┘
//! ```
//!
//! The transforms of a tile and of the kernel (U) are in `transforms`; their lanes run
//! along channels or filters. The gradient of the kernel is the same algorithm with dy in the place
//! of the kernel: F(3 × 3, 4 × 4), whose products are summed over the tiles.
//!
//! It does not pay, and is not used, below 16 channels or filters or if they do not fill registers
//! (the transforms then cost more than the products save), for images of so few tiles that the
//! kernel's transform costs as much as the convolution, and where tiles reach too far beyond the
//! image. Rejected: F(2 × 2, 3 × 3), whose 16 products for 4 pixels are 1.8 times as many. The
//! geometry alone decides, so a row's bits do not depend on the other rows. The rounding error is a
//! few times that of the direct sum.

mod tiles;
mod transforms;

use std::ops::Range;

use self::tiles::{Packed, Points, Tile};
use self::transforms::{OfData, OfProducts, OfWeights, POINTS, Transform};
use super::convolution::BackwardInput;
use super::filters::Filters;
use super::kernel;
use super::lhs::{ColumnMajor, RowMajor};
use super::panels::{MAX_NR, panel_len, panel_width, panels_at_a_time};
use super::simd::{QUAD, Simd};
use super::tiles::{Columns, product};
use super::windows::{Axis, Convolution};
use crate::Real;

/// Pixels of a tile of the output along each axis.
const TILE: usize = 4;
/// Products of a tile.
const PRODUCTS: usize = POINTS * POINTS;
/// Channels and filters come in groups that fill the widest register.
const GROUP: usize = 16;
/// Approximate length of the transformed kernel.
const PACKED: usize = 1 << 19;
/// Tiles that are transformed at a time, a multiple of the rows of all register tiles.
const FORWARD_TILES: usize = 24;
/// The same for the gradient of the kernel, whose sums are loaded and stored once for these tiles.
const GRADIENT_TILES: usize = 48;

/// True if Winograd's algorithm is faster for this geometry.
pub(super) fn is_profitable(c: &Convolution) -> bool {
    let outputs = c.rows.output * c.columns.output;
    let tiles = n_tiles(c);
    is_dense(&c.rows)
        && is_dense(&c.columns)
        && c.channels.is_multiple_of(GROUP)
        && c.filters.is_multiple_of(GROUP)
        && tiles >= 4
        && 2 * outputs >= tiles * TILE * TILE
}

/// True for windows of three adjacent pixels, one pixel apart.
fn is_dense(axis: &Axis) -> bool {
    axis.kernel == 3 && axis.is_dense()
}

/// Tiles of an image.
pub(super) fn n_tiles(c: &Convolution) -> usize {
    c.rows.output.div_ceil(TILE) * c.columns.output.div_ceil(TILE)
}

/// Filters whose kernels are transformed at a time: as many as fit [`PACKED`], evened out.
fn filters_at_a_time(c: &Convolution) -> usize {
    let panel = PRODUCTS * c.channels * MAX_NR;
    let panels = panels_at_a_time(c.filters.div_ceil(MAX_NR), panel, PACKED);
    c.filters.min(panels * MAX_NR)
}

/// Length of the scratch memory that the functions below need.
pub(super) fn scratch_len(c: &Convolution) -> usize {
    if !is_profitable(c) {
        return 0;
    }
    let filters = filters_at_a_time(c);
    let columns = filters.next_multiple_of(MAX_NR);
    let correlation = PRODUCTS * panel_len(columns, c.channels)
        + Points::len(FORWARD_TILES * c.channels)
        + Points::len(FORWARD_TILES * filters);
    let gradient = PRODUCTS * panel_len(columns, GRADIENT_TILES)
        + Points::len(GRADIENT_TILES * c.channels)
        + Points::len(c.channels * filters);
    correlation.max(gradient)
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
        let (channels, nc) = (c.channels, filters_at_a_time(c));
        let n_tiles = x.len() / c.n_inputs() * n_tiles(c);
        let packed_len = PRODUCTS * panel_len(nc.next_multiple_of(MAX_NR), channels);
        let (packed, scratch) = scratch.split_at_mut(packed_len);
        let (v, products) = scratch.split_at_mut(Points::len(FORWARD_TILES * channels));
        for first in (0..c.filters).step_by(nc) {
            let nc = nc.min(c.filters - first);
            // The last filters may be so few that `product` reads narrower panels.
            let width = panel_width::<S>(nc);
            let len = panel_len(nc.next_multiple_of(width), channels);
            let data = &mut packed[..PRODUCTS * len];
            let mut u = Packed { data, width, depth: channels, len };
            transform_kernel::<S>(c, &filters, first..first + nc, &mut u);
            for start in (0..n_tiles).step_by(FORWARD_TILES) {
                let block = start..n_tiles.min(start + FORWARD_TILES);
                let mut v = Points { data: &mut *v, size: block.len() * channels };
                transform_input::<S>(c, x, block.clone(), &mut v);
                let mut products = Points { data: &mut *products, size: block.len() * nc };
                for point in 0..PRODUCTS {
                    let data = v.at(point);
                    let a = RowMajor { data, stride: channels, depth: channels };
                    let of_products = Columns { n: nc, first: 0, accumulate: false };
                    product::<S>(&a, u.panels(point), products.at_mut(point), of_products);
                }
                for (row, number) in block.enumerate() {
                    let tile = Tile::new(c, number);
                    for f in (0..nc).step_by(S::LANES) {
                        let sums = OfProducts::tile::<S>(products.load::<S>(row * nc + f));
                        tile.store::<S>(c, sums, filters.weights.bias, first + f, y);
                    }
                }
            }
        }
    }
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
        let (channels, nc) = (c.channels, filters_at_a_time(c));
        let n_tiles = input.x.len() / c.n_inputs() * n_tiles(c);
        let packed_len = PRODUCTS * panel_len(nc.next_multiple_of(MAX_NR), GRADIENT_TILES);
        let (packed, scratch) = scratch.split_at_mut(packed_len);
        let (v, sums) = scratch.split_at_mut(Points::len(GRADIENT_TILES * channels));
        for first in (0..c.filters).step_by(nc) {
            let nc = nc.min(c.filters - first);
            let width = panel_width::<S>(nc);
            let mut sums = Points { data: &mut *sums, size: channels * nc };
            for start in (0..n_tiles).step_by(GRADIENT_TILES) {
                let block = start..n_tiles.min(start + GRADIENT_TILES);
                let depth = block.len();
                let mut v = Points { data: &mut *v, size: depth * channels };
                transform_input::<S>(c, input.x, block.clone(), &mut v);
                let len = panel_len(nc.next_multiple_of(width), depth);
                let data = &mut packed[..PRODUCTS * len];
                let mut packed = Packed { data, width, depth, len };
                transform_gradient::<S>(c, input.dy, block, first..first + nc, &mut packed);
                for point in 0..PRODUCTS {
                    let data = v.at(point);
                    let a = ColumnMajor { data, stride: channels, depth };
                    let of_sums = Columns { n: nc, first: 0, accumulate: start > 0 };
                    product::<S>(&a, packed.panels(point), sums.at_mut(point), of_sums);
                }
            }
            for channel in 0..channels {
                for f in (0..nc).step_by(S::LANES) {
                    let d = OfProducts::tile::<S>(sums.load::<S>(channel * nc + f));
                    let to = &mut d_kernel[channel * c.filters + first + f..];
                    store_kernel::<S>(d, to, channels * c.filters, accumulate);
                }
            }
        }
    }
}

/// Transforms the tiles of the input with these numbers.
#[inline(always)]
fn transform_input<S: Simd>(c: &Convolution, x: &[Real], numbers: Range<usize>, v: &mut Points) {
    for (row, number) in numbers.enumerate() {
        let tile = Tile::new(c, number);
        for channel in (0..c.channels).step_by(S::LANES) {
            let transformed = OfData::tile::<S>(tile.input::<S>(c, x, channel));
            v.store::<S>(transformed, row * c.channels + channel);
        }
    }
}

/// Transforms the kernels of the filters with these numbers.
#[inline(always)]
fn transform_kernel<S: Simd>(
    c: &Convolution,
    filters: &Filters,
    numbers: Range<usize>,
    u: &mut Packed,
) {
    u.start(numbers.len());
    for channel in (0..c.channels).step_by(QUAD) {
        for (column, filter) in numbers.clone().step_by(S::LANES).enumerate() {
            let mut kernels = [[[S::splat(0.0); 3]; 3]; QUAD];
            for i in 0..3 {
                for j in 0..3 {
                    let rows = filters.load::<S>(c, i * 3 + j, channel, filter);
                    for row in 0..QUAD {
                        kernels[row][i][j] = rows[row];
                    }
                }
            }
            for row in 0..QUAD {
                let transformed = OfWeights::tile::<S>(kernels[row]);
                u.store::<S>(transformed, channel + row, column * S::LANES);
            }
        }
    }
}

/// Transforms the tiles of `dy` with these numbers, for these filters.
#[inline(always)]
fn transform_gradient<S: Simd>(
    c: &Convolution,
    dy: &[Real],
    numbers: Range<usize>,
    filters: Range<usize>,
    packed: &mut Packed,
) {
    packed.start(filters.len());
    for (row, number) in numbers.enumerate() {
        let tile = Tile::new(c, number);
        for (column, filter) in filters.clone().step_by(S::LANES).enumerate() {
            let transformed = OfWeights::tile::<S>(tile.output::<S>(c, dy, filter));
            packed.store::<S>(transformed, row, column * S::LANES);
        }
    }
}

/// Stores the gradient of a channel's kernels, or adds it; pixels of the window are `stride` apart.
#[inline(always)]
fn store_kernel<S: Simd>(
    gradient: [[S::Vector; 3]; 3],
    to: &mut [Real],
    stride: usize,
    accumulate: bool,
) {
    for i in 0..3 {
        for j in 0..3 {
            let to = &mut to[(i * 3 + j) * stride..];
            let before = if accumulate { S::load(to) } else { S::splat(0.0) };
            S::store(S::add(before, gradient[i][j]), to);
        }
    }
}
