//! Filters, which pack the chunks of a dataset.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::Result;
use super::cursor::Cursor;

/// One filter of the pipeline.
pub enum Filter {
    Deflate,
    /// The first bytes of all elements, then all second bytes and so on.
    Shuffle {
        element_size: usize,
    },
    Fletcher32,
}

/// The filters in the order of writing (section "The Data Storage - Filter Pipeline Message").
pub fn filters(mut body: Cursor) -> Result<Vec<Filter>> {
    let version = body.version(1..=2)?;
    let count = body.uint(1)?;
    if count > 32 {
        return Err(body.damaged(format!("declares {count} filters; at most 32 are allowed")));
    }
    body.skip_if(version == 1, 6)?;
    (0..count).map(|_| filter(&mut body, version)).collect()
}

fn filter(body: &mut Cursor, version: usize) -> Result<Filter> {
    let identifier = body.uint(2)?;
    let mut name_size = if version == 1 || identifier >= 256 { body.uint(2)? } else { 0 };
    body.bytes(2)?; // Flags.
    let mut n_values = body.uint(2)?;
    if version == 1 {
        name_size = name_size.next_multiple_of(8);
        n_values = n_values.next_multiple_of(2);
    }
    body.bytes(name_size)?;
    let mut values = body.part(4 * n_values)?;
    match identifier {
        1 => Ok(Filter::Deflate),
        2 => Ok(Filter::Shuffle { element_size: values.uint(4)?.max(1) }),
        3 => Ok(Filter::Fletcher32),
        32000 => Err(body.unsupported("packs the numbers with LZF; gzip is read")),
        other => {
            Err(body.unsupported(format!("packs the numbers with filter {other}; gzip is read")))
        }
    }
}

/// Undoes the filters on a chunk, which must give `expected` bytes. Bit `i` of `mask` says that
/// filter `i` was skipped.
pub fn unpack(filters: &[Filter], chunk: &Cursor, mask: usize, expected: usize) -> Result<Vec<u8>> {
    let mut bytes = chunk.rest.to_vec();
    for (number, filter) in filters.iter().enumerate().rev() {
        if mask >> number & 1 == 1 {
            continue;
        }
        bytes = match filter {
            // Each checksum inside the deflated bytes takes 4 more; a bomb stops here.
            Filter::Deflate => inflate(&bytes, expected + 4 * number + 1, chunk)?,
            Filter::Shuffle { element_size } => unshuffle(&bytes, *element_size),
            Filter::Fletcher32 => without_checksum(&bytes, chunk)?,
        };
    }
    if bytes.len() != expected {
        let found = bytes.len();
        return Err(
            chunk.damaged(format!("holds {found} bytes once unpacked; {expected} are expected"))
        );
    }
    Ok(bytes)
}

/// Inflates at most `limit` bytes.
fn inflate(bytes: &[u8], limit: usize, chunk: &Cursor) -> Result<Vec<u8>> {
    let mut plain = vec![];
    ZlibDecoder::new(bytes)
        .take(limit as u64)
        .read_to_end(&mut plain)
        .map_err(|error| chunk.damaged(format!("cannot be inflated: {error}")))?;
    Ok(plain)
}

fn unshuffle(bytes: &[u8], element_size: usize) -> Vec<u8> {
    let count = bytes.len() / element_size;
    let (planes, rest) = bytes.split_at(count * element_size);
    let elements = (0..count).flat_map(|element| planes.iter().skip(element).step_by(count));
    elements.chain(rest).copied().collect()
}

fn without_checksum(bytes: &[u8], chunk: &Cursor) -> Result<Vec<u8>> {
    let Some((plain, checksum)) = bytes.split_last_chunk() else {
        return Err(chunk.damaged("is too short for its checksum"));
    };
    if u32::from_le_bytes(*checksum) != fletcher32(plain) {
        return Err(chunk.damaged("does not match its checksum"));
    }
    Ok(plain.to_vec())
}

/// Fletcher's checksum over 16-bit words, high byte first, as HDF5 computes it.
fn fletcher32(bytes: &[u8]) -> u32 {
    let mut low = 0_u32;
    let mut high = 0_u32;
    for word in bytes.chunks(2) {
        let word = match *word {
            [first, second] => u32::from(first) << 8 | u32::from(second),
            [first] => u32::from(first) << 8,
            _ => 0,
        };
        low = (low + word) % 65535;
        high = (high + low) % 65535;
    }
    high << 16 | low
}
