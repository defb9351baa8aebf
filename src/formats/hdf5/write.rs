//! Files in the plainest new form: superblock 2, object headers 2, link messages, contiguous
//! numbers.
//!
//! **Decision.** Keras itself writes the old form (superblock 0, symbol tables); Keras 3.1 to 3.15
//! and every h5py read both, and the new form needs no heap and no B-tree. **Rejected:** the old
//! form, whose sorted symbol tables, local heap and B-tree take several times the code.

use std::collections::BTreeMap;

use super::cursor::checksum;
use super::header::message;
use super::types::product;
use super::{Fault, Result, SIGNATURE};

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

/// Types of numbers (section "The Datatype Message"): class and version, flags, size, and for
/// floats the places and widths of sign, exponent and fraction.
const FLOAT32: &[u8] = &[0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
const INTEGER64: &[u8] = &[0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0];

/// The bytes of an HDF5 file with `root` as its root group. A tree is as deep as the caller makes
/// it.
pub fn write(root: &Tree) -> Result<Vec<u8>> {
    let mut file = vec![0; 48];
    let root = tree(&mut file, root, "/")?;
    // Section "Format Signature and Superblock": version 2, addresses and lengths of 8 bytes.
    let end = (file.len() as u64).to_le_bytes();
    let mut superblock =
        [SIGNATURE, [2, 8, 8, 0].as_slice(), &[0; 8], &NOWHERE, &end, &root].concat();
    superblock.extend(checksum(&superblock).to_le_bytes());
    file.splice(..48, superblock);
    Ok(file)
}

/// Appends a structure where its address is a multiple of 8, and tells that address.
fn put(file: &mut Vec<u8>, bytes: &[u8]) -> [u8; 8] {
    file.resize(file.len().next_multiple_of(8), 0);
    let address = file.len() as u64;
    file.extend(bytes);
    address.to_le_bytes()
}

fn tree(file: &mut Vec<u8>, tree: &Tree, path: &str) -> Result<[u8; 8]> {
    // Sections "The Link Info Message" and "The Group Info Message": no dense storage, all
    // defaults.
    let mut messages = Vec::new();
    append(&mut messages, message::LINK_INFO, &[&[0; 2], &NOWHERE, &NOWHERE])?;
    append(&mut messages, message::GROUP_INFO, &[&[0; 2]])?;
    for (name, child) in &tree.children {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        if name.is_empty() || name.contains(['/', '\0']) {
            return Err(
                refused("a name cannot be empty or hold a slash or a zero byte").within(&path)
            );
        }
        let (length, address) = ((name.len() as u16).to_le_bytes(), node(file, child, &path)?);
        append(&mut messages, message::LINK, &[&[1, 1], &length, name.as_bytes(), &address])
            .map_err(|fault| fault.within(&path))?;
    }
    for (name, text) in &tree.attributes {
        // Section "The Attribute Message", version 3: names in UTF-8, and one text of a fixed
        // length, which every reader takes: type class 3, version 1, in UTF-8. Both end with a zero
        // byte. A longer name does not fit at all.
        let (name_length, length) =
            (((name.len() + 1) as u16).to_le_bytes(), ((text.len() + 1) as u32).to_le_bytes());
        let lengths = [&[3, 0], &name_length, [8, 0, 4, 0].as_slice(), &[1]].concat();
        let parts = [
            &lengths,
            name.as_bytes(),
            &[0],
            &[0x13, 0x10, 0, 0],
            &length,
            &[2, 0, 0, 0],
            text.as_bytes(),
            &[0],
        ];
        append(&mut messages, message::ATTRIBUTE, &parts).map_err(|fault| fault.within(path))?;
    }
    header(file, &messages).map_err(|fault| fault.within(path))
}

fn node(file: &mut Vec<u8>, node: &Node, path: &str) -> Result<[u8; 8]> {
    let (kind, shape, count, bytes) = match node {
        Node::Tree(child) => return tree(file, child, path),
        Node::Reals { shape, data } => (
            FLOAT32,
            &shape[..],
            data.len(),
            data.iter().flat_map(|number| number.to_le_bytes()).collect(),
        ),
        Node::Integer(number) => (INTEGER64, &[][..], 1, number.to_le_bytes().to_vec()),
    };
    if product(shape) != Some(count) || shape.len() > 32 {
        return Err(
            refused(format!("the shape {shape:?} does not hold {count} numbers")).within(path)
        );
    }
    let address = if bytes.is_empty() { NOWHERE } else { put(file, &bytes) };
    let axes: Vec<u8> = shape.iter().flat_map(|&length| (length as u64).to_le_bytes()).collect();
    let mut messages = Vec::new();
    // Section "The Dataspace Message": version 2, a single element or an array.
    append(
        &mut messages,
        message::DATASPACE,
        &[&[2, shape.len() as u8, 0, u8::from(!shape.is_empty())], &axes],
    )?;
    append(&mut messages, message::DATATYPE, &[kind])?;
    append(&mut messages, message::FILL_VALUE, &[&[3, 0x0a]])?;
    append(
        &mut messages,
        message::LAYOUT,
        &[&[3, 1], &address, &(bytes.len() as u64).to_le_bytes()],
    )?;
    header(file, &messages)
}

/// Adds a message to those of an object header.
fn append(messages: &mut Vec<u8>, kind: usize, body: &[&[u8]]) -> Result<()> {
    let body = body.concat();
    let long = |_| refused(format!("takes {} bytes of a header; 65535 fit", body.len()));
    let length = u16::try_from(body.len()).map_err(long)?.to_le_bytes();
    let constant = u8::from(kind == message::DATATYPE); // A type never changes.
    messages.extend([&[kind as u8], length.as_slice(), &[constant], &body].concat());
    Ok(())
}

/// Section "Version 2 Data Object Header Prefix": all messages in one block, whose size takes 4
/// bytes.
fn header(file: &mut Vec<u8>, messages: &[u8]) -> Result<[u8; 8]> {
    let size =
        u32::try_from(messages.len()).map_err(|_| refused("has more links than a header holds"))?;
    let mut header = [b"OHDR".as_slice(), &[2, 2], &size.to_le_bytes(), messages].concat();
    header.extend(checksum(&header).to_le_bytes());
    Ok(put(file, &header))
}

fn refused(found: impl Into<String>) -> Fault {
    Fault { found: found.into(), remedy: "shorten or rename it; HDF5 has no place for it as it is" }
}
