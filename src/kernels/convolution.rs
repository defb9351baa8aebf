//! Convolution of channels-last images with kernels of `height × width × channels × filters`, as one product.
//!
//! An output pixel is a row of a matrix whose columns are the values of its window, times the kernel. That matrix is
//! never written down: in an unpadded image a window is a few runs of memory, and the tiles read it from there. A
//! padded image is copied with its border, some rows (a band) at a time. The gradient at the input is the convolution of
//! `dy` with the kernel turned round, so each of its values is written once; the gradient at the kernel is the product
//! of the windows, turned on their side, with `dy`.
//!
//! Rejected: writing the windows out (im2col), whose memory grows with the kernel's area and which was slower.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::kernel;
use super::lanes::Lanes;
use super::tiles::{self, Grid, Left, Matrix, WIDEST};
use crate::Real;

/// How an image is continued past its border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Not at all.
    #[default]
    Valid,
    /// As far as it takes for one output a stride; where that is an odd number of pixels, the odd one is at the end.
    Same,
}

/// The windows along one axis of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the image.
    pub input: usize,
    /// The distance of two pixels that are neighbours in memory; between them the image is zero.
    spread: usize,
    /// Pixels in front of it.
    pub before: usize,
    /// Pixels of a window.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// The distance of two pixels of a window.
    pub dilation: usize,
    /// How many windows there are.
    pub output: usize,
}

impl Axis {
    /// The windows over so many pixels; nothing if there is no such window.
    pub fn new(input: usize, kernel: usize, stride: usize, dilation: usize, padding: Padding) -> Option<Axis> {
        let extent = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
        let (output, before) = match padding {
            Padding::Valid => (input.checked_sub(extent)?.checked_div(stride)? + 1, 0),
            Padding::Same => {
                let last = input.checked_sub(1)?.checked_div(stride)?;
                (last + 1, (last * stride).checked_add(extent)?.saturating_sub(input) / 2)
            }
        };
        // Where there is one window, no step is taken: one longer than the image stands for all of them.
        Some(Axis { input, spread: 1, before, kernel, stride: stride.min(input.max(1)), dilation, output })
    }

    /// Pixels that a window spans.
    fn extent(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Pixels that so many windows span.
    fn padded(&self, outputs: usize) -> usize {
        ((outputs - 1) * self.stride).saturating_add(self.extent())
    }

    /// The windows that turn the gradient at the output into that at the input.
    fn transposed(&self) -> Axis {
        Axis {
            input: self.output,
            spread: self.stride,
            before: self.extent() - 1 - self.before,
            stride: 1,
            output: self.input,
            ..*self
        }
    }

    /// Whether the windows can be read from the image as it lies.
    fn as_is(&self) -> bool {
        self.before == 0 && self.spread == 1 && self.padded(self.output) <= self.input
    }

    /// The pixel in memory behind this one of the padded image, if it is not zero.
    fn source(&self, at: usize) -> Option<usize> {
        let at = at.checked_sub(self.before)?;
        if self.spread == 1 {
            return (at < self.input).then_some(at);
        }
        (at % self.spread == 0 && at / self.spread < self.input).then_some(at / self.spread)
    }
}

/// A convolution that knows all its sizes.
#[derive(Debug, Clone, Copy)]
pub struct Convolution {
    /// The windows from top to bottom.
    pub rows: Axis,
    /// The windows from left to right.
    pub columns: Axis,
    /// Values of an input pixel.
    pub channels: usize,
    /// Values of an output pixel.
    pub filters: usize,
}

/// Numbers of the kernel that are packed at a time, and of a padded image that are copied at a time.
const PACKED: usize = 1 << 18;
const BAND: usize = 1 << 14;
/// Pixels that a product for the gradient at the kernel runs over.
const INNER: usize = 256;

impl Convolution {
    fn transposed(&self) -> Convolution {
        Convolution {
            rows: self.rows.transposed(),
            columns: self.columns.transposed(),
            channels: self.filters,
            filters: self.channels,
        }
    }

    /// Values of a window.
    pub fn depth(&self) -> usize {
        self.rows.kernel * self.columns.kernel * self.channels
    }

    /// Numbers of scratch memory that the three functions below need.
    pub fn scratch_len(&self) -> usize {
        let image = |c: &Convolution, rows: usize| {
            let row = c.columns.padded(c.columns.output).saturating_mul(c.channels);
            c.rows.padded(rows).saturating_mul(row)
        };
        let one = |c: &Convolution| {
            let panel = (c.depth() + 1) * WIDEST;
            let packed = panel.max(PACKED.min((c.depth() + 1) * c.filters.next_multiple_of(WIDEST)));
            image(c, c.band_rows()).saturating_add(packed)
        };
        let dw = (self.inner_rows() * self.columns.output + 1) * self.filters.next_multiple_of(WIDEST);
        one(self).max(one(&self.transposed())).max(image(self, self.inner_rows()).saturating_add(dw))
    }

