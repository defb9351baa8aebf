//! Matrix product `C = A·B` or `C += A·B`.
//!
//! A tile of C stays in registers during the loop over the inner dimension. B is packed into panels
//! as wide as a tile; A is read in place, by rows or by columns. The inner dimension is split into
//! blocks of a constant size, so that a panel of B (16 kB, 33 kB with AVX2, 66 kB with AVX-512)
//! stays in the first- or second-level cache. Each element of C is one sum in the order of the
//! inner dimension, whatever the sizes of the matrices.
//!
//! Rejected: the `gemm` crate, which packs into buffers that it allocates on every call and takes
//! its blocking from the processor, so that a row's bits depend on the number of rows.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::lhs::{ColumnMajor, RowMajor};
use super::panels::{MAX_NR, Matrix, Panels, panel_len, panel_width};
use super::tiles::{self, Columns};
use super::{kernel, small_n};
use crate::Real;

/// Rows of a panel.
const KC: usize = 512;
/// Number of panels packed at a time; all rows of A are multiplied by them while they are in the
/// second-level cache.
const NC: usize = 4;

impl<'a> From<ArrayView2<'a, Real>> for Matrix<'a> {
    /// A contiguous view, or the transpose of one.
    fn from(view: ArrayView2<'a, Real>) -> Self {
        let (rows, columns) = view.dim();
        match view.to_slice() {
            Some(data) => Matrix { data, rows, columns, row_stride: columns, column_stride: 1 },
            None => {
                let data = view.reversed_axes().to_slice().expect("a contiguous matrix");
                Matrix { data, rows, columns, row_stride: 1, column_stride: rows }
            }
        }
    }
}

/// Length of the scratch memory that [`matmul`] needs for a `B` with this number of columns.
pub fn scratch_len(columns: usize) -> usize {
    let packed = columns.next_multiple_of(MAX_NR).min(NC * MAX_NR);
    small_n::SCRATCH.max(panel_len(packed, KC))
}

/// `C = A·B`, or `C += A·B` if `accumulate`.
///
/// A and B are contiguous matrices or transposes of such; C is row-major and contiguous. `scratch`
/// has at least [`scratch_len`] values of any content.
pub fn matmul(
    a: ArrayView2<Real>,
    b: ArrayView2<Real>,
    mut c: ArrayViewMut2<Real>,
    accumulate: bool,
    scratch: &mut [Real],
) {
    let c = c.as_slice_mut().expect("a contiguous matrix");
    product(a.into(), b.into(), c, accumulate, scratch);
}

kernel! {
    fn product<S: Simd>(
        a: Matrix,
        b: Matrix,
        c: &mut [Real],
        accumulate: bool,
        scratch: &mut [Real],
    ) {
        let (m, n, k) = (a.rows, b.columns, a.columns);
        assert!(k == b.rows && c.len() == m * n, "the matrices of a product do not fit each other");
        if k == 0 && !accumulate {
            c.fill(0.0);
        }
        if small_n::is_profitable::<S>(&a, &b) {
            return small_n::product::<S>(a, b, c, accumulate, scratch);
        }
        let width = panel_width::<S>(n);
        for start in (0..k).step_by(KC) {
            let depth = KC.min(k - start);
            let data = &a.data[start * a.column_stride..];
            for first in (0..n).step_by(NC * width) {
                let end = n.min(first + NC * width);
                let block = Matrix {
                    data: &b.data[start * b.row_stride..],
                    rows: depth,
                    columns: end,
                    ..b
                };
                let len = panel_len((end - first).next_multiple_of(width), depth);
                let mut panels = Panels { data: &mut scratch[..len], width, depth };
                panels.start(&[], first, end);
                panels.pack::<S>(block, first, 0);
                let packed = &scratch[..len];
                let of_c = Columns { n, first, accumulate: accumulate || start > 0 };
                if a.column_stride == 1 {
                    let lhs = RowMajor { data, stride: a.row_stride, depth };
                    tiles::product::<S>(&lhs, packed, c, of_c);
                } else {
                    let lhs = ColumnMajor { data, stride: a.column_stride, depth };
                    tiles::product::<S>(&lhs, packed, c, of_c);
                }
            }
        }
    }
}
