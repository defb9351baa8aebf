//! The summary's arithmetic in numbers and words, as one would explain it to a colleague.

use crate::model::{Sequential, Style};
use crate::shape::Tuple;

pub(super) fn render(model: &Sequential, style: Style) -> String {
    let mut text = String::from("How the parameters are counted\n\n");
    let mut sum = vec![];
    for layer in model.layers() {
        let (count, name) = (&layer.count, layer.layer_name.in_style(style));
        text += &format!("{name} ({}): {} -> {}\n", layer.spec.class_name(), layer.input, layer.output);
        text += &match count.total {
            0 => format!("    0: {}\n", count.reason),
            total => format!("    {} = {total}\n    {}\n", count.formula, count.reason),
        };
        for param in &layer.params {
            let frozen = if param.trainable { "" } else { "  not trained" };
            text += &format!("    {:<8} {:<16} {:>10}{frozen}\n", param.name, Tuple(&param.shape), param.count());
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
