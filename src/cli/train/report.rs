//! The report of a training: scores and the verification, or one line of JSON.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};
use tallynet::datasets::Dataset;
use tallynet::model::Sequential;
use tallynet::report::drawings::Terminal;
use tallynet::training::{History, Scores};

use super::super::interrupt::Signal;
use super::super::{Failure, Outcome, drawings, evaluate, output};
use super::Train;

impl Train {
    /// Evaluates the model, prints its scores and returns them.
    pub(super) fn report(
        &self,
        model: &Sequential,
        history: &History,
        test: &Dataset,
        options: &ReportOptions,
    ) -> Result<Scores, Failure> {
        let scores = model.evaluate(test)?;
        let verification = model.verify()?;
        if self.json {
            output::result(&json_line(model, history, &scores, options))?;
            return Ok(scores);
        }
        let mut text = evaluate::lines(&scores);
        if let Some(Signal { name, .. }) = options.signal
            && !self.quiet
        {
            text = format!("Interrupted by {name} after {}\n{text}", model.trained_until());
        }
        if !self.quiet {
            text += &format!("\n{verification}\n");
            if options.is_saved
                && let Some(path) = &self.save
            {
                text += &format!("{}\n", output::saved(path));
            }
        }
        if let Some(terminal) = options.terminal.filter(|_| !self.quiet) {
            text += &drawings::losses(history, terminal);
            text += &drawings::confusion_on(model, test, terminal);
        }
        output::result(&text)?;
        Ok(scores)
    }
}

/// Error of the training, and of saving the model if that failed as well.
pub(super) fn join_errors(failure: Failure, saved: &Outcome) -> Failure {
    match saved {
        Ok(()) => failure,
        Err(Failure { message, code }) => {
            Failure { message: format!("{}\n{message}", failure.message), code: *code }
        }
    }
}

/// Metadata that the report states.
pub(super) struct ReportOptions {
    pub start: Instant,
    pub is_saved: bool,
    /// The signal that interrupted the training.
    pub signal: Option<&'static Signal>,
    /// Description of the run, for `--json`.
    pub info: Value,
    /// Terminal to draw on.
    pub terminal: Option<Terminal>,
}

fn json_line(
    model: &Sequential,
    history: &History,
    scores: &Scores,
    options: &ReportOptions,
) -> String {
    let by_layer: BTreeMap<_, _> =
        model.layers().iter().map(|each| (each.name(), each.count_params().total)).collect();
    let by_name: BTreeMap<_, _> =
        history.series.iter().map(|series| (&series.name, &series.values)).collect();
    let mut line = options.info.clone();
    line["loss"] = json!(scores.loss);
    line["metrics"] = json!(BTreeMap::from_iter(scores.metrics.clone()));
    line["history"] = json!(by_name);
    line["parameters"] = json!({ "total": model.count_params(), "layers": by_layer });
    line["fingerprint"] = json!(model.fingerprint());
    line["threads"] = json!(model.n_threads);
    line["interrupted"] = json!(options.signal.map(|signal| signal.name));
    line["seconds"] = json!(options.start.elapsed().as_secs_f64());
    line["seconds_per_epoch"] = json!(history.median_seconds());
    format!("{line}\n")
}
