//! Keras's own form of a data set: a `.npz` file (a zip archive of `.npy` arrays, stored or
//! deflated) that holds `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! `ndarray-npy` decodes headers and numbers, but it would allocate whatever a header claims, and
//! its parser of headers recurses and can panic. So a header's text is first held against the few
//! characters that a plain array needs, and its shape against the size of the archive's member. The
//! numbers are then read and converted piece by piece: memory grows with what the file truly
//! delivers, and no array is held twice.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufReader, Chain, Cursor, Read, Seek};
use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use ndarray_npy::{ReadableElement, npy::header::Header};
use zip::{ZipArchive, read::ZipFile};

use super::{Dataset, Inputs, Targets, TrainTest, explain, open, what_is, wrong};
use crate::shape::Tuple;
use crate::{Real, Result};

const REMEDY: &str = "download it again, or save x_train, y_train, x_test and y_test with numpy.savez_compressed: one row a \
                      sample; x as uint8 or float32; y as class numbers from 0, or as float32";

/// Reads the four arrays. Bytes in `x` stay bytes and other numbers become [`Real`]; in `y`,
/// integers and booleans become labels and floats become [`Real`]. Errors are a file that is no
/// archive or a damaged one, an array that is missing, empty or not made of numbers, a label that
/// is negative or 2²⁴ and more, and row counts of `x` and `y` that differ.
pub fn load(path: &Path) -> Result<TrainTest> {
    let load = || {
        let mut archive = archive(path, &["x_train", "y_train", "x_test", "y_test"])?;
        let train = dataset(&mut archive, "x_train", "y_train")?;
        Ok(TrainTest { train, test: dataset(&mut archive, "x_test", "y_test")? })
    };
    load().map_err(explain(path, REMEDY))
}

/// Reads the two arrays of the test set; the others need not be there.
pub fn load_test(path: &Path) -> Result<Dataset> {
    let load = || dataset(&mut archive(path, &["x_test", "y_test"])?, "x_test", "y_test");
    load().map_err(explain(path, REMEDY))
}

/// An archive that holds arrays of these names.
fn archive(path: &Path, names: &[&str]) -> io::Result<ZipArchive<BufReader<File>>> {
    let (file, _, start) = open(path)?;
    let archive =
        ZipArchive::new(BufReader::new(file)).map_err(|error| match start.starts_with(b"PK") {
            true => wrong(format!("the zip archive is damaged or cut off ({error})")),
            false => wrong(format!("a zip archive is expected here, but {}", what_is(&start))),
        })?;
    let missing: Vec<_> = names.iter().filter(|name| find(&archive, name).is_none()).collect();
    if !missing.is_empty() {
        let there: Vec<_> =
            archive.file_names().take(12).map(|name| name.trim_end_matches(".npy")).collect();
        return Err(wrong(format!("the arrays {missing:?} are missing; it holds {there:?}")));
    }
    Ok(archive)
}

fn find<R: Read + Seek>(archive: &ZipArchive<R>, name: &str) -> Option<usize> {
    archive.index_for_name(&format!("{name}.npy")).or_else(|| archive.index_for_name(name))
}

fn dataset(archive: &mut ZipArchive<BufReader<File>>, x: &str, y: &str) -> io::Result<Dataset> {
    let named = |name| move |error| wrong(format!("{name}: {error}"));
    let x_rows = Member::open(archive, x).map_err(named(x))?.rows;
    let targets = Member::open(archive, y).map_err(named(y))?;
    if x_rows != targets.rows {
        return Err(wrong(format!("{x} has {x_rows} rows and {y} has {}", targets.rows)));
    }
    let targets = targets.targets().map_err(named(y))?;
    Ok(Dataset {
        x: Member::open(archive, x).and_then(Member::inputs).map_err(named(x))?,
        y: targets,
    })
}

