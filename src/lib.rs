#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
// A cast to or from `Real` changes nothing in one of its two precisions.
#![allow(clippy::unnecessary_cast)]

// The rooms of the house, from the ground up; imports only point downward.
mod classes;
mod error;
pub mod random;
mod replace;
pub mod shape;
pub mod table;

pub mod kernels;

pub mod activations;
pub mod initializers;
pub mod params;
pub mod regularizers;

pub mod datasets;
pub mod layers;
pub mod losses;
pub mod metrics;
pub mod optimizers;

pub mod model;

pub mod formats;

pub mod training;

pub use classes::snake_case;
pub use error::{Error, Result};

/// Number type of every computation: `f32`, or `f64` in a build with `--cfg tallynet_f64`.
#[cfg(not(tallynet_f64))]
pub type Real = f32;
/// Number type of every computation: `f32`, or `f64` in a build with `--cfg tallynet_f64`.
#[cfg(tallynet_f64)]
pub type Real = f64;
