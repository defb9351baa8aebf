//! Range, mean, deviation and checksum of each feature, in one pass over the inputs.

use std::iter::StepBy;
use std::ops::Range;

use crate::datasets::Dataset;
use crate::datasets::values::Values;
use crate::{Real, Result};

/// Number of rows that are read at most: the checksums of all are kept.
const MAX_ROWS: usize = 10_000_000;

/// Rows of the inputs of a data set, of which some may be left out.
#[derive(Clone, Copy)]
pub(super) struct InputRows<'a> {
    values: Values<'a>,
    pub width: usize,
    pub len: usize,
    /// Distance of the rows that are read; 1 for all.
    pub step: usize,
}

impl<'a> InputRows<'a> {
    /// Rows that hold at most this many values, evenly spaced.
    pub fn new(data: &'a Dataset, max_values: usize) -> Result<InputRows<'a>> {
        let values = data.x.values()?;
        let width = data.x.shape().get(1..).unwrap_or_default().iter().product();
        let len = data.len();
        let max_rows = (max_values / usize::max(width, 1)).clamp(1, MAX_ROWS);
        Ok(InputRows { values, width, len, step: len.div_ceil(max_rows).max(1) })
    }

    /// Indices of the rows that are read.
    pub fn indices(&self) -> StepBy<Range<usize>> {
        (0..self.len).step_by(self.step)
    }

    /// Copies a row.
    pub fn read(&self, row: usize, to: &mut [Real]) {
        self.values.write(row * self.width, to);
    }
}

/// Number that is not finite, and its position.
#[derive(Debug, Clone, Copy)]
pub(super) struct NotFinite {
    pub value: Real,
    pub row: usize,
    pub feature: usize,
}

/// Statistics of each feature of the rows that were read.
pub(super) struct Columns {
    pub minimum: Vec<Real>,
    pub maximum: Vec<Real>,
    pub mean: Vec<f64>,
    /// Standard deviation (÷ rows).
    pub deviation: Vec<f64>,
    /// Checksum of the values of each feature, in the order of the rows.
    pub checksums: Vec<u64>,
    pub n_not_finite: usize,
    pub first_not_finite: Option<NotFinite>,
    /// True if all numbers are integers.
    pub are_integers: bool,
    pub n_rows: usize,
}

impl Columns {
    /// Reads the rows.
    pub fn of(rows: InputRows) -> Columns {
        let width = rows.width;
        let mut columns = Columns {
            minimum: vec![Real::INFINITY; width],
            maximum: vec![Real::NEG_INFINITY; width],
            mean: vec![0.0; width],
            deviation: vec![0.0; width],
            checksums: vec![0; width],
            n_not_finite: 0,
            first_not_finite: None,
            are_integers: true,
            n_rows: 0,
        };
        let mut row = vec![0.0; width];
        // Sums are those of the distances from the first row, so that large offsets lose no digits.
        let mut first = vec![0.0; width];
        for index in rows.indices() {
            rows.read(index, &mut row);
            columns.clear_not_finite(index, &mut row, &first);
            if columns.n_rows == 0 {
                first.copy_from_slice(&row);
            }
            columns.add(&row, &first);
        }
        let n = columns.n_rows.max(1) as f64;
        for (feature, first) in first.iter().enumerate() {
            let distance = columns.mean[feature] / n;
            let variance = columns.deviation[feature] / n - distance * distance;
            columns.mean[feature] = f64::from(*first) + distance;
            columns.deviation[feature] = variance.max(0.0).sqrt();
        }
        columns
    }

    /// Counts the numbers of a row that are not finite, and replaces them.
    fn clear_not_finite(&mut self, index: usize, row: &mut [Real], first: &[Real]) {
        if row.iter().all(|value| value.is_finite()) {
            return;
        }
        for (feature, value) in row.iter_mut().enumerate() {
            if !value.is_finite() {
                let found = NotFinite { value: *value, row: index, feature };
                self.first_not_finite.get_or_insert(found);
                self.n_not_finite += 1;
                *value = first[feature];
            }
        }
    }

    fn add(&mut self, row: &[Real], first: &[Real]) {
        self.n_rows += 1;
        for (minimum, value) in self.minimum.iter_mut().zip(row) {
            *minimum = minimum.min(*value);
        }
        for (maximum, value) in self.maximum.iter_mut().zip(row) {
            *maximum = maximum.max(*value);
        }
        let sums = self.mean.iter_mut().zip(&mut self.deviation);
        for ((sum, squares), (value, first)) in sums.zip(row.iter().zip(first)) {
            let distance = f64::from(*value) - f64::from(*first);
            *sum += distance;
            *squares += distance * distance;
        }
        for (checksum, value) in self.checksums.iter_mut().zip(row) {
            *checksum = mix(*checksum, *value);
        }
        self.are_integers &= row.iter().all(|value| value.fract() == 0.0);
    }

    /// Root of the mean square of a feature.
    pub fn size(&self, feature: usize) -> f64 {
        self.mean[feature].hypot(self.deviation[feature])
    }

    /// True if all values of a feature are the same.
    pub fn is_constant(&self, feature: usize) -> bool {
        self.minimum[feature] == self.maximum[feature]
    }

    /// True if all values of all features are the same, or none is finite.
    pub fn are_all_constant(&self) -> bool {
        (0..self.width()).all(|feature| self.is_constant(feature))
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// Smallest and largest value of all features.
    pub fn range(&self) -> (f64, f64) {
        let minimum = self.minimum.iter().copied().fold(Real::INFINITY, Real::min);
        let maximum = self.maximum.iter().copied().fold(Real::NEG_INFINITY, Real::max);
        (f64::from(minimum), f64::from(maximum))
    }

    /// Root of the mean square of all values.
    pub fn total_size(&self) -> f64 {
        let squares: f64 = (0..self.width()).map(|feature| self.size(feature).powi(2)).sum();
        (squares / self.width().max(1) as f64).sqrt()
    }
}

/// Adds a number to a checksum; 0 and −0 are equal.
pub(super) fn mix(checksum: u64, value: Real) -> u64 {
    let bits = f64::from(value + 0.0).to_bits();
    (checksum.rotate_left(23) ^ bits).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
