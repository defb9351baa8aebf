//! Connected parts of the ink, and those of them that are the character.

use super::Gray;
use super::ink::Ink;

/// Fraction of the largest part's area below which a part is a speck: one in 20.
const SPECK: usize = 20;

/// Fraction of the largest part's area below which the parts inside are not the character, but
/// those at the border are: one in 50.
const INSIDE: usize = 50;

/// Pixels of ink that touch each other, at their corners too.
struct Part {
    pixels: Vec<usize>,
    /// True if it reaches two or more sides of the image, as the edge of the paper and ruled lines
    /// do.
    is_edge: bool,
}

/// The character, cut out: 255 for full ink, 0 outside of its parts.
pub(super) fn character(ink: &Ink) -> Gray {
    let mut parts = connected(ink);
    let area = |parts: &mut dyn Iterator<Item = &Part>| {
        parts.map(|part| part.pixels.len()).max().unwrap_or(0)
    };
    let largest = area(&mut parts.iter());
    let largest_inside = area(&mut parts.iter().filter(|part| !part.is_edge));
    if largest_inside * INSIDE >= largest {
        parts.retain(|part| !part.is_edge);
    }
    let largest = area(&mut parts.iter());
    parts.retain(|part| part.pixels.len() * SPECK >= largest);
    cut_out(ink, &parts)
}

/// The parts of the ink, in the order of their first pixels.
fn connected(ink: &Ink) -> Vec<Part> {
    let mut is_open: Vec<bool> = ink.values.iter().map(|value| *value > ink.threshold).collect();
    let mut parts = vec![];
    for start in 0..is_open.len() {
        if !is_open[start] {
            continue;
        }
        is_open[start] = false;
        let mut pixels = vec![start];
        let mut n_visited = 0;
        while n_visited < pixels.len() {
            let pixel = pixels[n_visited];
            n_visited += 1;
            let (y, x) = (pixel / ink.width, pixel % ink.width);
            for row in y.saturating_sub(1)..(y + 2).min(ink.height) {
                for column in x.saturating_sub(1)..(x + 2).min(ink.width) {
                    let neighbor = row * ink.width + column;
                    if is_open[neighbor] {
                        is_open[neighbor] = false;
                        pixels.push(neighbor);
                    }
                }
            }
        }
        let is_edge = n_sides(&pixels, ink) > 1;
        parts.push(Part { pixels, is_edge });
    }
    parts
}

/// Number of sides of the image that these pixels reach.
fn n_sides(pixels: &[usize], ink: &Ink) -> usize {
    let bounds = Bounds::of(pixels, ink.width);
    usize::from(bounds.top == 0)
        + usize::from(bounds.left == 0)
        + usize::from(bounds.bottom + 1 == ink.height)
        + usize::from(bounds.right + 1 == ink.width)
}

/// Rectangle around pixels, whose last row and column belong to it.
struct Bounds {
    top: usize,
    bottom: usize,
    left: usize,
    right: usize,
}

impl Bounds {
    fn of(pixels: &[usize], width: usize) -> Bounds {
        let mut bounds = Bounds { top: usize::MAX, bottom: 0, left: usize::MAX, right: 0 };
        for pixel in pixels {
            let (y, x) = (pixel / width, pixel % width);
            bounds.top = bounds.top.min(y);
            bounds.bottom = bounds.bottom.max(y);
            bounds.left = bounds.left.min(x);
            bounds.right = bounds.right.max(x);
        }
        bounds
    }
}

/// The rectangle around the parts, with their ink alone. Ink of the mean level and above is 255.
fn cut_out(ink: &Ink, parts: &[Part]) -> Gray {
    let all: Vec<usize> = parts.iter().flat_map(|part| part.pixels.iter().copied()).collect();
    let bounds = Bounds::of(&all, ink.width);
    let (height, width) = (bounds.bottom + 1 - bounds.top, bounds.right + 1 - bounds.left);
    let mut pixels = vec![0; height * width];
    for pixel in all {
        let (y, x) = (pixel / ink.width - bounds.top, pixel % ink.width - bounds.left);
        let value = 255.0 * f64::from(ink.values[pixel]) / ink.level;
        pixels[y * width + x] = (value.min(255.0) + 0.5).floor() as u8;
    }
    Gray { height, width, pixels }
}
