//! How a group stores its links: in old symbol tables or in link messages.

use std::collections::BTreeMap;

use super::cursor::{Cursor, Source};
use super::read::Message;
use super::{Result, message};

/// Where a name leads.
#[derive(Debug, Clone, Copy)]
pub enum Link {
    /// To the object header at this address.
    Hard(u64),
    /// To a path, perhaps in another file; Keras refuses these too.
    Indirect(&'static str),
}

/// All links of the group with these header messages.
pub fn links<'a>(source: &Source<'a>, messages: &[Message<'a>]) -> Result<BTreeMap<&'a str, Link>> {
    let mut links = BTreeMap::new();
    for Message { kind, body } in messages {
        let mut body = body.clone();
        let mut add = |(name, link): (&'a [u8], Link), place: &Cursor| {
            let name = std::str::from_utf8(name).map_err(|_| place.damaged("holds a name that is not UTF-8"))?;
            match links.insert(name, link) {
                None => Ok(()),
                Some(_) => Err(place.damaged(&format!("holds the name `{name}` twice"))),
            }
        };
        match *kind {
            message::LINK => add(link(&mut body)?, &body)?,
            message::LINK_INFO => {
                body.version(0..=0)?;
                let flags = body.u8()?;
                body.bytes(if flags & 1 == 0 { 0 } else { 8 })?; // The largest creation index.
                if body.address()?.is_some() {
                    return Err(body.unsupported("keeps its links in dense storage"));
                }
            }
            message::SYMBOL_TABLE => {
                let (tree, heap) = (body.known_address()?, body.known_address()?);
                symbols(source, tree, heap, &mut add)?;
            }
            _ => {}
        }
    }
    Ok(links)
}

/// Section "The Link Message".
fn link<'a>(body: &mut Cursor<'a>) -> Result<(&'a [u8], Link)> {
    body.version(1..=1)?;
    let flags = body.u8()?;
    let kind = if flags & 8 == 0 { 0 } else { body.u8()? };
    body.bytes(if flags & 4 == 0 { 0 } else { 8 })?; // The creation order.
    body.bytes(if flags & 16 == 0 { 0 } else { 1 })?; // The character set: ASCII is UTF-8 as well.
    let length = body.size(1 << (flags & 3))?;
    let name = body.bytes(length)?;
    let link = match kind {
        0 => Link::Hard(body.known_address()?),
        1 => Link::Indirect("a soft link"),
        64 => Link::Indirect("an external link"),
        _ => Link::Indirect("a user-defined link"),
    };
    Ok((name, link))
}

/// The links of an old group: sections "Version 1 B-trees", "Group Symbol Table Nodes" and "Local Heaps".
fn symbols<'a>(
    source: &Source<'a>,
    tree: u64,
    heap: u64,
    add: &mut impl FnMut((&'a [u8], Link), &Cursor) -> Result<()>,
) -> Result<()> {
    let mut header = source.take(heap, 32, "local heap")?;
    header.letters(b"HEAP")?;
    header.version(0..=0)?;
    header.bytes(3)?;
    let (length, _free) = (header.size(8)?, header.uint(8)?);
    let names = source.from(header.known_address()?, "local heap")?.part(length)?;

    tree_1(source, tree, 0, 8, &mut |_, address| {
        let mut head = source.take(address, 8, "symbol table node")?;
        head.letters(b"SNOD")?;
        head.version(1..=1)?;
        head.u8()?;
        let count = head.size(2)?;
        let mut entries = source.take(address.saturating_add(8), count * 40, "symbol table node")?;
        for _ in 0..count {
            let (offset, target, kind) = (entries.size(8)?, entries.address()?, entries.u32()?);
            entries.bytes(20)?; // Reserved, and a copy of what the object header says.
            let rest = names.rest.get(offset..).unwrap_or_default();
            // Names count against the allowance as well: a million entries could share one long name.
            let length = rest.iter().take(1 << 16).position(|&byte| byte == 0);
            let length = length.ok_or_else(|| names.damaged("holds a name without an end"))?;
            source.charge(length, &names)?;
            let link = match (kind, target) {
                (2, _) => Link::Indirect("a soft link"),
                (_, Some(target)) => Link::Hard(target),
                (_, None) => return Err(entries.damaged("leaves out an address")),
            };
            add((rest.get(..length).unwrap_or_default(), link), &entries)?;
        }
        Ok(())
    })
}

/// Visits the leaves of a version 1 B-tree in any order: the key before each child, and the child's address.
pub fn tree_1<'a>(
    source: &Source<'a>,
    root: u64,
    kind: u8,
    key: usize,
    visit: &mut impl FnMut(Cursor<'a>, u64) -> Result<()>,
) -> Result<()> {
    let what = "B-tree node";
    let mut nodes = vec![(root, None)];
    while let Some((address, expected)) = nodes.pop() {
        let mut head = source.take(address, 24, what)?;
        head.letters(b"TREE")?;
        let (found, level) = (head.u8()?, head.u8()?);
        if found != kind {
            return Err(head.damaged("indexes something else than its owner says"));
        }
        // Levels that count down end every cycle after at most 256 steps; the allowance ends the wide ones.
        if expected.is_some_and(|expected| expected != level) {
            return Err(head.damaged(&format!("has level {level}, which does not follow from its parent's")));
        }
        let count = head.size(2)?;
        let mut entries = source.take(address.saturating_add(24), count * (key + 8) + key, what)?;
        for _ in 0..count {
            let (key, child) = (entries.part(key)?, entries.known_address()?);
            match level.checked_sub(1) {
                None => visit(key, child)?,
                below => nodes.push((child, below)),
            }
        }
    }
    Ok(())
}
