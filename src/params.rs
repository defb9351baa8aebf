//! The parameter vector of a model, and the table of its arrays.
//!
//! Optimizers, gradient sums, files and verification loop over the flat vector; a layer receives
//! views of its own arrays, sliced and shaped by the table. Arrays are in the order of declaration.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::initializers::Initializer;
use crate::random::{self, Stream};
use crate::regularizers::L1L2;
use crate::{Error, Real, Result};

/// A parameter array that a layer declares.
#[derive(Debug, Clone)]
pub struct ParamSpec {
    /// Name within its layer: `kernel`, `bias`.
    pub name: &'static str,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Distribution of its initial values.
    pub initializer: Initializer,
    /// Penalty on its values.
    pub regularizer: Option<L1L2>,
    /// True if training updates it.
    pub trainable: bool,
}

impl ParamSpec {
    /// A trainable array.
    pub fn new(
        name: &'static str,
        shape: impl Into<Vec<usize>>,
        initializer: &Initializer,
        regularizer: Option<L1L2>,
    ) -> Self {
        let shape = shape.into();
        let initializer = initializer.clone();
        ParamSpec { name, shape, initializer, regularizer, trainable: true }
    }

    /// The same array, non-trainable.
    pub fn non_trainable(self) -> Self {
        ParamSpec { trainable: false, ..self }
    }

    /// Rejects an initializer or a regularizer whose options are out of range.
    pub fn validate(&self) -> Result<()> {
        self.initializer.validate()?;
        self.regularizer.map_or(Ok(()), |penalty| penalty.validate())
    }

    /// Number of values, from the shape; saturates at `usize::MAX`.
    pub fn count(&self) -> usize {
        self.shape.iter().fold(1, |n, &axis| n.saturating_mul(axis))
    }
}

/// Row of the table: one array.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Index of the layer that the array belongs to.
    pub layer: usize,
    /// Declaration by the layer.
    pub spec: ParamSpec,
    /// Range of its values in the vector, in row-major order.
    pub range: Range<usize>,
}

/// The vector and its table.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// Every parameter of the model.
    pub values: Vec<Real>,
    /// Table, in the order of the vector.
    pub entries: Vec<Entry>,
    /// Trainable ranges of the vector, adjacent ones merged.
    pub trainable: Vec<Range<usize>>,
}

impl Parameters {
    /// Lays out the arrays of all layers and draws their initial values from the seed. Without a
    /// seed they are 0, to be read from a file.
    ///
    /// # Errors
    /// More values than `max_params`, or than memory holds.
    pub fn build(
        layers: Vec<Vec<ParamSpec>>,
        max_params: usize,
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
        if !fits_memory(end) {
            let problem = format!("the model has {end} parameters, and memory does not hold them");
            return Err(Error::Memory(problem));
        }
        if end > max_params {
            return Err(Error::Memory(format!(
                "the model has {end} parameters, and the file holds fewer numbers, or there are \
                 more than a model can have here"
            )));
        }
        // Zeroed memory is not committed until it is written.
        table.values = vec![0.0; end];
        if let Some(seed) = seed {
            table.initialize(seed);
        }
        Ok(table)
    }

    /// Draws the initial values of all arrays.
    fn initialize(&mut self, seed: u64) {
        for (number, entry) in self.entries.iter().enumerate() {
            let mut generator = random::generator(seed, Stream::Initializer(number as u32));
            let values = &mut self.values[entry.range.clone()];
            entry.spec.initializer.draw(&entry.spec.shape, values, &mut generator);
        }
    }

    /// Entries of one layer.
    pub fn of_layer(&self, layer: usize) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.layer == layer)
    }

    /// Sum of all penalties on trainable arrays.
    pub fn penalty(&self) -> f64 {
        let of_array =
            |(entry, penalty): (&Entry, L1L2)| penalty.penalty(&self.values[entry.range.clone()]);
        penalized(&self.entries).map(of_array).sum()
    }

    /// True if every value is a finite number.
    pub fn are_finite(&self) -> bool {
        self.values.iter().all(|value| value.is_finite())
    }
}

