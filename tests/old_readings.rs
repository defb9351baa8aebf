//! Files in which one option, name or shape is easily misread (`tests/fixtures/old`). Predictions and
//! scores are those of the Keras that wrote a file.

#![allow(clippy::unnecessary_cast)] // `Real` is f32 in one of two builds.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use serde_json::{Value, json};
use tallynet::Real;
use tallynet::datasets::{Dataset, Inputs, Targets, npz};
use tallynet::formats::{self, Loaded};
use tallynet::model::{Sequential, Style};
use tallynet::training::FitOptions;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn path(name: &str) -> PathBuf {
    fixtures().join("old").join(name)
}

fn load(name: &str) -> Loaded {
    formats::load(&path(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn reference(key: &str) -> Value {
    let text = fs::read(path("reference.json")).unwrap();
    let mut reference: Value = serde_json::from_slice(&text).unwrap();
    reference[key].take()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn inputs(reference: &Value) -> ArrayD<Real> {
    let shape: Vec<usize> = serde_json::from_value(reference["shape"].clone()).unwrap();
    let values = numbers(&reference["x"]).into_iter().map(|x| x as Real).collect();
    ArrayD::from_shape_vec(shape, values).unwrap()
}

/// Compares the predictions of a model with a reference.
fn assert_predicts(key: &str, model: Sequential) {
    let reference = reference(key);
    let x = inputs(&reference);
    let model = model.with_input_shape(&x.shape()[1..].to_vec().into()).unwrap();
    let found = model.predict(&Inputs::Reals(x)).unwrap();
    let wanted = numbers(&reference["y"]);
    assert_eq!(found.len(), wanted.len(), "{key}");
    for (found, wanted) in found.iter().zip(wanted) {
        let found = f64::from(*found);
        assert!((found - wanted).abs() <= 2e-6, "{key}: {found} instead of {wanted}");
    }
}

/// The same model, written to a file and read again.
fn written(model: &Sequential, name: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    formats::save(model, &path).unwrap();
    formats::load(&path).unwrap()
}

fn test_data(name: &str) -> Dataset {
    npz::load(&path(name)).unwrap().test
}

/// Words of the error with which training is refused.
fn assert_not_trained(model: &mut Sequential, data: &Dataset, words: &str) {
    let error = model.fit(data, FitOptions::default(), &mut []).unwrap_err().to_string();
    assert!(error.contains(words), "{words} is not in: {error}");
}

#[test]
fn activations_keep_their_options() {
    for name in ["relu-slope.keras", "relu-slope.h5", "activation-relu.keras", "leaky.keras"] {
        let loaded = load(name);
        assert_eq!(loaded.warnings, [""; 0]);
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        assert_predicts(name, written(&loaded.model, "m.keras").model);
        assert_predicts(name, loaded.model);
    }
    let elu = load("elu.keras").model;
    assert_eq!(elu.layers()[1].name(), format!("{}_activation", elu.layers()[0].name()));
    assert_predicts("elu.keras", elu);
    // JSON of Python knows infinity.
    assert_predicts("infinity.keras", load("infinity.keras").model);

    let described = |activation: Value| {
        let config = json!({ "units": 4, "name": "d", "activation": activation });
        let dense = json!({ "class_name": "Dense", "config": config });
        let input =
            json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 3, 3] } });
        formats::from_description(&json!([input, dense]))
    };
    let softmax =
        |axis: i64| described(json!({ "class_name": "Softmax", "config": { "axis": axis } }));
    let error = softmax(1).unwrap_err().to_string();
    assert!(error.contains("d_activation") && error.contains("axis 1"), "{error}");
    assert_eq!(softmax(2).unwrap().model.layers().len(), 2);
    assert_eq!(softmax(-1).unwrap().model.layers().len(), 1);
    let six = described(json!("relu6")).unwrap().model;
    assert!(six.description().to_string().contains("\"max_value\":6.0"));
    let plain = json!({ "class_name": "ReLU", "config": { "negative_slope": 0.0 } });
    assert_eq!(described(plain).unwrap().model.layers().len(), 1);
    let error = described(json!("relu7")).unwrap_err().to_string();
    assert!(error.contains("relu7") && !error.contains("variant"), "{error}");
}

#[test]
fn tensorflow_js_computes_as_keras_2() {
    let loaded = formats::load(&fixtures().join("tfjs/own/model.json")).unwrap();
    assert_eq!(loaded.origin.to_string(), "TensorFlow.js 4.22.0");
    assert_eq!(loaded.origin.major_version(), Some(2));
    assert_predicts("../tfjs/own/model.json", loaded.model);
    // Layers of the same names in two models.
    let loaded = formats::load(&fixtures().join("tfjs/nested/model.json")).unwrap();
    assert_predicts("../tfjs/nested/model.json", loaded.model);
}

