//! Folders of PNG and JPEG images, one subfolder per class, as Keras's
//! `image_dataset_from_directory` reads them.
//!
//! Same as there: classes are the subfolders in alphanumeric order; images at any depth below
//! them belong to the class; resizing is bilinear, changes the aspect ratio and does not smooth;
//! color profiles and the rotation that a camera notes (EXIF) are ignored; training samples are
//! shuffled. Different: resized values are rounded to bytes (an error of at most ½ of 255),
//! transparency is shown over white (Keras drops it and shows the color behind), hidden files are
//! ignored, and empty classes are errors. JPEG decoders differ by a few units of 255, so that a
//! prediction for a JPEG differs from Python's in the fourth decimal (5·10⁻⁴ was seen), and one for
//! a PNG in the seventh.
//!
//! For a model of MNIST, photos of digits are prepared as its images were, and turned upright as
//! their cameras noted: [`read_digits`].
//!
//! Images are decoded one after the other: 2,000 of 64×64 pixels take less than a second. In a
//! training on MPI each rank decodes a part of them ([`Readers`]).

#[cfg(feature = "images")]
mod decode;
#[cfg(feature = "images")]
mod digit;
#[cfg(feature = "images")]
mod exif;
#[cfg(feature = "images")]
mod jpeg;
mod photos;
mod probe;
mod read;
mod readers;
#[cfg(feature = "images")]
mod resize;
mod scan;
mod size;

use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use rand::seq::SliceRandom;

use self::read::{Reader, array, read_all, read_bytes};
use super::{DataDescription, ImageShape, LoadedData};
use crate::random::{self, Stream};
use crate::{Error, Result};

pub use photos::{prepare_digit, read_digits};
pub use read::{LoadedImages, UnlabeledImages};
pub use readers::Readers;
pub use scan::is_image;
pub use size::ImageSize;

/// Images of a folder, found but not yet decoded.
///
/// ```no_run
/// use std::path::Path;
/// use tallynet::datasets::ImageShape;
/// use tallynet::datasets::images::{Folder, ImageOptions};
///
/// let folder = Folder::scan(Path::new("flowers"))?;
/// println!("{} images of {:?}", folder.train.len(), folder.classes);
/// let size = ImageShape { height: 64, width: 64, channels: 3 };
/// let data = folder.read(&ImageOptions::new(size), &mut |n_done| eprint!("\r{n_done}"))?;
/// assert_eq!(data.train.x.shape()[1..], [64, 64, 3]);
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Folder {
    /// Names of the classes; the position is the label.
    pub classes: Vec<String>,
    /// Images to train on: those of all classes, or those in the subfolder `train`.
    pub train: Vec<LabeledImage>,
    /// Images in the subfolder `validation`, if there is a `test` too; else empty.
    pub validation: Vec<LabeledImage>,
    /// Images in the subfolder `test` or else `validation`; empty if there is neither.
    pub test: Vec<LabeledImage>,
    /// Files in the folders of classes that are neither PNG nor JPEG by their names.
    pub ignored: Vec<PathBuf>,
}

/// File of an image and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabeledImage {
    /// PNG or JPEG file.
    pub path: PathBuf,
    /// Position of its class.
    pub label: u32,
}

/// Options for decoding a folder.
#[derive(Debug, Clone)]
pub struct ImageOptions {
    /// Size that all images are resized to, and their channels: 1 for gray, 3 for RGB.
    pub size: ImageShape,
    /// Skips broken images, with a warning. Without it they are an error.
    pub skip_broken: bool,
    /// Seed of the order of the training samples. They are shuffled, so that a validation split
    /// from their end has all classes.
    pub seed: u64,
    /// Processes that share out the opening of the files.
    pub readers: Readers,
}

impl ImageOptions {
    /// Options for images of this size: broken ones are errors, the seed is 0, and this process
    /// reads alone.
    pub fn new(size: ImageShape) -> ImageOptions {
        ImageOptions { size, skip_broken: false, seed: 0, readers: Readers::default() }
    }
}

impl Folder {
    /// Lists the classes and the images of a folder. It has one subfolder per class, or the
    /// subfolders `train` and `test` or `validation` (also `training`, `testing`, `val`, `valid`)
    /// that have.
    ///
    /// # Errors
    /// A folder that cannot be read, fewer than two classes, a class without images, and a class
    /// of the test set that the training set does not have.
    pub fn scan(path: &Path) -> Result<Folder> {
        scan::scan(path)
    }

    /// Lists the test images for a model trained on these classes: those in the subfolder `test` or
    /// else `validation` as the folder's `test`, or else all as its `train`.
    ///
    /// # Errors
    /// A folder that cannot be read or has no images, and a class that is not known.
    pub fn scan_test(path: &Path, classes: &[String]) -> Result<Folder> {
        scan::scan_test(path, classes)
    }

    /// True if the folder holds subfolders, as a folder of images does.
    pub fn has_layout(path: &Path) -> bool {
        scan::has_layout(path)
    }

