//! Initial values of parameter arrays, with Keras's names, defaults and distributions.

use ndarray::Array2;
use ndarray_rand::RandomExt;
use ndarray_rand::rand_distr::{Normal, Uniform};
use rand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::classes::snake_case;
use crate::{Error, Real, Result};

/// Distribution of the initial values of an array: a class and its options, written as Keras does.
///
/// ```
/// use tallynet::initializers::Initializer;
/// assert_eq!(Initializer::by_name("he_normal")?, Initializer::HeNormal {});
/// # Ok::<(), tallynet::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config", deny_unknown_fields)]
#[allow(missing_docs)] // Each class documents its options.
pub enum Initializer {
    /// Uniform between ±√(6 / (fan in + fan out)): Glorot and Bengio 2010, the default for kernels.
    GlorotUniform {},
    /// Normal truncated at two standard deviations, rescaled to σ = √(2 / (fan in + fan out)).
    GlorotNormal {},
    /// Uniform between ±√(6 / fan in): He et al. 2015.
    HeUniform {},
    /// Truncated normal likewise, with σ = √(2 / fan in).
    HeNormal {},
    /// Uniform between ±√(3 / fan in): LeCun et al. 1998.
    LecunUniform {},
    /// Truncated normal likewise, with σ = √(1 / fan in).
    LecunNormal {},
    /// Normal, not truncated.
    RandomNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "twentieth")]
        stddev: f64,
    },
    /// Normal, redrawn until within `2 · stddev` of the mean.
    TruncatedNormal {
        #[serde(default)]
        mean: f64,
        #[serde(default = "twentieth")]
        stddev: f64,
    },
    /// Uniform between the two bounds.
    RandomUniform {
        #[serde(default = "minus_twentieth")]
        minval: f64,
        #[serde(default = "twentieth")]
        maxval: f64,
    },
    /// Orthogonal matrix (Saxe et al. 2014) times `gain`. Columns are the last axis.
    Orthogonal {
        #[serde(default = "one")]
        gain: f64,
    },
    /// The same value everywhere.
    Constant {
        #[serde(default)]
        value: f64,
    },
    /// Zeros: the default for biases.
    Zeros {},
    /// Ones.
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

/// Standard deviation of the standard normal distribution truncated at ±2.
const TRUNCATED_STDDEV: f64 = 0.879_625_661_034_239_8;

/// Names of all classes.
#[rustfmt::skip]
const NAMES: [&str; 13] = [
    "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal",
    "RandomNormal", "TruncatedNormal", "RandomUniform", "Orthogonal", "Constant", "Zeros", "Ones",
];

impl Initializer {
    /// N(0, 0.05²), which Keras calls `normal`.
    pub fn normal() -> Self {
        Initializer::RandomNormal { mean: 0.0, stddev: 0.05 }
    }

    /// Initializer of this name in either spelling of Keras, `he_normal` or `HeNormal`, with
    /// Keras's defaults. The error for an unknown name lists all.
    pub fn by_name(name: &str) -> Result<Self> {
        let Some(class) = NAMES.iter().find(|class| **class == name || snake_case(class) == name)
        else {
            let names = NAMES.map(snake_case).join(", ");
            let problem = format!("there is no initializer {name:?}; there are {names}");
            return Err(Error::option("initializer", problem));
        };
        let description = json!({ "class_name": class, "config": {} });
        Ok(serde_json::from_value(description).expect("every option has a default"))
    }

    /// Checks that numbers are finite, deviations not negative and ranges in order.
    pub fn validate(&self) -> Result<()> {
        use Initializer::*;
        // An `f64` from a file may overflow `Real`.
        let fits = |number: f64| (number as Real).is_finite();
        let valid = match *self {
            RandomNormal { mean, stddev } | TruncatedNormal { mean, stddev } => {
                fits(mean) && fits(stddev) && stddev >= 0.0
            }
            // Sampling divides the range by a number just below 1, which must not overflow.
            RandomUniform { minval, maxval } => {
                minval <= maxval && fits(minval) && fits(2.0 * (maxval - minval))
            }
            Orthogonal { gain: number } | Constant { value: number } => fits(number),
            _ => true,
        };
        if valid {
            return Ok(());
        }
        let problem = format!(
            "{self:?} is not a distribution: numbers are finite, deviations not negative, ranges \
             in order"
        );
        Err(Error::option("initializer", problem))
    }