#[test]
fn files_of_tensorflow_js_are_read_no_further_than_needed() {
    let source = fixtures().join("tfjs/own");
    let good: Value =
        serde_json::from_slice(&fs::read(source.join("model.json")).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for shard in ["group1-shard1of2.bin", "group1-shard2of2.bin"] {
        fs::copy(source.join(shard), folder.path().join(shard)).unwrap();
    }
    let read = |change: &dyn Fn(&mut Value)| {
        let mut model = good.clone();
        change(&mut model["weightsManifest"][0]);
        let path = folder.path().join("model.json");
        fs::write(&path, model.to_string()).unwrap();
        formats::load(&path)
    };
    let error = |change: &dyn Fn(&mut Value)| read(change).unwrap_err().to_string();
    read(&|_| {}).unwrap();
    let message = error(&|group| group["paths"] = json!(vec!["group1-shard1of2.bin"; 2000]));
    assert!(message.contains("twice"), "{message}");
    let spellings = json!(["group1-shard1of2.bin", "./group1-shard1of2.bin"]);
    error(&|group| group["paths"] = spellings.clone());
    fs::create_dir(folder.path().join("d")).unwrap();
    fs::write(folder.path().join("d/w.bin"), [0; 4]).unwrap();
    let message = error(&|group| group["paths"] = json!(["d/w.bin", "d//w.bin"]));
    assert!(message.contains("twice"), "{message}");
    let message = error(&|group| {
        group["weights"].as_array_mut().unwrap().pop();
    });
    assert!(message.contains("dense_1/bias") && message.contains("manifest"), "{message}");
    let message = error(&|group| group["weights"][0]["shape"] = json!([0]));
    assert!(message.contains("dense_Dense1/kernel"), "{message}");
    let message = error(&|group| group["weights"][0]["shape"] = json!([1u64 << 40, 1u64 << 40]));
    assert!(message.contains("end before it"), "{message}");
    // A sparse file of 1 TB, of which a few bytes are needed.
    let giant =
        fs::OpenOptions::new().append(true).open(folder.path().join("group1-shard2of2.bin"));
    giant.unwrap().set_len(1 << 40).unwrap();
    read(&|_| {}).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/dev/zero", folder.path().join("zero.bin")).unwrap();
        let message = error(&|group| group["paths"] = json!(["zero.bin"]));
        assert!(message.contains("not a regular file"), "{message}");
    }
    let message = formats::load(folder.path()).unwrap_err().to_string();
    assert!(message.contains("this is a folder") && message.contains("model.json"), "{message}");
}

#[test]
fn old_layers_that_computed_otherwise_come_with_a_warning() {
    for (name, words) in [
        ("bilinear.h5", "interpolation='bilinear'"),
        ("theano-pool.h5", "padding='same'"),
        ("theano-conv1d.h5", "padding='same'"),
    ] {
        let warnings = load(name).warnings;
        let is_named = warnings.len() == 1 && warnings[0].contains(words);
        assert!(is_named && warnings[0].contains("predictions differ"), "{name}: {warnings:?}");
    }
    let up = json!({ "class_name": "UpSampling2D", "config": {
        "interpolation": "bilinear", "batch_input_shape": [null, 4, 4, 1] } });
    for (version, is_other) in [("2.2.4", true), ("2.3.0", false), ("2.15.0", false)] {
        let mut description = json!({ "class_name": "Sequential", "config": { "layers": [up] } });
        description["keras_version"] = json!(version);
        let warnings = formats::from_description(&description).unwrap().warnings;
        assert_eq!(!warnings.is_empty(), is_other, "{version}: {warnings:?}");
    }
}

#[test]
fn accuracy_of_a_binary_crossentropy_is_that_of_its_version() {
    let wanted = reference("evaluate")["binary-accuracy"]["accuracy"].as_f64().unwrap();
    let loaded = load("binary-accuracy.h5");
    let data = test_data("binary-accuracy.npz");
    let scores = loaded.model.evaluate(&data).unwrap();
    let (name, value) = &scores.metrics[0];
    assert!(["acc", "accuracy"].contains(&name.as_str()));
    assert!((value - wanted).abs() < 1e-6, "{value}");
    // TensorFlow decided by shapes from its Keras 2.3 on.
    let by_shape = |version: &str| {
        let dense = json!({ "class_name": "Dense", "config": { "units": 3, "input_shape": [4] } });
        let description = json!({ "class_name": "Sequential", "config": { "layers": [dense] },
            "keras_version": version, "compile_config": { "optimizer": "sgd",
            "loss": "binary_crossentropy", "metrics": ["accuracy"] } });
        let model = formats::from_description(&description).unwrap().model;
        model.compiled().unwrap().metrics()[0].class.is_none()
    };
    for version in ["1.2.2", "2.2.4", "2.2.4-tf", "2.3.1", "tfjs-layers 4.22.0"] {
        assert!(!by_shape(version), "{version}");
    }
    for version in ["2.3.0-tf", "2.4.3", "2.15.0", "3.15.1"] {
        assert!(by_shape(version), "{version}");
    }
}

