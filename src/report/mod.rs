//! Reports for people: progress on a terminal, and pictures of models.

mod plot;
mod progress;

pub use plot::plot;
pub use progress::Progress;
