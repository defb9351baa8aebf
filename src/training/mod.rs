//! Training, from the top down: `trainer.rs` (a model with its engine), `fit.rs` (epochs),
//! `engine.rs` and `batch.rs` (a batch), `loss_head.rs`, and in `model/workspace.rs` a micro-batch.

mod batch;
mod callbacks;
mod engine;
mod fit;
mod gradient_check;
mod handle;
mod history;
mod loss_head;
mod threads;
mod trainer;

pub use callbacks::*;
pub use fit::FitOptions;
pub use gradient_check::{ArrayCheck, GradientCheck, TOLERANCE, check_gradients};
pub use handle::TrainerHandle;
pub use history::History;
pub use trainer::{LossGradient, Scores, Trainer};
