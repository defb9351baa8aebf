//! The plain tables of Keras 1 (100 columns, `Connected to`) and Keras 2 (65 columns): releases 1.0.4 to 1.1.1 and
//! 2.0.0 to 2.2.4.
//!
//! A cell that is too long is cut at the end of its column. Keras 2 first puts a blank in front of every column.

use super::with_commas;
use crate::model::naming::input_name;
use crate::model::{Sequential, Style};

pub(super) fn render(model: &Sequential, style: Style, width: usize) -> String {
    let keras1 = style == Style::Keras1;
    let shares: &[f64] = if keras1 { &[0.33, 0.55, 0.67, 1.0] } else { &[0.45, 0.85, 1.0] };
    let stops: Vec<usize> = shares.iter().map(|share| (share * width as f64) as usize).collect();
    let row = |cells: &[&str]| {
        let mut line: Vec<char> = vec![];
        for (i, (cell, stop)) in cells.iter().zip(&stops).enumerate() {
            if i > 0 && !keras1 {
                line.pop();
                line.push(' ');
            }
            line.extend(cell.chars());
            line.resize(*stop, ' ');
        }
        line.into_iter().collect::<String>() + "\n"
    };
    let (thin, thick) = ("_".repeat(width) + "\n", "=".repeat(width) + "\n");

    let mut text = thin.clone() + &row(&["Layer (type)", "Output Shape", "Param #", "Connected to"]) + &thick;
    for (i, layer) in model.layers().iter().enumerate() {
        let class = layer.spec.class_name();
        let name = format!("{} ({class})", layer.layer_name.in_style(style));
        let source = match i.checked_sub(1) {
            Some(below) => model.layers()[below].layer_name.in_style(style),
            None => input_name(&layer.layer_name, class, style),
        };
        let (shape, count) = (layer.output.to_string(), layer.count_params().0.to_string());
        text += &row(&[&name, &shape, &count, &format!("{source}[0][0]")]);
        text += if i + 1 == model.layers().len() { &thick } else { &thin };
    }
    let (total, trainable) = model.totals();
    text += &match keras1 {
        true => format!("Total params: {total}\n"),
        false => {
            let [total, trainable, rest] = [total, trainable, total - trainable].map(with_commas);
            format!("Total params: {total}\nTrainable params: {trainable}\nNon-trainable params: {rest}\n")
        }
    };
    text + &thin
}
