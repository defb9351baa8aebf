//! Orientation that a camera notes in a photo (EXIF 2.32, tag 0x0112, in a directory of TIFF 6.0).

use super::digit::Gray;

const ORIENTATION: u16 = 0x0112;

/// Type of a number of 16 bits.
const SHORT: u16 = 3;

/// Length of an entry of a directory.
const ENTRY: usize = 12;

/// Bytes of a TIFF file in their order.
struct Tiff<'a> {
    bytes: &'a [u8],
    is_little_endian: bool,
}

/// Orientation from 1 to 8, from the bytes that begin with the TIFF header; 1, which is upright, if
/// it is missing or damaged.
pub(super) fn orientation(tiff: &[u8]) -> u8 {
    find_orientation(tiff).unwrap_or(1)
}

fn find_orientation(bytes: &[u8]) -> Option<u8> {
    let is_little_endian = match bytes.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let tiff = Tiff { bytes, is_little_endian };
    let directory = tiff.u32(4)? as usize;
    let n_entries = usize::from(tiff.u16(directory)?);
    for i in 0..n_entries {
        let entry = directory.checked_add(2 + ENTRY * i)?;
        if tiff.u16(entry)? == ORIENTATION && tiff.u16(entry + 2)? == SHORT {
            return u8::try_from(tiff.u16(entry + 8)?).ok().filter(|value| (1..=8).contains(value));
        }
    }
    None
}

impl Tiff<'_> {
    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        let number = if self.is_little_endian { u16::from_le_bytes } else { u16::from_be_bytes };
        Some(number(*bytes))
    }

    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        let number = if self.is_little_endian { u32::from_le_bytes } else { u32::from_be_bytes };
        Some(number(*bytes))
    }
}

/// The image as it was seen: turned and flipped by its orientation.
pub(super) fn upright(image: Gray, orientation: u8) -> Gray {
    let (rows, columns) = (image.height, image.width);
    let is_turned = orientation >= 5;
    let (height, width) = if is_turned { (columns, rows) } else { (rows, columns) };
    if orientation <= 1 {
        return image;
    }
    let mut pixels = Vec::with_capacity(image.pixels.len());
    for y in 0..height {
        for x in 0..width {
            let row = match orientation {
                2 => y,
                3 | 4 => rows - 1 - y,
                5 | 8 => x,
                _ => rows - 1 - x,
            };
            let column = match orientation {
                2 | 3 => columns - 1 - x,
                4 => x,
                5 | 6 => y,
                _ => columns - 1 - y,
            };
            pixels.push(image.pixels[row * columns + column]);
        }
    }
    Gray { height, width, pixels }
}
