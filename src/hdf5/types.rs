//! Shapes and types of datasets and attributes.

use super::Result;
use super::cursor::Cursor;
use super::numbers::Number;

/// The length of each axis, none for a scalar; their product fits `usize`. A null dataspace, which
/// has no element, has one axis of length 0. Section "The Dataspace Message".
pub fn shape(mut body: Cursor) -> Result<Vec<usize>> {
    let version = body.version(1..=2)?;
    let rank = body.uint(1)?;
    body.bytes(1)?; // Flags.
    let kind = body.uint(1)?;
    body.skip_if(version == 1, 4)?;
    let shape = (0..rank).map(|_| body.uint(8)).collect::<Result<Vec<_>>>()?;
    if version == 2 && kind == 2 {
        return Ok(vec![0]);
    }
    if product(&shape).is_none() {
        return Err(body.damaged(format!("declares the impossible shape {shape:?}")));
    }
    Ok(shape)
}

/// The product, if it fits `usize`.
pub fn product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor))
}

/// Section "The Datatype Message".
pub enum Type {
    Number(Number),
    /// Strings of `size` bytes, padded with spaces or with zeros.
    FixedString {
        size: usize,
        space_padded: bool,
    },
    /// References to strings in global heaps.
    VariableString,
    /// Uninterpreted bytes.
    Opaque {
        size: usize,
    },
    Other,
}

/// A floating-point type as the message describes it.
struct Float {
    /// Bit of the sign.
    sign: usize,
    /// In 2 bytes each, the first bit and the number of bits; in 1 byte each, place and width of
    /// the exponent, place and width of the fraction; in 4 bytes, the exponent's bias.
    bits: [u8; 12],
    number: Number,
}

#[rustfmt::skip]
const FLOATS: [Float; 3] = [
    Float { sign: 15, bits: [0, 0, 16, 0, 10,  5, 0, 10,  15, 0, 0, 0], number: Number::FLOAT16 },
    Float { sign: 31, bits: [0, 0, 32, 0, 23,  8, 0, 23, 127, 0, 0, 0], number: Number::FLOAT32 },
    Float { sign: 63, bits: [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0], number: Number::FLOAT64 },
];

impl Type {
    pub fn read(mut body: Cursor) -> Result<Type> {
        let class = body.uint(1)? & 15;
        let flags = body.uint(3)?;
        let size = body.uint(4)?;
        let layout = body.rest;
        if size == 0 {
            return Err(body.damaged("declares elements of no bytes"));
        }
        let number = match class {
            0 => integer(size, flags & 8 != 0, layout),
            1 => float(size, flags, layout),
            3 => return Ok(Type::FixedString { size, space_padded: flags & 15 == 2 }),
            5 => return Ok(Type::Opaque { size }),
            9 if flags & 15 == 1 => return Ok(Type::VariableString),
            _ => None,
        };
        Ok(match number {
            Some(number) => Type::Number(number.in_order(flags & 1 == 1)),
            None => Type::Other,
        })
    }
}

/// Integers that use all bits of their bytes. The layout is the first bit and the number of bits,
/// in 2 bytes each.
fn integer(size: usize, is_signed: bool, layout: &[u8]) -> Option<Number> {
    let [0, 0, n_bits, 0, ..] = layout else { return None };
    if usize::from(*n_bits) != 8 * size {
        return None;
    }
    match size {
        1..=8 if !is_signed => Some(Number::unsigned(size)),
        _ => Number::signed(size),
    }
}

fn float(size: usize, flags: usize, layout: &[u8]) -> Option<Number> {
    // The leading bit of the fraction is implied, and the byte order is not VAX's.
    if flags & 0x70 != 0x20 {
        return None;
    }
    let is_this = |float: &&Float| {
        float.number.size == size && float.sign == flags >> 8 && layout.starts_with(&float.bits)
    };
    FLOATS.iter().find(is_this).map(|float| float.number)
}
