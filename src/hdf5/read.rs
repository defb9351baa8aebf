//! The tree of a file: from the superblock to groups, datasets and attributes.

use std::fmt;

use super::chunks::{self, ChunkedDataset};
use super::cursor::{Cursor, Source, UNDEFINED};
use super::groups::{Link, Links, links, refuse_dense_storage};
use super::header::{Message, message, messages};
use super::numbers::Number;
use super::types::{Type, shape};
use super::{Error, Result, SIGNATURE, attributes, filters};

/// A group, which links to other objects, or a dataset, which is an array of numbers.
#[derive(Clone)]
pub struct Object<'a> {
    bytes: &'a [u8],
    path: String,
    messages: Vec<Message<'a>>,
    links: Links<'a>,
    shape: Vec<usize>,
}

/// Only the path: the other fields would print the whole file.
impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)
    }
}

/// True if these bytes are an HDF5 file, by its signature.
pub fn is_hdf5(bytes: &[u8]) -> bool {
    from_superblock(bytes).is_some()
}

/// The file from its superblock on, which is at the start or follows a user block of 512, 1024 and
/// so on bytes.
fn from_superblock(bytes: &[u8]) -> Option<&[u8]> {
    let starts = [0].into_iter().chain((9..usize::BITS).map(|power| 1 << power));
    starts.map_while(|start| bytes.get(start..)).find(|rest| rest.starts_with(SIGNATURE))
}

/// The root group of an HDF5 file (section "Format Signature and Superblock").
///
/// # Errors
/// Bytes that are not an HDF5 file, or a damaged or unsupported one.
pub fn open(bytes: &[u8]) -> Result<Object<'_>> {
    let bytes =
        from_superblock(bytes).ok_or_else(|| Error::mismatch("the bytes are not an HDF5 file"))?;
    let source = Source::new(bytes);
    let mut block = source.from(0, "superblock")?;
    block.bytes(SIGNATURE.len())?;
    let version = block.version(0..=3)?;
    if version >= 2 {
        source.take_checked(0, 48, "superblock")?;
    }
    block.skip_if(version < 2, 4)?; // Versions of parts, all 0.
    let widths = block.bytes(2)?;
    // Sizes of B-tree nodes, and consistency flags.
    block.bytes(match version {
        0 => 9,
        1 => 13,
        _ => 1,
    })?;
    if widths != [8, 8] {
        return Err(block.unsupported(format!(
            "declares addresses and lengths of {widths:?} bytes; 8 are read"
        )));
    }
    let base = block.uint(8)?;
    block.bytes(8)?; // The address of free space or of the superblock's extension.
    let end = block.uint(8)?;
    if end.checked_sub(base).is_none_or(|length| length > bytes.len()) {
        return Err(block.damaged(format!("declares {end} bytes, but {} are there", bytes.len())));
    }
    block.skip_if(version < 2, 16)?; // The driver's address and the name of the root, unused.
    Object::read(bytes, block.uint(8)?, String::from("/"))?.into_group()
}

impl<'a> Object<'a> {
    fn read(bytes: &'a [u8], address: usize, path: String) -> Result<Object<'a>> {
        let mut object =
            Object { bytes, path, messages: vec![], links: Links::new(), shape: vec![] };
        object.messages = object.operate(|source| messages(source, address))?;
        object.links = object.operate(|source| links(source, &object.messages))?;
        Ok(object)
    }

    /// Runs one operation on the object, with a byte budget of its own; errors name the path.
    fn operate<T>(&self, operation: impl FnOnce(&Source<'a>) -> Result<T>) -> Result<T> {
        operation(&Source::new(self.bytes)).map_err(|error| error.within(&self.path))
    }

    fn message(&self, kind: usize) -> Option<Cursor<'a>> {
        let message = self.messages.iter().find(|message| message.kind == kind)?;
        Some(message.body.clone())
    }

    /// The message that an object of this sort must have.
    fn required(&self, kind: usize, name: &str) -> Result<Cursor<'a>> {
        self.message(kind).ok_or_else(|| Error::damaged(format!("the object header has no {name}")))
    }

