//! Register tiles, which every product with full panels uses: MR rows of A times a panel of B.
//!
//! A is read in place ([`Lhs`]), so the windows of a convolution are read from the image itself. B
//! is packed into panels. Each element of C is one sum in the order of the inner dimension,
//! whatever the sizes of the matrices.

use super::lhs::Lhs;
use super::panels::{MAX_NR, panel_len};
use super::simd::Simd;
use crate::Real;

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

/// `C = A·B + bias` or `C += A·B`, for the columns that `panels` has.
#[inline(always)]
pub(super) fn product<S: Simd>(a: &impl Lhs, panels: &[Real], c: &mut [Real], columns: Columns) {
    if columns.n <= S::LANES {
        rows_of_tiles::<S, 1>(a, panels, c, columns);
    } else {
        rows_of_tiles::<S, 2>(a, panels, c, columns);
    }
}

/// Divides C into strips. MR × NV registers of sums leave room for a row of B and a broadcast of A;
/// the last rows have smaller tiles.
#[inline(always)]
fn rows_of_tiles<S: Simd, const NV: usize>(
    a: &impl Lhs,
    panels: &[Real],
    c: &mut [Real],
    columns: Columns,
) {
    let mut row = 0;
    let mut rest = c;
    if S::REGISTERS == 32 {
        rest = strips::<S, 12, NV>(a, &mut row, panels, rest, columns);
        rest = strips::<S, 4, NV>(a, &mut row, panels, rest, columns);
    } else {
        rest = strips::<S, 6, NV>(a, &mut row, panels, rest, columns);
        rest = strips::<S, 2, NV>(a, &mut row, panels, rest, columns);
    }
    strips::<S, 1, NV>(a, &mut row, panels, rest, columns);
}

/// Computes as many strips of MR rows as there are, from `row` on. Returns the other rows of C.
#[inline(always)]
fn strips<'c, S: Simd, const MR: usize, const NV: usize>(
    a: &impl Lhs,
    row: &mut usize,
    panels: &[Real],
    c: &'c mut [Real],
    columns: Columns,
) -> &'c mut [Real] {
    let len = MR * columns.n;
    let (whole, rest) = c.split_at_mut(c.len() / len * len);
    let panel_len = panel_len(NV * S::LANES, a.depth());
    for strip in whole.chunks_exact_mut(len) {
        let rows = a.rows::<MR>(*row);
        *row += MR;
        let starts = (columns.first..columns.n).step_by(NV * S::LANES);
        for (panel, column) in panels.chunks_exact(panel_len).zip(starts) {
            let sums = a.tile::<S, MR, NV>(&rows, panel);
            store::<S, MR, NV>(sums, strip, column, columns);
        }
    }
    rest
}

/// Stores a tile to the columns of C from `column` on.
#[inline(always)]
fn store<S: Simd, const MR: usize, const NV: usize>(
    sums: [[S::Vector; NV]; MR],
    strip: &mut [Real],
    column: usize,
    Columns { n, accumulate, .. }: Columns,
) {
    let nr = NV * S::LANES;
    if column + nr <= n {
        let one = S::splat(1.0);
        for i in 0..MR {
            let line = &mut strip[i * n + column..][..nr];
            for v in 0..NV {
                let c = &mut line[v * S::LANES..];
                let mut sum = sums[i][v];
                if accumulate {
                    sum = S::mul_add(one, S::load(c), sum);
                }
                S::store(sum, c);
            }
        }
        return;
    }
    // Constant indices, without which the sums would not stay in registers.
    let mut tile = [[0.0; MAX_NR]; MR];
    for i in 0..MR {
        for v in 0..NV {
            S::store(sums[i][v], &mut tile[i][v * S::LANES..]);
        }
    }
    for (line, sums) in strip.chunks_exact_mut(n).zip(&tile) {
        for (c, sum) in line[column..].iter_mut().zip(&sums[..nr]) {
            *c = if accumulate { *c + sum } else { *sum };
        }
    }
}
