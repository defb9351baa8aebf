//! The boxed table of Keras 3.

use super::with_commas;
use crate::Real;
use crate::model::{Sequential, Style};

pub(super) fn render(model: &Sequential, width: usize) -> String {
    // Keras asks for columns that end at 45, 80 and 100 % of the line; what its table library then draws is these,
    // less one blank of padding on either side.
    let ends = [0.45, 0.80, 1.0].map(|share| (share * width as f64) as usize);
    let inner = [ends[0].max(4) - 1, (ends[1] - ends[0]).max(5) - 2, (ends[2] - ends[1]).max(4) - 1];
    let rule = |left: &str, line: &str, middle: &str, right: &str| {
        format!("{left}{}{right}\n", inner.map(|width| line.repeat(width)).join(middle))
    };
    let row = |bar: &str, cells: [&str; 3]| {
        let cells = [0, 1, 2].map(|i| wrap(cells[i], inner[i] - 2));
        let mut text = String::new();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let [name, shape, count] = [0, 1, 2].map(|i| {
                let cell = cells[i].get(line).map_or("", String::as_str);
                let blanks = " ".repeat(inner[i] - 2 - cell.chars().count());
                if i < 2 { cell.to_string() + &blanks } else { blanks + cell }
            });
            text += &format!("{bar} {name} {bar} {shape} {bar} {count} {bar}\n");
        }
        text
    };

    let mut text = format!("Model: \"{}\"\n", model.name) + &rule("┏", "━", "┳", "┓");
    text += &row("┃", ["Layer (type)", "Output Shape", "Param #"]);
    for (i, layer) in model.layers().iter().enumerate() {
        text += &if i == 0 { rule("┡", "━", "╇", "┩") } else { rule("├", "─", "┼", "┤") };
        let (shape, count) = (layer.output.to_string(), with_commas(layer.count_params().0));
        text += &row("│", [&layer.title(Style::Keras3), &shape, &count]);
    }
    text += &rule("└", "─", "┴", "┘");
    for (kind, count) in ["Total", "Trainable", "Non-trainable"].iter().zip(model.totals()) {
        text += &format!(" {kind} params: {} ({})\n", with_commas(count), memory(count * size_of::<Real>()));
    }
    text
}

/// A cell's lines: broken at blanks, and a word that is too long ends in `…`.
fn wrap(cell: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = vec![];
    for word in cell.split(' ') {
        let length = word.chars().count();
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + length <= width => *line += &format!(" {word}"),
            _ if length > width => lines.push(word.chars().take(width - 1).collect::<String>() + "…"),
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// `31400` bytes as `30.66 KB`.
fn memory(bytes: usize) -> String {
    let units = ["B", "KB", "MB", "GB", "TB", "PB"];
    let power = (bytes.max(1).ilog2() as usize / 10).min(units.len() - 1);
    format!("{:.2} {}", bytes as f64 / 1024_f64.powi(power as i32), units[power])
}
