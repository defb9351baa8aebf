//! Training as a short story: gather a batch, forward, loss, backward, optimizer, metrics, report.

mod callbacks;
mod engine;
mod gradient_check;
mod head;
mod history;
mod progress;
mod trainer;

pub use callbacks::{Callback, Control, Logs};
pub use gradient_check::{GradientCheck, TOLERANCE, check_gradients};
pub use history::History;
pub use progress::Progress;
pub use trainer::{FitOptions, Scores};
