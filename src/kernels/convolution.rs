//! Convolution of channels-last images with kernels of `height × width × channels × filters`, as
//! one product.
//!
//! An output pixel is a row of a matrix whose columns are the values of its window, times the
//! kernel. That matrix is never written down: in an unpadded image a window is a few runs of
//! memory, and the tiles read it from there. A padded image is copied with its border, some rows (a
//! band) at a time. The gradient at the input is the convolution of `dy` with the kernel turned
//! round, so each of its values is written once; the gradient at the kernel is the product of the
//! windows, turned on their side, with `dy`.
//!
//! Rejected: writing the windows out (im2col), whose memory grows with the kernel's area and which
//! was slower.

use std::ops::Range;

use super::kernel;
use super::lanes::Lanes;
use super::sparse;
use super::tiles::{self, Left, Matrix, WIDEST};
use crate::Real;

pub use super::windows::{Axis, Convolution, Padding};

/// Numbers of the kernel that are packed at a time.
const PACKED: usize = 1 << 18;
/// Pixels that a product for the gradient at the kernel runs over.
const INNER: usize = 256;

impl Convolution {
    /// Numbers of scratch memory that the three functions below need.
    pub fn scratch_len(&self) -> usize {
        let image = |c: &Convolution, rows: usize| {
            let row = c.columns.padded(c.columns.output).saturating_mul(c.channels);
            c.rows.padded(rows).saturating_mul(row)
        };
        let one = |c: &Convolution| {
            let panel = (c.depth() + 1) * WIDEST;
            let packed =
                panel.max(PACKED.min((c.depth() + 1) * c.filters.next_multiple_of(WIDEST)));
            image(c, c.band_rows()).saturating_add(packed)
        };
        let dw =
            (self.inner_rows() * self.columns.output + 1) * self.filters.next_multiple_of(WIDEST);
        let dw = image(self, self.inner_rows()).saturating_add(dw);
        one(self).max(one(&self.transposed())).max(dw).max(sparse::scratch_len(self))
    }

    /// Output rows that make about [`INNER`] pixels.
    fn inner_rows(&self) -> usize {
        (INNER / self.columns.output).clamp(1, self.rows.output)
    }
}

/// `y` from `x`: a bias for each filter, or none where that is empty.
pub fn forward(
    c: &Convolution,
    kernel: &[Real],
    bias: &[Real],
    x: &[Real],
    y: &mut [Real],
    scratch: &mut [Real],
) {
    correlate(c, kernel, false, bias, x, y, scratch);
}

/// `dx` from `dy`.
pub fn input_gradient(
    c: &Convolution,
    kernel: &[Real],
    dy: &[Real],
    dx: &mut [Real],
    scratch: &mut [Real],
) {
    for (images, sparse) in alike(c, dy) {
        let dy = &dy[images.start * c.n_outputs()..images.end * c.n_outputs()];
        let dx = &mut dx[images.start * c.n_inputs()..images.end * c.n_inputs()];
        match sparse {
            true => sparse::input_gradient(c, kernel, dy, dx, scratch),
            false => correlate(&c.transposed(), kernel, true, &[], dy, dx, scratch),
        }
    }
}

/// The gradient at the kernel: replaced, or added to where `accumulate` says so.
pub fn kernel_gradient(
    c: &Convolution,
    x: &[Real],
    dy: &[Real],
    d_kernel: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    for (images, sparse) in alike(c, dy) {
        let accumulate = accumulate || images.start > 0;
        let x = &x[images.start * c.n_inputs()..images.end * c.n_inputs()];
        let dy = &dy[images.start * c.n_outputs()..images.end * c.n_outputs()];
        match sparse {
            true => sparse::kernel_gradient(c, x, dy, d_kernel, accumulate, scratch),
            false => correlate_turned(c, x, dy, d_kernel, accumulate, scratch),
        }
    }
}

