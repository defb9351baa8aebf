//! Training.
//!
//! The path of a pixel through `tallynet train`, from its byte to the update of a weight:
//!
//! ```text
//! byte      main.rs → cli/mod.rs run → cli/train/mod.rs Train::run → cli/data.rs Data::load
//!           → cli/images.rs FolderFlags::load → datasets/folder.rs FolderKind::load
//!           → datasets/mnist.rs load
//! scale     Data::load → cli/scale.rs Scale::apply → datasets/mod.rs Inputs::scale_bytes, which
//!           only notes the factor
//! fit       Train::run → cli/train/fit.rs Train::fit → trainer.rs Trainer::fit
//!           → loss_head.rs Objective::new (integer labels take the sparse loss)
//!           → engines.rs engine_for (threads, buffers) → fit.rs Fit::run → epoch → batches
//! batch     engine.rs Engine::train_step → forward_backward → threads.rs for_each
//!           → batch.rs Job::run
//! number    Job::forward → datasets/batches.rs Rows::gather → datasets/values.rs Values::write
//!           → kernels/rows.rs scale_bytes, which multiplies
//! forward   model/workspace.rs forward → forward_op → layers/dense.rs forward
//!           → kernels/matmul.rs (mnist-softmax: kernels/small_n.rs, else kernels/tiles.rs);
//!           then activations/mod.rs ActivationKind::forward → kernels/rows.rs softmax
//! loss      Job::loss_and_gradient → LossHead::add_metrics, then write_gradient
//!           → losses/categorical_crossentropy.rs, whose gradient is that before the softmax
//! backward  model/workspace.rs backward → backward_op → layers/dense.rs backward → kernels
//! update    Engine::update → tree.rs add_gradients → optimizers/options.rs clip_values, decay
//!           → optimizers/sgd.rs update
//! ```
//!
//! A model with BatchNormalization runs the same loop in phases: forward and backward of each
//! segment (`batch.rs`).

mod batch;
mod callbacks;
mod engine;
mod engines;
mod fit;
mod gradient_check;
mod handle;
mod history;
mod loss_head;
mod options;
#[cfg(feature = "mpi")]
pub mod ranks;
#[cfg(not(feature = "mpi"))]
#[doc(hidden)]
#[path = "one_rank.rs"]
pub mod ranks;
mod restart;
mod thread_choice;
mod threads;
mod trainer;
mod tree;

pub use crate::formats::CallbackState;
pub use callbacks::*;
pub use gradient_check::{ArrayCheck, GradientCheck, TOLERANCE, check_gradients};
pub use handle::TrainerHandle;
pub use history::History;
pub use options::FitOptions;
pub use trainer::{LossGradient, Scores, Trainer};
