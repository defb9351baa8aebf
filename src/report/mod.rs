//! Reports for people: a model's summary with its costs and their proof, classes by name and how
//! often they are confused, and findings about data; and for the program, progress and drawings on
//! a terminal, pictures of models, and the page of a model.

mod classes;
mod columns;
mod confusion;
mod costs;
mod doctor;
mod findings;
mod nodes;
mod record;
mod summary;
mod verification;
mod warnings;

#[cfg(feature = "cli")]
pub mod drawings;
#[cfg(feature = "cli")]
mod page;
#[cfg(feature = "cli")]
mod plot;
#[cfg(feature = "cli")]
mod progress;

pub use classes::{ClassProbability, Classes, Form, Prediction, by_sample};
pub use confusion::{ClassScores, ConfusedPair, ConfusionMatrix};
pub use costs::{Extent, LayerCost, MultiplyAddCount, multiply_add_table};
pub use doctor::FirstLosses;
pub use findings::findings;
pub use nodes::Node;
pub use verification::{LayerVerification, Verification};

#[cfg(feature = "cli")]
pub use page::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss, report};
#[cfg(feature = "cli")]
pub use plot::plot;
#[cfg(feature = "cli")]
pub use progress::Progress;
