//! Small synthetic tasks for the models that have no data set of their own, which are easy to
//! learn, and random samples for checks.

use ndarray::{ArrayD, IxDyn};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Dataset, Inputs, Targets, TrainTest};
use crate::classes::TargetForm;
use crate::params::fits_memory;
use crate::random::{self, Stream};
use crate::shape::Shape;
use crate::{Error, Real, Result};

/// Number of classes, and of bands of an image, in [`pixels`].
const BANDS: usize = 10;
/// Height and width of an image of [`pixels`], and of its targets.
const SIZE: usize = 224;
const TARGET_SIZE: usize = 218;
/// Number of samples of [`random`].
const ROWS: usize = 3;

/// Generator of the task with samples and outputs of these shapes; it takes a seed.
pub fn matching(input: &Shape, output: &Shape) -> Option<fn(u64) -> TrainTest> {
    match (input.dims(), output.dims()) {
        ([514], [257]) => Some(regression),
        ([SIZE, SIZE, 3], [TARGET_SIZE, TARGET_SIZE, BANDS]) => Some(pixels),
        _ => None,
    }
}

/// Regression from 514 numbers to 257: `y[i] = x[i] - x[i + 257]`, with `x` uniform in ±½.
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

/// Segmentation of images of 224 × 224 × 3 with ten horizontal bands, each of a class and in that
/// class's color, plus noise. The labels cover the 218 × 218 pixels in the middle, which are left
/// after three unpadded convolutions of 3 × 3.
pub fn pixels(seed: u64) -> TrainTest {
    let mut generator = random::generator(seed, Stream::Data);
    let mut rows = |n: usize| {
        let mut bands = vec![[0u32; BANDS]; n];
        for class in bands.as_flattened_mut() {
            *class = generator.random_range(0..BANDS as u32);
        }
        let class = |image: usize, line: usize| bands[image][line * BANDS / SIZE];
        let x = ArrayD::from_shape_fn(IxDyn(&[n, SIZE, SIZE, 3]), |i| {
            // A channel holds one of the three ternary digits of the class.
            let shade = class(i[0], i[1]) / 3u32.pow(i[3] as u32) % 3;
            (40 + 70 * shade + generator.random_range(0..40)) as u8
        });
        let y = ArrayD::from_shape_fn(IxDyn(&[n, TARGET_SIZE, TARGET_SIZE]), |i| {
            class(i[0], i[1] + (SIZE - TARGET_SIZE) / 2)
        });
        Dataset { x: Inputs::bytes(x), y: Targets::Labels(y) }
    };
    TrainTest { train: rows(32), test: rows(4) }
}

/// A few samples of random numbers for these inputs and outputs. Too little memory is an error.
pub(crate) fn random(
    input: &Shape,
    output: &Shape,
    form: TargetForm,
    generator: &mut ChaCha8Rng,
) -> Result<Dataset> {
    let values = input.n_values().max(output.n_values()).saturating_mul(ROWS);
    if !fits_memory(values) || u32::try_from(output.last()).is_err() {
        let problem = format!("there is no room for {ROWS} samples of {input} and {output}");
        return Err(Error::Memory(problem));
    }
    let rows = |dims: &[usize]| IxDyn(&[&[ROWS], dims].concat());
    let x = ArrayD::from_shape_simple_fn(rows(input.dims()), || generator.random::<Real>());
    let y = if form == TargetForm::Labels {
        let classes = output.last() as u32;
        let positions = &output.dims()[..output.dims().len().saturating_sub(1)];
        let class = || generator.random_range(0..classes);
        Targets::Labels(ArrayD::from_shape_simple_fn(rows(positions), class))
    } else {
        let value = || generator.random::<Real>();
        Targets::Reals(ArrayD::from_shape_simple_fn(rows(output.dims()), value))
    };
    Ok(Dataset { x: Inputs::Reals(x), y })
}
