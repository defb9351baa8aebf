//! Small made-up tasks for the models that have no data of their own. They are easy, and say so.

use ndarray::{ArrayD, IxDyn};
use rand::Rng;

use super::{Dataset, Inputs, Targets, TrainTest};
use crate::Real;
use crate::random::{self, Stream};
use crate::shape::Shape;

/// The task that has samples and outputs of these shapes, if there is one.
pub fn fitting(input: &Shape, output: &Shape) -> Option<fn(u64) -> TrainTest> {
    match (input.dims(), output.dims()) {
        ([514], [257]) => Some(regression),
        ([224, 224, 3], [218, 218, 10]) => Some(pixels),
        _ => None,
    }
}

/// 514 numbers in, 257 out: each target is the difference of an input and of the one 257 places on.
pub fn regression(seed: u64) -> TrainTest {
    let mut generator = random::generator(seed, Stream::Data);
    let mut rows = |n: usize| {
        let x = ArrayD::from_shape_simple_fn(IxDyn(&[n, 514]), || generator.random::<Real>() - 0.5);
        let y =
            ArrayD::from_shape_fn(IxDyn(&[n, 257]), |i| x[[i[0], i[1]]] - x[[i[0], i[1] + 257]]);
        Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) }
    };
    TrainTest { train: rows(4096), test: rows(512) }
}

/// Images of 224 × 224 × 3 with ten horizontal bands, each of a class and of that class's colour,
/// in noise. The targets are the classes of the 218 × 218 pixels in the middle, which is what three
/// convolutions of 3 × 3 see.
pub fn pixels(seed: u64) -> TrainTest {
    let mut generator = random::generator(seed, Stream::Data);
    let mut rows = |n: usize| {
        let classes: Vec<[u32; 10]> =
            (0..n).map(|_| std::array::from_fn(|_| generator.random_range(0..10))).collect();
        let class = |image: usize, line: usize| classes[image][line * 10 / 224];
        let x = ArrayD::from_shape_fn(IxDyn(&[n, 224, 224, 3]), |i| {
            // Three digits to the base 3 tell ten classes apart.
            let shade = class(i[0], i[1]) / 3u32.pow(i[3] as u32) % 3;
            (40 + 70 * shade + generator.random_range(0..40)) as u8
        });
        let y = ArrayD::from_shape_fn(IxDyn(&[n, 218, 218]), |i| class(i[0], i[1] + 3));
        Dataset { x: Inputs::bytes(x), y: Targets::Labels(y) }
    };
    TrainTest { train: rows(32), test: rows(4) }
}
