//! The proof: every parameter counted three times, by three roads, and a fingerprint of the values.

use std::fmt;

use super::Sequential;
use crate::shape::Tuple;
use crate::table::table;
use crate::{Error, Real, Result, kernels};

/// The counts of a model, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// One row a layer.
    pub layers: Vec<LayerCount>,
    /// A short hash of the weights' bytes, behind the kernel path of this process: `avx2:5c0f13b2`.
    pub fingerprint: String,
}

/// What the formula, the summary and the memory say of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerCount {
    /// The layer's name.
    pub name: String,
    /// The formula in numbers and words.
    pub words: String,
    /// What the formula comes to, from the layer's sizes.
    pub formula: usize,
    /// The row of the summary, from the shapes in the model's table.
    pub summary: usize,
    /// The numbers that are there.
    pub counted: usize,
    /// The arrays that they are in.
    pub arrays: Vec<ArrayCount>,
}

/// One array, counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayCount {
    /// The array's full name: `dense_1/kernel`.
    pub name: String,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
    /// The numbers that are there.
    pub counted: usize,
}

impl Sequential {
    /// Counts every parameter array in memory and holds the counts against the formulas and the summary. A layer whose
    /// three counts are not the same is an error.
    pub fn verify(&self) -> Result<Verification> {
        // One by one: a count that trusted the shape would prove nothing.
        let count = |(name, array): (String, ndarray::ArrayViewD<Real>)| ArrayCount {
            name,
            shape: array.shape().to_vec(),
            counted: array.iter().count(),
        };
        self.verify_arrays(self.weights().map(count).collect())
    }

    /// The same for arrays that were counted elsewhere, such as in a file.
    pub fn verify_arrays(&self, arrays: Vec<ArrayCount>) -> Result<Verification> {
        let mut layers = vec![];
        for layer in self.layers() {
            let prefix = format!("{}/", layer.name());
            let arrays: Vec<_> = arrays.iter().filter(|array| array.name.starts_with(&prefix)).cloned().collect();
            let (formula, summary) = (layer.count.total, layer.count_params().0);
            let counted = arrays.iter().map(|array| array.counted).sum();
            let (name, words) = (layer.name(), layer.count.formula.clone());
            if formula != summary || summary != counted {
                return Err(Error::Data(format!(
                    "{name}: the formula {words} comes to {formula}, the summary says {summary}, and {counted} are there"
                )));
            }
            layers.push(LayerCount { name, words, formula, summary, counted, arrays });
        }
        Ok(Verification { layers, fingerprint: self.fingerprint() })
    }

    /// A short hash of the weights' bytes, behind the kernel path: equal for equal training on like machines.
    pub fn fingerprint(&self) -> String {
        let mut hash = flate2::Crc::new();
        for value in &self.parameters.values {
            hash.update(&value.to_le_bytes());
        }
        let precision = if size_of::<Real>() == 8 { "-f64" } else { "" };
        format!("{}{precision}:{:08x}", kernels::path().name(), hash.sum())
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut rows = vec![];
        let mut totals = [0; 3];
        let mut row = |name: String, words: String, counts: [String; 3]| {
            rows.push([name, words].into_iter().chain(counts).collect::<Vec<_>>());
        };
        for layer in &self.layers {
            let counts = [layer.formula, layer.summary, layer.counted];
            totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
            row(layer.name.clone(), layer.words.clone(), counts.map(|count| count.to_string()));
            for ArrayCount { name, shape, counted } in &layer.arrays {
                row(format!("  {name}"), Tuple(shape).to_string(), ["".into(), "".into(), counted.to_string()]);
            }
        }
        row("Total".to_string(), String::new(), totals.map(|total| total.to_string()));
        f.write_str(&table(&["Parameters", "formula", ">= formula", ">= summary", ">= counted"], &rows))?;
        write!(f, "Verified: formula, summary and weights agree. Fingerprint {}", self.fingerprint)
    }
}
