//! Size and color that pictures have in their files.

use std::fs;

use super::{Folder, Picture, PictureSize};
use crate::{Error, Result};

/// Height and width of pictures that differ in size or are large, as in Keras's
/// `image_dataset_from_directory`.
const DEFAULT_SIDE: usize = 256;

/// Number of pictures of each class whose sizes are read.
const PROBED: usize = 3;

impl Folder {
    /// Size to train on, if nothing else gives it: that of the pictures, if the first ones of each
    /// class have one size of at most 256 pixels a side, else 256×256. One channel if those
    /// pictures are gray, else three. Broken pictures do not count. Errors are files that cannot be
    /// read.
    pub fn usual_size(&self) -> Result<PictureSize> {
        let mut sizes: Vec<PictureSize> = vec![];
        let all = || self.train.iter().chain(&self.test);
        for label in 0..self.classes.len() {
            let of_class = all().filter(|picture| picture.label as usize == label);
            for picture in of_class.take(PROBED) {
                sizes.extend(size_of(picture)?);
            }
        }
        let channels = if sizes.iter().all(|size| size.channels == 1) { 1 } else { 3 };
        let default = PictureSize { height: DEFAULT_SIDE, width: DEFAULT_SIDE, channels: 3 };
        let Some(&PictureSize { height, width, .. }) = sizes.first() else { return Ok(default) };
        let are_alike = sizes.iter().all(|size| (size.height, size.width) == (height, width));
        if are_alike && height.max(width) <= DEFAULT_SIDE {
            return Ok(PictureSize { height, width, channels });
        }
        Ok(PictureSize { channels, ..default })
    }
}

/// Size in the file; `None` for a broken picture.
fn size_of(picture: &Picture) -> Result<Option<PictureSize>> {
    let bytes = fs::read(&picture.path).map_err(Error::io("read", &picture.path))?;
    Ok(header(&bytes))
}

/// Size by the header of a file.
#[cfg(feature = "pictures")]
fn header(bytes: &[u8]) -> Option<PictureSize> {
    super::decode::size(bytes)
}

/// Size by the header of a file.
#[cfg(not(feature = "pictures"))]
fn header(_: &[u8]) -> Option<PictureSize> {
    None
}
