//! `TerminateOnNaN`: a loss that is no longer a number ends training, and is no error.

use super::{Callback, Control, say};

/// Ends training at the first batch whose loss is NaN or infinite, with the history of the epochs before. Unlike in
/// Keras, the weights are those before that batch, and finite.
#[derive(Debug, Clone, Copy, Default)]
pub struct TerminateOnNaN;

impl Callback for TerminateOnNaN {
    fn on_not_finite(&mut self, _epoch: usize, batch: usize, _loss: f64) -> Control {
        say(true, &format!("Batch {batch}: Invalid loss, terminating training"));
        Control::Stop
    }
}
