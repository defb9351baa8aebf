//! The texts of attributes, and the heaps that hold them.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Source};
use super::types::{Type, product, shape};
use super::{Fault, Result};

/// The texts of the attribute in this message if it has the wanted name (section "The Attribute
/// Message").
pub fn texts(source: &Source, mut body: Cursor, wanted: &str) -> Result<Option<Vec<String>>> {
    let version = body.version(1..=3)?;
    let (flags, name, kind, space) = (body.uint(1)?, body.uint(2)?, body.uint(2)?, body.uint(2)?);
    body.skip_if(version == 3, 1)?; // The character set of the name: ASCII is UTF-8 as well.
    // Version 1 fills each part up to a multiple of 8 bytes.
    let mut part = |length: usize| {
        let part = body.part(length)?;
        body.skip_if(version == 1, length.next_multiple_of(8) - length)?;
        Ok(part)
    };
    let (name, kind, space) = (part(name)?, part(kind)?, part(space)?);
    if until_zero(name.rest) != wanted.as_bytes() {
        return Ok(None);
    }
    if version > 1 && flags & 3 != 0 {
        return Err(body.unsupported("shares the type of an attribute with another object"));
    }
    let texts = || -> Result<Vec<String>> {
        let (kind, count) = (Type::read(kind)?, product(&shape(space)?).unwrap_or(0));
        let mut heaps = Heaps::new();
        let text = |_| {
            let bytes = match kind {
                Type::FixedText(size, false) => until_zero(body.bytes(size)?),
                Type::FixedText(size, true) => body.bytes(size)?.trim_ascii_end(),
                Type::VariableText => heap_text(source, &mut heaps, body.part(16)?)?,
                _ => return Err(Fault::other("is no text, and a text is expected")),
            };
            Ok(body.text(bytes)?.to_string())
        };
        (0..count).map(text).collect()
    };
    texts()
        .map(Some)
        .map_err(|fault| Fault { found: format!("attribute `{wanted}`: {}", fault.found), ..fault })
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// What the global heaps that were needed so far hold, by the address of the heap and the index
/// there.
type Heaps<'a> = BTreeMap<(usize, usize), &'a [u8]>;

/// The text that the 16 bytes of a reference lead to (section "Global Heap").
fn heap_text<'a>(
    source: &Source<'a>,
    heaps: &mut Heaps<'a>,
    mut reference: Cursor,
) -> Result<&'a [u8]> {
    let (length, address, index) = (reference.uint(4)?, reference.uint(8)?, reference.uint(4)?);
    if address == 0 || length == 0 {
        return Ok(&[]); // How an empty text is stored.
    }
    // Index 0 is the free space at the end of a heap, and stands for the heap having been read
    // here.
    if heaps.insert((address, 0), &[]).is_none() {
        let mut head = source.from(address, "global heap")?;
        head.letters(b"GCOL")?;
        head.version(1..=1)?;
        head.bytes(3)?;
        let mut heap = source.take(address, head.uint(8)?, "global heap")?;
        heap.bytes(16)?;
        while heap.rest.len() >= 16 {
            let (index, _references, length) = (heap.uint(2)?, heap.uint(6)?, heap.uint(8)?);
            if index == 0 {
                break;
            }
            heaps.insert((address, index), heap.bytes(length)?);
            heap.bytes((length.next_multiple_of(8) - length).min(heap.rest.len()))?;
        }
    }
    let text = heaps.get(&(address, index)).and_then(|object| object.get(..length));
    let missing =
        || reference.damaged(format!("wants text {index} of the heap at {address}: none such"));
    let text = text.ok_or_else(missing)?;
    source.charge(length, &reference)?;
    Ok(until_zero(text))
}
