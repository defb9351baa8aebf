//! A data set of MNIST's form: four IDX files of 60,000 + 10,000 images of 28×28, raw or packed with gzip. MNIST itself,
//! Fashion-MNIST and KMNIST have it.
//!
//! The `mnist` crate reads the files. It panics on whatever it does not expect and never compares a file's length with
//! its header, so that a truncated one would pair images with the labels of others. Presence, magic number, counts and
//! exact length are therefore checked here before it runs. It holds the training images twice for a moment (94 MB),
//! which no use of it avoids; its vectors become arrays without a further copy. It joins each file name to a folder, and
//! a whole path in place of a name stands for itself: so one file can lie in the cache and another not.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::path::Path;

use mnist::{Mnist, MnistBuilder};
use ndarray::{Array1, ArrayD, IxDyn};

use super::{Dataset, Inputs, Targets, TrainTest, explain, unpack, what_is, wrong};
use crate::{Error, Result};

/// One of the four files: what it is called, and the sizes that its header must give.
pub(super) struct Idx {
    pub name: &'static str,
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

/// Reads the four files in `folder`. One that is there as `.gz` alone is unpacked, once: beside itself or, where no file
/// can be created, in the folder `TALLYNET_CACHE`, else in `tallynet` in the user's cache folder.
/// Errors are files that are missing, truncated, too long, of another kind or size, or that cannot be read.
pub fn load(folder: &Path) -> Result<TrainTest> {
    fs::metadata(folder.join(".")).map_err(Error::io("read", folder))?;
    let missing = FILES.iter().filter(|file| !file.is_in(folder)).map(|file| format!("{0} or {0}.gz", file.name));
    let missing: Vec<_> = missing.collect();
    if !missing.is_empty() {
        return Err(Error::file(folder, format!("these files are missing: {}", missing.join(", ")), REMEDY));
    }
    let [train_images, train_labels, test_images, test_labels] = &FILES;
    let Mnist { trn_img, trn_lbl, tst_img, tst_lbl, .. } = MnistBuilder::new()
        .base_path("")
        .training_images_filename(&train_images.locate(folder)?)
        .training_labels_filename(&train_labels.locate(folder)?)
        .test_images_filename(&test_images.locate(folder)?)
        .test_labels_filename(&test_labels.locate(folder)?)
        .finalize();
    Ok(TrainTest { train: dataset(folder, trn_img, trn_lbl)?, test: dataset(folder, tst_img, tst_lbl)? })
}

/// Whether at least one of the four files is in the folder.
pub(super) fn is_in(folder: &Path) -> bool {
    FILES.iter().any(|file| file.is_in(folder))
}

fn dataset(folder: &Path, mut images: Vec<u8>, labels: Vec<u8>) -> Result<Dataset> {
    // The crate appends the test images to the training images and cuts them off again, which leaves room behind them.
    images.shrink_to_fit();
    let x = ArrayD::from_shape_vec(IxDyn(&[labels.len(), 28, 28]), images)
        .map_err(|_| Error::file(folder, "the files changed while they were being read", "try again"))?;
    Ok(Dataset { x: Inputs::bytes(x), y: Targets::Labels(Array1::from(labels).mapv(u32::from).into_dyn()) })
}

impl Idx {
    fn is_in(&self, folder: &Path) -> bool {
        folder.join(self.name).exists() || folder.join(format!("{}.gz", self.name)).exists()
    }

    /// The path of the file, unpacked and checked.
    fn locate(&self, folder: &Path) -> Result<String> {
        let (raw, packed) = (folder.join(self.name), folder.join(format!("{}.gz", self.name)));
        let path = if raw.exists() {
            File::open(&raw).and_then(|file| self.check(&file)).map_err(|error| {
                let delete = format!("delete it: {} beside it is sound and will be unpacked", packed.display());
                explain(&raw, if unpack::is_sound(&packed, self) { &delete } else { REMEDY })(error)
            })?;
            raw
        } else {
            unpack::unpacked(&packed, self).map_err(explain(&packed, REMEDY))?
        };
        path.into_os_string().into_string().map_err(|path| {
            let found = "this path is not valid UTF-8, which the reader of these files asks for";
            Error::file(path.as_ref(), found, "rename the folder, or move the files to another")
        })
    }

    /// What the file must begin with: the magic number (unsigned bytes, number of sizes) and the sizes.
    fn header(&self) -> Vec<u8> {
        let magic = 0x0800 + self.shape.len() as u32;
        [magic].iter().chain(self.shape).flat_map(|number| number.to_be_bytes()).collect()
    }

    pub fn length(&self) -> u64 {
        self.header().len() as u64 + self.shape.iter().map(|&size| u64::from(size)).product::<u64>()
    }

    pub fn check(&self, mut file: &File) -> io::Result<()> {
        let mut start = Vec::new();
        file.rewind()?;
        file.take(64).read_to_end(&mut start)?;
        let (length, expected, header) = (file.metadata()?.len(), self.length(), self.header());
        let (magic, sizes) = header.split_at(4);
        Err(wrong(match start.strip_prefix(magic) {
            None => {
                let kind = if self.shape.len() == 1 { "a label file" } else { "an image file" };
                format!("{kind} is expected here, but {}", what_is(&start))
            }
            Some(rest) if rest.len() >= sizes.len() && !rest.starts_with(sizes) => {
                let found = rest.as_chunks().0.iter().map(|number| u32::from_be_bytes(*number));
                let found: Vec<_> = found.take(self.shape.len()).collect();
                format!("its header says {found:?}, where {:?} is expected", self.shape)
            }
            Some(_) if length < expected => format!("truncated: {length} bytes of {expected}"),
            Some(_) if length > expected => format!("too long: {length} bytes, where {expected} are expected"),
            Some(_) => return Ok(()),
        }))
    }
}
