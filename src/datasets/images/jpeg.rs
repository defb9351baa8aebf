//! Decoding of JPEG.
//!
//! The decoder fills the rest of a truncated image with gray, and it inverts some CMYK images.
//! TensorFlow refuses the first, so both are errors here.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::super::ImageShape;
use super::decode::{Decoded, Pixels, check_size, damaged, unsupported};
use super::exif;
use crate::Result;

/// Marker of the end of an image, after 0xff.
const END: u8 = 0xd9;

/// Largest number of pixels in a byte: a block of 8×8 pixels takes at least a bit.
const PIXELS_PER_BYTE: usize = 512;

/// Decodes a JPEG to gray or RGB bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded> {
    if !has_end(bytes) {
        return Err(damaged("its end is missing"));
    }
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(usize::MAX)
        .set_max_height(usize::MAX);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(damaged)?;
    let (Some((width, height)), Some(colors)) = (decoder.dimensions(), decoder.input_colorspace())
    else {
        return Err(damaged("its header is missing"));
    };
    check_size(width, height, 3)?;
    // The decoder would fill tens of megapixels with gray that a few bytes only claim.
    if width * height / PIXELS_PER_BYTE > bytes.len() {
        let n = bytes.len();
        return Err(damaged(format!("{n} bytes cannot hold {width} × {height} pixels")));
    }
    let output = match colors {
        ColorSpace::Luma => ColorSpace::Luma,
        ColorSpace::RGB | ColorSpace::YCbCr => ColorSpace::RGB,
        ColorSpace::CMYK | ColorSpace::YCCK => {
            return Err(unsupported("this JPEG is in CMYK, the print colors"));
        }
        _ => return Err(unsupported("this JPEG is neither gray nor in color")),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(output));
    let pixels = decoder.decode().map_err(damaged)?;
    if pixels.len() != width * height * output.num_components() {
        return Err(damaged("its header and its data disagree about the size"));
    }
    let pixels = match output {
        ColorSpace::Luma => Pixels::Gray(pixels),
        _ => Pixels::Rgb(pixels),
    };
    let orientation = decoder.exif().map_or(1, |tiff| exif::orientation(tiff));
    Ok(Decoded { height, width, pixels, orientation })
}

/// Size and channels by the header; `None` if it is broken.
pub(super) fn size(bytes: &[u8]) -> Option<ImageShape> {
    let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
    decoder.decode_headers().ok()?;
    let (width, height) = decoder.dimensions()?;
    let channels = if decoder.input_colorspace()? == ColorSpace::Luma { 1 } else { 3 };
    Some(ImageShape { height, width, channels })
}

/// True if the marker of the end is there. Segments are skipped by their length, because a preview
/// in one of them has an end of its own.
fn has_end(bytes: &[u8]) -> bool {
    let mut at = 2;
    loop {
        let Some(position) = next_marker(bytes, at) else { return false };
        let marker = bytes[position];
        at = position + 1;
        match marker {
            END => return true,
            // Restart markers and others without a length.
            0x01 | 0xd0..=0xd8 => {}
            _ => {
                let Some(&[high, low]) = bytes.get(at..at + 2) else { return false };
                at += usize::from(u16::from_be_bytes([high, low]));
            }
        }
    }
}

/// Position of the next byte that is a marker: it follows 0xff and is neither 0 nor 0xff.
fn next_marker(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let pair = rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff))?;
    Some(from + pair + 1)
}
