//! The same numbers as Keras 3.15.1: `fixtures/golden.json` holds what it printed.

use ndarray::{Array, ArrayD, Ix1, Ix2};
use serde_json::{Value, json};
use tallynet::activations::ActivationKind::{self, Softmax};
use tallynet::activations::AnyActivation;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::Dense;
use tallynet::losses::{AnyLoss, CategoricalCrossentropy, MeanSquaredError};
use tallynet::model::Sequential;
use tallynet::optimizers::{
    Adam, AnyOptimizer, LearningRate, Optimizer, OptimizerState, Options, RMSprop, Schedule, Sgd,
    Slots, Step,
};
use tallynet::regularizers::L1L2;
use tallynet::training::FitOptions;
use tallynet::{Error, Real};

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
    Array::from_shape_fn(Ix2(labels.len(), classes), |(i, j)| {
        Real::from(u8::from(labels[i] == j as Real))
    })
    .into_dyn()
}

fn assert_close(ours: &[Real], theirs: &[Real], tolerance: Real, what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}: {a} here, {b} in Keras");
    }
}

fn row(values: &[Real]) -> ArrayD<Real> {
    Array::from_shape_vec(Ix2(1, values.len()), values.to_vec()).unwrap().into_dyn()
}

/// The step-by-step traces of an optimizer: name in the file, class, options.
///
/// The gradients are those of a model of three weights, `p = w·g`, whose target is half a unit
/// below its output: `d (p − y)² / dw = 2·½·g`. So the whole step is compared, and not the rule
/// alone.
fn trace(name: &str, class: &str, options: Value) {
    let golden = &golden()["optimizers"];
    let rule: AnyOptimizer =
        serde_json::from_value(json!({"class_name": class, "config": options})).unwrap();
    let mut model =
        Sequential::builder([3]).add(Dense { use_bias: false, ..Dense::new(1) }).build(0).unwrap();
    let kernel = row(&vector(&golden["start"])).reversed_axes();
    model.set_weight("dense_1/kernel", &kernel.as_standard_layout().to_owned()).unwrap();
    model.compile(rule, MeanSquaredError {}, &[]).unwrap();
    let traced = golden["traces"][name].as_array().unwrap();
    for (gradient, expected) in golden["grads"].as_array().unwrap().iter().zip(traced) {
        let x = Inputs::Reals(row(&vector(gradient)));
        let output = model.predict(&x).unwrap()[[0, 0]];
        let scores =
            model.train_on_batch(&Dataset { x, y: Targets::Reals(row(&[output - 0.5])) }).unwrap();
        assert!((scores.loss - 0.25).abs() < 1e-5, "the loss before the step, not {}", scores.loss);
        let (_, weights) = model.weights().next().unwrap();
        assert_close(weights.as_slice().unwrap(), &vector(expected), 1e-6, name);
    }
    assert_eq!(model.compiled().unwrap().state().iteration, 5);
}

