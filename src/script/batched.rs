//! Batch sizes of data that are batched before `fit`: generators and `tf.data`.

use super::evaluate::Interpreter;
use super::values::{Arguments, Value};

/// Position of `batch_size` in the functions and methods that batch data.
const BATCHING: &[(&str, usize)] = &[
    ("batch", 0),
    ("padded_batch", 0),
    ("flow", 2),
    ("flow_from_directory", 5),
    ("image_dataset_from_directory", 5),
    ("flow_from_dataframe", 9),
];

/// Keras's default; `tf.data` has none.
const DEFAULT: u64 = 32;

/// Batch size of the result of a function or method that batches data; `None` for others, and for
/// sizes that are not known.
pub fn batch_size_of_call(function: &str, arguments: &Arguments) -> Option<u64> {
    let (_, position) = BATCHING.iter().find(|(name, _)| *name == function)?;
    match arguments.get(*position, "batch_size") {
        Some(Value::Int(rows)) => u64::try_from(*rows).ok(),
        Some(_) => None,
        None => Some(DEFAULT),
    }
}

impl Interpreter<'_> {
    /// Keeps the batch size of data that are not known.
    pub fn set_batch_size(&mut self, data: &Value, rows: u64) {
        if let Value::Unknown(id) = data {
            self.heap.unknowns[*id].batch_size = Some(rows);
        }
    }

    /// Batch size of data that are passed to `fit`, if they come in batches.
    pub fn batch_size_of(&self, data: Option<&Value>) -> Option<u64> {
        match data {
            Some(Value::Unknown(id)) => self.heap.unknowns[*id].batch_size,
            _ => None,
        }
    }
}
