//! Numbers in the bytes of a file: HDF5's, and those of other formats.

/// A type of number, at most 8 bytes wide.
#[derive(Clone, Copy)]
pub struct Number {
    pub size: usize,
    is_big_endian: bool,
    /// Exact value of the bits, except that integers beyond 2⁵³ are rounded.
    decode: fn(u64) -> f64,
}

impl Number {
    pub const FLOAT16: Number = Number::new(2, float16);
    pub const FLOAT32: Number = Number::new(4, float32);
    pub const FLOAT64: Number = Number::new(8, f64::from_bits);
    /// Upper half of a 32-bit float.
    pub const BFLOAT16: Number = Number::new(2, |bits| float32(bits << 16));
    /// One byte: false if it is 0, else true.
    pub const BOOL: Number = Number::new(1, |bits| f64::from(u8::from(bits != 0)));

    const fn new(size: usize, decode: fn(u64) -> f64) -> Number {
        Number { size, is_big_endian: false, decode }
    }

    /// Integers from 0, of 1 to 8 bytes.
    pub const fn unsigned(size: usize) -> Number {
        Number::new(size, |bits| bits as f64)
    }

    /// Integers in two's complement, of 1, 2, 4 or 8 bytes.
    pub fn signed(size: usize) -> Option<Number> {
        let decode: fn(u64) -> f64 = match size {
            1 => |bits| f64::from(bits as i8),
            2 => |bits| f64::from(bits as i16),
            4 => |bits| f64::from(bits as i32),
            8 => |bits| bits as i64 as f64,
            _ => return None,
        };
        Some(Number::new(size, decode))
    }

    /// The same numbers in this byte order.
    pub fn in_order(self, is_big_endian: bool) -> Number {
        Number { is_big_endian, ..self }
    }

    /// The number that these bytes hold.
    pub fn value(self, bytes: &[u8]) -> f64 {
        let push = |bits: u64, &byte: &u8| bits << 8 | u64::from(byte);
        let bits = if self.is_big_endian {
            bytes.iter().fold(0, push)
        } else {
            bytes.iter().rev().fold(0, push)
        };
        (self.decode)(bits)
    }
}

fn float32(bits: u64) -> f64 {
    f64::from(f32::from_bits(bits as u32))
}

/// The value of a 16-bit float of IEEE 754, exact.
fn float16(bits: u64) -> f64 {
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
