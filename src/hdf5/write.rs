//! Writer of files in the simplest form of the new format: superblock 2, object headers 2, link
//! messages, contiguous numbers.
//!
//! **Decision.** Keras itself writes the old format (superblock 0, symbol tables); Keras 3.1 to
//! 3.15 and every h5py read both, and the new one needs no heap and no B-tree. **Rejected:** the
//! old format, whose sorted symbol tables, local heap and B-tree take several times the code.

use std::collections::BTreeMap;

use super::cursor::checksum;
use super::header::message;
use super::types::product;
use super::{Error, Result, SIGNATURE};

/// A group to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// Attributes of the group: names and strings.
    pub attributes: Vec<(String, String)>,
    /// Groups and datasets by name.
    pub members: BTreeMap<String, Member>,
}

/// A member of a group to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Member {
    /// A group within the group.
    Group(Group),
    /// A float32 array.
    Floats {
        /// Length of each axis; none for a scalar.
        shape: Vec<usize>,
        /// Values in row-major order, as many as the shape says.
        values: Vec<f32>,
    },
    /// An int64 scalar.
    Integer(i64),
}

/// A dataset as it is stored.
struct Dataset<'d> {
    datatype: &'static [u8],
    shape: &'d [usize],
    n_values: usize,
    bytes: Vec<u8>,
}

/// Address of a structure in the file, as links and headers hold it.
type Address = [u8; 8];

/// The undefined address.
const UNDEFINED: Address = [0xff; 8];

/// Types of numbers (section "The Datatype Message"): class and version, flags, size, and for
/// floats the places and widths of sign, exponent and fraction.
const FLOAT32: &[u8] = &[0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0];
const INTEGER64: &[u8] = &[0x10, 0x08, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0];

/// The bytes of an HDF5 file with this root group. The recursion is as deep as the groups.
///
/// # Errors
/// Names, attributes and shapes that HDF5 cannot hold.
pub fn write(root: &Group) -> Result<Vec<u8>> {
    let mut file = vec![0; 48];
    let root = write_group(&mut file, root, "/")?;
    // Section "Format Signature and Superblock": version 2, addresses and lengths of 8 bytes.
    let end = (file.len() as u64).to_le_bytes();
    let mut superblock =
        [SIGNATURE, [2, 8, 8, 0].as_slice(), &[0; 8], &UNDEFINED, &end, &root].concat();
    superblock.extend(checksum(&superblock).to_le_bytes());
    file.splice(..48, superblock);
    Ok(file)
}

/// Appends a structure at the next multiple of 8, and returns its address.
fn append(file: &mut Vec<u8>, bytes: &[u8]) -> Address {
    file.resize(file.len().next_multiple_of(8), 0);
    let address = file.len() as u64;
    file.extend(bytes);
    address.to_le_bytes()
}

fn write_group(file: &mut Vec<u8>, group: &Group, path: &str) -> Result<Address> {
    // Sections "The Link Info Message" and "The Group Info Message": no dense storage, all
    // defaults.
    let mut messages = Vec::new();
    push_message(&mut messages, message::LINK_INFO, &[&[0; 2], &UNDEFINED, &UNDEFINED])?;
    push_message(&mut messages, message::GROUP_INFO, &[&[0; 2]])?;
    for (name, member) in &group.members {
        let path = format!("{}/{name}", path.trim_end_matches('/'));
        if name.is_empty() || name.contains(['/', '\0']) {
            let problem = "a name cannot be empty or hold a slash or a zero byte";
            return Err(unwritable(problem).within(&path));
        }
        let address = write_member(file, member, &path)?;
        let length = (name.len() as u16).to_le_bytes();
        let link = [&[1, 1], length.as_slice(), name.as_bytes(), &address];
        push_message(&mut messages, message::LINK, &link).map_err(|error| error.within(&path))?;
    }
    for (name, text) in &group.attributes {
        // Section "The Attribute Message", version 3: names in UTF-8, and a string of fixed length,
        // which every reader takes: type class 3, version 1, in UTF-8. Both end with a zero byte.
        // A message cannot hold a name whose length overflows here.
        let name_size = ((name.len() + 1) as u16).to_le_bytes();
        let text_size = ((text.len() + 1) as u32).to_le_bytes();
        let parts = [
            &[3, 0],
            name_size.as_slice(),
            &[8, 0, 4, 0],
            &[1],
            name.as_bytes(),
            &[0],
            &[0x13, 0x10, 0, 0],
            &text_size,
            &[2, 0, 0, 0],
            text.as_bytes(),
            &[0],
        ];
        push_message(&mut messages, message::ATTRIBUTE, &parts)
            .map_err(|error| error.within(path))?;
    }
    write_header(file, &messages).map_err(|error| error.within(path))
}

