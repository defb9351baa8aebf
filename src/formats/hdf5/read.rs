//! The tree of a file: from the superblock to groups, datasets and attributes.

use std::fmt;

use super::cursor::{Cursor, Source, UNDEFINED};
use super::groups::{Links, links, refuse_dense_storage};
use super::header::{Message, message, messages};
use super::types::{Number, Type, shape};
use super::{Fault, Result, SIGNATURE, attributes, chunks, filters};

/// A group, whose links lead to other objects, or a dataset, which is an array of numbers.
#[derive(Clone)]
pub struct Object<'a> {
    bytes: &'a [u8],
    path: String,
    messages: Vec<Message<'a>>,
    links: Links<'a>,
    shape: Vec<usize>,
}

/// Only the path: the rest would print the whole file.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// The file from its superblock on, which is at its start or behind a user block of 512 bytes, 1024
/// and so on.
pub fn find(bytes: &[u8]) -> Option<&[u8]> {
    let starts = [0].into_iter().chain((9..usize::BITS).map(|power| 1 << power));
    starts.map_while(|start| bytes.get(start..)).find(|rest| rest.starts_with(SIGNATURE))
}

/// The root group of an HDF5 file (section "Format Signature and Superblock").
pub fn open(bytes: &[u8]) -> Result<Object<'_>> {
    let bytes = find(bytes).ok_or_else(|| Fault::other("the bytes are not an HDF5 file"))?;
    let source = Source::new(bytes);
    let mut block = source.from(0, "superblock")?;
    block.bytes(SIGNATURE.len())?;
    let version = block.version(0..=3)?;
    if version >= 2 {
        source.checked(0, 48, "superblock")?;
    }
    block.skip_if(version < 2, 4)?; // Versions of parts, all 0.
    let widths = block.bytes(2)?;
    block.bytes(match version {
        0 => 9,
        1 => 13,
        _ => 1,
    })?; // Sizes of B-tree nodes, and consistency flags.
    if widths != [8, 8] {
        return Err(block.unsupported(format!(
            "declares addresses and lengths of {widths:?} bytes; 8 are read"
        )));
    }
    let (base, _extension, end) = (block.uint(8)?, block.uint(8)?, block.uint(8)?);
    if end.checked_sub(base).is_none_or(|length| length > bytes.len()) {
        return Err(block.damaged(format!("declares {end} bytes, but {} are there", bytes.len())));
    }
    block.skip_if(version < 2, 16)?; // The driver's address and the name of the root, unused.
    Object::read(bytes, block.uint(8)?, String::from("/"))?.group_itself()
}

impl<'a> Object<'a> {
    fn read(bytes: &'a [u8], address: usize, path: String) -> Result<Object<'a>> {
        let mut object =
            Object { bytes, path, messages: vec![], links: Links::new(), shape: vec![] };
        object.messages = object.operate(|source| messages(source, address))?;
        object.links = object.operate(|source| links(source, &object.messages))?;
        Ok(object)
    }

    /// One operation on the object: with an allowance of its own, and the path in front of what
    /// goes wrong.
    fn operate<T>(&self, operation: impl FnOnce(&Source<'a>) -> Result<T>) -> Result<T> {
        operation(&Source::new(self.bytes)).map_err(|fault| fault.within(&self.path))
    }

    fn message(&self, wanted: usize) -> Option<Cursor<'a>> {
        self.messages.iter().find(|(kind, _)| *kind == wanted).map(|(_, body)| body.clone())
    }

    /// The message that an object of this sort must have.
    fn needed(&self, kind: usize, name: &str) -> Result<Cursor<'a>> {
        self.message(kind).ok_or_else(|| Fault::damaged(format!("the object header has no {name}")))
    }

