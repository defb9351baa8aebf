//! The same numbers as Keras 3.15.1: `fixtures/golden.json` holds what it printed.

use ndarray::{Array, ArrayD, Ix1, Ix2};
use serde_json::{Value, json};
use tallynet::Real;
use tallynet::activations::ActivationKind::{self, Softmax};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::Dense;
use tallynet::losses::{AnyLoss, CategoricalCrossentropy};
use tallynet::model::Sequential;
use tallynet::optimizers::{Adam, AnyOptimizer, OptimizerState, Sgd, Step};
use tallynet::regularizers::L1L2;
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
    let rule: AnyOptimizer = serde_json::from_value(json!({"class_name": class, "config": options})).unwrap();
    let mut params = vector(&golden["start"]);
    let mut state = OptimizerState::new(&*rule, params.len());
    let traced = golden["traces"][name].as_array().unwrap();
    for (gradient, expected) in golden["grads"].as_array().unwrap().iter().zip(traced) {
        let step = Step { iteration: state.iteration, learning_rate: state.learning_rate };
        let mut slots = state.slots.each_mut().map(|slot| &mut slot[..]);
        rule.update(step, &mut params, &vector(gradient), &mut slots);
        state.iteration += 1;
        assert_close(&params, &vector(expected), 1e-6, name);
    }
    assert_eq!(state.iteration, 5);
}

#[test]
fn optimizers_step_by_step() {
    trace("SGD()", "SGD", json!({}));
    trace("SGD(momentum=.9)", "SGD", json!({"momentum": 0.9}));
    trace("SGD(momentum=.9,nesterov)", "SGD", json!({"momentum": 0.9, "nesterov": true}));
    trace("Adam()", "Adam", json!({}));
}

#[test]
fn cutting_the_vector_changes_no_step() {
    let start: Vec<Real> = (0..10).map(|i| i as Real).collect();
    let gradients: Vec<Real> = (0..10).map(|i| (i as Real).sin()).collect();
    let step = Step { iteration: 3, learning_rate: 0.1 };
    for rule in AnyOptimizer::all().into_iter().chain([Sgd { momentum: 0.9, ..Sgd::default() }.into()]) {
        let run = |cut: usize| {
            let mut state = OptimizerState::new(&*rule, 10);
            state.slots.iter_mut().for_each(|slot| slot.fill(0.5));
            let mut params = start.clone();
            for range in [0..cut, cut..10] {
                let mut slots = state.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
                rule.update(step, &mut params[range.clone()], &gradients[range], &mut slots);
            }
            (params, state.slots)
        };
        assert_eq!(run(0), run(7), "{rule:?}");
    }
}

#[test]
fn losses_per_sample() {
    let golden = &golden()["losses"];
    let (p, y) = (matrix(&golden["y_pred"]), matrix(&golden["y_true"]));
    let rows = |array: &ArrayD<Real>| array.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
    let labels = [[1.0], [0.0]];
    for (name, value) in golden["per_sample"].as_object().unwrap() {
        let (function, options) = name.split_once('(').unwrap_or((name, ""));
        let config = match options {
            "label_smoothing=.1)" => json!({"label_smoothing": 0.1}),
            "from_logits)" => json!({"from_logits": true}),
            _ => json!({}),
        };
        let Ok(known) = AnyLoss::by_name(function) else { continue };
        let loss = json!({"class_name": known.class_name(), "config": config});
        let loss: AnyLoss = serde_json::from_value(loss).unwrap();
        let ours: Vec<Real> = (0..2)
            .map(|row| {
                let (y, p) = (rows(&y)[row].clone(), rows(&p)[row].clone());
                if function.starts_with("sparse") { loss.value(&labels[row], &p) } else { loss.value(&y, &p) }
            })
            .collect();
        assert_close(&ours, &vector(value), 1e-6, name);
    }
}

#[test]
fn a_wrong_hard_zero_costs_what_it_costs_in_keras() {
    let loss = AnyLoss::by_name("categorical_crossentropy").unwrap();
    assert!((loss.value(&[1.0, 0.0], &[0.0, 1.0]) - 16.118095).abs() < 1e-5);
    assert!(loss.value(&[1.0, 0.0], &[0.0, 0.0]).is_nan(), "an all-zero row");
}

