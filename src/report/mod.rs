//! Reports for people: progress and drawings on a terminal, findings about data, pictures of
//! models, and the page of a model.

pub mod drawings;
mod findings;
mod page;
mod plot;
mod progress;

pub use findings::findings;
pub use page::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss, report};
pub use plot::plot;
pub use progress::Progress;