    /// Where it is in the file: `/layers/dense`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The names of everything in this group, sorted bytewise.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.links.keys().copied()
    }

    /// The length of each axis of this dataset; none for a single number.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The group at a path below this one, such as `layers/dense/vars`; `None` if a part of the
    /// path is missing.
    pub fn group(&self, path: &str) -> Result<Option<Object<'a>>> {
        self.find(path)?.map(Object::group_itself).transpose()
    }

    fn group_itself(self) -> Result<Object<'a>> {
        let is_group =
            self.message(message::SYMBOL_TABLE).or(self.message(message::LINK_INFO)).is_some();
        let other = || Fault::other("expected a group, found a dataset or type").within(&self.path);
        if is_group { Ok(self) } else { Err(other()) }
    }

    /// The dataset at a path below this group; `None` if a part of the path is missing.
    pub fn dataset(&self, path: &str) -> Result<Option<Object<'a>>> {
        let Some(mut found) = self.find(path)? else { return Ok(None) };
        found.shape = found.operate(|_| {
            if found.message(message::EXTERNAL_FILES).is_some() {
                return Err(Fault::unsupported("the numbers are stored in another file"));
            }
            if found.message(message::LAYOUT).is_none() {
                return Err(Fault::other("expected a dataset, found a group or type"));
            }
            shape(found.needed(message::DATASPACE, "shape")?)
        })?;
        Ok(Some(found))
    }

    /// What the path leads to; where it goes on behind a dataset, that has no links.
    fn find(&self, path: &str) -> Result<Option<Object<'a>>> {
        let mut found: Option<Object> = None;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let parent = found.as_ref().unwrap_or(self);
            let path = format!("{}/{part}", parent.path.trim_end_matches('/'));
            found = match parent.links.get(part) {
                None => return Ok(None),
                Some(Ok(address)) => Some(Object::read(self.bytes, *address, path)?),
                Some(Err(kind)) => {
                    let problem = format!("is {kind}; only objects in the file itself are read");
                    return Err(Fault::unsupported(problem).within(&path));
                }
            };
        }
        Ok(found)
    }

    /// The texts of an attribute: one, or an array of them.
    pub fn texts(&self, wanted: &str) -> Result<Option<Vec<String>>> {
        self.operate(|source| {
            for (kind, body) in &self.messages {
                match *kind {
                    message::ATTRIBUTE => match attributes::texts(source, body.clone(), wanted)? {
                        None => {}
                        found => return Ok(found),
                    },
                    message::ATTRIBUTE_INFO => refuse_dense_storage(body.clone(), 2, "attributes")?,
                    _ => {}
                }
            }
            Ok(None)
        })
    }

    /// All numbers of a dataset in row-major order, passed through `cast`. More than `limit` of
    /// them are an error.
    pub fn read_reals<R: Clone>(&self, limit: usize, cast: impl Fn(f64) -> R) -> Result<Vec<R>> {
        let count: usize = self.shape.iter().product();
        self.operate(|source| {
            if count > limit {
                return Err(Fault::other(format!(
                    "holds {count} numbers; {limit} are expected at most"
                )));
            }
            let number = self.number()?;
            // Section "The Data Layout Message".
            let mut layout = self.needed(message::LAYOUT, "layout")?;
            let version = layout.version(3..=5)?;
            let mut stored = match layout.uint(1)? {
                _ if count == 0 => return Ok(vec![]),
                0 => {
                    let length = layout.uint(2)?;
                    layout.part(length)?
                }
                1 => match layout.uint(8)? {
                    UNDEFINED => return Err(chunks::never_written()),
                    address => source.from(address, "array of numbers")?,
                },
                2 if version == 3 => {
                    let filters =
                        self.message(message::FILTERS).map(filters::filters).transpose()?;
                    let filters = filters.unwrap_or_default();
                    return chunks::read(source, layout, &filters, &self.shape, number, cast);
                }
                2 => {
                    return Err(layout.unsupported(
                        "finds its chunks in a way that only libver=\"latest\" writes",
                    ));
                }
                3 => {
                    return Err(layout.unsupported("is virtual: the numbers are in other datasets"));
                }
                class => return Err(layout.damaged(format!("is of the unknown class {class}"))),
            };
            let bytes = stored.bytes(count.saturating_mul(number.size))?;
            Ok(bytes.chunks_exact(number.size).map(|bytes| cast(number.real(bytes))).collect())
        })
    }

    fn number(&self) -> Result<Number> {
        match Type::read(self.needed(message::DATATYPE, "type")?)? {
            Type::Number(number) => Ok(number),
            // NumPy has no bfloat16: h5py stores those of Keras as opaque bytes, and Keras adds
            // this attribute.
            Type::Opaque(2) if self.texts("dtype")? == Some(vec!["bfloat16".to_string()]) => {
                Ok(Number::BFLOAT16)
            }
            Type::FixedText(..) | Type::VariableText => {
                Err(Fault::other("holds text; numbers are expected"))
            }
            _ => Err(Fault::unsupported("holds no numbers of the usual kinds")),
        }
    }
}
