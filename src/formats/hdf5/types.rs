//! The shapes and types of datasets and attributes.

use super::Result;
use super::cursor::Cursor;

/// The length of each axis, none for a single element; their product is a number too. What holds no
/// element at all has one axis of length 0. Section "The Dataspace Message".
pub fn shape(mut body: Cursor) -> Result<Vec<usize>> {
    let version = body.version(1..=2)?;
    let (rank, _flags, kind) = (body.uint(1)?, body.uint(1)?, body.uint(1)?);
    body.skip_if(version == 1, 4)?;
    let shape = (0..rank).map(|_| body.uint(8)).collect::<Result<Vec<_>>>()?;
    match product(&shape) {
        _ if version == 2 && kind == 2 => Ok(vec![0]),
        None => Err(body.damaged(format!("declares the impossible shape {shape:?}"))),
        Some(_) => Ok(shape),
    }
}

pub fn product(factors: &[usize]) -> Option<usize> {
    factors.iter().try_fold(1_usize, |product, &factor| product.checked_mul(factor))
}

/// Section "The Datatype Message".
pub enum Type {
    Number(Number),
    /// Texts of so many bytes, filled up with zeros or, if so, with blanks.
    FixedText(usize, bool),
    /// References to texts in global heaps.
    VariableText,
    /// So many uninterpreted bytes.
    Opaque(usize),
    Other,
}

/// A type of number, at most 8 bytes wide.
#[derive(Clone, Copy)]
pub struct Number {
    pub size: usize,
    big_endian: bool,
    /// The number that the bits stand for exactly; integers beyond 2⁵³ are rounded.
    decode: fn(u64) -> f64,
}

impl Type {
    pub fn read(mut body: Cursor) -> Result<Type> {
        let (class, flags, size) = (body.uint(1)? & 15, body.uint(3)?, body.uint(4)?);
        let (big_endian, signed, normalized, sign) =
            (flags & 1 == 1, flags & 8 == 8, flags & 0x70 == 0x20, flags >> 8);
        // The first bit and the number of bits in 2 bytes each; of a float, the place and the width
        // of the exponent, those of the fraction, and in 4 bytes the exponent's bias.
        let decode: fn(u64) -> f64 = match (class, size, body.rest) {
            (_, 0, _) => return Err(body.damaged("declares elements of no bytes")),
            (0, 1, [0, 0, 8, 0, ..]) if signed => |bits| f64::from(bits as i8),
            (0, 2, [0, 0, 16, 0, ..]) if signed => |bits| f64::from(bits as i16),
            (0, 4, [0, 0, 32, 0, ..]) if signed => |bits| f64::from(bits as i32),
            (0, 8, [0, 0, 64, 0, ..]) if signed => |bits| bits as i64 as f64,
            (0, 1..=8, [0, 0, bits, 0, ..]) if !signed && usize::from(*bits) == 8 * size => {
                |bits| bits as f64
            }
            (1, 2, [0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0, ..]) if normalized && sign == 15 => {
                float16
            }
            (1, 4, [0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0, ..]) if normalized && sign == 31 => {
                float32
            }
            (1, 8, [0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0, ..]) if normalized && sign == 63 => {
                f64::from_bits
            }
            (3, ..) => return Ok(Type::FixedText(size, flags & 15 == 2)),
            (5, ..) => return Ok(Type::Opaque(size)),
            (9, ..) if flags & 15 == 1 => return Ok(Type::VariableText),
            _ => return Ok(Type::Other),
        };
        Ok(Type::Number(Number { size, big_endian, decode }))
    }
}

impl Number {
    /// The upper half of a float of 32 bits.
    pub const BFLOAT16: Number =
        Number { size: 2, big_endian: false, decode: |bits| float32(bits << 16) };

    pub fn real(self, bytes: &[u8]) -> f64 {
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        (self.decode)(if self.big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        })
    }
}

fn float32(bits: u64) -> f64 {
    f64::from(f32::from_bits(bits as u32))
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
