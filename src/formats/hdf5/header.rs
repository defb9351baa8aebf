//! Object headers: the messages that say what an object is.

use super::Result;
use super::cursor::{Cursor, Source};

/// The types of header messages that matter here (section "Data Object Header Messages").
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

/// A message's type and what it says.
pub type Message<'a> = (usize, Cursor<'a>);

/// The messages of an object header with all its continuation blocks (sections "Version 1 Data
/// Object Header Prefix", "Version 2 Data Object Header Prefix" and "The Object Header Continuation
/// Message").
pub fn messages<'a>(source: &Source<'a>, address: usize) -> Result<Vec<Message<'a>>> {
    let what = "object header";
    let mut head = source.from(address, what)?;
    let all = head.rest.len();
    let newer = head.rest.starts_with(b"OHDR");
    // The bytes of a message's type, and those behind its flags: reserved, or its place in the
    // order of creation.
    let (first, type_width, unused) = if newer {
        head.letters(b"OHDR")?;
        head.version(2..=2)?;
        let flags = head.uint(1)?;
        head.skip_if(flags & 0x20 != 0, 16)?; // Times.
        head.skip_if(flags & 0x10 != 0, 4)?; // The limits of compact attribute storage.
        let length = head.uint(1 << (flags & 3))?;
        let prefix = all - head.rest.len();
        let mut block = source.checked(address, length.saturating_add(prefix + 4), what)?;
        block.bytes(prefix)?;
        (block, 1, if flags & 4 != 0 { 2 } else { 0 })
    } else {
        head.version(1..=1)?;
        head.bytes(7)?; // The number of messages, which their total size gives too, and that of links to the object.
        (source.take(address.saturating_add(16), head.uint(4)?, what)?, 2, 3)
    };
    let mut blocks = vec![first];
    let mut messages = vec![];
    while let Some(mut block) = blocks.pop() {
        while block.rest.len() >= type_width + 3 + unused {
            let (kind, size, flags) = (block.uint(type_width)?, block.uint(2)?, block.uint(1)?);
            block.bytes(unused)?;
            let mut body = block.part(size)?;
            match kind {
                message::CONTINUATION if newer => {
                    let mut next = source.checked(body.uint(8)?, body.uint(8)?, what)?;
                    next.letters(b"OCHK")?;
                    blocks.push(next);
                }
                message::CONTINUATION => {
                    blocks.push(source.take(body.uint(8)?, body.uint(8)?, what)?)
                }
                // Bit 7: whoever does not know this message must not read the object.
                kind if kind > message::LAST && flags & 0x80 != 0 => {
                    return Err(
                        body.unsupported(format!("holds a message of the unknown type {kind}"))
                    );
                }
                _ if flags & 2 != 0 => {
                    return Err(body.unsupported(
                        "shares a message with another object (a named type, perhaps)",
                    ));
                }
                kind => messages.push((kind, body)),
            }
        }
    }
    Ok(messages)
}
