//! Photos of written characters, to predict from with models of MNIST.

use std::path::PathBuf;

use super::super::ImageShape;
use super::UnlabeledImages;
use super::read::read_all;
use crate::Result;

/// Size of MNIST's images.
const MNIST: ImageShape = ImageShape { height: 28, width: 28, channels: 1 };

/// Decodes photos of one written character each and prepares them as MNIST's images were: bytes of
/// the shape (photos, 28, 28, 1), light ink on black. A photo is turned as its camera noted (EXIF).
/// `progress` gets the number of photos that are done.
///
/// # Errors
/// A file that cannot be read, one that is not an intact PNG or JPEG, a photo without ink, and too
/// little memory. With `skip_broken`, broken files and photos without ink are left out, and an
/// error only if all are.
pub fn read_digits(
    paths: &[PathBuf],
    skip_broken: bool,
    progress: &mut dyn FnMut(usize),
) -> Result<UnlabeledImages> {
    read_all(paths, MNIST, skip_broken, progress, prepare_digit)
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
    Err(super::no_images())
}
