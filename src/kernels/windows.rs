//! Geometry of a convolution: the windows of an image, and their offsets in memory.
//!
//! In an unpadded image a window is a few contiguous runs of memory, which the tiles read in place.
//! A padded image is copied with its border, a few rows (a band) at a time.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::lhs::StridedIndex;
use crate::Real;

/// Padding of an image with zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// None.
    #[default]
    Valid,
    /// Enough pixels for one output per stride; the extra one of an odd number is at the end.
    Same,
    /// As many outputs, with all pixels of padding at the start: a window ends at its own pixel, so
    /// that no output depends on later inputs.
    Causal,
}

/// Windows along one axis of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    /// Pixels of the image.
    pub input: usize,
    /// Input dilation: distance between adjacent pixels of the image, with zeros in between. Only a
    /// transposed convolution has one above 1.
    pub(super) spread: usize,
    /// Pixels of padding before the image.
    pub before: usize,
    /// Pixels of a window.
    pub kernel: usize,
    /// Distance between consecutive windows.
    pub stride: usize,
    /// Distance between adjacent pixels of a window.
    pub dilation: usize,
    /// Number of windows.
    pub output: usize,
}

impl Axis {
    /// The only window of an axis of one pixel, such as the height of a sequence.
    pub const ONE: Axis =
        Axis { input: 1, spread: 1, before: 0, kernel: 1, stride: 1, dilation: 1, output: 1 };

    /// True for windows of adjacent pixels, one pixel apart.
    pub(super) fn is_dense(&self) -> bool {
        self.stride == 1 && self.dilation == 1 && self.spread == 1
    }

    /// Pixels of a window of adjacent pixels that are inside the image.
    pub(super) fn inside(&self, window: usize) -> Range<usize> {
        let start = window * self.stride;
        let end = (start + self.kernel).saturating_sub(self.before).min(self.input);
        start.saturating_sub(self.before).min(end)..end
    }

    /// Windows over `input` pixels. `None` if the window does not fit, or its size or the stride
    /// is 0.
    pub fn new(
        input: usize,
        kernel: usize,
        stride: usize,
        dilation: usize,
        padding: Padding,
    ) -> Option<Axis> {
        let extent = kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1)?;
        let (output, before) = match padding {
            Padding::Valid => (input.checked_sub(extent)?.checked_div(stride)? + 1, 0),
            Padding::Same => {
                let last = input.checked_sub(1)?.checked_div(stride)?;
                (last + 1, (last * stride).checked_add(extent)?.saturating_sub(input) / 2)
            }
            Padding::Causal => (input.checked_sub(1)?.checked_div(stride)? + 1, extent - 1),
        };
        // A stride beyond the image means a single window; clamped, it cannot overflow.
        let stride = stride.min(input.max(1));
        Some(Axis { input, spread: 1, before, kernel, stride, dilation, output })
    }

    /// Pixels that a window spans.
    fn extent(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Pixels of padding behind the image.
    pub fn after(&self) -> usize {
        self.padded(self.output).saturating_sub(self.before + self.input)
    }

    /// Pixels that `outputs` consecutive windows span.
    pub(super) fn padded(&self, outputs: usize) -> usize {
        ((outputs - 1) * self.stride).saturating_add(self.extent())
    }

    /// Windows over the gradient at the output that give the gradient at the input.
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

    /// True if the windows are read from the image itself.
    fn is_unpadded(&self) -> bool {
        self.before == 0 && self.spread == 1 && self.padded(self.output) <= self.input
    }

    /// Pixel of the image at a position of the padded one, or `None` for a zero.
    pub(super) fn source(&self, position: usize) -> Option<usize> {
        let position = position.checked_sub(self.before)?;
        let pixel = position / self.spread;
        (position % self.spread == 0 && pixel < self.input).then_some(pixel)
    }
}

