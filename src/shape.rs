//! Shape of one sample: all axes but the batch axis, which Keras writes as `None`.

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::Real;

/// Lengths of a sample's axes.
///
/// ```
/// let shape = tallynet::shape::Shape::from([28, 28]);
/// assert_eq!(shape.to_string(), "(None, 28, 28)");
/// assert_eq!((shape.n_values(), shape.last(), shape.n_positions()), (784, 28, 28));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// Lengths of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// Number of values of a sample; saturates at `usize::MAX`.
    pub fn n_values(&self) -> usize {
        self.n_positions().saturating_mul(self.last())
    }

    /// True if a sample has values, and memory can address them.
    pub fn is_addressable(&self) -> bool {
        (1..=isize::MAX as usize / 8).contains(&self.n_values())
    }

    /// Length of the last axis; 1 for a scalar sample.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// True if an axis, in Keras's count, is the last one: −1, or its number, where the batch axis
    /// is 0.
    pub fn is_last(&self, axis: i64) -> bool {
        !self.0.is_empty() && (axis == -1 || usize::try_from(axis) == Ok(self.0.len()))
    }

    /// Number of vectors along the last axis: 1 for a vector, height × width for an image.
    pub fn n_positions(&self) -> usize {
        self.0.iter().rev().skip(1).fold(1, |product, &axis| product.saturating_mul(axis))
    }

    /// This shape with another last axis.
    pub fn with_last(&self, length: usize) -> Shape {
        let others = &self.0[..self.0.len().saturating_sub(1)];
        Shape([others, &[length]].concat())
    }

    /// The axes without those of length 1, which do not change the layout in memory.
    pub fn squeezed(&self) -> Vec<usize> {
        self.0.iter().copied().filter(|&axis| axis != 1).collect()
    }
}

impl<T: Into<Vec<usize>>> From<T> for Shape {
    fn from(dims: T) -> Self {
        Shape(dims.into())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let axes = self.0.iter().map(usize::to_string);
        f.pad(&tuple(std::iter::once("None".to_string()).chain(axes)))
    }
}

/// Lengths of an array's axes as Python writes a tuple: `(784, 10)`, `(10,)`.
pub(crate) struct Tuple<'a>(pub &'a [usize]);

impl fmt::Display for Tuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(&tuple(self.0.iter().map(usize::to_string)))
    }
}

/// Lengths as a product: `28 × 28`.
pub(crate) struct Product<'a>(pub &'a [usize]);

impl fmt::Display for Product<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let lengths: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.pad(&lengths.join(" × "))
    }
}

/// Items as Python writes a tuple.
pub(crate) fn tuple(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" })
}

/// The values of contiguous rows, such as those of a buffer.
pub(crate) fn flat(rows: ArrayView2<'_, Real>) -> &[Real] {
    rows.to_slice().expect("contiguous rows")
}

/// Mutable [`flat`].
pub(crate) fn flat_mut(rows: ArrayViewMut2<'_, Real>) -> &mut [Real] {
    rows.into_slice().expect("contiguous rows")
}