/// Inputs alone, for predictions: a `.npy` array, or a `.npz` archive that holds `x_test` or
/// nothing but one array. Errors are a file that is neither or a damaged one, and an array that is
/// empty or not made of numbers.
pub fn load_inputs(path: &Path) -> Result<Inputs> {
    let load = || {
        let (file, size, start) = open(path)?;
        if start.starts_with(b"\x93NUMPY") {
            return Member::new(file, size)?.inputs();
        }
        if !start.starts_with(b"PK") {
            return Err(wrong(format!("an array is expected here, but {}", what_is(&start))));
        }
        let mut archive = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        let only = archive.name_for_index(0).filter(|_| archive.len() == 1);
        let name = only.or_else(|| find(&archive, "x_test").map(|_| "x_test"));
        let name = name
            .ok_or_else(|| wrong("it holds several arrays, and none is called x_test"))?
            .to_string();
        Member::open(&mut archive, &name)?.inputs()
    };
    load().map_err(explain(
        path,
        "save one array of inputs with numpy.save or numpy.savez, one row a sample",
    ))
}

/// The numbers of one array in an archive, which must have this shape.
pub(crate) fn reals<R: Read + Seek>(
    archive: &mut ZipArchive<R>,
    name: &str,
    shape: &[usize],
) -> io::Result<ArrayD<Real>> {
    let member = Member::open(archive, name)?;
    let found = &member.header.shape;
    if found != shape {
        return Err(wrong(format!(
            "it has the shape {}, and the model needs {}",
            Tuple(found),
            Tuple(shape)
        )));
    }
    member.reals()
}

/// An array in a file or an archive, and a reader that stands at its first number.
struct Member<R> {
    header: Header,
    /// The type in NumPy's letters, without the byte order: `u1`, `f4`.
    kind: String,
    rows: usize,
    /// How many bytes there are behind the header, as the archive says.
    size: u64,
    numbers: Chain<Cursor<Vec<u8>>, R>,
}

/// Reads `$member` as whichever of the types its header names, and each number through `$convert`.
macro_rules! read_as {
    ($member:ident, |$number:ident| $convert:expr, $($kind:literal: $type:ty),+) => {
        match $member.kind.as_str() {
            $($kind => $member.read(|$number: $type| $convert),)+
            _ => {
                let found = format!("the type {} is not read: ", $member.header.type_descriptor);
                Err(wrong(found + "booleans, integers and floats of 32 or 64 bits are; text and Python objects are not"))
            }
        }
    };
}

impl<'a, R: Read> Member<ZipFile<'a, R>> {
    fn open(archive: &'a mut ZipArchive<R>, name: &str) -> io::Result<Self>
    where
        R: Seek,
    {
        let place = find(archive, name).ok_or_else(|| wrong("it is missing"))?;
        let file = archive.by_index(place).map_err(damaged)?;
        let size = file.size();
        Member::new(file, size)
    }
}

impl<R: Read> Member<R> {
    /// The array that a reader of so many bytes holds.
    fn new(mut file: R, size: u64) -> io::Result<Self> {
        let mut start = Vec::new();
        // NumPy writes headers of 128 bytes, and longer ones only for arrays that cannot be read
        // here.
        file.by_ref().take(4096).read_to_end(&mut start).map_err(damaged)?;
        let (header, end) = parse(&start)?;
        let rows = *header
            .shape
            .first()
            .ok_or_else(|| wrong("it is a single number, where rows are expected"))?;
        let kind = header
            .type_descriptor
            .as_string()
            .map(|kind| kind.trim_start_matches(['<', '>', '|']).into());
        let numbers = Cursor::new(start.split_off(end)).chain(file);
        let size = size.saturating_sub(end as u64);
        Ok(Member { header, kind: kind.unwrap_or_default(), rows, size, numbers })
    }

    fn inputs(self) -> io::Result<Inputs> {
        if self.kind == "u1" {
            self.read(Ok).map(Inputs::bytes)
        } else {
            self.reals().map(Inputs::Reals)
        }
    }

