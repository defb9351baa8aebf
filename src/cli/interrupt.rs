//! Ctrl-C during training: the batch is finished, then validation, saving and the report follow.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use tallynet::training::{BatchLogs, Callback, Flow, TrainerHandle};

use super::output;

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Callback that stops training after the batch during which the user pressed Ctrl-C.
pub struct Interrupt;

impl Interrupt {
    /// Handles Ctrl-C and termination requests for the rest of the process. A second request ends
    /// the process at once.
    pub fn listen() -> Interrupt {
        // Without a handler, Ctrl-C ends the process as usual.
        let _ = ctrlc::set_handler(on_signal);
        Interrupt
    }
}

fn on_signal() {
    if REQUESTED.swap(true, Ordering::SeqCst) {
        std::process::exit(130);
    }
    output::notice(
        "\nInterrupted: finishing this batch, then saving and reporting. \
         Press Ctrl-C again to end at once.",
    );
}

impl Callback for Interrupt {
    fn on_batch_end(&mut self, _: &TrainerHandle, _: usize, _: &BatchLogs) -> Flow {
        let requested = REQUESTED.load(Ordering::SeqCst);
        Ok(if requested { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}
