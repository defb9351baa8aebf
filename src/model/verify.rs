//! The proof: every parameter counted three times, by three roads, and a fingerprint of the values.

use std::fmt;

use super::Sequential;
use crate::shape::Tuple;
use crate::{Error, Real, Result, kernels};

/// The counts of a model, side by side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// One row a layer.
    pub layers: Vec<LayerCount>,
    /// A short hash of the weights' bytes, behind the kernel path that they were made with: `avx2:5c0f13b2`.
    pub fingerprint: String,
}

/// What the formula, the summary and the memory say of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerCount {
    /// The layer's name.
    pub name: String,
    /// The formula in words, and what it comes to.
    pub formula: (String, usize),
    /// The row of the summary: from the shapes in the model's table.
    pub summary: usize,
    /// The arrays, as they are.
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

impl LayerCount {
    fn counted(&self) -> usize {
        self.arrays.iter().map(|array| array.counted).sum()
    }
}

impl Sequential {
    /// Counts every parameter array in memory and holds the counts against the formulas and the summary.
    ///
    /// # Errors
    /// The first layer whose three counts are not the same.
    pub fn verify(&self) -> Result<Verification> {
        let arrays = self.weights().map(|(name, array)| ArrayCount {
            name,
            shape: array.shape().to_vec(),
            // One by one: a count that trusted the shape would prove nothing.
            counted: array.iter().count(),
        });
        self.verify_arrays(arrays.collect())
    }

    /// The same for arrays that were counted elsewhere, such as in a file.
    ///
    /// # Errors
    /// The first layer whose three counts are not the same.
    pub fn verify_arrays(&self, arrays: Vec<ArrayCount>) -> Result<Verification> {
        let mut layers = vec![];
        for (i, layer) in self.layers().iter().enumerate() {
            let prefix = format!("{}/", layer.name());
            let count = LayerCount {
                name: layer.name(),
                formula: (layer.count().formula.clone(), layer.count().total),
                summary: self.count_params_of(i),
                arrays: arrays.iter().filter(|array| array.name.starts_with(&prefix)).cloned().collect(),
            };
            let (formula, summary, counted) = (count.formula.1, count.summary, count.counted());
            if formula != summary || summary != counted {
                return Err(Error::Data(format!(
                    "{}: the formula {} comes to {formula}, the summary says {summary}, and {counted} are there",
                    count.name, count.formula.0
                )));
            }
            layers.push(count);
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
        let width = |cells: &mut dyn Iterator<Item = usize>, least: usize| cells.max().unwrap_or(0).max(least);
        let arrays = || self.layers.iter().flat_map(|layer| &layer.arrays);
        let name = width(
            &mut self.layers.iter().map(|l| l.name.len()).chain(arrays().map(|a| a.name.len() + 2)),
            "Parameters".len(),
        );
        let formula = width(&mut self.layers.iter().map(|layer| layer.formula.0.chars().count()), 12);
        writeln!(
            f,
            "{:name$}  {:formula$}  {:>10} {:>10} {:>10}",
            "Parameters", "formula", "= formula", "= summary", "= counted"
        )?;
        let mut totals = [0; 3];
        for layer in &self.layers {
            let counts = [layer.formula.1, layer.summary, layer.counted()];
            totals.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
            let [a, b, c] = counts;
            writeln!(f, "{:name$}  {:formula$}  {a:>10} {b:>10} {c:>10}", layer.name, layer.formula.0)?;
            for array in &layer.arrays {
                let shape = Tuple(&array.shape);
                writeln!(
                    f,
                    "  {:<w$}  {shape:<formula$}  {:>10} {:>10} {:>10}",
                    array.name,
                    "",
                    "",
                    array.counted,
                    w = name - 2
                )?;
            }
        }
        let [a, b, c] = totals;
        writeln!(f, "{:name$}  {:formula$}  {a:>10} {b:>10} {c:>10}", "Total", "")?;
        write!(f, "Verified: formula, summary and weights agree. Fingerprint {}", self.fingerprint)
    }
}
