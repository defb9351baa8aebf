//! Reports for people: progress on a terminal.

pub mod drawings;
mod progress;

pub use progress::Progress;
