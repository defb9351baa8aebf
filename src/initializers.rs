//! The first values of a parameter array, with Keras's names, defaults and distributions.

use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::{Distribution, Normal, Uniform};
use rand::Rng;
use serde::{Deserialize, Serialize};

use crate::Real;

/// How the values of an array are drawn: a class and its options, written as Keras does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config", deny_unknown_fields)]
#[allow(missing_docs)] // An option is said with its class.
pub enum Initializer {
    /// Uniform between ±√(6 / (fan in + fan out)): Glorot and Bengio 2010, the default for kernels.
    GlorotUniform {},
    /// Normal with σ = √(2 / (fan in + fan out)), cut at 2σ.
    GlorotNormal {},
    /// Uniform between ±√(6 / fan in): He et al. 2015.
    HeUniform {},
    /// Normal with σ = √(2 / fan in), cut at 2σ.
    HeNormal {},
    /// Uniform between ±√(3 / fan in): LeCun et al. 1998.
    LecunUniform {},
    /// Normal with σ = √(1 / fan in), cut at 2σ.
    LecunNormal {},
    /// Normal, with this mean and standard deviation.
    RandomNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "twentieth")]
        stddev: f64,
    },
    /// Normal, drawn again until it is within two standard deviations (those before the cut) of the
    /// mean.
    TruncatedNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "twentieth")]
        stddev: f64,
    },
    /// Uniform between the two.
    RandomUniform {
        #[serde(default = "minus_twentieth")]
        minval: f64,
        #[serde(default = "twentieth")]
        maxval: f64,
    },
    /// An orthogonal matrix of all axes but the last by the last (Saxe et al. 2014), times `gain`.
    Orthogonal {
        #[serde(default = "one")]
        gain: f64,
    },
    /// All the same.
    Constant {
        #[serde(default)]
        value: f64,
    },
    /// All zero: the default for biases.
    Zeros {},
    /// All one.
    Ones {},
}

fn one() -> f64 {
    1.0
}
fn twentieth() -> f64 {
    0.05
}
fn minus_twentieth() -> f64 {
    -0.05
}

/// The standard deviation of a standard normal distribution that was cut at ±2.
const CUT_DEVIATION: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// N(0, 0.05²), which Keras calls `normal`.
    pub fn normal() -> Self {
        Initializer::RandomNormal { mean: 0.0, stddev: 0.05 }
    }

    /// What is wrong with its options, if anything.
    pub fn problem(&self) -> Option<String> {
        use Initializer::*;
        // A file may hold larger numbers than a weight can.
        let fits = |number: f64| (number as Real).is_finite();
        let sound = match *self {
            RandomNormal { mean, stddev } | TruncatedNormal { mean, stddev } => {
                fits(mean) && fits(stddev) && stddev >= 0.0
            }
            // Drawing divides the range by a number just below 1.
            RandomUniform { minval, maxval } => {
                minval <= maxval && fits(minval) && fits(2.0 * (maxval - minval))
            }
            Orthogonal { gain: number } | Constant { value: number } => fits(number),
            _ => true,
        };
        (!sound).then(|| {
            format!("{self:?} is no distribution: numbers are finite, deviations not negative, ranges in order")
        })
    }

    /// Draws the values of an array of this shape.
    pub fn draw(&self, shape: &[usize], to: &mut [Real], generator: &mut impl Rng) {
        use Initializer::*;
        let (fan_in, fan_out) = fans(shape);
        match *self {
            GlorotUniform {} => uniform(to, 0.0, (6.0 / (fan_in + fan_out)).sqrt(), generator),
            GlorotNormal {} => {
                cut_normal(to, 0.0, (2.0 / (fan_in + fan_out)).sqrt() / CUT_DEVIATION, generator)
            }
            HeUniform {} => uniform(to, 0.0, (6.0 / fan_in).sqrt(), generator),
            HeNormal {} => cut_normal(to, 0.0, (2.0 / fan_in).sqrt() / CUT_DEVIATION, generator),
            LecunUniform {} => uniform(to, 0.0, (3.0 / fan_in).sqrt(), generator),
            LecunNormal {} => cut_normal(to, 0.0, (1.0 / fan_in).sqrt() / CUT_DEVIATION, generator),
            RandomNormal { mean, stddev } => fill(to, normal(mean, stddev), generator),
            TruncatedNormal { mean, stddev } => cut_normal(to, mean, stddev, generator),
            RandomUniform { minval, maxval } => {
                uniform(to, (minval + maxval) / 2.0, (maxval - minval) / 2.0, generator)
            }
            Orthogonal { gain } => orthogonal(shape, gain, to, generator),
            Constant { value } => to.fill(value as Real),
            Zeros {} => to.fill(0.0),
            Ones {} => to.fill(1.0),
        }
    }
}

/// How many inputs feed one output and how many outputs one input feeds, as Keras counts them: a
/// kernel's last two axes, each times the size of the receptive field in front of them. A vector's
/// length is both.
fn fans(shape: &[usize]) -> (f64, f64) {
    let (fan_in, fan_out) = match shape {
        [] => (1, 1),
        [n] => (*n, *n),
        [field @ .., inputs, outputs] => {
            let field: usize = field.iter().product();
            (inputs * field, outputs * field)
        }
    };
    (fan_in.max(1) as f64, fan_out.max(1) as f64)
}

fn fill(to: &mut [Real], distribution: impl Distribution<Real>, generator: &mut impl Rng) {
    to.iter_mut().for_each(|x| *x = generator.sample(&distribution));
}

fn uniform(to: &mut [Real], center: f64, half: f64, generator: &mut impl Rng) {
    let distribution =
        Uniform::new_inclusive(-half as Real, half as Real).expect("finite and in order");
    fill(to, distribution.map(|x| x + center as Real), generator);
}

fn normal(mean: f64, deviation: f64) -> Normal<Real> {
    Normal::new(mean as Real, deviation as Real).expect("a finite deviation")
}

fn cut_normal(to: &mut [Real], mean: f64, deviation: f64, generator: &mut impl Rng) {
    let standard = normal(0.0, 1.0);
    to.iter_mut().for_each(|to| {
        let x = std::iter::repeat_with(|| generator.sample(standard))
            .find(|x| x.abs() <= 2.0)
            .unwrap_or(0.0);
        *to = mean as Real + x * deviation as Real;
    });
}

/// Gram and Schmidt's way, twice over for exactness, on the shorter side's vectors of normal
/// numbers.
fn orthogonal(shape: &[usize], gain: f64, to: &mut [Real], generator: &mut impl Rng) {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().rev().skip(1).product::<usize>();
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut vectors = Array2::random_using((few, many), normal(0.0, 1.0), generator);
    for i in 0..few {
        for j in (0..i).chain(0..i) {
            let dot = vectors.row(i).dot(&vectors.row(j));
            let shadow = vectors.row(j).mapv(|x| x * dot);
            vectors.row_mut(i).zip_mut_with(&shadow, |x, s| *x -= s);
        }
        let length = vectors.row(i).dot(&vectors.row(i)).sqrt();
        vectors.row_mut(i).mapv_inplace(|x| x / length);
    }
    let matrix = if rows < columns { vectors } else { vectors.reversed_axes() };
    to.iter_mut().zip(&matrix).for_each(|(to, x)| *to = x * gain as Real);
}
