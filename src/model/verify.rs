//! Verification: parameters counted in three independent ways, and a fingerprint of the values.

use super::Sequential;
use crate::shape::Tuple;
use crate::table::table;
use crate::{Error, Real, Result, kernels};

/// Number of values of a parameter array, counted in memory or in a file.
#[derive(Debug, Clone)]
pub struct ArrayCount {
    /// Full name: `dense_1/kernel`.
    pub name: String,
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Number of values counted.
    pub counted: usize,
}

impl Sequential {
    /// Counts every parameter array in memory and compares the counts with the formulas and the
    /// summary. Returns a table that ends with the fingerprint.
    ///
    /// # Errors
    /// A layer whose three counts differ.
    pub fn verify(&self) -> Result<String> {
        let arrays = self.weights().map(|(name, array)| {
            // Counted one by one: a count derived from the shape would prove nothing.
            ArrayCount { name, shape: array.shape().to_vec(), counted: array.iter().count() }
        });
        self.verify_arrays(&arrays.collect::<Vec<_>>())
    }

    /// Like [`Sequential::verify`], for arrays counted elsewhere, such as in a file.
    pub fn verify_arrays(&self, arrays: &[ArrayCount]) -> Result<String> {
        let mut rows: Vec<Vec<String>> = vec![];
        let mut total = 0;
        for layer in self.layers() {
            let name = layer.name();
            let words = &layer.explanation.formula;
            let prefix = format!("{name}/");
            let own = arrays.iter().filter(|array| array.name.starts_with(&prefix));
            let counted: usize = own.clone().map(|array| array.counted).sum();
            let formula = layer.explanation.total;
            let summary = layer.count_params().total;
            if formula != summary || summary != counted {
                return Err(Error::weights(
                    &name,
                    format!(
                        "{name}: the formula {words} gives {formula}, the summary says {summary}, \
                         and {counted} are there"
                    ),
                ));
            }
            total += counted;
            let count = counted.to_string();
            rows.push(vec![name, words.clone(), count.clone(), count.clone(), count]);
            for array in own {
                let name = format!("  {}", array.name);
                let shape = Tuple(&array.shape).to_string();
                let nothing = String::new();
                rows.push(vec![name, shape, nothing.clone(), nothing, array.counted.to_string()]);
            }
        }
        let total = total.to_string();
        rows.push(vec!["Total".into(), String::new(), total.clone(), total.clone(), total]);
        let heads = ["Parameters", "formula", ">= formula", ">= summary", ">= counted"];
        let fingerprint = self.fingerprint();
        Ok(format!(
            "{}Verified: formula, summary and weights agree. Fingerprint {fingerprint}",
            table(&heads, &rows)
        ))
    }

    /// Instruction set and CRC-32 of the weights, such as `avx2:5c0f13b2`. The same training gives
    /// the same fingerprint on machines with the same instruction set.
    pub fn fingerprint(&self) -> String {
        let mut hash = flate2::Crc::new();
        for value in &self.parameters.values {
            hash.update(&value.to_le_bytes());
        }
        let precision = if size_of::<Real>() == 8 { "-f64" } else { "" };
        format!("{}{precision}:{:08x}", kernels::instruction_set().name(), hash.sum())
    }
}
