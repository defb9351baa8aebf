//! Shapes and types of datasets and attributes.

use super::Result;
use super::cursor::Cursor;

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

/// A type of number, at most 8 bytes wide.
#[derive(Clone, Copy)]
pub struct Number {
    pub size: usize,
    big_endian: bool,
    /// Exact value of the bits, except that integers beyond 2⁵³ are rounded.
    decode: Decode,
}

type Decode = fn(u64) -> f64;

/// A floating-point type as the message describes it.
struct Float {
    size: usize,
    /// Bit of the sign.
    sign: usize,
    /// In 2 bytes each, the first bit and the number of bits; in 1 byte each, place and width of
    /// the exponent, place and width of the fraction; in 4 bytes, the exponent's bias.
    bits: [u8; 12],
    decode: Decode,
}

#[rustfmt::skip]
const FLOATS: [Float; 3] = [
    Float { size: 2, sign: 15, bits: [0, 0, 16, 0, 10,  5, 0, 10,  15, 0, 0, 0], decode: float16 },
    Float { size: 4, sign: 31, bits: [0, 0, 32, 0, 23,  8, 0, 23, 127, 0, 0, 0], decode: float32 },
    Float { size: 8, sign: 63, bits: [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0], decode: float64 },
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
        let decode = match class {
            0 => decode_integer(size, flags & 8 != 0, layout),
            1 => decode_float(size, flags, layout),
            3 => return Ok(Type::FixedString { size, space_padded: flags & 15 == 2 }),
            5 => return Ok(Type::Opaque { size }),
            9 if flags & 15 == 1 => return Ok(Type::VariableString),
            _ => None,
        };
        let big_endian = flags & 1 == 1;
        Ok(match decode {
            Some(decode) => Type::Number(Number { size, big_endian, decode }),
            None => Type::Other,
        })
    }
}

/// Integers that use all bits of their bytes. The layout is the first bit and the number of bits,
/// in 2 bytes each.
fn decode_integer(size: usize, is_signed: bool, layout: &[u8]) -> Option<Decode> {
    let [0, 0, n_bits, 0, ..] = layout else { return None };
    if usize::from(*n_bits) != 8 * size {
        return None;
    }
    match (is_signed, size) {
        (false, 1..=8) => Some(|bits| bits as f64),
        (true, 1) => Some(|bits| f64::from(bits as i8)),
        (true, 2) => Some(|bits| f64::from(bits as i16)),
        (true, 4) => Some(|bits| f64::from(bits as i32)),
        (true, 8) => Some(|bits| bits as i64 as f64),
        _ => None,
    }
}

fn decode_float(size: usize, flags: usize, layout: &[u8]) -> Option<Decode> {
    // The leading bit of the fraction is implied, and the byte order is not VAX's.
    if flags & 0x70 != 0x20 {
        return None;
    }
    let is_this = |float: &&Float| {
        float.size == size && float.sign == flags >> 8 && layout.starts_with(&float.bits)
    };
    FLOATS.iter().find(is_this).map(|float| float.decode)
}

impl Number {
    /// Keras's bfloat16.
    pub const BFLOAT16: Number = Number { size: 2, big_endian: false, decode: bfloat16 };

    /// The number that these bytes hold.
    pub fn value(self, bytes: &[u8]) -> f64 {
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        };
        (self.decode)(bits)
    }
}

fn float64(bits: u64) -> f64 {
    f64::from_bits(bits)
}

fn float32(bits: u64) -> f64 {
    f64::from(f32::from_bits(bits as u32))
}

/// The value of a bfloat16: the upper half of a 32-bit float.
pub fn bfloat16(bits: u64) -> f64 {
    float32(bits << 16)
}

/// The value of a 16-bit float of IEEE 754, exact.
pub fn float16(bits: u64) -> f64 {
    let exponent = (bits >> 10 & 31) as i32;
    let fraction = (bits & 1023) as f64;
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 0 { magnitude } else { -magnitude }
}
