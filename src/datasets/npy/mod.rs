//! One array in NumPy's format, `.npy`: its header, and its numbers converted to the types that are
//! used here.
//!
//! **Decision.** Headers are parsed here, without recursion, and the shape is checked against the
//! size of the archive's member before anything is allocated. The numbers are read and converted
//! piece by piece: memory grows with what the file really contains, and no array is held twice.
//! **Rejected:** the crate `ndarray-npy` allocates whatever a header claims, its parser of headers
//! recurses and can panic, and it brings 15 crates.

mod header;

use std::io::{self, Chain, Cursor, ErrorKind, Read};

use ndarray::{ArrayD, ArrayViewD, IxDyn, ShapeBuilder};

use self::header::{Header, MAX_HEADER};
use super::Inputs;
use super::npz::{damaged, wrong};
use crate::hdf5::Number;
use crate::{Real, Result};

/// Labels are below this: `f32` represents every smaller integer.
const MAX_LABELS: f64 = (1 << 24) as f64;
/// First characters of a type's name: little, big, the machine's, and of no order.
const BYTE_ORDERS: [char; 4] = ['<', '>', '=', '|'];
/// Numbers that are decoded at a time.
const PIECE: usize = 1 << 16;

/// Array in a file or an archive, with a reader at its first number.
pub(super) struct Member<R> {
    pub header: Header,
    number: Number,
    /// Number of bytes after the header, as the archive says.
    size: u64,
    numbers: Chain<Cursor<Vec<u8>>, R>,
}

/// Encodes an array as a `.npy` file.
pub fn write(array: ArrayViewD<Real>) -> Vec<u8> {
    let mut bytes = Header::of_reals(array.shape());
    bytes.reserve_exact(size_of::<Real>() * array.len());
    for value in array {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

impl<R: Read> Member<R> {
    /// Reads the header of an array of `size` bytes, header included.
    pub fn new(mut file: R, size: u64) -> Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(MAX_HEADER).read_to_end(&mut start).map_err(damaged)?;
        let (header, end) = Header::parse(&start)?;
        let number = number(&header.descr).ok_or_else(|| {
            wrong(format!(
                "the type '{}' is not supported: booleans, integers and floats are; text and \
                 Python objects are not",
                header.descr
            ))
        })?;
        let numbers = Cursor::new(start.split_off(end)).chain(file);
        Ok(Member { header, number, size: size.saturating_sub(end as u64), numbers })
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
        if self.kind() != "u1" {
            return self.reals().map(Inputs::Reals);
        }
        let bytes = self.read(|bytes, values| {
            values.extend_from_slice(bytes);
            Ok(())
        });
        bytes.map(Inputs::bytes)
    }

    /// True if the numbers are floats.
    pub fn has_floats(&self) -> bool {
        self.kind().starts_with(['f', 'V'])
    }

    /// NumPy's name of the type, without the byte order.
    fn kind(&self) -> &str {
        self.header.descr.trim_start_matches(BYTE_ORDERS)
    }

    /// Integers that can be labels. `None` if one of them is negative or not below 2²⁴; the rest is
    /// then not read.
    pub fn labels(self) -> Result<Option<ArrayD<u32>>> {
        let number = self.number;
        let mut are_labels = true;
        let labels = self.read(|bytes, labels| {
            for bytes in bytes.chunks_exact(number.size) {
                let value = number.value(bytes);
                are_labels = (0.0..MAX_LABELS).contains(&value);
                if !are_labels {
                    return Err(wrong(format!("{value} is not a label")));
                }
                labels.push(value as u32);
            }
            Ok(())
        });
        if are_labels { labels.map(Some) } else { Ok(None) }
    }

    /// Numbers of any type. Integers beyond 2²⁴ are rounded, as in Keras.
    pub fn reals(self) -> Result<ArrayD<Real>> {
        let number = self.number;
        if self.header.descr == "<f4" {
            return self.read(|bytes, values| {
                let (numbers, _) = bytes.as_chunks();
                values.extend(numbers.iter().map(|number| f32::from_le_bytes(*number) as Real));
                Ok(())
            });
        }
        self.read(|bytes, values| {
            values.extend(bytes.chunks_exact(number.size).map(|bytes| number.value(bytes) as Real));
            Ok(())
        })
    }

    /// Reads the bytes of the numbers; `decode` appends the values of a piece of them.
    fn read<T>(
        mut self,
        mut decode: impl FnMut(&[u8], &mut Vec<T>) -> Result<()>,
    ) -> Result<ArrayD<T>>
    where
        T: Clone,
    {
        let width = self.number.size;
        let len = self.len(width)?;
        let mut values: Vec<T> = Vec::new();
        let mut piece = vec![0; PIECE.min(len) * width];
        while values.len() < len {
            let count = (len - values.len()).min(PIECE);
            let bytes = &mut piece[..count * width];
            self.numbers.read_exact(bytes).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => damaged("it ends before its last number"),
                _ => damaged(error),
            })?;
            values.try_reserve(count).map_err(|_| wrong("out of memory"))?;
            decode(bytes, &mut values)?;
        }
        // The zip reader compares the checksum at the end of the member, so read on to the end.
        io::copy(&mut self.numbers.take(1), &mut io::sink()).map_err(damaged)?;
        values.shrink_to_fit();
        let shape = IxDyn(&self.header.shape).set_f(self.header.is_fortran);
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

/// The numbers of a NumPy type. `None` for text, objects, dates and complex numbers.
fn number(descr: &str) -> Option<Number> {
    let number = match descr.trim_start_matches(BYTE_ORDERS) {
        "b1" => Number::BOOL,
        "u1" => Number::unsigned(1),
        "u2" => Number::unsigned(2),
        "u4" => Number::unsigned(4),
        "u8" => Number::unsigned(8),
        "i1" => Number::signed(1)?,
        "i2" => Number::signed(2)?,
        "i4" => Number::signed(4)?,
        "i8" => Number::signed(8)?,
        "f2" => Number::FLOAT16,
        "f4" => Number::FLOAT32,
        "f8" => Number::FLOAT64,
        // NumPy has no name for bfloat16, so files call it two bytes of anything.
        "V2" => Number::BFLOAT16,
        _ => return None,
    };
    Some(number.in_order(descr.starts_with('>')))
}
