//! Numbers that are laid out in chunks, a grid of blocks that covers the dataset.

use ndarray::{ArrayD, ArrayViewD, Axis, Slice};

use super::btree::leaves;
use super::cursor::{Cursor, Source, UNDEFINED};
use super::filters::{Filter, unpack};
use super::types::{Number, product};
use super::{Fault, Result};

/// Numbers that were never written would be the dataset's fill value; weights that were never
/// written are an error.
pub fn never_written() -> Fault {
    Fault::damaged("has numbers that were never written")
}

/// All numbers in row-major order, from the chunks that the rest of a layout message tells of
/// (section "The Data Layout Message", version 3, chunked storage).
pub fn read<R: Clone>(
    source: &Source,
    mut layout: Cursor,
    filters: &[Filter],
    shape: &[usize],
    number: Number,
    cast: impl Fn(f64) -> R,
) -> Result<Vec<R>> {
    // One axis more than the dataset has: the last is the bytes of an element.
    let (rank, address) = (layout.uint(1)?, layout.uint(8)?);
    let chunk = (0..rank).map(|_| layout.uint(4)).collect::<Result<Vec<_>>>()?;
    let bytes = product(&chunk).filter(|&bytes| bytes > 0);
    let bytes = bytes.ok_or_else(|| layout.damaged("declares chunks of an impossible shape"))?;
    if shape.is_empty() || rank != shape.len() + 1 || chunk.last() != Some(&number.size) {
        return Err(layout.damaged("declares chunks that do not fit the dataset"));
    }
    if address == UNDEFINED {
        return Err(never_written());
    }
    // At most one chunk for each element.
    let mut left: usize =
        shape.iter().zip(&chunk).map(|(length, chunk)| length.div_ceil(*chunk)).product();
    // A chunk may stick out of the dataset, but an honest one not by much. A mebibyte is what h5py
    // guesses at most.
    let count: usize = shape.iter().product();
    let honest = source
        .bytes
        .len()
        .saturating_add(count.saturating_mul(number.size))
        .saturating_add(1 << 20);
    if bytes > honest || bytes.checked_mul(left).is_none_or(|all| all / 16 > honest) {
        let chunk = chunk.split_last().map(|(_, chunk)| chunk).unwrap_or_default();
        return Err(Fault::damaged(format!(
            "has chunks of shape {chunk:?}, too large for its shape {shape:?}"
        )));
    }
    let impossible =
        |error: ndarray::ShapeError| Fault::damaged(format!("has an impossible shape ({error})"));
    let mut numbers = ArrayD::from_shape_vec(shape, vec![cast(0.0); count]).map_err(impossible)?;
    leaves(source, address, 1, 16 + 8 * shape.len(), |mut key, address| {
        let (stored, mask) = (key.uint(4)?, key.uint(4)?);
        let corner = shape.iter().map(|_| key.uint(8)).collect::<Result<Vec<_>>>()?;
        let aligned = corner.iter().zip(&chunk).all(|(corner, chunk)| corner % chunk == 0);
        if !aligned || corner.iter().zip(shape).any(|(corner, length)| corner >= length) {
            return Err(
                key.damaged(format!("has a chunk at {corner:?}, outside the grid of chunks"))
            );
        }
        left =
            left.checked_sub(1).ok_or_else(|| key.damaged("has more chunks than the dataset"))?;
        let length = if filters.is_empty() { bytes } else { stored };
        let plain =
            unpack(filters, &source.take(address, length, "chunk of numbers")?, mask, bytes)?;
        // What of the chunk lies in the dataset, and its place there.
        let mut from = ArrayViewD::from_shape(&chunk[..], &plain).map_err(impossible)?;
        let mut to = numbers.view_mut();
        for (axis, ((corner, length), chunk)) in corner.iter().zip(shape).zip(&chunk).enumerate() {
            let inside = *chunk.min(&(length - corner));
            from.slice_axis_inplace(Axis(axis), Slice::from(..inside));
            to.slice_axis_inplace(Axis(axis), Slice::from(*corner..corner + inside));
        }
        let elements =
            from.rows().into_iter().map(|bytes| number.real(bytes.to_slice().unwrap_or_default()));
        to.iter_mut().zip(elements).for_each(|(to, number)| *to = cast(number));
        Ok(())
    })?;
    if left == 0 { Ok(numbers.into_raw_vec_and_offset().0) } else { Err(never_written()) }
}
