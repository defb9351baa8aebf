//! Checksums of data, by which a training recognizes its own.

use flate2::Crc;

use super::batches::Rows;
use super::values::Values;
use super::{Dataset, Inputs, Targets};

impl Rows<'_> {
    /// Number of rows and CRC-32 of inputs, targets and weights, such as `60000:5c0f13b2`. Rows of
    /// a split count all rows of its dataset in.
    pub fn checksum(&self) -> String {
        let mut hash = Crc::new();
        for values in [self.x, self.y] {
            add(&mut hash, values);
        }
        if let Some(weights) = &self.sample_weights {
            add(&mut hash, Values::Reals(weights));
        }
        format!("{}:{:08x}", self.len(), hash.sum())
    }
}

/// CRC-32 of the inputs' and the targets' numbers.
pub fn checksum(data: &Dataset) -> u32 {
    let mut hash = Crc::new();
    match &data.x {
        Inputs::Bytes { values, .. } => add_numbers(&mut hash, values, |byte| [byte]),
        Inputs::Reals(values) => add_numbers(&mut hash, values, |value| value.to_le_bytes()),
    }
    match &data.y {
        Targets::Labels(labels) => add_numbers(&mut hash, labels, |label| label.to_le_bytes()),
        Targets::Reals(values) => add_numbers(&mut hash, values, |value| value.to_le_bytes()),
    }
    hash.sum()
}

fn add(hash: &mut Crc, values: Values) {
    match values {
        Values::Bytes { values, scale } => {
            hash.update(values);
            hash.update(&scale.to_le_bytes());
        }
        Values::Labels(labels) | Values::OneHot { labels, .. } => {
            add_numbers(hash, labels, |label| label.to_le_bytes());
        }
        Values::Reals(numbers) => add_numbers(hash, numbers, |number| number.to_le_bytes()),
    }
}

/// Adds the bytes of numbers, many at a time.
fn add_numbers<'a, T: Copy + 'a, const N: usize>(
    hash: &mut Crc,
    numbers: impl IntoIterator<Item = &'a T>,
    bytes: fn(T) -> [u8; N],
) {
    let mut buffer = vec![];
    for number in numbers {
        buffer.extend_from_slice(&bytes(*number));
        if buffer.len() >= 1 << 14 {
            hash.update(&buffer);
            buffer.clear();
        }
    }
    hash.update(&buffer);
}
