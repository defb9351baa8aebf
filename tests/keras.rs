//! Files of Keras: what Keras 3.15.1 saved and computed (`tests/keras/fixtures`, made by
//! `tests/keras/parity.py`), the dialects of older ones, and everything that tallynet writes.

#![allow(clippy::unnecessary_cast)] // `Real` is f32 in one of two builds.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use serde_json::{Value, json};
use tallynet::datasets::{Dataset, Inputs, Targets, npz};
use tallynet::formats::{self, Loaded};
use tallynet::layers::Dense;
use tallynet::losses::Loss;
use tallynet::model::{Sequential, Style};
use tallynet::optimizers::{OptimizerState, Sgd};
use tallynet::training::FitOptions;
use tallynet::{Error, Real};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras/fixtures")
}

/// The models that Keras's numbers are kept for.
fn parity() -> Vec<PathBuf> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    files
}

fn close(
    what: &str,
    found: impl Iterator<Item = f64>,
    wanted: &Value,
    relative: f64,
    absolute: f64,
) {
    let wanted: Vec<f64> =
        wanted.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
    let largest = wanted.iter().fold(0.0, |largest: f64, number| largest.max(number.abs()));
    let found: Vec<f64> = found.collect();
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!(
            (found - wanted).abs() <= relative * largest + absolute,
            "{what}: {found} instead of {wanted}"
        );
    }
}

fn text(model: &Sequential) -> String {
    serde_json::to_string(&model.description()).unwrap()
}

/// All weights, as Keras's files hold them.
fn weights(model: &Sequential) -> Vec<f32> {
    model
        .weights()
        .flat_map(|(_, array)| array.iter().map(|&x| x as f32).collect::<Vec<_>>())
        .collect()
}

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|number| number.to_bits()).collect()
}

#[test]
fn what_keras_saved_gives_what_keras_computed() {
    assert!(parity().len() >= 5);
    for path in parity() {
        let expected: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let what = format!("{}: {}", path.display(), expected["model"]);
        let Loaded { mut model, arrays, warnings, .. } =
            formats::load(&path.with_extension("keras")).unwrap();
        assert_eq!(warnings, [""; 0], "{what}");
        model.verify_arrays(&arrays.unwrap()).unwrap();
        let summary = model.summary(Style::Keras3, Some(76));
        // In double precision the table's sizes in memory are others.
        if size_of::<tallynet::Real>() == 4 {
            assert_eq!(
                summary.trim_end(),
                expected["summary"].as_str().unwrap().trim_end(),
                "{what}"
            );
        }
        let data = npz::load(&path.with_extension("npz")).unwrap();
        let outputs = model.predict(&data.test.x).unwrap();
        close(&what, outputs.iter().map(|&x| f64::from(x)), &expected["predictions"], 1e-5, 1e-6);
        let scores = model.evaluate(&data.test).unwrap();
        close(&what, [scores.loss].into_iter(), &json!([expected["loss"]]), 1e-5, 1e-6);
        for (name, value) in scores.metrics {
            close(&what, [value].into_iter(), &json!([expected["metrics"][name]]), 1e-5, 1e-6);
        }
        let batch_size = expected["batch_size"].as_u64().unwrap() as usize;
        let options = FitOptions { epochs: 2, batch_size, shuffle: false, ..FitOptions::default() };
        model.fit(&data.train, options, &mut []).unwrap();
        for ((name, array), wanted) in
            model.weights().zip(expected["weights_after_two_epochs"].as_array().unwrap())
        {
            close(
                &format!("{what}: {name}"),
                array.iter().map(|&x| f64::from(x)),
                wanted,
                1e-4,
                1e-5,
            );
        }
    }
}

