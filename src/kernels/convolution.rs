//! Convolution of channels-last images with kernels of `height × width × channels × filters`, as
//! one matrix product.
//!
//! The left factor has one row per output pixel: the values of its window. The right factor is the
//! kernel. The left one is never stored: in an unpadded image a window is a few contiguous runs of
//! memory, which the tiles read in place. A padded image is copied with its border, a few rows (a
//! band) at a time. The gradient of the input is the convolution of `dy` with the flipped kernel,
//! so each of its values is written once; the gradient of the kernel is the product of the
//! transposed windows with `dy`.
//!
//! That is the algorithm for any geometry. Where they are faster, `winograd` (3 × 3 windows),
//! `few_filters`, `overlap_add` (few channels, for the gradient of the input) and `sparse` take its
//! place; geometry decides, and for `sparse` the zeros of an image's gradient.
//!
//! Rejected: storing the windows (im2col), whose memory grows with the kernel's area and which was
//! slower.

use super::filters::Filters;
use super::lhs::Windows;
use super::panels::{MAX_NR, Matrix, Panels, panel_len, panel_width, panels_at_a_time};
use super::tiles::{self, Columns};
use super::windows::Band;
use super::{few_filters, kernel, overlap_add, sparse, winograd};
use crate::Real;

pub use super::windows::{Axis, Convolution, Padding};

/// Approximate length of the packed panels.
const PACKED: usize = 1 << 18;
/// Pixels of the inner dimension that are packed at a time for the gradient of the kernel.
const KC: usize = 256;

/// Weights of a convolution.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a> {
    /// Kernel: `height × width × channels × filters`.
    pub kernel: &'a [Real],
    /// Bias of each filter; empty for none.
    pub bias: &'a [Real],
}

/// Images and the gradient of their output.
#[derive(Debug, Clone, Copy)]
pub struct BackwardInput<'a> {
    /// Input images.
    pub x: &'a [Real],
    /// Gradient of the output images.
    pub dy: &'a [Real],
}

impl<'a> BackwardInput<'a> {
    /// Iterates over the images with their gradients.
    pub(super) fn images(
        &self,
        c: &Convolution,
    ) -> impl Iterator<Item = (&'a [Real], &'a [Real])> + use<'a> {
        self.x.chunks_exact(c.n_inputs()).zip(self.dy.chunks_exact(c.n_outputs()))
    }
}

impl Convolution {
    /// Length of the scratch memory that the forward pass and both gradients need.
    pub fn scratch_len(&self) -> usize {
        let kernel_gradient = self
            .band_len(self.kc_rows())
            .saturating_add(panel_len(self.filters.next_multiple_of(MAX_NR), self.kc_pixels()));
        self.correlation_len()
            .max(self.transposed().correlation_len())
            .max(kernel_gradient)
            .max(sparse::scratch_len(self))
            .max(few_filters::scratch_len(self))
            .max(few_filters::scratch_len(&self.transposed()))
            .max(overlap_add::scratch_len(self))
            .max(winograd::scratch_len(self))
            .max(winograd::scratch_len(&self.transposed()))
    }

    /// Length of the scratch memory of [`correlate`].
    fn correlation_len(&self) -> usize {
        let all = panel_len(self.filters.next_multiple_of(MAX_NR), self.depth());
        let packed = panel_len(MAX_NR, self.depth()).max(all.min(PACKED));
        self.band_len(self.band_rows()).saturating_add(packed)
    }

    /// Length of the part of the padded image that `rows` output rows are computed from.
    fn band_len(&self, rows: usize) -> usize {
        let row = self.columns.padded(self.columns.output).saturating_mul(self.channels);
        self.rows.padded(rows).saturating_mul(row)
    }

    /// Number of output rows that have about [`KC`] pixels.
    fn kc_rows(&self) -> usize {
        (KC / self.columns.output).clamp(1, self.rows.output)
    }

    /// Number of pixels in these rows.
    fn kc_pixels(&self) -> usize {
        self.kc_rows() * self.columns.output
    }
}

/// Writes `y`, given `x`.
pub fn forward(
    c: &Convolution,
    weights: Weights,
    x: &[Real],
    y: &mut [Real],
    scratch: &mut [Real],
) {
    correlate_dense(c, Filters { weights, flipped: false }, x, y, scratch);
}

/// Writes `dx`, given `dy`.
pub fn input_gradient(
    c: &Convolution,
    kernel: &[Real],
    dy: &[Real],
    dx: &mut [Real],
    scratch: &mut [Real],
) {
    let transposed = c.transposed();
    for part in sparse::split_by_sparsity(c, dy, sparse_limit(c, &transposed)) {
        let dy = &dy[part.outputs(c)];
        let dx = &mut dx[part.inputs(c)];
        if part.sparse {
            sparse::input_gradient(c, kernel, dy, dx, scratch);
        } else if overlap_add::is_profitable(c) {
            overlap_add::input_gradient(c, kernel, dy, dx, scratch);
        } else {
            let filters = Filters { weights: Weights { kernel, bias: &[] }, flipped: true };
            correlate_dense(&transposed, filters, dy, dx, scratch);
        }
    }
}

