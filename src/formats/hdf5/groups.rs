//! How a group stores its links: in old symbol tables or in link messages.

use std::collections::BTreeMap;

use super::Result;
use super::btree::leaves;
use super::cursor::{Cursor, Source};
use super::header::{Message, message, refuse_dense_storage};

/// Where a name leads: to the object header at this address, or by a link of this sort to a path, perhaps in another
/// file. Keras refuses these too.
pub type Link = std::result::Result<usize, &'static str>;

/// All links of the group with these header messages.
pub fn links<'a>(source: &Source<'a>, messages: &[Message<'a>]) -> Result<BTreeMap<&'a str, Link>> {
    let mut links = BTreeMap::new();
    let mut add = |name: &'a [u8], link: Link, place: &Cursor| {
        let name = std::str::from_utf8(name).map_err(|_| place.damaged("holds a name that is not UTF-8"))?;
        match links.insert(name, link) {
            None => Ok(()),
            Some(_) => Err(place.damaged(format!("holds the name `{name}` twice"))),
        }
    };
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
                add(name, link, &body)?;
            }
            message::LINK_INFO => refuse_dense_storage(body, 8, "links")?,
            message::SYMBOL_TABLE => symbols(source, body.uint(8)?, body.uint(8)?, &mut add)?,
            _ => {}
        }
    }
    Ok(links)
}

/// The links of an old group: sections "Group Symbol Table Nodes" and "Local Heaps".
fn symbols<'a>(
    source: &Source<'a>,
    tree: usize,
    heap: usize,
    add: &mut impl FnMut(&'a [u8], Link, &Cursor) -> Result<()>,
) -> Result<()> {
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
        let count = head.uint(2)?;
        let mut entries = source.take(address.saturating_add(8), count * 40, "symbol table node")?;
        for _ in 0..count {
            let (offset, target, kind) = (entries.uint(8)?, entries.uint(8)?, entries.uint(4)?);
            entries.bytes(20)?; // Reserved, and a copy of what the object header says.
            // Names count against the allowance as well: a million entries could share one long name.
            let rest = names.rest.get(offset..).unwrap_or_default();
            let length = rest.iter().take(1 << 16).position(|&byte| byte == 0);
            let length = length.ok_or_else(|| names.damaged("holds a name without an end"))?;
            source.charge(length, &names)?;
            let name = rest.get(..length).unwrap_or_default();
            add(name, if kind == 2 { Err("a soft link") } else { Ok(target) }, &entries)?;
        }
        Ok(())
    })
}
