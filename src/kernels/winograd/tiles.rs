//! Tiles of images, and the memory of their transforms.

use super::super::panels::{Panels, panel_len};
use super::super::simd::Simd;
use super::super::windows::Convolution;
use super::{POINTS, PRODUCTS, TILE, n_tiles};
use crate::Real;

/// Tile of an output image.
pub(super) struct Tile {
    image: usize,
    /// Row of its first pixel.
    top: usize,
    /// Column of its first pixel.
    left: usize,
}

impl Tile {
    /// Tile with this number in the order of images, rows and columns.
    #[inline(always)]
    pub fn new(c: &Convolution, number: usize) -> Tile {
        let across = c.columns.output.div_ceil(TILE);
        let (image, number) = (number / n_tiles(c), number % n_tiles(c));
        Tile { image, top: number / across * TILE, left: number % across * TILE }
    }

    /// Pixels of the input that the tile is computed from.
    #[inline(always)]
    pub fn input<S: Simd>(
        &self,
        c: &Convolution,
        x: &[Real],
        channel: usize,
    ) -> [[S::Vector; POINTS]; POINTS] {
        let data = &x[self.image * c.n_inputs()..][..c.n_inputs()];
        let (height, width) = (c.rows.input, c.columns.input);
        let image = Image { data, height, width, channels: c.channels };
        // Beyond the image if they wrap around.
        let top = self.top.wrapping_sub(c.rows.before);
        let left = self.left.wrapping_sub(c.columns.before);
        image.square::<S, POINTS>(top, left, channel)
    }

    /// Pixels of the tile itself.
    #[inline(always)]
    pub fn output<S: Simd>(
        &self,
        c: &Convolution,
        dy: &[Real],
        filter: usize,
    ) -> [[S::Vector; TILE]; TILE] {
        let data = &dy[self.image * c.n_outputs()..][..c.n_outputs()];
        let (height, width) = (c.rows.output, c.columns.output);
        let image = Image { data, height, width, channels: c.filters };
        image.square::<S, TILE>(self.top, self.left, filter)
    }

    /// Stores the sums with the bias to the pixels of the tile that are within the image.
    #[inline(always)]
    pub fn store<S: Simd>(
        &self,
        c: &Convolution,
        sums: [[S::Vector; TILE]; TILE],
        bias: &[Real],
        filter: usize,
        y: &mut [Real],
    ) {
        let bias = if bias.is_empty() { S::splat(0.0) } else { S::load(&bias[filter..]) };
        let y = &mut y[self.image * c.n_outputs()..][..c.n_outputs()];
        for i in 0..TILE {
            for j in 0..TILE {
                let (row, column) = (self.top + i, self.left + j);
                if row < c.rows.output && column < c.columns.output {
                    let at = (row * c.columns.output + column) * c.filters + filter;
                    S::store(S::add(sums[i][j], bias), &mut y[at..]);
                }
            }
        }
    }
}

/// Image with its sizes.
struct Image<'a> {
    data: &'a [Real],
    height: usize,
    width: usize,
    channels: usize,
}

impl Image<'_> {
    /// Loads a square of pixels; zeros outside the image.
    #[inline(always)]
    fn square<S: Simd, const N: usize>(
        &self,
        top: usize,
        left: usize,
        channel: usize,
    ) -> [[S::Vector; N]; N] {
        let mut square = [[S::splat(0.0); N]; N];
        for i in 0..N {
            let row = top.wrapping_add(i);
            if row < self.height {
                let line = &self.data[row * self.width * self.channels..];
                for j in 0..N {
                    let column = left.wrapping_add(j);
                    if column < self.width {
                        square[i][j] = S::load(&line[column * self.channels + channel..]);
                    }
                }
            }
        }
        square
    }
}

/// Distance of the values of adjacent points beyond their number, so that the values of a tile do
/// not all share a set of the first-level cache.
const GAP: usize = 16;

/// Matrices of one size for the points of a tile.
pub(super) struct Points<'a> {
    pub data: &'a mut [Real],
    /// Values of a matrix.
    pub size: usize,
}

impl Points<'_> {
    /// Length of the memory for matrices of `size` values.
    pub const fn len(size: usize) -> usize {
        PRODUCTS * (size + GAP)
    }

    /// Matrix of a point.
    #[inline(always)]
    pub fn at(&self, point: usize) -> &[Real] {
        &self.data[point * (self.size + GAP)..][..self.size]
    }

    /// Matrix of a point, to be written.
    #[inline(always)]
    pub fn at_mut(&mut self, point: usize) -> &mut [Real] {
        &mut self.data[point * (self.size + GAP)..][..self.size]
    }

    /// Loads the values of all points from the index `at` of their matrices on.
    #[inline(always)]
    pub fn load<S: Simd>(&self, at: usize) -> [[S::Vector; POINTS]; POINTS] {
        let mut tile = [[S::splat(0.0); POINTS]; POINTS];
        for i in 0..POINTS {
            for j in 0..POINTS {
                let point = i * POINTS + j;
                tile[i][j] = S::load(&self.data[point * (self.size + GAP) + at..]);
            }
        }
        tile
    }

    /// Stores the values of all points from the index `at` of their matrices on.
    #[inline(always)]
    pub fn store<S: Simd>(&mut self, tile: [[S::Vector; POINTS]; POINTS], at: usize) {
        store_points::<S>(tile, &mut self.data[at..], self.size + GAP);
    }
}

/// Panels of the transformed kernel or gradient for the points of a tile.
pub(super) struct Packed<'a> {
    pub data: &'a mut [Real],
    /// Columns of a panel.
    pub width: usize,
    /// Rows of a panel.
    pub depth: usize,
    /// Length of the panels of one point.
    pub len: usize,
}

impl Packed<'_> {
    /// Fills the initial sums of `n` columns, and the columns beyond them, with zeros.
    #[inline(always)]
    pub fn start(&mut self, n: usize) {
        if !n.is_multiple_of(self.width) {
            return self.data.fill(0.0);
        }
        for data in self.data.chunks_exact_mut(self.len) {
            Panels { data, width: self.width, depth: self.depth }.start(&[], 0, n);
        }
    }

    /// Panels of a point.
    #[inline(always)]
    pub fn panels(&self, point: usize) -> &[Real] {
        &self.data[point * self.len..][..self.len]
    }

    /// Stores the values of all points to a row of their panels, from `column` on.
    #[inline(always)]
    pub fn store<S: Simd>(
        &mut self,
        tile: [[S::Vector; POINTS]; POINTS],
        row: usize,
        column: usize,
    ) {
        let panel = column / self.width * panel_len(self.width, self.depth);
        let at = panel + (row + 1) * self.width + column % self.width;
        store_points::<S>(tile, &mut self.data[at..], self.len);
    }
}

/// Stores the values of all points, `stride` apart.
#[inline(always)]
fn store_points<S: Simd>(tile: [[S::Vector; POINTS]; POINTS], to: &mut [Real], stride: usize) {
    for i in 0..POINTS {
        for j in 0..POINTS {
            S::store(tile[i][j], &mut to[(i * POINTS + j) * stride..]);
        }
    }
}
