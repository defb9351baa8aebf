//! MNIST's data format: four IDX files with 60,000 + 10,000 images of 28×28 and their
//! labels, raw or compressed with gzip. MNIST, Fashion-MNIST and KMNIST come in it.
//!
//! The `mnist` crate reads the files. It panics on malformed ones and never compares a file's
//! length with its header, so a truncated file would pair images with the wrong labels. Presence,
//! magic number, counts and exact length are therefore checked here first. The crate briefly holds
//! the training images twice (94 MB); its vectors become arrays without another copy. With an
//! empty base folder it takes a path for each file, so they may be in different folders.
//!
//! The crate reads raw files only. A `.gz` is therefore decompressed once: beside itself, or in a
//! cache folder if that is not writable. The new file appears under its name only when it is
//! complete and checked, so concurrent runs are safe. In the cache each file has a folder named
//! after the checksum and size of its `.gz`, so data sets never mix. If no folder takes the raw
//! file, or memory is too small for the crate, the files are read here, straight into the arrays.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::{CrcReader, read::MultiGzDecoder};
use mnist::{Mnist, MnistBuilder};
use ndarray::{Array1, ArrayD, IxDyn};

use super::mnist_files::{FILES, FoundFile, Idx, find_all};
use super::source::{OpenFile, unexpected, variable};
use super::{Dataset, Inputs, Targets, TrainTest};
use crate::replace::{check_writable, replace};
use crate::{Error, Result};

/// Memory that the crate takes: the training images twice, in a vector that grows.
const CRATE_BYTES: usize = 170_000_000;

const HELP: &str = "put a sound copy there (download it again), packed by gzip or not; for a \
                    set of other sizes, name a .npz file with \
                    x_train, y_train, x_test and y_test";

/// Reads the four files in `folder`, or in folders within it, under any of the names that downloads
/// give them: `train-images.idx3-ubyte`, `MNIST/raw/train-images-idx3-ubyte.gz`,
/// `emnist-mnist-train-images-idx3-ubyte` (EMNIST's images are transposed, and read so). A file
/// that is only there as `.gz` is decompressed once: beside itself or, if that is not writable, in
/// the folder `TALLYNET_CACHE`, else in `tallynet` in the user's cache folder, or else in memory.
/// Errors are files that are missing, truncated, too long, of another kind or size, or unreadable.
pub fn load(folder: &Path) -> Result<TrainTest> {
    fs::metadata(folder.join(".")).map_err(Error::io("read", folder))?;
    let found = find_all(folder, HELP)?;
    let mut paths = vec![];
    for (file, found) in FILES.iter().zip(&found) {
        paths.extend(file.locate(found)?);
    }
    if paths.len() < FILES.len() || !fits_bytes(CRATE_BYTES) {
        return load_here(folder, &found);
    }
    // Decompressing takes a while, during which other programs may have changed the first files.
    for (file, path) in FILES.iter().zip(&paths) {
        file.check_file(path.as_ref())?;
    }
    let Mnist { trn_img, trn_lbl, tst_img, tst_lbl, .. } = MnistBuilder::new()
        .base_path("")
        .training_images_filename(&paths[0])
        .training_labels_filename(&paths[1])
        .test_images_filename(&paths[2])
        .test_labels_filename(&paths[3])
        .finalize();
    Ok(TrainTest {
        train: dataset(folder, trn_img, trn_lbl)?,
        test: dataset(folder, tst_img, tst_lbl)?,
    })
}

/// Reads the files without the crate.
fn load_here(folder: &Path, found: &[Vec<FoundFile>]) -> Result<TrainTest> {
    let read = |number: usize| FILES[number].content(&found[number][0]);
    Ok(TrainTest {
        train: dataset(folder, read(0)?, read(1)?)?,
        test: dataset(folder, read(2)?, read(3)?)?,
    })
}

/// True if this many bytes can be allocated.
fn fits_bytes(n: usize) -> bool {
    Vec::<u8>::new().try_reserve_exact(n).is_ok()
}

fn dataset(folder: &Path, mut images: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    // The crate reads the test images into the same vector and splits them off again, which leaves
    // unused capacity.
    images.shrink_to_fit();
    let x = ArrayD::from_shape_vec(IxDyn(&[labels.len(), 28, 28]), images).map_err(|_| {
        Error::file(folder, "the files changed while they were being read", "try again")
    })?;
    let labels = Array1::from(labels).mapv(u32::from).into_dyn();
    Ok(Dataset { x: Inputs::bytes(x), y: Targets::Labels(labels) })
}

