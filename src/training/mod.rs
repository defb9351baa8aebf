//! Training as a short story: gather a batch, forward, loss, backward, optimizer, metrics, report.

mod callbacks;
mod engine;
mod head;
mod history;
mod progress;
mod trainer;

pub use callbacks::{Callback, Control, Logs};
pub use history::History;
pub use progress::Progress;
pub use trainer::{FitOptions, Scores};