#[test]
fn a_model_that_is_called_with_training_hands_it_to_its_layers() {
    let Loaded { mut model, warnings, .. } = load("frozen-call.keras");
    assert!(warnings[0].contains("called with training = false"), "{warnings:?}");
    let data = Dataset {
        x: Inputs::Reals(ArrayD::zeros(vec![4, 3])),
        y: Targets::Reals(ArrayD::zeros(vec![4, 2])),
    };
    assert_not_trained(&mut model, &data, "called with training = false");
    assert_predicts("frozen-call.keras", model);

    let graph = |keras_version: &str, training: bool| {
        let call = |name: &str, arguments: Value| json!([[[name, 0, 0, arguments]]]);
        let noise = json!({ "class_name": "Dropout", "config": { "name": "noise", "rate": 0.5 } });
        let base = json!({ "class_name": "Sequential", "name": "base",
            "config": { "name": "base", "layers": [noise] },
            "inbound_nodes": call("in", json!({ "training": training })) });
        let input = json!({ "class_name": "InputLayer", "name": "in", "inbound_nodes": [],
            "config": { "name": "in", "batch_input_shape": [null, 3] } });
        formats::from_description(&json!({ "class_name": "Functional",
            "keras_version": keras_version,
            "config": { "name": "m", "layers": [input, base], "input_layers": [["in", 0, 0]],
                "output_layers": [["base", 0, 0]] } }))
    };
    assert!(graph("2.15.0", true).unwrap_err().to_string().contains("training=True"));
    assert_eq!(graph("2.15.0", false).unwrap().model.training_obstacles.len(), 1);
    // Keras 3 overrides the argument in fit and in predict.
    for training in [true, false] {
        assert!(graph("3.15.1", training).unwrap().model.training_obstacles.is_empty());
    }
    let called = load("dropout-called.keras");
    assert_eq!(called.warnings, [""; 0]);
    assert_predicts("dropout-called.keras", called.model);
}

#[test]
fn an_archive_without_optimizer_state_says_so() {
    let warnings = load("legacy-sgd.keras").warnings;
    assert!(warnings.iter().any(|text| text.contains("no optimizer state")), "{warnings:?}");
    let again = written(&load("legacy-sgd.keras").model, "m.keras").warnings;
    assert_eq!(again, [""; 0]);
}

#[test]
fn one_mean_of_all_values_is_written_as_a_number() {
    let model = load("normalization.keras").model;
    let text = model.description().to_string();
    assert!(text.contains("\"mean\":1.5") && text.contains("\"axis\":[]"), "{text}");
    assert_predicts("normalization.keras", written(&model, "m.keras").model);
}

#[test]
fn what_matters_only_in_training_is_kept_in_the_files_that_are_written() {
    for (name, kept) in [
        ("penalties.keras", "\"activity_regularizer\":{\"class_name\":\"L1\""),
        ("noise.keras", "\"class_name\":\"GaussianDropout\",\"config\":{"),
        ("noise-shape.keras", "\"noise_shape\":[null,1,4]"),
        ("dropout-of-words.h5", "\"class_name\":\"Embedding\""),
    ] {
        let mut loaded = load(name);
        assert_predicts(name, loaded.model.clone());
        for extension in ["m.keras", "m.safetensors", "m.json"] {
            let again = written(&loaded.model, extension).model;
            let text = again.description().to_string();
            assert!(text.contains(kept), "{name}, {extension}: {text}");
            let is_known = extension != "m.json" || name != "dropout-of-words.h5";
            assert_eq!(!again.training_obstacles.is_empty(), is_known, "{name}, {extension}");
        }
        let x = inputs(&reference(name));
        let n_outputs = loaded.model.output_shape().dims().to_vec();
        let y = ArrayD::zeros([&[x.shape()[0]], &n_outputs[..]].concat());
        let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
        loaded.model.compile("sgd", "mse", &[]).unwrap();
        assert_not_trained(&mut loaded.model, &data, "training would ignore");
    }
    // Constraints of Keras 2 in the form that Keras 3 reads; others are left out.
    let constrained = |constraint: Value| {
        let config = json!({ "units": 2, "input_shape": [4], "name": "d",
            "kernel_constraint": constraint });
        let dense = json!({ "class_name": "Dense", "config": config });
        let model = formats::from_description(&json!([dense])).unwrap().model;
        assert_eq!(model.training_obstacles.len(), 1);
        model.description()["config"]["layers"][1]["config"]["kernel_constraint"].clone()
    };
    let norm = json!({ "class_name": "MaxNorm", "config": { "max_value": 2, "axis": 0 } });
    let kept = constrained(norm);
    assert_eq!(kept["module"], "keras.constraints");
    assert_eq!(kept["config"]["max_value"], 2);
    let foreign = json!({ "class_name": "MaxNorm", "config": {}, "module": "mine" });
    assert!(constrained(foreign).is_null());
    assert!(constrained(json!({ "name": "MaxNorm", "m": 2 })).is_null());
}

