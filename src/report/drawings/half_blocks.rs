//! Images on a terminal: two rows of pixels in a line of half blocks, or shades without colors.

use super::{Color, Terminal};
use crate::datasets::ImageShape;

/// Maximum width of a drawn image in columns. Larger images are reduced.
const MAX_WIDTH: usize = 32;

/// Characters from dark to bright, on a dark screen.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

/// Image as lines of text: bytes of the shape (height, width, 1 or 3 channels). Each line is
/// as wide as the image, but at most 32 columns.
///
/// ```
/// use tallynet::datasets::ImageShape;
/// use tallynet::report::drawings::{Colors, Terminal, half_blocks};
///
/// let size = ImageShape { height: 2, width: 3, channels: 1 };
/// let lines = half_blocks(&[0, 130, 255, 0, 130, 255], size, Terminal { colors: Colors::None });
/// assert_eq!(lines, [" ▒█"]);
/// ```
pub fn half_blocks(image: &[u8], size: ImageShape, terminal: Terminal) -> Vec<String> {
    let pixels = reduced(image, size);
    let mut lines = vec![];
    for rows in pixels.chunks(2) {
        let upper = &rows[0];
        let mut line = String::new();
        for (x, &above) in upper.iter().enumerate() {
            let below = rows.get(1).map(|lower| lower[x]);
            line += &if terminal.has_colors() {
                terminal.paint("▀", Some(above), below)
            } else {
                shade(above, below).to_string()
            };
        }
        lines.push(line);
    }
    lines
}

/// Number of columns of a drawn image of this size.
pub fn image_columns(size: ImageShape) -> usize {
    size.width.div_ceil(factor(size))
}

/// Side of the square of pixels that becomes one.
fn factor(size: ImageShape) -> usize {
    size.width.div_ceil(MAX_WIDTH).max(1)
}

/// Rows of pixels, each the mean of a square of the image.
fn reduced(image: &[u8], size: ImageShape) -> Vec<Vec<Color>> {
    let side = factor(size);
    let mut rows = vec![];
    for top in (0..size.height).step_by(side) {
        let mut row = vec![];
        for left in (0..size.width).step_by(side) {
            let mean = |channel: usize| {
                let mut sum = 0;
                let mut n = 0;
                for y in top..(top + side).min(size.height) {
                    for x in left..(left + side).min(size.width) {
                        let at = (y * size.width + x) * size.channels + channel;
                        sum += image.get(at).copied().map_or(0, usize::from);
                        n += 1;
                    }
                }
                (sum / n) as u8
            };
            row.push(if size.channels == 3 {
                Color { red: mean(0), green: mean(1), blue: mean(2) }
            } else {
                Color::gray(mean(0))
            });
        }
        rows.push(row);
    }
    rows
}

/// Character as bright as two pixels, one above the other.
fn shade(above: Color, below: Option<Color>) -> char {
    let brightness = |color: Color| {
        (299 * usize::from(color.red)
            + 587 * usize::from(color.green)
            + 114 * usize::from(color.blue))
            / 1000
    };
    let sum = brightness(above) + below.map_or(0, brightness);
    SHADES[(sum * (SHADES.len() - 1) + 255) / 510]
}
