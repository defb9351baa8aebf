//! Products with few columns, such as ten units on the 784 inputs of MNIST.
//!
//! A panel of full registers would stay half empty, so here the lanes run along A: along the inner
//! dimension for `A·B`, where the lanes of each sum are added at the end, and along the rows of C
//! for `Aᵀ·B`. B is packed in blocks of NR columns.

use super::panels::{MAX_NR, Matrix, panel_width};
use super::simd::{QUAD, Simd};
use crate::Real;

/// Rows of the inner dimension that are packed at a time.
const KC: usize = 1024;

/// Length of the scratch memory that [`product`] needs.
pub(super) const SCRATCH: usize = KC * MAX_NR;

/// NR, the columns of a tile. The sums of two rows (or of two registers of rows) leave registers
/// free for the factors: there are 32 with 16 lanes, or 16 narrower ones.
const fn tile_columns(lanes: usize) -> usize {
    if lanes == 16 { 10 } else { 5 }
}

/// True if a panel would waste more lanes on these few columns. The number of samples plays no
/// part, so the bits of a sample do not depend on it.
#[inline(always)]
pub(super) fn is_profitable<S: Simd>(a: &Matrix, b: &Matrix) -> bool {
    let along_lanes = if a.column_stride == 1 { a.columns } else { a.rows };
    along_lanes >= 4 * S::LANES
        && b.columns.next_multiple_of(tile_columns(S::LANES)) < panel_width::<S>(b.columns)
}

/// `C = A·B`, or `C += A·B` if `accumulate`.
#[inline(always)]
pub(super) fn product<S: Simd>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    for start in (0..a.columns).step_by(KC) {
        let depth = KC.min(a.columns - start);
        let a = Matrix { data: &a.data[start * a.column_stride..], columns: depth, ..a };
        let b = Matrix { data: &b.data[start * b.row_stride..], rows: depth, ..b };
        let accumulate = accumulate || start > 0;
        match (a.column_stride, S::LANES) {
            (1, 16) => along_inner::<S, { tile_columns(16) }>(a, b, c, accumulate, scratch),
            (1, _) => along_inner::<S, { tile_columns(8) }>(a, b, c, accumulate, scratch),
            (_, 16) => along_rows::<S, { tile_columns(16) }>(a, b, c, accumulate, scratch),
            (_, _) => along_rows::<S, { tile_columns(8) }>(a, b, c, accumulate, scratch),
        }
    }
}

/// Lanes along the inner dimension: two rows of C at a time.
#[inline(always)]
fn along_inner<S: Simd, const NR: usize>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, k) = (b.columns, b.rows);
    let panel_len = k.next_multiple_of(S::LANES) * NR;
    let panels = &mut scratch[..n.div_ceil(NR) * panel_len];
    for (number, panel) in panels.chunks_exact_mut(panel_len).enumerate() {
        let first = number * NR;
        pack::<S, NR>(b, first, panel);
        for (pair, c) in c.chunks_mut(2 * n).enumerate() {
            let last = c.len() / n - 1;
            let row = |i: usize| &a.data[(2 * pair + i.min(last)) * a.row_stride..][..k];
            let sums = dot_products::<S, NR>([row(0), row(1)], panel);
            for (c, sums) in c.chunks_exact_mut(n).zip(sums) {
                match c[first..].first_chunk_mut() {
                    // Too few values to be worth a call of memcpy.
                    Some(c) if !accumulate => *c = sums,
                    _ => {
                        for (c, sum) in c[first..].iter_mut().zip(sums) {
                            *c = if accumulate { *c + sum } else { sum };
                        }
                    }
                }
            }
        }
    }
}

