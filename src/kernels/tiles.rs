//! The register tile that every product here comes down to: a few rows of A times a panel of B.
//!
//! A row of A need not lie in memory as one: [`Grid`]s say where its values are, so the windows of
//! a convolution are read from the image itself. B is packed into panels as wide as a tile. A tile
//! of C stays in registers while the inner dimension runs; each element of C is one sum in the
//! order of that dimension, whatever the sizes around it.

use std::ops::Range;

use super::lanes::Lanes;
use crate::Real;

/// The widest tile of any path, for the size of scratch memory.
pub(super) const WIDEST: usize = 32;

/// Three nested counters, the last one the fastest, each with the distance in memory that a step of
/// it makes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    /// How far each counts.
    pub lengths: [usize; 3],
    /// The distances.
    pub steps: [usize; 3],
}

impl Grid {
    /// One counter.
    pub fn line(length: usize, step: usize) -> Grid {
        Grid { lengths: [1, 1, length], steps: [0, 0, step] }
    }

    /// The distances of the next `R` places from `at` on, the last place repeated, and where that
    /// leaves `at`.
    #[inline(always)]
    fn take<const R: usize>(&self, at: &mut [usize; 3]) -> [usize; R] {
        let [a, b, c] = self.lengths;
        let mut distances = [0; R];
        for distance in &mut distances {
            *distance = at[0] * self.steps[0] + at[1] * self.steps[1] + at[2] * self.steps[2];
            if at[2] + 1 < c {
                at[2] += 1;
            } else if at[1] + 1 < b {
                (at[1], at[2]) = (at[1] + 1, 0);
            } else if at[0] + 1 < a {
                *at = [at[0] + 1, 0, 0];
            }
        }
        distances
    }
}

/// A matrix whose element in row `i` and column `k` is `data[rows(i) + columns(k)]`.
#[derive(Debug, Clone)]
pub(super) struct Left<'a> {
    pub data: &'a [Real],
    pub rows: Grid,
    pub columns: Grid,
    /// The stretch of `data` outside of which all is zero, in whole steps of both first counters.
    pub live: Range<usize>,
}

/// How wide a panel is for a B of so many columns.
#[inline(always)]
pub(super) fn width<L: Lanes>(columns: usize) -> usize {
    if columns <= L::N { L::N } else { 2 * L::N }
}

/// `C = A·B + bias`, or `C += A·B` where `accumulate` says so, for the columns of C from `first` on
/// that `panels` has.
#[inline(always)]
pub(super) fn product<L: Lanes>(
    a: &Left,
    panels: &[Real],
    c: &mut [Real],
    n: usize,
    first: usize,
    accumulate: bool,
) {
    // As many sums as leave registers for a row of B and a broadcast of A: of 16 registers, or of
    // 32.
    match (L::N, n <= L::N) {
        (16, true) => tiles::<L, 12, 1>(a, panels, c, n, first, accumulate),
        (16, false) => tiles::<L, 12, 2>(a, panels, c, n, first, accumulate),
        (_, true) => tiles::<L, 6, 1>(a, panels, c, n, first, accumulate),
        (_, false) => tiles::<L, 6, 2>(a, panels, c, n, first, accumulate),
    }
}

#[inline(always)]
fn tiles<L: Lanes, const R: usize, const V: usize>(
    a: &Left,
    panels: &[Real],
    c: &mut [Real],
    n: usize,
    first: usize,
    accumulate: bool,
) {
    let (width, depth) = (V * L::N, a.columns.lengths.iter().product::<usize>());
    let all_live = a.live == (0..a.data.len());
    let mut at = [0; 3];
    for c in c.chunks_mut(R * n) {
        let top = at[0];
        let distances = a.rows.take::<R>(&mut at);
        let mut range = 0..a.columns.lengths[0];
        if !all_live {
            let up_to = |end: usize, row: usize| {
                end.saturating_sub(row * a.rows.steps[0])
                    .div_ceil(a.columns.steps[0])
                    .min(range.end)
            };
            range = up_to(a.live.start, at[0])..up_to(a.live.end, top);
        }
        let (mut panels, mut column) = (panels, first);
        while let Some((panel, rest)) = panels.split_at_checked((depth + 1) * width)
            && column < n
        {
            let sums = tile::<L, R, V>(a, &distances, range.clone(), panel);
            if column + width <= n && c.len() == R * n {
                let one = L::splat(1.0);
                for i in 0..R {
                    let line = &mut c[i * n + column..][..width];
                    for v in 0..V {
                        let c = &mut line[v * L::N..];
                        let sum = if accumulate {
                            L::multiply_add(one, L::load(c), sums[i][v])
                        } else {
                            sums[i][v]
                        };
                        L::store(sum, c);
                    }
                }
            } else {
                // Written out with constant indices: only then do the sums stay in registers up to
                // here.
                let mut tile = [[0.0; WIDEST]; R];
                for i in 0..R {
                    for v in 0..V {
                        L::store(sums[i][v], &mut tile[i][v * L::N..]);
                    }
                }
                for (line, sums) in c.chunks_exact_mut(n).zip(&tile) {
                    let line = line[column..].iter_mut().zip(&sums[..width]);
                    line.for_each(|(c, sum)| *c = if accumulate { *c + sum } else { *sum });
                }
            }
            (panels, column) = (rest, column + width);
        }
    }
}

