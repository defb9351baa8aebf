//! Numbers stored in chunks, a grid of blocks that covers the dataset.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD, Axis, ShapeError, Slice};

use super::btree::BTree;
use super::cursor::{Cursor, Source, UNDEFINED};
use super::filters::{Filter, unpack};
use super::numbers::Number;
use super::types::product;
use super::{Error, Result};

/// The error for numbers without storage: HDF5 would give the dataset's fill value, but weights
/// must have been written.
pub fn never_written() -> Error {
    Error::damaged("has numbers that were never written")
}

fn impossible_shape(error: ShapeError) -> Error {
    Error::damaged(format!("has an impossible shape ({error})"))
}

/// A dataset with chunked storage.
pub struct ChunkedDataset<'s> {
    pub shape: &'s [usize],
    pub number: Number,
    pub filters: Vec<Filter>,
}

/// Storage of the chunks (section "The Data Layout Message", version 3, chunked storage).
struct Grid {
    /// Address of the B-tree that finds the chunks.
    index: usize,
    /// Shape of a chunk, with one axis more than the dataset: the bytes of an element.
    chunk_shape: Vec<usize>,
    chunk_bytes: usize,
    /// Number of chunks that cover the dataset.
    n_chunks: usize,
}

impl ChunkedDataset<'_> {
    /// All numbers in row-major order. `layout` is the rest of the layout message.
    pub fn read<R: Clone>(
        &self,
        source: &Source,
        layout: Cursor,
        cast: impl Fn(f64) -> R,
    ) -> Result<Vec<R>> {
        let grid = self.grid(source, layout)?;
        let count = self.shape.iter().product();
        let zeros = vec![cast(0.0); count];
        let mut numbers = ArrayD::from_shape_vec(self.shape, zeros).map_err(impossible_shape)?;
        let index = BTree { root: grid.index, node_type: 1, key_size: 16 + 8 * self.shape.len() };
        let mut missing = grid.n_chunks;
        index.for_each(source, |mut key, address| {
            let stored_bytes = key.uint(4)?;
            let filter_mask = key.uint(4)?;
            let offset = self.shape.iter().map(|_| key.uint(8)).collect::<Result<Vec<_>>>()?;
            self.check_offset(&grid, &offset, &key)?;
            missing = missing
                .checked_sub(1)
                .ok_or_else(|| key.damaged("has more chunks than the dataset"))?;
            let length = if self.filters.is_empty() { grid.chunk_bytes } else { stored_bytes };
            let chunk = source.take(address, length, "chunk of numbers")?;
            let bytes = unpack(&self.filters, &chunk, filter_mask, grid.chunk_bytes)?;
            self.copy_chunk(&grid, &bytes, &offset, numbers.view_mut(), &cast)
        })?;
        if missing > 0 {
            return Err(never_written());
        }
        Ok(numbers.into_raw_vec_and_offset().0)
    }

    fn grid(&self, source: &Source, mut layout: Cursor) -> Result<Grid> {
        let rank = layout.uint(1)?;
        let index = layout.uint(8)?;
        let chunk_shape = (0..rank).map(|_| layout.uint(4)).collect::<Result<Vec<_>>>()?;
        let chunk_bytes = product(&chunk_shape)
            .filter(|&bytes| bytes > 0)
            .ok_or_else(|| layout.damaged("declares chunks of an impossible shape"))?;
        let element_size = Some(&self.number.size);
        if self.shape.is_empty()
            || rank != self.shape.len() + 1
            || chunk_shape.last() != element_size
        {
            return Err(layout.damaged("declares chunks that do not fit the dataset"));
        }
        if index == UNDEFINED {
            return Err(never_written());
        }
        // No more chunks than elements, so this cannot overflow.
        let per_axis = self.shape.iter().zip(&chunk_shape);
        let n_chunks: usize = per_axis.map(|(length, chunk)| length.div_ceil(*chunk)).product();
        // Chunks may extend past the dataset, but not by much in an honest file: h5py guesses
        // chunks of at most one MiB.
        let count: usize = self.shape.iter().product();
        let limit = source
            .bytes
            .len()
            .saturating_add(count.saturating_mul(self.number.size))
            .saturating_add(1 << 20);
        let total = chunk_bytes.checked_mul(n_chunks);
        if chunk_bytes > limit || total.is_none_or(|total| total / 16 > limit) {
            let chunk = chunk_shape.split_last().map(|(_, chunk)| chunk).unwrap_or_default();
            return Err(Error::damaged(format!(
                "has chunks of shape {chunk:?}, too large for its shape {:?}",
                self.shape
            )));
        }
        Ok(Grid { index, chunk_shape, chunk_bytes, n_chunks })
    }

    fn check_offset(&self, grid: &Grid, offset: &[usize], key: &Cursor) -> Result<()> {
        let is_aligned =
            offset.iter().zip(&grid.chunk_shape).all(|(offset, chunk)| offset % chunk == 0);
        let is_inside = offset.iter().zip(self.shape).all(|(offset, length)| offset < length);
        if is_aligned && is_inside {
            return Ok(());
        }
        Err(key.damaged(format!("has a chunk at {offset:?}, outside the grid of chunks")))
    }

    /// Copies the part of a chunk that is inside the dataset.
    fn copy_chunk<R>(
        &self,
        grid: &Grid,
        bytes: &[u8],
        offset: &[usize],
        mut to: ArrayViewMutD<R>,
        cast: impl Fn(f64) -> R,
    ) -> Result<()> {
        let mut from =
            ArrayViewD::from_shape(&grid.chunk_shape[..], bytes).map_err(impossible_shape)?;
        let axes = offset.iter().zip(self.shape).zip(&grid.chunk_shape);
        for (axis, ((&start, length), chunk)) in axes.enumerate() {
            let inside = *chunk.min(&(length - start));
            from.slice_axis_inplace(Axis(axis), Slice::from(..inside));
            to.slice_axis_inplace(Axis(axis), Slice::from(start..start + inside));
        }
        // A row of bytes is one element.
        for (to, element) in to.iter_mut().zip(from.rows()) {
            *to = cast(self.number.value(element.to_slice().unwrap_or_default()));
        }
        Ok(())
    }
}
