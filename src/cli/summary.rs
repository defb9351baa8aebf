//! `tallynet summary`.

use clap::{Args, ValueEnum};
use serde_json::json;
use tallynet::model::Style;

use super::named_model::NamedModel;
use super::{Outcome, model_json, output};

/// Print a model's summary in the style of Keras 1, 2 or 3.
///
/// The model may also be a Keras script (.py) or notebook (.ipynb), which is read and not executed,
/// or a JSON written by hand, with Keras's classes and options, of which those with a default may
/// be omitted: {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense", "config":
/// {"units": 10}}]}, "compile_config": {"optimizer": "adam", "loss": "mse"}, "epochs": 5}.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet summary
  tallynet summary mnist-softmax --style keras3 --width 88
  tallynet summary model.py --explain
  tallynet summary model.py --json | jq .totals.multiply_adds.forward
  tallynet summary notebook.ipynb --set units=64
  tallynet summary digits.safetensors --explain --nodes")]
pub struct Summary {
    #[command(flatten)]
    model: NamedModel,
    /// Style of the table
    #[arg(long, value_enum, default_value_t = StyleName::Keras1)]
    style: StyleName,
    /// Width in columns [default: 100 for keras1, 65 for keras2, 76 for keras3]
    #[arg(long, value_parser = clap::value_parser!(u16).range(40..=1000))]
    width: Option<u16>,
    /// Explain, in numbers and words, every parameter count, the None in the shapes, and what one
    /// sample costs: multiply-adds forward and backward (1 multiply-add = 2 FLOPs), activations,
    /// bytes
    #[arg(long)]
    explain: bool,
    /// Show each layer's inbound and outbound nodes
    #[arg(long)]
    nodes: bool,
    /// Print one line of JSON: the layers with their shapes, parameters, multiply-adds, activations
    /// and bytes for one sample, their formulas, and the totals
    #[arg(long, conflicts_with_all = ["style", "width", "nodes"])]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum StyleName {
    /// Keras 1.0: with the column "Connected to"
    Keras1,
    /// Keras 2.0 to 2.2
    Keras2,
    /// Keras 3: the boxed table
    Keras3,
}

impl Summary {
    /// Prints the summary.
    pub fn run(self) -> Outcome {
        let style = match self.style {
            StyleName::Keras1 => Style::Keras1,
            StyleName::Keras2 => Style::Keras2,
            StyleName::Keras3 => Style::Keras3,
        };
        let model = self.model.open()?;
        if self.json {
            let mut line = model_json::summary(&model);
            line["model"] = json!(self.model.model);
            return output::result(&format!("{line}\n"));
        }
        let mut text = model.summary(style, self.width.map(usize::from));
        if self.explain {
            text += &format!("\n{}", model.explain(style));
            text += &format!("\n{}", model.explain_costs(style));
        }
        if self.nodes {
            text += &format!("\n{}", model.nodes(style));
        }
        output::result(&text)
    }
}
