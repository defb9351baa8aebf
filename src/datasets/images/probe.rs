//! Size and color that images have in their files.

use std::fs;

use super::{Folder, ImageShape, LabeledImage};
use crate::{Error, Result};

/// Height and width of images that differ in size or are large, as in Keras's
/// `image_dataset_from_directory`.
const DEFAULT_SIDE: usize = 256;

/// Number of images of each class whose sizes are read.
const PROBED: usize = 3;

impl Folder {
    /// Size to train on, if nothing else gives it: that of the images, if the first ones of each
    /// class have one size of at most 256 pixels a side, else 256×256. One channel if those
    /// images are gray, else three. Broken images do not count. Errors are files that cannot be
    /// read.
    pub fn usual_size(&self) -> Result<ImageShape> {
        let mut sizes: Vec<ImageShape> = vec![];
        let all = || self.train.iter().chain(&self.test);
        for label in 0..self.classes.len() {
            let of_class = all().filter(|image| image.label as usize == label);
            for image in of_class.take(PROBED) {
                sizes.extend(size_of(image)?);
            }
        }
        let channels = if sizes.iter().all(|size| size.channels == 1) { 1 } else { 3 };
        let default = ImageShape { height: DEFAULT_SIDE, width: DEFAULT_SIDE, channels: 3 };
        let Some(&ImageShape { height, width, .. }) = sizes.first() else { return Ok(default) };
        let are_alike = sizes.iter().all(|size| (size.height, size.width) == (height, width));
        if are_alike && height.max(width) <= DEFAULT_SIDE {
            return Ok(ImageShape { height, width, channels });
        }
        Ok(ImageShape { channels, ..default })
    }
}

/// Size in the file; `None` for a broken image.
fn size_of(image: &LabeledImage) -> Result<Option<ImageShape>> {
    let bytes = fs::read(&image.path).map_err(Error::io("read", &image.path))?;
    Ok(header(&bytes))
}

/// Size by the header of a file.
#[cfg(feature = "images")]
fn header(bytes: &[u8]) -> Option<ImageShape> {
    super::decode::size(bytes)
}

/// Size by the header of a file.
#[cfg(not(feature = "images"))]
fn header(_: &[u8]) -> Option<ImageShape> {
    None
}
