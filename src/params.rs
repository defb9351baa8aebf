//! One vector that holds every parameter of a model, and the table that says what lies where.
//!
//! Optimizers, gradient sums, saving and verification are flat loops over the vector; a layer
//! receives its own slice and splits it. The order is the order of declaration, always.

use std::ops::Range;

use crate::initializers::Initializer;
use crate::random::{self, Stream};
use crate::regularizers::L1L2;
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
    /// The penalty on its size.
    pub regularizer: Option<L1L2>,
    /// Whether training moves it.
    pub trainable: bool,
}

impl ParamSpec {
    /// A trainable array.
    pub fn new(
        name: &'static str,
        shape: Vec<usize>,
        initializer: &Initializer,
        regularizer: Option<L1L2>,
    ) -> Self {
        ParamSpec { name, shape, initializer: initializer.clone(), regularizer, trainable: true }
    }

    /// Checks initializer and regularizer; their errors are returned.
    pub fn validate(&self) -> Result<()> {
        self.initializer.validate()?;
        self.regularizer.map_or(Ok(()), |penalty| penalty.validate())
    }

    /// How many numbers it has, by its shape; the largest number there is where the product would
    /// pass it.
    pub fn count(&self) -> usize {
        self.shape.iter().fold(1, |n, &axis| n.saturating_mul(axis))
    }
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
    /// The table, in the order of the vector.
    pub entries: Vec<Entry>,
    /// The stretches of the vector that training moves, neighbours joined.
    pub trainable: Vec<Range<usize>>,
}

impl Parameters {
    /// Lays the arrays of each layer one behind the other and draws their first values from the
    /// seed; without one, as where a file has the values, they are 0. It is an error if there are
    /// more numbers than `most`, or than memory holds.
    pub fn build(
        layers: Vec<Vec<ParamSpec>>,
        most: usize,
        seed: Option<u64>,
    ) -> Result<Parameters> {
        let mut table = Parameters::default();
        let mut end = 0usize;
        for (layer, specs) in layers.into_iter().enumerate() {
            for spec in specs {
                let start = end;
                end = end.saturating_add(spec.count());
                match table.trainable.last_mut() {
                    _ if !spec.trainable => {}
                    Some(last) if last.end == start => last.end = end,
                    _ => table.trainable.push(start..end),
                }
                table.entries.push(Entry { layer, spec, range: start..end });
            }
        }
        if end > most || Vec::<Real>::new().try_reserve_exact(end).is_err() {
            return Err(Error::Memory(format!(
                "the model has {end} parameters, and there is no room for so many"
            )));
        }
        // Zeros cost no memory until they are written over.
        table.values = vec![0.0; end];
        if let Some(seed) = seed {
            for (number, entry) in table.entries.iter().enumerate() {
                let mut generator = random::generator(seed, Stream::Initializer(number as u32));
                entry.spec.initializer.draw(
                    &entry.spec.shape,
                    &mut table.values[entry.range.clone()],
                    &mut generator,
                );
            }
        }
        Ok(table)
    }

    /// The entries of one layer.
    pub fn of_layer(&self, layer: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.layer == layer)
    }

    /// The sum of all penalties. Arrays that training does not move have none.
    pub fn penalty(&self) -> f64 {
        self.penalized()
            .map(|(entry, penalty)| penalty.penalty(&self.values[entry.range.clone()]))
            .sum()
    }

    /// The arrays whose size is penalized, and how.
    pub fn penalized(&self) -> impl Iterator<Item = (&Entry, L1L2)> {
        let trainable = self.entries.iter().filter(|entry| entry.spec.trainable);
        trainable.filter_map(|entry| Some((entry, entry.spec.regularizer?)))
    }
}
