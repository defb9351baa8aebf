//! Normalization by a fixed mean and variance of each feature, as Keras's preprocessing layer of
//! this name computes it. They are known before the training: given as options, or kept as
//! non-trainable weights, in which Keras's `adapt` puts those of the training data.
//!
//! ```text
//! y  = (x − μ)/σ,   σ = max(√v, 10⁻⁷)        forward
//! dx = dy/σ                                  backward
//! y  = x·σ + μ,     dx = dy·σ                with `invert`
//! ```

use serde::{Serialize, Serializer};

use super::prelu::one_or_more;
use super::{Backward, Built, FeatureStatistics, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::params::{ParamSpec, ParamViews};
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// Standardization of each feature, the last axis, by its mean and variance.
    ///
    /// ```
    /// use tallynet::layers::{Layer, Normalization};
    ///
    /// let (mean, variance) = (Some(vec![2.0, 10.0]), Some(vec![1.0, 25.0]));
    /// let of_columns = Normalization { mean, variance, ..Normalization::default() };
    /// assert!(of_columns.build(&[2].into())?.params.is_empty());
    /// assert_eq!(Normalization::default().build(&[2].into())?.params.len(), 3);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Normalization {
        /// Axis of the features: the last, which is −1; none for one mean of all values.
        axis: Vec<isize> = vec![-1],
        /// Mean of each feature, or one of all; without it, `mean`, `variance` and `count` are
        /// weights.
        #[serde(deserialize_with = "one_or_more", serialize_with = "single_as_number")]
        mean: Option<Vec<f64>> = None,
        /// Variance of each feature, or one of all.
        #[serde(deserialize_with = "one_or_more", serialize_with = "single_as_number")]
        variance: Option<Vec<f64>> = None,
        /// True for the inverse function.
        invert: bool = false,
    }
}

/// Writes a list of one as a number: Keras takes a list only for as many features.
fn single_as_number<S: Serializer>(
    values: &Option<Vec<f64>>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    match values.as_deref() {
        Some([value]) => value.serialize(to),
        _ => values.serialize(to),
    }
}

impl Normalization {
    /// Shape of the mean and the variance.
    fn features(&self, input: &Shape) -> Result<Vec<usize>> {
        match self.axis[..] {
            [] => Ok(vec![]),
            [axis] if input.is_last(axis as i64) => Ok(vec![input.last()]),
            _ => Err(Error::shape(
                format!("axis {:?} of {input}: it normalizes the last axis", self.axis),
                "take axis = -1, and an input with a last axis",
            )),
        }
    }
}

impl Layer for Normalization {
    fn build(&self, input: &Shape) -> Result<Built> {
        let features = self.features(input)?;
        let width = features.iter().product();
        let mut params = vec![];
        let given = match (&self.mean, &self.variance) {
            (None, None) => {
                let array = |name, shape: Vec<usize>, initializer| {
                    ParamSpec::new(name, shape, initializer, None).non_trainable()
                };
                params.push(array("mean", features.clone(), &Initializer::Zeros {}));
                params.push(array("variance", features, &Initializer::Ones {}));
                // Keras keeps it for the sake of its older files.
                params.push(array("count", vec![], &Initializer::Zeros {}));
                None
            }
            (Some(mean), Some(variance)) => {
                let (mean, variance) = (spread(mean, width)?, spread(variance, width)?);
                Some(FeatureStatistics { mean, variance })
            }
            _ => {
                return Err(Error::shape(
                    "it has either a mean or a variance",
                    "give both, or none of them",
                ));
            }
        };
        let op = StandardizeOp { given, invert: self.invert, width };
        Ok(Built { output: input.clone(), params, operations: vec![Operation::op(op)] })
    }
}

/// One value for each feature, from as many or from one for all.
fn spread(values: &[f64], width: usize) -> Result<Vec<Real>> {
    let is_valid = values.iter().all(|value| (*value as Real).is_finite());
    match values {
        [value] if is_valid => Ok(vec![*value as Real; width]),
        values if is_valid && values.len() == width => {
            Ok(values.iter().map(|value| *value as Real).collect())
        }
        _ => Err(Error::shape(
            format!("mean and variance have {} values for {width} features", values.len()),
            format!("give each {width} finite numbers, or one"),
        )),
    }
}

struct StandardizeOp {
    /// `None` if they are weights.
    given: Option<FeatureStatistics>,
    invert: bool,
    width: usize,
}

impl StandardizeOp {
    fn mean<'a>(&'a self, params: ParamViews<'a>) -> &'a [Real] {
        self.given.as_ref().map_or_else(|| params.get("mean"), |given| &given.mean)
    }

    /// Writes the standard deviation of each feature.
    fn deviations<'s>(&self, params: ParamViews, scratch: &'s mut [Real]) -> &'s [Real] {
        let variances =
            self.given.as_ref().map_or_else(|| params.get("variance"), |given| &given.variance);
        let deviations = &mut scratch[..self.width];
        for (deviation, variance) in deviations.iter_mut().zip(variances) {
            *deviation = variance.sqrt().max(FeatureStatistics::MIN_DEVIATION);
        }
        deviations
    }
}

impl Op for StandardizeOp {
    fn forward(&self, pass: Forward) {
        let means = self.mean(pass.params);
        let deviations = self.deviations(pass.params, pass.scratch);
        let rows = flat(pass.x).chunks_exact(self.width);
        for (x, y) in rows.zip(flat_mut(pass.y).chunks_exact_mut(self.width)) {
            for (((x, y), mean), deviation) in x.iter().zip(y).zip(means).zip(deviations) {
                *y = if self.invert { mean + x * deviation } else { (x - mean) / deviation };
            }
        }
    }

    fn backward(&self, mut pass: Backward) {
        if !pass.accumulate {
            pass.d_params.fill(0.0);
        }
        let Some(dx) = pass.dx else { return };
        let deviations = self.deviations(pass.params, pass.scratch);
        let rows = flat(pass.dy).chunks_exact(self.width);
        for (dy, dx) in rows.zip(flat_mut(dx).chunks_exact_mut(self.width)) {
            for ((dy, dx), deviation) in dy.iter().zip(dx).zip(deviations) {
                *dx = if self.invert { dy * deviation } else { dy / deviation };
            }
        }
    }

    fn scratch_len(&self) -> usize {
        self.width
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Standardization { given: self.given.clone(), invert: self.invert })
    }
}
