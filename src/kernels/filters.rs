//! Kernel of a convolution, as it is or flipped.

use super::convolution::Weights;
use super::panels::Matrix;
use super::simd::{QUAD, Simd};
use super::windows::Convolution;
use crate::Real;

/// Weights of a convolution, or those of the convolution that gives the gradient of its input.
pub(super) struct Filters<'a> {
    pub weights: Weights<'a>,
    /// True for a kernel flipped in height and width, with channels and filters exchanged.
    pub flipped: bool,
}

impl<'a> Filters<'a> {
    /// Weights at a pixel of the window from four channels on to a register of filters.
    #[inline(always)]
    pub fn load<S: Simd>(
        &self,
        c: &Convolution,
        pixel: usize,
        channel: usize,
        filter: usize,
    ) -> [S::Vector; QUAD] {
        let mut rows = [S::splat(0.0); QUAD];
        if self.flipped {
            let kernel = self.flipped_pixel(c, pixel).data;
            for i in 0..QUAD {
                let from = &kernel[(filter + i) * c.channels + channel..];
                rows[i] = S::load_quads(from, QUAD * c.channels);
            }
            return S::transpose(rows);
        }
        for i in 0..QUAD {
            let row = pixel * c.channels + channel + i;
            rows[i] = S::load(&self.weights.kernel[row * c.filters + filter..]);
        }
        rows
    }

    /// Weights in the order of channels, pixels of the window and `columns` filters, of which the
    /// last are zero.
    pub fn pack_by_channel(&self, c: &Convolution, columns: usize, packed: &mut [Real]) {
        packed.fill(0.0);
        let pixels = c.rows.kernel * c.columns.kernel;
        let size = c.channels * c.filters;
        for (i, to) in packed.chunks_exact_mut(columns).enumerate() {
            let (channel, pixel) = (i / pixels, i % pixels);
            for (f, to) in to[..c.filters].iter_mut().enumerate() {
                *to = if self.flipped {
                    self.flipped_pixel(c, pixel).data[f * c.channels + channel]
                } else {
                    self.weights.kernel[pixel * size + channel * c.filters + f]
                };
            }
        }
    }

    /// Values of a flipped kernel at a pixel of the window, a row for each channel.
    pub fn flipped_pixel(&self, c: &Convolution, pixel: usize) -> Matrix<'a> {
        let size = c.channels * c.filters;
        let last = c.rows.kernel * c.columns.kernel - 1;
        Matrix {
            data: &self.weights.kernel[(last - pixel) * size..][..size],
            rows: c.channels,
            columns: c.filters,
            row_stride: 1,
            column_stride: c.channels,
        }
    }
}