    /// Output rows of a band.
    fn band_rows(&self) -> usize {
        if self.as_is() {
            return self.rows.output;
        }
        let row = self.columns.padded(self.columns.output).saturating_mul(self.channels);
        (BAND / row.saturating_mul(self.rows.stride)).clamp(1, self.rows.output)
    }

    /// Output rows that make about [`INNER`] pixels.
    fn inner_rows(&self) -> usize {
        (INNER / self.columns.output).clamp(1, self.rows.output)
    }
    /// Whether the windows can be read from the image as it lies.
    fn as_is(&self) -> bool {
        self.rows.as_is() && self.columns.as_is()
    }

    /// The image from the row on that the output row `top` starts at, padded if need be; the length of a row of it; and
    /// the stretch outside of which it is zero.
    fn band<'a>(
        &self,
        image: &'a [Real],
        top: usize,
        rows: usize,
        padded: &'a mut [Real],
    ) -> (&'a [Real], usize, Range<usize>) {
        let top = top * self.rows.stride;
        if self.rows.as_is() && self.columns.as_is() {
            let row = self.columns.input * self.channels;
            return (&image[top * row..], row, 0..image.len() - top * row);
        }
        let row = self.columns.padded(self.columns.output) * self.channels;
        let line = self.columns.input * self.channels;
        let height = self.rows.padded(rows);
        let padded = &mut padded[..height * row];
        let before = self.columns.before * self.channels;
        for (i, to) in padded.chunks_exact_mut(row).enumerate() {
            let Some(from) = self.rows.source(top + i) else {
                to.fill(0.0);
                continue;
            };
            let from = &image[from * line..][..line];
            if self.columns.spread == 1 {
                let n = line.min(row - before);
                to[..before].fill(0.0);
                to[before..][..n].copy_from_slice(&from[..n]);
                to[before + n..].fill(0.0);
            } else {
                to.fill(0.0);
                let to = to[before..].chunks_mut(self.columns.spread * self.channels);
                for (to, from) in to.zip(from.chunks_exact(self.channels)) {
                    to[..self.channels].copy_from_slice(from);
                }
            }
        }
        let end = self.rows.before + (self.rows.input - 1) * self.rows.spread + 1;
        let live = self.rows.before.saturating_sub(top).min(height) * row..end.saturating_sub(top).min(height) * row;
        (padded, row, live)
    }

    /// Where the windows of so many output rows begin, in an image whose rows are `row` long.
    fn pixels(&self, rows: usize, row: usize) -> Grid {
        Grid {
            lengths: [rows, 1, self.columns.output],
            steps: [self.rows.stride * row, 0, self.columns.stride * self.channels],
        }
    }

    /// Where the values of a window are, from its beginning.
    fn window(&self, row: usize) -> Grid {
        let (kernel, channels) = (self.columns.kernel, self.channels);
        let (runs, run) = if self.columns.dilation == 1 { (1, kernel * channels) } else { (kernel, channels) };
        Grid {
            lengths: [self.rows.kernel, runs, run],
            steps: [self.rows.dilation * row, self.columns.dilation * channels, 1],
        }
    }
}

/// `y` from `x`: a bias for each filter, or none where that is empty.
pub fn forward(c: &Convolution, kernel: &[Real], bias: &[Real], x: &[Real], y: &mut [Real], scratch: &mut [Real]) {
    correlate(c, kernel, false, bias, x, y, scratch);
}

/// `dx` from `dy`.
pub fn input_gradient(c: &Convolution, kernel: &[Real], dy: &[Real], dx: &mut [Real], scratch: &mut [Real]) {
    correlate(&c.transposed(), kernel, true, &[], dy, dx, scratch);
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
                let b = Matrix { data, rows: c.channels, columns: n, row_stride: 1, column_stride: c.channels };
                tiles::pack::<L>(b, first, width, packed, depth, tap * c.channels);
            }
        } else {
            let b = Matrix { data: kernel, rows: depth, columns: n, row_stride: n, column_stride: 1 };
            tiles::pack::<L>(b, first, width, packed, depth, 0);
        }
        let x = x.chunks_exact(c.rows.input * c.columns.input * c.channels);
        for (x, y) in x.zip(y.chunks_exact_mut(c.rows.output * ow * n)) {
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
    /// The gradient at the kernel: replaced, or added to where `accumulate` says so.
    pub fn kernel_gradient(c: &Convolution, x: &[Real], dy: &[Real], d_kernel: &mut [Real], accumulate: bool, scratch: &mut [Real]) = kernel_gradient_body
}

#[inline(always)]
fn kernel_gradient_body<L: Lanes>(
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
    let x = x.chunks_exact(c.rows.input * c.columns.input * c.channels);
    for (x, dy) in x.zip(dy.chunks_exact(c.rows.output * ow * n)) {
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