#[test]
fn weights_and_sums_of_a_loss_leave_the_rest_of_the_compile_configuration() {
    let Loaded { mut model, warnings, .. } = load("reduction-sum.keras");
    assert!(warnings[0].contains("reduction = sum"), "{warnings:?}");
    let data = test_data("reduction-sum.npz");
    let wanted = reference("evaluate")["reduction-sum"]["mse"].as_f64().unwrap();
    let scores = model.evaluate(&data).unwrap();
    assert_eq!(scores.metrics[0].0, "mse");
    assert!((scores.metrics[0].1 - wanted).abs() < 1e-6);
    assert_eq!(model.compiled().unwrap().optimizer().unwrap().class_name(), "SGD");
    assert_not_trained(&mut model, &data, "reduction = sum");
    let again = written(&model, "m.keras").model;
    assert!(again.description()["compile_config"]["loss"]["config"]["reduction"] == "sum");
    assert_eq!(again.training_obstacles, model.training_obstacles);

    let dense = json!({ "class_name": "Dense", "config": { "units": 3, "input_shape": [4] } });
    let mut description = json!({ "class_name": "Sequential", "config": { "layers": [dense] },
        "compile_config": { "optimizer": "adam", "loss": "mse", "metrics": ["mae"] } });
    for weights in [json!(0.5), json!([0.5]), json!({ "out": 0.5 })] {
        description["compile_config"]["loss_weights"] = weights;
        let loaded = formats::from_description(&description).unwrap();
        assert!(loaded.warnings[0].contains("loss_weights = 0.5"), "{:?}", loaded.warnings);
        let model = loaded.model;
        assert_eq!(model.compiled().unwrap().metrics()[0].name, "mae");
        let written = model.description();
        assert_eq!(written["compile_config"]["loss_weights"], json!([0.5]));
    }
}

#[test]
fn samples_of_any_length_are_taken() {
    let loaded = load("tutorial.keras");
    assert_eq!(loaded.warnings, [""; 0]);
    let model = loaded.model;
    assert_eq!(model.count_params(), 409);
    model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
    for style in [Style::Keras1, Style::Keras3] {
        assert!(model.summary(style, None).contains("(None, None, 8)"));
        assert!(model.explain(style).contains("(None, None) -> (None, None, 8)"));
        assert!(model.nodes(style).contains("(None, None, 8) -> global"));
    }
    for key in ["tutorial-5", "tutorial-9"] {
        assert_predicts(key, model.clone());
    }
    // Trained on one length, it takes others afterwards.
    let steps = model.compiled().unwrap().state().iteration + 1;
    let mut model = model.with_input_shape(&[9].into()).unwrap();
    assert_eq!(model.layers()[0].output.dims(), [9, 8]);
    let x = inputs(&reference("tutorial-9"));
    let y = ArrayD::from_elem(vec![2, 1], 1.0);
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
    model.fit(&data, FitOptions::default(), &mut []).unwrap();
    let again = written(&model, "m.keras").model;
    // A .keras file holds 32 bits of a number.
    if cfg!(not(tallynet_f64)) {
        assert_eq!(again.fingerprint(), model.fingerprint());
    }
    assert_eq!(again.open_axes(), [0]);
    assert_eq!(again.compiled().unwrap().state().iteration, steps);
    let shorter = again.with_input_shape(&[5].into()).unwrap();
    assert_eq!(shorter.compiled().unwrap().state().iteration, steps);
    for shape in [vec![5, 2], vec![]] {
        assert!(shorter.clone().with_input_shape(&shape.into()).is_err());
    }
    assert_predicts("any-size.keras", load("any-size.keras").model);
    assert_eq!(load("any-size.keras").model.open_axes(), [0, 1]);
    // Keras could not have built this.
    let layers = json!([
        { "class_name": "InputLayer", "config": { "batch_shape": [null, null, 2] } },
        { "class_name": "Flatten", "config": {} },
        { "class_name": "Dense", "config": { "units": 3 } },
    ]);
    let error = formats::from_description(&layers).unwrap_err().to_string();
    assert!(error.contains("(None, None, 2)") && error.contains("depends"), "{error}");
}

