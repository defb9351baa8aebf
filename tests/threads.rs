//! The same seed gives the same bits on any number of threads.

use ndarray::{Array, ArrayD};
use tallynet::activations::ActivationKind;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::kernels::convolution::Padding;
use tallynet::layers::{
    BatchNormalization, Conv1D, Conv2D, Dense, Dropout, Embedding, Flatten, GlobalMaxPooling1D,
    LayerNormalization, MaxPooling1D, PReLU, Reshape, SpatialDropout1D,
};
use tallynet::losses::CategoricalCrossentropy;
use tallynet::model::Sequential;
use tallynet::model::presets::{self, Task};
use tallynet::optimizers::{Adam, Schedule, Sgd};
use tallynet::training::FitOptions;

/// Numbers of threads that are compared with one: as many as there are shards at most, and some
/// that do not divide them.
const THREADS: [usize; 6] = [2, 3, 4, 8, 16, 32];

fn data(rows: usize, shape: &[usize]) -> Dataset {
    let mut state = 9u64;
    let x = Array::from_shape_simple_fn([&[rows], shape].concat(), || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 56) as u8
    });
    let y = ArrayD::from_shape_fn(vec![rows], |i| (i[0] % 10) as u32);
    Dataset { x: Inputs::Bytes { values: x, scale: 1.0 / 255.0 }, y: Targets::Labels(y) }
}

/// Fingerprint, last loss and last validation loss.
fn run(mut model: Sequential, threads: usize, batch_size: usize) -> (String, f64, f64) {
    model.n_threads = threads;
    let shape = model.input_shape().dims().to_vec();
    let (training, validation) = (data(700, &shape), data(300, &shape));
    let options = FitOptions {
        batch_size,
        epochs: 2,
        validation_data: Some(&validation),
        ..FitOptions::default()
    };
    let history = model.fit(&training, options, &mut []).unwrap();
    let last = |name| *history.get(name).unwrap().last().unwrap();
    (model.fingerprint(), last("loss"), last("val_loss"))
}

#[test]
fn mnist_softmax() {
    let model = || presets::named("mnist-softmax").unwrap().build(5).unwrap();
    let alone = run(model(), 1, 128);
    for threads in THREADS {
        assert_eq!(run(model(), threads, 128), alone, "{threads} threads");
    }
}

#[test]
fn every_model_with_a_name() {
    for preset in presets::PRESETS {
        // An image of 224 × 224 is a lot of work.
        let (rows, batch_size) =
            if preset.task == Task::SyntheticPixels { (2, 2) } else { (75, 40) };
        let run = |threads| {
            let mut model = preset.build(5).unwrap();
            model.n_threads = threads;
            let output = model.output_shape().dims().to_vec();
            let mut data = data(rows, model.input_shape().dims());
            data.y = match preset.task {
                Task::Mnist => data.y,
                Task::SyntheticPixels => {
                    Targets::Labels(ArrayD::from_shape_fn(vec![rows, output[0], output[1]], |i| {
                        ((i[0] + i[1] + i[2]) % 10) as u32
                    }))
                }
                Task::SyntheticRegression => {
                    Targets::Reals(ArrayD::from_shape_fn(vec![rows, output[0]], |i| {
                        ((i[0] * 7 + i[1]) % 10) as tallynet::Real / 10.0
                    }))
                }
            };
            let history = model
                .fit(&data, FitOptions { batch_size, ..FitOptions::default() }, &mut [])
                .unwrap();
            (model.fingerprint(), history.get("loss").unwrap()[0])
        };
        let alone = run(1);
        for threads in THREADS {
            assert_eq!(run(threads), alone, "{}, {threads} threads", preset.name);
        }
    }
}

#[test]
fn a_wide_network_that_every_thread_has_work_in() {
    let model = || {
        let mut model = Sequential::builder([20, 20])
            .add(Flatten {})
            .add(Dense::new(300).activation(ActivationKind::Relu))
            .add(Dense::new(200).activation(ActivationKind::Tanh))
            .add(Dense::new(10).activation(ActivationKind::Softmax))
            .build(5)
            .unwrap();
        let rule = Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.05) };
        model.compile(rule, CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
        model
    };
    for batch_size in [256, 37, 9] {
        let alone = run(model(), 1, batch_size);
        for threads in THREADS {
            assert_eq!(
                run(model(), threads, batch_size),
                alone,
                "{threads} threads, batches of {batch_size}"
            );
        }
    }
}