/// Convolution with all its sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Convolution {
    /// Windows along the height.
    pub rows: Axis,
    /// Windows along the width.
    pub columns: Axis,
    /// Values of an input pixel.
    pub channels: usize,
    /// Values of an output pixel.
    pub filters: usize,
}

/// Approximate length of a band.
const BAND: usize = 1 << 14;

/// Part of an image with the windows of some output rows, padded if need be.
pub(super) struct Band<'a> {
    pub data: &'a [Real],
    /// Length of a row.
    pub row: usize,
    /// Range outside of which all values are zero.
    pub nonzero: Range<usize>,
}

impl Convolution {
    /// Convolution of the gradient at the output that gives the gradient at the input.
    pub(super) fn transposed(&self) -> Convolution {
        Convolution {
            rows: self.rows.transposed(),
            columns: self.columns.transposed(),
            channels: self.filters,
            filters: self.channels,
        }
    }

    /// Values of a row of a window, which is contiguous.
    pub(super) fn run(&self) -> usize {
        self.columns.kernel * self.channels
    }

    /// Values of a window.
    pub fn depth(&self) -> usize {
        self.rows.kernel * self.columns.kernel * self.channels
    }

    /// Values of an input image.
    pub(super) fn n_inputs(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// Values of an output image.
    pub(super) fn n_outputs(&self) -> usize {
        self.rows.output * self.columns.output * self.filters
    }

    /// Output rows of a band.
    pub(super) fn band_rows(&self) -> usize {
        if self.is_unpadded() {
            return self.rows.output;
        }
        let row = self.columns.padded(self.columns.output).saturating_mul(self.channels);
        (BAND / row.saturating_mul(self.rows.stride)).clamp(1, self.rows.output)
    }

    /// True if the windows are read from the image itself.
    pub(super) fn is_unpadded(&self) -> bool {
        self.rows.is_unpadded() && self.columns.is_unpadded()
    }

    /// Band of `rows` output rows from the output row `top` on; a padded one is written to
    /// `scratch`.
    pub(super) fn band<'a>(
        &self,
        image: &'a [Real],
        top: usize,
        rows: usize,
        scratch: &'a mut [Real],
    ) -> Band<'a> {
        let top = top * self.rows.stride;
        let line = self.columns.input * self.channels;
        if self.is_unpadded() {
            let data = &image[top * line..];
            return Band { data, row: line, nonzero: 0..data.len() };
        }
        let row = self.columns.padded(self.columns.output) * self.channels;
        let height = self.rows.padded(rows);
        let data = &mut scratch[..height * row];
        let before = self.columns.before * self.channels;
        for (i, to) in data.chunks_exact_mut(row).enumerate() {
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
                let pixels = to[before..].chunks_mut(self.columns.spread * self.channels);
                for (to, from) in pixels.zip(from.chunks_exact(self.channels)) {
                    to[..self.channels].copy_from_slice(from);
                }
            }
        }
        let first = self.rows.before;
        let end = first + (self.rows.input - 1) * self.rows.spread + 1;
        let [first, end] = [first, end].map(|row| row.saturating_sub(top).min(height));
        Band { data, row, nonzero: first * row..end * row }
    }

    /// Offsets of the windows of `rows` output rows, in an image with rows of length `row`.
    pub(super) fn pixels(&self, rows: usize, row: usize) -> StridedIndex {
        StridedIndex {
            lengths: [rows, 1, self.columns.output],
            strides: [self.rows.stride * row, 0, self.columns.stride * self.channels],
        }
    }

    /// Offsets of the values of a window from its first one.
    pub(super) fn window(&self, row: usize) -> StridedIndex {
        let (kernel, channels) = (self.columns.kernel, self.channels);
        // Without dilation the pixels of a row of the window are contiguous.
        let (runs, run) =
            if self.columns.dilation == 1 { (1, kernel * channels) } else { (kernel, channels) };
        StridedIndex {
            lengths: [self.rows.kernel, runs, run],
            strides: [self.rows.dilation * row, self.columns.dilation * channels, 1],
        }
    }
}
