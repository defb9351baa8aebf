//! Gradient of the input of a convolution with few channels, such as the second one of LeNet-5.
//!
//! As a convolution of `dy` its few columns would leave registers half empty, and its windows would
//! be a quarter to a half padding. So each pixel of `dy` times the kernel gives the gradient of a
//! whole window, with lanes along the rows of the window, and the overlapping windows are added up:
//!
//! ```text
//! z[i, j, (a, b, c)] = Σ dy[i, j, f]·W[a, b, c, f]            a matrix product, over f
//! dx[i + a, j + b, c] = Σ z[i, j, (a, b, c)]                  over i, j in row-major order
//! ```

use super::kernel;
use super::lhs::RowMajor;
use super::panels::{MAX_NR, Matrix, Panels, panel_len, panel_width};
use super::simd::{MAX_LANES, Simd};
use super::tiles::{self, Columns};
use super::windows::Convolution;
use crate::Real;

/// Largest number of channels.
const MAX_CHANNELS: usize = 8;
/// Fewest filters, over which a sum runs.
const MIN_FILTERS: usize = 8;
/// Length of the largest kernel.
const MAX_KERNEL: usize = 1 << 16;
/// Pixels of `dy` at a time: a multiple of the rows of all register tiles.
const PIXELS: usize = 48;

/// True if adding up windows is faster for this geometry.
pub(super) fn is_profitable(c: &Convolution) -> bool {
    c.channels <= MAX_CHANNELS
        && c.filters >= MIN_FILTERS
        && c.rows.dilation == 1
        && c.columns.dilation == 1
        && 4 * c.run() >= 3 * padded_run(c)
        && c.filters * columns(c) <= MAX_KERNEL
}

/// Values of a row of a window, with zeros that fill registers.
fn padded_run(c: &Convolution) -> usize {
    c.run().next_multiple_of(MAX_LANES)
}

/// Values of a window, with those zeros.
fn columns(c: &Convolution) -> usize {
    c.rows.kernel * padded_run(c)
}

/// Length of the scratch memory that [`input_gradient`] needs.
pub(super) fn scratch_len(c: &Convolution) -> usize {
    if !is_profitable(c) {
        return 0;
    }
    let panels = panel_len(columns(c).next_multiple_of(MAX_NR), c.filters);
    panels + columns(c) * c.filters.max(PIXELS)
}

kernel! {
    /// Writes `dx`, given `dy`.
    pub(super) fn input_gradient<S: Simd>(
        c: &Convolution,
        kernel: &[Real],
        dy: &[Real],
        dx: &mut [Real],
        scratch: &mut [Real],
    ) {
        let (n, depth) = (columns(c), c.filters);
        let width = panel_width::<S>(n);
        let (panels, z) = scratch.split_at_mut(panel_len(n.next_multiple_of(width), depth));
        let transposed = &mut z[..depth * n];
        transpose(c, kernel, transposed);
        let mut packed = Panels { data: &mut *panels, width, depth };
        packed.start(&[], 0, n);
        let data = &*transposed;
        let b = Matrix { data, rows: depth, columns: n, row_stride: n, column_stride: 1 };
        packed.pack::<S>(b, 0, 0);
        for (dy, dx) in dy.chunks_exact(c.n_outputs()).zip(dx.chunks_exact_mut(c.n_inputs())) {
            dx.fill(0.0);
            for (number, data) in dy.chunks(PIXELS * depth).enumerate() {
                let pixels = data.len() / depth;
                let z = &mut z[..pixels * n];
                let a = RowMajor { data, stride: depth, depth };
                tiles::product::<S>(&a, panels, z, Columns { n, first: 0, accumulate: false });
                for (pixel, z) in (number * PIXELS..).zip(z.chunks_exact(n)) {
                    add_window::<S>(c, pixel, z, dx);
                }
            }
        }
    }
}

/// Writes the kernel with filters first and padded rows.
fn transpose(c: &Convolution, kernel: &[Real], to: &mut [Real]) {
    to.fill(0.0);
    for (f, to) in to.chunks_exact_mut(columns(c)).enumerate() {
        for (a, to) in to.chunks_exact_mut(padded_run(c)).enumerate() {
            let from = &kernel[a * c.run() * c.filters + f..];
            for (to, from) in to[..c.run()].iter_mut().zip(from.iter().step_by(c.filters)) {
                *to = *from;
            }
        }
    }
}

/// Adds the gradient of the window of an output pixel.
#[inline(always)]
fn add_window<S: Simd>(c: &Convolution, pixel: usize, z: &[Real], dx: &mut [Real]) {
    let (i, j) = (pixel / c.columns.output, pixel % c.columns.output);
    let (rows, columns) = (c.rows.inside(i), c.columns.inside(j));
    let first = columns.start + c.columns.before - j * c.columns.stride;
    let is_whole = columns.len() == c.columns.kernel;
    let line = c.columns.input * c.channels;
    let run = columns.len() * c.channels;
    for row in rows {
        let a = row + c.rows.before - i * c.rows.stride;
        let z = &z[a * padded_run(c) + first * c.channels..];
        let to = &mut dx[row * line + columns.start * c.channels..];
        if is_whole && to.len() >= padded_run(c) {
            // Zeros are added beyond the window.
            for at in (0..padded_run(c)).step_by(S::LANES) {
                S::store(S::add(S::load(&to[at..]), S::load(&z[at..])), &mut to[at..]);
            }
        } else {
            to[..run].iter_mut().zip(z).for_each(|(to, z)| *to += z);
        }
    }
}
