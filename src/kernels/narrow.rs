//! Products of few columns, such as the ten units on the 784 inputs of MNIST.
//!
//! A panel of whole registers would stay half empty, so here the lanes run along A: along the inner
//! dimension for `A·B`, where each sum's lanes are added up at the end, and along the rows of C for
//! `Aᵀ·B`.

use super::lanes::{FOUR, Lanes};
use super::tiles::{self, Matrix};
use crate::Real;

/// The inner dimension that is packed at a time.
const INNER: usize = 1024;

/// Numbers of scratch memory that [`product`] needs at most.
pub(super) const SCRATCH: usize = INNER * tiles::WIDEST;

/// Columns of a tile. With two rows, or two registers of rows, their sums leave room for the
/// factors: of 32 registers where they have 16 lanes, or of 16.
const fn tile(lanes: usize) -> usize {
    if lanes == 16 { 10 } else { 5 }
}

/// Whether a product has so few columns that this way wastes less than a panel does. It depends on
/// nothing that a row shares with other rows, so the bits of a row are always the same.
#[inline(always)]
pub(super) fn pays<L: Lanes>(a: &Matrix, b: &Matrix) -> bool {
    let along = if a.column_stride == 1 { a.columns } else { a.rows };
    along >= 4 * L::N && b.columns.next_multiple_of(tile(L::N)) < tiles::width::<L>(b.columns)
}

/// `C = A·B`, or `C += A·B` where `accumulate` says so.
#[inline(always)]
pub(super) fn product<L: Lanes>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    for start in (0..a.columns).step_by(INNER) {
        let depth = INNER.min(a.columns - start);
        let a = Matrix { data: &a.data[start * a.column_stride..], columns: depth, ..a };
        let b = Matrix { data: &b.data[start * b.row_stride..], rows: depth, ..b };
        let accumulate = accumulate || start > 0;
        match (a.column_stride, L::N) {
            (1, 16) => along_inner::<L, { tile(16) }>(a, b, c, accumulate, scratch),
            (1, _) => along_inner::<L, { tile(8) }>(a, b, c, accumulate, scratch),
            (_, 16) => along_rows::<L, { tile(16) }>(a, b, c, accumulate, scratch),
            (_, _) => along_rows::<L, { tile(8) }>(a, b, c, accumulate, scratch),
        }
    }
}

/// Each sum runs in lanes over the inner dimension.
#[inline(always)]
fn along_inner<L: Lanes, const C: usize>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, k) = (b.columns, b.rows);
    let group = k.next_multiple_of(L::N) * C;
    let packed = &mut scratch[..n.div_ceil(C) * group];
    for (group, packed) in packed.chunks_exact_mut(group).enumerate() {
        let first = group * C;
        pack::<L, C>(b, first, packed);
        for (number, c) in c.chunks_mut(2 * n).enumerate() {
            let last = c.len() / n - 1;
            let line = |i: usize| &a.data[(2 * number + i.min(last)) * a.row_stride..][..k];
            let sums = dots::<L, C>([line(0), line(1)], packed);
            for (c, sums) in c.chunks_exact_mut(n).zip(sums) {
                match c[first..].first_chunk_mut() {
                    // So few numbers are not worth a call that copies memory.
                    Some(c) if !accumulate => *c = sums,
                    _ => c[first..]
                        .iter_mut()
                        .zip(sums)
                        .for_each(|(c, sum)| *c = if accumulate { *c + sum } else { sum }),
                }
            }
        }
    }
}

/// Lays the columns of B from `first` on into blocks of as many rows as a register has lanes: a
/// block holds its columns one behind the other. What is missing is filled up with zeros.
#[inline(always)]
fn pack<L: Lanes, const C: usize>(b: Matrix, first: usize, packed: &mut [Real]) {
    let columns = C.min(b.columns - first);
    for (block, to) in packed.chunks_exact_mut(L::N * C).enumerate() {
        let top = block * L::N;
        let rows = L::N.min(b.rows - top);
        let from = &b.data[top * b.row_stride + first * b.column_stride..];
        if rows == L::N && b.column_stride == 1 && columns >= FOUR {
            to[columns * L::N..].fill(0.0);
            for j in (0..columns).step_by(FOUR) {
                let j = j.min(columns - FOUR);
                let mut lines = [L::splat(0.0); FOUR];
                for i in 0..FOUR {
                    lines[i] = L::load_fours(&from[i * b.row_stride + j..], FOUR * b.row_stride);
                }
                let lines = L::turn(lines);
                for i in 0..FOUR {
                    L::store(lines[i], &mut to[(j + i) * L::N..]);
                }
            }
            continue;
        }
        to.fill(0.0);
        for i in 0..rows {
            for j in 0..columns {
                to[j * L::N + i] = from[i * b.row_stride + j * b.column_stride];
            }
        }
    }
}

