//! A data set of MNIST's form: four IDX files of 60,000 + 10,000 images of 28×28, raw or packed
//! with gzip. MNIST itself, Fashion-MNIST and KMNIST have it.
//!
//! The `mnist` crate reads the files. It panics on whatever it does not expect and never compares a
//! file's length with its header, so that a truncated one would pair images with the labels of
//! others. Presence, magic number, counts and exact length are therefore checked here before it
//! runs. It holds the training images twice for a moment (94 MB), which no use of it avoids; its
//! vectors become arrays without a further copy. It joins each file name to a folder, and a whole
//! path in place of a name stands for itself: so one file can lie in the cache and another not.
//!
//! It knows unpacked files only, so a packed one becomes a file, once: beside itself, where the
//! next run and other programs find it, or, where nothing can be created there, in a cache folder.
//! It appears under its name only when it is whole and checked, so two runs at once do no harm. In
//! the cache each file lies in a folder named after the checksum and size of its `.gz`, so sets
//! never mix.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::{CrcReader, read::MultiGzDecoder};
use mnist::{Mnist, MnistBuilder};
use ndarray::{Array1, ArrayD, IxDyn};

use super::{Dataset, Inputs, Targets, TrainTest, explain, open, variable, what_is, wrong};
use crate::replace::{check_writable, replace};
use crate::{Error, Result};

/// One of the four files: what it is called, and the sizes that its header must give.
struct Idx {
    name: &'static str,
    shape: &'static [u32],
}

const FILES: [Idx; 4] = [
    Idx { name: "train-images-idx3-ubyte", shape: &[60_000, 28, 28] },
    Idx { name: "train-labels-idx1-ubyte", shape: &[60_000] },
    Idx { name: "t10k-images-idx3-ubyte", shape: &[10_000, 28, 28] },
    Idx { name: "t10k-labels-idx1-ubyte", shape: &[10_000] },
];

const REMEDY: &str = "put a sound copy there (download it again), with the ending .gz if it is packed and without it if \
                      not; for a set of other sizes, name a .npz file with x_train, y_train, x_test and y_test";

/// Reads the four files in `folder`. One that is there as `.gz` alone is unpacked, once: beside
/// itself or, where no file can be created, in the folder `TALLYNET_CACHE`, else in `tallynet` in
/// the user's cache folder. Errors are files that are missing, truncated, too long, of another kind
/// or size, or that cannot be read.
pub fn load(folder: &Path) -> Result<TrainTest> {
    fs::metadata(folder.join(".")).map_err(Error::io("read", folder))?;
    let missing = FILES
        .iter()
        .filter(|file| !file.is_in(folder))
        .map(|file| format!("{0} or {0}.gz", file.name));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        return Err(Error::file(
            folder,
            format!("these files are missing: {}", missing.join(", ")),
            REMEDY,
        ));
    }
    let paths = FILES.iter().map(|file| file.locate(folder)).collect::<Result<Vec<_>>>()?;
    // Unpacking takes a while, in which somebody may have changed what was looked at before.
    for (file, path) in FILES.iter().zip(&paths) {
        file.check_file(path.as_ref()).map_err(explain(path.as_ref(), REMEDY))?;
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

/// The four files, as they are called unpacked and packed.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    FILES.iter().flat_map(|file| [folder.join(file.name), file.packed(folder)]).collect()
}

/// Whether at least one of the four files is in the folder.
pub(super) fn is_in(folder: &Path) -> bool {
    FILES.iter().any(|file| file.is_in(folder))
}

fn dataset(folder: &Path, mut images: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    // The crate appends the test images to the training images and cuts them off again, which
    // leaves room behind them.
    images.shrink_to_fit();
    let x = ArrayD::from_shape_vec(IxDyn(&[labels.len(), 28, 28]), images).map_err(|_| {
        Error::file(folder, "the files changed while they were being read", "try again")
    })?;
    Ok(Dataset {
        x: Inputs::bytes(x),
        y: Targets::Labels(Array1::from(labels).mapv(u32::from).into_dyn()),
    })
}

impl Idx {
    fn packed(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.gz", self.name))
    }

    fn is_in(&self, folder: &Path) -> bool {
        folder.join(self.name).exists() || self.packed(folder).exists()
    }

