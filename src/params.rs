//! One vector that holds every parameter of a model, and the table that says what lies where.
//!
//! Optimizers, gradient sums, saving and verification are flat loops over the vector; a layer receives its own slice
//! and splits it. The order is the order of declaration, always.

use std::ops::Range;

use crate::initializers::Initializer;
use crate::random::{self, Stream};
use crate::{Error, Real, Result};

/// A parameter array that a layer asks for.
#[derive(Debug, Clone)]
pub struct ParamSpec {
    /// The name within its layer: `kernel`, `bias`.
    pub name: &'static str,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
    /// How its first values are drawn.
    pub initializer: Initializer,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The layer that the array belongs to, counted from 0.
    pub layer: usize,
    /// What the layer asked for.
    pub spec: ParamSpec,
    /// Where its numbers lie in the vector, in row-major order.
    pub range: Range<usize>,
}

/// The vector and its table.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// Every parameter of the model.
    pub values: Vec<Real>,
    entries: Vec<Entry>,
}

impl Parameters {
    /// Lays the arrays of each layer one behind the other and draws their first values from the seed.
    ///
    /// # Errors
    /// When there are more than `most`, or when there is no memory for so many.
    pub fn build(layers: &[Vec<ParamSpec>], most: usize, seed: u64) -> Result<Parameters> {
        let mut entries = Vec::new();
        let mut end = 0usize;
        for (layer, specs) in layers.iter().enumerate() {
            for spec in specs {
                let start = end;
                end = spec.shape.iter().fold(1usize, |n, &axis| n.saturating_mul(axis)).saturating_add(end);
                entries.push(Entry { layer, spec: spec.clone(), range: start..end });
            }
        }
        if end > most {
            return Err(Error::Argument(format!("the model has {end} parameters, where there can be {most} at most")));
        }
        let mut values = Vec::new();
        values.try_reserve_exact(end).map_err(|_| {
            Error::Argument(format!("the model has {end} parameters, and there is no memory for so many"))
        })?;
        for (number, entry) in entries.iter().enumerate() {
            let mut generator = random::generator(seed, Stream::Initializer(number as u32));
            values.extend(entry.spec.initializer.draw(&entry.spec.shape, &mut generator));
        }
        Ok(Parameters { values, entries })
    }

    /// The table, in the order of the vector.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entries of one layer.
    pub fn of_layer(&self, layer: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.layer == layer)
    }

    /// Where the numbers of a layer lie. They are one stretch.
    pub fn range_of(&self, layer: usize) -> Range<usize> {
        let mut ranges = self.of_layer(layer).map(|entry| entry.range.clone());
        let first = ranges.next().unwrap_or(0..0);
        ranges.fold(first, |all, range| all.start..range.end)
    }
}
