//! The tree of a file: from the superblock through object headers to groups, datasets and attributes.

use std::collections::BTreeMap;
use std::fmt;

use super::chunks::Layout;
use super::cursor::{Cursor, Source};
use super::filters::Filters;
use super::groups::{Link, links};
use super::types::{Number, Space, Type};
use super::{Fault, Result, SIGNATURE, message};

/// One message of an object header.
#[derive(Clone)]
pub struct Message<'a> {
    pub kind: u16,
    pub body: Cursor<'a>,
}

/// Anything with an object header, and the path that led to it.
#[derive(Clone)]
struct Object<'a> {
    bytes: &'a [u8],
    path: String,
    messages: Vec<Message<'a>>,
}

/// Only the path: the rest would print the whole file.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.path, f)
    }
}

/// A group: named links to groups and datasets, and attributes.
#[derive(Debug, Clone)]
pub struct Group<'a> {
    object: Object<'a>,
    links: BTreeMap<&'a str, Link>,
}

/// An array of numbers with its shape and attributes.
#[derive(Debug, Clone)]
pub struct Dataset<'a> {
    object: Object<'a>,
    space: Space,
    number: Number,
    layout: Layout<'a>,
    filters: Filters,
}

/// The root group of an HDF5 file (section "Format Signature and Superblock").
pub fn open(bytes: &[u8]) -> Result<Group<'_>> {
    let places = std::iter::successors(Some(0), |&place| Some(if place == 0 { 512 } else { place * 2 }));
    let here = |place: usize| bytes.get(place..).filter(|rest| rest.starts_with(SIGNATURE));
    let found = places.take_while(|&place| place < bytes.len()).find_map(here);
    let Some(bytes) = found else {
        return Err(Fault::other("the bytes are not an HDF5 file"));
    };

    let source = Source::new(bytes);
    let mut block = source.from(0, "superblock")?;
    block.bytes(SIGNATURE.len())?;
    let version = block.version(0..=3)?;
    let widths = if version < 2 {
        block.bytes(4)?; // Versions of parts, all 0.
        let widths = block.bytes(2)?;
        block.bytes(if version == 0 { 9 } else { 13 })?; // Sizes of B-tree nodes, and consistency flags.
        widths
    } else {
        source.checked(0, 48, "superblock")?;
        let widths = block.bytes(2)?;
        block.u8()?;
        widths
    };
    if widths != [8, 8] {
        return Err(block.unsupported(&format!("declares addresses and lengths of {widths:?} bytes; 8 are read")));
    }
    let (base, _extension, end) = (block.uint(8)?, block.uint(8)?, block.uint(8)?);
    if end.checked_sub(base).is_none_or(|length| length > bytes.len() as u64) {
        return Err(block.damaged(&format!("declares {end} bytes, but {} are there", bytes.len())));
    }
    block.bytes(if version < 2 { 16 } else { 0 })?; // The driver's address and the name of the root, unused.
    let root = block.known_address()?;
    Object::read(bytes, root, String::from("/"))?.group()
}

impl<'a> Object<'a> {
    fn read(bytes: &'a [u8], address: u64, path: String) -> Result<Object<'a>> {
        match header(&Source::new(bytes), address) {
            Ok(messages) => Ok(Object { bytes, path, messages }),
            Err(fault) => Err(fault.within(&path)),
        }
    }

    fn messages(&self, kind: u16) -> impl Iterator<Item = Cursor<'a>> {
        self.messages.iter().filter(move |message| message.kind == kind).map(|message| message.body.clone())
    }

