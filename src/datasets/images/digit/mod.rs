//! Photos of a written character, prepared as the images of MNIST were.
//!
//! MNIST's images came from black and white scans, each "size normalized to fit in a 20x20 pixel
//! box while preserving their aspect ratio", with gray levels from "the anti-aliasing technique
//! used by the normalization algorithm", and "centered in a 28x28 image by computing the center of
//! mass of the pixels" (<http://yann.lecun.com/exdb/mnist/>; Y. LeCun and others, Gradient-based
//! learning applied to document recognition, 1998). A photo also has paper, shadows and specks:
//!
//! 1. An image of 28×28 whose border is dark on average is MNIST's already and stays as it is.
//! 2. Gray bytes, reduced by area averaging to at most 512 pixels a side.
//! 3. Ink and paper (`ink.rs`): the lighting is estimated and divided out, and Otsu's threshold
//!    separates the two. Ink may be darker or lighter than the paper. Without contrast there is an
//!    error.
//! 4. Parts (`parts.rs`): connected ink. Specks, and edges of the paper, are left out.
//! 5. Strokes that are thinner than almost all of MNIST's are thickened (`stroke.rs`).
//! 6. The box around the parts is scaled by area averaging, so that its longer side is 20 pixels.
//! 7. It is put into 28×28 so that the center of mass, rounded to whole pixels, is at (14, 14).
//!
//! Only sums, products, quotients and roundings of IEEE doubles occur, each in a fixed order, so
//! that the same steps in another language give the same bytes.

mod area;
mod ink;
mod parts;
mod stroke;

use crate::{Error, Result};

/// Height and width of an image of MNIST.
pub(super) const SIDE: usize = 28;

/// Longer side of the character in it.
const BOX_SIDE: usize = 20;

/// Coordinate of the center of mass, where the first pixel has the coordinate 0.
const CENTER: f64 = 14.0;

/// Longer side of the images in which ink is searched.
const MAX_SIDE: usize = 512;

/// Mean of the border from which an image of 28×28 is not one of MNIST's.
const BRIGHT: usize = 128;

/// Gray image: rows from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gray {
    pub height: usize,
    pub width: usize,
    pub pixels: Vec<u8>,
}

/// Prepares a photo of a character: 28×28 bytes, light ink on black.
///
/// # Errors
/// An image without ink.
pub(super) fn prepare(photo: Gray) -> Result<Vec<u8>> {
    if is_prepared(&photo) {
        return Ok(photo.pixels);
    }
    let photo = reduced(photo);
    let Some(ink) = ink::of(&photo) else {
        return Err(Error::format(
            "no ink is seen: the image has almost the same brightness everywhere",
            "take a photo of one character, dark on light paper or light on dark",
        ));
    };
    let character = stroke::thickened(parts::character(&ink));
    Ok(centered(&scaled(&character, BOX_SIDE)).pixels)
}

/// True for an image of MNIST's size with a dark border.
fn is_prepared(photo: &Gray) -> bool {
    if (photo.height, photo.width) != (SIDE, SIDE) {
        return false;
    }
    let mut sum = 0;
    let mut n = 0;
    for (i, &pixel) in photo.pixels.iter().enumerate() {
        let (y, x) = (i / SIDE, i % SIDE);
        if y == 0 || x == 0 || y == SIDE - 1 || x == SIDE - 1 {
            sum += usize::from(pixel);
            n += 1;
        }
    }
    sum < BRIGHT * n
}

/// The photo, reduced if it is large.
fn reduced(photo: Gray) -> Gray {
    if photo.height.max(photo.width) <= MAX_SIDE {
        return photo;
    }
    scaled(&photo, MAX_SIDE)
}

/// The image with its longer side scaled to this length; the shorter one keeps the aspect ratio.
fn scaled(image: &Gray, longer_side: usize) -> Gray {
    let longest = image.height.max(image.width);
    // Half a pixel is rounded up.
    let scale = |side: usize| ((2 * side * longer_side + longest) / (2 * longest)).max(1);
    area::resize(image, scale(image.height), scale(image.width))
}

/// The character in 28×28, by its center of mass.
fn centered(character: &Gray) -> Gray {
    let mut mass = 0.0;
    let mut moment_y = 0.0;
    let mut moment_x = 0.0;
    for (i, &pixel) in character.pixels.iter().enumerate() {
        let pixel = f64::from(pixel);
        mass += pixel;
        moment_y += pixel * (i / character.width) as f64;
        moment_x += pixel * (i % character.width) as f64;
    }
    let top = offset(moment_y / mass, character.height);
    let left = offset(moment_x / mass, character.width);
    let mut pixels = vec![0; SIDE * SIDE];
    for (y, row) in character.pixels.chunks_exact(character.width).enumerate() {
        pixels[(top + y) * SIDE + left..][..character.width].copy_from_slice(row);
    }
    Gray { height: SIDE, width: SIDE, pixels }
}

/// First coordinate of a character of this length, so that its center of mass is in the middle and
/// nothing of it is outside.
fn offset(center_of_mass: f64, length: usize) -> usize {
    // A cast takes NaN and negative numbers to 0.
    let offset = (CENTER - center_of_mass + 0.5).floor() as usize;
    offset.min(SIDE - length)
}