    /// Decodes all images and resizes them. Inputs are bytes of the shape (samples, height,
    /// width, channels), targets are integer labels. `progress` gets the number of images that
    /// are done.
    ///
    /// # Errors
    /// A broken image, unless those are skipped, a subset in which every image is broken, too
    /// little memory, and [`Readers`] that do not see the same images.
    pub fn read(
        &self,
        options: &ImageOptions,
        progress: &mut dyn FnMut(usize),
    ) -> Result<LoadedData> {
        options.size.check()?;
        options.readers.check(self, options.size)?;
        let mut reader = Reader::new(options, progress);
        let train = shuffled(&self.train, options.seed);
        let train = reader.read(&train)?;
        let mut loaded = LoadedData { files: train.files, ..LoadedData::from(train.data) };
        if !self.validation.is_empty() {
            loaded.validation = Some(reader.read(&self.validation)?.data);
        }
        if !self.test.is_empty() {
            let test = reader.read(&self.test)?;
            loaded.test = Some(test.data);
            loaded.files = test.files;
        }
        loaded.description = DataDescription {
            classes: self.classes.clone(),
            image: Some(options.size),
            ..DataDescription::default()
        };
        loaded.warnings = reader.warnings(&self.ignored);
        Ok(loaded)
    }

    /// Decodes and resizes the images to evaluate on alone: those of `test` in their order, or of a
    /// folder without it, those of `train` in the order of [`Folder::read`], so that the samples
    /// held out of a training can be found. Errors are those of [`Folder::read`].
    pub fn read_test(
        &self,
        options: &ImageOptions,
        progress: &mut dyn FnMut(usize),
    ) -> Result<LoadedImages> {
        options.size.check()?;
        options.readers.check(self, options.size)?;
        let mut reader = Reader::new(options, progress);
        let mut loaded = if self.test.is_empty() {
            reader.read(&shuffled(&self.train, options.seed))?
        } else {
            reader.read(&self.test)?
        };
        loaded.warnings = reader.warnings(&self.ignored);
        Ok(loaded)
    }

    /// Images that [`Folder::read_test`] reads.
    pub fn test_or_train(&self) -> &[LabeledImage] {
        if self.test.is_empty() { &self.train } else { &self.test }
    }
}

/// Images in the random order of this seed.
fn shuffled(images: &[LabeledImage], seed: u64) -> Vec<LabeledImage> {
    let mut images = images.to_vec();
    images.shuffle(&mut random::generator(seed, Stream::Data));
    images
}

/// Paths of the images in a folder, at any depth and whatever their class, to predict from.
///
/// # Errors
/// A folder that cannot be read or has none.
pub fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let images = scan::ClassFiles::scan(folder)?.images;
    if images.is_empty() {
        let help = "give a folder of PNG or JPEG files";
        return Err(Error::file(folder, "there are no images in here", help));
    }
    Ok(images)
}

/// Decodes and resizes images to predict from, in this order: bytes of the shape (images,
/// height, width, channels). `progress` gets the number of images that are done. Errors are those
/// of [`read_image`], and too little memory. With `skip_broken`, files that are not an intact PNG
/// or JPEG are left out, and an error only if all are.
pub fn read_images(
    paths: &[PathBuf],
    size: ImageShape,
    skip_broken: bool,
    progress: &mut dyn FnMut(usize),
) -> Result<UnlabeledImages> {
    size.check()?;
    read_all(paths, size, skip_broken, progress, |bytes| decode_and_resize(bytes, size))
}

/// Decodes and resizes one image: bytes of the shape (height, width, channels).
///
/// ```no_run
/// # use std::path::Path;
/// use tallynet::datasets::{ImageShape, images};
///
/// let size = ImageShape { height: 28, width: 28, channels: 1 };
/// let image = images::read_image(Path::new("seven.png"), size)?;
/// assert_eq!(image.shape(), [28, 28, 1]);
/// # Ok::<(), tallynet::Error>(())
/// ```
///
/// # Errors
/// A file that cannot be read, and one that is not an intact PNG or JPEG.
pub fn read_image(path: &Path, size: ImageShape) -> Result<ArrayD<u8>> {
    size.check()?;
    let ImageShape { height, width, channels } = size;
    array(&[height, width, channels], read_bytes(path, size)?)
}

/// Decodes an image in memory and resizes it.
///
/// # Errors
/// As [`read_image`].
#[cfg(feature = "images")]
pub fn decode_and_resize(bytes: &[u8], size: ImageShape) -> Result<Vec<u8>> {
    let (pixels, from) = decode::decode(bytes, size.channels)?;
    Ok(resize::resize(&pixels, from, size))
}

/// Decodes an image in memory and resizes it.
///
/// # Errors
/// As [`read_image`].
#[cfg(not(feature = "images"))]
pub fn decode_and_resize(_: &[u8], _: ImageShape) -> Result<Vec<u8>> {
    Err(no_images())
}

/// Error of a build without the feature.
#[cfg(not(feature = "images"))]
fn no_images() -> Error {
    let help = "build tallynet with its feature `images`: cargo build --release --features images";
    Error::format("this build of tallynet does not support images", help)
}
