//! A model as exports to other programs see it: layer by layer, its formulas and its weights.

use std::collections::HashSet;
use std::fmt::Display;

use crate::layers::{FeatureStatistics, Formula, Operation};
use crate::model::{BuiltLayer, Sequential};
use crate::params::Entry;
use crate::{Error, Real, Result};

/// Inference of one layer.
pub struct Stage<'m> {
    /// Name of the layer.
    pub name: String,
    /// The layer.
    pub layer: &'m BuiltLayer,
    /// Its parameter arrays.
    pub weights: Vec<Weight<'m>>,
    /// Formulas, one applied to the output of the other; none for a layer that only changes a
    /// shape.
    pub formulas: Vec<Formula>,
    /// Approximate number of multiplications for a sample.
    pub multiplications: usize,
}

/// Parameter array.
#[derive(Clone, Copy)]
pub struct Weight<'m> {
    /// Name within the layer: `kernel`.
    pub name: &'static str,
    /// Lengths of the axes.
    pub shape: &'m [usize],
    /// Values in row-major order.
    pub values: &'m [Real],
}

/// Factor and shift of each channel: `y = x·factor + shift`.
pub struct Affine {
    /// Factors.
    pub factors: Vec<Real>,
    /// Shifts.
    pub shifts: Vec<Real>,
}

/// Mean and variance of each feature.
pub struct Statistics<'s> {
    /// Means.
    pub mean: &'s [Real],
    /// Variances.
    pub variance: &'s [Real],
}

impl Statistics<'_> {
    /// Standard deviation of each feature, bounded from below.
    pub fn deviations(&self) -> Vec<Real> {
        let deviation = |variance: &Real| variance.sqrt().max(FeatureStatistics::MIN_DEVIATION);
        self.variance.iter().map(deviation).collect()
    }
}

impl<'m> Stage<'m> {
    /// The array of this name, if the layer has it.
    pub fn weight(&self, name: &str) -> Option<Weight<'m>> {
        self.weights.iter().find(|weight| weight.name == name).copied()
    }

    /// The array of this name.
    ///
    /// # Errors
    /// A layer whose formula needs the array and that has none.
    pub fn needed(&self, name: &str) -> Result<Weight<'m>> {
        self.weight(name).ok_or_else(|| self.refusal(format!("it has no array {name}")))
    }

    /// Factor and shift of each channel of a batch normalization by its running statistics.
    ///
    /// # Errors
    /// Those of [`Stage::needed`].
    pub fn affine(&self, epsilon: f64) -> Result<Affine> {
        let mean = self.needed("moving_mean")?.values;
        let variance = self.needed("moving_variance")?.values;
        let (gamma, beta) = (self.weight("gamma"), self.weight("beta"));
        let mut affine = Affine { factors: vec![], shifts: vec![] };
        for (channel, (mean, variance)) in mean.iter().zip(variance).enumerate() {
            let gamma = gamma.map_or(1.0, |gamma| f64::from(gamma.values[channel]));
            let beta = beta.map_or(0.0, |beta| f64::from(beta.values[channel]));
            let factor = gamma / (f64::from(*variance) + epsilon).sqrt();
            affine.factors.push(factor as Real);
            affine.shifts.push((beta - f64::from(*mean) * factor) as Real);
        }
        Ok(affine)
    }

    /// Mean and variance of each feature of a standardization: those of its options, else its
    /// arrays.
    ///
    /// # Errors
    /// Those of [`Stage::needed`].
    pub fn feature_statistics<'s>(
        &'s self,
        given: Option<&'s FeatureStatistics>,
    ) -> Result<Statistics<'s>> {
        Ok(match given {
            Some(FeatureStatistics { mean, variance }) => Statistics { mean, variance },
            None => Statistics {
                mean: self.needed("mean")?.values,
                variance: self.needed("variance")?.values,
            },
        })
    }

    /// Error for a layer that an export cannot hold.
    pub fn refusal(&self, reason: impl Display) -> Error {
        refusal(self.layer, reason)
    }
}

fn refusal(layer: &BuiltLayer, reason: impl Display) -> Error {
    let (name, class) = (layer.name(), layer.spec.class_name());
    Error::option(
        "path",
        format!(
            "the layer {name} ({class}) cannot be exported: {reason}\n  \
             replace it by layers that `tallynet` has, or say its formula in `Op::formula`"
        ),
    )
}

/// The layers of a model, from input to output.
///
/// # Errors
/// Those of [`stage`].
pub fn stages(model: &Sequential) -> Result<Vec<Stage<'_>>> {
    (0..model.layers().len()).map(|number| stage(model, number)).collect()
}

/// Layer of this number, counted from 0.
///
/// # Errors
/// A layer or an activation whose formula is not known, by name.
pub fn stage(model: &Sequential, number: usize) -> Result<Stage<'_>> {
    let layer = &model.layers()[number];
    let mut stage =
        Stage { name: layer.name(), layer, weights: vec![], formulas: vec![], multiplications: 0 };
    for Entry { spec, range, .. } in model.parameters.of_layer(number) {
        let values = &model.parameters.values[range.clone()];
        stage.weights.push(Weight { name: spec.name, shape: &spec.shape, values });
    }
    for operation in layer.spec.as_layer().build(&layer.input)?.operations {
        match operation {
            Operation::InPlace { activation, .. } => {
                stage.formulas.push(Formula::Activation(activation));
            }
            Operation::Op(op) => {
                let Some(formula) = op.formula() else {
                    return Err(refusal(layer, unknown_formula(layer)));
                };
                stage.formulas.push(formula);
                stage.multiplications = stage.multiplications.saturating_add(op.work());
            }
        }
    }
    Ok(stage)
}

/// Reason why a layer has an operation without a formula.
fn unknown_formula(layer: &BuiltLayer) -> String {
    if layer.spec.is_custom() {
        return "its class is from outside tallynet, and its formula is not known".to_string();
    }
    // A custom activation is all that a built-in layer cannot be described with.
    match serde_json::to_value(&layer.spec) {
        Err(problem) => problem.to_string(),
        Ok(_) => "it has no formula".to_string(),
    }
}

/// The name, followed by a number if it is taken.
pub fn unique(taken: &mut HashSet<String>, name: &str) -> String {
    let mut unique = name.to_string();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{name}_{number}");
        number += 1;
    }
    unique
}
