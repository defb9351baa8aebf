//! Object headers: the messages that describe an object.

use super::Result;
use super::cursor::{Cursor, Source};

/// The types of header messages that are read (section "Data Object Header Messages").
pub mod message {
    pub const DATASPACE: usize = 0x01;
    pub const LINK_INFO: usize = 0x02;
    pub const DATATYPE: usize = 0x03;
    pub const FILL_VALUE: usize = 0x05;
    pub const LINK: usize = 0x06;
    pub const EXTERNAL_FILES: usize = 0x07;
    pub const LAYOUT: usize = 0x08;
    pub const GROUP_INFO: usize = 0x0a;
    pub const FILTERS: usize = 0x0b;
    pub const ATTRIBUTE: usize = 0x0c;
    pub const CONTINUATION: usize = 0x10;
    pub const SYMBOL_TABLE: usize = 0x11;
    pub const ATTRIBUTE_INFO: usize = 0x15;
    /// The last type that Version 3.0 defines (File Space Info).
    pub const LAST: usize = 0x17;
}

/// A header message.
#[derive(Clone)]
pub struct Message<'a> {
    /// One of the constants in [`message`], or another.
    pub kind: usize,
    pub body: Cursor<'a>,
}

/// Layout of the messages in the blocks of one header.
struct Dialect {
    /// True for version 2, whose blocks have signatures and checksums.
    is_version_2: bool,
    /// Bytes of a message's type.
    type_width: usize,
    /// Bytes after a message's flags: reserved, or the creation order.
    unused: usize,
}

const STRUCTURE: &str = "object header";

/// The messages of an object header with all its continuation blocks (sections "Version 1 Data
/// Object Header Prefix", "Version 2 Data Object Header Prefix" and "The Object Header Continuation
/// Message").
pub fn messages<'a>(source: &Source<'a>, address: usize) -> Result<Vec<Message<'a>>> {
    let (dialect, first_block) = prefix(source, address)?;
    let mut blocks = vec![first_block];
    let mut messages = vec![];
    while let Some(mut block) = blocks.pop() {
        while block.rest.len() >= dialect.type_width + 3 + dialect.unused {
            let kind = block.uint(dialect.type_width)?;
            let size = block.uint(2)?;
            let flags = block.uint(1)?;
            block.bytes(dialect.unused)?;
            let body = block.part(size)?;
            if kind == message::CONTINUATION {
                blocks.push(continuation(source, &dialect, body)?);
            } else if kind > message::LAST && flags & 0x80 != 0 {
                // Bit 7: a reader that does not know this message must not read the object.
                return Err(body.unsupported(format!("holds a message of the unknown type {kind}")));
            } else if flags & 2 != 0 {
                return Err(body
                    .unsupported("shares a message with another object (a named type, perhaps)"));
            } else {
                messages.push(Message { kind, body });
            }
        }
    }
    Ok(messages)
}

/// The dialect of the header at `address`, and its first block.
fn prefix<'a>(source: &Source<'a>, address: usize) -> Result<(Dialect, Cursor<'a>)> {
    let mut head = source.from(address, STRUCTURE)?;
    if !head.rest.starts_with(b"OHDR") {
        head.version(1..=1)?;
        // The number of messages, which their total size gives too, and that of links to the
        // object.
        head.bytes(7)?;
        let block = source.take(address.saturating_add(16), head.uint(4)?, STRUCTURE)?;
        return Ok((Dialect { is_version_2: false, type_width: 2, unused: 3 }, block));
    }
    let all = head.rest.len();
    head.signature(b"OHDR")?;
    head.version(2..=2)?;
    let flags = head.uint(1)?;
    head.skip_if(flags & 0x20 != 0, 16)?; // Times.
    head.skip_if(flags & 0x10 != 0, 4)?; // The limits of compact attribute storage.
    let length = head.uint(1 << (flags & 3))?;
    let prefix = all - head.rest.len();
    let mut block = source.take_checked(address, length.saturating_add(prefix + 4), STRUCTURE)?;
    block.bytes(prefix)?;
    let unused = if flags & 4 != 0 { 2 } else { 0 };
    Ok((Dialect { is_version_2: true, type_width: 1, unused }, block))
}

/// The block that a continuation message leads to.
fn continuation<'a>(
    source: &Source<'a>,
    dialect: &Dialect,
    mut body: Cursor,
) -> Result<Cursor<'a>> {
    let address = body.uint(8)?;
    let length = body.uint(8)?;
    if !dialect.is_version_2 {
        return source.take(address, length, STRUCTURE);
    }
    let mut block = source.take_checked(address, length, STRUCTURE)?;
    block.signature(b"OCHK")?;
    Ok(block)
}
