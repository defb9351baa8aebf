//! Left factors of a product, read in place, each with the inner loop of its tiles.
//!
//! Each layout has a loop of its own: in a loop for all of them, the compiler does not keep the
//! sums of a tile in registers, and products take up to 1.6 times as long.

use std::ops::Range;

use super::simd::Simd;
use crate::Real;

/// Sums of a tile, in registers.
pub(super) type Sums<S, const MR: usize, const NV: usize> = [[<S as Simd>::Vector; NV]; MR];

/// Left factor A of a product.
pub(super) trait Lhs {
    /// Places of `MR` consecutive rows in memory.
    type Rows<const MR: usize>;

    /// Length of the inner dimension.
    fn depth(&self) -> usize;

    /// The rows from `first` on.
    fn rows<const MR: usize>(&self, first: usize) -> Self::Rows<MR>;

    /// Product of these rows with a panel, whose first row holds the initial sums.
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        &self,
        rows: &Self::Rows<MR>,
        panel: &[Real],
    ) -> Sums<S, MR, NV>;
}

/// Matrix with contiguous rows: the element `(i, k)` is `data[i·stride + k]`.
pub(super) struct RowMajor<'a> {
    pub data: &'a [Real],
    pub stride: usize,
    pub depth: usize,
}

impl Lhs for RowMajor<'_> {
    /// Index of the first row.
    type Rows<const MR: usize> = usize;

    #[inline(always)]
    fn depth(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    fn rows<const MR: usize>(&self, first: usize) -> usize {
        first
    }

    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        &self,
        first: &usize,
        panel: &[Real],
    ) -> Sums<S, MR, NV> {
        let mut rows: [&[Real]; MR] = [&[]; MR];
        for i in 0..MR {
            rows[i] = &self.data[(first + i) * self.stride..][..self.depth];
        }
        let (start, panel) = panel.split_at(NV * S::LANES);
        let mut sums = [S::load_row::<NV>(start); MR];
        for (k, b) in panel.chunks_exact(NV * S::LANES).enumerate() {
            // Never true; it lets the compiler drop the bounds checks of the broadcasts.
            if k >= self.depth {
                break;
            }
            let b = S::load_row::<NV>(b);
            for i in 0..MR {
                let value = S::splat(rows[i][k]);
                for v in 0..NV {
                    sums[i][v] = S::mul_add(value, b[v], sums[i][v]);
                }
            }
        }
        sums
    }
}

/// Matrix with contiguous columns: the element `(i, k)` is `data[k·stride + i]`.
pub(super) struct ColumnMajor<'a> {
    pub data: &'a [Real],
    pub stride: usize,
    pub depth: usize,
}

impl Lhs for ColumnMajor<'_> {
    /// Index of the first row.
    type Rows<const MR: usize> = usize;

    #[inline(always)]
    fn depth(&self) -> usize {
        self.depth
    }

    #[inline(always)]
    fn rows<const MR: usize>(&self, first: usize) -> usize {
        first
    }

    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        &self,
        first: &usize,
        panel: &[Real],
    ) -> Sums<S, MR, NV> {
        let (start, panel) = panel.split_at(NV * S::LANES);
        let mut sums = [S::load_row::<NV>(start); MR];
        let columns = self.data[*first..].chunks(self.stride);
        for (b, column) in panel.chunks_exact(NV * S::LANES).zip(columns) {
            let column = &column[..MR];
            let b = S::load_row::<NV>(b);
            for i in 0..MR {
                let value = S::splat(column[i]);
                for v in 0..NV {
                    sums[i][v] = S::mul_add(value, b[v], sums[i][v]);
                }
            }
        }
        sums
    }
}

/// Three-level strided index in row-major order: the last counter runs fastest.
#[derive(Debug, Clone, Copy)]
pub(super) struct StridedIndex {
    /// Number of values of each counter.
    pub lengths: [usize; 3],
    /// Distance in memory between consecutive values of each counter.
    pub strides: [usize; 3],
}

impl StridedIndex {
    /// Number of elements.
    #[inline(always)]
    fn len(&self) -> usize {
        self.lengths.iter().product()
    }

