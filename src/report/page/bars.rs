//! Bars of the probabilities of a sample's classes.

use serde::Serialize;

use crate::Real;
use crate::report::{Classes, Prediction};
use crate::table::shortened;

/// Probability of a class.
#[derive(Debug, Serialize)]
pub struct ProbabilityBar {
    pub name: String,
    /// Length of the bar in percent.
    pub percent: String,
    pub text: String,
    pub is_true: bool,
}

/// Probabilities of the predicted class, the runner-up and the truth, each once.
pub fn bars(
    classes: &Classes,
    outputs: &[Real],
    prediction: &Prediction,
    true_class: usize,
) -> Vec<ProbabilityBar> {
    let shown = [prediction.first.class, prediction.runner_up.class, true_class];
    let mut bars = vec![];
    for (place, class) in shown.into_iter().enumerate() {
        if shown[..place].contains(&class) {
            continue;
        }
        let probability = match outputs {
            [second] if class == 0 => 1.0 - second,
            [second] => *second,
            _ => outputs.get(class).copied().unwrap_or(0.0),
        };
        let percent = format!("{:.1}", 100.0 * probability.clamp(0.0, 1.0));
        let is_tiny = probability > 0.0 && percent == "0.0";
        bars.push(ProbabilityBar {
            name: shortened(&classes.name(class), 24),
            text: if is_tiny { "< 0.1 %".to_string() } else { format!("{percent} %") },
            percent,
            is_true: class == true_class,
        });
    }
    bars
}
