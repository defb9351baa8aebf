//! Photos of written characters, to predict from with models of MNIST.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::{ImageShape, Inputs};
use super::{array, reserve};
use crate::{Error, Result};

/// Size of MNIST's images.
const MNIST: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

/// Decodes photos of one written character each and prepares them as MNIST's images were: bytes of
/// the shape (photos, 28, 28, 1), light ink on black. A photo is turned as its camera noted (EXIF).
/// `progress` gets the number of photos that are done.
///
/// # Errors
/// A file that cannot be read, one that is not an intact PNG or JPEG, a photo without ink, and too
/// little memory.
pub fn read_digits(paths: &[PathBuf], progress: &mut dyn FnMut(usize)) -> Result<Inputs> {
    let mut values = reserve(MNIST, paths.len())?;
    for (i, path) in paths.iter().enumerate() {
        values.extend_from_slice(&read_digit(path)?);
        progress(i + 1);
    }
    let ImageShape { height, width, channels } = MNIST;
    Ok(Inputs::bytes(array(&[paths.len(), height, width, channels], values)?))
}

fn read_digit(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    prepare_digit(&bytes).map_err(|error| error.in_file(path))
}

/// Decodes a photo of a written character in memory and prepares it as MNIST's images were: 28×28
/// bytes, rows from the top.
///
/// # Errors
/// As [`read_digits`].
#[cfg(feature = "images")]
pub fn prepare_digit(bytes: &[u8]) -> Result<Vec<u8>> {
    use super::{decode, digit};

    digit::prepare(decode::decode_upright(bytes)?)
}

/// Decodes a photo of a written character in memory and prepares it as MNIST's images were.
///
/// # Errors
/// As [`read_digits`].
#[cfg(not(feature = "images"))]
pub fn prepare_digit(_: &[u8]) -> Result<Vec<u8>> {
    // The message says that the feature is missing.
    super::decode_and_resize(&[], MNIST)
}
