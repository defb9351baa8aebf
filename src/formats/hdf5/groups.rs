//! How a group stores its links: in old symbol tables or in link messages.

use std::collections::BTreeMap;
use std::ffi::CStr;

use super::Result;
use super::btree::leaves;
use super::cursor::{Cursor, Source, UNDEFINED};
use super::header::{Message, message};

/// Where each name leads: to the object header at this address, or by a link of this sort to a
/// path, perhaps in another file. Keras refuses these too.
pub type Links<'a> = BTreeMap<&'a str, Link>;
type Link = std::result::Result<usize, &'static str>;

/// All links of the object with these header messages; none where it is no group.
pub fn links<'a>(source: &Source<'a>, messages: &[Message<'a>]) -> Result<Links<'a>> {
    let mut links = Links::new();
    for (kind, body) in messages {
        let mut body = body.clone();
        match *kind {
            // Section "The Link Message".
            message::LINK => {
                body.version(1..=1)?;
                let flags = body.uint(1)?;
                let kind = if flags & 8 == 0 { 0 } else { body.uint(1)? };
                body.skip_if(flags & 4 != 0, 8)?; // The creation order.
                body.skip_if(flags & 16 != 0, 1)?; // The character set: ASCII is UTF-8 as well.
                let length = body.uint(1 << (flags & 3))?;
                let name = body.bytes(length)?;
                let link = match kind {
                    0 => Ok(body.uint(8)?),
                    1 => Err("a soft link"),
                    64 => Err("an external link"),
                    _ => Err("a user-defined link"),
                };
                insert(&mut links, name, link, &body)?;
            }
            message::LINK_INFO => refuse_dense_storage(body, 8, "links")?,
            message::SYMBOL_TABLE => symbols(source, body.uint(8)?, body.uint(8)?, &mut links)?,
            _ => {}
        }
    }
    Ok(links)
}

/// Refuses more links or attributes than the header itself holds, which the newest form keeps
/// elsewhere (sections "The Link Info Message" and "The Attribute Info Message"; their indexes of
/// creation have `width` bytes).
pub fn refuse_dense_storage(mut info: Cursor, width: usize, what: &str) -> Result<()> {
    info.version(0..=0)?;
    let flags = info.uint(1)?;
    info.skip_if(flags & 1 != 0, width)?;
    match info.uint(8)? {
        UNDEFINED => Ok(()),
        _ => Err(info.unsupported(format!("keeps its {what} in dense storage"))),
    }
}

fn insert<'a>(links: &mut Links<'a>, name: &'a [u8], link: Link, place: &Cursor) -> Result<()> {
    let name = place.text(name)?;
    match links.insert(name, link) {
        None => Ok(()),
        Some(_) => Err(place.damaged(format!("holds the name `{name}` twice"))),
    }
}

/// The links of an old group: sections "Group Symbol Table Nodes" and "Local Heaps".
fn symbols<'a>(source: &Source<'a>, tree: usize, heap: usize, links: &mut Links<'a>) -> Result<()> {
    let mut header = source.take(heap, 32, "local heap")?;
    header.letters(b"HEAP")?;
    header.version(0..=0)?;
    header.bytes(3)?;
    let (length, _free, address) = (header.uint(8)?, header.uint(8)?, header.uint(8)?);
    let names = source.from(address, "local heap")?.part(length)?;

    leaves(source, tree, 0, 8, |_, address| {
        let mut head = source.take(address, 8, "symbol table node")?;
        head.letters(b"SNOD")?;
        head.version(1..=1)?;
        head.bytes(1)?;
        let mut entries =
            source.take(address.saturating_add(8), head.uint(2)? * 40, "symbol table node")?;
        while !entries.rest.is_empty() {
            let (offset, target, kind) = (entries.uint(8)?, entries.uint(8)?, entries.uint(4)?);
            entries.bytes(20)?; // Reserved, and a copy of what the object header says.
            // Names count against the allowance as well: a million entries could share one long
            // name.
            let rest = names.rest.get(offset..).unwrap_or_default();
            let name = CStr::from_bytes_until_nul(rest)
                .map_err(|_| names.damaged("holds a name without an end"))?;
            source.charge(name.count_bytes(), &names)?;
            let link = if kind == 2 { Err("a soft link") } else { Ok(target) };
            insert(links, name.to_bytes(), link, &names)?;
        }
        Ok(())
    })
}
