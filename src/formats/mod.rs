//! Models as files: one file a format.

pub mod hdf5;
mod replace;
pub mod safetensors;

pub use replace::{check_writable, replace};
