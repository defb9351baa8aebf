//! Scaling by area averaging: each pixel is the mean of the area that it covers.

use super::Gray;

/// Source pixels that a scaled pixel covers along an axis.
struct Span {
    first: usize,
    /// Share of each source pixel, from the first; together 1.
    weights: Vec<f64>,
}

/// Scales an image, to a larger or a smaller one. Halves are rounded up.
pub(super) fn resize(image: &Gray, height: usize, width: usize) -> Gray {
    let rows = spans(image.height, height);
    let columns = spans(image.width, width);
    let mut pixels = Vec::with_capacity(height * width);
    for row in &rows {
        for column in &columns {
            let mut sum = 0.0;
            for (i, weight) in row.weights.iter().enumerate() {
                let start = (row.first + i) * image.width + column.first;
                let mut row_sum = 0.0;
                for (pixel, share) in image.pixels[start..].iter().zip(&column.weights) {
                    row_sum += f64::from(*pixel) * share;
                }
                sum += weight * row_sum;
            }
            pixels.push((sum + 0.5).floor() as u8);
        }
    }
    Gray { height, width, pixels }
}

/// Spans of `to` pixels along an axis of `from`.
fn spans(from: usize, to: usize) -> Vec<Span> {
    let scale = from as f64 / to as f64;
    let mut all = Vec::with_capacity(to);
    for position in 0..to {
        let start = position as f64 * scale;
        let end = start + scale;
        let first = (start.floor() as usize).min(from - 1);
        let after = (end.ceil() as usize).clamp(first + 1, from);
        let mut weights = vec![];
        for i in first..after {
            let overlap = end.min((i + 1) as f64) - start.max(i as f64);
            weights.push(overlap.max(0.0) / scale);
        }
        all.push(Span { first, weights });
    }
    all
}
