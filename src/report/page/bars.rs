//! Bars of the probabilities of a sample's classes.

use serde::Serialize;

use crate::Real;
use crate::report::page::text::percent_of_class;
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
        let probability = f64::from(probability).clamp(0.0, 1.0);
        bars.push(ProbabilityBar {
            name: shortened(&classes.name(class), 24),
            percent: format!("{:.1}", 100.0 * probability),
            text: percent_of_class(probability),
            is_true: class == true_class,
        });
    }
    bars
}