#[test]
fn dropout_and_statistics_of_the_whole_batch() {
    let model = || {
        let mut model = Sequential::builder([20, 20])
            .add(Flatten {})
            .add(Dense::new(300).activation(ActivationKind::Relu))
            .add(BatchNormalization::default())
            .add(Dropout::new(0.3))
            .add(Dense::new(60))
            .add(BatchNormalization::default())
            .add(Dense::new(10).activation(ActivationKind::Softmax))
            .build(5)
            .unwrap();
        model.compile(Adam::default(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
        model
    };
    for batch_size in [256, 37, 9] {
        let alone = run(model(), 1, batch_size);
        for threads in THREADS {
            assert_eq!(
                run(model(), threads, batch_size),
                alone,
                "{threads} threads, batches of {batch_size}"
            );
        }
    }
}

#[test]
fn convolutions_with_statistics_in_as_many_shards_as_there_are() {
    let model = || {
        let mut model = Sequential::builder([14, 14, 1])
            .add(Conv2D::new(8, [3, 3]))
            .add(BatchNormalization::default())
            .add(Dropout::new(0.25))
            .add(Conv2D::new(8, [3, 3]).activation("relu"))
            .add(BatchNormalization::default())
            .add(Flatten {})
            .add(Dense::new(10).activation(ActivationKind::Softmax))
            .build(5)
            .unwrap();
        model.compile(Adam::default(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
        model
    };
    // The last batch of 131 has 45 rows, of 64 rows 60.
    for batch_size in [131, 64] {
        let alone = run(model(), 1, batch_size);
        for threads in THREADS {
            let several = run(model(), threads, batch_size);
            assert_eq!(several, alone, "{threads} threads, batches of {batch_size}");
        }
    }
}

#[test]
fn sequences_of_words_and_of_values() {
    let words = || Sequential::builder([20, 20]).add(Flatten {}).add(Embedding::new(50, 16));
    let values = || {
        let target_shape = vec![80, 5];
        Sequential::builder([20, 20]).add(Reshape { target_shape }).add(PReLU::default())
    };
    for start in [words, values] {
        let model = || {
            let causal =
                Conv1D { padding: Padding::Causal, dilation_rate: 2, ..Conv1D::new(32, 3) };
            let mut model = start()
                .add(SpatialDropout1D { rate: 0.3 })
                .add(causal.activation("relu"))
                .add(LayerNormalization::default())
                .add(MaxPooling1D::default())
                .add(Conv1D::new(24, 3))
                .add(GlobalMaxPooling1D::default())
                .add(Dense::new(10).activation(ActivationKind::Softmax))
                .build(5)
                .unwrap();
            let loss = CategoricalCrossentropy::default();
            model.compile(Adam::default(), loss, &["accuracy"]).unwrap();
            model
        };
        for batch_size in [256, 37, 9] {
            let alone = run(model(), 1, batch_size);
            for threads in THREADS {
                assert_eq!(
                    run(model(), threads, batch_size),
                    alone,
                    "{threads} threads, batches of {batch_size}"
                );
            }
        }
    }
}

#[test]
fn clipping_and_a_schedule_beside_adam() {
    let clippings = [(Some(0.01), None, None), (None, Some(0.01), None), (None, None, Some(1e-3))];
    for (clipnorm, global_clipnorm, clipvalue) in clippings {
        let model = || {
            let mut model = Sequential::builder([20, 20])
                .add(Flatten {})
                .add(Dense::new(300).activation(ActivationKind::Relu))
                .add(Dense::new(10).activation(ActivationKind::Softmax))
                .build(5)
                .unwrap();
            let (initial_learning_rate, decay_steps) = (0.0, 9.0);
            let (alpha, warmup_target, warmup_steps) = (0.1, Some(0.01), 2.0);
            let cosine = Schedule::CosineDecay {
                initial_learning_rate,
                decay_steps,
                alpha,
                warmup_target,
                warmup_steps,
            };
            let adam = Adam {
                clipnorm,
                global_clipnorm,
                clipvalue,
                weight_decay: Some(0.01),
                ..Adam::new(cosine)
            };
            model.compile(adam, CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
            model
        };
        let alone = run(model(), 1, 128);
        for threads in THREADS {
            assert_eq!(run(model(), threads, 128), alone, "{threads} threads");
        }
    }
}

#[test]
fn another_seed_gives_other_bits() {
    let model = |seed| presets::named("mnist-softmax").unwrap().build(seed).unwrap();
    assert_ne!(run(model(1), 1, 128).0, run(model(2), 1, 128).0);
}

#[test]
fn stopping_and_going_on_changes_nothing() {
    let model = || {
        let mut model = presets::named("mnist-softmax").unwrap().build(5).unwrap();
        let rule = Sgd { momentum: 0.9, ..Sgd::new(0.05) };
        model.compile(rule, CategoricalCrossentropy::default(), &[]).unwrap();
        model
    };
    let data = data(300, &[28, 28]);
    let fit = |model: &mut Sequential, epochs| {
        model.fit(&data, FitOptions { epochs, ..FitOptions::default() }, &mut []).unwrap();
    };
    let mut whole = model();
    fit(&mut whole, 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.safetensors");
    let mut part = model();
    fit(&mut part, 1);
    tallynet::formats::save(&part, &path).unwrap();
    let mut part = tallynet::formats::load(&path).unwrap().model;
    fit(&mut part, 2);
    assert_eq!(part.fingerprint(), whole.fingerprint());
}
