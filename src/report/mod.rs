//! Reports for people: progress and drawings on a terminal, and pictures of models.

pub mod drawings;
mod plot;
mod progress;

pub use plot::plot;
pub use progress::Progress;
