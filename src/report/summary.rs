//! Summary of a model in the style of Keras 1, 2 or 3, and the explanation of its parameter counts.
//!
//! The total counts the model's parameters only; Keras 3 adds the optimizer's variables after a
//! `fit`.

use super::columns::boxed_row;
use crate::Real;
use crate::layers::ParamExplanation;
use crate::model::{BuiltLayer, ParamCount, Sequential, Style};
use crate::shape::Tuple;
use crate::table::with_commas;

/// Kinds of parameters that a summary counts.
const KINDS: [&str; 3] = ["Total", "Trainable", "Non-trainable"];

impl Sequential {
    /// The summary as this major version of Keras prints it, ending in a line break.
    ///
    /// `width` is the length of a line: by default 100 for Keras 1, 65 for Keras 2, and 76 for
    /// Keras 3, as on a terminal of 80 columns.
    pub fn summary(&self, style: Style, width: Option<usize>) -> String {
        match style {
            Style::Keras1 => {
                self.plain_table(style, &[0.33, 0.55, 0.67, 1.0], width.unwrap_or(100))
            }
            Style::Keras2 => self.plain_table(style, &[0.45, 0.85, 1.0], width.unwrap_or(65)),
            Style::Keras3 => self.boxed_table(width.unwrap_or(76)),
        }
    }

    /// Table of Keras 1.0.4 to 1.1.1 and 2.0.0 to 2.2.4. `shares` are the ends of the columns,
    /// relative to the width.
    fn plain_table(&self, style: Style, shares: &[f64], width: usize) -> String {
        let keras1 = style == Style::Keras1;
        let ends: Vec<usize> = shares.iter().map(|share| (share * width as f64) as usize).collect();
        let row = |cells: [&str; 4]| plain_row(cells, &ends, !keras1);
        let (thin, thick) = ("_".repeat(width) + "\n", "=".repeat(width) + "\n");

        let mut text = thin.clone()
            + &row(["Layer (type)", "Output Shape", "Param #", "Connected to"])
            + &thick;
        let nodes = self.inbound_nodes(style);
        for (i, (layer, node)) in self.layers().iter().zip(&nodes).enumerate() {
            let count = layer.count_params().total.to_string();
            let inbound = format!("{}[0][0]", node.inbound_layer);
            text += &row([&layer.title(style), &node.output_shape, &count, &inbound]);
            text += if i + 1 == self.layers().len() { &thick } else { &thin };
        }
        let ParamCount { total, trainable } = self.total_params();
        if keras1 {
            text += &format!("Total params: {total}\n");
        } else {
            let counts = [total, trainable, total - trainable].map(with_commas);
            for (kind, count) in KINDS.iter().zip(counts) {
                text += &format!("{kind} params: {count}\n");
            }
        }
        text + &thin
    }

    /// Table of Keras 3.
    fn boxed_table(&self, width: usize) -> String {
        // Keras requests columns that end at 45, 80 and 100 % of the line. `inner` are the
        // resulting widths between two bars, with a blank of padding on either side.
        let ends = [0.45, 0.80, 1.0].map(|share| (share * width as f64) as usize);
        let inner =
            [ends[0].max(4) - 1, (ends[1] - ends[0]).max(5) - 2, (ends[2] - ends[1]).max(4) - 1];
        let rule = |left: &str, line: &str, middle: &str, right: &str| {
            format!("{left}{}{right}\n", inner.map(|width| line.repeat(width)).join(middle))
        };
        let row = |bar: &str, cells: [&str; 3]| boxed_row(bar, cells, inner);

        let mut text = format!("Model: \"{}\"\n", self.name) + &rule("┏", "━", "┳", "┓");
        text += &row("┃", ["Layer (type)", "Output Shape", "Param #"]);
        for (i, layer) in self.layers().iter().enumerate() {
            text += &if i == 0 {
                rule("┡", "━", "╇", "┩")
            } else {
                rule("├", "─", "┼", "┤")
            };
            let shape = self.shape_text(i + 1);
            let count = with_commas(layer.count_params().total);
            text += &row("│", [&layer.title(Style::Keras3), &shape, &count]);
        }
        text += &rule("└", "─", "┴", "┘");
        let ParamCount { total, trainable } = self.total_params();
        for (kind, count) in KINDS.iter().zip([total, trainable, total - trainable]) {
            let bytes = memory(count * size_of::<Real>());
            text += &format!(" {kind} params: {} ({bytes})\n", with_commas(count));
        }
        text
    }

    /// Explanation of every parameter count, in numbers and words.
    pub fn explain(&self, style: Style) -> String {
        let mut text = "How the parameters are counted\n\n".to_string();
        let mut totals = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let ParamExplanation { formula, total, reason } = &layer.explanation;
            let (input, output) = (self.shape_text(i), self.shape_text(i + 1));
            text += &format!("{}: {input} -> {output}\n", layer.title(style));
            if *total == 0 {
                text += &format!("    No weights: {reason}\n");
            } else {
                text += &format!("    {formula} = {total}\n    {reason}\n");
                totals.push(total.to_string());
            }
            for param in &layer.params {
                let (shape, count) = (Tuple(&param.shape), param.count());
                let frozen = if param.trainable { "" } else { "  not trained" };
                text += &format!("    {:<8} {shape:<16} {count:>10}{frozen}\n", param.name);
            }
        }
        let sum = if totals.len() > 1 { totals.join(" + ") + " = " } else { String::new() };
        let (total, shape) = (self.count_params(), self.shape_text(self.layers().len()));
        text + &format!(
            "\nTotal: {sum}{total}\n\
             Only the model's own parameters are counted; optimizer state is not part of them.\n\n\
             None is the batch axis: the number of samples of a batch is decided when the model \
             is\ncalled, not when it is built. A shape such as {shape} holds for any number of\n\
             samples, and no parameter depends on it.\n"
        )
    }

    /// Number of parameters, and of those that training updates.
    pub fn total_params(&self) -> ParamCount {
        let mut sum = ParamCount::default();
        for count in self.layers().iter().map(BuiltLayer::count_params) {
            sum.total += count.total;
            sum.trainable += count.trainable;
        }
        sum
    }
}

/// A row of a plain table whose columns end at these places. A cell that is too long is truncated;
/// Keras 2 separates it from the next one by a blank.
fn plain_row(cells: [&str; 4], ends: &[usize], is_separated: bool) -> String {
    let mut line: Vec<char> = vec![];
    for (i, (cell, end)) in cells.iter().zip(ends).enumerate() {
        if i > 0 && is_separated {
            line.pop();
            line.push(' ');
        }
        line.extend(cell.chars());
        line.resize(*end, ' ');
    }
    line.into_iter().collect::<String>() + "\n"
}

/// `31400` bytes as `30.66 KB`.
pub(super) fn memory(bytes: usize) -> String {
    let units = ["B", "KB", "MB", "GB", "TB", "PB"];
    let power = (bytes.max(1).ilog2() as usize / 10).min(units.len() - 1);
    format!("{:.2} {}", bytes as f64 / 1024_f64.powi(power as i32), units[power])
}