/// Packs the columns of B from `first` on. A block has as many rows as a register has lanes and is
/// stored column by column, padded with zeros.
#[inline(always)]
fn pack<S: Simd, const NR: usize>(b: Matrix, first: usize, panel: &mut [Real]) {
    let columns = NR.min(b.columns - first);
    for (number, block) in panel.chunks_exact_mut(S::LANES * NR).enumerate() {
        let top = number * S::LANES;
        let rows = S::LANES.min(b.rows - top);
        let from = &b.data[top * b.row_stride + first * b.column_stride..];
        if rows == S::LANES && b.column_stride == 1 && columns >= QUAD {
            block[columns * S::LANES..].fill(0.0);
            for j in (0..columns).step_by(QUAD) {
                let j = j.min(columns - QUAD);
                let mut quads = [S::splat(0.0); QUAD];
                for i in 0..QUAD {
                    quads[i] = S::load_quads(&from[i * b.row_stride + j..], QUAD * b.row_stride);
                }
                let quads = S::transpose(quads);
                for i in 0..QUAD {
                    S::store(quads[i], &mut block[(j + i) * S::LANES..]);
                }
            }
            continue;
        }
        block.fill(0.0);
        for i in 0..rows {
            for j in 0..columns {
                block[j * S::LANES + i] = from[i * b.row_stride + j * b.column_stride];
            }
        }
    }
}

/// Products of two rows of A with each column of a panel.
#[inline(always)]
fn dot_products<S: Simd, const NR: usize>(rows: [&[Real]; 2], panel: &[Real]) -> [[Real; NR]; 2] {
    let mut lanes = [[S::splat(0.0); NR]; 2];
    let [first, second] = [rows[0].chunks_exact(S::LANES), rows[1].chunks_exact(S::LANES)];
    let rests = [first.remainder(), second.remainder()];
    let mut blocks = panel.chunks_exact(S::LANES * NR);
    for ((first, second), block) in first.zip(second).zip(&mut blocks) {
        add_products::<S, NR>(&mut lanes, [S::load(first), S::load(second)], block);
    }
    if let Some(block) = blocks.next() {
        let mut padded = [[0.0; MAX_NR]; 2];
        for i in 0..2 {
            padded[i][..rests[i].len()].copy_from_slice(rests[i]);
        }
        add_products::<S, NR>(&mut lanes, [S::load(&padded[0]), S::load(&padded[1])], block);
    }
    let mut sums = [[0.0; NR]; 2];
    for i in 0..2 {
        for j in (0..NR).step_by(QUAD) {
            let j = j.min(NR - QUAD);
            let quad = S::sums([lanes[i][j], lanes[i][j + 1], lanes[i][j + 2], lanes[i][j + 3]]);
            sums[i][j..j + QUAD].copy_from_slice(&quad);
        }
    }
    sums
}

#[inline(always)]
fn add_products<S: Simd, const NR: usize>(
    sums: &mut [[S::Vector; NR]; 2],
    x: [S::Vector; 2],
    block: &[Real],
) {
    for j in 0..NR {
        let column = S::load(&block[j * S::LANES..]);
        for i in 0..2 {
            sums[i][j] = S::mul_add(x[i], column, sums[i][j]);
        }
    }
}

/// Lanes along the rows of C, for an A whose columns are contiguous.
#[inline(always)]
fn along_rows<S: Simd, const NR: usize>(
    a: Matrix,
    b: Matrix,
    c: &mut [Real],
    accumulate: bool,
    scratch: &mut [Real],
) {
    let (n, k) = (b.columns, b.rows);
    let panel = &mut scratch[..NR * k];
    for first in (0..n).step_by(NR) {
        let columns = NR.min(n - first);
        for (i, to) in panel.chunks_exact_mut(NR).enumerate() {
            let from = &b.data[i * b.row_stride + first * b.column_stride..];
            if columns == NR && b.column_stride == 1 {
                to.copy_from_slice(&from[..NR]);
                continue;
            }
            for j in 0..NR {
                to[j] = if j < columns { from[j * b.column_stride] } else { 0.0 };
            }
        }
        let place = Place { n, columns, accumulate };
        let mut row = 0;
        while row < a.rows {
            let rest = a.rows - row;
            if rest < S::LANES {
                // Remainder: compute the last full register of rows, which overlaps rows already
                // done, and store only the new ones.
                let sums = register_rows::<S, NR, 1>(&a, a.rows - S::LANES, panel);
                let skipped = S::LANES - rest;
                store_partial::<S, NR>(&sums[0], skipped, &mut c[row * n + first..], place);
                row += rest;
            } else if rest < 2 * S::LANES {
                let sums = register_rows::<S, NR, 1>(&a, row, panel);
                store::<S, NR>(&sums[0], &mut c[row * n + first..], place);
                row += S::LANES;
            } else {
                let sums = register_rows::<S, NR, 2>(&a, row, panel);
                store::<S, NR>(&sums[0], &mut c[row * n + first..], place);
                store::<S, NR>(&sums[1], &mut c[(row + S::LANES) * n + first..], place);
                row += 2 * S::LANES;
            }
        }
    }
}

