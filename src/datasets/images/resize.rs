//! Bilinear resizing with the numbers of `tf.image.resize`, which Keras's
//! `image_dataset_from_directory` uses: centers of pixels at halves, and no smoothing when a
//! image becomes smaller.

use super::ImageShape;

/// Two neighbors of a position between pixels.
struct Neighbors {
    lower: usize,
    upper: usize,
    /// Distance from the lower one, from 0 to 1.
    fraction: f32,
}

/// Resizes an image, rows from the top and channels last, to the height and width of `to`. Values
/// are rounded to bytes, where Keras keeps fractions.
pub(super) fn resize(bytes: &[u8], from: ImageShape, to: ImageShape) -> Vec<u8> {
    if from == to {
        return bytes.to_vec();
    }
    let columns = neighbors(from.width, to.width);
    let row_len = from.width * from.channels;
    let mut resized = Vec::with_capacity(to.height * to.width * from.channels);
    for y in neighbors(from.height, to.height) {
        let upper_row = &bytes[y.lower * row_len..][..row_len];
        let lower_row = &bytes[y.upper * row_len..][..row_len];
        for x in &columns {
            for channel in 0..from.channels {
                let between = |row: &[u8]| {
                    let left = f32::from(row[x.lower * from.channels + channel]);
                    let right = f32::from(row[x.upper * from.channels + channel]);
                    left + (right - left) * x.fraction
                };
                let (top, bottom) = (between(upper_row), between(lower_row));
                let value = top + (bottom - top) * y.fraction;
                resized.push((value + 0.5) as u8);
            }
        }
    }
    resized
}

/// Neighbors of each of `to` positions along an axis of `from` pixels.
fn neighbors(from: usize, to: usize) -> Vec<Neighbors> {
    let scale = from as f32 / to as f32;
    let mut all = Vec::with_capacity(to);
    for position in 0..to {
        let center = (position as f32 + 0.5) * scale - 0.5;
        let floor = center.floor();
        // Casts of negative numbers give 0.
        let lower = (floor as usize).min(from - 1);
        let upper = (center.ceil() as usize).min(from - 1);
        all.push(Neighbors { lower, upper, fraction: center - floor });
    }
    all
}
