//! IDX files of any rank, size and number type, raw or compressed with gzip: own data sets, EMNIST
//! and everything else in MNIST's format. MNIST's own four files are read by
//! [`mnist`](super::mnist).
//!
//! A file is two zero bytes, the number type, the number of axes, their lengths as big-endian
//! 32-bit integers, and the numbers, big-endian too.

mod folder;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use ndarray::{ArrayD, IxDyn};

use super::source::unexpected;
use super::{Dataset, Inputs, Targets};
use crate::shape::Tuple;
use crate::{Error, Real, Result};

const HELP: &str = "replace it by an intact copy; an IDX file is two zero bytes, the number type, \
                    the number of axes, their lengths, and as many numbers";
/// Labels are below this: `f32` represents every smaller integer.
const MAX_LABEL: Real = (1 << 24) as Real;

pub(in crate::datasets) use folder::is_other_set;
pub use folder::{is_in, load};

/// Type of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
enum NumberType {
    U8,
    I8,
    I16,
    I32,
    F32,
    F64,
}

impl NumberType {
    fn from_code(code: u8) -> Option<NumberType> {
        Some(match code {
            0x08 => NumberType::U8,
            0x09 => NumberType::I8,
            0x0b => NumberType::I16,
            0x0c => NumberType::I32,
            0x0d => NumberType::F32,
            0x0e => NumberType::F64,
            _ => return None,
        })
    }

    /// Bytes of a number.
    fn width(self) -> usize {
        match self {
            NumberType::U8 | NumberType::I8 => 1,
            NumberType::I16 => 2,
            NumberType::I32 | NumberType::F32 => 4,
            NumberType::F64 => 8,
        }
    }

    /// All numbers in these bytes.
    fn numbers(self, bytes: &[u8]) -> Vec<Real> {
        match self {
            NumberType::U8 => numbers(bytes, |[byte]| byte.into()),
            NumberType::I8 => numbers(bytes, |[byte]| (byte as i8).into()),
            NumberType::I16 => numbers(bytes, |number| i16::from_be_bytes(number).into()),
            NumberType::I32 => numbers(bytes, |number| i32::from_be_bytes(number) as Real),
            NumberType::F32 => numbers(bytes, |number| f32::from_be_bytes(number) as Real),
            NumberType::F64 => numbers(bytes, |number| f64::from_be_bytes(number) as Real),
        }
    }
}

fn numbers<const N: usize>(bytes: &[u8], parse: fn([u8; N]) -> Real) -> Vec<Real> {
    bytes.as_chunks().0.iter().map(|&number| parse(number)).collect()
}

