//! Reports for people: a model's summary with its costs and their proof, classes by name, findings
//! about data, progress and drawings on a terminal, pictures of models, and the page of a model.

mod classes;
mod columns;
mod costs;
mod doctor;
pub mod drawings;
mod findings;
mod page;
mod plot;
mod progress;
mod summary;
mod verification;
mod warnings;

pub use classes::{ClassProbability, Classes, Form, Prediction, by_sample};
pub use costs::{Extent, LayerCost, MultiplyAddCount, multiply_add_table};
pub use doctor::FirstLosses;
pub use findings::findings;
pub use page::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss, report};
pub use plot::plot;
pub use progress::Progress;
pub use verification::{LayerVerification, Verification};
