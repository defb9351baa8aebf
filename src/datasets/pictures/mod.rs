//! Folders of PNG and JPEG pictures, one subfolder per class, as Keras's
//! `image_dataset_from_directory` reads them.
//!
//! Same as there: classes are the subfolders in alphanumeric order; pictures at any depth below
//! them belong to the class; resizing is bilinear, changes the aspect ratio and does not smooth;
//! colour profiles and the rotation that a camera notes (EXIF) are ignored; training samples are
//! shuffled. Different: resized values are rounded to bytes (an error of at most ½ of 255),
//! transparency is shown over white (Keras drops it and shows the colour behind), hidden files are
//! left out, and empty classes are errors. JPEG decoders differ by a few units of 255, so that a
//! prediction for a JPEG differs from Python's in the fourth decimal (5·10⁻⁴ was seen), and one for
//! a PNG in the seventh.
//!
//! Pictures are decoded one after the other: 2,000 of 64×64 pixels take less than a second.

#[cfg(feature = "pictures")]
mod decode;
#[cfg(feature = "pictures")]
mod jpeg;
mod probe;
#[cfg(feature = "pictures")]
mod resize;
mod scan;
mod size;

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Array1, ArrayD, IxDyn};
use rand::seq::SliceRandom;

use super::{DataDescription, Dataset, Inputs, LoadedData, PictureSize, Targets};
use crate::random::{self, Stream};
use crate::{Error, Result};

pub use size::ImageSize;

/// Pictures of a folder, found but not yet decoded.
///
/// ```no_run
/// use std::path::Path;
/// use tallynet::datasets::PictureSize;
/// use tallynet::datasets::pictures::{Folder, PictureOptions};
///
/// let folder = Folder::scan(Path::new("flowers"))?;
/// println!("{} pictures of {:?}", folder.train.len(), folder.classes);
/// let size = PictureSize { height: 64, width: 64, channels: 3 };
/// let data = folder.read(&PictureOptions::new(size), &mut |n_done| eprint!("\r{n_done}"))?;
/// assert_eq!(data.train.x.shape()[1..], [64, 64, 3]);
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Folder {
    /// Names of the classes; the position is the label.
    pub classes: Vec<String>,
    /// Pictures to train on: those of all classes, or those in the subfolder `train`.
    pub train: Vec<Picture>,
    /// Pictures in the subfolder `validation`, if there is a `test` too; else empty.
    pub validation: Vec<Picture>,
    /// Pictures in the subfolder `test` or else `validation`; empty if there is neither.
    pub test: Vec<Picture>,
    /// Files in the folders of classes that are neither PNG nor JPEG by their names.
    pub ignored: Vec<PathBuf>,
}

/// File of a picture and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// PNG or JPEG file.
    pub path: PathBuf,
    /// Position of its class.
    pub label: u32,
}

/// Options for decoding a folder.
#[derive(Debug, Clone)]
pub struct PictureOptions {
    /// Size that all pictures are resized to, and their channels: 1 for gray, 3 for RGB.
    pub size: PictureSize,
    /// Leaves broken pictures out, with a warning. Without it they are an error.
    pub skip_broken: bool,
    /// Seed of the order of the training samples. They are shuffled, so that a validation split
    /// from their end has all classes.
    pub seed: u64,
}

impl PictureOptions {
    /// Options for pictures of this size: broken ones are errors, and the seed is 0.
    pub fn new(size: PictureSize) -> PictureOptions {
        PictureOptions { size, skip_broken: false, seed: 0 }
    }
}

impl Folder {
    /// Lists the classes and the pictures of a folder. It has one subfolder per class, or the
    /// subfolders `train` and `test` or `validation` (also `training`, `testing`, `val`, `valid`)
    /// that have. Errors are a folder that cannot be read, fewer than two classes, a class without
    /// pictures, and a class of the test set that the training set does not have.
    pub fn scan(path: &Path) -> Result<Folder> {
        scan::scan(path)
    }

    /// Lists the pictures to evaluate a model on that was trained on these classes: those in the
    /// subfolder `test` or else `validation`, or else all. They are the folder's `test`. Errors are
    /// a folder that cannot be read or has no pictures, and a class that is not known.
    pub fn scan_test(path: &Path, classes: &[String]) -> Result<Folder> {
        scan::scan_test(path, classes)
    }

    /// True if the folder holds subfolders, as a folder of pictures does.
    pub fn has_layout(path: &Path) -> bool {
        scan::has_layout(path)
    }

    /// Decodes all pictures and resizes them. Inputs are bytes of the shape (samples, height,
    /// width, channels), targets are integer labels. `progress` gets the number of pictures that
    /// are done. Errors are a broken picture, unless those are skipped, a part of which none is
    /// left, and too little memory.
    pub fn read(
        &self,
        options: &PictureOptions,
        progress: &mut dyn FnMut(usize),
    ) -> Result<LoadedData> {
        options.size.check()?;
        let mut reader = Reader::new(options, progress);
        let mut train = self.train.clone();
        train.shuffle(&mut random::generator(options.seed, Stream::Data));
        let mut loaded = LoadedData::from(reader.dataset(&train)?);
        if !self.validation.is_empty() {
            loaded.validation = Some(reader.dataset(&self.validation)?);
        }
        if !self.test.is_empty() {
            loaded.test = Some(reader.dataset(&self.test)?);
        }
        loaded.description = DataDescription {
            classes: self.classes.clone(),
            picture: Some(options.size),
            ..DataDescription::default()
        };
        if let Some(path) = self.ignored.first() {
            loaded.warnings.push(format!(
                "{} files are neither PNG nor JPEG by their names and were left out, such as {}",
                self.ignored.len(),
                path.display()
            ));
        }
        if let Some(first) = reader.broken.first() {
            let n = reader.broken.len();
            loaded.warnings.push(format!("{n} broken pictures were left out; the first: {first}"));
        }
        Ok(loaded)
    }
}

