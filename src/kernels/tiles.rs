//! Register tiles, which every product with full panels uses: MR rows of A times a panel of B.
//!
//! A [`StridedLhs`] describes A by strided indices, so the windows of a convolution are read from
//! the image itself. B is packed into [`Panels`]. Each element of C is one sum in the order of the
//! inner dimension, whatever the sizes of the matrices.

use std::ops::Range;

use super::simd::Simd;
use crate::Real;

/// Columns of the widest panel of any instruction set, for the size of scratch memory.
pub(super) const MAX_NR: usize = 32;

/// Three-level strided index in row-major order: the last counter runs fastest.
#[derive(Debug, Clone, Copy)]
pub(super) struct StridedIndex {
    /// Number of values of each counter.
    pub lengths: [usize; 3],
    /// Distance in memory between consecutive values of each counter.
    pub strides: [usize; 3],
}

impl StridedIndex {
    /// Index with one counter. Inlined, so that a constant stride remains a constant.
    #[inline(always)]
    pub fn line(length: usize, stride: usize) -> StridedIndex {
        StridedIndex { lengths: [1, 1, length], strides: [0, 0, stride] }
    }

    /// Offsets of the next `MR` elements, clamped to the last one; advances `at`.
    #[inline(always)]
    fn next_offsets<const MR: usize>(&self, at: &mut [usize; 3]) -> [usize; MR] {
        let [a, b, c] = self.lengths;
        let mut offsets = [0; MR];
        for offset in &mut offsets {
            *offset = at[0] * self.strides[0] + at[1] * self.strides[1] + at[2] * self.strides[2];
            if at[2] + 1 < c {
                at[2] += 1;
            } else if at[1] + 1 < b {
                (at[1], at[2]) = (at[1] + 1, 0);
            } else if at[0] + 1 < a {
                *at = [at[0] + 1, 0, 0];
            }
        }
        offsets
    }
}

/// Left factor of a product: its element `(i, k)` is `data[rows(i) + columns(k)]`.
#[derive(Debug, Clone)]
pub(super) struct StridedLhs<'a> {
    pub data: &'a [Real],
    pub rows: StridedIndex,
    pub columns: StridedIndex,
    /// Range of `data` outside of which all values are zero, in whole strides of the first
    /// counters of both indices.
    pub nonzero: Range<usize>,
}

impl StridedLhs<'_> {
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

/// Matrix with the element `(i, j)` at `i·row_stride + j·column_stride`, one of which is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub data: &'a [Real],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

/// Columns of row-major C that a product overwrites or adds to. C itself is a separate argument:
/// the compiler would not know that a field has no alias, which costs 8 % of the speed.
#[derive(Clone, Copy)]
pub(super) struct Columns {
    /// Number of columns.
    pub n: usize,
    /// Column of the first panel.
    pub first: usize,
    /// True if the product is added to C.
    pub accumulate: bool,
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

/// `C = A·B + bias` or `C += A·B`, for the columns that `panels` has.
#[inline(always)]
pub(super) fn product<S: Simd>(a: &StridedLhs, panels: &[Real], c: &mut [Real], columns: Columns) {
    // MR × NV registers of sums leave room for a row of B and a broadcast of A.
    match (S::REGISTERS, columns.n <= S::LANES) {
        (32, true) => tiles::<S, 12, 1>(a, panels, c, columns),
        (32, false) => tiles::<S, 12, 2>(a, panels, c, columns),
        (_, true) => tiles::<S, 6, 1>(a, panels, c, columns),
        (_, false) => tiles::<S, 6, 2>(a, panels, c, columns),
    }
}

#[inline(always)]
fn tiles<S: Simd, const MR: usize, const NV: usize>(
    a: &StridedLhs,
    panels: &[Real],
    c: &mut [Real],
    columns: Columns,
) {
    let Columns { n, first, accumulate } = columns;
    let nr = NV * S::LANES;
    let depth = a.columns.lengths.iter().product::<usize>();
    let all_nonzero = a.nonzero == (0..a.data.len());
    let mut at = [0; 3];
    for c in c.chunks_mut(MR * n) {
        let top = at[0];
        let offsets = a.rows.next_offsets::<MR>(&mut at);
        let nonzero =
            if all_nonzero { 0..a.columns.lengths[0] } else { a.nonzero_columns(top, at[0]) };
        let (mut panels, mut column) = (panels, first);
        while let Some((panel, rest)) = panels.split_at_checked(panel_len(nr, depth))
            && column < n
        {
            let sums = tile::<S, MR, NV>(a, &offsets, nonzero.clone(), panel);
            if column + nr <= n && c.len() == MR * n {
                let one = S::splat(1.0);
                for i in 0..MR {
                    let line = &mut c[i * n + column..][..nr];
                    for v in 0..NV {
                        let c = &mut line[v * S::LANES..];
                        let sum = if accumulate {
                            S::mul_add(one, S::load(c), sums[i][v])
                        } else {
                            sums[i][v]
                        };
                        S::store(sum, c);
                    }
                }
            } else {
                // Constant indices, without which the sums would not stay in registers.
                let mut tile = [[0.0; MAX_NR]; MR];
                for i in 0..MR {
                    for v in 0..NV {
                        S::store(sums[i][v], &mut tile[i][v * S::LANES..]);
                    }
                }
                for (line, sums) in c.chunks_exact_mut(n).zip(&tile) {
                    for (c, sum) in line[column..].iter_mut().zip(&sums[..nr]) {
                        *c = if accumulate { *c + sum } else { *sum };
                    }
                }
            }
            (panels, column) = (rest, column + nr);
        }
    }
}

/// One tile: the rows of A at `offsets` times a panel, where the columns' first counter runs over
/// `range`.
#[inline(always)]
fn tile<S: Simd, const MR: usize, const NV: usize>(
    a: &StridedLhs,
    offsets: &[usize; MR],
    range: Range<usize>,
    panel: &[Real],
) -> [[S::Vector; NV]; MR] {
    let ([_, runs, run], [far, near, stride]) = (a.columns.lengths, a.columns.strides);
    let (rows, length) = (run * NV * S::LANES, (run - 1) * stride + 1);
    let (start, panel) = panel.split_at(NV * S::LANES);
    let mut sums = [S::load_row::<NV>(start); MR];
    for i in range {
        for j in 0..runs {
            let panel = &panel[(i * runs + j) * rows..][..rows];
            let data = &a.data[i * far + j * near..];
            let mut lines: [&[Real]; MR] = [&[]; MR];
            for i in 0..MR {
                lines[i] = &data[offsets[i]..][..length];
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
            let from = &b.data[column * b.column_stride..];
            if columns < width {
                panel.fill(0.0);
            }
            if b.column_stride == 1 {
                // The row stride of a matrix with one row may be any number.
                let stride = if b.rows == 1 { b.columns } else { b.row_stride };
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
            } else {
                for (j, from) in from.chunks(b.column_stride).take(columns).enumerate() {
                    // `step_by` is faster within `for_each`.
                    let column = panel[j..].iter_mut().step_by(width);
                    column.zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
    }
}
