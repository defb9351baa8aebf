//! Keras's data format: a `.npz` file (a zip archive of `.npy` arrays, stored or
//! deflated) with `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! `ndarray-npy` decodes headers and numbers, but it would allocate whatever a header claims, and
//! its parser of headers recurses and can panic. So the text of a header is first checked against
//! the few characters that a plain array needs, and its shape against the size of the archive's
//! member. The numbers are then read and converted piece by piece: memory grows with what the file
//! really contains, and no array is held twice.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek};
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadableElement, WritableElement, npy::header::Header};
use zip::{ZipArchive, read::ZipFile};

use super::{Dataset, Inputs, OpenFile, Targets, TrainTest, describe};
use crate::hdf5::{bfloat16, float16};
use crate::shape::Tuple;
use crate::{Error, Real, Result};

const HELP: &str = "download it again, or save x_train, y_train, x_test and y_test with \
                    numpy.savez_compressed: one row a sample; x as uint8 or float32; y as integer \
                    labels from 0, or as float32";
const INPUTS_HELP: &str =
    "save one array of inputs with numpy.save or numpy.savez, one row a sample";

/// Longest header that is read. NumPy writes 128 bytes, and longer headers only for structured
/// arrays, which are not supported.
const MAX_HEADER: u64 = 4096;
/// Labels are below this: `f32` represents every smaller integer.
const MAX_LABELS: u32 = 1 << 24;
/// Numbers that are decoded at a time.
const PIECE: usize = 1 << 16;

/// Reads the four arrays. Bytes in `x` stay bytes and other numbers become [`Real`]; in `y`,
/// integers and booleans become labels and floats become [`Real`]. Errors are a file that is no
/// archive or a damaged one, an array that is missing, empty or not numeric, a label that is
/// negative or not below 2²⁴, and different numbers of rows in `x` and `y`.
pub fn load(path: &Path) -> Result<TrainTest> {
    let read = || {
        let mut archive = archive(path, &["x_train", "y_train", "x_test", "y_test"])?;
        let train = dataset(&mut archive, "x_train", "y_train")?;
        Ok(TrainTest { train, test: dataset(&mut archive, "x_test", "y_test")? })
    };
    read().map_err(|error: Error| error.in_file(path))
}

/// Reads the two arrays of the test set; the others may be missing. Errors are those of [`load`].
pub fn load_test(path: &Path) -> Result<Dataset> {
    let read = || dataset(&mut archive(path, &["x_test", "y_test"])?, "x_test", "y_test");
    read().map_err(|error| error.in_file(path))
}

/// Reads inputs alone, to predict from: a `.npy` array, or a `.npz` archive that holds `x_test` or
/// only one array. Errors are a file that is neither or a damaged one, and an array that is empty
/// or not numeric.
pub fn load_inputs(path: &Path) -> Result<Inputs> {
    inputs_only(path).map_err(|error| match error {
        Error::Format { found, .. } => Error::file(path, found, INPUTS_HELP),
        other => other,
    })
}

fn inputs_only(path: &Path) -> Result<Inputs> {
    let OpenFile { file, size, start } = OpenFile::new(path)?;
    if start.starts_with(b"\x93NUMPY") {
        return Member::new(file, size)?.inputs();
    }
    if !start.starts_with(b"PK") {
        return Err(wrong(format!("an array is expected here, but {}", describe(&start))));
    }
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
    let name = match archive.name_for_index(0) {
        Some(name) if archive.len() == 1 => name.to_string(),
        _ if find(&archive, "x_test").is_some() => "x_test".to_string(),
        _ => return Err(wrong("it holds several arrays, and none is called x_test")),
    };
    Member::open(&mut archive, &name)?.inputs()
}

/// Reads one parameter array, which must have this shape, from an archive of weights. The error is
/// an [`Error::Weights`] with the problem, which does not repeat the name.
pub(crate) fn reals<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    shape: &[usize],
) -> Result<ArrayD<Real>> {
    let mut read = || {
        let member = Member::open(archive, name)?;
        let found = &member.header.shape;
        if found != shape {
            let (found, needed) = (Tuple(found), Tuple(shape));
            return Err(wrong(format!("it has the shape {found}, and the model needs {needed}")));
        }
        member.reals()
    };
    read().map_err(|error| Error::weights(name, found(error)))
}

