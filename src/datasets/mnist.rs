//! MNIST's data format: four IDX files with 60,000 + 10,000 images of 28×28 and their
//! labels, raw or compressed with gzip. MNIST, Fashion-MNIST and KMNIST come in it.
//!
//! A file's content is read once, into the array that training uses, after its magic number, counts
//! and exact length are checked: a truncated file would pair images with the wrong labels.
//! Rejected: the `mnist` crate, which panics on malformed files, compares no lengths, and holds the
//! training images twice (94 MB instead of 47). The tests compare what both read.
//!
//! A `.gz` is decompressed once: beside itself, or in a cache folder if that is not writable. The
//! new file appears under its name only when it is complete and checked, so concurrent runs are
//! safe. In the cache each file has a folder named after the checksum and size of its `.gz`, so
//! data sets never mix. If no folder takes the raw file, it is decompressed in memory.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::{CrcReader, read::MultiGzDecoder};
use ndarray::{Array1, ArrayD, IxDyn};

use super::mnist_files::{FILES, FoundFile, MnistFile, find_all};
use super::source::{OpenFile, unexpected, variable};
use super::{Dataset, Inputs, Targets, TrainTest};
use crate::replace::{check_writable, replace};
use crate::{Error, Result};

const HELP: &str = "replace it by an intact copy (download it again), compressed with gzip or not; \
                    for a set of other sizes, name a .npz file with x_train, y_train, x_test and \
                    y_test";

/// Reads the four files in `folder`, or in folders within it, under any of the names that downloads
/// give them: `train-images.idx3-ubyte`, `MNIST/raw/train-images-idx3-ubyte.gz`,
/// `emnist-mnist-train-images-idx3-ubyte` (EMNIST's images are transposed, and read so). A file
/// that is only there as `.gz` is decompressed once: beside itself or, if that is not writable, in
/// the folder `TALLYNET_CACHE`, else in `tallynet` in the user's cache folder, or else in memory.
///
/// # Errors
/// Files that are missing, truncated, too long, of another kind or size, or unreadable; too little
/// memory.
pub fn load(folder: &Path) -> Result<TrainTest> {
    fs::metadata(folder.join(".")).map_err(Error::io("read", folder))?;
    let found = find_all(folder, HELP)?;
    let mut raw = vec![];
    for (file, found) in FILES.iter().zip(&found) {
        raw.push(file.locate(found)?);
    }
    let read =
        |number: usize| FILES[number].content(raw[number].as_deref(), &found[number][0].path);
    Ok(TrainTest {
        train: dataset(folder, read(0)?, read(1)?)?,
        test: dataset(folder, read(2)?, read(3)?)?,
    })
}

fn dataset(folder: &Path, images: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    let x = ArrayD::from_shape_vec(IxDyn(&[labels.len(), 28, 28]), images).map_err(|_| {
        Error::file(folder, "the files changed while they were being read", "try again")
    })?;
    let labels = Array1::from(labels).mapv(u32::from).into_dyn();
    Ok(Dataset { x: Inputs::bytes(x), y: Targets::Labels(labels) })
}

impl MnistFile {
    /// Path of the raw file, after it is decompressed if necessary and checked; `None` if no folder
    /// takes it. The first of the candidates is used.
    fn locate(&self, found: &[FoundFile]) -> Result<Option<PathBuf>> {
        let path = &found[0].path;
        if found[0].is_compressed {
            return self.decompress(path, found[0].has_raw_name);
        }
        self.check_file(path).map_err(|error| self.suggest_compressed(error, &found[1..]))?;
        Ok(Some(path.clone()))
    }