/// One tile: the rows of A at these distances times a panel, where the columns' first counter runs
/// over `range`.
#[inline(always)]
fn tile<L: Lanes, const R: usize, const V: usize>(
    a: &Left,
    distances: &[usize; R],
    range: Range<usize>,
    panel: &[Real],
) -> [[L::V; V]; R] {
    let ([_, runs, run], [far, near, step]) = (a.columns.lengths, a.columns.steps);
    let (rows, length) = (run * V * L::N, (run - 1) * step + 1);
    let (start, panel) = panel.split_at(V * L::N);
    let start: [L::V; V] = std::array::from_fn(|v| L::load(&start[v * L::N..]));
    let mut sums = [start; R];
    for i in range {
        for j in 0..runs {
            let panel = &panel[(i * runs + j) * rows..][..rows];
            let data = &a.data[i * far + j * near..];
            let mut lines: [&[Real]; R] = [&[]; R];
            for i in 0..R {
                lines[i] = &data[distances[i]..][..length];
            }
            let mut at = 0;
            for b in panel.chunks_exact(V * L::N) {
                // Never true; it lets the compiler drop the checks of the broadcasts.
                if at >= length {
                    break;
                }
                let b: [L::V; V] = std::array::from_fn(|v| L::load(&b[v * L::N..]));
                for i in 0..R {
                    let value = L::splat(lines[i][at]);
                    for v in 0..V {
                        sums[i][v] = L::multiply_add(value, b[v], sums[i][v]);
                    }
                }
                at += step;
            }
        }
    }
    sums
}

/// A matrix as it lies in memory: its element `(i, j)` is at `i·row_stride + j·column_stride`, one
/// of which is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    pub data: &'a [Real],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

/// Writes what the sums start from, zeros or a bias, into the first row of each panel of `depth`
/// rows.
#[inline(always)]
pub(super) fn start(
    bias: &[Real],
    first: usize,
    n: usize,
    width: usize,
    panels: &mut [Real],
    depth: usize,
) {
    for (panel, column) in
        panels.chunks_exact_mut((depth + 1) * width).zip((first..n).step_by(width))
    {
        panel[..width].fill(0.0);
        panel[..width].iter_mut().zip(bias.iter().skip(column)).for_each(|(to, from)| *to = *from);
    }
}

/// Lays B, from its column `first` on, into panels of `depth` rows and `width` columns, as their
/// rows from `row` on. The last panel is filled up with zeros.
#[inline(always)]
pub(super) fn pack<L: Lanes>(
    b: Matrix,
    first: usize,
    width: usize,
    panels: &mut [Real],
    depth: usize,
    row: usize,
) {
    for (panel, column) in
        panels.chunks_exact_mut((depth + 1) * width).zip((first..b.columns).step_by(width))
    {
        let columns = width.min(b.columns - column);
        let panel = &mut panel[(row + 1) * width..][..b.rows * width];
        let from = &b.data[column * b.column_stride..];
        if columns < width {
            panel.fill(0.0);
        }
        if b.column_stride == 1 {
            // The rows of a matrix of one row may be said to be any distance apart.
            let stride = if b.rows == 1 { b.columns } else { b.row_stride };
            for (to, from) in panel.chunks_exact_mut(width).zip(from.chunks(stride)) {
                if columns < width {
                    to[..columns].copy_from_slice(&from[..columns]);
                    continue;
                }
                // A row is too short to be worth a call that copies memory.
                let from = &from[..width];
                (0..width).step_by(L::N).for_each(|i| L::store(L::load(&from[i..]), &mut to[i..]));
            }
        } else {
            for (j, from) in from.chunks(b.column_stride).take(columns).enumerate() {
                panel[j..].iter_mut().step_by(width).zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }
}
