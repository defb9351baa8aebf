//! Keras-style `Sequential` models on the CPU: build, compile, fit, evaluate, explain, save.
//!
//! Layers, losses, metrics, optimizers and callbacks have Keras's names, options and defaults. The
//! same seed gives the same bits on any number of threads.
//!
//! # Build and compile
//!
//! [`Sequential::builder`](model::Sequential::builder) takes the shape of a sample, `add` takes a
//! layer, and `build` takes the seed of the initial weights. `build` infers every shape; its error
//! for a layer that does not fit shows the whole chain of layers. `compile` takes the optimizer,
//! the loss to minimize and the metrics to report.
//!
//! ```
//! use tallynet::layers::Dense;
//! use tallynet::model::{Sequential, Style};
//!
//! let mut model = Sequential::builder([2])
//!     .add(Dense::new(8).activation("relu"))
//!     .add(Dense::new(1))
//!     .build(0)?;
//! model.compile("adam", "mse", &["mae"])?;
//! assert_eq!(model.count_params(), (2 * 8 + 8) + (8 + 1));
//! print!("{}", model.summary(Style::Keras3, None));
//! print!("{}", model.explain(Style::Keras3));
//! # Ok::<(), tallynet::Error>(())
//! ```
//!
//! # Fit, evaluate, predict
//!
//! A [`Dataset`](datasets::Dataset) holds inputs and targets with samples on the first axis.
//! [`datasets::load`] reads files. `fit` returns the logs of every epoch and prints nothing without
//! callbacks.
//!
//! ```
//! # use ndarray::{Array, IxDyn};
//! # use tallynet::datasets::{Dataset, Inputs, Targets};
//! # use tallynet::layers::Dense;
//! # use tallynet::model::Sequential;
//! # use tallynet::optimizers::Sgd;
//! # use tallynet::training::FitOptions;
//! # let mut model = Sequential::builder([2]).add(Dense::new(1)).build(0)?;
//! # model.compile(Sgd::new(0.1), "mse", &["mae"])?;
//! use tallynet::Real;
//!
//! // The target of a sample (a, b) is 2a − b.
//! let random = |i: usize, j: usize| ((i * 37 + j * 91) % 100) as Real / 100.0;
//! let x = Array::from_shape_fn(IxDyn(&[200, 2]), |i| random(i[0], i[1]));
//! let y = Array::from_shape_fn(IxDyn(&[200, 1]), |i| 2.0 * x[[i[0], 0]] - x[[i[0], 1]]);
//! let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
//!
//! let options = FitOptions { epochs: 100, validation_split: 0.2, ..FitOptions::default() };
//! let history = model.fit(&data, options, &mut [])?;
//! assert_eq!(history.get("val_loss").unwrap().len(), 100);
//! assert!(model.evaluate(&data)?.loss < 0.001);
//! assert_eq!(model.predict(&data.x)?.shape(), [200, 1]);
//! # Ok::<(), tallynet::Error>(())
//! ```
//!
//! # Save and load
//!
//! The extension names the format: `.keras` and `.safetensors` hold the whole model with its
//! optimizer state, so that training continues bit for bit.
//!
//! ```
//! # use tallynet::layers::Dense;
//! # use tallynet::model::Sequential;
//! # let model = Sequential::builder([2]).add(Dense::new(1)).build(0)?;
//! use tallynet::formats;
//!
//! let path = std::env::temp_dir().join("tallynet-example.safetensors");
//! formats::save(&model, &path)?;
//! let loaded = formats::load(&path)?;
//! assert_eq!(loaded.model.fingerprint(), model.fingerprint());
//! assert!(loaded.warnings.is_empty());
//! # std::fs::remove_file(&path).unwrap();
//! # Ok::<(), tallynet::Error>(())
//! ```
//!
//! # Your own layer, loss, metric or optimizer
//!
//! Implement [`Layer`](layers::Layer), [`Loss`](losses::Loss), [`Metric`](metrics::Metric),
//! [`Optimizer`](optimizers::Optimizer) or [`ActivationFunction`](activations::ActivationFunction)
//! (each has an example), and pass the value to `add` or `compile`; a metric goes to
//! [`compile_with`](model::Sequential::compile_with) as a
//! [`MetricChoice`](model::MetricChoice), because `compile` takes names of metrics. Training,
//! [`training::check_gradients`] and summaries work as for built-in classes; `tests/own_classes.rs`
//! has one of each. Saving such a model is an error that names the class.
//!
//! # Errors
//!
//! Everything that can fail returns an [`Error`]. The variant is the kind of problem; the message
//! says what was found, what was expected and how to fix it. Invalid input never panics.

#![warn(missing_docs)]
// Casts to and from `Real` are unnecessary in one of its two precisions.
#![allow(clippy::unnecessary_cast)]

// Bottom up: a module uses its own group and groups above it only (tests/architecture.rs).
mod classes;
mod error;
#[doc(hidden)]
pub mod hdf5;
#[doc(hidden)]
pub mod random;
mod replace;
pub mod shape;
#[doc(hidden)]
pub mod table;

#[doc(hidden)]
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

#[cfg(feature = "script")]
pub mod script;

pub mod training;

pub mod report;

#[doc(hidden)]
pub use classes::snake_case;
pub use error::{Error, Result};

/// Number type of every computation: `f32`, or `f64` in a build with `--cfg tallynet_f64`.
#[cfg(not(tallynet_f64))]
pub type Real = f32;
/// Number type of every computation: `f32`, or `f64` in a build with `--cfg tallynet_f64`.
#[cfg(tallynet_f64)]
pub type Real = f64;

/// The README, whose example is tested.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
