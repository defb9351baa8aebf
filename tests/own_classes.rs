//! A layer, an activation, a loss, a metric and an optimizer of one's own, written against the
//! public traits. They train, pass the gradient check and print in summaries like the classes of
//! the crate; saving a model that holds them is refused with their names.

use ndarray::{ArrayD, Axis, IxDyn};
use tallynet::activations::ActivationFunction;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::initializers::Initializer;
use tallynet::layers::{Backward, Built, Dense, Forward, Layer, Op, Operation};
use tallynet::losses::{AnyLoss, Loss};
use tallynet::metrics::{Metric, Ratio};
use tallynet::model::{MetricChoice, Sequential, Style};
use tallynet::optimizers::{LearningRate, Optimizer, Options, Slots, Step};
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

/// `x + sin x`.
#[derive(Debug)]
struct Wave;

impl ActivationFunction for Wave {
    fn forward(&self, _width: usize, values: &mut [Real]) {
        for x in values {
            *x += x.sin();
        }
    }

    fn backward(&self, _width: usize, x: &[Real], dy: &mut [Real]) {
        for (dy, x) in dy.iter_mut().zip(x) {
            *dy *= 1.0 + x.cos();
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

/// Fraction of the values that are nearer than `distance` to their targets.
#[derive(Debug)]
struct Within {
    distance: Real,
}

impl Metric for Within {
    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        let near = y.iter().zip(p).filter(|(y, p)| (*y - *p).abs() < self.distance).count();
        Ratio { numerator: near as f64, denominator: y.len() as f64 }
    }
}

/// Descent by the sign of the gradient only.
#[derive(Debug)]
struct SignDescent {
    learning_rate: LearningRate,
}

impl Options for SignDescent {
    fn learning_rate(&self) -> &LearningRate {
        &self.learning_rate
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        &mut self.learning_rate
    }
}

impl Optimizer for SignDescent {
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], _: &mut Slots) {
        for (w, g) in params.iter_mut().zip(gradients) {
            if *g != 0.0 {
                *w -= step.learning_rate as Real * g.signum();
            }
        }
    }
}

/// Samples of three values, with their sum as the target.
fn sums() -> Dataset {
    let value = |i: &IxDyn| ((i[0] * 37 + i[1] * 91) % 100) as Real / 100.0;
    let x = ArrayD::from_shape_fn(IxDyn(&[64, 3]), |i| value(&i));
    let y = ArrayD::from_shape_fn(IxDyn(&[64, 1]), |i| x.index_axis(Axis(0), i[0]).sum());
    Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) }
}

fn model() -> Result<Sequential> {
    let mut model = Sequential::builder([3])
        .add(Scale)
        .add(Dense::new(8).activation(Wave))
        .add(Dense::new(1))
        .build(0)?;
    let optimizer = SignDescent { learning_rate: LearningRate::Constant(0.003) };
    let within = MetricChoice::from(Within { distance: 0.1 });
    model.compile_with(Some(optimizer.into()), LogCosh.into(), vec![within])?;
    Ok(model)
}

#[test]
fn own_classes_train() -> Result<()> {
    let mut model = model()?;
    let options = FitOptions { epochs: 200, ..FitOptions::default() };
    let history = model.fit(&sums(), options, &mut [])?;
    let shares = history.get("within").unwrap();
    assert!(shares[0] < 0.5 && shares[199] > 0.9, "{shares:?}");
    Ok(())
}

#[test]
fn own_classes_pass_the_gradient_check() -> Result<()> {
    let checked = check_gradients(&model()?, 0)?;
    assert_eq!(checked.arrays.len(), 5);
    assert!(checked.arrays.iter().all(|array| array.worst < TOLERANCE), "{checked:?}");
    Ok(())
}

#[test]
fn own_classes_print_in_summaries_and_their_weights_are_verified() -> Result<()> {
    let model = model()?;
    let summary = model.summary(Style::Keras2, None);
    assert!(summary.contains("scale_1 (Scale)"), "{summary}");
    let verified = model.verify()?;
    assert!(verified.contains("factors (3,)"), "{verified}");
    Ok(())
}

#[test]
fn saving_own_classes_is_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    for file in ["own.keras", "own.safetensors", "own.json"] {
        let refused = formats::save(&model()?, &folder.path().join(file)).unwrap_err().to_string();
        for name in ["Scale", "Wave", "LogCosh", "Within", "SignDescent"] {
            assert!(refused.contains(name), "{file}: {name} is missing in: {refused}");
        }
    }
    Ok(())
}

/// A layer whose output or arrays are not what it says.
#[derive(Debug)]
struct Broken {
    output: Vec<usize>,
    arrays: Vec<&'static str>,
}

impl Layer for Broken {
    fn build(&self, _: &Shape) -> Result<Built> {
        let array = |name: &&'static str| ParamSpec::new(name, [2], &Initializer::Zeros {}, None);
        let params = self.arrays.iter().map(array).collect();
        Ok(Built { output: self.output.clone().into(), params, operations: vec![] })
    }
}

#[test]
fn a_layer_that_does_not_build_what_it_says_is_an_error() {
    for (output, arrays) in
        [(vec![0], vec![]), (vec![4], vec![]), (vec![3], vec!["a", "a"]), (vec![3], vec!["a/b"])]
    {
        let layer = Broken { output, arrays };
        let text = format!("{layer:?}");
        let refused = Sequential::builder([3]).add(layer).build(0).unwrap_err();
        assert!(matches!(refused, Error::Shape { .. }), "{text}: {refused}");
    }
    let unknown = Sequential::builder([3]).add(Dense::new(2).activation("rectified")).build(0);
    let unknown = unknown.unwrap_err().to_string();
    assert!(unknown.contains("dense_1") && unknown.contains("rectified"), "{unknown}");
}

#[test]
fn only_an_own_loss_may_leave_open_what_kind_of_targets_it_takes() {
    assert_eq!(LogCosh.target_kind(), None);
    for loss in AnyLoss::all() {
        assert!(loss.as_loss().target_kind().is_some(), "{loss:?}");
    }
}
