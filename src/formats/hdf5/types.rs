//! The shapes and types of datasets and attributes, and the texts of attributes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::cursor::{Cursor, Source};
use super::{Fault, Result};

/// Section "The Dataspace Message".
#[derive(Debug, Clone)]
pub struct Space {
    pub shape: Vec<usize>,
    pub elements: usize,
}

impl Space {
    pub fn read(mut body: Cursor) -> Result<Space> {
        let version = body.version(1..=2)?;
        let (rank, _flags, kind) = (body.size(1)?, body.u8()?, body.u8()?);
        body.bytes(if version == 1 { 4 } else { 0 })?;
        let shape = (0..rank).map(|_| body.size(8)).collect::<Result<Vec<usize>>>()?;
        let elements = if version == 2 && kind == 2 { Some(0) } else { product(&shape) };
        let elements = elements.ok_or_else(|| body.damaged(&format!("declares the impossible shape {shape:?}")))?;
        Ok(Space { shape, elements })
    }
}

pub fn product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor))
}

/// A type of number, at most 8 bytes wide.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Number {
    pub size: usize,
    big_endian: bool,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Form {
    Signed,
    Unsigned,
    Float16,
    BFloat16,
    Float32,
    Float64,
}

impl Number {
    pub const BFLOAT16: Number = Number { size: 2, big_endian: false, form: Form::BFloat16 };

    /// The number that `bytes` hold exactly; integers beyond 2⁵³ are rounded.
    pub fn real(self, bytes: &[u8]) -> f64 {
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = if self.big_endian { bytes.iter().fold(0, push) } else { bytes.iter().rev().fold(0, push) };
        let unused = 64 - 8 * self.size as u32;
        match self.form {
            Form::Signed => ((bits << unused) as i64 >> unused) as f64,
            Form::Unsigned => bits as f64,
            Form::Float16 => float16(bits),
            Form::BFloat16 => f64::from(f32::from_bits((bits as u32) << 16)),
            Form::Float32 => f64::from(f32::from_bits(bits as u32)),
            Form::Float64 => f64::from_bits(bits),
        }
    }
}

fn float16(bits: u64) -> f64 {
    let (exponent, fraction) = ((bits >> 10 & 31) as i32, (bits & 1023) as f64);
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}

/// Section "The Datatype Message".
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    Number(Number),
    /// Texts of a fixed number of bytes, filled up with zeros or with blanks.
    FixedText {
        size: usize,
        blanks: bool,
    },
    /// References to texts in global heaps.
    VariableText,
    /// Uninterpreted bytes.
    Opaque(usize),
    /// Everything else: its class.
    Other(u8),
}

impl Type {
    pub fn read(mut body: Cursor) -> Result<Type> {
        let (class, flags) = (body.u8()? & 15, body.uint(3)?);
        let size = body.size(4)?;
        if size == 0 {
            return Err(body.damaged("declares elements of no bytes"));
        }
        let form = match class {
            0 => match (body.size(2)?, body.size(2)?) {
                (0, precision) if size <= 8 && precision == 8 * size => {
                    Some(if flags & 8 == 0 { Form::Unsigned } else { Form::Signed })
                }
                _ => None,
            },
            1 => {
                let (offset, precision) = (body.u16()?, body.u16()?);
                let fields = [body.u8()?, body.u8()?, body.u8()?, body.u8()?];
                // The place and width of the exponent, those of the fraction, and the exponent's bias.
                let form = match (size, fields, body.u32()?) {
                    (2, [10, 5, 0, 10], 15) => Some(Form::Float16),
                    (4, [23, 8, 0, 23], 127) => Some(Form::Float32),
                    (8, [52, 11, 0, 52], 1023) => Some(Form::Float64),
                    _ => None,
                };
                // Little- or big-endian, an implied leading one, the sign in the highest bit.
                let usual = flags & 0x70 == 0x20 && flags >> 8 == 8 * size as u64 - 1;
                form.filter(|_| usual && offset == 0 && usize::from(precision) == 8 * size)
            }
            3 => return Ok(Type::FixedText { size, blanks: flags & 15 == 2 }),
            5 => return Ok(Type::Opaque(size)),
            9 if flags & 15 == 1 => return Ok(Type::VariableText),
            _ => None,
        };
        Ok(form.map_or(Type::Other(class), |form| Type::Number(Number { size, big_endian: flags & 1 == 1, form })))
    }

    /// The texts of an attribute of this type, which come next in `body`.
    pub fn texts(self, source: &Source, space: &Space, mut body: Cursor) -> Result<Vec<String>> {
        let mut heaps = BTreeMap::new();
        let mut text = || {
            let bytes = match self {
                Type::FixedText { size, blanks: false } => until_zero(body.bytes(size)?),
                Type::FixedText { size, blanks: true } => body.bytes(size)?.trim_ascii_end(),
                Type::VariableText => heap_text(source, &mut heaps, body.part(16)?)?,
                _ => return Err(Fault::other("is no text, and a text is expected")),
            };
            let text = std::str::from_utf8(bytes).map_err(|_| body.damaged("holds text that is not UTF-8"))?;
            Ok(text.to_owned())
        };
        (0..space.elements).map(|_| text()).collect()
    }
}

fn until_zero(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// The texts of global heaps by the address of the heap and their index; a heap is read when it is first needed.
type Heaps<'a> = BTreeMap<u64, BTreeMap<u32, &'a [u8]>>;

/// The text that the 16 bytes of a reference lead to.
fn heap_text<'a>(source: &Source<'a>, heaps: &mut Heaps<'a>, mut reference: Cursor) -> Result<&'a [u8]> {
    let (length, address, index) = (reference.size(4)?, reference.uint(8)?, reference.u32()?);
    if address == 0 || length == 0 {
        return Ok(&[]); // How an empty text is stored.
    }
    let heap = match heaps.entry(address) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => entry.insert(global_heap(source, address)?),
    };
    let text = heap.get(&index).and_then(|object| object.get(..length));
    let text =
        text.ok_or_else(|| reference.damaged(&format!("wants text {index} of the heap at {address}: none such")))?;
    source.charge(length, &reference)?;
    Ok(until_zero(text))
}

/// Section "Global Heap".
fn global_heap<'a>(source: &Source<'a>, address: u64) -> Result<BTreeMap<u32, &'a [u8]>> {
    let mut head = source.from(address, "global heap")?;
    head.letters(b"GCOL")?;
    head.version(1..=1)?;
    head.bytes(3)?;
    let size = head.size(8)?;
    let mut heap = source.take(address, size, "global heap")?;
    heap.bytes(16)?;
    let mut objects = BTreeMap::new();
    while heap.rest.len() >= 16 {
        let (index, _references) = (heap.u16()?, heap.uint(6)?);
        let length = heap.size(8)?;
        if index == 0 {
            break; // The free space at the end.
        }
        objects.insert(u32::from(index), heap.bytes(length)?);
        heap.bytes((length.next_multiple_of(8) - length).min(heap.rest.len()))?;
    }
    Ok(objects)
}
