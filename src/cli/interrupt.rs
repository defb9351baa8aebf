//! Signals that end a training: the batch is finished, then saving and the report follow.
//!
//! A signal sets a flag, and a second one ends the process, both without a thread of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts;
use signal_hook::flag::{register_conditional_shutdown, register_usize};

/// A signal that ends training.
pub struct Signal {
    number: i32,
    pub name: &'static str,
}

impl Signal {
    const fn new(number: i32, name: &'static str) -> Signal {
        Signal { number, name }
    }

    /// Exit code of a process that the signal ended, as shells give it.
    pub fn exit_code(&self) -> u8 {
        128 + self.number as u8
    }
}

const SIGNALS: &[Signal] = &[
    Signal::new(consts::SIGINT, "SIGINT"),
    Signal::new(consts::SIGTERM, "SIGTERM"),
    #[cfg(unix)]
    Signal::new(consts::SIGHUP, "SIGHUP"),
];

/// Signals that arrive during a training.
pub struct Interrupt {
    flag: Arc<AtomicBool>,
    /// Number of the last signal.
    number: Arc<AtomicUsize>,
}

impl Interrupt {
    /// Handles the signals for the rest of the process, but for those that were ignored when it
    /// started: `nohup tallynet train` outlives its terminal.
    pub fn listen() -> Interrupt {
        let flag = Arc::new(AtomicBool::new(false));
        // Another rank of the training may receive the signal: SIGTERM, as launchers send it.
        let number = Arc::new(AtomicUsize::new(consts::SIGTERM as usize));
        for signal in SIGNALS.iter().filter(|signal| !is_ignored(signal.number)) {
            let (status, value) = (signal.exit_code().into(), signal.number as usize);
            // The actions run in this order, so the first signal only sets the flag. Without a
            // handler a signal ends the process as usual.
            let _ = register_conditional_shutdown(signal.number, status, flag.clone());
            let _ = register_usize(signal.number, number.clone(), value);
            let _ = signal_hook::flag::register(signal.number, flag.clone());
        }
        Interrupt { flag, number }
    }

    /// Flag that a signal sets.
    pub fn flag(&self) -> &AtomicBool {
        &self.flag
    }

    /// The signal that arrived.
    pub fn signal(&self) -> Option<&'static Signal> {
        if !self.flag.load(Ordering::SeqCst) {
            return None;
        }
        let number = self.number.load(Ordering::SeqCst);
        SIGNALS.iter().find(|signal| signal.number as usize == number)
    }
}

/// True if the process ignores this signal, as one that was started by `nohup` or as a background
/// job of a script does. The standard library and the signal crates do not tell; Linux does.
fn is_ignored(number: i32) -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (number - 1) & 1 == 1
}
