//! `tallynet evaluate`.

use std::collections::BTreeMap;
use std::time::Instant;

use clap::Args;
use serde_json::json;
use tallynet::training::Scores;

use super::data::Data;
use super::{LoadedModel, Outcome, from_1, output};

/// Evaluate a saved model on the test set.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet evaluate digits.safetensors
  tallynet evaluate digits.safetensors --data fashion.npz --json")]
pub struct Evaluate {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    #[command(flatten)]
    data: Data,
    /// Maximum number of threads; the result does not depend on it [default: the machine's]
    #[arg(long, value_name = "N", value_parser = from_1())]
    threads: Option<usize>,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(self) -> Outcome {
        let mut loaded = LoadedModel::open(&self.file, None)?;
        loaded.warn_if_untrained(&self.file);
        loaded.warn_about_layers();
        loaded.model.n_threads = self.threads.unwrap_or(loaded.model.n_threads);
        loaded.is_quiet = self.json;
        let test = self.data.load_test(&loaded)?;
        let start = Instant::now();
        let scores = loaded.model.evaluate(&test)?;
        if !self.json {
            return output::result(&lines(&scores));
        }
        let line = json!({
            "loss": scores.loss,
            "metrics": BTreeMap::from_iter(scores.metrics),
            "fingerprint": loaded.model.fingerprint(),
            "seconds": start.elapsed().as_secs_f64(),
        });
        output::result(&format!("{line}\n"))
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