/// Trainable arrays with a penalty.
pub fn penalized(entries: &[Entry]) -> impl Iterator<Item = (&Entry, L1L2)> {
    let trainable = entries.iter().filter(|entry| entry.spec.trainable);
    trainable.filter_map(|entry| Some((entry, entry.spec.regularizer?)))
}

/// True if this many values can be allocated, and a little beside them; a failed `vec!` would abort
/// the process.
pub fn fits_memory(values: usize) -> bool {
    const LITTLE: usize = 1 << 20;
    Vec::<Real>::new().try_reserve_exact(values.saturating_add(LITTLE)).is_ok()
}

/// Name, length of the last axis, and range of an array within the values of its layer.
#[derive(Debug, Clone)]
pub struct ParamArray {
    name: &'static str,
    columns: usize,
    range: Range<usize>,
}

impl ParamArray {
    /// Array without values.
    const NONE: ParamArray = ParamArray { name: "", columns: 0, range: 0..0 };

    /// Lays out these arrays, one after the other.
    pub fn table(specs: &[ParamSpec]) -> Vec<ParamArray> {
        let mut arrays = vec![];
        let mut end = 0usize;
        for spec in specs {
            let start = end;
            end = end.saturating_add(spec.count());
            let columns = spec.shape.last().copied().unwrap_or(1);
            arrays.push(ParamArray { name: spec.name, columns, range: start..end });
        }
        arrays
    }

    /// The array of this name; one without values if the layer declared none.
    fn named<'a>(name: &str, arrays: &'a [ParamArray]) -> &'a ParamArray {
        arrays.iter().find(|array| array.name == name).unwrap_or(&ParamArray::NONE)
    }

    /// Rows and columns of the array as a matrix; its columns are the last axis.
    fn matrix_shape(&self) -> (usize, usize) {
        (self.range.len() / self.columns.max(1), self.columns)
    }
}

/// Arrays of one layer, by name.
#[derive(Clone, Copy)]
pub struct ParamViews<'a> {
    values: &'a [Real],
    arrays: &'a [ParamArray],
}

impl<'a> ParamViews<'a> {
    /// Views of these values, sliced by the table.
    pub fn new(values: &'a [Real], arrays: &'a [ParamArray]) -> Self {
        ParamViews { values, arrays }
    }

    /// Values of the array of this name, in row-major order; empty if the layer declared none.
    pub fn get(&self, name: &str) -> &'a [Real] {
        &self.values[ParamArray::named(name, self.arrays).range.clone()]
    }

    /// The array of this name as a matrix: columns are the last axis, rows all other axes.
    pub fn matrix(&self, name: &str) -> ArrayView2<'a, Real> {
        let shape = ParamArray::named(name, self.arrays).matrix_shape();
        ArrayView2::from_shape(shape, self.get(name)).expect("cut by the table")
    }
}

/// Mutable arrays of one layer, by name: gradients or running statistics.
pub struct ParamViewsMut<'a> {
    values: &'a mut [Real],
    arrays: &'a [ParamArray],
}

impl<'a> ParamViewsMut<'a> {
    /// Views of these values, sliced by the table.
    pub fn new(values: &'a mut [Real], arrays: &'a [ParamArray]) -> Self {
        ParamViewsMut { values, arrays }
    }

    /// Mutable [`ParamViews::get`].
    pub fn get(&mut self, name: &str) -> &mut [Real] {
        &mut self.values[ParamArray::named(name, self.arrays).range.clone()]
    }

    /// Mutable [`ParamViews::matrix`].
    pub fn matrix(&mut self, name: &str) -> ArrayViewMut2<'_, Real> {
        let shape = ParamArray::named(name, self.arrays).matrix_shape();
        ArrayViewMut2::from_shape(shape, self.get(name)).expect("cut by the table")
    }

    /// Sets every value of every array.
    pub fn fill(&mut self, value: Real) {
        self.values.fill(value);
    }
}
