//! Models as files: one file a format.

mod replace;
pub mod safetensors;

pub use replace::{check_writable, replace};
