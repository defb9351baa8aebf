//! MNIST from the repository's data folder, and the order of its rows.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use burn::tensor::{Device, Int, Tensor, TensorData};
use flate2::read::GzDecoder;

const PIXELS: usize = 28 * 28;

// The IDX format puts a header before the bytes: a magic number, then one
// length a dimension, four bytes each.
const IMAGES_HEADER: usize = 16;
const LABELS_HEADER: usize = 8;

pub struct Mnist {
    pub train: Rows,
    pub test: Rows,
}

impl Mnist {
    pub fn read() -> Self {
        Self { train: Rows::read("train", 60_000), test: Rows::read("t10k", 10_000) }
    }
}

/// Flat images in [0, 1] and their labels.
pub struct Rows {
    images: Vec<f32>,
    labels: Vec<i32>,
}

impl Rows {
    /// The first rows of the training set, and no more, since they count in
    /// the peak memory.
    pub fn first(rows: usize) -> Self {
        Self::read("train", rows)
    }

    fn read(part: &str, rows: usize) -> Self {
        let images = unpacked(&format!("{part}-images-idx3-ubyte.gz"), IMAGES_HEADER, rows * PIXELS);
        let labels = unpacked(&format!("{part}-labels-idx1-ubyte.gz"), LABELS_HEADER, rows);
        Self {
            images: images.iter().map(|&byte| f32::from(byte) / 255.0).collect(),
            labels: labels.iter().map(|&byte| i32::from(byte)).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// The given rows as tensors: x of shape (rows, 784), and y.
    pub fn batch(&self, rows: &[usize], device: &Device) -> (Tensor<2>, Tensor<1, Int>) {
        let mut images = Vec::with_capacity(rows.len() * PIXELS);
        for &row in rows {
            images.extend_from_slice(&self.images[row * PIXELS..][..PIXELS]);
        }
        let labels: Vec<i32> = rows.iter().map(|&row| self.labels[row]).collect();
        (
            Tensor::from_data(TensorData::new(images, [rows.len(), PIXELS]), device),
            Tensor::from_data(TensorData::new(labels, [rows.len()]), device),
        )
    }
}

/// The order of the rows, another in each epoch.
pub struct Shuffle {
    order: Vec<usize>,
    state: u64,
}

impl Shuffle {
    pub fn new(rows: usize) -> Self {
        Self { order: (0..rows).collect(), state: 0x9E37_79B9_7F4A_7C15 }
    }

    /// Fisher and Yates's shuffle over Marsaglia's xorshift64.
    pub fn next_order(&mut self) -> &[usize] {
        for last in (1..self.order.len()).rev() {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            self.order.swap(last, (self.state % (last as u64 + 1)) as usize);
        }
        &self.order
    }
}

/// `count` bytes after the header of a packed file.
fn unpacked(name: &str, header: usize, count: usize) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../data").join(name);
    let mut bytes = vec![0; header + count];
    File::open(&path)
        .and_then(|file| GzDecoder::new(file).read_exact(&mut bytes))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    bytes.split_off(header)
}
