//! Decoding of PNG and JPEG to gray or RGB bytes.
//!
//! The decoders are those of the `image` crate, `png` and `zune-jpeg`, used directly: `image` adds
//! a library for color profiles, which are ignored here as in Keras, and takes 54 s of CPU to
//! build instead of 8 s.

use super::digit::Gray;
use super::{ImageShape, exif, jpeg};
use crate::datasets::source::unexpected;
use crate::{Error, Result};

/// Largest decoded image in bytes: 89 megapixels in color.
const MAX_BYTES: usize = 256 << 20;

const AGAIN: &str = "download or save it again as PNG or JPEG, or delete it";

/// Decoded image: bytes, rows from the top, channels last.
pub(super) struct Decoded {
    pub height: usize,
    pub width: usize,
    pub pixels: Pixels,
    /// Orientation that the camera noted, from 1 to 8.
    pub orientation: u8,
}

/// Pixels by their channels.
pub(super) enum Pixels {
    Gray(Vec<u8>),
    GrayAlpha(Vec<u8>),
    Rgb(Vec<u8>),
    RgbAlpha(Vec<u8>),
}

/// Decodes an image, whose first bytes name its format, into this number of channels: 1 or 3.
pub(super) fn decode(bytes: &[u8], channels: usize) -> Result<(Vec<u8>, ImageShape)> {
    let Decoded { height, width, pixels, .. } = decode_any(bytes)?;
    let bytes = if channels == 1 { pixels.into_gray() } else { pixels.into_rgb() };
    Ok((bytes, ImageShape { height, width, channels }))
}

/// Decodes an image to gray as the camera saw it: turned by the orientation that it noted.
pub(super) fn decode_upright(bytes: &[u8]) -> Result<Gray> {
    let Decoded { height, width, pixels, orientation } = decode_any(bytes)?;
    Ok(exif::upright(Gray { height, width, pixels: pixels.into_gray() }, orientation))
}

fn decode_any(bytes: &[u8]) -> Result<Decoded> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => decode_png(bytes),
        [0xff, 0xd8, 0xff, ..] => jpeg::decode(bytes),
        _ => Err(no_image(bytes)),
    }
}

/// Size and channels by the header of an image; `None` if it is broken.
pub(super) fn size(bytes: &[u8]) -> Option<ImageShape> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => {
            let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
            decoder.set_transformations(png::Transformations::normalize_to_color8());
            let reader = decoder.read_info().ok()?;
            let (width, height) = reader.info().size();
            let is_gray = reader.output_color_type().0.samples() < 3;
            let channels = if is_gray { 1 } else { 3 };
            Some(ImageShape { height: height as usize, width: width as usize, channels })
        }
        [0xff, 0xd8, 0xff, ..] => jpeg::size(bytes),
        _ => None,
    }
}

/// Error for a file that is neither PNG nor JPEG.
fn no_image(bytes: &[u8]) -> Error {
    let format = match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "WebP",
        [b'G', b'I', b'F', ..] => "GIF",
        [b'B', b'M', ..] => "BMP",
        [b'I', b'I', 42, 0, ..] | [b'M', b'M', 0, 42, ..] => "TIFF",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "HEIC or AVIF",
        _ => {
            let start = &bytes[..bytes.len().min(4096)];
            return unexpected("a PNG or JPEG image", start, AGAIN);
        }
    };
    Error::format(format!("a PNG or JPEG image is expected here, but this is {format}"), AGAIN)
}

/// Error for bytes that are damaged.
pub(super) fn damaged(problem: impl std::fmt::Display) -> Error {
    Error::format(format!("the image is damaged or cut off ({problem})"), AGAIN)
}

/// Error for an image that is decoded by other programs, but not here.
pub(super) fn unsupported(problem: &str) -> Error {
    Error::format(problem, AGAIN)
}

/// Checks the size before memory is allocated for it.
pub(super) fn check_size(width: usize, height: usize, bytes_per_pixel: usize) -> Result<()> {
    let bytes = width.saturating_mul(height).saturating_mul(bytes_per_pixel);
    if bytes == 0 {
        return Err(damaged(format!("{width} × {height} pixels")));
    }
    if bytes <= MAX_BYTES {
        return Ok(());
    }
    let found = format!(
        "the image has {width} × {height} pixels, which take {} MB decoded; at most {} MB are \
         read",
        bytes >> 20,
        MAX_BYTES >> 20
    );
    Err(Error::format(found, "make it smaller, or delete it"))
}

fn decode_png(bytes: &[u8]) -> Result<Decoded> {
    let limits = png::Limits { bytes: MAX_BYTES };
    let mut decoder = png::Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
    // Gray or RGB with 8 bits per channel, as Keras does: palettes are expanded, and of 16 bits the
    // upper 8 are kept.
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = reader.info().size();
    let (width, height) = (width as usize, height as usize);
    check_size(width, height, reader.output_color_type().0.samples())?;
    let len = reader.output_buffer_size().ok_or_else(|| damaged("too large"))?;
    let mut pixels = vec![0; len];
    let frame = reader.next_frame(&mut pixels).map_err(damaged)?;
    let n_bytes = width * height * frame.color_type.samples();
    if pixels.len() != n_bytes || frame.buffer_size() != n_bytes {
        return Err(damaged("its header and its data disagree about the size"));
    }
    let pixels = match frame.color_type {
        png::ColorType::Grayscale => Pixels::Gray(pixels),
        png::ColorType::GrayscaleAlpha => Pixels::GrayAlpha(pixels),
        png::ColorType::Rgb => Pixels::Rgb(pixels),
        png::ColorType::Rgba => Pixels::RgbAlpha(pixels),
        png::ColorType::Indexed => return Err(damaged("its palette is missing")),
    };
    let orientation = reader.info().exif_metadata.as_deref().map_or(1, exif::orientation);
    Ok(Decoded { height, width, pixels, orientation })
}

impl Pixels {
    fn into_gray(self) -> Vec<u8> {
        match self {
            Pixels::Gray(bytes) => bytes,
            Pixels::GrayAlpha(bytes) => {
                let (pixels, _) = bytes.as_chunks();
                pixels.iter().map(|&[gray, alpha]| over_white(gray, alpha)).collect()
            }
            Pixels::Rgb(bytes) => bytes.as_chunks().0.iter().map(|&rgb| luma(rgb)).collect(),
            Pixels::RgbAlpha(_) => Pixels::Rgb(self.into_rgb()).into_gray(),
        }
    }

    fn into_rgb(self) -> Vec<u8> {
        match self {
            Pixels::Gray(bytes) => bytes.iter().flat_map(|&gray| [gray; 3]).collect(),
            Pixels::GrayAlpha(_) => Pixels::Gray(self.into_gray()).into_rgb(),
            Pixels::Rgb(bytes) => bytes,
            Pixels::RgbAlpha(bytes) => {
                let (pixels, _) = bytes.as_chunks::<4>();
                let pixels = pixels.iter();
                pixels.flat_map(|&[r, g, b, a]| [r, g, b].map(|c| over_white(c, a))).collect()
            }
        }
    }
}

/// Value of a transparent channel in front of white.
fn over_white(value: u8, alpha: u8) -> u8 {
    let (value, alpha) = (u32::from(value), u32::from(alpha));
    ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
}

/// Brightness by ITU-R BT.601, as JPEG itself and Keras define gray.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    let sum = 299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue);
    ((sum + 500) / 1000) as u8
}
