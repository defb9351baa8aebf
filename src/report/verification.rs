//! Verification: parameters counted in three independent ways.

use crate::formats::ArrayCount;
use crate::model::Sequential;
use crate::shape::Tuple;
use crate::table::table;
use crate::{Error, Result};

/// Parameters of a layer, counted in three ways.
#[derive(Debug, Clone)]
pub struct LayerVerification {
    /// Name of the layer.
    pub name: String,
    /// Formula in numbers and words.
    pub formula: String,
    /// Value of the formula.
    pub by_formula: usize,
    /// Number in the summary.
    pub in_summary: usize,
    /// Number of values in the arrays.
    pub counted: usize,
    /// Its arrays.
    pub arrays: Vec<ArrayCount>,
}

/// Parameters of a model, counted in three ways.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Each layer.
    pub layers: Vec<LayerVerification>,
    /// Fingerprint of the values.
    pub fingerprint: String,
}

impl LayerVerification {
    /// True if the three counts are equal.
    pub fn agrees(&self) -> bool {
        self.by_formula == self.in_summary && self.in_summary == self.counted
    }
}

impl Verification {
    /// Number of values counted in all layers.
    pub fn counted(&self) -> usize {
        self.layers.iter().map(|layer| layer.counted).sum()
    }

    /// Compares the counts of each layer.
    ///
    /// # Errors
    /// A layer whose three counts differ.
    pub fn check(&self) -> Result<()> {
        for layer in &self.layers {
            let LayerVerification { name, formula, by_formula, in_summary, counted, .. } = layer;
            if !layer.agrees() {
                return Err(Error::weights(
                    name,
                    format!(
                        "{name}: the formula {formula} gives {by_formula}, the summary says \
                         {in_summary}, and {counted} are there"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Table of the counts, which ends with the fingerprint.
    pub(crate) fn text(&self) -> String {
        let mut rows: Vec<Vec<String>> = vec![];
        let nothing = String::new();
        for layer in &self.layers {
            let count = layer.counted.to_string();
            let (name, formula) = (layer.name.clone(), layer.formula.clone());
            rows.push(vec![name, formula, count.clone(), count.clone(), count]);
            for array in &layer.arrays {
                let name = format!("  {}", array.name);
                let shape = Tuple(&array.shape).to_string();
                let counted = array.counted.to_string();
                rows.push(vec![name, shape, nothing.clone(), nothing.clone(), counted]);
            }
        }
        let total = self.counted().to_string();
        rows.push(vec!["Total".into(), nothing, total.clone(), total.clone(), total]);
        let heads = ["Parameters", "formula", ">= formula", ">= summary", ">= counted"];
        format!(
            "{}Verified: formula, summary and weights agree. Fingerprint {}",
            table(&heads, &rows),
            self.fingerprint
        )
    }
}

impl Sequential {
    /// Counts every parameter array in memory and compares the counts with the formulas and the
    /// summary. Returns a table that ends with the fingerprint.
    ///
    /// # Errors
    /// A layer whose three counts differ.
    pub fn verify(&self) -> Result<String> {
        self.verify_arrays(&self.array_counts())
    }

    /// Counts of every parameter array in memory.
    pub fn array_counts(&self) -> Vec<ArrayCount> {
        let mut counts = vec![];
        for (name, array) in self.weights() {
            // Counted one by one: a count derived from the shape would prove nothing.
            let counted = array.iter().count();
            counts.push(ArrayCount { name, shape: array.shape().to_vec(), counted });
        }
        counts
    }

    /// Like [`Sequential::verify`], for arrays counted elsewhere, such as in a file.
    ///
    /// # Errors
    /// A layer whose three counts differ.
    pub fn verify_arrays(&self, arrays: &[ArrayCount]) -> Result<String> {
        let verification = self.verification(arrays);
        verification.check()?;
        Ok(verification.text())
    }

    /// Counts of each layer by its formula, in the summary and in these arrays.
    pub fn verification(&self, arrays: &[ArrayCount]) -> Verification {
        let mut layers = vec![];
        for layer in self.layers() {
            let name = layer.name();
            let prefix = format!("{name}/");
            let own = arrays.iter().filter(|array| array.name.starts_with(&prefix));
            let own: Vec<ArrayCount> = own.cloned().collect();
            layers.push(LayerVerification {
                name,
                formula: layer.explanation.formula.clone(),
                by_formula: layer.explanation.total,
                in_summary: layer.count_params().total,
                counted: own.iter().map(|array| array.counted).sum(),
                arrays: own,
            });
        }
        Verification { layers, fingerprint: self.fingerprint() }
    }
}