    /// Draws the values of an array of this shape.
    pub fn draw(&self, shape: &[usize], to: &mut [Real], generator: &mut impl Rng) {
        use Initializer::*;
        let (fan_in, fan_out) = fans(shape);
        match *self {
            GlorotUniform {} => uniform(to, 0.0, (6.0 / (fan_in + fan_out)).sqrt(), generator),
            GlorotNormal {} => scaled_normal(to, 2.0 / (fan_in + fan_out), generator),
            HeUniform {} => uniform(to, 0.0, (6.0 / fan_in).sqrt(), generator),
            HeNormal {} => scaled_normal(to, 2.0 / fan_in, generator),
            LecunUniform {} => uniform(to, 0.0, (3.0 / fan_in).sqrt(), generator),
            LecunNormal {} => scaled_normal(to, 1.0 / fan_in, generator),
            RandomNormal { mean, stddev } => {
                let distribution = normal(mean, stddev);
                to.fill_with(|| generator.sample(distribution));
            }
            TruncatedNormal { mean, stddev } => truncated_normal(to, mean, stddev, generator),
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

/// Fan in and fan out as in Keras: the last two axes of a kernel, each times the product of the
/// others (the receptive field). For a vector, both are its length.
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

fn uniform(to: &mut [Real], center: f64, half: f64, generator: &mut impl Rng) {
    let (center, half) = (center as Real, half as Real);
    let distribution = Uniform::new_inclusive(-half, half).expect("finite and in order");
    to.fill_with(|| generator.sample(distribution) + center);
}

fn normal(mean: f64, stddev: f64) -> Normal<Real> {
    Normal::new(mean as Real, stddev as Real).expect("a finite deviation")
}

fn truncated_normal(to: &mut [Real], mean: f64, stddev: f64, generator: &mut impl Rng) {
    let standard = normal(0.0, 1.0);
    for to in to {
        let mut x = generator.sample(standard);
        while x.abs() > 2.0 {
            x = generator.sample(standard);
        }
        *to = mean as Real + x * stddev as Real;
    }
}

/// Truncated normal with this variance.
fn scaled_normal(to: &mut [Real], variance: f64, generator: &mut impl Rng) {
    truncated_normal(to, 0.0, variance.sqrt() / TRUNCATED_STDDEV, generator);
}

/// Gram–Schmidt on random normal vectors, which are as long as the longer side of the matrix; run
/// twice for precision.
fn orthogonal(shape: &[usize], gain: f64, to: &mut [Real], generator: &mut impl Rng) {
    let columns = shape.last().copied().unwrap_or(1);
    let rows = shape.iter().rev().skip(1).product::<usize>();
    let (n, length) = (rows.min(columns), rows.max(columns));
    let mut vectors = Array2::random_using((n, length), normal(0.0, 1.0), generator);
    for i in 0..n {
        for j in (0..i).chain(0..i) {
            let dot = vectors.row(i).dot(&vectors.row(j));
            let projection = vectors.row(j).mapv(|x| x * dot);
            vectors.row_mut(i).zip_mut_with(&projection, |x, p| *x -= p);
        }
        let norm = vectors.row(i).dot(&vectors.row(i)).sqrt();
        vectors.row_mut(i).mapv_inplace(|x| x / norm);
    }
    let matrix = if rows < columns { vectors } else { vectors.reversed_axes() };
    to.iter_mut().zip(&matrix).for_each(|(to, x)| *to = x * gain as Real);
}
