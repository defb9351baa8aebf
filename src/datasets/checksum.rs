//! Checksum of rows, by which a training tells other data from its own.

use flate2::Crc;

use super::batches::Rows;
use super::values::Values;

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
fn add_numbers<T: Copy, const N: usize>(hash: &mut Crc, numbers: &[T], bytes: fn(T) -> [u8; N]) {
    for part in numbers.chunks(4096) {
        let part: Vec<u8> = part.iter().flat_map(|&number| bytes(number)).collect();
        hash.update(&part);
    }
}
