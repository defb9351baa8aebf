//! `tallynet summary`.

use clap::{Args, ValueEnum};
use tallynet::model::Style;

use super::{Outcome, choose, output};

/// Print a model's summary, as one of three generations of Keras does.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet summary
  tallynet summary mnist-softmax --style keras3 --width 88
  tallynet summary digits.safetensors --explain --nodes")]
pub struct Summary {
    /// A name that `tallynet models` lists, or a saved file
    #[arg(default_value = "mnist-softmax")]
    model: String,

    /// Whose summary it looks like
    #[arg(long, value_enum, default_value_t = StyleName::Keras1)]
    style: StyleName,

    /// Columns of a line [default: 100 for keras1, 65 for keras2, 76 for keras3]
    #[arg(long, value_parser = clap::value_parser!(u16).range(40..=1000))]
    width: Option<u16>,

    /// Show the arithmetic of every count, in numbers and words, and what None means
    #[arg(long)]
    explain: bool,

    /// Show each layer's inbound and outbound nodes
    #[arg(long)]
    nodes: bool,
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
    pub fn run(self) -> Outcome {
        let style = match self.style {
            StyleName::Keras1 => Style::Keras1,
            StyleName::Keras2 => Style::Keras2,
            StyleName::Keras3 => Style::Keras3,
        };
        let model = choose(&self.model, None)?.model;
        let mut text = model.summary(style, self.width.map(usize::from));
        if self.explain {
            text += &format!("\n{}", model.explain(style));
        }
        if self.nodes {
            text += &format!("\n{}", model.nodes(style));
        }
        output::result(&text)
    }
}
