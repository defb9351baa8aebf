//! Reports for people: progress on a terminal.

mod progress;

pub use progress::Progress;
