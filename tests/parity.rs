//! The same numbers as Keras 3.15.1: `fixtures/golden.json` holds what it printed.

use ndarray::{Array, ArrayD, Ix1, Ix2};
use serde_json::{Value, json};
use tallynet::Real;
use tallynet::activations::ActivationKind;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::Dense;
use tallynet::losses::{self, CategoricalCrossentropy};
use tallynet::model::Sequential;
use tallynet::optimizers::{OptimizerState, Sgd, Step, from_config};
use tallynet::training::FitOptions;

fn golden() -> Value {
    serde_json::from_str(&std::fs::read_to_string("tests/fixtures/golden.json").unwrap()).unwrap()
}

fn vector(value: &Value) -> Vec<Real> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as Real).collect()
}

fn matrix(value: &Value) -> ArrayD<Real> {
    let rows: Vec<Vec<Real>> = value.as_array().unwrap().iter().map(vector).collect();
    let shape = Ix2(rows.len(), rows[0].len());
    Array::from_shape_vec(shape, rows.concat()).unwrap().into_dyn()
}

fn one_hot(value: &Value, classes: usize) -> ArrayD<Real> {
    let labels = vector(value);
    Array::from_shape_fn(Ix2(labels.len(), classes), |(i, j)| Real::from(u8::from(labels[i] == j as Real))).into_dyn()
}

fn assert_close(ours: &[Real], theirs: &[Real], tolerance: Real, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} here, {b} in Keras");
    }
}

/// The step-by-step traces of an optimizer: name in the file, class, options.
fn trace(name: &str, class: &str, options: Value) {
    let golden = &golden()["optimizers"];
    let rule = from_config(class, options.as_object().unwrap().clone()).unwrap();
    let mut params = vector(&golden["start"]);
    let mut state = OptimizerState::new(&*rule, params.len());
    let traced = golden["traces"][name].as_array().unwrap();
    for (gradient, expected) in golden["grads"].as_array().unwrap().iter().zip(traced) {
        let step = Step { iteration: state.iteration, learning_rate: state.learning_rate as Real };
        let mut slots = state.slots.each_mut().map(|slot| &mut slot[..]);
        rule.update(step, &mut params, &vector(gradient), &mut slots);
        state.iteration += 1;
        assert_close(&params, &vector(expected), 1e-6, name);
    }
    assert_eq!(state.iteration, 5);
}

#[test]
fn sgd_steps() {
    trace("SGD()", "SGD", json!({}));
    trace("SGD(momentum=.9)", "SGD", json!({"momentum": 0.9}));
    trace("SGD(momentum=.9,nesterov)", "SGD", json!({"momentum": 0.9, "nesterov": true}));
}

#[test]
fn cutting_the_vector_changes_no_step() {
    let rule = Sgd::new(0.1).unwrap().momentum(0.9).unwrap();
    let start: Vec<Real> = (0..10).map(|i| i as Real).collect();
    let gradients: Vec<Real> = (0..10).map(|i| (i as Real).sin()).collect();
    let step = Step { iteration: 0, learning_rate: 0.1 };
    let run = |cut: usize| {
        use tallynet::optimizers::Optimizer;
        let (mut params, mut slot) = (start.clone(), vec![0.5; 10]);
        for range in [0..cut, cut..10] {
            let slots = &mut [&mut slot[range.clone()], &mut [], &mut []];
            rule.update(step, &mut params[range.clone()], &gradients[range], slots);
        }
        (params, slot)
    };
    assert_eq!(run(0), run(7));
}

