//! Training as a short story: gather a batch, forward, loss, backward, optimizer, metrics, report.

mod batch;
mod callbacks;
mod engine;
mod gradient_check;
mod head;
mod history;
mod progress;
mod threads;
mod trainer;

pub use callbacks::{
    CSVLogger, Callback, Control, Course, EarlyStopping, LearningRateScheduler, Logs, Mode,
    ModelCheckpoint, Monitor, ReduceLROnPlateau, TerminateOnNaN,
};
pub use gradient_check::{GradientCheck, TOLERANCE, check_gradients};
pub use history::History;
pub use progress::Progress;
pub use trainer::{FitOptions, Scores};
