//! Plain text tables and numbers.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Formats a table. Each column is as wide as its widest cell, with two blanks between columns; a
/// head that begins with `>` aligns its column to the right. Control characters are printed as `?`.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let names =
        heads.iter().map(|head| head.strip_prefix('>').unwrap_or(head).to_string()).collect();
    let lines: Vec<&Vec<String>> = [&names].into_iter().chain(rows).collect();
    let mut texts = vec![String::new(); lines.len()];
    for (i, head) in heads.iter().enumerate() {
        let length = |line: &Vec<String>| line[i].chars().count();
        let width = lines.iter().map(|line| length(line)).max().unwrap_or(0);
        for (line, text) in lines.iter().zip(&mut texts) {
            // `{:width$}` panics beyond 65,535, and a name from a file may be longer.
            let blanks = " ".repeat(width - length(line));
            let cell = line[i].replace(char::is_control, "?");
            *text += &if head.starts_with('>') { blanks + &cell } else { cell + &blanks };
            *text += "  ";
        }
    }
    texts.iter().map(|text| text.trim_end().to_string() + "\n").collect()
}

/// `7850` as `7,850`.
pub fn with_commas(number: usize) -> String {
    match number {
        0..1000 => number.to_string(),
        _ => format!("{},{:03}", with_commas(number / 1000), number % 1000),
    }
}

/// The beginning of a text that is longer than this number of columns, and `…`.
pub fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let mut short = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        short.push(character);
    }
    short + "…"
}