#[test]
fn every_form_gives_the_model_back() {
    let temporary = tempfile::tempdir().unwrap();
    for path in parity() {
        let mut model = formats::load(&path.with_extension("keras")).unwrap().model;
        let data = npz::load(&path.with_extension("npz")).unwrap();
        model.fit(&data.train, FitOptions::default(), &mut []).unwrap();
        for name in ["model.keras", "model.safetensors"] {
            let file = temporary.path().join(name);
            formats::save(&model, &file).unwrap();
            let Loaded { model: back, arrays, warnings, .. } = formats::load(&file).unwrap();
            assert_eq!(warnings, [""; 0]);
            back.verify_arrays(&arrays.unwrap()).unwrap();
            assert_eq!(bits(&weights(&back)), bits(&weights(&model)), "{} {name}", path.display());
            let (from, to) = (model.compiled().unwrap().state(), back.compiled().unwrap().state());
            assert_eq!(from.iteration, to.iteration);
            for (from, to) in from.slots.iter().flatten().zip(to.slots.iter().flatten()) {
                assert_eq!(*from as f32, *to as f32);
            }
            assert_eq!((back.seed, back.epochs_done, back.batch_size), (model.seed, 1, Some(32)));
            // The same model gives the same bytes.
            let again = temporary.path().join(format!("again-{name}"));
            formats::save(&model, &again).unwrap();
            assert_eq!(fs::read(&file).unwrap(), fs::read(again).unwrap());
        }
        let description = temporary.path().join("model.json");
        formats::save(&model, &description).unwrap();
        let Loaded { model: mut fresh, arrays, .. } = formats::load(&description).unwrap();
        assert!(arrays.is_none());
        assert_eq!(fresh.summary(Style::Keras2, None), model.summary(Style::Keras2, None));
        for name in ["model.weights.h5", "model.npz", "model.keras"] {
            fresh = formats::load(&description).unwrap().model;
            let file = temporary.path().join(name);
            formats::save(&model, &file).unwrap();
            let arrays = formats::load_weights(&mut fresh, &file).unwrap().arrays;
            fresh.verify_arrays(&arrays).unwrap();
            assert_eq!(bits(&weights(&fresh)), bits(&weights(&model)), "{} {name}", path.display());
            if let (Ok(from), Ok(to), "model.weights.h5") =
                (model.compiled(), fresh.compiled(), name)
            {
                assert_eq!(from.state().iteration, to.state().iteration);
                let numbers = |state: &OptimizerState| {
                    state.slots.concat().iter().map(|x| *x as f32).collect::<Vec<_>>()
                };
                assert_eq!(numbers(from.state()), numbers(to.state()), "{}", path.display());
            }
        }
        let error =
            formats::load(&temporary.path().join("model.weights.h5")).unwrap_err().to_string();
        assert!(error.contains("only arrays"), "{error}");
    }
}

/// In single precision a training that went through a file equals one that did not, bit for bit.
#[cfg(not(tallynet_f64))]
#[test]
fn a_training_goes_on_from_a_keras_file() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("model.keras");
    for path in parity() {
        let data = npz::load(&path.with_extension("npz")).unwrap();
        let fit = |model: &mut Sequential, epochs| {
            model
                .fit(&data.train, FitOptions { epochs, ..FitOptions::default() }, &mut [])
                .unwrap();
        };
        let load = || formats::load(&path.with_extension("keras")).unwrap().model;
        let (mut whole, mut part) = (load(), load());
        fit(&mut whole, 3);
        fit(&mut part, 1);
        formats::save(&part, &file).unwrap();
        let mut part = formats::load(&file).unwrap().model;
        fit(&mut part, 2);
        assert_eq!(bits(&weights(&part)), bits(&weights(&whole)), "{}", path.display());
    }
}

#[test]
fn reads_the_older_whole_model_file() {
    let temporary = tempfile::tempdir().unwrap();
    // Without an extension, and packed in the fixtures of HDF5.
    let file = temporary.path().join("model");
    let packed = fs::read(folder().join("../../fixtures/hdf5/keras-legacy.h5.gz")).unwrap();
    let mut bytes = vec![];
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*packed), &mut bytes).unwrap();
    fs::write(&file, bytes).unwrap();
    let Loaded { mut model, arrays, warnings, .. } = formats::load(&file).unwrap();
    assert_eq!(warnings, [""; 0]);
    let row =
        "dense           784 inputs × 10 units + 10 biases       7850       7850       7850\n";
    let verification = model.verify_arrays(&arrays.unwrap()).unwrap();
    assert!(verification.contains(row), "{verification}");
    assert!(model.compiled().is_ok());
    let kernel = model.weights().next().unwrap().1.into_owned();
    model.set_weight("dense/kernel", &(kernel.clone() * 0.0)).unwrap();
    formats::load_weights(&mut model, &file).unwrap();
    assert_eq!(model.weights().next().unwrap().1, kernel);
    let error = formats::save(&model, &temporary.path().join("model.h5")).unwrap_err().to_string();
    assert!(error.contains(".weights.h5"), "{error}");
}

fn described(config: &Value) -> tallynet::Result<Loaded> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), config.to_string()).unwrap();
    formats::load(file.path())
}

fn sequential(layers: Value) -> Value {
    json!({ "class_name": "Sequential", "config": { "name": "m", "layers": layers } })
}