    /// Content of a raw file, after its header.
    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        // Decompressing the others takes a while, during which this file may have changed.
        let OpenFile { mut reader, size, start } = OpenFile::new(path)?;
        self.check(&start, size).map_err(|error| error.in_file(path))?;
        let header = self.header().len() as u64;
        let mut content = self.reserve(path)?;
        content.resize((size - header) as usize, 0);
        let read =
            reader.seek(SeekFrom::Start(header)).and_then(|_| reader.read_exact(&mut content));
        read.map_err(Error::io("read", path))?;
        Ok(content)
    }

    /// Adds to the error about a raw file that a compressed one can replace it, if that is intact.
    fn suggest_compressed(&self, error: Error, others: &[FoundFile]) -> Error {
        let intact = others.iter().find(|other| self.inflate(&other.path).is_ok());
        match (error, intact) {
            (Error::Format { path, found, .. }, Some(compressed)) => {
                let compressed = compressed.path.display();
                let help =
                    format!("delete it: {compressed} beside it is intact and will be decompressed");
                Error::Format { path, found, help }
            }
            (other, _) => other,
        }
    }

    /// First bytes of an intact file: the magic number (type and number of axes), then the lengths
    /// of the axes.
    fn header(&self) -> Vec<u8> {
        let magic = 0x0800 + self.shape.len() as u32;
        [magic].iter().chain(self.shape).flat_map(|number| number.to_be_bytes()).collect()
    }

    /// Length of an intact file in bytes.
    fn file_len(&self) -> u64 {
        let content: u64 = self.shape.iter().map(|&axis| u64::from(axis)).product();
        self.header().len() as u64 + content
    }

    fn check_file(&self, path: &Path) -> Result<()> {
        let OpenFile { size, start, .. } = OpenFile::new(path)?;
        self.check(&start, size).map_err(|error| error.in_file(path))
    }

    /// Checks the first bytes and the length of a raw file.
    fn check(&self, start: &[u8], length: u64) -> Result<()> {
        let header = self.header();
        let expected = self.file_len();
        let (magic, sizes) = header.split_at(4);
        let found = match start.strip_prefix(magic) {
            None => {
                let kind = if self.shape.len() == 1 { "a label file" } else { "an image file" };
                match start {
                    [0, 0, 8, 1, ..] => {
                        format!("{kind} is expected here, but this is a label file")
                    }
                    [0, 0, 8, 3, ..] => {
                        format!("{kind} is expected here, but this is an image file")
                    }
                    _ => return Err(unexpected(kind, start, HELP)),
                }
            }
            Some(rest) if rest.len() >= sizes.len() && !rest.starts_with(sizes) => {
                let found = rest.as_chunks().0.iter().map(|number| u32::from_be_bytes(*number));
                let found: Vec<_> = found.take(self.shape.len()).collect();
                format!("its header says {found:?}, where {:?} is expected", self.shape)
            }
            Some(_) if length < expected => format!("truncated: {length} bytes of {expected}"),
            Some(_) if length > expected => {
                format!("too long: {length} bytes, where {expected} are expected")
            }
            Some(_) => return Ok(()),
        };
        Err(Error::format(found, HELP))
    }

    /// Decompresses and checks a `.gz`. It stops one byte beyond the expected length: a small `.gz`
    /// can decompress to terabytes.
    fn inflate(&self, compressed: &Path) -> Result<Vec<u8>> {
        let wrong = |found: String| Error::file(compressed, found, HELP);
        let OpenFile { reader, .. } = OpenFile::new(compressed)?;
        let expected = self.file_len();
        let mut content = self.reserve(compressed)?;
        let read = MultiGzDecoder::new(reader).take(expected + 1).read_to_end(&mut content);
        read.map_err(|error| {
            // The operating system's errors have a number, the decoder's have none.
            if error.raw_os_error().is_some() {
                return Error::io("load", compressed)(error);
            }
            wrong(format!("the gzip file is damaged or cut off ({error})"))
        })?;
        if content.len() as u64 > expected {
            return Err(wrong(format!("too long: it decompresses to more than {expected} bytes")));
        }
        self.check(&content, content.len() as u64).map_err(|error| error.in_file(compressed))?;
        Ok(content)
    }

    /// Content after the header: of the raw file, or decompressed in memory if there is none.
    fn content(&self, raw: Option<&Path>, compressed: &Path) -> Result<Vec<u8>> {
        if let Some(raw) = raw {
            return self.read(raw);
        }
        let mut content = self.inflate(compressed)?;
        content.drain(..self.header().len());
        Ok(content)
    }

    /// Memory for a file and one byte beyond it.
    fn reserve(&self, path: &Path) -> Result<Vec<u8>> {
        let n = self.file_len() as usize + 1;
        let mut content = vec![];
        content.try_reserve_exact(n).map_err(|_| {
            let megabytes = n.div_ceil(1_000_000);
            let path = path.display();
            Error::Memory(format!(
                "there is no room for the content of {path}: {megabytes} MB of memory are needed"
            ))
        })?;
        Ok(content)
    }

    /// Path of the raw form of `compressed`: a file that is in the cache already, or a new one;
    /// `None` if no folder takes one. A compressed file with the name of a raw one stays as it is.
    fn decompress(&self, compressed: &Path, has_raw_name: bool) -> Result<Option<PathBuf>> {
        let mut target = compressed.with_file_name(self.name);
        if has_raw_name || check_writable(&target).is_err() {
            let folder = cache_folder(compressed)?;
            target = folder.join(self.name);
            if self.check_file(&target).is_ok() {
                return Ok(Some(target));
            }
            if fs::create_dir_all(&folder).is_err() || check_writable(&target).is_err() {
                return Ok(None);
            }
        }
        let content = self.inflate(compressed)?;
        // A full disk does not prevent training.
        Ok(if replace(&target, &content).is_ok() { Some(target) } else { None })
    }
}

/// Folder in the cache for the content of this `.gz`.
fn cache_folder(compressed: &Path) -> Result<PathBuf> {
    let mut reader = CrcReader::new(File::open(compressed).map_err(Error::io("read", compressed))?);
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", compressed))?;
    Ok(cache().join(format!("{:08x}-{}", reader.crc().sum(), reader.crc().amount())))
}

/// Folder for decompressed files.
fn cache() -> PathBuf {
    if let Some(folder) = variable("TALLYNET_CACHE") {
        return folder;
    }
    let of_user = variable("XDG_CACHE_HOME")
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir);
    of_user.join("tallynet")
}
