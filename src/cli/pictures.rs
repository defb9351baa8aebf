//! Images to predict from: which of the inputs they are, and their preparation for the model.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tallynet::datasets::ImageShape;
use tallynet::datasets::images::{self, UnlabeledImages, read_digits, read_images};
use tallynet::model::Sequential;

use super::images::{FolderFlags, ImageFlags, bar};
use super::{Failure, output};

/// Extensions of images that are not read; the error names their format.
const OTHER_IMAGES: [&str; 8] = ["gif", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif"];

/// Preparation of images for a model.
#[derive(Clone, Copy, PartialEq)]
pub enum Preparation {
    /// As MNIST's images were prepared: ink found, cropped, scaled and centered.
    Digit,
    /// Resizing alone.
    Resize(ImageShape),
}

impl Preparation {
    /// Preparation that a model needs. Images of 28×28 gray pixels are MNIST's, unless the model
    /// was trained on a folder of images or a flag gives their size.
    pub fn of(flags: &ImageFlags, model: &Sequential) -> Result<Preparation, Failure> {
        let is_folder = model.data.as_ref().is_some_and(|data| data.image.is_some());
        let input = model.input_shape().squeezed();
        let is_mnist = model.open_axes().is_empty() && (input == [28, 28] || input == [784]);
        if is_mnist && !is_folder && flags.image_size.is_none() {
            return Ok(Preparation::Digit);
        }
        Ok(Preparation::Resize(flags.size(model)?))
    }

    /// Reads and prepares images. Broken ones that a flag skips are named on stderr.
    pub fn read(self, paths: &[PathBuf], flags: &FolderFlags) -> Result<UnlabeledImages, Failure> {
        let bar = bar(paths.len(), false);
        let progress = &mut |n_done| bar.set_position(n_done as u64);
        let read = match self {
            Preparation::Digit => read_digits(paths, flags.skip_broken, progress),
            Preparation::Resize(size) => read_images(paths, size, flags.skip_broken, progress),
        };
        bar.finish_and_clear();
        let read = read?;
        for error in &read.broken {
            output::notice(&format!("warning: left out: {error}"));
        }
        Ok(read)
    }
}

/// True if this is an image, by its name or its first bytes, or a folder.
pub fn are_images(path: &Path) -> bool {
    let has_extension =
        |known: &str| path.extension().is_some_and(|e| e.eq_ignore_ascii_case(known));
    images::is_image(path)
        || path.is_dir()
        || OTHER_IMAGES.into_iter().any(has_extension)
        || begins_as_image(path)
}

/// True for a file that begins as PNG or JPEG do. A pipe is not opened: it could be read only once.
fn begins_as_image(path: &Path) -> bool {
    let mut bytes = vec![];
    if !path.is_file() {
        return false;
    }
    let file = File::open(path).and_then(|file| file.take(4).read_to_end(&mut bytes));
    file.is_ok() && matches!(bytes[..], [0x89, b'P', b'N', b'G'] | [0xff, 0xd8, 0xff, _])
}

/// Paths of these images, with those in folders in their order.
pub fn paths(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = vec![];
    for input in inputs {
        if input.is_dir() {
            paths.extend(images::find(input)?);
        } else {
            paths.push(input.clone());
        }
    }
    Ok(paths)
}