#[test]
fn reads_the_dialects_of_keras_1_and_2() {
    let keras_1 = json!({ "class_name": "Sequential", "config": [
        { "class_name": "Dense", "config": {
            "name": "dense_1", "output_dim": 514, "init": "normal", "activation": "linear",
            "W_regularizer": { "l1": 1e-6, "l2": 1e-6, "name": "WeightRegularizer" },
            "b_regularizer": null, "activity_regularizer": null, "W_constraint": null,
            "b_constraint": null, "bias": true, "input_dim": 20, "trainable": true } },
        { "class_name": "Dropout", "config": {
            "p": 0.25, "name": "dropout_1", "trainable": true } },
    ]});
    let keras_2 = json!({ "class_name": "Sequential", "config": [
        { "class_name": "Dense", "config": {
            "name": "dense_1", "trainable": true, "batch_input_shape": [null, 20],
            "dtype": "float32", "units": 514, "activation": "linear", "use_bias": true,
            "kernel_initializer": { "class_name": "RandomNormal", "config": {
                "mean": 0.0, "stddev": 0.05, "seed": null } },
            "bias_initializer": { "class_name": "Zeros", "config": {} },
            "kernel_regularizer": { "class_name": "L1L2", "config": { "l1": 1e-6, "l2": 1e-6 } },
            "bias_regularizer": null, "activity_regularizer": null,
            "kernel_constraint": null, "bias_constraint": null } },
        { "class_name": "Dropout", "config": {
            "name": "dropout_1", "trainable": true, "rate": 0.25,
            "noise_shape": null, "seed": null } },
    ]});
    let [one, two] = [keras_1, keras_2].map(|config| described(&config).unwrap().model);
    assert_eq!(text(&one), text(&two));
    assert_eq!(one.count_params(), 20 * 514 + 514);
    assert!(text(&one).contains("RandomNormal") && text(&one).contains("0.25"));

    let scaling = |scale: f64, mode: &str, distribution: &str| {
        let config =
            json!({ "scale": scale, "mode": mode, "distribution": distribution, "seed": null });
        let dense = json!({ "units": 2, "input_shape": [3], "kernel_initializer": {
            "class_name": "VarianceScaling", "config": config } });
        described(&sequential(json!([{ "class_name": "Dense", "config": dense }])))
    };
    assert!(text(&scaling(1.0, "fan_avg", "uniform").unwrap().model).contains("GlorotUniform"));
    assert!(text(&scaling(2.0, "fan_in", "truncated_normal").unwrap().model).contains("HeNormal"));
    let warnings = scaling(3.0, "fan_in", "uniform").unwrap().warnings;
    assert!(warnings[0].contains("kernel_initializer = VarianceScaling"), "{warnings:?}");
}

#[test]
fn what_is_missing_here_is_named() {
    let input = json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 8] } });
    let one = |class: &str, config: Value| {
        sequential(json!([input, { "class_name": class, "config": config }]))
    };
    for (config, words) in [
        (
            one("LSTM", json!({ "name": "memory", "units": 3 })),
            vec!["layer 1, memory (LSTM)", "has no layer of this class"],
        ),
        (
            one("Dense", json!({ "name": "d", "units": 3, "activation": "rectified" })),
            vec!["layer 1, d (Dense)", "activation", "rectified"],
        ),
        (
            one("Dense", json!({ "name": "d", "units": 3, "lora_rank": 4 })),
            vec!["d (Dense)", "lora_rank = 4"],
        ),
        (
            one("Dense", json!({ "name": "d", "units": 3, "dtype": "int8" })),
            vec!["d (Dense)", "dtype = \"int8\""],
        ),
        (one("Dense", json!({ "name": "d", "units": "many" })), vec!["d (Dense)", "many"]),
        (
            one("Flatten", json!({ "name": "f", "data_format": "channels_first" })),
            vec!["f (Flatten)", "data_format"],
        ),
        (json!({ "class_name": "Functional", "config": {} }), vec!["Functional", "no list"]),
        (json!({ "class_name": "Subclassed", "config": {} }), vec!["Subclassed", "Sequential"]),
        (sequential(json!([])), vec!["shape"]),
        (sequential(json!([{ "class_name": "Dense", "config": { "units": 1 } }])), vec!["shape"]),
        (
            sequential(json!([{ "class_name": "InputLayer",
                    "config": { "batch_shape": [null, "x", 3] } }])),
            vec!["[null,\"x\",3]", "not a length"],
        ),
        (json!({}), vec!["no class_name"]),
    ] {
        let error = described(&config).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word} is not in: {error}");
        }
    }
}

