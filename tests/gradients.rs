//! Analytic gradients against central differences, over every parameter of a table of models.
//!
//! In f64 (`--features f64`) they agree to 1e-6 or better; in f32 the differences themselves are only good to about
//! a hundredth, which still finds a wrong sign, a missing term or a wrong scale.

use ndarray::{Array, ArrayD};
use tallynet::Real;
use tallynet::activations::ActivationKind::{Linear, Relu, Sigmoid, Softmax, Tanh};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{Activation, Dense, Flatten};
use tallynet::losses::{CategoricalCrossentropy, SparseCategoricalCrossentropy};
use tallynet::model::{Sequential, SequentialBuilder};
use tallynet::optimizers::Sgd;

const DOUBLE: bool = size_of::<Real>() == 8;
/// The distance of the two points of a difference, and how far it may be from the gradient.
const STEP: Real = if DOUBLE { 1e-5 } else { 1e-2 };
const TOLERANCE: Real = if DOUBLE { 1e-7 } else { 2e-2 };

fn wave(shape: &[usize], phase: Real) -> ArrayD<Real> {
    let mut i = 0.0;
    Array::from_shape_simple_fn(shape, || {
        i += 1.0;
        (i * 0.7 + phase).sin()
    })
}

fn labels(shape: &[usize], classes: u32) -> ArrayD<u32> {
    let mut i = 0;
    Array::from_shape_simple_fn(shape, || {
        i += 1;
        (i * 7 + i / 3) % classes
    })
}

/// Compares every parameter's gradient; returns the worst distance, relative to the largest gradient.
fn check(what: &str, builder: SequentialBuilder, sparse: bool) {
    let mut model = builder.build(3).unwrap();
    match sparse {
        true => model.compile(Sgd::default(), SparseCategoricalCrossentropy::default(), &[]).unwrap(),
        false => model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap(),
    }
    // Biases too get values that are not all alike.
    let shapes: Vec<_> = model.weights().map(|(name, array)| (name, array.shape().to_vec())).collect();
    for (i, (name, shape)) in shapes.iter().enumerate() {
        model.set_weight(name, &(wave(shape, i as Real) * 0.5)).unwrap();
    }
    let rows = [vec![5], model.input_shape().dims().to_vec()].concat();
    let output = model.output_shape().clone();
    let positions = &output.dims()[..output.dims().len() - 1];
    let data = Dataset {
        x: Inputs::Reals(wave(&rows, 0.3)),
        y: Targets::Labels(labels(&[&[5], positions].concat(), output.last() as u32)),
    };
    let (_, gradient) = model.gradients(&data).unwrap();
    let largest = gradient.iter().fold(0.0, |max: Real, g| max.max(g.abs()));
    assert!(largest > 1e-3, "{what}: the gradient vanishes, which proves nothing");
    let mut at = 0;
    for (name, shape) in &shapes {
        let original = model.weights().find(|(n, _)| n == name).unwrap().1.to_owned();
        for i in 0..shape.iter().product() {
            let mut loss_at = |step: Real| {
                let mut moved = original.clone();
                moved.as_slice_mut().unwrap()[i] += step;
                model.set_weight(name, &moved).unwrap();
                model.gradients(&data).unwrap().0
            };
            let numeric = ((loss_at(STEP) - loss_at(-STEP)) / (2.0 * f64::from(STEP))) as Real;
            let error = (numeric - gradient[at]).abs() / largest;
            assert!(error < TOLERANCE, "{what}, {name}[{i}]: {} analytic, {numeric} numeric", gradient[at]);
            at += 1;
        }
        model.set_weight(name, &original).unwrap();
    }
    assert_eq!(at, gradient.len());
}

#[test]
fn dense_with_every_activation() {
    for activation in [Linear, Relu, Sigmoid, Tanh, Softmax] {
        let builder = || Sequential::builder([4]).add(Dense::new(6).activation(activation));
        let head = |builder: SequentialBuilder| builder.add(Dense::new(3).activation(Softmax));
        check(&format!("{activation}"), head(builder()), false);
        check(&format!("{activation}, sparse"), head(builder()), true);
    }
}

#[test]
fn activations_as_layers() {
    for activation in [Linear, Relu, Sigmoid, Tanh, Softmax] {
        let builder = Sequential::builder([4])
            .add(Dense::new(5))
            .add(Activation::new(activation))
            .add(Dense::new(3).use_bias(false))
            .add(Activation::new(Softmax));
        check(&format!("{activation}"), builder, false);
    }
}

#[test]
fn dense_on_every_position_of_any_rank() {
    let head = Dense::new(3).activation(Softmax);
    check("rank 2", Sequential::builder([4, 5]).add(Dense::new(6).activation(Tanh)).add(head.clone()), true);
    check("rank 2, one-hot", Sequential::builder([4, 5]).add(head.clone()), false);
    check("rank 3", Sequential::builder([2, 3, 4]).add(Dense::new(2).activation(Sigmoid)).add(head.clone()), true);
    check("flattened", Sequential::builder([2, 3, 4]).add(Dense::new(2)).add(Flatten::new()).add(head), false);
}

#[test]
fn losses_that_absorb_nothing() {
    // A last activation that is no softmax leaves the general gradient, through the division by the sum and the clip.
    let builder = || Sequential::builder([4]).add(Dense::new(3).activation(Sigmoid));
    check("unfused", builder(), false);
    check("unfused, sparse", builder(), true);
}