    /// The message that an object of this sort must have.
    fn needed(&self, kind: u16, name: &str) -> Result<Cursor<'a>> {
        self.messages(kind).next().ok_or_else(|| Fault::damaged(format!("the object header has no {name}")))
    }

    fn group(self) -> Result<Group<'a>> {
        if !self.messages.iter().any(|message| matches!(message.kind, message::SYMBOL_TABLE | message::LINK_INFO)) {
            return Err(Fault::other("expected a group, found a dataset or type").within(&self.path));
        }
        match links(&Source::new(self.bytes), &self.messages) {
            Ok(links) => Ok(Group { object: self, links }),
            Err(fault) => Err(fault.within(&self.path)),
        }
    }

    fn dataset(self) -> Result<Dataset<'a>> {
        let parts = || {
            if self.messages(message::EXTERNAL_FILES).next().is_some() {
                return Err(Fault::unsupported("the numbers are stored in another file"));
            }
            if self.messages(message::LAYOUT).next().is_none() {
                return Err(Fault::other("expected a dataset, found a group or type"));
            }
            let space = Space::read(self.needed(message::DATASPACE, "shape")?)?;
            let kind = Type::read(self.needed(message::DATATYPE, "type")?)?;
            // NumPy has no bfloat16: h5py stores those of Keras as opaque bytes, and Keras adds this attribute.
            let named_bfloat = || Ok(self.texts("dtype")? == Some(vec!["bfloat16".to_string()]));
            let number = match kind {
                Type::Number(number) => number,
                Type::Opaque(2) if named_bfloat()? => Number::BFLOAT16,
                Type::FixedText { .. } | Type::VariableText => {
                    return Err(Fault::other("holds text; numbers are expected"));
                }
                _ => return Err(Fault::unsupported("holds no numbers of the usual kinds")),
            };
            let layout = Layout::read(self.needed(message::LAYOUT, "layout")?, &space, number)?;
            let filters = self.messages(message::FILTERS).next().map(Filters::read).transpose()?.unwrap_or_default();
            Ok((space, number, layout, filters))
        };
        match parts() {
            Ok((space, number, layout, filters)) => Ok(Dataset { object: self, space, number, layout, filters }),
            Err(fault) => Err(fault.within(&self.path)),
        }
    }

    /// The texts of the attribute with this name.
    fn texts(&self, wanted: &str) -> Result<Option<Vec<String>>> {
        let source = Source::new(self.bytes);
        for body in self.messages(message::ATTRIBUTE) {
            if let Some(texts) = attribute(&source, body, wanted)? {
                return Ok(Some(texts));
            }
        }
        // Section "The Attribute Info Message": whether there are more, in dense storage.
        for mut info in self.messages(message::ATTRIBUTE_INFO) {
            info.version(0..=0)?;
            let flags = info.u8()?;
            info.bytes(if flags & 1 == 0 { 0 } else { 2 })?; // The largest creation index.
            if info.address()?.is_some() {
                return Err(info.unsupported("keeps its attributes in dense storage"));
            }
        }
        Ok(None)
    }
}

impl<'a> Group<'a> {
    /// The names of everything in this group, sorted bytewise.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.links.keys().copied()
    }

    /// The group at a path below this one, such as `layers/dense/vars`; `None` if a part of the path is missing.
    pub fn group(&self, path: &str) -> Result<Option<Group<'a>>> {
        self.find(path)?.map(Object::group).transpose()
    }

    /// The dataset at a path below this one; `None` if a part of the path is missing.
    pub fn dataset(&self, path: &str) -> Result<Option<Dataset<'a>>> {
        self.find(path)?.map(Object::dataset).transpose()
    }

    /// The texts of an attribute of this group: one, or an array of them.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.object.texts(name).map_err(|fault| fault.within(&self.object.path))
    }

    fn find(&self, path: &str) -> Result<Option<Object<'a>>> {
        let mut below: Option<Group> = None;
        let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
        while let Some(part) = parts.next() {
            let parent = below.as_ref().unwrap_or(self);
            let path = format!("{}/{part}", parent.object.path.trim_end_matches('/'));
            let object = match parent.links.get(part) {
                None => return Ok(None),
                Some(Link::Hard(address)) => Object::read(self.object.bytes, *address, path)?,
                Some(Link::Indirect(kind)) => {
                    let found = format!("is {kind}; only objects in the file itself are read");
                    return Err(Fault::unsupported(found).within(&path));
                }
            };
            if parts.peek().is_none() {
                return Ok(Some(object));
            }
            below = Some(object.group()?);
        }
        Ok(Some(self.object.clone()))
    }
}

impl Dataset<'_> {
    /// The length of each axis; none for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.space.shape
    }

    /// All numbers in row-major order, passed through `cast`. More than `limit` of them are an error.
    pub fn read_reals<R>(&self, limit: usize, cast: impl Fn(f64) -> R) -> Result<Vec<R>> {
        let read = || {
            let count = self.space.elements;
            if count > limit {
                return Err(Fault::other(format!("holds {count} numbers; {limit} are expected at most")));
            }
            let source = Source::new(self.object.bytes);
            let bytes = self.layout.read_bytes(&source, &self.space, self.number, &self.filters)?;
            Ok(bytes.chunks_exact(self.number.size).map(|bytes| cast(self.number.real(bytes))).collect())
        };
        read().map_err(|fault: Fault| fault.within(&self.object.path))
    }
}

