//! Ctrl-C while training: the batch is finished, and what follows a training (validation, saving,
//! the report) happens.

use std::sync::atomic::{AtomicBool, Ordering};

use tallynet::training::{Callback, Control};

use super::output;

static ASKED: AtomicBool = AtomicBool::new(false);

/// Ends the training after the batch in which somebody asked for it.
pub struct Interrupt;

impl Interrupt {
    /// Takes over Ctrl-C (and a request to terminate) for the rest of the process. Asked a second
    /// time, it ends at once.
    pub fn listen() -> Interrupt {
        let asked = || {
            if ASKED.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            output::notice(
                "\nInterrupted: finishing this batch, then saving and reporting. Once more ends it at once.",
            );
        };
        // Where no handler can be set, Ctrl-C ends the process as ever.
        let _ = ctrlc::set_handler(asked);
        Interrupt
    }
}

impl Callback for Interrupt {
    fn on_batch_end(&mut self, _batch: usize, _names: &[String], _means: &[f64]) -> Control {
        if ASKED.load(Ordering::SeqCst) { Control::Stop } else { Control::Continue }
    }
}
