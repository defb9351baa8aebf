//! Attributes of text, and the global heaps that hold their strings.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Source};
use super::types::{Type, product, shape};
use super::{Error, Result};

/// The strings of the attribute in this message if it has the wanted name (section "The Attribute
/// Message").
pub fn strings(source: &Source, mut body: Cursor, wanted: &str) -> Result<Option<Vec<String>>> {
    let version = body.version(1..=3)?;
    let flags = body.uint(1)?;
    let name_size = body.uint(2)?;
    let datatype_size = body.uint(2)?;
    let dataspace_size = body.uint(2)?;
    body.skip_if(version == 3, 1)?; // The character set of the name: ASCII is UTF-8 as well.
    // Version 1 pads each part to a multiple of 8 bytes.
    let mut part = |size: usize| {
        let part = body.part(size)?;
        body.skip_if(version == 1, size.next_multiple_of(8) - size)?;
        Ok(part)
    };
    let name = part(name_size)?;
    let datatype = part(datatype_size)?;
    let dataspace = part(dataspace_size)?;
    if until_nul(name.rest) != wanted.as_bytes() {
        return Ok(None);
    }
    if version > 1 && flags & 3 != 0 {
        return Err(body.unsupported("shares the type of an attribute with another object"));
    }
    match values(source, body, datatype, dataspace) {
        Ok(strings) => Ok(Some(strings)),
        Err(Error { found, help }) => {
            Err(Error { found: format!("attribute `{wanted}`: {found}"), help })
        }
    }
}

/// The strings in `body`, which follow the name, the type and the shape of an attribute.
fn values(
    source: &Source,
    mut body: Cursor,
    datatype: Cursor,
    dataspace: Cursor,
) -> Result<Vec<String>> {
    let datatype = Type::read(datatype)?;
    let count = product(&shape(dataspace)?).unwrap_or(0);
    let mut heaps = Heaps::new();
    let mut strings = vec![];
    for _ in 0..count {
        let bytes = match datatype {
            Type::FixedString { size, space_padded: false } => until_nul(body.bytes(size)?),
            Type::FixedString { size, space_padded: true } => body.bytes(size)?.trim_ascii_end(),
            Type::VariableString => heap_string(source, &mut heaps, body.part(16)?)?,
            _ => return Err(Error::mismatch("is not text, and text is expected")),
        };
        strings.push(body.text(bytes)?.to_string());
    }
    Ok(strings)
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// Objects of the global heaps read so far, by address of the heap and index in it.
type Heaps<'a> = BTreeMap<(usize, usize), &'a [u8]>;

/// The string that a reference of 16 bytes leads to (section "Global Heap").
fn heap_string<'a>(
    source: &Source<'a>,
    heaps: &mut Heaps<'a>,
    mut reference: Cursor,
) -> Result<&'a [u8]> {
    let length = reference.uint(4)?;
    let address = reference.uint(8)?;
    let index = reference.uint(4)?;
    if address == 0 || length == 0 {
        return Ok(&[]); // The form of an empty string.
    }
    // Index 0, the free space at the end of a heap, marks the heap as read.
    if heaps.insert((address, 0), &[]).is_none() {
        read_heap(source, heaps, address)?;
    }
    let object = heaps.get(&(address, index)).and_then(|object| object.get(..length));
    let object = object.ok_or_else(|| {
        reference
            .damaged(format!("refers to text {index} of the heap at {address}, which has none"))
    })?;
    source.charge(length, &reference)?;
    Ok(until_nul(object))
}

fn read_heap<'a>(source: &Source<'a>, heaps: &mut Heaps<'a>, address: usize) -> Result<()> {
    let mut head = source.from(address, "global heap")?;
    head.signature(b"GCOL")?;
    head.version(1..=1)?;
    head.bytes(3)?;
    let mut heap = source.take(address, head.uint(8)?, "global heap")?;
    heap.bytes(16)?;
    while heap.rest.len() >= 16 {
        let index = heap.uint(2)?;
        heap.bytes(6)?; // The reference count, and reserved bytes.
        let length = heap.uint(8)?;
        if index == 0 {
            break;
        }
        heaps.insert((address, index), heap.bytes(length)?);
        heap.bytes((length.next_multiple_of(8) - length).min(heap.rest.len()))?;
    }
    Ok(())
}
