//! Metrics by their names, on outputs that are the inputs: what is counted can be checked by hand.

use ndarray::{Array, ArrayD, Ix2};
use tallynet::Real;
use tallynet::activations::ActivationKind;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{Activation, Dense};
use tallynet::losses::{
    AnyLoss, CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy,
};
use tallynet::metrics::{
    AnyMetric, BinaryAccuracy, Metric, Precision, Ratio, Recall, TopKCategoricalAccuracy,
};
use tallynet::model::{MetricChoice, Sequential};
use tallynet::optimizers::Sgd;
use tallynet::training::FitOptions;

fn array(rows: &[&[Real]]) -> ArrayD<Real> {
    Array::from_shape_vec(Ix2(rows.len(), rows[0].len()), rows.concat()).unwrap().into_dyn()
}

fn score(name: &str, loss: impl Into<AnyLoss>, p: &[&[Real]], y: Targets) -> f64 {
    let mut model = Sequential::builder([p[0].len()]).add(Activation::default()).build(0).unwrap();
    model.compile(Sgd::default(), loss, &[name]).unwrap();
    let scores = model.evaluate(&Dataset { x: Inputs::Reals(array(p)), y }).unwrap();
    assert_eq!(scores.metrics[0].0, name, "under the name that was given");
    scores.metrics[0].1
}

#[test]
fn errors_precision_and_recall() {
    let of = |name: &str, p: &[&[Real]], y: &[&[Real]]| {
        score(name, MeanSquaredError {}, p, Targets::Reals(array(y)))
    };
    let (p, y): (&[&[Real]], &[&[Real]]) =
        (&[&[0.9, 0.8], &[0.2, 0.3], &[0.5, 0.1]], &[&[1.0, 0.0], &[1.0, 1.0], &[0.0, 0.0]]);
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} and not {b}");
    for name in ["mae", "mean_absolute_error", "MeanAbsoluteError"] {
        close(of(name, p, y), (0.1 + 0.8 + 0.8 + 0.7 + 0.5 + 0.1) / 6.0);
    }
    for name in ["mse", "MSE", "mean_squared_error"] {
        close(of(name, p, y), (0.01 + 0.64 + 0.64 + 0.49 + 0.25 + 0.01) / 6.0);
    }
    // One of two that are over ½ is right, and one of three that are right is over ½: ½ itself is
    // not.
    close(of("precision", p, y), 1.0 / 2.0);
    close(of("Recall", p, y), 1.0 / 3.0);
    close(of("precision", &[&[0.1, 0.2]], &[&[1.0, 1.0]]), 0.0);
    close(of("recall", &[&[0.9, 0.9]], &[&[0.0, 0.0]]), 0.0);
    close(of("binary_accuracy", p, y), 3.0 / 6.0);
    close(of("categorical_accuracy", p, y), 2.0 / 3.0);
}