/// Writes the gradient of the kernel, or adds to it if `accumulate`.
pub fn kernel_gradient(
    c: &Convolution,
    input: BackwardInput,
    d_kernel: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    for part in sparse::split_by_sparsity(c, input.dy, sparse_limit(c, c)) {
        let accumulate = accumulate || part.images.start > 0;
        let input = BackwardInput { x: &input.x[part.inputs(c)], dy: &input.dy[part.outputs(c)] };
        if part.sparse {
            sparse::kernel_gradient(c, input, d_kernel, accumulate, scratch);
        } else if winograd::is_profitable(c) {
            winograd::kernel_gradient(c, input, d_kernel, accumulate, scratch);
        } else if few_filters::is_gradient_profitable(c) {
            few_filters::kernel_gradient(c, input, d_kernel, accumulate, scratch);
        } else {
            correlate_transposed(c, input, d_kernel, accumulate, scratch);
        }
    }
}

/// Number of nonzero gradients of an image below which the sparse gradient is faster than the dense
/// one, which is that of `dense`.
fn sparse_limit(c: &Convolution, dense: &Convolution) -> usize {
    if winograd::is_profitable(dense) {
        return 2 * winograd::n_tiles(dense) * c.filters;
    }
    c.n_outputs().div_ceil(3)
}

/// Writes `y`, given `x`, by the fastest algorithm for this geometry.
fn correlate_dense(
    c: &Convolution,
    filters: Filters,
    x: &[Real],
    y: &mut [Real],
    scratch: &mut [Real],
) {
    if winograd::is_profitable(c) {
        winograd::correlate(c, filters, x, y, scratch);
    } else if few_filters::is_profitable(c) {
        few_filters::correlate(c, filters, x, y, scratch);
    } else {
        correlate(c, filters, x, y, scratch);
    }
}

kernel! {
    fn correlate<S: Simd>(
        c: &Convolution,
        filters: Filters,
        x: &[Real],
        y: &mut [Real],
        scratch: &mut [Real],
    ) {
        let Weights { kernel, bias } = filters.weights;
        let (n, ow, depth) = (c.filters, c.columns.output, c.depth());
        let width = panel_width::<S>(n);
        let nc = panels_at_a_time(n.div_ceil(width), panel_len(width, depth), PACKED);
        let (packed, padded) = scratch.split_at_mut(nc * panel_len(width, depth));
        let band_rows = c.band_rows();
        for first in (0..n).step_by(nc * width) {
            let mut panels = Panels { data: &mut *packed, width, depth };
            panels.start(bias, first, n);
            if filters.flipped {
                for pixel in 0..c.rows.kernel * c.columns.kernel {
                    let b = filters.flipped_pixel(c, pixel);
                    panels.pack::<S>(b, first, pixel * c.channels);
                }
            } else {
                let b = row_major(kernel, n);
                panels.pack::<S>(b, first, 0);
            }
            for (x, y) in x.chunks_exact(c.n_inputs()).zip(y.chunks_exact_mut(c.n_outputs())) {
                for (number, y) in y.chunks_mut(band_rows * ow * n).enumerate() {
                    let rows = y.len() / (ow * n);
                    let Band { data, row, nonzero } = c.band(x, number * band_rows, rows, padded);
                    let (rows, columns) = (c.pixels(rows, row), c.window(row));
                    let a = Windows { data, rows, columns, nonzero };
                    let columns = Columns { n, first, accumulate: false };
                    tiles::product::<S>(&a, packed, y, columns);
                }
            }
        }
    }
}

kernel! {
    /// Writes the product of the transposed windows with `dy`, or adds it if `accumulate`.
    fn correlate_transposed<S: Simd>(
        c: &Convolution,
        input: BackwardInput,
        d_kernel: &mut [Real],
        accumulate: bool,
        scratch: &mut [Real],
    ) {
        let mut accumulate = accumulate;
        let (n, ow) = (c.filters, c.columns.output);
        let width = panel_width::<S>(n);
        let panel = panel_len(width, c.kc_pixels());
        let nc = panels_at_a_time(n.div_ceil(width), panel, PACKED);
        let (packed, padded) = scratch.split_at_mut(nc * panel);
        for (x, dy) in input.images(c) {
            for (number, dy) in dy.chunks(c.kc_pixels() * n).enumerate() {
                let depth = dy.len() / n;
                let band = c.band(x, number * c.kc_rows(), depth / ow, padded);
                let Band { data, row, nonzero } = band;
                let (rows, columns) = (c.window(row), c.pixels(depth / ow, row));
                let a = Windows { data, rows, columns, nonzero };
                let packed = &mut packed[..nc * panel_len(width, depth)];
                for first in (0..n).step_by(nc * width) {
                    let mut panels = Panels { data: &mut *packed, width, depth };
                    panels.start(&[], first, n);
                    panels.pack::<S>(row_major(dy, n), first, 0);
                    let columns = Columns { n, first, accumulate };
                    tiles::product::<S>(&a, packed, d_kernel, columns);
                }
                accumulate = true;
            }
        }
    }
}

/// Contiguous matrix with `columns` columns.
fn row_major(data: &[Real], columns: usize) -> Matrix<'_> {
    let rows = data.len() / columns;
    Matrix { data, rows, columns, row_stride: columns, column_stride: 1 }
}
