//! How chunks of numbers are packed, and how they are unpacked.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::Result;
use super::cursor::Cursor;

/// One step of the packing of chunks.
pub enum Filter {
    Deflate,
    /// The first bytes of all elements, which have so many, then all second ones and so on.
    Shuffle(usize),
    Fletcher32,
}

/// The filters in the order of writing (section "The Data Storage - Filter Pipeline Message").
pub fn filters(mut body: Cursor) -> Result<Vec<Filter>> {
    let (version, count) = (body.version(1..=2)?, body.uint(1)?);
    if count > 32 {
        return Err(body.damaged(format!("declares {count} filters; 32 are the most")));
    }
    body.skip_if(version == 1, 6)?;
    let filter =
        |_| {
            let identifier = body.uint(2)?;
            let name = if version == 1 || identifier >= 256 { body.uint(2)? } else { 0 };
            let (_flags, values) = (body.uint(2)?, body.uint(2)?);
            body.bytes(if version == 1 { name.next_multiple_of(8) } else { name })?;
            let mut values =
                body.part(4 * if version == 1 { values.next_multiple_of(2) } else { values })?;
            match identifier {
                1 => Ok(Filter::Deflate),
                2 => Ok(Filter::Shuffle(values.uint(4)?.max(1))),
                3 => Ok(Filter::Fletcher32),
                32000 => Err(body.unsupported("packs the numbers with LZF; gzip is read")),
                other => Err(body
                    .unsupported(format!("packs the numbers with filter {other}; gzip is read"))),
            }
        };
    (0..count).map(filter).collect()
}

/// The `wanted` bytes of a chunk; bit `i` of `mask` says that filter `i` was left out.
pub fn unpack(filters: &[Filter], chunk: &Cursor, mask: usize, wanted: usize) -> Result<Vec<u8>> {
    let mut bytes = chunk.rest.to_vec();
    for (number, filter) in
        filters.iter().enumerate().rev().filter(|(number, _)| mask >> number & 1 == 0)
    {
        bytes = match filter {
            Filter::Deflate => {
                // Checksums inside the deflated bytes need 4 more each; a bomb stops here.
                let mut plain = Vec::new();
                let read = ZlibDecoder::new(&*bytes)
                    .take((wanted + 4 * number + 1) as u64)
                    .read_to_end(&mut plain);
                read.map_err(|error| chunk.damaged(format!("cannot be inflated: {error}")))?;
                plain
            }
            Filter::Shuffle(size) => {
                let count = bytes.len() / size;
                let (planes, rest) = bytes.split_at(count * size);
                let elements =
                    (0..count).flat_map(|element| planes.iter().skip(element).step_by(count));
                elements.chain(rest).copied().collect()
            }
            Filter::Fletcher32 => {
                let split = bytes.split_last_chunk();
                let (plain, found) =
                    split.ok_or_else(|| chunk.damaged("is too short for its checksum"))?;
                if u32::from_le_bytes(*found) != fletcher32(plain) {
                    return Err(chunk.damaged("does not match its checksum"));
                }
                plain.to_vec()
            }
        };
    }
    match bytes.len() {
        found if found == wanted => Ok(bytes),
        found => {
            Err(chunk.damaged(format!("holds {found} bytes once unpacked; {wanted} are expected")))
        }
    }
}

/// Fletcher's checksum over 16-bit words, high byte first, as HDF5 computes it.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0_u32, 0_u32);
    for word in bytes.chunks(2) {
        let word = word.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
            << (8 * (2 - word.len()));
        low = (low + word) % 65535;
        high = (high + low) % 65535;
    }
    high << 16 | low
}