/// Sums of `R` registers of rows of C, from `row` on.
#[inline(always)]
fn register_rows<S: Simd, const NR: usize, const R: usize>(
    a: &Matrix,
    row: usize,
    panel: &[Real],
) -> [[S::Vector; NR]; R] {
    let mut sums = [[S::splat(0.0); NR]; R];
    for (x, b) in a.data.chunks(a.column_stride).zip(panel.chunks_exact(NR)) {
        let x = &x[row..][..R * S::LANES];
        for j in 0..NR {
            let b = S::splat(b[j]);
            for i in 0..R {
                sums[i][j] = S::mul_add(S::load(&x[i * S::LANES..]), b, sums[i][j]);
            }
        }
    }
    sums
}

/// Part of C that a tile is stored to.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// Columns of C.
    pub n: usize,
    /// Columns of the tile that are within C.
    pub columns: usize,
    /// True if the tile is added to C.
    pub accumulate: bool,
}

/// Stores the sums of one register of rows; `c` begins at the first of these rows.
#[inline(always)]
pub(super) fn store<S: Simd, const NR: usize>(
    sums: &[S::Vector; NR],
    c: &mut [Real],
    place: Place,
) {
    if place.columns < NR {
        return store_partial::<S, NR>(sums, 0, c, place);
    }
    // Quads of columns. The last one overlaps the one before if NR is no multiple of four, so all
    // quads of a row are loaded before any is stored.
    const MAX_QUADS: usize = tile_columns(16).div_ceil(QUAD);
    let n_quads = NR.div_ceil(QUAD);
    let column = |quad: usize| (quad * QUAD).min(NR.saturating_sub(QUAD));
    let stride = QUAD * place.n;
    let one = S::splat(1.0);
    let mut rows = [[S::splat(0.0); QUAD]; MAX_QUADS];
    for (quad, rows) in rows.iter_mut().enumerate().take(n_quads) {
        let j = column(quad);
        *rows = S::transpose([sums[j], sums[j + 1], sums[j + 2], sums[j + 3]]);
    }
    for i in 0..QUAD {
        let c = &mut c[i * place.n..];
        if place.accumulate {
            for (quad, rows) in rows.iter_mut().enumerate().take(n_quads) {
                let before = S::load_quads(&c[column(quad)..], stride);
                rows[i] = S::mul_add(one, before, rows[i]);
            }
        }
        for (quad, rows) in rows.iter().enumerate().take(n_quads) {
            S::store_quads(rows[i], &mut c[column(quad)..], stride);
        }
    }
}

/// Stores the sums of the rows from `skipped` on; `c` begins at the first of these rows.
#[inline(always)]
fn store_partial<S: Simd, const NR: usize>(
    sums: &[S::Vector; NR],
    skipped: usize,
    c: &mut [Real],
    place: Place,
) {
    let mut tile = [[0.0; MAX_NR]; NR];
    for j in 0..NR {
        S::store(sums[j], &mut tile[j]);
    }
    for (i, line) in (skipped..S::LANES).zip(c.chunks_mut(place.n)) {
        for (c, sums) in line[..place.columns].iter_mut().zip(&tile) {
            *c = if place.accumulate { *c + sums[i] } else { sums[i] };
        }
    }
}