impl Idx {
    /// Path of the raw file, after it is decompressed if necessary and checked; `None` if no folder
    /// takes it. The first of the candidates is used.
    fn locate(&self, found: &[FoundFile]) -> Result<Option<String>> {
        let path = &found[0].path;
        let path = if found[0].is_packed {
            match self.unpack(path, found[0].has_raw_name)? {
                Some(path) => path,
                None => return Ok(None),
            }
        } else {
            self.check_file(path).map_err(|error| self.suggest_packed(error, &found[1..]))?;
            path.clone()
        };
        path.into_os_string().into_string().map(Some).map_err(|path| {
            let found = "this path is not valid UTF-8, which the reader of these files asks for";
            Error::file(path.as_ref(), found, "rename the folder, or move the files to another")
        })
    }

    /// Adds to the error about a raw file that a packed one can replace it, if that is sound.
    fn suggest_packed(&self, error: Error, others: &[FoundFile]) -> Error {
        let sound = others.iter().find(|other| self.inflate(&other.path).is_ok());
        match (error, sound) {
            (Error::Format { path, found, .. }, Some(packed)) => {
                let packed = packed.path.display();
                let help = format!("delete it: {packed} beside it is sound and will be unpacked");
                Error::Format { path, found, help }
            }
            (other, _) => other,
        }
    }

    /// First bytes of a sound file: the magic number (type and number of axes), then the lengths of
    /// the axes.
    fn header(&self) -> Vec<u8> {
        let magic = 0x0800 + self.shape.len() as u32;
        [magic].iter().chain(self.shape).flat_map(|number| number.to_be_bytes()).collect()
    }

    /// Length of a sound file in bytes.
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
        let (header, expected) = (self.header(), self.file_len());
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
    fn inflate(&self, packed: &Path) -> Result<Vec<u8>> {
        let wrong = |found: String| Error::file(packed, found, HELP);
        let OpenFile { reader, .. } = OpenFile::new(packed)?;
        let expected = self.file_len();
        let mut content = self.reserve(packed)?;
        let read = MultiGzDecoder::new(reader).take(expected + 1).read_to_end(&mut content);
        read.map_err(|error| {
            // The operating system's errors have a number, the decoder's have none.
            if error.raw_os_error().is_some() {
                return Error::io("load", packed)(error);
            }
            wrong(format!("the gzip file is damaged or cut off ({error})"))
        })?;
        if content.len() as u64 > expected {
            return Err(wrong(format!("too long: it unpacks to more than {expected} bytes")));
        }
        self.check(&content, content.len() as u64).map_err(|error| error.in_file(packed))?;
        Ok(content)
    }

    /// Content of a file behind its header.
    fn content(&self, found: &FoundFile) -> Result<Vec<u8>> {
        let mut content = if found.is_packed {
            self.inflate(&found.path)?
        } else {
            let OpenFile { reader, .. } = OpenFile::new(&found.path)?;
            let mut content = self.reserve(&found.path)?;
            let read = reader.take(self.file_len() + 1).read_to_end(&mut content);
            read.map_err(Error::io("read", &found.path))?;
            let checked = self.check(&content, content.len() as u64);
            checked.map_err(|error| error.in_file(&found.path))?;
            content
        };
        content.drain(..self.header().len());
        Ok(content)
    }

    /// Memory for a file and one byte beyond it.
    fn reserve(&self, path: &Path) -> Result<Vec<u8>> {
        let (mut content, n) = (vec![], self.file_len() as usize + 1);
        content.try_reserve_exact(n).map_err(|_| {
            let (megabytes, path) = (n.div_ceil(1_000_000), path.display());
            Error::Memory(format!(
                "there is no room for the content of {path}: {megabytes} MB of memory are needed"
            ))
        })?;
        Ok(content)
    }

    /// Path of the raw form of `packed`: a file that is in the cache already, or a new one; `None`
    /// if no folder takes one. A packed file with the name of a raw one stays as it is.
    fn unpack(&self, packed: &Path, has_raw_name: bool) -> Result<Option<PathBuf>> {
        let mut target = packed.with_file_name(self.name);
        if has_raw_name || check_writable(&target).is_err() {
            let folder = cache_folder(packed)?;
            target = folder.join(self.name);
            if self.check_file(&target).is_ok() {
                return Ok(Some(target));
            }
            if fs::create_dir_all(&folder).is_err() || check_writable(&target).is_err() {
                return Ok(None);
            }
        }
        let content = self.inflate(packed)?;
        // A full disk is no reason not to train.
        Ok(if replace(&target, &content).is_ok() { Some(target) } else { None })
    }
}

/// Folder in the cache for the content of this `.gz`.
fn cache_folder(packed: &Path) -> Result<PathBuf> {
    let mut reader = CrcReader::new(File::open(packed).map_err(Error::io("read", packed))?);
    io::copy(&mut reader, &mut io::sink()).map_err(Error::io("read", packed))?;
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
