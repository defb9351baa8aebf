//! Training as a short story: gather a batch, forward, loss, backward, optimizer, metrics, report.

mod batch;
mod callbacks;
mod engine;
mod gradient_check;
mod handle;
mod head;
mod history;
mod threads;
mod trainer;

pub use callbacks::{
    BatchLogs, BestEpoch, CSVLogger, CSVLoggerState, Callback, EarlyStopping, EarlyStoppingState,
    FitInfo, Flow, LearningRateScheduler, Logs, Mode, ModelCheckpoint, Monitor, MonitorState,
    NotFiniteLoss, ReduceLROnPlateau, ReduceLROnPlateauState, TerminateOnNaN,
};
pub use gradient_check::{GradientCheck, TOLERANCE, check_gradients};
pub use handle::TrainerHandle;
pub use history::{History, Series};
pub use trainer::{FitOptions, Scores};
