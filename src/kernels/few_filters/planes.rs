//! Planes: images with the pixels of each channel together.

use super::super::panels::transpose_quads;
use super::super::simd::{MAX_LANES, QUAD, Simd};
use super::super::windows::Convolution;
use super::PLANES;
use crate::Real;

/// Size of a plane with the pixels of a band.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    pub rows: usize,
    /// Length of a row, from whose pixels on full registers can be loaded.
    pub pitch: usize,
}

impl Planes {
    /// Planes of the padded input.
    pub fn of_input(c: &Convolution) -> Planes {
        let pitch = Planes::of_gradient(c).pitch + c.columns.kernel - 1;
        let rows = (PLANES / (c.channels * pitch)).max(c.rows.kernel);
        Planes { rows: rows.min(c.rows.output + c.rows.kernel - 1), pitch }
    }

    /// Planes of the gradient of the output.
    pub fn of_gradient(c: &Convolution) -> Planes {
        let pitch = c.columns.output.next_multiple_of(MAX_LANES);
        let padded = pitch + c.columns.kernel - 1;
        let rows = (PLANES / (c.channels * padded)).max(c.rows.kernel) + 1 - c.rows.kernel;
        Planes { rows: rows.min(c.rows.output), pitch }
    }

    /// Length of a plane.
    pub fn len(&self) -> usize {
        self.rows * self.pitch
    }

    /// Copies the values of a channel in a row of pixels, the first of them to the index `before`.
    #[inline(always)]
    fn copy_row(
        &self,
        from: &[Real],
        channel: usize,
        channels: usize,
        before: usize,
        to: &mut [Real],
    ) {
        let (to, _) = to.split_at_mut(self.pitch);
        to[..before].fill(0.0);
        let to = &mut to[before..];
        let pixels = (from.len() / channels).min(to.len());
        if channels == 1 {
            to[..pixels].copy_from_slice(&from[..pixels]);
        } else {
            for (to, from) in to.iter_mut().zip(from[channel..].iter().step_by(channels)) {
                *to = *from;
            }
        }
        to[pixels..].fill(0.0);
    }
}

/// Copies the windows of some output rows from `top` on to planes.
#[inline(always)]
pub(super) fn copy_input(c: &Convolution, image: &[Real], top: usize, planes: &mut [Real]) {
    let size = Planes::of_input(c);
    let line = c.columns.input * c.channels;
    for row in 0..size.rows {
        for channel in 0..c.channels {
            let to = &mut planes[channel * size.len() + row * size.pitch..];
            match c.rows.source(top + row) {
                Some(row) => {
                    let from = &image[row * line..][..line];
                    size.copy_row(from, channel, c.channels, c.columns.before, to);
                }
                None => to[..size.pitch].fill(0.0),
            }
        }
    }
}

/// Copies some rows of the gradient to planes, with planes of zeros beyond the filters.
#[inline(always)]
pub(super) fn copy_gradient<S: Simd>(c: &Convolution, dy: &[Real], planes: &mut [Real]) {
    let size = Planes::of_gradient(c);
    let (filters, pixels) = (c.filters, c.columns.output);
    let (used, unused) = planes.split_at_mut(filters * size.len());
    unused.fill(0.0);
    for (row, from) in dy.chunks_exact(pixels * filters).enumerate() {
        let to = &mut used[row * size.pitch..];
        let is_wide = filters >= QUAD && pixels >= S::LANES;
        if is_wide {
            transpose::<S>(from, filters, to, size.len());
        }
        for f in 0..filters {
            let to = &mut to[f * size.len()..][..size.pitch];
            if is_wide {
                to[pixels..].fill(0.0);
            } else {
                size.copy_row(from, f, filters, 0, to);
            }
        }
    }
}

/// Copies a row of at least [`Simd::LANES`] pixels with at least [`QUAD`] channels to planes of
/// this length. The last vector of pixels and the last quad of channels overlap those before.
#[inline(always)]
fn transpose<S: Simd>(from: &[Real], channels: usize, planes: &mut [Real], plane: usize) {
    let pixels = from.len() / channels;
    for pixel in (0..pixels).step_by(S::LANES) {
        let pixel = pixel.min(pixels - S::LANES);
        for channel in (0..channels).step_by(QUAD) {
            let channel = channel.min(channels - QUAD);
            let from = &from[pixel * channels + channel..];
            let to = &mut planes[channel * plane + pixel..];
            transpose_quads::<S>(from, channels, to, plane);
        }
    }
}
