//! The boxed table of Keras 3.

use super::with_commas;
use crate::Real;
use crate::model::{Sequential, Style};

pub(super) fn render(model: &Sequential, width: usize) -> String {
    // Keras asks for columns that end at 45, 80 and 100 % of the line; what its table library then draws is these,
    // less one blank of padding on either side.
    let ends: Vec<usize> = [0.45, 0.80, 1.0].iter().map(|share| (share * width as f64) as usize).collect();
    let inner = [ends[0].max(4) - 1, (ends[1] - ends[0]).max(5) - 2, (ends[2] - ends[1]).max(4) - 1];
    let rule = |left: &str, line: &str, middle: &str, right: &str| {
        let [a, b, c] = inner.map(|width| line.repeat(width));
        format!("{left}{a}{middle}{b}{middle}{c}{right}\n")
    };
    let row = |bar: &str, cells: [&str; 3]| {
        let [a, b, c] = [0, 1, 2].map(|i| wrap(cells[i], inner[i] - 2));
        let mut text = String::new();
        for line in 0..a.len().max(b.len()).max(c.len()) {
            let [a, b, c] = [&a, &b, &c].map(|cell| cell.get(line).map_or("", String::as_str));
            let [wa, wb, wc] = inner.map(|width| width - 2);
            text += &format!("{bar} {a:<wa$} {bar} {b:<wb$} {bar} {c:>wc$} {bar}\n");
        }
        text
    };

    let mut text = format!("Model: \"{}\"\n", model.name) + &rule("┏", "━", "┳", "┓");
    text += &row("┃", ["Layer (type)", "Output Shape", "Param #"]);
    for (i, layer) in model.layers().iter().enumerate() {
        text += &if i == 0 { rule("┡", "━", "╇", "┩") } else { rule("├", "─", "┼", "┤") };
        let name = format!("{} ({})", layer.layer_name.in_style(Style::Keras3), layer.spec.class_name());
        let (shape, count) = (layer.output.to_string(), with_commas(layer.count_params().0));
        text += &row("│", [&name, &shape, &count]);
    }
    text += &rule("└", "─", "┴", "┘");
    let (total, trainable) = model.totals();
    for (kind, count) in [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)] {
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
            _ if length > width => {
                lines.push(word.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect());
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// `31400` bytes as `30.66 KB`.
fn memory(bytes: usize) -> String {
    let mut size = bytes as f64;
    let mut units = ["B", "KB", "MB", "GB", "TB", "PB"].iter().peekable();
    let mut unit = "B";
    while let Some(next) = units.next() {
        unit = next;
        if size < 1024.0 || units.peek().is_none() {
            break;
        }
        size /= 1024.0;
    }
    format!("{size:.2} {unit}")
}