    /// Counters of an element.
    #[inline(always)]
    fn counters(&self, element: usize) -> [usize; 3] {
        let [_, b, c] = self.lengths;
        [element / (b * c), element / c % b, element % c]
    }

    /// Offset of the element with these counters.
    #[inline(always)]
    fn offset(&self, at: [usize; 3]) -> usize {
        at[0] * self.strides[0] + at[1] * self.strides[1] + at[2] * self.strides[2]
    }
}

/// Windows of an image: the element `(i, k)` is `data[rows(i) + columns(k)]`.
pub(super) struct Windows<'a> {
    pub data: &'a [Real],
    pub rows: StridedIndex,
    pub columns: StridedIndex,
    /// Range of `data` outside of which all values are zero, in whole strides of the first
    /// counters of both indices.
    pub nonzero: Range<usize>,
}

/// Rows of [`Windows`].
pub(super) struct WindowRows<const MR: usize> {
    offsets: [usize; MR],
    /// Values of the columns' first counter with which the rows may hold nonzero values.
    nonzero: Range<usize>,
}

impl Windows<'_> {
    /// Values of the columns' first counter outside of which A is zero in a tile whose rows' first
    /// counter runs from `top` to `bottom`.
    #[inline(always)]
    fn nonzero_columns(&self, top: usize, bottom: usize) -> Range<usize> {
        let bound = |end: usize, row: usize| {
            end.saturating_sub(row * self.rows.strides[0])
                .div_ceil(self.columns.strides[0])
                .min(self.columns.lengths[0])
        };
        bound(self.nonzero.start, bottom)..bound(self.nonzero.end, top)
    }
}

impl Lhs for Windows<'_> {
    type Rows<const MR: usize> = WindowRows<MR>;

    #[inline(always)]
    fn depth(&self) -> usize {
        self.columns.len()
    }

    #[inline(always)]
    fn rows<const MR: usize>(&self, first: usize) -> WindowRows<MR> {
        let mut at = self.rows.counters(first);
        let top = at[0];
        let mut bottom = top;
        let mut offsets = [0; MR];
        for offset in &mut offsets {
            *offset = self.rows.offset(at);
            bottom = at[0];
            at[2] += 1;
            if at[2] == self.rows.lengths[2] {
                (at[1], at[2]) = (at[1] + 1, 0);
            }
            if at[1] == self.rows.lengths[1] {
                (at[0], at[1]) = (at[0] + 1, 0);
            }
        }
        let nonzero = if self.nonzero == (0..self.data.len()) {
            0..self.columns.lengths[0]
        } else {
            self.nonzero_columns(top, bottom)
        };
        WindowRows { offsets, nonzero }
    }

    #[inline(always)]
    fn tile<S: Simd, const MR: usize, const NV: usize>(
        &self,
        rows: &WindowRows<MR>,
        panel: &[Real],
    ) -> Sums<S, MR, NV> {
        let ([_, runs, run], [far, near, stride]) = (self.columns.lengths, self.columns.strides);
        let (run_len, length) = (run * NV * S::LANES, (run - 1) * stride + 1);
        let (start, panel) = panel.split_at(NV * S::LANES);
        let mut sums = [S::load_row::<NV>(start); MR];
        for i in rows.nonzero.clone() {
            for j in 0..runs {
                let panel = &panel[(i * runs + j) * run_len..][..run_len];
                let data = &self.data[i * far + j * near..];
                let mut lines: [&[Real]; MR] = [&[]; MR];
                for i in 0..MR {
                    lines[i] = &data[rows.offsets[i]..][..length];
                }
                let mut at = 0;
                for b in panel.chunks_exact(NV * S::LANES) {
                    // Never true; it lets the compiler drop the bounds checks of the broadcasts.
                    if at >= length {
                        break;
                    }
                    let b = S::load_row::<NV>(b);
                    for i in 0..MR {
                        let value = S::splat(lines[i][at]);
                        for v in 0..NV {
                            sums[i][v] = S::mul_add(value, b[v], sums[i][v]);
                        }
                    }
                    at += stride;
                }
            }
        }
        sums
    }
}
