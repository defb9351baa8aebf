//! Test samples: their data, names and pictures.

use ndarray::Axis;

use super::picture::{Picture, bytes, image_shape, of_bytes};
use super::text::number;
use crate::datasets::{Column, Dataset, ImageShape, Inputs, SampleNames};
use crate::model::Sequential;
use crate::table::shortened;
use crate::{Real, Result};

/// Largest number of inputs of a table that are shown for a sample.
const MAX_VALUES: usize = 8;

/// Samples that a model was evaluated on.
#[derive(Debug)]
pub struct Samples<'a> {
    pub data: &'a Dataset,
    /// Name of each sample.
    pub names: &'a SampleNames,
    /// Size of the samples, if they are images.
    image: Option<ImageShape>,
    /// Name of each feature of a table, if they are known.
    features: Vec<String>,
}

/// Size of the images that a model takes: those of its input's shape, or bytes in one axis whose
/// number is a square.
pub fn image_size(model: &Sequential) -> Option<ImageShape> {
    let dims = model.input_shape().dims();
    let is_table = model.data.as_ref().is_some_and(|data| !data.columns.is_empty());
    if let [n_values] = *dims
        && model.byte_scale.is_some()
        && !is_table
    {
        let side = n_values.isqrt();
        return if side * side == n_values { image_shape(&[side, side]) } else { None };
    }
    if model.vocabulary_size().is_some() { None } else { image_shape(dims) }
}

impl<'a> Samples<'a> {
    pub fn new(model: &Sequential, data: &'a Dataset, names: &'a SampleNames) -> Samples<'a> {
        let n_values: usize = data.x.shape().get(1..).unwrap_or_default().iter().product();
        let image = image_size(model).filter(|size| size.n_values() == n_values);
        let mut features = vec![];
        for column in model.data.iter().flat_map(|data| &data.columns) {
            match column {
                Column::Numeric { name } => features.push(name.clone()),
                Column::Categorical { name, values } => {
                    features.extend(values.iter().map(|value| format!("{name} = {value}")));
                }
            }
        }
        Samples { data, names, image, features }
    }

    /// Name of a sample.
    pub fn name(&self, sample: usize) -> String {
        shortened(&self.names.name(sample), 80)
    }

    /// Picture of a sample, if samples are images.
    pub fn picture(&self, sample: usize, alt: String) -> Result<Option<Picture>> {
        let Some(size) = self.image else { return Ok(None) };
        let pixels = match &self.data.x {
            Inputs::Bytes { values, .. } => {
                values.index_axis(Axis(0), sample).iter().copied().collect()
            }
            Inputs::Reals(values) => {
                let values: Vec<Real> =
                    values.index_axis(Axis(0), sample).iter().copied().collect();
                bytes(&values)
            }
        };
        Ok(Some(of_bytes(&pixels, size, alt)?))
    }

    /// Inputs of a sample that is a row of a table: `age = 31`.
    pub fn values(&self, sample: usize) -> Vec<String> {
        let Inputs::Reals(all) = &self.data.x else { return vec![] };
        let row = all.index_axis(Axis(0), sample);
        if self.image.is_some() || row.len() != self.features.len() {
            return vec![];
        }
        let mut values = vec![];
        for (name, value) in self.features.iter().zip(row) {
            if !name.contains(" = ") {
                values.push(format!("{} = {}", shortened(name, 24), number(f64::from(*value))));
            } else if *value > 0.0 {
                values.push(shortened(name, 40));
            }
        }
        if values.len() > MAX_VALUES {
            values.truncate(MAX_VALUES);
            values.push("…".to_string());
        }
        values
    }
}
