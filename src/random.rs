//! Named streams of random numbers, all from one seed.
//!
//! Each use draws from a stream of its own, so that adding a layer or an epoch changes no other
//! draw. The generator is ChaCha with 8 rounds, named here because `rand`'s standard one may change
//! between releases.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What random numbers are drawn for.
#[derive(Debug, Clone, Copy)]
pub enum Stream {
    /// The first values of the parameter array with this number.
    Initializer(u32),
    /// The order of the rows in this epoch, counted from 0.
    Shuffle(u32),
    /// Made-up data.
    Data,
    /// Where gradients are checked.
    Check,
    /// What a layer drops in a step.
    Dropout {
        /// The place of the layer.
        layer: u32,
        /// Steps taken before.
        iteration: u64,
    },
}

/// The generator of one stream.
pub fn generator(seed: u64, stream: Stream) -> ChaCha8Rng {
    let (kind, number) = match stream {
        Stream::Initializer(array) => (0, array),
        Stream::Shuffle(epoch) => (1, epoch),
        Stream::Data => (2, 0),
        Stream::Check => (3, 0),
        Stream::Dropout { layer, iteration } => (4 + (iteration << 4), layer),
    };
    let mut generator = ChaCha8Rng::seed_from_u64(seed);
    generator.set_stream(kind << 32 | u64::from(number));
    generator
}
