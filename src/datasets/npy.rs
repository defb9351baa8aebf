//! One array in NumPy's format, `.npy`: its header, and its numbers converted to the types that are
//! used here.
//!
//! `ndarray-npy` decodes headers and numbers, but it would allocate whatever a header claims, and
//! its parser of headers recurses and can panic. So the text of a header is first checked against
//! the few characters that a plain array needs, and its shape against the size of the archive's
//! member. The numbers are then read and converted piece by piece: memory grows with what the file
//! really contains, and no array is held twice.

use std::io::{self, Chain, Cursor, Read};

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadableElement, npy::header::Header};

use super::Inputs;
use super::npz::{damaged, wrong};
use crate::hdf5::{bfloat16, float16};
use crate::{Error, Real, Result};

/// Longest header that is read. NumPy writes 128 bytes, and longer headers only for structured
/// arrays, which are not supported.
const MAX_HEADER: u64 = 4096;
/// Labels are below this: `f32` represents every smaller integer.
const MAX_LABELS: u32 = 1 << 24;
/// Numbers that are decoded at a time.
const PIECE: usize = 1 << 16;

/// Array in a file or an archive, with a reader at its first number.
pub(super) struct Member<R> {
    pub header: Header,
    /// NumPy's name of the type, without the byte order: `u1`, `f4`.
    dtype: String,
    /// Number of bytes after the header, as the archive says.
    size: u64,
    numbers: Chain<Cursor<Vec<u8>>, R>,
}

/// Reads `$member` as the type that its header names, and converts each number with `$convert`.
macro_rules! read_as {
    ($member:ident, |$number:ident| $convert:expr, $($dtype:literal: $type:ty),+) => {
        match $member.dtype.as_str() {
            $($dtype => $member.read(|$number: $type| $convert),)+
            _ => Err(wrong(format!(
                "the type {} is not supported: booleans, integers and floats are; text and Python \
                 objects are not",
                $member.header.type_descriptor
            ))),
        }
    };
}

