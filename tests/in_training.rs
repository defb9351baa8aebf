//! Layers that compute differently in training than in inference, checked in numbers.

use ndarray::{Array, Array2, ArrayD, Axis};
use tallynet::Real;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{BatchNormalization, Dense, Dropout};
use tallynet::losses::MeanSquaredError;
use tallynet::model::{ParamCount, Sequential};
use tallynet::optimizers::Sgd;
use tallynet::training::FitOptions;

fn noise(rows: usize, columns: usize) -> Array2<Real> {
    let mut state = 3u64;
    Array::from_shape_simple_fn((rows, columns), || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as Real / (1 << 23) as Real + 5.0
    })
}

fn data(x: &Array2<Real>) -> Dataset {
    Dataset { x: Inputs::Reals(x.clone().into_dyn()), y: Targets::Reals(ArrayD::zeros(x.shape())) }
}

#[test]
fn moving_statistics_follow_the_batches() {
    let mut model = Sequential::builder([3]).add(BatchNormalization::default()).build(0).unwrap();
    assert_eq!(model.layers()[0].count_params(), ParamCount { total: 12, trainable: 6 });
    model.compile(Sgd::new(0.0), MeanSquaredError {}, &[]).unwrap();
    let x = noise(100, 3);
    let options = FitOptions { batch_size: 100, ..FitOptions::default() };
    let history = model.fit(&data(&x), options, &mut []).unwrap();
    let (mean, variance) = (x.mean_axis(Axis(0)).unwrap(), x.var_axis(Axis(0), 0.0));
    // γ = 1 and β = 0: the mean square of normalized values is v / (v + ε).
    let expected = variance.mapv(|v| v / (v + 0.001)).mean().unwrap();
    assert!((history.get("loss").unwrap()[0] as Real - expected).abs() < 1e-5);
    let weights: Vec<_> = model.weights().map(|(name, array)| (name, array.to_owned())).collect();
    let names: Vec<_> =
        weights.iter().map(|(name, _)| name.trim_start_matches("batch_normalization_1/")).collect();
    assert_eq!(names, ["gamma", "beta", "moving_mean", "moving_variance"]);
    for channel in 0..3 {
        assert!((weights[2].1[[channel]] - 0.01 * mean[channel]).abs() < 1e-5);
        assert!((weights[3].1[[channel]] - (0.99 + 0.01 * variance[channel])).abs() < 1e-5);
    }
    // Inference uses the moving values.
    let y = model.predict(&Inputs::Reals(x.clone().into_dyn())).unwrap();
    let expected = (x[[7, 1]] - weights[2].1[[1]]) / (weights[3].1[[1]] + 0.001).sqrt();
    assert!((y[[7, 1]] - expected).abs() < 1e-4);
}

#[test]
fn a_frozen_normalization_keeps_its_moving_values() {
    let mut model =
        Sequential::builder([3]).add(BatchNormalization::default()).frozen().build(0).unwrap();
    model.compile(Sgd::new(0.1), MeanSquaredError {}, &[]).unwrap();
    let before = model.fingerprint();
    let x = noise(100, 3);
    let history = model.fit(&data(&x), FitOptions::default(), &mut []).unwrap();
    assert_eq!(model.fingerprint(), before);
    let scores = model.evaluate(&data(&x)).unwrap();
    assert!((history.get("loss").unwrap()[0] - scores.loss).abs() < 1e-4);
}

#[test]
fn dropout_drops_its_fraction_and_keeps_the_mean() {
    let mut model = Sequential::builder([1000]).add(Dropout::new(0.3)).build(0).unwrap();
    model.compile(Sgd::default(), MeanSquaredError {}, &[]).unwrap();
    let ones = Array2::ones((50, 1000));
    // Mean square of the kept values: 0.7 of all, each (1 / 0.7)².
    let loss = model.gradients(&data(&ones)).unwrap().loss;
    assert!((loss - 1.0 / 0.7).abs() < 0.02, "{loss}");
    assert_eq!(model.gradients(&data(&ones)).unwrap().loss, loss, "the same step drops the same");
    model.train_on_batch(&data(&ones)).unwrap();
    assert_ne!(
        model.gradients(&data(&ones)).unwrap().loss,
        loss,
        "another step drops something else"
    );
    assert!(
        (model.evaluate(&data(&ones)).unwrap().loss - 1.0).abs() < 1e-6,
        "nothing is dropped in inference"
    );
    assert!(Sequential::builder([3]).add(Dropout::new(1.0)).build(0).is_err());
}

/// The last batch is worth fewer shards, with more rows than those of a full batch.
#[test]
fn a_smaller_last_batch_fits_the_memory_of_batch_statistics() {
    let mut fingerprints = vec![];
    for threads in [1, 8] {
        let mut model = Sequential::builder([96])
            .add(Dense::new(128))
            .add(BatchNormalization::default())
            .add(Dense::new(96))
            .build(0)
            .unwrap();
        model.compile("sgd", "mse", &[]).unwrap();
        model.n_threads = threads;
        for (batch_size, rows) in [(200, 320), (32, 150), (64, 90), (128, 200)] {
            let options = FitOptions { batch_size, ..FitOptions::default() };
            model.fit(&data(&noise(rows, 96)), options, &mut []).unwrap();
        }
        fingerprints.push(model.fingerprint());
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
}
