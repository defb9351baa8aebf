//! Reports for people: progress on a terminal, and the page of a model.

mod page;
mod progress;

pub use page::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss, report};
pub use progress::Progress;