/// Content of a file.
struct IdxFile {
    kind: NumberType,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// Reads a file of inputs and one of labels.
///
/// # Errors
/// Damaged files, labels with several axes or negative ones, and different numbers of samples.
pub fn load_pair(inputs: &Path, labels: &Path) -> Result<Dataset> {
    let x = read_inputs(inputs)?;
    let y = read_targets(labels)?;
    let (n_inputs, n_labels) = (x.shape()[0], y.shape()[0]);
    if n_inputs != n_labels {
        let found =
            format!("it has {n_labels} labels for the {n_inputs} samples of {}", inputs.display());
        return Err(Error::file(labels, found, "give the two files of one data set"));
    }
    Ok(Dataset { x, y })
}

/// Reads inputs. Bytes stay bytes.
///
/// # Errors
/// Files that cannot be read and damaged ones.
pub fn read_inputs(path: &Path) -> Result<Inputs> {
    let read = || open(path).and_then(|reader| IdxFile::read(reader)?.inputs());
    read().map_err(|error| error.in_file(path))
}

/// Reads labels: integers become labels, floats stay numbers.
///
/// # Errors
/// Files that cannot be read, damaged ones, and negative labels.
pub fn read_targets(path: &Path) -> Result<Targets> {
    let read = || open(path).and_then(|reader| IdxFile::read(reader)?.targets());
    read().map_err(|error| error.in_file(path))
}

/// Decodes inputs from the bytes of a raw file.
///
/// # Errors
/// Damaged bytes.
pub fn decode(bytes: &[u8]) -> Result<Inputs> {
    IdxFile::read(bytes)?.inputs()
}

/// Reader of a file's decompressed bytes.
fn open(path: &Path) -> Result<Box<dyn Read>> {
    let mut start = [0; 2];
    let mut file = File::open(path).map_err(Error::io("read", path))?;
    let is_compressed = file.read_exact(&mut start).is_ok() && start == [0x1f, 0x8b];
    let file = File::open(path).map_err(Error::io("read", path))?;
    let reader = BufReader::new(file);
    Ok(if is_compressed { Box::new(MultiGzDecoder::new(reader)) } else { Box::new(reader) })
}

fn kind_and_rank(magic: &[u8; 4]) -> Result<(NumberType, usize)> {
    match *magic {
        [0, 0, code, rank] if rank > 0 => match NumberType::from_code(code) {
            Some(kind) => Ok((kind, rank.into())),
            None => Err(wrong(format!("its number type {code:#04x} is unknown"))),
        },
        _ => Err(unexpected("an IDX file", magic, HELP)),
    }
}

/// Beginning of a file.
struct Header {
    kind: NumberType,
    /// Lengths of the axes.
    shape: Vec<usize>,
}

/// Reads the header: the type and the lengths of the axes.
fn header(reader: &mut impl Read) -> Result<Header> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(cut)?;
    let (kind, rank) = kind_and_rank(&magic)?;
    let mut shape = vec![];
    for _ in 0..rank {
        let mut length = [0; 4];
        reader.read_exact(&mut length).map_err(cut)?;
        shape.push(u32::from_be_bytes(length) as usize);
    }
    Ok(Header { kind, shape })
}

impl IdxFile {
    fn read(mut reader: impl Read) -> Result<IdxFile> {
        let Header { kind, shape } = header(&mut reader)?;
        let size = shape.iter().try_fold(kind.width(), |size, &axis| size.checked_mul(axis));
        let named = Tuple(&shape);
        let size = match size {
            Some(0) => return Err(wrong(format!("its shape {named} leaves it empty"))),
            Some(size) if size < usize::MAX => size,
            _ => return Err(wrong(format!("its header says {named}, more than fits into memory"))),
        };
        // One byte beyond the end: a small compressed file can decompress to terabytes.
        let mut bytes = vec![];
        reader.take(size as u64 + 1).read_to_end(&mut bytes).map_err(cut)?;
        if bytes.len() != size {
            let kept = bytes.len().min(size);
            let found = if kept < size {
                format!("truncated: {kept} bytes of the {size} for the shape {named}")
            } else {
                format!("too long: more than the {size} bytes for the shape {named}")
            };
            return Err(wrong(found));
        }
        bytes.shrink_to_fit();
        Ok(IdxFile { kind, shape, bytes })
    }

    fn inputs(self) -> Result<Inputs> {
        if self.kind == NumberType::U8 {
            return Ok(Inputs::bytes(array(&self.shape, self.bytes)?));
        }
        Ok(Inputs::Reals(array(&self.shape, self.kind.numbers(&self.bytes))?))
    }

    fn targets(self) -> Result<Targets> {
        let numbers = self.kind.numbers(&self.bytes);
        if matches!(self.kind, NumberType::F32 | NumberType::F64) {
            return Ok(Targets::Reals(array(&self.shape, numbers)?));
        }
        if let Some(row) = numbers.iter().position(|label| !(0.0..MAX_LABEL).contains(label)) {
            let label = numbers[row];
            return Err(Error::format(
                format!("sample {row} (from 0) has the label {label}"),
                "count classes from 0",
            ));
        }
        let labels = numbers.into_iter().map(|label| label as u32).collect();
        Ok(Targets::Labels(array(&self.shape, labels)?))
    }
}

fn array<T>(shape: &[usize], values: Vec<T>) -> Result<ArrayD<T>> {
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| wrong(error.to_string()))
}

fn wrong(found: String) -> Error {
    Error::format(found, HELP)
}

/// Error for a file that ends too early or cannot be decompressed.
fn cut(error: std::io::Error) -> Error {
    wrong(format!("it is damaged or cut off ({error})"))
}
