//! Panels: the right factor of a product, packed for the tiles.

use super::simd::{QUAD, Simd};
use crate::Real;

/// Columns of the widest panel of any instruction set, for the size of scratch memory.
pub(super) const MAX_NR: usize = 32;

/// Matrix with the element `(i, j)` at `i·row_stride + j·column_stride`, one of which is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub data: &'a [Real],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

/// NR, the width of a panel, for `n` columns of B.
#[inline(always)]
pub(super) fn panel_width<S: Simd>(n: usize) -> usize {
    if n <= S::LANES { S::LANES } else { 2 * S::LANES }
}

/// Length of a panel, its row of initial sums included.
#[inline(always)]
pub(super) fn panel_len(width: usize, depth: usize) -> usize {
    (depth + 1) * width
}

/// NC, the number of panels to pack at a time: as many panels of length `panel` as fit `room`,
/// evened out over the passes.
pub(super) fn panels_at_a_time(panels: usize, panel: usize, room: usize) -> usize {
    panels.div_ceil(panels.div_ceil((room / panel).max(1)))
}

/// Packed panels, each a row of initial sums and then `depth` rows, all with NR columns.
pub(super) struct Panels<'a> {
    pub data: &'a mut [Real],
    /// NR.
    pub width: usize,
    pub depth: usize,
}

impl Panels<'_> {
    /// Writes the initial sums of the columns `first..n`: the bias, or zeros if it is empty.
    #[inline(always)]
    pub fn start(&mut self, bias: &[Real], first: usize, n: usize) {
        let panels = self.data.chunks_exact_mut(panel_len(self.width, self.depth));
        for (panel, column) in panels.zip((first..n).step_by(self.width)) {
            let start = &mut panel[..self.width];
            start.fill(0.0);
            start.iter_mut().zip(bias.iter().skip(column)).for_each(|(to, from)| *to = *from);
        }
    }

    /// Packs B, from its column `first` on, into the rows of the panels from `row` on; fills the
    /// last panel up with zeros.
    #[inline(always)]
    pub fn pack<S: Simd>(&mut self, b: Matrix, first: usize, row: usize) {
        let width = self.width;
        let panels = self.data.chunks_exact_mut(panel_len(width, self.depth));
        for (panel, column) in panels.zip((first..b.columns).step_by(width)) {
            let columns = width.min(b.columns - column);
            let panel = &mut panel[(row + 1) * width..][..b.rows * width];
            if columns < width {
                panel.fill(0.0);
            }
            let from = &b.data[column * b.column_stride..];
            if b.column_stride == 1 {
                // The row stride of a matrix with one row may be any number.
                let stride = if b.rows == 1 { b.columns } else { b.row_stride };
                pack_rows::<S>(from, stride, columns, panel, width);
            } else {
                pack_columns::<S>(from, b.column_stride, columns, panel, width);
            }
        }
    }
}

/// Packs the columns of a matrix with contiguous rows.
#[inline(always)]
fn pack_rows<S: Simd>(
    from: &[Real],
    stride: usize,
    columns: usize,
    panel: &mut [Real],
    width: usize,
) {
    for (to, from) in panel.chunks_exact_mut(width).zip(from.chunks(stride)) {
        if columns < width {
            to[..columns].copy_from_slice(&from[..columns]);
            continue;
        }
        // A row is too short to be worth a call of memcpy.
        let from = &from[..width];
        for i in (0..width).step_by(S::LANES) {
            S::store(S::load(&from[i..]), &mut to[i..]);
        }
    }
}

/// Transposes a matrix of [`QUAD`] values in each of [`Simd::LANES`] columns: columns begin at the
/// multiples of `stride`, and rows of the copy at those of `row_stride`.
#[inline(always)]
pub(super) fn transpose_quads<S: Simd>(
    from: &[Real],
    stride: usize,
    to: &mut [Real],
    row_stride: usize,
) {
    let mut quads = [S::splat(0.0); QUAD];
    for q in 0..QUAD {
        quads[q] = S::load_quads(&from[q * stride..], QUAD * stride);
    }
    let quads = S::transpose(quads);
    for q in 0..QUAD {
        S::store(quads[q], &mut to[q * row_stride..]);
    }
}

/// Packs the columns of a matrix with contiguous columns, a register of them at a time.
#[inline(always)]
fn pack_columns<S: Simd>(
    from: &[Real],
    stride: usize,
    columns: usize,
    panel: &mut [Real],
    width: usize,
) {
    let rows = panel.len() / width;
    let mut packed = 0;
    while packed + S::LANES <= columns && rows >= QUAD {
        let from = &from[packed * stride..];
        for i in (0..rows).step_by(QUAD) {
            // The last quads overlap those before them.
            let i = i.min(rows - QUAD);
            transpose_quads::<S>(&from[i..], stride, &mut panel[i * width + packed..], width);
        }
        packed += S::LANES;
    }
    for (j, from) in from.chunks(stride).enumerate().take(columns).skip(packed) {
        // `step_by` is faster within `for_each`.
        let column = panel[j..].iter_mut().step_by(width);
        column.zip(from).for_each(|(to, from)| *to = *from);
    }
}
