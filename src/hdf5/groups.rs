//! Links of a group, in old symbol tables or in link messages.

use std::collections::BTreeMap;
use std::ffi::CStr;

use super::Result;
use super::btree::BTree;
use super::cursor::{Cursor, Source, UNDEFINED};
use super::header::{Message, message};

/// Target of a link.
#[derive(Debug, Clone, Copy)]
pub enum Link {
    /// Address of an object header in this file.
    Hard(usize),
    /// Another kind of link, named by the text, perhaps to another file. Keras refuses it too.
    Other(&'static str),
}

/// Links by name.
pub type Links<'a> = BTreeMap<&'a str, Link>;

/// All links of the object with these header messages; none if it is not a group.
pub fn links<'a>(source: &Source<'a>, messages: &[Message<'a>]) -> Result<Links<'a>> {
    let mut links = Links::new();
    for message in messages {
        let mut body = message.body.clone();
        match message.kind {
            message::LINK => read_link(body, &mut links)?,
            message::LINK_INFO => refuse_dense_storage(body, 8, "links")?,
            message::SYMBOL_TABLE => {
                let index = body.uint(8)?;
                let heap = body.uint(8)?;
                read_symbols(source, index, heap, &mut links)?;
            }
            _ => {}
        }
    }
    Ok(links)
}

/// Section "The Link Message".
fn read_link<'a>(mut body: Cursor<'a>, links: &mut Links<'a>) -> Result<()> {
    body.version(1..=1)?;
    let flags = body.uint(1)?;
    let kind = if flags & 8 == 0 { 0 } else { body.uint(1)? };
    body.skip_if(flags & 4 != 0, 8)?; // The creation order.
    body.skip_if(flags & 16 != 0, 1)?; // The character set: ASCII is UTF-8 as well.
    let length = body.uint(1 << (flags & 3))?;
    let name = body.bytes(length)?;
    let link = match kind {
        0 => Link::Hard(body.uint(8)?),
        1 => Link::Other("a soft link"),
        64 => Link::Other("an external link"),
        _ => Link::Other("a user-defined link"),
    };
    insert(links, name, link, &body)
}

/// Refuses dense storage, for more links or attributes than fit the header in the newest format
/// (sections "The Link Info Message" and "The Attribute Info Message"; `width` is the size of the
/// creation index).
pub fn refuse_dense_storage(mut info: Cursor, width: usize, contents: &str) -> Result<()> {
    info.version(0..=0)?;
    let flags = info.uint(1)?;
    info.skip_if(flags & 1 != 0, width)?;
    if info.uint(8)? != UNDEFINED {
        return Err(info.unsupported(format!("keeps its {contents} in dense storage")));
    }
    Ok(())
}

fn insert<'a>(links: &mut Links<'a>, name: &'a [u8], link: Link, structure: &Cursor) -> Result<()> {
    let name = structure.text(name)?;
    if links.insert(name, link).is_some() {
        return Err(structure.damaged(format!("holds the name `{name}` twice")));
    }
    Ok(())
}

/// Reads the links of an old group: sections "Group Symbol Table Nodes" and "Local Heaps".
fn read_symbols<'a>(
    source: &Source<'a>,
    index: usize,
    heap: usize,
    links: &mut Links<'a>,
) -> Result<()> {
    let mut header = source.take(heap, 32, "local heap")?;
    header.signature(b"HEAP")?;
    header.version(0..=0)?;
    header.bytes(3)?;
    let length = header.uint(8)?;
    header.bytes(8)?; // The offset of free space.
    let address = header.uint(8)?;
    let names = source.from(address, "local heap")?.part(length)?;

    let index = BTree { root: index, node_type: 0, key_size: 8 };
    index.for_each(source, |_, address| {
        let mut head = source.take(address, 8, "symbol table node")?;
        head.signature(b"SNOD")?;
        head.version(1..=1)?;
        head.bytes(1)?;
        let length = head.uint(2)? * 40;
        let mut entries = source.take(address.saturating_add(8), length, "symbol table node")?;
        while !entries.rest.is_empty() {
            let name_offset = entries.uint(8)?;
            let target = entries.uint(8)?;
            let cache_type = entries.uint(4)?;
            entries.bytes(20)?; // Reserved, and a copy of what the object header says.
            let name = names.rest.get(name_offset..).unwrap_or_default();
            let name = CStr::from_bytes_until_nul(name)
                .map_err(|_| names.damaged("holds a name without an end"))?;
            // Names count against the budget as well: a million entries could share a long name.
            source.charge(name.count_bytes(), &names)?;
            let link =
                if cache_type == 2 { Link::Other("a soft link") } else { Link::Hard(target) };
            insert(links, name.to_bytes(), link, &names)?;
        }
        Ok(())
    })
}
