//! Independent streams of random numbers from one seed: a new layer or epoch changes no other draw.
//! The generator is ChaCha8, because `rand`'s `StdRng` may change between releases.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Purpose of random numbers.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// Initial values of the parameter array with this index.
    Initializer(u32),
    /// Order of the rows in this epoch, counted from 0.
    Shuffle(u32),
    /// Synthetic data.
    Data,
    /// Gradient check.
    Check,
    /// Samples of a shuffled split.
    Split,
    /// Dropout mask of a layer in a step.
    Dropout {
        /// Index of the layer.
        layer: u32,
        /// Number of optimizer steps taken before.
        iteration: u64,
    },
}

/// Generator of one stream.
pub fn generator(seed: u64, stream: Stream) -> ChaCha8Rng {
    let (kind, number) = match stream {
        Stream::Initializer(array) => (0, array),
        Stream::Shuffle(epoch) => (1, epoch),
        Stream::Data => (2, 0),
        Stream::Check => (3, 0),
        Stream::Split => (5, 0),
        Stream::Dropout { layer, iteration } => (4 + (iteration << 4), layer),
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(kind << 32 | u64::from(number));
    generator
}