#[test]
fn options_with_one_supported_value_are_dropped_or_refused() {
    let input = json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 8, 8, 1] } });
    let convolution = |key: &str, value: Value| {
        let config = json!({ "name": "c", "filters": 2, "kernel_size": 3, key: value });
        described(&sequential(json!([input, { "class_name": "Conv2D", "config": config }])))
    };
    for (key, value) in [
        ("data_format", json!("channels_last")),
        ("data_format", Value::Null),
        ("dim_ordering", json!("tf")),
        ("groups", json!(1)),
        ("seed", json!(7)),
    ] {
        convolution(key, value.clone()).unwrap_or_else(|error| panic!("{key} = {value}: {error}"));
    }
    for (key, value, problem) in [
        ("data_format", json!("channels_first"), "only \"channels_last\" is supported"),
        ("dim_ordering", json!("th"), "data_format = \"th\" is not supported"),
        ("groups", json!(2), "layer 1, c (Conv2D): the option groups = 2 is not supported"),
    ] {
        let error = convolution(key, value).unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

/// A loss that no file describes.
#[derive(Debug)]
struct OwnLoss;

impl Loss for OwnLoss {
    fn value(&self, y: &[Real], p: &[Real]) -> Real {
        p[0] - y[0]
    }

    fn gradient(&self, _: &[Real], _: &[Real], dp: &mut [Real]) {
        dp.fill(1.0);
    }
}

#[test]
fn a_class_from_outside_the_crate_is_saved_with_weights_alone() {
    let temporary = tempfile::tempdir().unwrap();
    let mut model = Sequential::builder([2]).add(Dense::new(3)).build(0).unwrap();
    model.compile(Sgd::default(), OwnLoss, &[]).unwrap();
    for name in ["model.keras", "model.safetensors", "model.json"] {
        let file = temporary.path().join(name);
        let error = formats::save(&model, &file).unwrap_err().to_string();
        assert!(error.contains("the loss OwnLoss"), "{error}");
        assert!(!file.exists());
    }
    for name in ["model.weights.h5", "model.npz"] {
        formats::save(&model, &temporary.path().join(name)).unwrap();
    }
}

#[test]
fn an_array_of_another_shape_is_named() {
    let temporary = tempfile::tempdir().unwrap();
    let build = |units| Sequential::builder([2]).add(Dense::new(units)).build(0).unwrap();
    for name in ["model.keras", "model.safetensors", "model.npz"] {
        let file = temporary.path().join(name);
        formats::save(&build(3), &file).unwrap();
        let error = formats::load_weights(&mut build(4), &file).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        let Error::Weights { array, .. } = error else { panic!("{error}") };
        assert_eq!(array, "dense_1/kernel");
    }
}

#[test]
fn how_a_model_was_compiled_is_read_in_all_spellings() {
    let compiled = |compile: Value| {
        let mut config = sequential(
            json!([{ "class_name": "Dense", "config": { "units": 3, "input_dim": 2 } }]),
        );
        config["compile_config"] = compile;
        described(&config).unwrap()
    };
    let function =
        json!({ "module": "builtins", "class_name": "function", "config": "mean_squared_error" });
    let object = json!({ "module": "keras.losses", "class_name": "MeanSquaredError", "config": {
        "name": "mean_squared_error", "reduction": "sum_over_batch_size" } });
    for loss in [
        json!("mse"),
        json!("mean_squared_error"),
        function,
        object,
        json!(["mse"]),
        json!({ "dense": "mse" }),
    ] {
        for metrics in
            [json!(["accuracy"]), json!([["accuracy"]]), json!({ "dense": ["accuracy"] })]
        {
            let loaded = compiled(json!({ "optimizer": "sgd", "loss": loss, "metrics": metrics }));
            assert_eq!(loaded.warnings, [""; 0]);
            assert_eq!(names(&loaded.model), ["accuracy"]);
            assert_eq!(loaded.model.compiled().unwrap().loss().class_name(), "MeanSquaredError");
        }
    }
    let adam = json!({ "class_name": "Adam", "config": {
        "lr": 0.5, "beta_1": 0.8, "decay": 0.0, "amsgrad": false, "clipnorm": null,
        "use_ema": false, "ema_momentum": 0.99, "weight_decay": null, "jit_compile": true } });
    let loaded = compiled(json!({ "optimizer": adam, "loss": "mae", "metrics": null }));
    let description = text(&loaded.model);
    assert!(description.contains("0.5") && description.contains("0.8"), "{description}");

    // What cannot be trained here can still be evaluated: a warning, and a model without an
    // optimizer.
    let restarts = json!({ "class_name": "CosineDecayRestarts", "config": {} });
    for (optimizer, word) in [
        (json!({ "class_name": "Ferret", "config": {} }), "Ferret"),
        (json!({ "class_name": "SGD", "config": { "use_ema": true } }), "use_ema"),
        (
            json!({ "class_name": "SGD", "config": { "learning_rate": restarts } }),
            "CosineDecayRestarts",
        ),
    ] {
        let mut loaded =
            compiled(json!({ "optimizer": optimizer, "loss": "mse", "metrics": ["mae"] }));
        assert!(
            loaded.warnings[0].contains("optimizer") && loaded.warnings[0].contains(word),
            "{}",
            loaded.warnings[0]
        );
        let (x, y) = (ArrayD::zeros(vec![4, 2]), ArrayD::ones(vec![4, 3]));
        let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
        assert_eq!(loaded.model.evaluate(&data).unwrap().metrics[0].0, "mae");
        let error =
            loaded.model.fit(&data, FitOptions::default(), &mut []).unwrap_err().to_string();
        assert!(error.contains("no optimizer"), "{error}");
    }
    // What cannot be evaluated can still be explained.
    for (compile, word) in [
        (json!({ "optimizer": "sgd", "loss": "ctc" }), "ctc"),
        (json!({ "optimizer": "sgd", "loss": null }), "loss"),
    ] {
        let loaded = compiled(compile);
        assert!(loaded.model.compiled().is_err());
        assert!(loaded.warnings[0].contains(word), "{}", loaded.warnings[0]);
    }
    let loaded =
        compiled(json!({ "optimizer": "sgd", "loss": "mse", "metrics": ["accuracy", "f1_score"] }));
    assert!(loaded.warnings[0].contains("f1_score"));
    assert_eq!(names(&loaded.model), ["accuracy"]);
}

fn names(model: &Sequential) -> Vec<&str> {
    model
        .compiled()
        .iter()
        .flat_map(|compiled| compiled.metrics())
        .map(|metric| metric.name.as_str())
        .collect()
}

#[test]
fn metrics_keep_their_options_and_names() {
    let mut config =
        sequential(json!([{ "class_name": "Dense", "config": { "units": 3, "input_dim": 3,
        "kernel_initializer": "zeros", "bias_initializer": "zeros", "activation": "softmax" } }]));
    let top_k = |config: Value| {
        let class = "SparseTopKCategoricalAccuracy";
        json!({ "module": "keras.metrics", "class_name": class, "config": config })
    };
    let loss = "sparse_categorical_crossentropy";
    config["compile_config"] = json!({ "optimizer": "sgd", "loss": loss, "metrics": [
        top_k(json!({ "name": "top2", "dtype": "float32", "k": 2 })),
        top_k(json!({ "k": 1 })),
        top_k(json!({ "k": 2 })),
        top_k(json!({ "k": 2, "from": 1 })),
        "accuracy",
    ], "weighted_metrics": ["accuracy"] });
    let loaded = described(&config).unwrap();
    let [unweighted, left_out] = &loaded.warnings[..] else { panic!("{:?}", loaded.warnings) };
    assert!(
        unweighted.contains("without weights") && left_out.contains("from = 1"),
        "{unweighted} {left_out}"
    );
    let own = ["top2", "sparse_top_k_categorical_accuracy", "sparse_top_k_categorical_accuracy_1"];
    assert_eq!(names(&loaded.model), [&own[..], &["accuracy", "accuracy_1"]].concat());

    // They come back from a file, options and all.
    let temporary = tempfile::tempdir().unwrap();
    for extension in ["keras", "safetensors"] {
        let file = temporary.path().join("model").with_extension(extension);
        formats::save(&loaded.model, &file).unwrap();
        let again = formats::load(&file).unwrap();
        assert_eq!(again.warnings, [""; 0]);
        assert_eq!(text(&again.model), text(&loaded.model));
    }
}

#[test]
fn weights_that_are_not_finite_are_loaded_with_a_warning() {
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("model.keras");
    let mut model = formats::load(&parity()[0].with_extension("keras")).unwrap().model;
    let (name, array) =
        model.weights().next().map(|(name, array)| (name, array.into_owned())).unwrap();
    model.set_weight(&name, &array.mapv(|_| tallynet::Real::NAN)).unwrap();
    for name_of_file in ["model.keras", "model.safetensors"] {
        let file = file.with_file_name(name_of_file);
        formats::save(&model, &file).unwrap();
        let warnings = formats::load(&file).unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(&name), "{warnings:?}");
    }
}