/// Decoder of pictures, one after the other.
struct Reader<'a> {
    options: &'a PictureOptions,
    progress: &'a mut dyn FnMut(usize),
    n_done: usize,
    /// Reasons why pictures were left out.
    broken: Vec<Error>,
}

impl<'a> Reader<'a> {
    fn new(options: &'a PictureOptions, progress: &'a mut dyn FnMut(usize)) -> Self {
        Reader { options, progress, n_done: 0, broken: vec![] }
    }

    fn dataset(&mut self, pictures: &[Picture]) -> Result<Dataset> {
        let PictureSize { height, width, channels } = self.options.size;
        let mut values = reserve(self.options.size, pictures.len())?;
        let mut labels = vec![];
        for picture in pictures {
            match read_bytes(&picture.path, self.options.size) {
                Ok(bytes) => {
                    values.extend_from_slice(&bytes);
                    labels.push(picture.label);
                }
                Err(error @ Error::Format { .. }) if self.options.skip_broken => {
                    self.broken.push(error);
                }
                Err(Error::Format { path, found, help }) => {
                    let help = format!("{help}; --skip-broken leaves out all that are broken");
                    return Err(Error::Format { path, found, help });
                }
                Err(error) => return Err(error),
            }
            self.n_done += 1;
            (self.progress)(self.n_done);
        }
        if labels.is_empty() {
            let last = self.broken.last().map(Error::to_string).unwrap_or_default();
            let n = pictures.len();
            return Err(Error::Data(format!("all {n} pictures are broken; the last: {last}")));
        }
        let x = array(&[labels.len(), height, width, channels], values)?;
        Ok(Dataset { x: Inputs::bytes(x), y: Targets::Labels(Array1::from(labels).into_dyn()) })
    }
}

/// Empty memory for this many pictures.
fn reserve(size: PictureSize, n: usize) -> Result<Vec<u8>> {
    let PictureSize { height, width, channels } = size;
    let n_values = height * width * channels;
    let mut values = vec![];
    values.try_reserve_exact(n_values.saturating_mul(n)).map_err(|_| {
        let mb = (n_values >> 10).saturating_mul(n) >> 10;
        Error::Memory(format!(
            "{n} pictures of {height}×{width} pixels take {mb} MB, more than there is\n  \
             take a smaller --image-size"
        ))
    })?;
    Ok(values)
}

/// Paths of the pictures in a folder, at any depth and whatever their class, to predict from.
/// Errors are a folder that cannot be read or has none.
pub fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let pictures = scan::ClassFiles::scan(folder)?.pictures;
    if pictures.is_empty() {
        let help = "give a folder of PNG or JPEG files";
        return Err(Error::file(folder, "there are no pictures in here", help));
    }
    Ok(pictures)
}

/// Decodes and resizes pictures to predict from, in this order: bytes of the shape (pictures,
/// height, width, channels). Errors are those of [`read_picture`], and too little memory.
pub fn read_pictures(paths: &[PathBuf], size: PictureSize) -> Result<Inputs> {
    size.check()?;
    let PictureSize { height, width, channels } = size;
    let mut values = reserve(size, paths.len())?;
    for path in paths {
        values.extend_from_slice(&read_bytes(path, size)?);
    }
    Ok(Inputs::bytes(array(&[paths.len(), height, width, channels], values)?))
}

/// Decodes and resizes one picture: bytes of the shape (height, width, channels). Errors are a file
/// that cannot be read, and one that is no sound PNG or JPEG.
///
/// ```no_run
/// # use std::path::Path;
/// use tallynet::datasets::{PictureSize, pictures};
///
/// let size = PictureSize { height: 28, width: 28, channels: 1 };
/// let picture = pictures::read_picture(Path::new("seven.png"), size)?;
/// assert_eq!(picture.shape(), [28, 28, 1]);
/// # Ok::<(), tallynet::Error>(())
/// ```
pub fn read_picture(path: &Path, size: PictureSize) -> Result<ArrayD<u8>> {
    size.check()?;
    let PictureSize { height, width, channels } = size;
    array(&[height, width, channels], read_bytes(path, size)?)
}

fn array(shape: &[usize], values: Vec<u8>) -> Result<ArrayD<u8>> {
    ArrayD::from_shape_vec(IxDyn(shape), values).map_err(|error| Error::Data(error.to_string()))
}

fn read_bytes(path: &Path, size: PictureSize) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    decode_and_resize(&bytes, size).map_err(|error| error.in_file(path))
}

/// Decodes a picture in memory and resizes it. Errors are those of [`read_picture`].
#[cfg(feature = "pictures")]
pub fn decode_and_resize(bytes: &[u8], size: PictureSize) -> Result<Vec<u8>> {
    let (pixels, from) = decode::decode(bytes, size.channels)?;
    Ok(resize::resize(&pixels, from, size))
}

/// Decodes a picture in memory and resizes it. Errors are those of [`read_picture`].
#[cfg(not(feature = "pictures"))]
pub fn decode_and_resize(_: &[u8], _: PictureSize) -> Result<Vec<u8>> {
    let help =
        "build tallynet with its feature `pictures`: cargo build --release --features pictures";
    Err(Error::format("this build of tallynet does not read pictures", help))
}
