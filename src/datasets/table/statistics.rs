//! Mean and variance of each feature, for a Normalization layer.

use ndarray::Ix2;

use crate::datasets::{Column, DataDescription, Inputs};
use crate::{Error, Real, Result};

/// Mean and variance of each feature.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::table::Statistics;
/// use tallynet::datasets::{DataDescription, Inputs};
///
/// let x = Inputs::Reals(array![[1.0, 7.0], [3.0, 7.0]].into_dyn());
/// let statistics = Statistics::of(&x, &DataDescription::default())?;
/// assert_eq!(statistics.mean, [2.0, 7.0]);
/// assert_eq!(statistics.variance, [1.0, 1.0]);
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Mean; 0 for a feature of a categorical column.
    pub mean: Vec<Real>,
    /// Population variance (÷ rows), as in Keras; 1 for features of categorical columns and for
    /// constants, which Keras would divide by its ε of 10⁻⁷.
    pub variance: Vec<Real>,
}

impl Statistics {
    /// Statistics of the training inputs, one row per sample; the description says which features
    /// belong to categorical columns. Inputs that are not rows of numbers are an error.
    pub fn of(x: &Inputs, description: &DataDescription) -> Result<Statistics> {
        let problem = || Error::Data("statistics need rows of numbers".to_string());
        let Inputs::Reals(array) = x else { return Err(problem()) };
        let rows = array.view().into_dimensionality::<Ix2>().map_err(|_| problem())?;
        if rows.is_empty() {
            return Err(problem());
        }
        let (n_rows, width) = (rows.shape()[0] as f64, rows.shape()[1]);
        // Values are shifted by the first row: constants then have variance 0, and large offsets
        // lose no digits.
        let first: Vec<f64> = rows.row(0).iter().map(|value| *value as f64).collect();
        let mut means = vec![0.0; width];
        for row in rows.rows() {
            for ((mean, value), first) in means.iter_mut().zip(row).zip(&first) {
                *mean += (*value as f64 - first) / n_rows;
            }
        }
        let mut variances = vec![0.0; width];
        for row in rows.rows() {
            for (i, value) in row.iter().enumerate() {
                variances[i] += (*value as f64 - first[i] - means[i]).powi(2) / n_rows;
            }
        }
        for i in 0..width {
            means[i] += first[i];
            if variances[i] == 0.0 {
                variances[i] = 1.0;
            }
            if !(variances[i] as Real).is_finite() {
                let problem = format!("the numbers of feature {} are too far apart", i + 1);
                return Err(Error::Data(format!("{problem}\n  scale the column, or ignore it")));
            }
        }
        leave_one_hot(description, &mut means, &mut variances);
        let to_reals = |values: Vec<f64>| values.into_iter().map(|value| value as Real).collect();
        Ok(Statistics { mean: to_reals(means), variance: to_reals(variances) })
    }
}

/// Sets the mean 0 and the variance 1 for the features of categorical columns.
fn leave_one_hot(description: &DataDescription, means: &mut [f64], variances: &mut [f64]) {
    let mut first = 0;
    for column in &description.columns {
        let n_features = match column {
            Column::Numeric { .. } => 1,
            Column::Categorical { values, .. } => {
                let end = (first + values.len()).min(means.len());
                let features = first.min(end)..end;
                means[features.clone()].fill(0.0);
                variances[features].fill(1.0);
                values.len()
            }
        };
        first += n_features;
    }
}