/// Cuts a batch into images one behind the other whose gradient is sparse, and such whose is not.
fn alike(c: &Convolution, dy: &[Real]) -> impl Iterator<Item = (Range<usize>, bool)> {
    let n = dy.len() / c.n_outputs();
    let is_sparse =
        move |image: usize| sparse::pays(c, &dy[image * c.n_outputs()..][..c.n_outputs()]);
    let mut first = 0;
    std::iter::from_fn(move || {
        let (start, sparse) = (first, first < n && is_sparse(first));
        first = (start + 1..n).find(|&image| is_sparse(image) != sparse).unwrap_or(n);
        (start < n).then_some((start..first, sparse))
    })
}

kernel! {
    fn correlate(c: &Convolution, kernel: &[Real], flipped: bool, bias: &[Real], x: &[Real], y: &mut [Real], scratch: &mut [Real]) = correlate_body
}

#[inline(always)]
fn correlate_body<L: Lanes>(
    c: &Convolution,
    kernel: &[Real],
    flipped: bool,
    bias: &[Real],
    x: &[Real],
    y: &mut [Real],
    scratch: &mut [Real],
) {
    let (n, ow, depth) = (c.filters, c.columns.output, c.depth());
    let width = tiles::width::<L>(n);
    let group = group(n.div_ceil(width), (depth + 1) * width);
    let (packed, padded) = scratch.split_at_mut(group * (depth + 1) * width);
    let (band, taps) = (c.band_rows(), c.rows.kernel * c.columns.kernel);
    for first in (0..n).step_by(group * width) {
        tiles::start(bias, first, n, width, packed, depth);
        if flipped {
            let size = c.channels * n;
            for tap in 0..taps {
                let data = &kernel[(taps - 1 - tap) * size..][..size];
                let b = Matrix {
                    data,
                    rows: c.channels,
                    columns: n,
                    row_stride: 1,
                    column_stride: c.channels,
                };
                tiles::pack::<L>(b, first, width, packed, depth, tap * c.channels);
            }
        } else {
            let b =
                Matrix { data: kernel, rows: depth, columns: n, row_stride: n, column_stride: 1 };
            tiles::pack::<L>(b, first, width, packed, depth, 0);
        }
        for (x, y) in x.chunks_exact(c.n_inputs()).zip(y.chunks_exact_mut(c.n_outputs())) {
            for (number, y) in y.chunks_mut(band * ow * n).enumerate() {
                let rows = y.len() / (ow * n);
                let (data, row, live) = c.band(x, number * band, rows, padded);
                let a = Left { data, rows: c.pixels(rows, row), columns: c.window(row), live };
                tiles::product::<L>(&a, packed, y, n, first, false);
            }
        }
    }
}

kernel! {
    fn correlate_turned(c: &Convolution, x: &[Real], dy: &[Real], d_kernel: &mut [Real], accumulate: bool, scratch: &mut [Real]) = correlate_turned_body
}

#[inline(always)]
fn correlate_turned_body<L: Lanes>(
    c: &Convolution,
    x: &[Real],
    dy: &[Real],
    d_kernel: &mut [Real],
    mut accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, ow) = (c.filters, c.columns.output);
    let width = tiles::width::<L>(n);
    let band = c.inner_rows();
    let group = group(n.div_ceil(width), (band * ow + 1) * width);
    let (packed, padded) = scratch.split_at_mut(group * (band * ow + 1) * width);
    for (x, dy) in x.chunks_exact(c.n_inputs()).zip(dy.chunks_exact(c.n_outputs())) {
        for (number, dy) in dy.chunks(band * ow * n).enumerate() {
            let pixels = dy.len() / n;
            let (data, row, live) = c.band(x, number * band, pixels / ow, padded);
            let a = Left { data, rows: c.window(row), columns: c.pixels(pixels / ow, row), live };
            let b = Matrix { data: dy, rows: pixels, columns: n, row_stride: n, column_stride: 1 };
            let packed = &mut packed[..group * (pixels + 1) * width];
            for first in (0..n).step_by(group * width) {
                tiles::start(&[], first, n, width, packed, pixels);
                tiles::pack::<L>(b, first, width, packed, pixels, 0);
                tiles::product::<L>(&a, packed, d_kernel, n, first, accumulate);
            }
            accumulate = true;
        }
    }
}

fn group(panels: usize, panel: usize) -> usize {
    panels.div_ceil(panels.div_ceil((PACKED / panel).max(1)))
}