/// The products of two lines with each column of a group.
#[inline(always)]
fn dots<L: Lanes, const C: usize>(lines: [&[Real]; 2], packed: &[Real]) -> [[Real; C]; 2] {
    let mut sums = [[L::splat(0.0); C]; 2];
    let [first, second] = [lines[0].chunks_exact(L::N), lines[1].chunks_exact(L::N)];
    let rests = [first.remainder(), second.remainder()];
    let mut packed = packed.chunks_exact(L::N * C);
    for ((first, second), packed) in first.zip(second).zip(&mut packed) {
        step::<L, C>(&mut sums, [L::load(first), L::load(second)], packed);
    }
    if let Some(packed) = packed.next() {
        let mut whole = [[0.0; tiles::WIDEST]; 2];
        for i in 0..2 {
            whole[i][..rests[i].len()].copy_from_slice(rests[i]);
        }
        step::<L, C>(&mut sums, [L::load(&whole[0]), L::load(&whole[1])], packed);
    }
    let mut totals = [[0.0; C]; 2];
    for i in 0..2 {
        for j in (0..C).step_by(FOUR) {
            let j = j.min(C - FOUR);
            let four = L::sums([sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]]);
            totals[i][j..j + FOUR].copy_from_slice(&four);
        }
    }
    totals
}

#[inline(always)]
fn step<L: Lanes, const C: usize>(sums: &mut [[L::V; C]; 2], x: [L::V; 2], packed: &[Real]) {
    for j in 0..C {
        let column = L::load(&packed[j * L::N..]);
        for i in 0..2 {
            sums[i][j] = L::multiply_add(x[i], column, sums[i][j]);
        }
    }
}

/// Each lane is a row of C. A's columns lie in memory one behind the other.
#[inline(always)]
fn along_rows<L: Lanes, const C: usize>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, k) = (b.columns, b.rows);
    let packed = &mut scratch[..C * k];
    for first in (0..n).step_by(C) {
        let columns = C.min(n - first);
        for (i, to) in packed.chunks_exact_mut(C).enumerate() {
            let from = &b.data[i * b.row_stride + first * b.column_stride..];
            if columns == C && b.column_stride == 1 {
                to.copy_from_slice(&from[..C]);
                continue;
            }
            for j in 0..C {
                to[j] = if j < columns { from[j * b.column_stride] } else { 0.0 };
            }
        }
        let mut row = 0;
        while row < a.rows {
            let rest = a.rows - row;
            row += match rest / L::N {
                0 => {
                    // The last rows are those that a whole register before the end has, without
                    // those written already.
                    let sums = register_rows::<L, C, 1>(&a, a.rows - L::N, packed);
                    store::<L, C>(
                        &sums[0],
                        L::N - rest,
                        &mut c[row * n + first..],
                        n,
                        columns,
                        accumulate,
                    );
                    rest
                }
                1 => {
                    let sums = register_rows::<L, C, 1>(&a, row, packed);
                    store::<L, C>(&sums[0], 0, &mut c[row * n + first..], n, columns, accumulate);
                    L::N
                }
                _ => {
                    let sums = register_rows::<L, C, 2>(&a, row, packed);
                    store::<L, C>(&sums[0], 0, &mut c[row * n + first..], n, columns, accumulate);
                    store::<L, C>(
                        &sums[1],
                        0,
                        &mut c[(row + L::N) * n + first..],
                        n,
                        columns,
                        accumulate,
                    );
                    2 * L::N
                }
            };
        }
    }
}

/// `R` registers of rows of C, from this row on.
#[inline(always)]
fn register_rows<L: Lanes, const C: usize, const R: usize>(
    a: &Matrix,
    row: usize,
    b: &[Real],
) -> [[L::V; C]; R] {
    let mut sums = [[L::splat(0.0); C]; R];
    for (x, b) in a.data.chunks(a.column_stride).zip(b.chunks_exact(C)) {
        let x = &x[row..][..R * L::N];
        for j in 0..C {
            let b = L::splat(b[j]);
            for i in 0..R {
                sums[i][j] = L::multiply_add(L::load(&x[i * L::N..]), b, sums[i][j]);
            }
        }
    }
    sums
}

/// Writes a register of rows, without the first `skipped`, to lines of C, or adds it to what is
/// there.
#[inline(always)]
fn store<L: Lanes, const C: usize>(
    sums: &[L::V; C],
    skipped: usize,
    c: &mut [Real],
    n: usize,
    columns: usize,
    accumulate: bool,
) {
    if skipped > 0 || columns < C {
        let mut tile = [[0.0; tiles::WIDEST]; C];
        for j in 0..C {
            L::store(sums[j], &mut tile[j]);
        }
        for (i, line) in (skipped..L::N).zip(c.chunks_mut(n)) {
            for (c, sums) in line[..columns].iter_mut().zip(&tile) {
                *c = if accumulate { *c + sums[i] } else { sums[i] };
            }
        }
        return;
    }
    // Four columns at a time, the last four once more where their number is not a multiple of four:
    // so all that is added to has to be read before anything is written.
    const MOST: usize = tile(16).div_ceil(FOUR);
    let (one, fours, place) =
        (L::splat(1.0), C.div_ceil(FOUR), |four: usize| (four * FOUR).min(C - FOUR));
    let mut turned = [[L::splat(0.0); FOUR]; MOST];
    for (four, turned) in turned.iter_mut().enumerate().take(fours) {
        let j = place(four);
        *turned = L::turn([sums[j], sums[j + 1], sums[j + 2], sums[j + 3]]);
    }
    for i in 0..FOUR {
        let c = &mut c[i * n..];
        if accumulate {
            for (four, turned) in turned.iter_mut().enumerate().take(fours) {
                turned[i] =
                    L::multiply_add(one, L::load_fours(&c[place(four)..], FOUR * n), turned[i]);
            }
        }
        for (four, turned) in turned.iter().enumerate().take(fours) {
            L::store_fours(turned[i], &mut c[place(four)..], FOUR * n);
        }
    }
}
