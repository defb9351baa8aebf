//! The summary's arithmetic in numbers and words, as one would explain it to a colleague.

use crate::model::{Sequential, Style};
use crate::shape::Tuple;

impl Sequential {
    /// The arithmetic of every count, in numbers and words, and what the table's words mean.
    pub fn explain(&self, style: Style) -> String {
        let mut text = "How the parameters are counted\n\n".to_string();
        let mut totals = vec![];
        for layer in self.layers() {
            let count = &layer.count;
            text += &format!("{}: {} -> {}\n", layer.title(style), layer.input, layer.output);
            if count.total == 0 {
                text += &format!("    0: {}\n", count.reason);
            } else {
                text += &format!("    {} = {}\n    {}\n", count.formula, count.total, count.reason);
                totals.push(count.total.to_string());
            }
            for param in &layer.params {
                let frozen = if param.trainable { "" } else { "  not trained" };
                text += &format!("    {:<8} {:<16} {:>10}{frozen}\n", param.name, Tuple(&param.shape), param.count());
            }
        }
        let sum = if totals.len() > 1 { totals.join(" + ") + " = " } else { String::new() };
        text + &format!(
            "\nTotal: {sum}{}\n\
             Only the model's own parameters are counted; what an optimizer remembers is not part of them.\n\n\
             None is the batch axis: how many samples go through at once is decided when the model is called, not when\n\
             it is built. A shape such as {} holds for any number of samples, and no parameter depends on it.\n",
            self.count_params(),
            self.output_shape()
        )
    }
}
