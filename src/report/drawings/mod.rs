//! Drawings for a person at a terminal, as lines of text: images, bars, curves and matrices.
//!
//! The command line draws only on a terminal ([`Terminal::at_stdout`]), never into a file or a
//! pipe. The chart crates for terminals were no help: `textplots` draws dots of braille, which a
//! screen without colors cannot tell apart as two curves, and `rasciigraph` one curve; both are
//! older than these few lines are long.

mod bars;
mod confusion;
mod curve;
mod half_blocks;
mod terminal;

pub use bars::{Bar, bars};
pub use confusion::confusion;
pub use curve::{Curve, curves};
pub use half_blocks::{half_blocks, image_columns};
pub use terminal::{Color, Colors, Terminal};

use unicode_width::UnicodeWidthStr;

use crate::table::shortened;

/// Name without control characters, which could steer a terminal, cut to this many columns.
///
/// ```
/// assert_eq!(tallynet::report::drawings::label("a\x1b[2J long name", 8), "a?[2J l…");
/// ```
pub fn label(name: &str, columns: usize) -> String {
    let printable: String =
        name.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    shortened(&printable, columns)
}

/// Blanks that fill a label to this many columns.
fn padding(label: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(label.width()))
}

/// Blocks of lines side by side, two columns apart. `width` is that of each line of the left one.
pub fn side_by_side(left: &[String], width: usize, right: &[String]) -> Vec<String> {
    let mut lines = vec![];
    for i in 0..left.len().max(right.len()) {
        let blank = " ".repeat(width);
        let left = left.get(i).unwrap_or(&blank);
        let line = match right.get(i) {
            Some(right) => format!("{left}  {right}"),
            None => left.clone(),
        };
        lines.push(line);
    }
    lines
}
