//! Width of the strokes, which a thin pen makes narrower than MNIST's.
//!
//! The width is 2·area/outline: exact for a long straight stroke along an axis, and less for a
//! slanted one, whose outline is counted in steps. By this measure the median of MNIST's images is
//! 2.0 of the 20 pixels of the box, and one in twenty has less than 1.3. Thinner characters are
//! thickened to 1.7 by maxima over neighborhoods.

use super::{BOX_SIDE, Gray};

/// Width in pixels of the box below which strokes are thickened.
const THIN: f64 = 1.3;

/// Width in pixels of the box to which they are thickened.
const USUAL: f64 = 1.7;

/// Value from which a pixel counts as ink.
const HALF: u8 = 128;

/// The character with strokes as wide as usual, if they are thin.
pub(super) fn thickened(mut character: Gray) -> Gray {
    let longest = character.height.max(character.width) as f64;
    let pixel = longest / BOX_SIDE as f64;
    let width = width(&character);
    if width >= THIN * pixel {
        return character;
    }
    // Each time, a stroke gets a pixel wider at both sides.
    let times = ((USUAL * pixel - width) / 2.0 + 0.5).floor() as usize;
    for time in 0..times {
        character = grown(&character, time % 2 == 1);
    }
    character
}

/// Width of the strokes in pixels.
fn width(character: &Gray) -> f64 {
    let is_ink = |y: Option<usize>, x: Option<usize>| match (y, x) {
        (Some(y), Some(x)) if y < character.height && x < character.width => {
            character.pixels[y * character.width + x] >= HALF
        }
        _ => false,
    };
    let mut area = 0;
    let mut outline = 0;
    for y in 0..character.height {
        for x in 0..character.width {
            if !is_ink(Some(y), Some(x)) {
                continue;
            }
            area += 1;
            let neighbors = [
                is_ink(y.checked_sub(1), Some(x)),
                is_ink(Some(y + 1), Some(x)),
                is_ink(Some(y), x.checked_sub(1)),
                is_ink(Some(y), Some(x + 1)),
            ];
            outline += neighbors.iter().filter(|is_ink| !**is_ink).count();
        }
    }
    2.0 * f64::from(area) / outline.max(1) as f64
}

/// The character with a margin of one pixel, each pixel the maximum of it and its neighbors, those
/// at its corners included if `by_corners`: in turn, the two approximate a disk.
fn grown(character: &Gray, by_corners: bool) -> Gray {
    let (height, width) = (character.height + 2, character.width + 2);
    let mut pixels = vec![0; height * width];
    for (i, &value) in character.pixels.iter().enumerate() {
        let (y, x) = (i / character.width + 1, i % character.width + 1);
        for row in y - 1..=y + 1 {
            for column in x - 1..=x + 1 {
                if by_corners || row == y || column == x {
                    let pixel = &mut pixels[row * width + column];
                    *pixel = value.max(*pixel);
                }
            }
        }
    }
    Gray { height, width, pixels }
}
