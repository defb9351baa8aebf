//! The matrix product that Dense and Conv2D come down to: `C = A·B` or `C += A·B`.
//!
//! A tile of C stays in registers while the inner dimension runs; B is packed into panels as wide
//! as a tile, A is read where it lies, by rows or by columns, since a broadcast needs no packing.
//! The inner dimension is cut into blocks of a constant size so that a panel of B stays in the
//! first-level cache. Each element of C is one sum in the order of the inner dimension, whatever
//! the sizes around it.
//!
//! Rejected: the `gemm` crate, which packs into buffers that it allocates on every call and takes
//! its blocking from the processor, so that a row's bits depend on how many rows there are; it
//! serves as the oracle in the tests.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::kernel;
use super::lanes::Lanes;
use super::narrow;
use super::tiles::{self, Grid, Left, Matrix, WIDEST};
use crate::Real;

/// Rows of the inner dimension that are packed at a time.
const INNER: usize = 512;
/// Panels that are multiplied at a time: every few rows of A run through them, so they stay in the
/// second-level cache.
const GROUP: usize = 4;

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
    narrow::SCRATCH.max((INNER + 1) * columns.next_multiple_of(WIDEST))
}

/// `C = A·B`, or `C += A·B` where `accumulate` says so.
///
/// A and B are matrices without gaps or transposes of such; C is row-major without gaps. `scratch`
/// has at least [`scratch_len`] numbers, whose content does not matter.
pub fn matmul(
    a: ArrayView2<Real>,
    b: ArrayView2<Real>,
    mut c: ArrayViewMut2<Real>,
    accumulate: bool,
    scratch: &mut [Real],
) {
    product(
        a.into(),
        b.into(),
        c.as_slice_mut().expect("a matrix without gaps"),
        accumulate,
        scratch,
    );
}

kernel! {
    fn product(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) = product_body
}

#[inline(always)]
fn product_body<L: Lanes>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (m, n, k, width) = (a.rows, b.columns, a.columns, tiles::width::<L>(b.columns));
    assert!(k == b.rows && c.len() == m * n, "the matrices of a product do not fit each other");
    if k == 0 && !accumulate {
        c.fill(0.0);
    }
    if narrow::pays::<L>(&a, &b) {
        return narrow::product::<L>(a, b, c, accumulate, scratch);
    }
    for start in (0..k).step_by(INNER) {
        let depth = INNER.min(k - start);
        let block = Matrix { data: &b.data[start * b.row_stride..], rows: depth, ..b };
        tiles::start(&[], 0, n, width, scratch, depth);
        tiles::pack::<L>(block, 0, width, scratch, depth, 0);
        let data = &a.data[start * a.column_stride..];
        let rows = Grid::line(m, a.row_stride);
        let live = 0..data.len();
        let packed = &scratch[..(depth + 1) * n.next_multiple_of(width)];
        for (number, panels) in packed.chunks((depth + 1) * width * GROUP).enumerate() {
            if a.column_stride == 1 {
                let a = Left { data, rows, columns: Grid::line(depth, 1), live: live.clone() };
                tiles::product::<L>(
                    &a,
                    panels,
                    c,
                    n,
                    number * width * GROUP,
                    accumulate || start > 0,
                );
            } else {
                let a = Left {
                    data,
                    rows,
                    columns: Grid::line(depth, a.column_stride),
                    live: live.clone(),
                };
                tiles::product::<L>(
                    &a,
                    panels,
                    c,
                    n,
                    number * width * GROUP,
                    accumulate || start > 0,
                );
            }
        }
    }
}
