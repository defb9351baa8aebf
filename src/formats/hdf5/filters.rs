//! How chunks of numbers are packed, and how they are unpacked.

use std::borrow::Cow;
use std::io::Read;

use super::Result;
use super::cursor::Cursor;

/// The packing of chunks (section "The Data Storage - Filter Pipeline Message"), in the order of writing.
#[derive(Debug, Clone, Default)]
pub struct Filters(Vec<Filter>);

#[derive(Debug, Clone, Copy)]
enum Filter {
    Deflate,
    /// The bytes of an element, whose first bytes come first, then all second ones and so on.
    Shuffle(usize),
    Fletcher32,
}

impl Filters {
    pub fn read(mut body: Cursor) -> Result<Filters> {
        let version = body.version(1..=2)?;
        let count = body.u8()?;
        if count > 32 {
            return Err(body.damaged(&format!("declares {count} filters; 32 are the most")));
        }
        body.bytes(if version == 1 { 6 } else { 0 })?;
        let mut filters = Vec::new();
        for _ in 0..count {
            let identifier = body.u16()?;
            let name = if version == 1 || identifier >= 256 { body.size(2)? } else { 0 };
            let (_flags, values) = (body.u16()?, body.size(2)?);
            body.bytes(if version == 1 { name.next_multiple_of(8) } else { name })?;
            let mut values = body.part(4 * (values + if version == 1 { values % 2 } else { 0 }))?;
            filters.push(match identifier {
                1 => Filter::Deflate,
                2 => Filter::Shuffle(values.size(4)?.max(1)),
                3 => Filter::Fletcher32,
                32000 => return Err(body.unsupported("packs the numbers with LZF; gzip is read")),
                other => return Err(body.unsupported(&format!("packs the numbers with filter {other}; gzip is read"))),
            });
        }
        Ok(Filters(filters))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The `wanted` bytes of a chunk; bit `i` of `mask` says that filter `i` was left out.
    pub fn undo<'b>(&self, chunk: &Cursor<'b>, mask: u32, wanted: usize) -> Result<Cow<'b, [u8]>> {
        let mut bytes = Cow::Borrowed(chunk.rest);
        for (number, filter) in self.0.iter().enumerate().rev().filter(|(number, _)| mask >> number & 1 == 0) {
            bytes = match filter {
                Filter::Deflate => {
                    // Checksums inside the deflated bytes need 4 more each; a bomb stops here.
                    let most = wanted + 4 * number + 1;
                    let mut plain = Vec::new();
                    let read = flate2::read::ZlibDecoder::new(&*bytes).take(most as u64).read_to_end(&mut plain);
                    read.map_err(|error| chunk.damaged(&format!("cannot be inflated: {error}")))?;
                    Cow::Owned(plain)
                }
                Filter::Shuffle(size) => Cow::Owned(unshuffle(&bytes, *size)),
                Filter::Fletcher32 => {
                    let split = bytes.split_last_chunk();
                    let (plain, found) = split.ok_or_else(|| chunk.damaged("is too short for its checksum"))?;
                    if u32::from_le_bytes(*found) != fletcher32(plain) {
                        return Err(chunk.damaged("does not match its checksum"));
                    }
                    Cow::Owned(plain.to_vec())
                }
            };
        }
        match bytes.len() {
            found if found == wanted => Ok(bytes),
            found => Err(chunk.damaged(&format!("holds {found} bytes once unpacked; {wanted} are expected"))),
        }
    }
}

fn unshuffle(bytes: &[u8], size: usize) -> Vec<u8> {
    let count = bytes.len() / size;
    let planes = bytes.get(..count * size).unwrap_or_default();
    let mut plain = bytes.to_vec(); // Bytes after the last whole element stay where they are.
    for (place, plane) in planes.chunks_exact(count.max(1)).enumerate() {
        for (element, &byte) in plain.chunks_exact_mut(size).zip(plane) {
            if let Some(target) = element.get_mut(place) {
                *target = byte;
            }
        }
    }
    plain
}

/// Fletcher's checksum over 16-bit words, high byte first, as HDF5 computes it.
fn fletcher32(bytes: &[u8]) -> u32 {
    let (mut low, mut high) = (0_u32, 0_u32);
    for word in bytes.chunks(2) {
        let word = word.iter().fold(0, |value, &byte| value << 8 | u32::from(byte)) << (8 * (2 - word.len()));
        low = (low + word) % 65535;
        high = (high + low) % 65535;
    }
    high << 16 | low
}
