//! Where the windows of a convolution lie, in an image and in memory.
//!
//! In an unpadded image a window is a few runs of memory, so the tiles read it from there. A padded
//! image is copied with its border, some rows (a band) at a time.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::tiles::Grid;
use crate::Real;

/// How an image is continued past its border.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Not at all.
    #[default]
    Valid,
    /// As far as it takes for one output a stride; where that is an odd number of pixels, the odd
    /// one is at the end.
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
        };
        // Where there is one window, no step is taken: one longer than the image stands for all of
        // them.
        Some(Axis {
            input,
            spread: 1,
            before,
            kernel,
            stride: stride.min(input.max(1)),
            dilation,
            output,
        })
    }

    /// Pixels that a window spans.
    fn extent(&self) -> usize {
        (self.kernel - 1) * self.dilation + 1
    }

    /// Pixels that so many windows span.
    pub(super) fn padded(&self, outputs: usize) -> usize {
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

/// Numbers of a padded image that are copied at a time.
const BAND: usize = 1 << 14;

impl Convolution {
    pub(super) fn transposed(&self) -> Convolution {
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

    /// Numbers of an image that comes in.
    pub(super) fn n_inputs(&self) -> usize {
        self.rows.input * self.columns.input * self.channels
    }

    /// Numbers of one that comes out.
    pub(super) fn n_outputs(&self) -> usize {
        self.rows.output * self.columns.output * self.filters
    }

    /// Output rows of a band.
    pub(super) fn band_rows(&self) -> usize {
        if self.as_is() {
            return self.rows.output;
        }
        let row = self.columns.padded(self.columns.output).saturating_mul(self.channels);
        (BAND / row.saturating_mul(self.rows.stride)).clamp(1, self.rows.output)
    }

    /// Whether the windows can be read from the image as it lies.
    pub(super) fn as_is(&self) -> bool {
        self.rows.as_is() && self.columns.as_is()
    }

    /// The image from the row on that the output row `top` starts at, padded if need be; the length
    /// of a row of it; and the stretch outside of which it is zero.
    pub(super) fn band<'a>(
        &self,
        image: &'a [Real],
        top: usize,
        rows: usize,
        padded: &'a mut [Real],
    ) -> (&'a [Real], usize, Range<usize>) {
        let top = top * self.rows.stride;
        if self.as_is() {
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
        let live = self.rows.before.saturating_sub(top).min(height) * row
            ..end.saturating_sub(top).min(height) * row;
        (padded, row, live)
    }

    /// Where the windows of so many output rows begin, in an image whose rows are `row` long.
    pub(super) fn pixels(&self, rows: usize, row: usize) -> Grid {
        Grid {
            lengths: [rows, 1, self.columns.output],
            steps: [self.rows.stride * row, 0, self.columns.stride * self.channels],
        }
    }

    /// Where the values of a window are, from its beginning.
    pub(super) fn window(&self, row: usize) -> Grid {
        let (kernel, channels) = (self.columns.kernel, self.channels);
        let (runs, run) =
            if self.columns.dilation == 1 { (1, kernel * channels) } else { (kernel, channels) };
        Grid {
            lengths: [self.rows.kernel, runs, run],
            steps: [self.rows.dilation * row, self.columns.dilation * channels, 1],
        }
    }
}
