//! Cells of Keras 3's table, measured in the columns that a terminal gives them: two for a Chinese
//! character or an emoji, none for a combining character.
//!
//! Keras prints its table with Rich. The crate `unicode-width` agrees with Rich 15 about all
//! characters but some vowel signs of Indian scripts, which take one column here and none there.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A row of the boxed table, whose cells have these widths; the last one is aligned to the right.
pub(super) fn boxed_row(bar: &str, cells: [&str; 3], widths: [usize; 3]) -> String {
    let cells = [0, 1, 2].map(|i| wrap(cells[i], widths[i] - 2));
    let mut text = String::new();
    for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
        let [name, shape, count] = [0, 1, 2].map(|i| {
            let cell = cells[i].get(line).map_or("", String::as_str);
            let blanks = " ".repeat((widths[i] - 2).saturating_sub(cell.width()));
            if i < 2 { cell.to_string() + &blanks } else { blanks + cell }
        });
        text += &format!("{bar} {name} {bar} {shape} {bar} {count} {bar}\n");
    }
    text
}

/// Lines of a cell, wrapped at blanks; a word that is too long ends in `…`.
fn wrap(cell: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in cell.split(' ') {
        let length = word.width();
        match lines.last_mut() {
            Some(line) if line.width() + 1 + length <= width => *line += &format!(" {word}"),
            _ if length > width => lines.push(truncated(word, width)),
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// The beginning of a word and `…`, in this number of columns. A blank fills the column that is
/// left by a character of two.
fn truncated(word: &str, width: usize) -> String {
    let mut text = String::new();
    let mut columns = 0;
    for character in word.chars() {
        let more = character.width().unwrap_or(0);
        if columns + more > width - 1 {
            break;
        }
        text.push(character);
        columns += more;
    }
    text + &" ".repeat(width - 1 - columns) + "…"
}
