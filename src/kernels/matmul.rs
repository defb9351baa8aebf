//! The matrix product that Dense and Conv2D come down to: `C = A·B` or `C += A·B`.
//!
//! A tile of C stays in registers while the inner dimension runs; B is packed into panels as wide as a tile, A is
//! read where it lies, by rows or by columns, since a broadcast needs no packing. The inner dimension is cut into
//! blocks of a constant size so that a panel of B stays in the first-level cache. Each element of C is one sum in
//! the order of the inner dimension, whatever the sizes around it.
//!
//! Rejected: the `gemm` crate, which packs into buffers that it allocates on every call and takes its blocking from
//! the processor, so that a row's bits depend on how many rows there are; it serves as the oracle in the tests.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::kernel;
use super::lanes::Lanes;
use crate::Real;

/// Rows of the inner dimension that are packed at a time.
const INNER: usize = 256;
/// The widest tile of any path, for the size of the scratch memory.
const WIDEST: usize = 32;

/// A matrix as it lies in memory: its element `(i, j)` is at `i·row_stride + j·column_stride`, one of which is 1.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    data: &'a [Real],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> From<ArrayView2<'a, Real>> for Matrix<'a> {
    /// A view without gaps, or the transpose of one.
    fn from(view: ArrayView2<'a, Real>) -> Self {
        let (rows, columns) = view.dim();
        match view.to_slice() {
            Some(data) => Matrix { data, rows, columns, row_stride: columns, column_stride: 1 },
            None => {
                let data = view.reversed_axes().to_slice().expect("a matrix without gaps");
                Matrix { data, rows, columns, row_stride: 1, column_stride: rows }
            }
        }
    }
}

/// Numbers of scratch memory that [`matmul`] needs for a `B` with so many columns.
pub fn scratch_len(columns: usize) -> usize {
    INNER * columns.next_multiple_of(WIDEST)
}

/// `C = A·B`, or `C += A·B` where `accumulate` says so.
///
/// A and B are matrices without gaps or transposes of such; C is row-major without gaps. `scratch` has at least
/// [`scratch_len`] numbers, whose content does not matter.
pub fn matmul(
    a: ArrayView2<Real>,
    b: ArrayView2<Real>,
    mut c: ArrayViewMut2<Real>,
    accumulate: bool,
    scratch: &mut [Real],
) {
    product(a.into(), b.into(), c.as_slice_mut().expect("a matrix without gaps"), accumulate, scratch);
}

kernel! {
    fn product(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) = product_body
}

#[inline(always)]
fn product_body<L: Lanes>(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) {
    // As many sums as leave registers for a row of B and a broadcast of A: of 16 registers, or of 32.
    match (L::N, b.columns <= L::N) {
        (16, true) => tiles::<L, 12, 1>(a, b, c, accumulate, scratch),
        (16, false) => tiles::<L, 12, 2>(a, b, c, accumulate, scratch),
        (_, true) => tiles::<L, 6, 1>(a, b, c, accumulate, scratch),
        (_, false) => tiles::<L, 6, 2>(a, b, c, accumulate, scratch),
    }
}

/// The product in tiles of `R` rows and `V` vectors.
#[inline(always)]
fn tiles<L: Lanes, const R: usize, const V: usize>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (m, n, k, width) = (a.rows, b.columns, a.columns, V * L::N);
    assert!(k == b.rows && c.len() == m * n, "the matrices of a product do not fit each other");
    if k == 0 && !accumulate {
        c.fill(0.0);
    }
    for start in (0..k).step_by(INNER) {
        let depth = INNER.min(k - start);
        let fresh = start == 0 && !accumulate;
        pack(b, start, depth, width, scratch);
        for (panel, column) in scratch.chunks_exact(depth * width).zip((0..n).step_by(width)) {
            let columns = width.min(n - column);
            for row in (0..m).step_by(R) {
                // The last tile reaches back over rows that are done, and does not write them again.
                let first = row.min(m.saturating_sub(R));
                let sums = if a.column_stride == 1 {
                    tile_by_rows::<L, R, V>(a, first, start, depth, panel)
                } else {
                    tile_by_columns::<L, R, V>(a, first, start, panel)
                };
                // Written out with constant indices: only then do the sums stay in registers up to here.
                let mut tile = [[0.0; WIDEST]; R];
                for i in 0..R {
                    for v in 0..V {
                        L::store(sums[i][v], &mut tile[i][v * L::N..]);
                    }
                }
                for (i, sums) in tile.iter().enumerate().take(m - first).skip(row - first) {
                    let line = &mut c[(first + i) * n + column..][..columns];
                    if fresh {
                        line.copy_from_slice(&sums[..columns]);
                    } else {
                        line.iter_mut().zip(sums).for_each(|(c, s)| *c += s);
                    }
                }
            }
        }
    }
}

/// Lays `depth` rows of B, from `start` on, into panels of `width` columns, the last one filled up with zeros.
#[inline(always)]
fn pack(b: Matrix, start: usize, depth: usize, width: usize, scratch: &mut [Real]) {
    for (panel, column) in scratch.chunks_exact_mut(depth * width).zip((0..b.columns).step_by(width)) {
        let columns = width.min(b.columns - column);
        for (p, line) in panel.chunks_exact_mut(width).enumerate() {
            let from = &b.data[(start + p) * b.row_stride + column * b.column_stride..];
            let (line, rest) = line.split_at_mut(columns);
            if b.column_stride == 1 {
                line.copy_from_slice(&from[..columns]);
            } else {
                line.iter_mut().zip(from.iter().step_by(b.column_stride)).for_each(|(to, from)| *to = *from);
            }
            rest.fill(0.0);
        }
    }
}

/// One tile of the product, where A's rows lie without gaps. Rows past the end repeat the last one.
#[inline(always)]
fn tile_by_rows<L: Lanes, const R: usize, const V: usize>(
    a: Matrix,
    row: usize,
    start: usize,
    depth: usize,
    panel: &[Real],
) -> [[L::V; V]; R] {
    let lines: [&[Real]; R] =
        std::array::from_fn(|i| &a.data[(row + i).min(a.rows - 1) * a.row_stride + start..][..depth]);
    let mut sums = [[L::splat(0.0); V]; R];
    for (p, b) in panel.chunks_exact(V * L::N).enumerate() {
        let b: [L::V; V] = std::array::from_fn(|v| L::load(&b[v * L::N..]));
        for i in 0..R {
            let value = L::splat(lines[i][p]);
            for v in 0..V {
                sums[i][v] = L::multiply_add(value, b[v], sums[i][v]);
            }
        }
    }
    sums
}

/// One tile of the product, where A's columns lie without gaps, as in `xᵀ·dy`. It has all `R` rows, or A has fewer.
#[inline(always)]
fn tile_by_columns<L: Lanes, const R: usize, const V: usize>(
    a: Matrix,
    row: usize,
    start: usize,
    panel: &[Real],
) -> [[L::V; V]; R] {
    let mut sums = [[L::splat(0.0); V]; R];
    let mut padded = [0.0; R];
    for (p, b) in panel.chunks_exact(V * L::N).enumerate() {
        let b: [L::V; V] = std::array::from_fn(|v| L::load(&b[v * L::N..]));
        let column = &a.data[(start + p) * a.column_stride + row..];
        let values = if a.rows < R {
            padded[..a.rows].copy_from_slice(&column[..a.rows]);
            &padded[..]
        } else {
            &column[..R]
        };
        for i in 0..R {
            let value = L::splat(values[i]);
            for v in 0..V {
                sums[i][v] = L::multiply_add(value, b[v], sums[i][v]);
            }
        }
    }
    sums
}
