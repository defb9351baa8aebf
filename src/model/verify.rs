//! The proof: every parameter counted three times, by three roads, and a fingerprint of the values.

use super::Sequential;
use crate::shape::Tuple;
use crate::table::table;
use crate::{Error, Real, Result, kernels};

/// One parameter array, counted.
#[derive(Debug, Clone)]
pub struct ArrayCount {
    /// The array's full name: `dense_1/kernel`.
    pub name: String,
    /// The lengths of its axes.
    pub shape: Vec<usize>,
    /// The numbers that are there.
    pub counted: usize,
}

impl Sequential {
    /// Counts every parameter array in memory, and puts the counts beside those of the formulas and
    /// of the summary: a table, with the fingerprint under it. A layer whose three counts are not
    /// the same is an error.
    pub fn verify(&self) -> Result<String> {
        let arrays = self.weights().map(|(name, array)| {
            // One by one: a count that trusted the shape would prove nothing.
            ArrayCount { name, shape: array.shape().to_vec(), counted: array.iter().count() }
        });
        self.verify_arrays(&arrays.collect::<Vec<_>>())
    }

    /// The same for arrays that were counted elsewhere, such as in a file.
    pub fn verify_arrays(&self, arrays: &[ArrayCount]) -> Result<String> {
        let row = |name: &str, words: &str, counts: [String; 3]| {
            [&[name.into(), words.into()], &counts[..]].concat()
        };
        let (mut rows, mut totals) = (vec![], [0; 3]);
        for layer in self.layers() {
            let (name, words) = (layer.name(), &layer.count.formula);
            let is_own = |array: &&ArrayCount| {
                array.name.strip_prefix(&name).is_some_and(|rest| rest.starts_with('/'))
            };
            let own = arrays.iter().filter(is_own);
            let counted: usize = own.clone().map(|array| array.counted).sum();
            let (formula, summary) = (layer.count.total, layer.count_params().0);
            if formula != summary || summary != counted {
                return Err(Error::Data(format!(
                    "{name}: the formula {words} comes to {formula}, the summary says {summary}, and {counted} are there"
                )));
            }
            let counts = [formula, summary, counted];
            totals = [0, 1, 2].map(|i| totals[i] + counts[i]);
            rows.push(row(&name, words, counts.map(|count| count.to_string())));
            rows.extend(own.map(|ArrayCount { name, shape, counted }| {
                let counts = ["".into(), "".into(), counted.to_string()];
                row(&format!("  {name}"), &Tuple(shape).to_string(), counts)
            }));
        }
        rows.push(row("Total", "", totals.map(|total| total.to_string())));
        let table =
            table(&["Parameters", "formula", ">= formula", ">= summary", ">= counted"], &rows);
        let fingerprint = self.fingerprint();
        Ok(format!(
            "{table}Verified: formula, summary and weights agree. Fingerprint {fingerprint}"
        ))
    }

    /// A short hash of the weights' bytes, behind the kernel path (`avx2:5c0f13b2`): equal for
    /// equal training on like machines.
    pub fn fingerprint(&self) -> String {
        let mut hash = flate2::Crc::new();
        self.parameters.values.iter().for_each(|value| hash.update(&value.to_le_bytes()));
        let precision = if size_of::<Real>() == 8 { "-f64" } else { "" };
        format!("{}{precision}:{:08x}", kernels::instruction_set().name(), hash.sum())
    }
}
