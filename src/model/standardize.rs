//! A Normalization layer at the beginning of a model, adapted to the data.

use ndarray::ArrayD;

use super::Sequential;
use crate::datasets::table::Statistics;
use crate::layers::{AnyLayer, Normalization};
use crate::shape::Shape;
use crate::{Real, Result};

impl Sequential {
    /// True if a model begins with a Normalization, or has a Rescaling before all weights: its
    /// inputs are then numbers as they are, such as bytes from 0 to 255.
    pub fn rescales_inputs(&self) -> bool {
        let first = self.layers.first().map(|layer| &layer.spec);
        let mut before_weights = self.layers.iter().take_while(|layer| layer.params.is_empty());
        matches!(first, Some(AnyLayer::Normalization(_)))
            || before_weights.any(|layer| matches!(layer.spec, AnyLayer::Rescaling(_)))
    }

    /// Same model and weights with inputs standardized by these statistics, for a model before its
    /// training: the first layer is a Normalization that holds them, as after Keras's `adapt`. It
    /// is added unless the model begins with one; one whose mean is an option stays as it is.
    ///
    /// # Errors
    /// Statistics of a different number of features than the model's input, and those of
    /// [`SequentialBuilder::build`](super::SequentialBuilder::build).
    ///
    /// ```
    /// use tallynet::datasets::table::Statistics;
    /// use tallynet::layers::Dense;
    /// use tallynet::model::Sequential;
    ///
    /// let statistics = Statistics { mean: vec![5.0, 100.0], variance: vec![4.0, 25.0] };
    /// let model = Sequential::builder([2]).add(Dense::new(1)).build(0)?;
    /// let model = model.standardized(&statistics)?;
    /// assert_eq!(model.layers()[0].spec.class_name(), "Normalization");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    pub fn standardized(self, statistics: &Statistics) -> Result<Sequential> {
        let begins_with_one = self
            .layers
            .first()
            .is_some_and(|layer| matches!(layer.spec, AnyLayer::Normalization(_)));
        let mut model = if begins_with_one { self } else { self.behind_normalization()? };
        let first = &model.layers[0];
        if first.params.is_empty() {
            return Ok(model);
        }
        let name = first.name();
        model.set_weight(&format!("{name}/mean"), &vector(&statistics.mean))?;
        model.set_weight(&format!("{name}/variance"), &vector(&statistics.variance))?;
        Ok(model)
    }

    /// Same layers and weights after a new Normalization.
    fn behind_normalization(self) -> Result<Sequential> {
        let new = Normalization::default();
        let input = Shape::from(self.input.dims());
        let mut model = self.rebuild(Some(new.into()), &input, None)?;
        let n_new = model.parameters.values.len() - self.parameters.values.len();
        model.parameters.values[n_new..].copy_from_slice(&self.parameters.values);
        model.seed = self.seed;
        model.batch_size = self.batch_size;
        model.data = self.data;
        model.n_threads = self.n_threads;
        Ok(model)
    }
}

fn vector(values: &[Real]) -> ArrayD<Real> {
    ndarray::arr1(values).into_dyn()
}
