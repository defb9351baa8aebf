//! Pictures inside the page: PNG files as data URIs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use png::{BitDepth, ColorType, Encoder};
use serde::Serialize;

use crate::datasets::ImageShape;
use crate::{Error, Real, Result};

/// Picture with its size in pixels.
#[derive(Debug, Clone, Serialize)]
pub struct Picture {
    /// Data URI.
    pub uri: String,
    pub width: usize,
    pub height: usize,
    /// Words for people who do not see it.
    pub alt: String,
}

/// Size of samples of this shape, if they are gray or RGB images of at least 4 pixels by 4 and at
/// most 512 by 512. Axes of length 1 do not count, but for the channels.
pub fn image_shape(shape: &[usize]) -> Option<ImageShape> {
    let long: Vec<usize> = shape.iter().copied().filter(|length| *length != 1).collect();
    let size = match long[..] {
        [height, width] => ImageShape { height, width, channels: 1 },
        [height, width, 3] => ImageShape { height, width, channels: 3 },
        _ => return None,
    };
    let is_sound = |length: usize| (4..=512).contains(&length);
    Some(size).filter(|size| is_sound(size.height) && is_sound(size.width))
}

/// Picture of the bytes of an image.
pub fn of_bytes(bytes: &[u8], size: ImageShape, alt: String) -> Result<Picture> {
    let color = if size.channels == 3 { ColorType::Rgb } else { ColorType::Grayscale };
    encode(bytes, size, color, alt)
}

/// Bytes from values: those from 0 to 1 times 255, others stretched to that range.
pub fn bytes(values: &[Real]) -> Vec<u8> {
    let finite = values.iter().copied().filter(|value| value.is_finite());
    let low = finite.clone().fold(Real::INFINITY, Real::min);
    let high = finite.fold(Real::NEG_INFINITY, Real::max);
    let is_unit = low >= 0.0 && high <= 1.0;
    let (low, range) = if is_unit { (0.0, 1.0) } else { (low, (high - low).max(1e-12)) };
    // Casts saturate, and make 0 of NaN.
    values.iter().map(|value| ((value - low) / range * 255.0).round() as u8).collect()
}

/// Picture of weights: from orange for `-limit` through white for 0 to blue for `limit`; NaN is
/// magenta.
pub fn of_weights(
    values: &[Real],
    height: usize,
    width: usize,
    limit: Real,
    alt: String,
) -> Result<Picture> {
    let mut rgb = Vec::with_capacity(3 * values.len());
    for value in values {
        if !value.is_finite() {
            rgb.extend([255, 0, 255]);
            continue;
        }
        let share = (value / limit.max(1e-30)).clamp(-1.0, 1.0);
        let end = if share < 0.0 { [179.0, 70.0, 0.0] } else { [5.0, 80.0, 174.0] };
        for channel in end {
            rgb.push((255.0 + (channel - 255.0) * share.abs()).round() as u8);
        }
    }
    encode(&rgb, ImageShape { height, width, channels: 3 }, ColorType::Rgb, alt)
}

fn encode(bytes: &[u8], size: ImageShape, color: ColorType, alt: String) -> Result<Picture> {
    let ImageShape { height, width, .. } = size;
    let failed = |error: png::EncodingError| Error::Data(format!("a picture failed: {error}"));
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(BitDepth::Eight);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(bytes).map_err(failed)?;
    writer.finish().map_err(failed)?;
    let uri = format!("data:image/png;base64,{}", STANDARD.encode(&file));
    Ok(Picture { uri, width, height, alt })
}
