//! Products of few columns, such as the ten units on the 784 inputs of MNIST.
//!
//! A panel of whole registers would stay half empty, so here the lanes run along A: along the inner dimension for
//! `A·B`, where each sum's lanes are added up at the end, and along the rows of C for `Aᵀ·B`.

use super::lanes::{Lanes, SIDE, turned};
use super::tiles::{self, Matrix};
use crate::Real;

/// Columns of a tile. With two rows, or two registers of rows, that is ten sums, which leaves room for their factors
/// in 16 registers.
const COLUMNS: usize = SIDE + 1;
/// The inner dimension that is packed at a time.
const INNER: usize = 1024;

/// Whether a product has so few columns that this way wastes less than a panel does. It depends on nothing that a row
/// shares with other rows, so the bits of a row are always the same.
#[inline(always)]
pub(super) fn pays<L: Lanes>(a: &Matrix, b: &Matrix) -> bool {
    let along = if a.column_stride == 1 { a.columns } else { a.rows };
    along >= 4 * L::N && b.columns.next_multiple_of(COLUMNS) < tiles::width::<L>(b.columns)
}

/// `C = A·B`, or `C += A·B` where `accumulate` says so.
#[inline(always)]
pub(super) fn product<L: Lanes>(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) {
    for start in (0..a.columns).step_by(INNER) {
        let depth = INNER.min(a.columns - start);
        let a = Matrix { data: &a.data[start * a.column_stride..], columns: depth, ..a };
        let b = Matrix { data: &b.data[start * b.row_stride..], rows: depth, ..b };
        match a.column_stride {
            1 => along_inner::<L>(a, b, c, accumulate || start > 0, scratch),
            _ => along_rows::<L>(a, b, c, accumulate || start > 0, scratch),
        }
    }
}

/// Lays B out in groups of columns, each cut into blocks of so many rows: a block holds its columns one behind the
/// other. The last of each is filled up with zeros.
#[inline(always)]
fn pack(b: Matrix, rows: usize, packed: &mut [Real]) {
    let group = b.rows.next_multiple_of(rows) * COLUMNS;
    for (group, to) in packed.chunks_exact_mut(group).enumerate() {
        let first = group * COLUMNS;
        let columns = COLUMNS.min(b.columns - first);
        for (block, to) in to.chunks_exact_mut(rows * COLUMNS).enumerate() {
            let top = block * rows;
            let from = &b.data[top * b.row_stride + first * b.column_stride..];
            if columns == COLUMNS && b.column_stride == 1 && b.rows - top >= rows {
                for i in 0..rows {
                    let from = &from[i * b.row_stride..][..COLUMNS];
                    for j in 0..COLUMNS {
                        to[j * rows + i] = from[j];
                    }
                }
                continue;
            }
            to.fill(0.0);
            for i in 0..rows.min(b.rows - top) {
                for j in 0..columns {
                    to[j * rows + i] = from[i * b.row_stride + j * b.column_stride];
                }
            }
        }
    }
}

/// Each sum runs in lanes over the inner dimension.
#[inline(always)]
fn along_inner<L: Lanes>(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) {
    let (n, k) = (b.columns, b.rows);
    let group = k.next_multiple_of(L::N) * COLUMNS;
    let packed = &mut scratch[..n.div_ceil(COLUMNS) * group];
    pack(b, L::N, packed);
    for (group, packed) in packed.chunks_exact(group).enumerate() {
        for (number, c) in c.chunks_mut(2 * n).enumerate() {
            let last = c.len() / n - 1;
            let line = |i: usize| &a.data[(2 * number + i.min(last)) * a.row_stride..][..k];
            let sums = dots::<L>([line(0), line(1)], packed);
            for (c, sums) in c.chunks_exact_mut(n).zip(sums) {
                for (c, sum) in c[group * COLUMNS..].iter_mut().zip(sums) {
                    *c = if accumulate { *c + sum } else { sum };
                }
            }
        }
    }
}

