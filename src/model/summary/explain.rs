//! The summary's arithmetic in numbers and words, as one would explain it to a colleague.

use crate::model::{Sequential, Style};
use crate::shape::Tuple;

pub(super) fn render(model: &Sequential, style: Style) -> String {
    let name = |i: usize| model.layers()[i].layer_name().in_style(style);
    let mut text = String::from("How the parameters are counted\n\n");
    let mut sum = vec![];
    for (i, layer) in model.layers().iter().enumerate() {
        let count = layer.count();
        text += &format!("{} ({}): {} -> {}\n", name(i), layer.class_name(), layer.input_shape(), layer.output_shape());
        text += &match count.total {
            0 => format!("    0: {}\n", count.reason),
            total => format!("    {} = {total}\n    {}\n", count.formula, count.reason),
        };
        for entry in model.parameters.of_layer(i) {
            let counted: usize = entry.spec.shape.iter().product();
            text += &format!("    {:<8} {:<14} {counted:>10}\n", entry.spec.name, Tuple(&entry.spec.shape));
        }
        if count.total > 0 {
            sum.push(count.total.to_string());
        }
    }
    let total = model.count_params();
    text += &match sum.len() {
        0 | 1 => format!("\nTotal: {total}\n"),
        _ => format!("\nTotal: {} = {total}\n", sum.join(" + ")),
    };
    text += "Only the model's own parameters are counted; what an optimizer remembers is not part of them.\n";
    text += &format!(
        "\nNone is the batch axis: how many samples go through at once is decided when the model is called, not when\n\
         it is built. A shape such as {} holds for any number of samples, and no parameter depends on it.\n",
        model.output_shape()
    );
    text
}