impl<R: Read> Member<R> {
    /// Reads the header of an array of `size` bytes, header included.
    pub fn new(mut file: R, size: u64) -> Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(MAX_HEADER).read_to_end(&mut start).map_err(damaged)?;
        let (header, end) = parse_header(&start)?;
        let dtype = header.type_descriptor.as_string().map_or("", |dtype| dtype.as_str());
        let dtype = dtype.trim_start_matches(['<', '>', '|']).to_string();
        let numbers = Cursor::new(start.split_off(end)).chain(file);
        Ok(Member { header, dtype, size: size.saturating_sub(end as u64), numbers })
    }

    /// Number of rows.
    ///
    /// # Errors
    /// A single number, which has none.
    pub fn rows(&self) -> Result<usize> {
        let rows = self.header.shape.first().copied();
        rows.ok_or_else(|| wrong("it is a single number, where rows are expected"))
    }

    /// Inputs: bytes stay bytes, other numbers become [`Real`].
    pub fn inputs(self) -> Result<Inputs> {
        self.rows()?;
        if self.dtype == "u1" {
            self.read(Ok).map(Inputs::bytes)
        } else {
            self.reals().map(Inputs::Reals)
        }
    }

    /// True if the numbers are floats.
    pub fn has_floats(&self) -> bool {
        self.dtype.starts_with(['f', 'V'])
    }

    /// Integers that can be labels. `None` if one of them is negative or not below 2²⁴; the rest is
    /// then not read.
    pub fn labels(self) -> Result<Option<ArrayD<u32>>> {
        let labels = read_as!(self, |number| label(number.into()),
            "b1": bool, "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64);
        match labels {
            Ok(labels) => Ok(Some(labels)),
            Err(Error::Data(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Numbers of any type. Integers beyond 2²⁴ are rounded, as in Keras.
    pub fn reals(self) -> Result<ArrayD<Real>> {
        if self.dtype == "b1" {
            return self.read(|number: bool| Ok(Real::from(u8::from(number))));
        }
        if self.dtype == "f2" {
            return self.read_16_bits(float16);
        }
        // NumPy has no name for bfloat16, so files call it two bytes of anything.
        if self.dtype == "V2" {
            return self.read_16_bits(bfloat16);
        }
        read_as!(self, |number| Ok(number as Real), "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64, "f4": f32, "f8": f64)
    }

    /// Decodes floats of 16 bits.
    fn read_16_bits(mut self, convert: fn(u64) -> f64) -> Result<ArrayD<Real>> {
        let descriptor = self.header.type_descriptor.to_string();
        let bits = if descriptor.contains('>') { "'>u2'" } else { "'<u2'" };
        self.header.type_descriptor =
            bits.parse().map_err(|_| wrong(format!("the type {descriptor} is not supported")))?;
        self.read(|number: u16| Ok(convert(number.into()) as Real))
    }

    /// Decodes the numbers and converts them.
    fn read<T: ReadableElement, U: Clone>(
        mut self,
        convert: impl Fn(T) -> Result<U>,
    ) -> Result<ArrayD<U>> {
        let len = self.len(size_of::<T>())?;
        let is_fortran = self.header.layout.is_fortran();
        let mut values: Vec<U> = Vec::new();
        while values.len() < len {
            let count = (len - values.len()).min(PIECE);
            let bytes = self.numbers.by_ref().take((count * size_of::<T>()) as u64);
            let piece = T::read_to_end_exact_vec(bytes, &self.header.type_descriptor, count)
                .map_err(damaged)?;
            values.try_reserve(count).map_err(|_| wrong("out of memory"))?;
            for number in piece {
                values.push(convert(number)?);
            }
        }
        // The zip reader compares the checksum at the end of the member, so read on to the end.
        io::copy(&mut self.numbers.take(1), &mut io::sink()).map_err(damaged)?;
        values.shrink_to_fit();
        let shape = IxDyn(&self.header.shape).set_f(is_fortran);
        let array =
            ArrayD::from_shape_vec(shape, values).map_err(|error| wrong(error.to_string()))?;
        Ok(if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() })
    }

    /// Number of values, each of `width` bytes; the shape must agree with the size in bytes.
    fn len(&self, width: usize) -> Result<usize> {
        let shape = &self.header.shape;
        let bytes = shape.iter().try_fold(width, |bytes, &axis| bytes.checked_mul(axis));
        match bytes {
            Some(0) => Err(wrong(format!("its shape {shape:?} leaves it empty"))),
            Some(bytes) if bytes as u64 == self.size => Ok(bytes / width),
            _ => Err(wrong(format!(
                "its shape {shape:?} does not agree with its {} bytes",
                self.size
            ))),
        }
    }
}

fn label(number: i128) -> Result<u32> {
    match u32::try_from(number) {
        Ok(label) if label < MAX_LABELS => Ok(label),
        _ => Err(Error::Data(format!("{number} is not a label"))),
    }
}

/// Parses the header at the start of a member; returns it and the position of the first number.
fn parse_header(start: &[u8]) -> Result<(Header, usize)> {
    let (text, length) = match start.get(6..12) {
        Some(&[1, _, a, b, ..]) => (10, u16::from_le_bytes([a, b]).into()),
        Some(&[_, _, a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err(wrong("it is not a .npy array: it ends within its header")),
    };
    let end = length.saturating_add(text);
    if !start.get(text..end).is_some_and(is_plain) {
        return Err(wrong(
            "it is not a .npy array of plain numbers: its header is too long or describes \
             something else",
        ));
    }
    let header = Header::from_reader(&mut &*start)
        .map_err(|error| wrong(format!("it is not a .npy array ({error})")))?;
    Ok((header, end))
}

/// True if the text of a header is safe for the parser. One dictionary and one tuple open a
/// bracket each; deeper nesting would exhaust the parser's stack.
fn is_plain(text: &[u8]) -> bool {
    let n_open = text.iter().filter(|byte| b"{(".contains(byte)).count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"{(,:)} '\"<>|_\n".contains(byte);
    n_open < 3 && text.iter().all(allowed)
}