    fn targets(self) -> io::Result<Targets> {
        if self.kind.starts_with('f') {
            return self.reals().map(Targets::Reals);
        }
        let label = |number: i128| match u32::try_from(number) {
            Ok(label) if label < 1 << 24 => Ok(label),
            _ => Err(wrong(format!("{number}, and a label is a class number from 0 to 2^24 - 1"))),
        };
        read_as!(self, |number| label(number.into()), "b1": bool, "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64)
        .map(Targets::Labels)
    }

    fn reals(self) -> io::Result<ArrayD<Real>> {
        if self.kind == "b1" {
            return self.read(|number: bool| Ok(Real::from(u8::from(number))));
        }
        read_as!(self, |number| Ok(number as Real), "u1": u8, "u2": u16, "u4": u32, "u8": u64,
            "i1": i8, "i2": i16, "i4": i32, "i8": i64, "f4": f32, "f8": f64)
    }

    /// Decodes and converts the numbers.
    fn read<T: ReadableElement, U: Clone>(
        mut self,
        convert: impl Fn(T) -> io::Result<U>,
    ) -> io::Result<ArrayD<U>> {
        let (shape, is_fortran) = (&self.header.shape, self.header.layout.is_fortran());
        let length =
            match shape.iter().try_fold(size_of::<T>(), |bytes, &axis| bytes.checked_mul(axis)) {
                Some(bytes @ 1..) if bytes as u64 == self.size => bytes / size_of::<T>(),
                Some(0) => return Err(wrong(format!("its shape {shape:?} leaves it empty"))),
                _ => {
                    return Err(wrong(format!(
                        "its shape {shape:?} does not agree with its {} bytes",
                        self.size
                    )));
                }
            };
        let mut values: Vec<U> = Vec::new();
        while values.len() < length {
            let count = (length - values.len()).min(1 << 16);
            let bytes = self.numbers.by_ref().take((count * size_of::<T>()) as u64);
            let piece = T::read_to_end_exact_vec(bytes, &self.header.type_descriptor, count)
                .map_err(damaged)?;
            values.try_reserve(count)?;
            for number in piece {
                let position = values.len();
                values.push(convert(number).map_err(|error| {
                    let row = if is_fortran {
                        position % self.rows
                    } else {
                        position / (length / self.rows)
                    };
                    wrong(format!("row {row} (from 0) holds {error}"))
                })?);
            }
        }
        // The archive compares its checksum where the member ends, so the end must be seen.
        io::copy(&mut self.numbers.take(1), &mut io::sink()).map_err(damaged)?;
        values.shrink_to_fit();
        let array = ArrayD::from_shape_vec(IxDyn(shape).set_f(is_fortran), values)
            .map_err(io::Error::other)?;
        Ok(if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() })
    }
}

/// The header at the start of a member, and where it ends.
fn parse(start: &[u8]) -> io::Result<(Header, usize)> {
    let (text, length) = match start.get(6..12) {
        Some(&[1, _, a, b, ..]) => (10, u16::from_le_bytes([a, b]).into()),
        Some(&[_, _, a, b, c, d]) => (12, u32::from_le_bytes([a, b, c, d]) as usize),
        _ => return Err(wrong("it is no .npy array: it ends within its header")),
    };
    let end = length.saturating_add(text);
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"{(,:)} '\"<>|_\n".contains(byte);
    // A dictionary and a tuple open one bracket each; deeper nesting would cost the parser its
    // stack.
    let is_simple = |text: &[u8]| {
        text.iter().all(is_plain) && text.iter().filter(|byte| b"{(".contains(byte)).count() < 3
    };
    if !start.get(text..end).is_some_and(is_simple) {
        return Err(wrong(
            "it is no .npy array of plain numbers: its header is too long or describes something else",
        ));
    }
    let header = Header::from_reader(&mut &*start)
        .map_err(|error| wrong(format!("it is no .npy array ({error})")))?;
    Ok((header, end))
}

fn damaged(error: impl Display) -> io::Error {
    wrong(format!("it is damaged or of an unknown form ({error})"))
}