#[test]
fn a_mask_that_ends_before_it_is_used_has_no_effect() {
    let loaded = load("mask.keras");
    assert_eq!(loaded.warnings, [""; 0]);
    assert_predicts("mask.keras", loaded.model);
    let after = |classes: &[&str]| {
        let words = json!({ "class_name": "Embedding", "config": { "input_dim": 5,
            "output_dim": 4, "mask_zero": true, "batch_input_shape": [null, 6] } });
        let mut layers = vec![words];
        for class in classes {
            layers.push(json!({ "class_name": class, "config": {} }));
        }
        formats::from_description(&json!(layers))
    };
    after(&["Dropout", "Flatten", "BatchNormalization"]).unwrap();
    for classes in [
        vec!["GlobalAveragePooling1D"],
        vec!["Dropout", "Softmax", "Flatten"],
        vec!["Dropout"],
        vec!["SpatialDropout2D", "BatchNormalization"],
    ] {
        let error = after(&classes).unwrap_err().to_string();
        assert!(error.contains("mask_zero"), "{error}");
    }
}

#[test]
fn the_comparison_that_makes_a_mask_is_no_branch() {
    let tensor = |name: &str| {
        json!({ "class_name": "__keras_tensor__", "config": {
            "shape": [null, 6], "dtype": "float32", "keras_history": [name, 0, 0] } })
    };
    let node = |class: &str, name: &str, config: Value, input: &str, arguments: Value| {
        json!({ "class_name": class, "name": name, "config": config,
            "inbound_nodes": [{ "args": [tensor(input)], "kwargs": arguments }] })
    };
    let words = json!({ "name": "words", "input_dim": 5, "output_dim": 4, "mask_zero": true });
    let mut layers = json!([
        { "class_name": "InputLayer", "name": "in", "inbound_nodes": [],
          "config": { "name": "in", "batch_shape": [null, 6] } },
        node("Embedding", "words", words, "in", json!({})),
        node("NotEqual", "not_equal", json!({ "name": "not_equal" }), "in", json!({})),
        node("GlobalAveragePooling1D", "mean", json!({ "name": "mean" }), "words",
            json!({ "mask": tensor("not_equal") })),
    ]);
    let graph = |layers: &Value| {
        let error = formats::from_description(&json!({ "class_name": "Functional", "config": {
            "layers": layers, "input_layers": [["in", 0, 0]],
            "output_layers": [["mean", 0, 0]] } }));
        error.unwrap_err().to_string()
    };
    let error = graph(&layers);
    assert!(error.contains("mask_zero") && !error.contains("not_equal"), "{error}");
    // One that the user wrote is.
    layers[1]["config"]["mask_zero"] = json!(false);
    let error = graph(&layers);
    assert!(error.contains("branches after in"), "{error}");
}

#[test]
fn names_with_slashes_and_names_in_several_models_are_read() {
    for name in ["slash.keras", "slash.h5"] {
        let loaded = load(name);
        assert!(loaded.warnings[0].contains("is called block1_fc here"), "{:?}", loaded.warnings);
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        assert_predicts(name, written(&loaded.model, "m.keras").model);
    }
    for name in ["blocks.keras", "blocks.h5"] {
        let loaded = load(name);
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        assert_predicts(name, loaded.model);
    }
}

#[test]
fn a_model_has_ten_thousand_layers_with_those_within() {
    let layer =
        |i: usize| json!({ "class_name": "Dropout", "config": { "name": format!("d{i}") } });
    let inner = |name: usize| {
        let layers: Vec<Value> = (0..1000).map(layer).collect();
        json!({ "class_name": "Sequential",
            "config": { "name": format!("m{name}"), "layers": layers } })
    };
    let model = |n: usize| {
        let mut layers =
            vec![json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 4] } })];
        layers.extend((0..n).map(inner));
        formats::from_description(&json!({ "class_name": "Sequential",
            "config": { "name": "all", "layers": layers } }))
    };
    assert_eq!(model(3).unwrap().model.layers().len(), 3000);
    let error = model(20).unwrap_err().to_string();
    assert!(error.contains("more than 10000 layers"), "{error}");
}