#[test]
fn optimizers_step_by_step() {
    trace("SGD()", "SGD", json!({}));
    trace("SGD(momentum=.9)", "SGD", json!({"momentum": 0.9}));
    trace("SGD(momentum=.9,nesterov)", "SGD", json!({"momentum": 0.9, "nesterov": true}));
    trace("SGD(clipnorm=.25)", "SGD", json!({"clipnorm": 0.25}));
    trace("SGD(global_clipnorm=.25)", "SGD", json!({"global_clipnorm": 0.25}));
    trace("SGD(clipvalue=.15)", "SGD", json!({"clipvalue": 0.15}));
    trace("SGD(weight_decay=.1)", "SGD", json!({"weight_decay": 0.1}));
    trace("Adam()", "Adam", json!({}));
    trace("Adam(amsgrad)", "Adam", json!({"amsgrad": true}));
    trace("AdamW()", "AdamW", json!({}));
    trace("RMSprop()", "RMSprop", json!({}));
    trace("RMSprop(momentum=.9)", "RMSprop", json!({"momentum": 0.9}));
    trace("RMSprop(centered)", "RMSprop", json!({"centered": true}));
    trace("Adagrad()", "Adagrad", json!({}));
    trace("Adadelta()", "Adadelta", json!({}));
    trace("Adamax()", "Adamax", json!({}));
    trace("Nadam()", "Nadam", json!({}));
    let config = json!({"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5});
    let schedule = json!({"class_name": "ExponentialDecay", "config": config});
    trace("SGD(ExponentialDecay(.1,2,.5))", "SGD", json!({"learning_rate": schedule}));
}

#[test]
fn schedules_step_by_step() {
    let golden = &golden()["schedules"];
    let check = |name: &str, options: Value| {
        let class = name.split_once('(').unwrap().0;
        // What Keras writes beside the class and the options is passed over.
        let value = json!({
            "module": "keras.optimizers.schedules",
            "class_name": class,
            "config": options,
            "registered_name": null,
        });
        let rate: LearningRate = serde_json::from_value(value).unwrap();
        let steps = golden["steps"].as_array().unwrap().iter().map(|step| step.as_u64().unwrap());
        let ours: Vec<Real> = steps.map(|step| rate.at(step) as Real).collect();
        assert_close(&ours, &vector(&golden["values"][name]), 1e-7, name);
        assert_eq!(
            rate,
            serde_json::from_value(serde_json::to_value(&rate).unwrap()).unwrap(),
            "{name} as text"
        );
    };
    let config = |more: Value| {
        let mut config =
            json!({"initial_learning_rate": 0.1, "decay_steps": 4, "name": "as Keras names it"});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    check("ExponentialDecay(.1,4,.5)", config(json!({"decay_rate": 0.5})));
    check(
        "ExponentialDecay(.1,4,.5,staircase)",
        config(json!({"decay_rate": 0.5, "staircase": true})),
    );
    check(
        "PiecewiseConstantDecay([3,7],[1,.5,.1])",
        json!({"boundaries": [3, 7], "values": [1, 0.5, 0.1]}),
    );
    check("PolynomialDecay(.1,10)", config(json!({"decay_steps": 10})));
    let cycle = json!({"end_learning_rate": 0.01, "power": 2, "cycle": true});
    check("PolynomialDecay(.1,4,.01,2,cycle)", config(cycle));
    check("InverseTimeDecay(.1,4,.5)", config(json!({"decay_rate": 0.5})));
    check("CosineDecay(.1,10,.1)", config(json!({"decay_steps": 10, "alpha": 0.1})));
    let warmup = json!({
        "initial_learning_rate": 0,
        "decay_steps": 10,
        "warmup_target": 0.1,
        "warmup_steps": 3,
    });
    check("CosineDecay(0,10,warmup_target=.1,warmup_steps=3)", config(warmup));
}

#[test]
fn cutting_the_vector_changes_no_step() {
    let start: Vec<Real> = (0..10).map(|i| i as Real).collect();
    let gradients: Vec<Real> = (0..10).map(|i| (i as Real).sin()).collect();
    let step = Step { iteration: 3, learning_rate: 0.1 };
    let more: [AnyOptimizer; 3] = [
        Sgd { momentum: 0.9, ..Sgd::default() }.into(),
        Adam { amsgrad: true, ..Adam::default() }.into(),
        RMSprop { momentum: 0.9, centered: true, ..RMSprop::default() }.into(),
    ];
    for rule in AnyOptimizer::all().into_iter().chain(more) {
        let run = |cut: usize| {
            let mut state = OptimizerState::new(Some(rule.as_optimizer()), 10).unwrap();
            state.slots.iter_mut().for_each(|slot| slot.fill(0.5));
            let mut params = start.clone();
            for range in [0..cut, cut..10] {
                let mut slots = state
                    .slots
                    .each_mut()
                    .map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
                rule.as_optimizer().update(
                    step,
                    &mut params[range.clone()],
                    &gradients[range],
                    &mut slots,
                );
            }
            (params, state.slots)
        };
        assert_eq!(run(0), run(7), "{rule:?}");
    }
}

/// An optimizer from outside the crate.
#[derive(Debug)]
struct SignSgd(LearningRate);

impl Options for SignSgd {
    fn learning_rate(&self) -> &LearningRate {
        &self.0
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        &mut self.0
    }
}

impl Optimizer for SignSgd {
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn update(&self, step: Step, params: &mut [Real], gradients: &[Real], _: &mut Slots) {
        for (w, g) in params.iter_mut().zip(gradients) {
            *w -= step.learning_rate as Real * g.signum();
        }
    }
}

#[test]
fn an_optimizer_from_outside_the_crate() {
    let mut rule = AnyOptimizer::from(SignSgd(LearningRate::Constant(9.0)));
    *rule.learning_rate_mut().unwrap() = 0.25.into();
    assert!(rule.clone().learning_rate_mut().is_none(), "it is shared");
    let mut model = Sequential::builder([1]).add(Dense::new(1)).build(0).unwrap();
    model.set_weight("dense_1/kernel", &row(&[1.0])).unwrap();
    model.compile(rule, MeanSquaredError {}, &[]).unwrap();
    let data = Dataset { x: Inputs::Reals(row(&[1.0])), y: Targets::Reals(row(&[-5.0])) };
    model.train_on_batch(&data).unwrap();
    assert_eq!(model.weights().next().unwrap().1[[0, 0]], 0.75);
}

#[test]
fn names_convert_into_optimizers_losses_and_activations() {
    fn optimizer(of: impl TryInto<AnyOptimizer, Error: Into<Error>>) -> Result<String, Error> {
        Ok(of.try_into().map_err(Into::into)?.class_name().to_string())
    }
    assert_eq!(optimizer("sgd").unwrap(), "SGD");
    assert_eq!(optimizer(Adam::default()).unwrap(), "Adam");
    assert!(optimizer("ferret").unwrap_err().to_string().contains("adagrad, adam, adamw"));
    let loss: Result<AnyLoss, Error> = "mse".try_into();
    assert_eq!(loss.unwrap().name(), "mean_squared_error");
    assert_eq!(AnyActivation::from("swish").kind(), Some(ActivationKind::Silu));
    let unknown = AnyActivation::from("rectified").validate().unwrap_err().to_string();
    assert!(unknown.contains("rectified") && unknown.contains("linear, relu"), "{unknown}");
    assert_eq!(serde_json::to_value(AnyActivation::from("relu")).unwrap(), "relu");
}

#[test]
fn a_schedule_names_its_option_that_is_out_of_range() {
    let cosine = |decay_steps, warmup_target| Schedule::CosineDecay {
        initial_learning_rate: 0.1,
        decay_steps,
        alpha: 0.0,
        warmup_target,
        warmup_steps: 0.0,
    };
    for (schedule, expected) in [
        (cosine(0.0, None), "decay_steps is above 0, such as 1000, and not 0.0"),
        (cosine(9.0, Some(-1.0)), "warmup_target is 0 or more, and not -1.0"),
        (cosine(9.0, Some(f64::NAN)), "warmup_target is 0 or more, and not null"),
        (cosine(f64::INFINITY, None), "decay_steps is above 0, such as 1000, and not null"),
    ] {
        let error = LearningRate::from(schedule).validate().unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn losses_per_sample() {
    let golden = &golden()["losses"];
    let (p, y) = (matrix(&golden["y_pred"]), matrix(&golden["y_true"]));
    let rows =
        |array: &ArrayD<Real>| array.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
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
                if function.starts_with("sparse") {
                    loss.as_loss().value(&labels[row], &p)
                } else {
                    loss.as_loss().value(&y, &p)
                }
            })
            .collect();
        assert_close(&ours, &vector(value), 1e-6, name);
    }
}

#[test]
fn a_wrong_hard_zero_costs_what_it_costs_in_keras() {
    let loss = AnyLoss::by_name("categorical_crossentropy").unwrap();
    assert!((loss.as_loss().value(&[1.0, 0.0], &[0.0, 1.0]) - 16.118095).abs() < 1e-5);
    assert!(loss.as_loss().value(&[1.0, 0.0], &[0.0, 0.0]).is_nan(), "an all-zero row");
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
    assert_eq!(compared, ActivationKind::ALL.len() - 1, "all but softmax");
    // Two rows: the second would overflow without the shift by the largest.
    let mut y = ndarray::array![[1.0, 2.0, 3.0], [-1000.0, 0.0, 1000.0]];
    Softmax.forward(3, y.view_mut());
    let expected = matrix(&golden["y"]["softmax(2x rows)"]);
    assert_close(y.as_slice().unwrap(), expected.as_slice().unwrap(), 1e-6, "softmax");
}

/// One of the recorded runs of `fit`, epoch by epoch, with the weights and the scores at its end.
fn fit(name: &str, penalty: Option<L1L2>, optimizer: impl Into<AnyOptimizer>, options: FitOptions) {
    let golden = &golden()["fit"];
    let dataset = |x: &str, y: &str| Dataset {
        x: Inputs::Reals(matrix(&golden[x])),
        y: Targets::Reals(one_hot(&golden[y], 3)),
    };
    let (training, validation) = (dataset("x", "y"), dataset("x_val", "y_val"));
    let layer = Dense { kernel_regularizer: penalty, ..Dense::new(3).activation(Softmax) };
    let mut model = Sequential::builder([6]).add(layer).build(0).unwrap();
    model.set_weight("dense_1/kernel", &matrix(&golden["W0"])).unwrap();
    let b0 = Array::from_shape_vec(Ix1(3), vector(&golden["b0"])).unwrap().into_dyn();
    model.set_weight("dense_1/bias", &b0).unwrap();
    model.compile(optimizer, CategoricalCrossentropy::default(), &["accuracy"]).unwrap();

    let run = &golden[name];
    let options = FitOptions {
        batch_size: 4,
        epochs: 3,
        shuffle: false,
        validation_data: Some(&validation),
        ..options
    };
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