/// Opens an archive that holds arrays of these names.
fn archive(path: &Path, names: &[&str]) -> Result<ZipArchive<BufReader<File>>> {
    let OpenFile { file, start, .. } = OpenFile::new(path)?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        if start.starts_with(b"PK") {
            wrong(format!("the zip archive is damaged or cut off ({error})"))
        } else {
            wrong(format!("a zip archive is expected here, but {}", describe(&start)))
        }
    })?;
    let missing: Vec<_> = names.iter().filter(|name| find(&archive, name).is_none()).collect();
    if missing.is_empty() {
        return Ok(archive);
    }
    let held: Vec<_> =
        archive.file_names().take(12).map(|name| name.trim_end_matches(".npy")).collect();
    Err(wrong(format!("the arrays {missing:?} are missing; it holds {held:?}")))
}

/// Index of an array in its archive.
fn find<R: Read + Seek>(archive: &ZipArchive<R>, name: &str) -> Option<usize> {
    archive.index_for_name(&format!("{name}.npy")).or_else(|| archive.index_for_name(name))
}

/// Reads inputs and targets. The numbers of rows are compared before any number is read.
fn dataset(archive: &mut ZipArchive<BufReader<File>>, x: &str, y: &str) -> Result<Dataset> {
    let x_rows = Member::open(archive, x).map_err(in_array(x))?.rows;
    let targets = Member::open(archive, y).map_err(in_array(y))?;
    if x_rows != targets.rows {
        return Err(wrong(format!("{x} has {x_rows} rows and {y} has {}", targets.rows)));
    }
    let targets = targets.targets().map_err(in_array(y))?;
    let inputs = Member::open(archive, x).and_then(Member::inputs).map_err(in_array(x))?;
    Ok(Dataset { x: inputs, y: targets })
}

/// Array in a file or an archive, with a reader at its first number.
struct Member<R> {
    header: Header,
    /// NumPy's name of the type, without the byte order: `u1`, `f4`.
    dtype: String,
    rows: usize,
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
                "the type {} is not read: booleans, integers and floats of 16, 32 or 64 bits are; \
                 text and Python objects are not",
                $member.header.type_descriptor
            ))),
        }
    };
}

impl<'a, R: Read + Seek> Member<ZipFile<'a, R>> {
    fn open(archive: &'a mut ZipArchive<R>, name: &str) -> Result<Self> {
        let index = find(archive, name).ok_or_else(|| wrong("it is missing"))?;
        let file = archive.by_index(index).map_err(damaged)?;
        let size = file.size();
        Member::new(file, size)
    }
}

impl<R: Read> Member<R> {
    /// Reads the header of an array of `size` bytes, header included.
    fn new(mut file: R, size: u64) -> Result<Self> {
        let mut start = Vec::new();
        file.by_ref().take(MAX_HEADER).read_to_end(&mut start).map_err(damaged)?;
        let (header, end) = parse_header(&start)?;
        let Some(&rows) = header.shape.first() else {
            return Err(wrong("it is a single number, where rows are expected"));
        };
        let dtype = header.type_descriptor.as_string().map_or("", |dtype| dtype.as_str());
        let dtype = dtype.trim_start_matches(['<', '>', '|']).to_string();
        let numbers = Cursor::new(start.split_off(end)).chain(file);
        Ok(Member { header, dtype, rows, size: size.saturating_sub(end as u64), numbers })
    }

    fn inputs(self) -> Result<Inputs> {
        if self.dtype == "u1" {
            self.read(Ok).map(Inputs::bytes)
        } else {
            self.reals().map(Inputs::Reals)
        }
    }