    /// Path in the file: `/layers/dense`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Names of all members of this group, sorted bytewise.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.links.keys().copied()
    }

    /// Length of each axis of this dataset; none for a scalar.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The group at a path below this one, such as `layers/dense/vars`; `None` if a part of the
    /// path is missing.
    ///
    /// # Errors
    /// A damaged object, a link that leads out of the file, or a dataset.
    pub fn group(&self, path: &str) -> Result<Option<Object<'a>>> {
        self.find(path)?.map(Object::into_group).transpose()
    }

    fn into_group(self) -> Result<Object<'a>> {
        let marks = [message::SYMBOL_TABLE, message::LINK_INFO];
        if self.messages.iter().any(|message| marks.contains(&message.kind)) {
            return Ok(self);
        }
        Err(Error::mismatch("expected a group, found a dataset or type").within(&self.path))
    }

    /// The dataset at a path below this group; `None` if a part of the path is missing.
    ///
    /// # Errors
    /// A damaged object, a link that leads out of the file, or a group.
    pub fn dataset(&self, path: &str) -> Result<Option<Object<'a>>> {
        let Some(mut found) = self.find(path)? else { return Ok(None) };
        found.shape = found.operate(|_| {
            if found.message(message::EXTERNAL_FILES).is_some() {
                return Err(Error::unsupported("the numbers are stored in another file"));
            }
            if found.message(message::LAYOUT).is_none() {
                return Err(Error::mismatch("expected a dataset, found a group or type"));
            }
            shape(found.required(message::DATASPACE, "shape")?)
        })?;
        Ok(Some(found))
    }

    /// The object at a path; a dataset has no links, so a path through one leads nowhere.
    fn find(&self, path: &str) -> Result<Option<Object<'a>>> {
        let mut found: Option<Object> = None;
        for part in path.split('/').filter(|part| !part.is_empty()) {
            let parent = found.as_ref().unwrap_or(self);
            let path = format!("{}/{part}", parent.path.trim_end_matches('/'));
            found = match parent.links.get(part) {
                None => return Ok(None),
                Some(Link::Hard(address)) => Some(Object::read(self.bytes, *address, path)?),
                Some(Link::Other(kind)) => {
                    let problem = format!("is {kind}; only objects in the file itself are read");
                    return Err(Error::unsupported(problem).within(&path));
                }
            };
        }
        Ok(found)
    }

    /// The strings of an attribute, one or an array of them; `None` if it is missing.
    ///
    /// # Errors
    /// A damaged attribute, or one that is not text.
    pub fn strings(&self, wanted: &str) -> Result<Option<Vec<String>>> {
        self.operate(|source| {
            for Message { kind, body } in &self.messages {
                if *kind == message::ATTRIBUTE_INFO {
                    refuse_dense_storage(body.clone(), 2, "attributes")?;
                } else if *kind == message::ATTRIBUTE {
                    let strings = attributes::strings(source, body.clone(), wanted)?;
                    if strings.is_some() {
                        return Ok(strings);
                    }
                }
            }
            Ok(None)
        })
    }

    /// All numbers of a dataset in row-major order, passed through `cast`.
    ///
    /// # Errors
    /// More numbers than `limit`, damaged or missing storage, and types that are not numbers.
    pub fn read_numbers<R: Clone>(&self, limit: usize, cast: impl Fn(f64) -> R) -> Result<Vec<R>> {
        let count: usize = self.shape.iter().product();
        self.operate(|source| {
            if count > limit {
                return Err(Error::mismatch(format!(
                    "holds {count} numbers; {limit} are expected at most"
                )));
            }
            let number = self.number()?;
            // Section "The Data Layout Message".
            let mut layout = self.required(message::LAYOUT, "layout")?;
            let version = layout.version(3..=5)?;
            let class = layout.uint(1)?;
            if count == 0 {
                return Ok(vec![]);
            }
            let mut stored = match class {
                0 => {
                    let length = layout.uint(2)?;
                    layout.part(length)?
                }
                1 => match layout.uint(8)? {
                    UNDEFINED => return Err(chunks::never_written()),
                    address => source.from(address, "array of numbers")?,
                },
                2 if version == 3 => {
                    let filters = self.message(message::FILTERS).map(filters::filters);
                    let filters = filters.transpose()?.unwrap_or_default();
                    let dataset = ChunkedDataset { shape: &self.shape, number, filters };
                    return dataset.read(source, layout, cast);
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
            Ok(bytes.chunks_exact(number.size).map(|bytes| cast(number.value(bytes))).collect())
        })
    }

    fn number(&self) -> Result<Number> {
        match Type::read(self.required(message::DATATYPE, "type")?)? {
            Type::Number(number) => Ok(number),
            // NumPy has no bfloat16: h5py stores those of Keras as opaque bytes, and Keras adds
            // this attribute.
            Type::Opaque { size: 2 }
                if self.strings("dtype")? == Some(vec!["bfloat16".to_string()]) =>
            {
                Ok(Number::BFLOAT16)
            }
            Type::FixedString { .. } | Type::VariableString => {
                Err(Error::mismatch("holds text; numbers are expected"))
            }
            _ => Err(Error::unsupported("holds no numbers of the usual kinds")),
        }
    }
}
