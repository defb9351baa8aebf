//! Inference of an op as data: one of a few formulas, which exports to other programs translate.
//!
//! **Decision.** An export translates formulas and not classes of layers. A new layer says its
//! formula in its own file ([`Op::formula`](super::Op::formula)) and is then in every export; one
//! that says none is refused by name. Rejected: a list of classes in each export, which a new layer
//! would have to be added to.

use super::Interpolation;
use crate::Real;
use crate::activations::ActivationKind;
use crate::kernels::convolution::Convolution;
use crate::kernels::pooling::Pooling;

/// Inference of an op: the output `y` for the input `x`, channels last. Parameter arrays are those
/// of the layer, under their names.
///
/// ```
/// use tallynet::layers::{Formula, Layer, Operation, Rescaling};
///
/// let half = Rescaling { scale: 0.5, offset: 0.0 }.build(&[4].into())?;
/// let Operation::Op(op) = &half.operations[0] else { panic!("it has an output of its own") };
/// assert_eq!(op.formula(), Some(Formula::Rescaling { scale: 0.5, offset: 0.0 }));
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Formula {
    /// `y = x`.
    Identity,
    /// `y = x·W + b` along the last axis, with `kernel` and, if any, `bias`.
    Dense,
    /// Windows times `kernel`, plus `bias`, if any.
    Convolution(Convolution),
    /// Maximum or mean of each window.
    Pooling(Pooling),
    /// `y = γ·(x − μ)/√(v + ε) + β` along the last axis, with `moving_mean`, `moving_variance`, and
    /// `gamma` and `beta`, if any.
    BatchNormalization {
        /// ε.
        epsilon: f64,
    },
    /// The same by the mean and variance of each vector, with `gamma` and `beta`, if any.
    LayerNormalization {
        /// Number of last axes that a vector extends along.
        axes: usize,
        /// ε.
        epsilon: f64,
    },
    /// `y = (x − μ)/σ` with `σ = max(√v, 10⁻⁷)`, along the last axis or with one μ and v for all.
    Standardization {
        /// μ and v; without them they are `mean` and `variance`.
        given: Option<FeatureStatistics>,
        /// True for `y = x·σ + μ`.
        invert: bool,
    },
    /// The vector of `embeddings` for each word.
    Embedding,
    /// A built-in activation.
    Activation(ActivationKind),
    /// `min(x, max)` above the threshold, `slope·(x − threshold)` below.
    Relu {
        /// Upper bound, if any.
        max: Option<Real>,
        /// Slope below the threshold.
        slope: Real,
        /// Value from which `x` passes unchanged.
        threshold: Real,
    },
    /// `x` above 0, `alpha·(e^x − 1)` below.
    Elu {
        /// Negated limit of the output as x goes to −∞.
        alpha: Real,
    },
    /// `x` above 0, `alpha·x` below; axes of `alpha` of length 1 share it.
    PRelu,
    /// `y = x·scale + offset`.
    Rescaling {
        /// Factor of each value.
        scale: Real,
        /// Term added to the product.
        offset: Real,
    },
    /// The vector `x`, `n` times.
    Repetition {
        /// Number of times.
        n: usize,
    },
    /// Image enlarged by whole factors.
    UpSampling {
        /// Factors of the height and the width.
        size: [usize; 2],
        /// Values of the pixels between those of the input.
        interpolation: Interpolation,
    },
    /// Zeros around an image.
    ZeroPadding {
        /// Rows at the top and at the bottom, columns on the left and on the right.
        padding: [[usize; 2]; 2],
    },
}

/// Mean and variance of each feature.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureStatistics {
    /// Means.
    pub mean: Vec<Real>,
    /// Variances.
    pub variance: Vec<Real>,
}

impl FeatureStatistics {
    /// Smallest standard deviation, Keras's `epsilon()`.
    pub const MIN_DEVIATION: Real = 1e-7;
}