    fn targets(self) -> Result<Targets> {
        if self.dtype.starts_with('f') {
            return self.reals().map(Targets::Reals);
        }
        let labels = read_as!(self, |number| label(number.into()),
            "b1": bool, "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64);
        labels.map(Targets::Labels)
    }

    fn reals(self) -> Result<ArrayD<Real>> {
        // NumPy has no bfloat16 and writes 2 bytes, `|V2`, for it.
        match self.dtype.as_str() {
            "f2" => return self.half_reals(float16),
            "V2" => return self.half_reals(bfloat16),
            _ => {}
        }
        if self.dtype == "b1" {
            return self.read(|number: bool| Ok(Real::from(u8::from(number))));
        }
        read_as!(self, |number| Ok(number as Real), "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64, "f4": f32, "f8": f64)
    }

    /// Reads 16-bit floats as integers, whose bits `value` converts.
    fn half_reals(mut self, value: fn(u64) -> f64) -> Result<ArrayD<Real>> {
        let order = self.header.type_descriptor.as_string();
        let is_big_endian = order.is_some_and(|order| order.starts_with('>'));
        self.header.type_descriptor = u16::type_descriptor();
        self.read(|bits: u16| {
            let bits = if is_big_endian { u16::from_be(bits) } else { u16::from_le(bits) };
            Ok(value(bits.into()) as Real)
        })
    }

    /// Decodes the numbers and converts them.
    fn read<T: ReadableElement, U: Clone>(
        mut self,
        convert: impl Fn(T) -> Result<U>,
    ) -> Result<ArrayD<U>> {
        let len = self.len(size_of::<T>())?;
        let is_fortran = self.header.layout.is_fortran();
        let row_of = |position: usize| {
            if is_fortran { position % self.rows } else { position / (len / self.rows) }
        };
        let mut values: Vec<U> = Vec::new();
        while values.len() < len {
            let count = (len - values.len()).min(PIECE);
            let bytes = self.numbers.by_ref().take((count * size_of::<T>()) as u64);
            let piece = T::read_to_end_exact_vec(bytes, &self.header.type_descriptor, count)
                .map_err(damaged)?;
            values.try_reserve(count).map_err(|_| wrong("out of memory"))?;
            for number in piece {
                let row = row_of(values.len());
                let value = convert(number)
                    .map_err(|error| wrong(format!("row {row} (from 0) holds {}", found(error))))?;
                values.push(value);
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
        _ => Err(wrong(format!("{number}, and integer labels are from 0 to 2^24 - 1"))),
    }
}

/// Parses the header at the start of a member; returns it and the position of the first number.
fn parse_header(start: &[u8]) -> Result<(Header, usize)> {
    let (text, length) = match start.get(6..12) {
        Some(&[1, _, a, b, ..]) => (10, u16::from_le_bytes([a, b]).into()),
        Some(&[_, _, a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err(wrong("it is no .npy array: it ends within its header")),
    };
    let end = length.saturating_add(text);
    if !start.get(text..end).is_some_and(is_plain) {
        return Err(wrong(
            "it is no .npy array of plain numbers: its header is too long or describes something \
             else",
        ));
    }
    let header = Header::from_reader(&mut &*start)
        .map_err(|error| wrong(format!("it is no .npy array ({error})")))?;
    Ok((header, end))
}

/// True if the text of a header is safe for the parser. One dictionary and one tuple open a
/// bracket each; deeper nesting would exhaust the parser's stack.
fn is_plain(text: &[u8]) -> bool {
    let n_open = text.iter().filter(|byte| b"{(".contains(byte)).count();
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"{(,:)} '\"<>|_\n".contains(byte);
    n_open < 3 && text.iter().all(allowed)
}

/// Error for content of an archive that is wrong.
fn wrong(found: impl Into<String>) -> Error {
    Error::format(found, HELP)
}

fn damaged(error: impl Display) -> Error {
    wrong(format!("it is damaged or of an unknown form ({error})"))
}

/// For `map_err`: names the array that a content error came from.
fn in_array(name: &str) -> impl FnOnce(Error) -> Error {
    move |error| wrong(format!("{name}: {}", found(error)))
}

/// The problem alone, without the help.
fn found(error: Error) -> String {
    match error {
        Error::Format { found, .. } => found,
        other => other.to_string(),
    }
}