fn write_member(file: &mut Vec<u8>, member: &Member, path: &str) -> Result<Address> {
    let dataset = match member {
        Member::Group(group) => return write_group(file, group, path),
        Member::Floats { shape, values } => Dataset {
            datatype: FLOAT32,
            shape,
            n_values: values.len(),
            bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        },
        Member::Integer(number) => Dataset {
            datatype: INTEGER64,
            shape: &[],
            n_values: 1,
            bytes: number.to_le_bytes().to_vec(),
        },
    };
    write_dataset(file, &dataset, path)
}

fn write_dataset(file: &mut Vec<u8>, dataset: &Dataset, path: &str) -> Result<Address> {
    let Dataset { datatype, shape, n_values, bytes } = dataset;
    if product(shape) != Some(*n_values) || shape.len() > 32 {
        let problem = format!("the shape {shape:?} does not hold {n_values} numbers");
        return Err(unwritable(problem).within(path));
    }
    let address = if bytes.is_empty() { UNDEFINED } else { append(file, bytes) };
    let length = (bytes.len() as u64).to_le_bytes();
    let axes: Vec<u8> = shape.iter().flat_map(|&axis| (axis as u64).to_le_bytes()).collect();
    // Section "The Dataspace Message": version 2, a scalar or an array.
    let dataspace = [2, shape.len() as u8, 0, u8::from(!shape.is_empty())];
    let mut messages = Vec::new();
    push_message(&mut messages, message::DATASPACE, &[&dataspace, &axes])?;
    push_message(&mut messages, message::DATATYPE, &[datatype])?;
    push_message(&mut messages, message::FILL_VALUE, &[&[3, 0x0a]])?;
    push_message(&mut messages, message::LAYOUT, &[&[3, 1], &address, &length])?;
    write_header(file, &messages)
}

/// Adds a message to those of an object header.
fn push_message(messages: &mut Vec<u8>, kind: usize, parts: &[&[u8]]) -> Result<()> {
    let body = parts.concat();
    let Ok(length) = u16::try_from(body.len()) else {
        return Err(unwritable(format!("takes {} bytes of a header; 65535 fit", body.len())));
    };
    let is_constant = u8::from(kind == message::DATATYPE); // A type never changes.
    messages.push(kind as u8);
    messages.extend(length.to_le_bytes());
    messages.push(is_constant);
    messages.extend(body);
    Ok(())
}

/// Section "Version 2 Data Object Header Prefix": all messages in one block, whose size takes 4
/// bytes.
fn write_header(file: &mut Vec<u8>, messages: &[u8]) -> Result<Address> {
    let Ok(size) = u32::try_from(messages.len()) else {
        return Err(unwritable("has more links than a header holds"));
    };
    let mut header = [b"OHDR".as_slice(), &[2, 2], &size.to_le_bytes(), messages].concat();
    header.extend(checksum(&header).to_le_bytes());
    Ok(append(file, &header))
}

fn unwritable(found: impl Into<String>) -> Error {
    let help = "shorten or rename it; HDF5 has no place for it as it is";
    Error { found: found.into(), help }
}