#[test]
fn activations_value_by_value() {
    let golden = &golden()["activations"];
    let x = vector(&golden["x"]);
    let mut compared = 0;
    for kind in ActivationKind::ALL {
        let Some(expected) = golden["y"].get(kind.to_string()) else { continue };
        let ours: Vec<Real> = x.iter().map(|&x| kind.value(x)).collect();
        assert_close(&ours, &vector(expected), 2e-6, &kind.to_string());
        let mut in_place = Array::from_shape_vec(Ix2(1, x.len()), x.clone()).unwrap();
        kind.forward(1, in_place.view_mut());
        assert_eq!(in_place.as_slice().unwrap(), ours);
        compared += 1;
    }
    assert_eq!(compared, 13, "all but softmax");
    // Two rows: the second would overflow without the shift by the largest.
    let mut y = ndarray::array![[1.0, 2.0, 3.0], [-1000.0, 0.0, 1000.0]];
    Softmax.forward(3, y.view_mut());
    let expected = matrix(&golden["y"]["softmax(2x rows)"]);
    assert_close(y.as_slice().unwrap(), expected.as_slice().unwrap(), 1e-6, "softmax");
}

/// One of the recorded runs of `fit`, epoch by epoch, with the weights and the scores at its end.
fn fit(name: &str, penalty: Option<L1L2>, optimizer: impl Into<AnyOptimizer>, options: FitOptions) {
    let golden = &golden()["fit"];
    let dataset =
        |x: &str, y: &str| Dataset { x: Inputs::Reals(matrix(&golden[x])), y: Targets::Reals(one_hot(&golden[y], 3)) };
    let (training, validation) = (dataset("x", "y"), dataset("x_val", "y_val"));
    let layer = Dense { kernel_regularizer: penalty, ..Dense::new(3).activation(Softmax) };
    let mut model = Sequential::builder([6]).add(layer).build(0).unwrap();
    model.set_weight("dense_1/kernel", &matrix(&golden["W0"])).unwrap();
    let b0 = Array::from_shape_vec(Ix1(3), vector(&golden["b0"])).unwrap().into_dyn();
    model.set_weight("dense_1/bias", &b0).unwrap();
    model.compile(optimizer, CategoricalCrossentropy::default(), &["accuracy"]).unwrap();

    let run = &golden[name];
    let options =
        FitOptions { batch_size: 4, epochs: 3, shuffle: false, validation_data: Some(&validation), ..options };
    let history = model.fit(&training, options, &mut []).unwrap();
    for key in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        let ours: Vec<Real> = history.get(key).unwrap().iter().map(|&x| x as Real).collect();
        assert_close(&ours, &vector(&run["history"][key]), 2e-6, &format!("{name} {key}"));
    }
    let kernel = model.weights().next().unwrap().1;
    assert_close(kernel.as_slice().unwrap(), matrix(&run["W"]).as_slice().unwrap(), 2e-6, "kernel");
    let bias = model.weights().nth(1).unwrap().1;
    assert_close(bias.as_slice().unwrap(), &vector(&run["b"]), 2e-6, "bias");
    let scores = model.evaluate(&validation).unwrap();
    let ours = [scores.loss as Real, scores.metrics[0].1 as Real];
    assert_close(&ours, &vector(&run["evaluate_bs3"]), 2e-6, "evaluate");
}

#[test]
fn three_epochs_of_fit() {
    let penalty = Some(L1L2::new(0.02, 0.03));
    fit("sgd_noreg", None, Sgd::default(), FitOptions::default());
    fit("sgd", penalty, Sgd::default(), FitOptions::default());
    fit("adam", penalty, Adam::default(), FitOptions::default());
    let classes = [(0, 1.0), (1, 2.5), (2, 0.3)];
    let options = FitOptions { class_weight: Some(&classes), ..FitOptions::default() };
    fit("sgd_class_weight{0:1,1:2.5,2:.3}", penalty, Sgd::default(), options);
    let samples: Vec<Real> = (1..=10).map(|i| i as Real / 10.0).collect();
    let options = FitOptions { sample_weight: Some(&samples), ..FitOptions::default() };
    fit("sgd_sample_weight(i+1)/10", penalty, Sgd::default(), options);
}