/// The products of two lines with each column of a group.
#[inline(always)]
fn dots<L: Lanes>(lines: [&[Real]; 2], packed: &[Real]) -> [[Real; COLUMNS]; 2] {
    let mut sums = [[L::splat(0.0); COLUMNS]; 2];
    let [first, second] = [lines[0].chunks_exact(L::N), lines[1].chunks_exact(L::N)];
    let rests = [first.remainder(), second.remainder()];
    let mut packed = packed.chunks_exact(L::N * COLUMNS);
    for ((first, second), packed) in first.zip(second).zip(&mut packed) {
        step::<L>(&mut sums, [L::load(first), L::load(second)], packed);
    }
    if let Some(packed) = packed.next() {
        let mut whole = [[0.0; tiles::WIDEST]; 2];
        for i in 0..2 {
            whole[i][..rests[i].len()].copy_from_slice(rests[i]);
        }
        step::<L>(&mut sums, [L::load(&whole[0]), L::load(&whole[1])], packed);
    }
    let mut totals = [[0.0; COLUMNS]; 2];
    for i in 0..2 {
        for j in 0..COLUMNS {
            totals[i][j] = L::sum(sums[i][j]);
        }
    }
    totals
}

#[inline(always)]
fn step<L: Lanes>(sums: &mut [[L::V; COLUMNS]; 2], x: [L::V; 2], packed: &[Real]) {
    for j in 0..COLUMNS {
        let column = L::load(&packed[j * L::N..]);
        for i in 0..2 {
            sums[i][j] = L::multiply_add(x[i], column, sums[i][j]);
        }
    }
}

/// Each lane is a row of C. A's columns lie in memory one behind the other.
#[inline(always)]
fn along_rows<L: Lanes>(a: Matrix, b: Matrix, c: &mut [Real], accumulate: bool, scratch: &mut [Real]) {
    let (n, k, width) = (b.columns, b.rows, 2 * L::N);
    let packed = &mut scratch[..n.next_multiple_of(COLUMNS) * k];
    pack(b, 1, packed);
    for block in (0..a.rows).step_by(width) {
        // The last rows are those that a whole block before the end has; what was written already is left out.
        let first = block.min(a.rows - width);
        for (group, b) in packed.chunks_exact(COLUMNS * k).enumerate() {
            let mut sums = [[L::splat(0.0); COLUMNS]; 2];
            for (x, b) in a.data.chunks(a.column_stride).zip(b.chunks_exact(COLUMNS)) {
                let x = &x[first..][..width];
                let x = [L::load(x), L::load(&x[L::N..])];
                for j in 0..COLUMNS {
                    let b = L::splat(b[j]);
                    for i in 0..2 {
                        sums[i][j] = L::multiply_add(x[i], b, sums[i][j]);
                    }
                }
            }
            let mut tile = [[0.0; tiles::WIDEST]; COLUMNS];
            for i in 0..2 {
                for j in 0..COLUMNS {
                    L::store(sums[i][j], &mut tile[j][i * L::N..]);
                }
            }
            let left = group * COLUMNS;
            if left + COLUMNS <= n && block == first {
                let c = &mut c[first * n..][..width * n];
                for (i, lines) in c.chunks_exact_mut(SIDE * n).enumerate() {
                    let square = std::array::from_fn(|j| &tile[j][i * SIDE..][..SIDE]);
                    for (j, (line, sums)) in lines.chunks_exact_mut(n).zip(turned(square)).enumerate() {
                        let line = &mut line[left..][..COLUMNS];
                        let last = tile[SIDE][i * SIDE + j];
                        for k in 0..SIDE {
                            line[k] = if accumulate { line[k] + sums[k] } else { sums[k] };
                        }
                        line[SIDE] = if accumulate { line[SIDE] + last } else { last };
                    }
                }
                continue;
            }
            let lines = c[block * n..].chunks_exact_mut(n).take(first + width - block);
            for (i, line) in (block - first..).zip(lines) {
                for (c, sums) in line[left..].iter_mut().zip(&tile) {
                    *c = if accumulate { *c + sums[i] } else { sums[i] };
                }
            }
        }
    }
}