    /// The path of the file, unpacked and checked.
    fn locate(&self, folder: &Path) -> Result<String> {
        let (raw, packed) = (folder.join(self.name), self.packed(folder));
        let path = if raw.exists() {
            self.check_file(&raw).map_err(|error| {
                let delete = format!(
                    "delete it: {} beside it is sound and will be unpacked",
                    packed.display()
                );
                explain(&raw, if self.inflate(&packed).is_ok() { &delete } else { REMEDY })(error)
            })?;
            raw
        } else {
            self.unpack(&packed)?
        };
        path.into_os_string().into_string().map_err(|path| {
            let found = "this path is not valid UTF-8, which the reader of these files asks for";
            Error::file(path.as_ref(), found, "rename the folder, or move the files to another")
        })
    }

    /// What the file must begin with, the magic number (unsigned bytes, number of sizes) and the
    /// sizes; and its length.
    fn header(&self) -> (Vec<u8>, u64) {
        let magic = 0x0800 + self.shape.len() as u32;
        let header: Vec<u8> =
            [magic].iter().chain(self.shape).flat_map(|number| number.to_be_bytes()).collect();
        let length =
            header.len() as u64 + self.shape.iter().map(|&size| u64::from(size)).product::<u64>();
        (header, length)
    }

    fn check_file(&self, path: &Path) -> io::Result<()> {
        let (_, length, start) = open(path)?;
        self.check(&start, length)
    }

    /// Holds the start and the length of a file against what they should be.
    fn check(&self, start: &[u8], length: u64) -> io::Result<()> {
        let (header, expected) = self.header();
        let (magic, sizes) = header.split_at(4);
        Err(wrong(match start.strip_prefix(magic) {
            None => {
                let kind = if self.shape.len() == 1 { "a label file" } else { "an image file" };
                format!("{kind} is expected here, but {}", what_is(start))
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
        }))
    }

    /// What a `.gz` holds, checked. It stops as soon as there is more than there should be: a small
    /// `.gz` can unpack to terabytes.
    fn inflate(&self, packed: &Path) -> io::Result<Vec<u8>> {
        let (file, _, start) = open(packed)?;
        if !start.starts_with(&[0x1f, 0x8b]) {
            return Err(wrong(format!("a gzip file is expected here, but {}", what_is(&start))));
        }
        let ((_, expected), mut content) = (self.header(), vec![]);
        match MultiGzDecoder::new(file).take(expected + 1).read_to_end(&mut content) {
            // An error without a number of the operating system's is the decoder's.
            Err(error) if error.raw_os_error().is_none() => {
                return Err(wrong(format!("the gzip file is damaged or cut off ({error})")));
            }
            Ok(length) if length as u64 > expected => {
                return Err(wrong(format!("too long: it unpacks to more than {expected} bytes")));
            }
            read => self.check(&content, read? as u64)?,
        }
        Ok(content)
    }

    /// The unpacked form of `packed`: either already in the cache, or a new file.
    fn unpack(&self, packed: &Path) -> Result<PathBuf> {
        let mut target = packed.with_file_name(self.name);
        if check_writable(&target).is_err() {
            let mut sum = CrcReader::new(File::open(packed).map_err(Error::io("read", packed))?);
            io::copy(&mut sum, &mut io::sink()).map_err(Error::io("read", packed))?;
            let folder = cache().join(format!("{:08x}-{}", sum.crc().sum(), sum.crc().amount()));
            target = folder.join(self.name);
            if self.check_file(&target).is_ok() {
                return Ok(target);
            }
            let created = fs::create_dir_all(&folder).map_err(Error::io("create", &folder));
            created.and_then(|()| check_writable(&target)).map_err(|refusal| {
                let tried = format!(
                    "no file can be created beside it, nor in {} ({refusal})",
                    folder.display()
                );
                Error::file(packed, tried, "set TALLYNET_CACHE to a folder that allows it")
            })?;
        }
        replace(&target, &self.inflate(packed).map_err(explain(packed, REMEDY))?)?;
        Ok(target)
    }
}

fn cache() -> PathBuf {
    let home =
        || variable("XDG_CACHE_HOME").or_else(|| env::home_dir().map(|home| home.join(".cache")));
    variable("TALLYNET_CACHE")
        .unwrap_or_else(|| home().unwrap_or_else(env::temp_dir).join("tallynet"))
}
