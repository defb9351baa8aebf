//! The ways in which the numbers of a dataset are laid out in the file.

use std::borrow::Cow;

use super::cursor::{Cursor, Source};
use super::filters::Filters;
use super::groups::tree_1;
use super::types::{Number, Space, product};
use super::{Fault, Result};

/// Section "The Data Layout Message".
#[derive(Debug, Clone)]
pub enum Layout<'a> {
    Compact(&'a [u8]),
    /// `None`: nothing was ever written.
    Contiguous(Option<u64>),
    /// Found by a version 1 B-tree.
    Chunked {
        /// The shape of a chunk.
        chunk: Vec<usize>,
        /// The bytes of a chunk once unpacked.
        bytes: usize,
        /// Where the B-tree is; `None`: nothing was ever written.
        address: Option<u64>,
    },
}

impl<'a> Layout<'a> {
    pub fn read(mut body: Cursor<'a>, space: &Space, number: Number) -> Result<Layout<'a>> {
        let version = body.version(3..=5)?;
        match body.u8()? {
            0 => {
                let length = body.size(2)?;
                return Ok(Layout::Compact(body.bytes(length)?));
            }
            1 => return Ok(Layout::Contiguous(body.address()?)),
            2 if version == 3 => {}
            2 => return Err(body.unsupported("finds its chunks in a way that only libver=\"latest\" writes")),
            3 => return Err(body.unsupported("is virtual: the numbers are in other datasets")),
            class => return Err(body.damaged(&format!("is of the unknown class {class}"))),
        }
        let rank = body.size(1)?; // One more than that of the dataset: the last axis is the bytes of an element.
        let address = body.address()?;
        let mut chunk = (0..rank).map(|_| body.size(4)).collect::<Result<Vec<usize>>>()?;
        let bytes = product(&chunk).filter(|&bytes| bytes > 0);
        let (Some(bytes), Some(element)) = (bytes, chunk.pop()) else {
            return Err(body.damaged("declares chunks of an impossible shape"));
        };
        if chunk.len() != space.shape.len() || chunk.is_empty() || element != number.size {
            return Err(body.damaged("declares chunks that do not fit the dataset"));
        }
        Ok(Layout::Chunked { chunk, bytes, address })
    }

    /// The bytes of all elements in row-major order, as the file stores each. Numbers that were never written would be
    /// the dataset's fill value; weights that were never written are an error.
    pub fn read_bytes(
        &self,
        source: &Source<'a>,
        space: &Space,
        number: Number,
        filters: &Filters,
    ) -> Result<Cow<'a, [u8]>> {
        let total = space.elements.checked_mul(number.size);
        let total = total.ok_or_else(|| Fault::damaged(format!("has the impossible shape {:?}", space.shape)))?;
        match *self {
            _ if total == 0 => Ok(Cow::Borrowed(&[])),
            Layout::Compact(bytes) => {
                let short = || Fault::damaged(format!("{total} bytes of numbers expected, {} found", bytes.len()));
                Ok(Cow::Borrowed(bytes.get(..total).ok_or_else(short)?))
            }
            Layout::Contiguous(Some(address)) => {
                Ok(Cow::Borrowed(source.from(address, "array of numbers")?.bytes(total)?))
            }
            Layout::Chunked { ref chunk, bytes, address: Some(address) } => {
                let chunks = Chunks { shape: &space.shape, chunk, bytes, element: number.size, filters };
                chunks.read(source, address, total).map(Cow::Owned)
            }
            _ => Err(never_written()),
        }
    }
}

fn never_written() -> Fault {
    Fault::damaged("has numbers that were never written")
}

/// The grid of chunks that covers a dataset.
struct Chunks<'c> {
    shape: &'c [usize],
    /// The shape of a chunk; no axis is empty.
    chunk: &'c [usize],
    /// The bytes of a chunk.
    bytes: usize,
    /// The bytes of an element.
    element: usize,
    filters: &'c Filters,
}

impl Chunks<'_> {
    fn read(&self, source: &Source, address: u64, total: usize) -> Result<Vec<u8>> {
        let Chunks { shape, chunk, .. } = *self;
        // At most one chunk for each element.
        let count: usize = shape.iter().zip(chunk).map(|(length, chunk)| length.div_ceil(*chunk)).product();
        // A chunk may stick out of the dataset, but an honest one not by much. A mebibyte is what h5py guesses at most.
        let honest = source.bytes.len().saturating_add(total).saturating_add(1 << 20);
        if self.bytes > honest || self.bytes.checked_mul(count).is_none_or(|all| all / 16 > honest) {
            return Err(Fault::damaged(format!("has chunks of shape {chunk:?}, too large for its shape {shape:?}")));
        }
        let mut numbers = vec![0; total];
        let mut left = count;
        tree_1(source, address, 1, 16 + 8 * shape.len(), &mut |mut key, address| {
            let (stored, mask) = (key.size(4)?, key.u32()?);
            let corner = shape.iter().map(|_| key.size(8)).collect::<Result<Vec<usize>>>()?;
            let aligned = corner.iter().zip(chunk).all(|(corner, chunk)| corner % chunk == 0);
            if !aligned || corner.iter().zip(shape).any(|(corner, length)| corner >= length) {
                return Err(key.damaged(&format!("has a chunk at {corner:?}, outside the grid of chunks")));
            }
            left = left.checked_sub(1).ok_or_else(|| key.damaged("has more chunks than the dataset"))?;
            let length = if self.filters.is_empty() { self.bytes } else { stored };
            let packed = source.take(address, length, "chunk of numbers")?;
            self.place(&self.filters.undo(&packed, mask, self.bytes)?, &corner, &mut numbers);
            Ok(())
        })?;
        if left == 0 { Ok(numbers) } else { Err(never_written()) }
    }

    /// Copies what of a chunk lies in the dataset to its place there.
    fn place(&self, bytes: &[u8], corner: &[usize], numbers: &mut [u8]) {
        // Rows along the last axis are copied whole; `row` counts through the others.
        let inside = corner.iter().zip(self.shape).zip(self.chunk);
        let mut inside: Vec<usize> = inside.map(|((corner, length), chunk)| (length - corner).min(*chunk)).collect();
        let run = inside.last_mut().map_or(0, |last| std::mem::replace(last, 1)) * self.element;
        for row in 0..inside.iter().product() {
            let (mut rest, mut from, mut from_stride, mut to, mut to_stride) = (row, 0, self.element, 0, self.element);
            let axes = corner.iter().zip(self.shape).zip(self.chunk).zip(&inside);
            for (((corner, length), chunk), inside) in axes.rev() {
                from += rest % inside * from_stride;
                to += (corner + rest % inside) * to_stride;
                (from_stride, to_stride, rest) = (from_stride * chunk, to_stride * length, rest / inside);
            }
            // Both ranges exist: the chunk is as long as its shape says, and its corner is inside the dataset.
            if let (Some(to), Some(from)) = (numbers.get_mut(to..to + run), bytes.get(from..from + run)) {
                to.copy_from_slice(from);
            }
        }
    }
}
