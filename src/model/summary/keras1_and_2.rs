//! The plain tables of Keras 1 (100 columns, `Connected to`) and Keras 2 (65 columns): releases 1.0.4 to 1.1.1 and
//! 2.0.0 to 2.2.4.
//!
//! A cell that is too long is cut at the end of its column. Keras 2 first puts a blank in front of every column.

use super::with_commas;
use crate::model::{Sequential, Style};

pub(super) fn render(model: &Sequential, style: Style, width: usize) -> String {
    let keras1 = style == Style::Keras1;
    let shares: &[f64] = if keras1 { &[0.33, 0.55, 0.67, 1.0] } else { &[0.45, 0.85, 1.0] };
    let row = |cells: [&str; 4]| {
        let mut line: Vec<char> = vec![];
        for (i, (cell, share)) in cells.iter().zip(shares).enumerate() {
            if i > 0 && !keras1 {
                line.pop();
                line.push(' ');
            }
            line.extend(cell.chars());
            line.resize((share * width as f64) as usize, ' ');
        }
        line.into_iter().collect::<String>() + "\n"
    };
    let (thin, thick) = ("_".repeat(width) + "\n", "=".repeat(width) + "\n");

    let mut text = thin.clone() + &row(["Layer (type)", "Output Shape", "Param #", "Connected to"]) + &thick;
    let mut source = model.layers().first().map_or(String::new(), |first| first.inbound_nodes[0].inbound_layer.clone());
    for (i, layer) in model.layers().iter().enumerate() {
        let (shape, count) = (layer.output.to_string(), layer.count_params().0.to_string());
        text += &row([&layer.title(style), &shape, &count, &format!("{source}[0][0]")]);
        text += if i + 1 == model.layers().len() { &thick } else { &thin };
        source = layer.layer_name.in_style(style);
    }
    let totals = model.totals();
    text += &match (keras1, totals.map(with_commas)) {
        (true, _) => format!("Total params: {}\n", totals[0]),
        (false, [all, trained, rest]) => {
            format!("Total params: {all}\nTrainable params: {trained}\nNon-trainable params: {rest}\n")
        }
    };
    text + &thin
}
