//! The shape of one sample: every axis but the first, the batch axis, which Keras writes as `None`.

use std::fmt;

use ndarray::{ArrayView2, ArrayViewMut2};
use serde::{Deserialize, Serialize};

use crate::Real;

/// The lengths of a sample's axes. `Shape::from([28, 28])` prints as `(None, 28, 28)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// The lengths of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.0
    }

    /// How many numbers a sample holds; the largest number there is where the product would pass it.
    pub fn n_values(&self) -> usize {
        self.0.iter().fold(1, |product, &axis| product.saturating_mul(axis))
    }

    /// The length of the last axis: 1 for a sample that is a single number.
    pub fn last(&self) -> usize {
        self.0.last().copied().unwrap_or(1)
    }

    /// How many vectors along the last axis a sample holds: 1 for a vector, height × width for an image.
    pub fn n_positions(&self) -> usize {
        self.0.iter().rev().skip(1).fold(1, |product, &axis| product.saturating_mul(axis))
    }

    /// This shape with another last axis.
    pub fn with_last(&self, length: usize) -> Shape {
        let mut dims = self.0.clone();
        match dims.last_mut() {
            Some(last) => *last = length,
            None => dims.push(length),
        }
        Shape(dims)
    }

    /// The axes without those of length 1, which change nothing about how the numbers lie in memory.
    pub fn squeezed(&self) -> Vec<usize> {
        self.0.iter().copied().filter(|&axis| axis != 1).collect()
    }
}

impl From<Vec<usize>> for Shape {
    fn from(dims: Vec<usize>) -> Self {
        Shape(dims)
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Shape(dims.to_vec())
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    fn from(dims: [usize; N]) -> Self {
        Shape(dims.to_vec())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write_tuple(f, std::iter::once("None".to_string()).chain(self.0.iter().map(usize::to_string)))
    }
}

/// The lengths of an array's axes as Python writes a tuple: `(784, 10)`, `(10,)`.
pub(crate) struct Tuple<'a>(pub &'a [usize]);

impl fmt::Display for Tuple<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write_tuple(f, self.0.iter().map(usize::to_string))
    }
}

fn write_tuple(f: &mut fmt::Formatter, items: impl Iterator<Item = String>) -> fmt::Result {
    let items: Vec<String> = items.collect();
    f.pad(&format!("({}{})", items.join(", "), if items.len() == 1 { "," } else { "" }))
}

/// A view's rows cut into vectors of the last axis, one a row: how a layer acts on the last axis of any rank.
pub(crate) fn per_position(view: ArrayView2<Real>, width: usize) -> ArrayView2<Real> {
    let positions = view.len() / width.max(1);
    view.into_shape_with_order((positions, width)).expect("rows without gaps, of a multiple of the width")
}

/// The same for a view to write to.
pub(crate) fn per_position_mut(view: ArrayViewMut2<Real>, width: usize) -> ArrayViewMut2<Real> {
    let positions = view.len() / width.max(1);
    view.into_shape_with_order((positions, width)).expect("rows without gaps, of a multiple of the width")
}