#[test]
fn top_five() {
    // Of eight outputs the class is the largest, the fifth, the sixth, and one of two that are
    // fifth together.
    let p: Vec<Vec<Real>> = vec![
        vec![0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
        vec![0.4, 0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8],
        vec![0.35, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8],
        vec![0.4, 0.4, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8],
    ];
    let p: Vec<&[Real]> = p.iter().map(Vec::as_slice).collect();
    let labels = Targets::Labels(ArrayD::from_elem(vec![4], 0));
    let sparse = SparseCategoricalCrossentropy::default();
    assert_eq!(score("sparse_top_k_categorical_accuracy", sparse, &p, labels.clone()), 0.75);
    let vectors = AnyLoss::by_name("categorical_crossentropy").unwrap();
    assert_eq!(score("top_k_categorical_accuracy", vectors.clone(), &p, labels.clone()), 0.75);
    assert_eq!(score("TopKCategoricalAccuracy", vectors, &p, labels), 0.75);
    let few: &[&[Real]] = &[&[0.1, 0.9]];
    let sparse = SparseCategoricalCrossentropy::default();
    let one = Targets::Labels(ArrayD::from_elem(vec![1], 0));
    assert_eq!(
        score("sparse_top_k_categorical_accuracy", sparse, few, one),
        1.0,
        "of fewer than five all are"
    );
}

#[test]
fn options_count() {
    let (p, y): (&[&[Real]], &[&[Real]]) =
        (&[&[0.9, 0.8], &[0.2, 0.6]], &[&[1.0, 0.0], &[1.0, 1.0]]);
    for (class, share) in [
        (AnyMetric::from(BinaryAccuracy { threshold: 0.85 }), 2.0 / 4.0),
        (BinaryAccuracy { threshold: 0.5 }.into(), 2.0 / 4.0),
        (BinaryAccuracy { threshold: 0.1 }.into(), 3.0 / 4.0),
        (Precision { thresholds: Some(0.85) }.into(), 1.0),
        (Precision { thresholds: Some(0.7) }.into(), 1.0 / 2.0),
        (Recall { thresholds: Some(0.1) }.into(), 1.0),
        (TopKCategoricalAccuracy { k: 1 }.into(), 1.0 / 2.0),
        (TopKCategoricalAccuracy { k: 2 }.into(), 1.0),
    ] {
        let mut model = Sequential::builder([2]).add(Activation::default()).build(0).unwrap();
        let choice = MetricChoice { name: "own".to_string(), class: Some(class.clone()) };
        model.compile_with(None, MeanSquaredError {}.into(), vec![choice.clone(), choice]).unwrap();
        let scores = model
            .evaluate(&Dataset { x: Inputs::Reals(array(p)), y: Targets::Reals(array(y)) })
            .unwrap();
        assert_eq!(
            scores.metrics,
            [("own".to_string(), share), ("own_1".to_string(), share)],
            "{class:?}"
        );
    }
}

#[test]
fn a_metric_that_does_not_fit_is_refused_with_one_that_does() {
    let refused = |loss: &str, metric: &str, words: &[&str]| {
        let mut model = Sequential::builder([4]).add(Activation::default()).build(0).unwrap();
        let loss = AnyLoss::by_name(loss).unwrap();
        let error = model.compile(Sgd::default(), loss, &[metric]).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{words:?} in {error}");
    };
    refused(
        "mse",
        "f1",
        &["f1", "accuracy", "top_k_categorical_accuracy", "precision", "recall", "mae", "mse"],
    );
    refused("sparse_categorical_crossentropy", "mae", &["mae", "categorical_crossentropy"]);
    refused(
        "sparse_categorical_crossentropy",
        "top_k_categorical_accuracy",
        &["sparse_top_k_categorical_accuracy"],
    );
    refused("huber", "sparse_categorical_accuracy", &["; categorical_accuracy"]);
}

#[test]
fn which_way_is_better() {
    let model = Sequential::builder([2]).add(Activation::default()).build(0).unwrap();
    for (name, lower) in [
        ("mae", Some(true)),
        ("val_mean_squared_error", Some(true)),
        ("accuracy", Some(false)),
        ("val_acc", Some(false)),
        ("recall", Some(false)),
        ("learning_rate", None),
    ] {
        let metric = model.logged_metric(name);
        let found = metric.map(|metric| metric.as_metric().lower_is_better());
        assert_eq!(found, lower, "{name}");
    }
}

/// A metric from outside the crate.
#[derive(Debug)]
struct LargestError;

impl Metric for LargestError {
    fn count(&self, y: &[Real], p: &[Real]) -> Ratio {
        let largest = y.iter().zip(p).map(|(y, p)| (y - p).abs()).fold(0.0, Real::max);
        Ratio { numerator: f64::from(largest), denominator: 1.0 }
    }

    fn lower_is_better(&self) -> bool {
        true
    }
}

#[test]
fn a_metric_from_outside_the_crate() {
    let metric = AnyMetric::from(LargestError);
    assert_eq!((metric.name(), metric.is_custom()), ("largest_error".to_string(), true));
    let mut model = Sequential::builder([2]).add(Activation::default()).build(0).unwrap();
    let choice = MetricChoice { name: "worst".to_string(), class: Some(metric) };
    model.compile_with(None, MeanSquaredError {}.into(), vec![choice]).unwrap();
    let is_custom = |name| model.logged_metric(name).map(|metric| metric.is_custom());
    assert_eq!(is_custom("val_worst"), Some(true));
    assert_eq!(is_custom("accuracy"), Some(false));
    assert_eq!((is_custom("val_loss"), is_custom("best")), (None, None));
    let data = Dataset {
        x: Inputs::Reals(array(&[&[1.0, 2.0], &[0.5, 0.0]])),
        y: Targets::Reals(array(&[&[1.0, 1.0], &[0.0, 0.0]])),
    };
    assert_eq!(model.evaluate(&data).unwrap().metrics, [("worst".to_string(), 0.75)]);
}

/// Integer labels under a loss of vectors train to the same bits as the vectors themselves, also
/// where the validation data come in the other form, and where an option needs vectors.
#[test]
fn integer_labels_give_the_same_bits_as_one_hot_targets() {
    let x = Array::from_shape_fn(Ix2(40, 3), |(i, j)| ((i * 7 + j * 11) % 13) as Real / 13.0)
        .into_dyn();
    let numbers = ArrayD::from_shape_fn(vec![40], |i| (i[0] % 4) as u32);
    let vectors =
        Array::from_shape_fn(Ix2(40, 4), |(i, j)| Real::from(u8::from(i % 4 == j))).into_dyn();
    let numbers = Dataset { x: Inputs::Reals(x.clone()), y: Targets::Labels(numbers) };
    let vectors = Dataset { x: Inputs::Reals(x), y: Targets::Reals(vectors) };
    let losses = [0.0, 0.1]
        .map(|label_smoothing| CategoricalCrossentropy { label_smoothing, ..Default::default() });
    for (loss, metrics) in
        losses.iter().zip([["accuracy", "top_k_categorical_accuracy"], ["accuracy", "precision"]])
    {
        let fit = |data: &Dataset, validation: &Dataset| {
            let mut model = Sequential::builder([3])
                .add(Dense::new(4).activation(ActivationKind::Softmax))
                .build(0)
                .unwrap();
            model.compile(Sgd::new(0.5), loss.clone(), &metrics).unwrap();
            let options = FitOptions {
                epochs: 3,
                batch_size: 16,
                validation_data: Some(validation),
                ..FitOptions::default()
            };
            let history = model.fit(data, options, &mut []).unwrap();
            let logged = ["loss", "accuracy", metrics[1], "val_loss", "val_accuracy"];
            let logged = logged.map(|name| history.get(name).unwrap().to_vec());
            let weights: Vec<_> =
                model.weights().map(|(name, array)| (name, array.to_owned())).collect();
            (weights, logged, model.evaluate(data).unwrap())
        };
        let expected = fit(&vectors, &vectors);
        assert_eq!(fit(&numbers, &numbers), expected);
        assert_eq!(fit(&numbers, &vectors), expected);
        assert_eq!(fit(&vectors, &numbers), expected);
    }
}