#[test]
fn losses_per_sample() {
    let golden = &golden()["losses"];
    let p = matrix(&golden["y_pred"]).into_dimensionality::<Ix2>().unwrap();
    let y = matrix(&golden["y_true"]).into_dimensionality::<Ix2>().unwrap();
    let labels = ndarray::array![[1.0], [0.0]];
    let cases = [("categorical_crossentropy", &y), ("sparse_categorical_crossentropy(y=[1,0])", &labels)];
    for (name, y) in cases {
        let loss = losses::by_name(name.split('(').next().unwrap()).unwrap();
        let ours: Vec<Real> = (0..2)
            .map(|row| loss.sum(y.slice(ndarray::s![row..=row, ..]), p.slice(ndarray::s![row..=row, ..])) as Real)
            .collect();
        assert_close(&ours, &vector(&golden["per_sample"][name]), 1e-6, name);
    }
}

#[test]
fn a_wrong_hard_zero_costs_what_it_costs_in_keras() {
    let loss = losses::by_name("categorical_crossentropy").unwrap();
    let (y, p) = (ndarray::array![[1.0, 0.0]], ndarray::array![[0.0, 1.0]]);
    assert!((loss.sum(y.view(), p.view()) - 16.118095).abs() < 1e-5);
    assert!(loss.sum(y.view(), ndarray::array![[0.0, 0.0]].view()).is_nan(), "an all-zero row");
}

#[test]
fn activations_value_by_value() {
    let golden = &golden()["activations"];
    let x = vector(&golden["x"]);
    for name in ["linear", "relu", "sigmoid", "tanh"] {
        let mut y = Array::from_shape_vec(Ix2(1, x.len()), x.clone()).unwrap();
        if let Some(activation) = name.parse::<ActivationKind>().unwrap().in_place(x.len()) {
            activation.forward(y.view_mut());
        }
        assert_close(y.as_slice().unwrap(), &vector(&golden["y"][name]), 2e-6, name);
    }
    // Two rows: the second would overflow without the shift by the largest.
    let mut y = ndarray::array![[1.0, 2.0, 3.0], [-1000.0, 0.0, 1000.0]];
    ActivationKind::Softmax.in_place(3).unwrap().forward(y.view_mut());
    let expected = matrix(&golden["y"]["softmax(2x rows)"]);
    assert_close(y.as_slice().unwrap(), expected.as_slice().unwrap(), 1e-6, "softmax");
}

#[test]
fn three_epochs_of_fit() {
    let golden = &golden()["fit"];
    let dataset =
        |x: &str, y: &str| Dataset { x: Inputs::Reals(matrix(&golden[x])), y: Targets::Reals(one_hot(&golden[y], 3)) };
    let (training, validation) = (dataset("x", "y"), dataset("x_val", "y_val"));
    let mut model = Sequential::builder([6]).add(Dense::new(3).activation(ActivationKind::Softmax)).build(0).unwrap();
    model.set_weight("dense_1/kernel", &matrix(&golden["W0"])).unwrap();
    let b0 = Array::from_shape_vec(Ix1(3), vector(&golden["b0"])).unwrap().into_dyn();
    model.set_weight("dense_1/bias", &b0).unwrap();
    model.compile(Sgd::new(0.01).unwrap(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();

    let run = &golden["sgd_noreg"];
    let options = FitOptions {
        batch_size: 4,
        epochs: 3,
        shuffle: false,
        validation_data: Some(&validation),
        ..FitOptions::default()
    };
    let history = model.fit(&training, options, &mut []).unwrap();
    for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        let ours: Vec<Real> = history.get(name).unwrap().iter().map(|&x| x as Real).collect();
        assert_close(&ours, &vector(&run["history"][name]), 2e-6, name);
    }
    let kernel = model.weights().next().unwrap().1;
    assert_close(kernel.as_slice().unwrap(), matrix(&run["W"]).as_slice().unwrap(), 2e-6, "kernel");
    let bias = model.weights().nth(1).unwrap().1;
    assert_close(bias.as_slice().unwrap(), &vector(&run["b"]), 2e-6, "bias");
    let scores = model.evaluate(&validation).unwrap();
    let ours = [scores.loss as Real, scores.metrics[0].1 as Real];
    assert_close(&ours, &vector(&run["evaluate_bs3"]), 2e-6, "evaluate");
}
