//! A plain table for a person to read.

/// Lays rows out in columns as wide as their widest cell, two blanks apart: columns whose head
/// begins with `>` to the right, the others to the left.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let right: Vec<bool> = heads.iter().map(|head| head.starts_with('>')).collect();
    let heads = heads.iter().map(|head| head.trim_start_matches('>').to_string()).collect();
    let lines: Vec<&Vec<String>> = [&heads].into_iter().chain(rows).collect();
    let length = |cell: &String| cell.chars().count();
    let widths: Vec<usize> = (0..heads.len())
        .map(|i| lines.iter().map(|line| length(&line[i])).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).zip(&right).map(|((cell, width), right)| {
            // Not by a format's width, which ends the program where a name from a file is longer
            // than 65,535.
            let blanks = " ".repeat(width - length(cell));
            if *right { blanks + cell } else { cell.clone() + &blanks }
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text += "\n";
    }
    text
}
