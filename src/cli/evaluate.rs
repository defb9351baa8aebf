//! `tallynet evaluate`.

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tallynet::training::Scores;

use super::data::Data;
use super::{Outcome, choose, from_1, output};

/// Score a saved model on the test set.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet evaluate digits.safetensors
  tallynet evaluate digits.safetensors --data fashion.npz --json")]
pub struct Evaluate {
    /// A saved file, or a name that `tallynet models` lists
    file: String,

    #[command(flatten)]
    data: Data,

    /// Threads at most; the result does not depend on it [default: as many as the machine has]
    #[arg(long, value_name = "N", value_parser = from_1())]
    threads: Option<usize>,

    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(self) -> Outcome {
        let mut chosen = choose(&self.file, None)?;
        chosen.warn_if_untrained(&self.file);
        chosen.model.n_threads = self.threads.unwrap_or(chosen.model.n_threads);
        let test = self.data.load_test(&chosen, self.json)?;
        let model = chosen.model;
        let start = Instant::now();
        let scores = model.evaluate(&test)?;
        let line = json!({
            "loss": scores.loss,
            "metrics": BTreeMap::from_iter(scores.metrics.clone()),
            "fingerprint": model.fingerprint(),
            "seconds": start.elapsed().as_secs_f64(),
        });
        output::result(&if self.json { format!("{line}\n") } else { lines(&scores) })
    }
}

/// `Test score: 0.3674` and a line for each metric.
pub fn lines(scores: &Scores) -> String {
    let mut text = format!("Test score: {:.4}\n", scores.loss);
    for (name, value) in &scores.metrics {
        text += &format!("Test {name}: {value:.4}\n");
    }
    text
}
