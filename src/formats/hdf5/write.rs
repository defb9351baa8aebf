//! Files in the plainest new form: superblock 2, object headers 2, link messages, contiguous numbers.
//!
//! **Decision.** Keras itself writes the old form (superblock 0, symbol tables); Keras 3.1 to 3.15 and every h5py read
//! both, and the new form needs no heap and no B-tree. **Rejected:** the old form, whose sorted symbol tables, local
//! heap and B-tree take several times the code.

use std::collections::BTreeMap;

use super::{Fault, Result, SIGNATURE, checksum, message};

/// A group to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tree {
    /// Attributes of the group: names and texts.
    pub attributes: Vec<(String, String)>,
    /// Groups and datasets by name.
    pub children: BTreeMap<String, Node>,
}

/// Something in a group to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A group within the group.
    Tree(Tree),
    /// Float32 numbers in row-major order; no axis means a single number.
    Reals {
        /// The length of each axis.
        shape: Vec<usize>,
        /// As many numbers as the shape says.
        data: Vec<f32>,
    },
    /// A single int64.
    Integer(i64),
}

/// The undefined address.
const NOWHERE: [u8; 8] = [0xff; 8];

/// Types of numbers (section "The Datatype Message"): class and version, flags, size, and for floats the places and
/// widths of sign, exponent and fraction.
const FLOAT32: &[u8] = &[0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
const INTEGER64: &[u8] = &[0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0];

/// The bytes of an HDF5 file with `root` as its root group. A tree is as deep as the caller makes it.
pub fn write(root: &Tree) -> Result<Vec<u8>> {
    let mut file = vec![0; 48];
    let root = tree(&mut file, root, "/")?;
    // Section "Format Signature and Superblock": version 2, addresses and lengths of 8 bytes.
    let mut superblock = [SIGNATURE.as_slice(), &[2, 8, 8, 0], &[0; 8], &NOWHERE].concat();
    superblock.extend((file.len() as u64).to_le_bytes());
    superblock.extend(root.to_le_bytes());
    superblock.extend(checksum(&superblock).to_le_bytes());
    file.splice(..48, superblock);
    Ok(file)
}

/// Appends a structure where its address is a multiple of 8, and tells that address.
fn put(file: &mut Vec<u8>, bytes: &[u8]) -> u64 {
    file.resize(file.len().next_multiple_of(8), 0);
    let address = file.len() as u64;
    file.extend(bytes);
    address
}

fn tree(file: &mut Vec<u8>, tree: &Tree, path: &str) -> Result<u64> {
    // Sections "The Link Info Message" and "The Group Info Message": no dense storage, all defaults.
    let mut messages = Vec::new();
    append(&mut messages, message::LINK_INFO, &[[0; 2].as_slice(), &NOWHERE, &NOWHERE].concat())?;
    append(&mut messages, message::GROUP_INFO, &[0; 2])?;
    for (name, child) in &tree.children {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        if name.is_empty() || name.contains(['/', '\0']) {
            return Err(refused("a name cannot be empty or hold a slash or a zero byte").within(&path));
        }
        let (length, address) = ((name.len() as u16).to_le_bytes(), node(file, child, &path)?.to_le_bytes());
        let link = [&[1, 1], length.as_slice(), name.as_bytes(), &address].concat();
        append(&mut messages, message::LINK, &link).map_err(|fault| fault.within(&path))?;
    }
    for (name, text) in &tree.attributes {
        append(&mut messages, message::ATTRIBUTE, &attribute(name, text)).map_err(|fault| fault.within(path))?;
    }
    header(file, &messages).map_err(|fault| fault.within(path))
}

fn node(file: &mut Vec<u8>, node: &Node, path: &str) -> Result<u64> {
    let bytes: Vec<u8>;
    let (kind, shape, count) = match node {
        Node::Tree(child) => return tree(file, child, path),
        Node::Reals { shape, data } => {
            bytes = data.iter().flat_map(|number| number.to_le_bytes()).collect();
            (FLOAT32, shape.as_slice(), data.len())
        }
        Node::Integer(number) => {
            bytes = number.to_le_bytes().to_vec();
            (INTEGER64, [].as_slice(), 1)
        }
    };
    let product = shape.iter().try_fold(1_usize, |product, &length| product.checked_mul(length));
    if product != Some(count) || shape.len() > 32 {
        return Err(refused(format!("the shape {shape:?} does not hold {count} numbers")).within(path));
    }
    let address = if bytes.is_empty() { NOWHERE } else { put(file, &bytes).to_le_bytes() };
    let length = (bytes.len() as u64).to_le_bytes();
    // Section "The Dataspace Message": version 2, a single element or an array.
    let mut space = vec![2, shape.len() as u8, 0, u8::from(!shape.is_empty())];
    space.extend(shape.iter().flat_map(|&length| (length as u64).to_le_bytes()));
    let mut messages = Vec::new();
    append(&mut messages, message::DATASPACE, &space)?;
    append(&mut messages, message::DATATYPE, kind)?;
    append(&mut messages, message::FILL_VALUE, &[3, 0x0a])?;
    append(&mut messages, message::LAYOUT, &[[3, 1].as_slice(), &address, &length].concat())?;
    header(file, &messages)
}

/// Section "The Attribute Message", version 3: a single text of a fixed length, which every reader takes.
fn attribute(name: &str, text: &str) -> Vec<u8> {
    // Class 3, version 1; ends with a zero byte; UTF-8.
    let kind = [[0x13, 0x10, 0, 0], (text.len() as u32 + 1).to_le_bytes()].concat();
    let space = [2, 0, 0, 0];
    let mut body = vec![3, 0];
    for length in [name.len() + 1, kind.len(), space.len()] {
        body.extend((length as u16).to_le_bytes()); // A longer name does not fit in a message at all.
    }
    body.push(1); // The name is UTF-8.
    body.extend([name.as_bytes(), &[0], &kind, &space, text.as_bytes(), &[0]].concat());
    body
}

/// Adds a message to those of an object header.
fn append(messages: &mut Vec<u8>, kind: u16, body: &[u8]) -> Result<()> {
    let long = || refused(format!("takes {} bytes of a header; 65535 fit", body.len()));
    let length = u16::try_from(body.len()).map_err(|_| long())?.to_le_bytes();
    let constant = u8::from(kind == message::DATATYPE); // A type never changes.
    messages.extend([&[kind as u8], length.as_slice(), &[constant], body].concat());
    Ok(())
}

/// Section "Version 2 Data Object Header Prefix": all messages in one block, whose size takes 4 bytes.
fn header(file: &mut Vec<u8>, messages: &[u8]) -> Result<u64> {
    let size = u32::try_from(messages.len()).map_err(|_| refused("has more links than a header holds"))?;
    let mut header = [b"OHDR".as_slice(), &[2, 2], &size.to_le_bytes(), messages].concat();
    header.extend(checksum(&header).to_le_bytes());
    Ok(put(file, &header))
}

fn refused(found: impl Into<String>) -> Fault {
    Fault { found: found.into(), remedy: "shorten or rename it; HDF5 has no place for it as it is" }
}
