//! A layer, a loss, a metric and an optimizer of one's own, written against the public traits:
//!
//! ```sh
//! cargo run --release --example own_classes
//! ```
//!
//! They train, pass the gradient check and print in summaries like the classes of the crate. Saving
//! a model that holds them is refused with their names.

use ndarray::{Array, ArrayView1, IxDyn};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::initializers::Initializer;
use tallynet::layers::{Backward, Built, Dense, Forward, Layer, Op, Operation};
use tallynet::losses::Loss;
use tallynet::metrics::Metric;
use tallynet::model::{MetricChoice, Sequential, Style};
use tallynet::optimizers::{Common, LearningRate, Optimizer, Options, Slots, Step};
use tallynet::params::ParamSpec;
use tallynet::shape::Shape;
use tallynet::training::{FitOptions, TOLERANCE, check_gradients};
use tallynet::{Error, Real, Result, formats};

/// `y = s·x`, with a trainable factor `s` for each value of the last axis.
#[derive(Debug)]
struct Scale;

struct ScaleOp {
    width: usize,
}

impl Layer for Scale {
    fn build(&self, input: &Shape) -> Result<Built> {
        let width = input.last();
        if input.dims().is_empty() {
            return Err(Error::shape("a single number has no last axis", "put a Dense before it"));
        }
        Ok(Built {
            output: input.clone(),
            params: vec![ParamSpec::new("factors", [width], &Initializer::Ones {}, None)],
            operations: vec![Operation::op(ScaleOp { width })],
        })
    }
}

impl Op for ScaleOp {
    fn forward(&self, mut pass: Forward) {
        let factors = pass.params.get("factors");
        for (mut y, x) in pass.y.rows_mut().into_iter().zip(pass.x.rows()) {
            for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
                *y = factors[i % self.width] * x;
            }
        }
    }

    /// `ds = Σ x·dy`, `dx = s·dy`.
    fn backward(&self, mut pass: Backward) {
        let factors = pass.params.get("factors");
        let d_factors = pass.d_params.get("factors");
        if !pass.accumulate {
            d_factors.fill(0.0);
        }
        for (x, dy) in pass.x.rows().into_iter().zip(pass.dy.rows()) {
            for (i, (x, dy)) in x.iter().zip(dy).enumerate() {
                d_factors[i % self.width] += x * dy;
            }
        }
        if let Some(dx) = &mut pass.dx {
            for (mut dx, dy) in dx.rows_mut().into_iter().zip(pass.dy.rows()) {
                for (i, (dx, dy)) in dx.iter_mut().zip(dy).enumerate() {
                    *dx = factors[i % self.width] * dy;
                }
            }
        }
    }
}

/// `Σ ln cosh(p − y) / n`: quadratic near the target, linear far from it.
#[derive(Debug)]
struct LogCosh;

impl Loss for LogCosh {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        let errors = p.iter().zip(y).map(|(p, y)| p - y);
        errors.map(|e| e.abs() + (-2.0 * e.abs()).exp().ln_1p() - (2.0 as Real).ln()).sum::<Real>()
            / p.len() as Real
    }

    fn gradient(&self, y: &[Real], p: &[Real], dp: &mut [Real]) {
        let n = p.len() as Real;
        for (dp, (y, p)) in dp.iter_mut().zip(y.iter().zip(p)) {
            *dp = (p - y).tanh() / n;
        }
    }
}

/// Share of the values that are nearer than `distance` to their targets.
#[derive(Debug)]
struct Within {
    distance: Real,
}

impl Metric for Within {
    fn count(&self, y: &[Real], p: &[Real]) -> [f64; 2] {
        let near = y.iter().zip(p).filter(|(y, p)| (*y - *p).abs() < self.distance).count();
        [near as f64, y.len() as f64]
    }
}

/// Descent by the sign of the gradient alone.
#[derive(Debug)]
struct SignDescent {
    learning_rate: LearningRate,
}

impl Options for SignDescent {
    fn learning_rate(&self) -> &LearningRate {
        &self.learning_rate
    }
}

impl Optimizer for SignDescent {
    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], _: &mut Slots) {
        for (w, g) in params.iter_mut().zip(gradients) {
            if *g != 0.0 {
                *w -= step.learning_rate as Real * g.signum();
            }
        }
    }
}

pub fn main() -> Result<()> {
    // y is the sum of the inputs.
    let x =
        Array::from_shape_fn(IxDyn(&[64, 3]), |i| ((i[0] * 37 + i[1] * 91) % 100) as Real / 100.0);
    let sum = |row: ArrayView1<Real>| row.sum();
    let y = x.rows().into_iter().map(sum).collect::<ndarray::Array1<Real>>();
    let y = y.into_shape_with_order(IxDyn(&[64, 1])).expect("64 values");
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };

    let mut model = Sequential::builder([3]).add(Scale).add(Dense::new(1)).build(0)?;
    let optimizer = SignDescent { learning_rate: LearningRate::Constant(0.01) };
    let within = MetricChoice::from(Within { distance: 0.1 });
    model.compile_with(Some(optimizer.into()), LogCosh.into(), vec![within])?;
    print!("{}", model.summary(Style::Keras2, None));

    let checked = check_gradients(&model, 0)?;
    assert!(checked.arrays.iter().all(|array| array.worst < TOLERANCE), "{checked:?}");

    let options = FitOptions { epochs: 60, ..FitOptions::default() };
    let history = model.fit(&data, options, &mut [])?;
    let shares = history.get("within").unwrap_or_default();
    println!("within 0.1 of the target: {:?} at last", shares.last());

    let refused = formats::save(&model, "own.keras".as_ref());
    println!("{}", refused.err().map_or(String::new(), |error| error.to_string()));
    Ok(())
}