/// The messages of an object header with all its continuation blocks (sections "Version 1 Data Object Header Prefix",
/// "Version 2 Data Object Header Prefix" and "The Object Header Continuation Message").
fn header<'a>(source: &Source<'a>, address: u64) -> Result<Vec<Message<'a>>> {
    let what = "object header";
    let mut head = source.from(address, what)?;
    let all = head.rest.len();
    let newer = head.rest.starts_with(b"OHDR");
    let (mut flags, mut blocks) = (0, vec![]);
    if newer {
        head.letters(b"OHDR")?;
        head.version(2..=2)?;
        flags = head.u8()?;
        head.bytes(if flags & 0x20 == 0 { 0 } else { 16 })?; // Times.
        head.bytes(if flags & 0x10 == 0 { 0 } else { 4 })?; // The limits of compact attribute storage.
        let length = head.size(1 << (flags & 3))?;
        let prefix = all - head.rest.len();
        let mut block = source.checked(address, length.saturating_add(prefix + 4), what)?;
        block.bytes(prefix)?;
        blocks.push(block);
    } else {
        head.version(1..=1)?;
        head.bytes(7)?; // The number of messages, which their total size gives too, and that of links to the object.
        let length = head.size(4)?;
        blocks.push(source.take(address.saturating_add(16), length, what)?);
    }

    let order = if newer && flags & 4 != 0 { 2 } else { 0 };
    let smallest = if newer { 4 + order } else { 8 };
    let mut messages = Vec::new();
    while let Some(mut block) = blocks.pop() {
        while block.rest.len() >= smallest {
            let (kind, size, flags) = if newer {
                (u16::from(block.u8()?), block.size(2)?, block.u8()?)
            } else {
                (block.u16()?, block.size(2)?, block.u8()?)
            };
            block.bytes(if newer { order } else { 3 })?;
            let mut body = block.part(size)?;
            match kind {
                message::CONTINUATION => {
                    let (address, length) = (body.known_address()?, body.size(8)?);
                    blocks.push(if newer {
                        let mut next = source.checked(address, length, what)?;
                        next.letters(b"OCHK")?;
                        next
                    } else {
                        source.take(address, length, what)?
                    });
                }
                message::DATASPACE..=message::LAYOUT
                | message::FILTERS
                | message::ATTRIBUTE
                | message::SYMBOL_TABLE
                | message::ATTRIBUTE_INFO => {
                    if flags & 2 != 0 {
                        return Err(body.unsupported("shares a message with another object (a named type, perhaps)"));
                    }
                    messages.push(Message { kind, body });
                }
                // Bit 7: whoever does not know this message must not read the object.
                kind if kind > message::LAST && flags & 0x80 != 0 => {
                    return Err(body.unsupported(&format!("holds a message of the unknown type {kind}")));
                }
                _ => {}
            }
        }
    }
    Ok(messages)
}

/// The texts of the attribute in this message if it has the wanted name (section "The Attribute Message").
fn attribute(source: &Source, mut body: Cursor, wanted: &str) -> Result<Option<Vec<String>>> {
    let version = body.version(1..=3)?;
    let flags = body.u8()?;
    let [name, kind, space] = [body.size(2)?, body.size(2)?, body.size(2)?];
    body.bytes(if version == 3 { 1 } else { 0 })?; // The character set of the name: ASCII is UTF-8 as well.
    // Version 1 fills each part up to a multiple of 8 bytes.
    let mut part = |length: usize| {
        let part = body.part(length)?;
        body.bytes(if version == 1 { length.next_multiple_of(8) - length } else { 0 })?;
        Ok(part)
    };
    let (name, kind, space) = (part(name)?, part(kind)?, part(space)?);
    if name.rest.strip_suffix(b"\0").unwrap_or(name.rest) != wanted.as_bytes() {
        return Ok(None);
    }
    if version > 1 && flags & 3 != 0 {
        return Err(body.unsupported("shares the type of an attribute with another object"));
    }
    let texts = Type::read(kind).and_then(|kind| kind.texts(source, &Space::read(space)?, body));
    texts.map(Some).map_err(|fault| Fault { found: format!("attribute `{wanted}`: {}", fault.found), ..fault })
}
