//! Descriptions of all major versions of Keras. Predictions and scores are those of the Keras that
//! wrote a file (`tests/fixtures/field`), or of Keras 3.15.1.

#![allow(clippy::unnecessary_cast)] // `Real` is f32 in one of two builds.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use serde_json::{Value, json};
use tallynet::datasets::{Dataset, Inputs, Targets, npz};
use tallynet::formats::{self, Loaded};
use tallynet::model::Sequential;
use tallynet::optimizers::{LearningRate, Schedule};
use tallynet::training::FitOptions;
use tallynet::{Real, Result};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn field(name: &str) -> PathBuf {
    fixtures().join("field").join(name)
}

fn load(name: &str) -> Loaded {
    formats::load(&field(name)).unwrap_or_else(|error| panic!("{error}"))
}

fn error(path: &Path) -> String {
    formats::load(path).unwrap_err().to_string()
}

/// The description of a model, without the version that a file states.
fn described(description: &Value) -> Result<Loaded> {
    formats::decode(description.to_string().as_bytes())
}

fn text(model: &Sequential) -> String {
    model.description().to_string()
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The array of an `.npy` file of float32.
fn array(name: &str) -> Inputs {
    let array: ArrayD<f32> = ndarray_npy::read_npy(field(name)).unwrap();
    Inputs::Reals(array.mapv(|x| x as Real))
}

/// Eight numbers from 0 to 1, as two samples of four.
fn eighths() -> Inputs {
    let values = (0..8).map(|i| i as Real / 7.0).collect();
    Inputs::Reals(ArrayD::from_shape_vec(vec![2, 4], values).unwrap())
}

fn assert_close(what: &str, found: &[f64], wanted: &[f64], limit: f64) {
    assert_eq!(found.len(), wanted.len(), "{what}: {found:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() <= limit, "{what}: {found} instead of {wanted}");
    }
}

/// Compares the first predictions with those in a reference.
fn assert_predicts(what: &str, model: &Sequential, x: &Inputs, wanted: &[f64]) {
    let found: Vec<f64> = model.predict(x).unwrap().iter().map(|&y| f64::from(y)).collect();
    assert_close(what, &found[..wanted.len()], wanted, 2e-6);
}

/// Flips the convolution kernels in both axes. These files of Keras 1 were written on Theano, which
/// stores them so; Keras 1 does not say on which backend it wrote a file.
fn flip_kernels(model: &mut Sequential) {
    let kernels: Vec<_> = model
        .weights()
        .filter(|(_, array)| array.ndim() == 4)
        .map(|(name, array)| (name, array.into_owned()))
        .collect();
    for (name, mut kernel) in kernels {
        kernel.invert_axis(ndarray::Axis(0));
        kernel.invert_axis(ndarray::Axis(1));
        model.set_weight(&name, &kernel).unwrap();
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// A Sequential for vectors of four values, with these layers.
fn sequential(layers: Value) -> Value {
    let input = json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 4] } });
    let mut all = vec![input];
    all.extend(layers.as_array().unwrap().clone());
    json!({ "class_name": "Sequential", "config": { "name": "m", "layers": all } })
}

fn dense(name: &str, more: Value) -> Value {
    let mut layer = json!({ "class_name": "Dense", "config": { "name": name, "units": 2 } });
    layer["config"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    layer
}

fn random_data(model: &Sequential) -> Dataset {
    let values = |shape: &[usize]| {
        let shape = [&[6], shape].concat();
        let n: usize = shape.iter().product();
        let values = (0..n).map(|i| (i * 37 % 100) as Real / 100.0).collect();
        ArrayD::from_shape_vec(shape, values).unwrap()
    };
    let (x, y) = (values(model.input_shape().dims()), values(model.output_shape().dims()));
    Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) }
}

#[test]
fn json_is_read_in_all_encodings_and_wrappers() {
    let folder = "01-json-in-other-clothes";
    let plain = load(&format!("{folder}/plain.json"));
    for name in ["bom", "newline", "twice", "utf16", "config-only"] {
        let other = load(&format!("{folder}/{name}.json"));
        assert_eq!(text(&other.model), text(&plain.model), "{name}");
        assert_eq!(other.warnings, plain.warnings, "{name}");
    }
    assert!(error(&field(&format!("{folder}/repr.json"))).contains("as Python prints it"));

    let value = json_file(&field(&format!("{folder}/plain.json")));
    let written = value.to_string();
    let little: Vec<u8> = written.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = written.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let with_mark = [&[0xfe, 0xff], big.as_slice()].concat();
    let thrice = json!(json!(written).to_string()).to_string();
    let layers = value["config"]["layers"].to_string();
    for bytes in [little, big, with_mark, thrice.into_bytes(), layers.into_bytes()] {
        let other = formats::decode(&bytes).unwrap().model;
        assert_eq!(other.count_params(), plain.model.count_params());
    }
    // A character of two units of UTF-16, at any place of the beginning.
    for n_blanks in 20..50 {
        let text = format!("{{{}\"😀\": 0, {}", " ".repeat(n_blanks), &written[1..]);
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(formats::decode(&[&[0xff, 0xfe], &little[..]].concat()).is_ok(), "{n_blanks}");
    }
}

#[test]
fn a_file_that_is_something_else_is_named() {
    let folder = "02-pointer-or-page";
    for (name, words) in [
        ("lfs.h5", "pointer of Git LFS"),
        ("lfs.keras", "git lfs pull"),
        ("page.keras", "web page"),
        ("gz.keras.gz", "compressed with gzip"),
        ("tar.keras.tar", "tar archive"),
        ("savedmodel", "folder of TensorFlow's SavedModel"),
        ("savedmodel/saved_model.pb", "saved_model.pb"),
    ] {
        let message = error(&field(folder).join(name));
        assert!(message.contains(words) && message.contains(name), "{message}");
    }
    let mut model = load(&format!("{folder}/sound.keras")).model;
    for name in ["lfs.weights.h5", "page.h5", "lfs.npz"] {
        let message =
            formats::load_weights(&mut model, &field(folder).join(name)).unwrap_err().to_string();
        assert!(message.contains("Git LFS") || message.contains("web page"), "{message}");
    }
    let rezipped = load(&format!("{folder}/rezipped.keras"));
    assert_eq!(rezipped.model.fingerprint(), model.fingerprint());
    assert_eq!(rezipped.warnings, [""; 0]);
}

#[test]
fn a_file_says_where_it_comes_from() {
    for (name, origin) in [
        ("28-theano-kernels/theano-valid.h5", "Keras 2.2.4 on Theano"),
        ("24-keras-1-padding/k122-plain.h5", "Keras 1.2.2"),
        ("23-scalars-as-arrays/tf112-relu.h5", "Keras 2.1.6-tf on TensorFlow"),
        ("23-scalars-as-arrays/relu.json", "Keras 2.1.6-tf on TensorFlow"),
        ("22-sequential-in-sequential/nested.keras", "Keras 3.15.1"),
    ] {
        assert_eq!(load(name).origin.to_string(), origin);
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.keras", "model.safetensors"] {
        let path = folder.path().join(name);
        formats::save(&load("20-options-of-training/constraint.keras").model, &path).unwrap();
        assert_eq!(formats::load(&path).unwrap().origin, formats::Origin::default());
    }
}

#[test]
fn hard_sigmoid_means_what_it_meant_to_the_writer() {
    let folder = "26-keras-2-whole-models";
    let x = array(&format!("{folder}/x.npy"));
    for (file, reference) in [
        ("tf211-act-hard_sigmoid.h5", "tf211-reference.json"),
        ("tf215-act-hard_sigmoid.keras", "tf215-reference.json"),
    ] {
        let loaded = load(&format!("{folder}/{file}"));
        let references = json_file(&field(folder).join(reference));
        let wanted = &references[file.split('.').next().unwrap()];
        assert_predicts(file, &loaded.model, &x, &numbers(&wanted["predict"]));
        let data = npz::load(&field(folder).join("onehot.npz")).unwrap();
        let loss = loaded.model.evaluate(&data.test).unwrap().loss;
        assert_close(file, &[loss], &[wanted["evaluate"]["loss"].as_f64().unwrap()], 2e-6);
        assert!(loaded.warnings[0].contains("dense_8: hard_sigmoid"), "{:?}", loaded.warnings);

        // A file that is written from it computes the same in Keras 3: it has no hard_sigmoid.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.keras");
        formats::save(&loaded.model, &path).unwrap();
        let again = formats::load(&path).unwrap();
        assert!(!text(&again.model).contains("hard_sigmoid"));
        assert_eq!(again.warnings, [""; 0]);
        assert_eq!(again.model.predict(&x).unwrap(), loaded.model.predict(&x).unwrap());
    }
    let mut model = load("24-keras-1-padding/k122-hard.h5").model;
    flip_kernels(&mut model);
    let references = json_file(&field("24-keras-1-padding/k122b-reference.json"));
    let x = array("24-keras-1-padding/k122-x.npy");
    assert_predicts("Keras 1", &model, &x, &numbers(&references["hard"]));
}

#[test]
fn hard_sigmoid_without_a_version_is_assumed_with_a_warning() {
    let layers = json!([
        dense("d", json!({ "activation": "hard_sigmoid" })),
        { "class_name": "Activation", "config": { "name": "a", "activation": "hard_sigmoid" } },
    ]);
    let mut description = sequential(layers);
    let classes = |description: &Value| {
        let loaded = described(description).unwrap();
        let layers = loaded.model.layers();
        let classes: Vec<_> = layers.iter().map(|layer| layer.spec.class_name()).collect();
        (classes.join(" "), loaded.warnings.join("\n"))
    };
    let split = "Dense Rescaling ReLU Rescaling ReLU";
    let (found, warnings) = classes(&description);
    assert_eq!(found, split);
    assert!(warnings.contains("d, a: hard_sigmoid") && warnings.contains("Keras 2 is assumed"));
    // Only Keras 3 writes modules without a version.
    description["module"] = json!("keras");
    let (found, warnings) = classes(&description);
    assert_eq!(found, "Dense Activation");
    assert!(warnings.contains("Keras 3 is assumed"), "{warnings}");
    // A stated version decides, whatever the form.
    description["keras_version"] = json!("2.12.0");
    let (found, warnings) = classes(&description);
    assert_eq!(found, split);
    assert!(!warnings.contains("assumed"), "{warnings}");
    description["keras_version"] = json!("3.4.1");
    assert_eq!(classes(&description), ("Dense Activation".to_string(), String::new()));
}

#[test]
fn options_that_matter_only_in_training_are_refused_by_training_alone() {
    let folder = tempfile::tempdir().unwrap();
    for (file, words) in [
        ("constraint", "dense_39 (Dense): kernel_constraint = MaxNorm"),
        ("nonneg", "kernel_constraint = NonNeg"),
        ("ortho", "kernel_regularizer = OrthogonalRegularizer"),
        ("activityreg", "activity_regularizer = L2"),
    ] {
        let loaded = load(&format!("20-options-of-training/{file}.keras"));
        assert!(loaded.warnings.len() == 1 && loaded.warnings[0].contains(words));
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        // The refusal outlives a conversion.
        for name in ["model.keras", "model.safetensors"] {
            let path = folder.path().join(name);
            formats::save(&loaded.model, &path).unwrap();
            let mut model = formats::load(&path).unwrap().model;
            let data = random_data(&model);
            model.evaluate(&data).unwrap();
            let none = FitOptions { epochs: 0, ..FitOptions::default() };
            model.fit(&data, none, &mut []).unwrap();
            let message = model.fit(&data, FitOptions::default(), &mut []).unwrap_err().to_string();
            assert!(message.contains(words), "{message}");
            assert!(model.train_on_batch(&data).is_err());
        }
    }
    let model = load("20-options-of-training/constraint.keras").model;
    let wanted = [0.20778986811637878, 0.8358666300773621];
    assert_predicts("constraint", &model, &eighths(), &wanted);
    // An initializer has done its work if the file has weights.
    for file in ["identity", "scaling"] {
        let Loaded { mut model, warnings, .. } =
            load(&format!("20-options-of-training/{file}.keras"));
        assert!(warnings[0].contains("kernel_initializer"), "{warnings:?}");
        let data = random_data(&model);
        model.fit(&data, FitOptions::default(), &mut []).unwrap();
    }
}

#[test]
fn training_names_all_that_it_refuses_at_once() {
    let foreign =
        json!({ "class_name": "Mine", "module": "my.code", "registered_name": "my>Mine" });
    let mut description = sequential(json!([
        dense(
            "one",
            json!({ "W_constraint": { "name": "MaxNorm", "m": 2 }, "W_regularizer": foreign })
        ),
        dense("two", json!({ "bias_initializer": foreign, "activity_regularizer": "l1" })),
    ]));
    description["compile_config"] = json!({ "optimizer": "sgd", "loss": "mse" });
    let Loaded { mut model, .. } = described(&description).unwrap();
    let data = random_data(&model);
    let message = model.fit(&data, FitOptions::default(), &mut []).unwrap_err().to_string();
    for words in [
        "layer 1, one (Dense): kernel_constraint",
        "layer 1, one (Dense): kernel_regularizer = Mine",
        "layer 2, two (Dense): activity_regularizer",
        // Without weights in the file, they would be drawn otherwise than in Keras.
        "layer 2, two (Dense): bias_initializer = Mine",
    ] {
        assert!(message.contains(words), "{words} is not in: {message}");
    }
}

#[test]
fn models_within_models_are_read_as_one_chain() {
    let folder = "22-sequential-in-sequential";
    for (file, wanted) in [("functional", [0.0, 0.0]), ("nested", [0.0, -0.028659000992774963])] {
        let loaded = load(&format!("{folder}/{file}.keras"));
        assert_eq!(loaded.warnings, [""; 0]);
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        assert_predicts(file, &loaded.model, &eighths(), &wanted);
    }
    // Trained, with two layers of the same name, and one that has non-trainable arrays within.
    let path = fixtures().join("nested/two.keras");
    let loaded = formats::load(&path).unwrap();
    let wanted = [3.1437294483184814, 4.277096748352051];
    assert_predicts("two", &loaded.model, &eighths(), &wanted);
    assert_eq!(loaded.model.compiled().unwrap().state().iteration, 2);
    let legacy = formats::load(&path.with_extension("h5")).unwrap();
    assert_eq!(legacy.model.fingerprint(), loaded.model.fingerprint());
    let names: Vec<_> = loaded.model.layers().iter().map(|layer| layer.name()).collect();
    assert_eq!(names, ["same", "norm", "out", "same_same"]);
}

#[test]
fn a_frozen_model_within_a_model_stays_frozen() {
    let inner = json!({ "class_name": "Sequential", "config": {
        "name": "inner", "trainable": false, "layers": [dense("a", json!({}))] } });
    let model = described(&sequential(json!([inner, dense("b", json!({}))]))).unwrap().model;
    assert!(!model.layer("a").unwrap().trainable && model.layer("b").unwrap().trainable);
}

/// A graph of Keras 2: each layer with the names of those whose outputs it takes.
fn graph(layers: &[(&str, &str, &[&str])], outputs: &[&str]) -> Value {
    let mut all = vec![];
    for (name, class, inputs) in layers {
        let mut layer = dense(name, json!({}));
        layer["class_name"] = json!(class);
        layer["name"] = json!(name);
        if *class == "InputLayer" {
            layer["config"] = json!({ "name": name, "batch_input_shape": [null, 4] });
        } else if *class != "Dense" {
            layer["config"] = json!({ "name": name });
        }
        let tensors: Vec<Value> = inputs.iter().map(|input| json!([input, 0, 0, {}])).collect();
        layer["inbound_nodes"] = if inputs.is_empty() { json!([]) } else { json!([tensors]) };
        all.push(layer);
    }
    let tensors =
        |names: &[&str]| -> Vec<Value> { names.iter().map(|name| json!([name, 0, 0])).collect() };
    json!({ "class_name": "Model", "config": { "name": "m", "layers": all,
        "input_layers": tensors(&["in"]), "output_layers": tensors(outputs) } })
}

#[test]
fn a_graph_is_read_if_it_is_a_chain_and_refused_at_its_first_branch() {
    let chain = graph(
        &[("in", "InputLayer", &[]), ("last", "Dense", &["first"]), ("first", "Dense", &["in"])],
        &["last"],
    );
    let model = described(&chain).unwrap().model;
    let names: Vec<_> = model.layers().iter().map(|layer| layer.name()).collect();
    assert_eq!(names, ["first", "last"]);

    let input: (&str, &str, &[&str]) = ("in", "InputLayer", &[]);
    let a: (&str, &str, &[&str]) = ("a", "Dense", &["in"]);
    for (layers, outputs, words) in [
        (
            vec![input, a, ("b", "Dense", &["a"][..]), ("sum", "Add", &["a", "b"][..])],
            vec!["sum"],
            "branches after a: b and sum both take its output",
        ),
        (
            vec![input, a, ("sum", "Add", &["a", "a"][..])],
            vec!["sum"],
            "2 branches merge in sum (Add)",
        ),
        (vec![input, a, ("b", "Dense", &["a"][..])], vec!["a", "b"], "2 output layers"),
        (vec![input, a, ("b", "Dense", &["a"][..])], vec!["a"], "the output is not that of b"),
    ] {
        let message = described(&graph(&layers, &outputs)).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    }
    // A layer that is used twice, and a loop.
    let mut shared = chain.clone();
    shared["config"]["layers"][2]["inbound_nodes"] =
        json!([[["in", 0, 0, {}]], [["last", 0, 0, {}]]]);
    let message = described(&shared).unwrap_err().to_string();
    assert!(message.contains("used twice"), "{message}");
    let mut around = chain.clone();
    around["config"]["layers"][0]["inbound_nodes"] = json!([[["last", 0, 0, {}]]]);
    assert!(described(&around).unwrap_err().to_string().contains("its own output"));
    // Dropout that stays on changes what is predicted.
    let mut noisy = graph(&[input, ("d", "Dropout", &["in"])], &["d"]);
    noisy["config"]["layers"][1]["config"]["rate"] = json!(0.5);
    described(&noisy).unwrap();
    noisy["config"]["layers"][1]["inbound_nodes"] = json!([[["in", 0, 0, { "training": true }]]]);
    assert!(described(&noisy).unwrap_err().to_string().contains("training=True"));
}

#[test]
fn scalars_are_read_from_arrays_and_lists_of_one() {
    let folder = "23-scalars-as-arrays";
    for (file, option) in [
        ("relu", "\"max_value\":6.0"),
        ("relu-list", "\"max_value\":6.0"),
        ("leaky", "\"negative_slope\":0.30000001192092896"),
        ("elu", "\"alpha\":1.0"),
    ] {
        let description = text(&load(&format!("{folder}/{file}.json")).model);
        assert!(description.contains(option), "{description}");
    }
    let x = array(&format!("{folder}/tf112-x.npy"));
    let references = json_file(&field(folder).join("tf112-reference.json"));
    for name in ["relu", "conv"] {
        let model = load(&format!("{folder}/tf112-{name}.h5")).model;
        assert_predicts(name, &model, &x, &numbers(&references[name]));
    }
    // Anywhere: in an optimizer, in an initializer, and as Keras 3 writes arrays.
    let array = json!({ "type": "ndarray", "value": [0.5] });
    let numpy =
        json!({ "class_name": "__numpy__", "config": { "value": 0.25, "dtype": "float32" } });
    let constant = json!({ "class_name": "Constant", "config": { "value": numpy } });
    let mut description = sequential(json!([dense(
        "d",
        json!({ "bias_initializer": constant, "units": { "type": "ndarray", "value": 3 } })
    )]));
    let sgd = json!({ "class_name": "SGD", "config": { "lr": array, "momentum": [0.75] } });
    description["compile_config"] = json!({ "optimizer": sgd, "loss": "mse" });
    let Loaded { model, warnings, .. } = described(&description).unwrap();
    assert_eq!(warnings, [""; 0]);
    for option in ["\"learning_rate\":0.5", "\"momentum\":0.75", "\"value\":0.25", "\"units\":3"] {
        assert!(text(&model).contains(option), "{}", text(&model));
    }
}

#[test]
fn zero_padding_is_read_in_all_forms() {
    let folder = "24-keras-1-padding";
    for (file, padding) in [
        ("two", "[[2,2],[2,2]]"),
        ("keras2-form", "[[2,2],[2,2]]"),
        ("one-number", "[[1,1],[1,1]]"),
        ("four", "[[1,2],[0,3]]"),
        ("named", "[[1,2],[0,3]]"),
    ] {
        let description = text(&load(&format!("{folder}/{file}.json")).model);
        assert!(description.contains(&format!("\"padding\":{padding}")), "{file}: {description}");
    }
    let x = array(&format!("{folder}/k122-x.npy"));
    let references = json_file(&field(folder).join("k122-reference.json"));
    for name in ["pad2", "pad-default", "pad-dict"] {
        let mut model = load(&format!("{folder}/k122-{name}.h5")).model;
        flip_kernels(&mut model);
        assert_predicts(name, &model, &x, &numbers(&references[name]));
    }
    let mut model = load(&format!("{folder}/k122-plain.h5")).model;
    flip_kernels(&mut model);
    let references = json_file(&field(folder).join("k122b-reference.json"));
    assert_predicts("plain", &model, &x, &numbers(&references["plain"]));
    let image = json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 5, 5, 1] } });
    let padded = |padding: Value| {
        let layer = json!({ "class_name": "ZeroPadding2D", "config": { "padding": padding } });
        let layers = json!([image, layer]);
        described(&json!({ "class_name": "Sequential", "config": layers }))
    };
    for (padding, shape) in [
        (json!([1, 2]), "(None, 7, 9, 1)"),
        (json!([[0, 1], [2, 0]]), "(None, 6, 7, 1)"),
        (json!({ "top_pad": 3 }), "(None, 8, 5, 1)"),
        (json!({ "class_name": "__tuple__", "items": [1, 2] }), "(None, 7, 9, 1)"),
    ] {
        assert_eq!(padded(padding).unwrap().model.output_shape().to_string(), shape);
    }
    for padding in [json!({ "above": 3 }), json!("same"), json!([1, 2, 3])] {
        assert!(padded(padding).unwrap_err().to_string().contains("padding"));
    }
}

#[test]
fn classes_are_known_by_their_other_names() {
    let folder = "25-class-names";
    let known = load(&format!("{folder}/bn.json")).model;
    for file in ["bn-v1", "bn-v2"] {
        assert_eq!(text(&load(&format!("{folder}/{file}.json")).model), text(&known));
    }
    for (file, class) in [
        ("MaxPool2D", "MaxPooling2D"),
        ("AvgPool2D", "AveragePooling2D"),
        ("GlobalAvgPool2D", "GlobalAveragePooling2D"),
        ("Convolution2D", "Conv2D"),
    ] {
        let model = load(&format!("{folder}/{file}.json")).model;
        assert_eq!(model.layers()[0].spec.class_name(), class);
    }
    one_dimensional_classes();
    // `x` above θ, else 0.
    let old = json!({ "class_name": "ThresholdedReLU", "config": { "name": "t", "theta": 0.5 } });
    let model = described(&sequential(json!([old]))).unwrap().model;
    let wanted = [0.0, 0.0, 0.0, 0.0, 4.0 / 7.0, 5.0 / 7.0, 6.0 / 7.0, 1.0];
    assert_predicts("thresholded", &model, &eighths(), &wanted);
}

/// The 1-D classes of Keras 1 and the short names of Keras 2, with the options of each.
fn one_dimensional_classes() {
    let convolution = json!({ "nb_filter": 3, "filter_length": 2, "subsample_length": 2,
        "border_mode": "valid", "init": "glorot_uniform", "bias": true, "input_dim": 4,
        "input_length": 9 });
    let atrous = json!({ "nb_filter": 3, "filter_length": 2, "atrous_rate": 2 });
    let pool = json!({ "pool_length": 2, "stride": 3, "border_mode": "valid" });
    for (class, config, wanted, shape) in [
        ("Convolution1D", convolution, "Conv1D", "(None, 4, 3)"),
        ("AtrousConvolution1D", atrous, "Conv1D", "(None, 7, 3)"),
        ("Conv1D", json!({ "filters": 3, "kernel_size": 2 }), "Conv1D", "(None, 8, 3)"),
        ("MaxPooling1D", pool.clone(), "MaxPooling1D", "(None, 3, 4)"),
        ("MaxPool1D", json!({ "pool_size": [2] }), "MaxPooling1D", "(None, 4, 4)"),
        ("AveragePooling1D", pool, "AveragePooling1D", "(None, 3, 4)"),
        ("AvgPool1D", json!({ "pool_size": 2 }), "AveragePooling1D", "(None, 4, 4)"),
        ("GlobalMaxPool1D", json!({}), "GlobalMaxPooling1D", "(None, 4)"),
        ("GlobalMaxPooling1D", json!({}), "GlobalMaxPooling1D", "(None, 4)"),
        ("GlobalAvgPool1D", json!({}), "GlobalAveragePooling1D", "(None, 4)"),
        ("GlobalAveragePooling1D", json!({}), "GlobalAveragePooling1D", "(None, 4)"),
    ] {
        let mut layer = json!({ "class_name": class, "config": config });
        layer["config"]["batch_input_shape"] = json!([null, 9, 4]);
        let model = described(&json!({ "class_name": "Sequential", "config": [layer] }));
        let model = model.unwrap().model;
        assert_eq!(model.layers()[0].spec.class_name(), wanted, "{class}");
        assert_eq!(model.output_shape().to_string(), shape, "{class}");
    }
    let words = json!({ "class_name": "Embedding", "config": { "input_dim": 7, "output_dim": 3,
        "init": "uniform", "W_regularizer": null, "activity_regularizer": null,
        "W_constraint": null, "mask_zero": false, "dropout": 0.0, "input_length": 5,
        "batch_input_shape": [null, 5], "input_dtype": "int32" } });
    let model = described(&json!({ "class_name": "Sequential", "config": [words] }));
    assert_eq!(model.unwrap().model.output_shape().to_string(), "(None, 5, 3)");
}

#[test]
fn numbers_stand_for_all_axes() {
    let image = json!({ "class_name": "InputLayer", "config": { "batch_shape": [null, 8, 8, 1] } });
    let one = |class: &str, config: Value| {
        let layers = json!([image, { "class_name": class, "config": config }]);
        let model = described(&json!({ "class_name": "Sequential", "config": layers }));
        model.unwrap().model.output_shape().to_string()
    };
    assert_eq!(one("MaxPooling2D", json!({ "pool_size": 2, "strides": 2 })), "(None, 4, 4, 1)");
    assert_eq!(
        one("AveragePooling2D", json!({ "pool_size": [3], "strides": 1 })),
        "(None, 6, 6, 1)"
    );
    let config = json!({ "filters": 2, "kernel_size": 3, "strides": 2, "dilation_rate": 1 });
    assert_eq!(one("Conv2D", config), "(None, 3, 3, 2)");
    assert_eq!(one("Reshape", json!({ "target_shape": 64 })), "(None, 64)");
}

#[test]
fn metrics_and_losses_of_tensorflow_are_read() {
    let folder = "26-keras-2-whole-models";
    let references = json_file(&field(folder).join("tf211-reference.json"));
    for name in ["tf211-sparse-accuracy", "tf211-onehot-accuracy", "tf211-layers"] {
        let loaded = load(&format!("{folder}/{name}.h5"));
        let wanted = &references[name];
        let data = field(folder).join(format!("{}.npz", wanted["data"].as_str().unwrap()));
        let scores = loaded.model.evaluate(&npz::load(&data).unwrap().test).unwrap();
        assert_close(name, &[scores.loss], &[wanted["evaluate"]["loss"].as_f64().unwrap()], 5e-6);
        assert_eq!(scores.metrics.len() + 1, wanted["evaluate"].as_object().unwrap().len());
        for (metric, value) in scores.metrics {
            let wanted = wanted["evaluate"][&metric].as_f64().unwrap();
            assert_close(&metric, &[value], &[wanted], 1e-6);
        }
    }
    // What is not known is ignored, and all else is kept.
    let loaded = load(&format!("{folder}/tf211-binary-accuracy.h5"));
    let names: Vec<_> =
        loaded.model.compiled().unwrap().metrics().iter().map(|metric| &metric.name).collect();
    assert_eq!(names[..2], ["accuracy", "precision"]);

    let wrapper = |name: &str, function: &str| {
        let mut description = sequential(json!([dense("d", json!({}))]));
        description["compile_config"] = json!({ "optimizer": "sgd", "loss": "mse", "metrics": [[{
            "class_name": "MeanMetricWrapper",
            "config": { "name": name, "dtype": "float32", "fn": function } }]] });
        let Loaded { model, warnings, .. } = described(&description).unwrap();
        let metrics = model.compiled().unwrap().metrics().to_vec();
        (metrics.into_iter().map(|metric| metric.name).collect::<Vec<_>>(), warnings)
    };
    assert_eq!(wrapper("off_by", "mean_absolute_error").0, ["off_by"]);
    // The function of a model that was never fitted is wrong: shapes decide.
    assert_eq!(wrapper("accuracy", "sparse_categorical_accuracy").0, ["accuracy"]);
    for (name, function) in
        [("loss", "mse"), ("hit", "my_function"), ("s", "sparse_categorical_accuracy")]
    {
        let (metrics, warnings) = wrapper(name, function);
        assert!(metrics.is_empty() && warnings[0].contains("a metric is ignored"), "{warnings:?}");
    }
}

#[test]
fn axes_are_named_from_either_end() {
    let folder = "17-softmax-axis";
    let wanted = [
        0.3828600347042084,
        0.36184030771255493,
        0.2552996873855591,
        0.4438745379447937,
        0.36102408170700073,
        0.19510143995285034,
    ];
    for file in ["one", "minus1"] {
        assert_predicts(file, &load(&format!("{folder}/{file}.keras")).model, &eighths(), &wanted);
    }
    let wanted = [0.3700476288795471, 0.3043713867664337, 0.3255809545516968];
    assert_predicts("list", &load(&format!("{folder}/list.keras")).model, &eighths(), &wanted);
    for file in ["two-of-3d.keras", "bn3.keras", "bn3.h5", "loss-axis.keras"] {
        let loaded = load(&format!("{folder}/{file}"));
        assert_eq!(loaded.warnings, [""; 0]);
        assert!(loaded.arrays.is_some());
    }
    let softmax = |axis: Value| {
        let layers = json!([
            { "class_name": "InputLayer", "config": { "batch_shape": [null, 3, 4] } },
            { "class_name": "Softmax", "config": { "axis": axis } }]);
        described(&json!({ "class_name": "Sequential", "config": layers }))
    };
    softmax(json!([2])).unwrap();
    for axis in [json!(1), json!(0), json!(-2), json!([1, 2])] {
        assert!(softmax(axis).unwrap_err().to_string().contains("axis"));
    }
    let mut description = sequential(json!([dense("d", json!({ "activation": "softmax" }))]));
    for (axis, is_known) in [(json!(1), true), (json!([-1]), true), (json!(0), false)] {
        let loss = json!({ "class_name": "CategoricalCrossentropy", "config": { "axis": axis } });
        description["compile_config"] = json!({ "optimizer": "sgd", "loss": loss });
        assert_eq!(described(&description).unwrap().model.compiled().is_ok(), is_known);
    }
}

#[test]
fn layers_of_other_precisions_are_read_with_one_warning() {
    for name in ["float16", "bfloat16", "float64", "mixed_bfloat16", "mixed_float16"] {
        let loaded = load(&format!("09-half-precision/{name}.keras"));
        assert!(loaded.warnings[0].contains(&format!("dtype is {name};")), "{:?}", loaded.warnings);
        assert_eq!(loaded.model.compiled().unwrap().optimizer().unwrap().class_name(), "Adam");
    }
    let policy = json!({ "class_name": "Policy", "config": { "name": "mixed_float16",
        "loss_scale": { "class_name": "DynamicLossScale", "config": {} } } });
    described(&sequential(json!([dense("d", json!({ "dtype": policy }))]))).unwrap();
    let quantized = json!({ "class_name": "QuantizedDTypePolicy", "config": { "name": "int8" } });
    assert!(described(&sequential(json!([dense("d", json!({ "dtype": quantized }))]))).is_err());
}

/// The model of a description that is compiled with this optimizer.
fn optimized(optimizer: Value) -> Loaded {
    let mut description = sequential(json!([dense("d", json!({}))]));
    description["keras_version"] = json!("2.10.0");
    description["compile_config"] = json!({ "optimizer_config": optimizer, "loss": "mse" });
    described(&description).unwrap()
}

#[test]
fn optimizers_are_read_in_all_wrappers() {
    for (file, class) in [
        ("11-custom-adam/tf211-adam.h5", "Adam"),
        ("11-custom-adam/tf211-sgd.h5", "SGD"),
        ("11-custom-adam/tf211-rmsprop.h5", "RMSprop"),
        ("11-custom-adam/tf211-sched.h5", "Adam"),
        ("09-half-precision/mixed_float16.h5", "Adam"),
    ] {
        let model = load(file).model;
        assert_eq!(model.compiled().unwrap().optimizer().unwrap().class_name(), class, "{file}");
    }
    let adam = json!({ "class_name": "Adam", "config": { "lr": 0.5, "epsilon": null } });
    let scaled = json!({ "class_name": "LossScaleOptimizer", "config": {
        "optimizer": { "class_name": "LossScaleOptimizerV3", "config": {
            "inner_optimizer": adam } }, "loss_scale": 8 } });
    for optimizer in [adam.clone(), scaled, json!({ "class_name": "Custom>adam", "config": {} })] {
        let loaded = optimized(optimizer);
        assert_eq!(loaded.warnings, [""; 0]);
        assert_eq!(loaded.model.compiled().unwrap().optimizer().unwrap().class_name(), "Adam");
    }
    // As archives of TensorFlow 2.11 and 2.12 name the classes of Keras itself.
    let registered = json!({ "module": "keras.optimizers", "class_name": "Adam",
        "registered_name": "Custom>Adam", "config": { "learning_rate": 0.5 } });
    let loaded = optimized(registered.clone());
    assert_eq!(loaded.warnings, [""; 0]);
    assert_eq!(loaded.model.compiled().unwrap().optimizer().unwrap().class_name(), "Adam");
    let mut foreign = registered;
    foreign["module"] = json!("my_optimizers");
    // What is not understood is a warning, never an error.
    for optimizer in [
        foreign,
        json!({ "class_name": "Addons>AdamW", "config": {} }),
        json!({ "class_name": "TFOptimizer", "config": {} }),
        json!({ "class_name": "SGD", "config": { "lr": "fast" } }),
        json!({ "class_name": "SGD", "config": { "lr": -1.0 } }),
        json!({ "class_name": "SGD", "config": { "clipnorm": 1.0, "clipvalue": 1.0 } }),
        json!({ "class_name": "SGD", "config": { "use_ema": true, "ema_overwrite_frequency": 100 } }),
        json!(7),
    ] {
        let Loaded { model, warnings, .. } = optimized(optimizer);
        assert!(warnings[0].contains("the optimizer is ignored"), "{warnings:?}");
        assert!(model.compiled().unwrap().optimizer().is_err());
        let data = random_data(&model);
        model.evaluate(&data).unwrap();
    }
    // A list of one stays a list where a list is wanted.
    let steps = json!({ "class_name": "PiecewiseConstantDecay", "config": {
        "boundaries": [50.0], "values": [0.1, 0.01], "name": null } });
    let loaded = optimized(json!({ "class_name": "SGD", "config": { "learning_rate": steps } }));
    assert_eq!(loaded.warnings, [""; 0]);
    // Keras 1 and 2 began with zeros.
    let loaded = optimized(json!({ "class_name": "Adagrad", "config": { "lr": 0.01 } }));
    assert!(text(&loaded.model).contains("\"initial_accumulator_value\":0.0"));
}

#[test]
fn decay_is_a_schedule_of_the_learning_rate() {
    for (class, key) in [("SGD", "lr"), ("Adam", "learning_rate")] {
        let config = json!({ key: 0.01, "decay": 1e-6 });
        let loaded = optimized(json!({ "class_name": class, "config": config }));
        assert_eq!(loaded.warnings, [""; 0]);
        let compiled = loaded.model.compiled().unwrap();
        let rate = compiled.optimizer().unwrap().as_optimizer().learning_rate();
        assert!(matches!(rate, LearningRate::Schedule(Schedule::InverseTimeDecay { .. })));
        assert_eq!(rate.at(0), 0.01);
        assert!((rate.at(500_000) - 0.01 / 1.5).abs() < 1e-15);
    }
}

#[test]
fn nadam_with_another_momentum_schedule_is_left_out_with_its_reason() {
    let nadam = |key: &str, decay: f64| {
        let config = json!({ "lr": 0.002, "beta_1": 0.9, "epsilon": 1e-8, key: decay });
        optimized(json!({ "class_name": "Nadam", "config": config }))
    };
    for key in ["schedule_decay", "decay"] {
        let same = nadam(key, 1.0);
        assert_eq!(same.warnings, [""; 0]);
        assert_eq!(same.model.compiled().unwrap().optimizer().unwrap().class_name(), "Nadam");
        let warnings = nadam(key, 0.004).warnings;
        let is_named = warnings[0].contains("ignored") && warnings[0].contains("0.004");
        assert!(warnings.len() == 1 && is_named, "{warnings:?}");
    }
}

#[test]
fn a_model_without_an_optimizer_is_written_without_a_compile_configuration() {
    let loaded = optimized(json!({ "class_name": "Ferret", "config": {} }));
    let folder = tempfile::tempdir().unwrap();
    let description = loaded.model.description();
    assert!(description.get("compile_config").is_none());
    // The loss is kept where Keras does not look.
    for name in ["model.keras", "model.safetensors"] {
        let path = folder.path().join(name);
        formats::save(&loaded.model, &path).unwrap();
        let model = formats::load(&path).unwrap().model;
        let data = random_data(&model);
        let difference =
            model.evaluate(&data).unwrap().loss - loaded.model.evaluate(&data).unwrap().loss;
        // Files hold 32 bits of each weight.
        let limit = if cfg!(tallynet_f64) { 1e-7 } else { 0.0 };
        assert!(difference.abs() <= limit, "{difference}");
    }
}

#[test]
fn values_of_the_wrong_kind_are_errors_or_warnings() {
    let layer = dense("d", json!({}));
    let wrong = [json!(7), json!("text"), json!([1, 2]), json!(null), json!({ "class_name": 7 })];
    for wrong in &wrong {
        let _ = described(wrong);
        let _ = described(&sequential(json!([wrong, layer])));
        let _ = described(&json!({ "class_name": "Model", "config": wrong }));
        let mut description = sequential(json!([layer]));
        for place in ["config", "class_name", "inbound_nodes", "module"] {
            let mut layer = layer.clone();
            layer[place] = wrong.clone();
            let _ = described(&sequential(json!([layer])));
        }
        let keys = layer["config"].as_object().unwrap().keys().cloned();
        for key in keys.chain(["activation".into(), "kernel_initializer".into()]) {
            let mut layer = layer.clone();
            layer["config"][key] = wrong.clone();
            let _ = described(&sequential(json!([layer])));
        }
        for key in ["optimizer", "loss", "metrics", "loss_weights", "weighted_metrics"] {
            let mut compile = json!({ "optimizer": "sgd", "loss": "mse", "metrics": ["mae"] });
            compile[key] = wrong.clone();
            description["compile_config"] = compile;
            described(&description).unwrap();
        }
        for role in ["optimizer", "loss", "metrics"] {
            let class = json!({ "class_name": "SGD", "config": wrong });
            description["compile_config"] = json!({ "optimizer": "sgd", "loss": "mse" });
            description["compile_config"][role] = class;
            described(&description).unwrap();
        }
    }
}

#[test]
fn all_layers_that_are_missing_are_named_in_short_lines() {
    let missing =
        |class: &str, name: &str| json!({ "class_name": class, "config": { "name": name } });
    let message = described(&sequential(json!([
        missing("LSTM", "memory"),
        dense("d", json!({})),
        missing("Attention", "look"),
        dense("e", json!({ "lora_rank": 4 })),
    ])))
    .unwrap_err()
    .to_string();
    for words in [
        "3 layers cannot be read:\n",
        "layer 1, memory (LSTM): tallynet has no layer of this class\n",
        "layer 3, look (Attention)",
        "layer 4, e (Dense): the option lora_rank = 4",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(message.lines().all(|line| line.len() <= 100), "{message}");
    let many: Vec<Value> = (0..50).map(|i| missing("GRU", &format!("g{i}"))).collect();
    let message = described(&sequential(json!(many))).unwrap_err().to_string();
    assert!(message.contains("and 30 more") && message.lines().count() < 30, "{message}");
}

#[test]
fn models_of_tensorflow_js_are_read_with_their_weights() {
    let folder = fixtures().join("tfjs");
    let reference = json_file(&folder.join("reference.json"));
    let x = numbers(&reference["x"]).iter().map(|&x| x as Real).collect();
    let x = Inputs::Reals(ArrayD::from_shape_vec(vec![3, 6, 6, 1], x).unwrap());
    for name in ["plain", "quantized"] {
        let loaded = formats::load(&folder.join(name).join("model.json")).unwrap();
        assert_eq!(loaded.warnings, [""; 0]);
        assert_eq!(loaded.origin.to_string(), "Keras 2.4.0 on TensorFlow");
        loaded.model.verify_arrays(&loaded.arrays.unwrap()).unwrap();
        assert_eq!(loaded.model.compiled().unwrap().metrics()[0].name, "mae");
        assert_predicts(name, &loaded.model, &x, &numbers(&reference[name]));
    }
}

#[test]
fn damaged_models_of_tensorflow_js_are_refused() {
    let source = fixtures().join("tfjs/plain");
    let good = json_file(&source.join("model.json"));
    let folder = tempfile::tempdir().unwrap();
    let shards = ["group1-shard1of2.bin", "group1-shard2of2.bin"];
    for shard in shards {
        fs::copy(source.join(shard), folder.path().join(shard)).unwrap();
    }
    fs::create_dir(folder.path().join("inner")).unwrap();
    fs::copy(source.join(shards[0]), folder.path().join("inner/a.bin")).unwrap();
    let read = |change: &dyn Fn(&mut Value)| {
        let mut model = good.clone();
        change(&mut model);
        let path = folder.path().join("inner/model.json");
        fs::write(&path, model.to_string()).unwrap();
        error(&path)
    };
    let absolute = folder.path().join(shards[0]);
    for path in ["../group1-shard1of2.bin", absolute.to_str().unwrap(), ".", ""] {
        let message = read(&|model| model["weightsManifest"][0]["paths"] = json!([path]));
        assert!(message.contains("not in the folder"), "{message}");
    }
    let message = read(&|_| {});
    assert!(message.contains("group1-shard1of2.bin"), "{message}");
    let message = read(&|model| model["weightsManifest"][0]["paths"] = json!(["a.bin"]));
    assert!(message.contains("end before it"), "{message}");
    let message = read(&|model| {
        model["weightsManifest"] = json!([{ "paths": ["a.bin"], "weights": [] }]);
    });
    assert!(message.contains("conv2d/kernel") && message.contains("manifest"), "{message}");
    let message = read(&|model| {
        model["weightsManifest"][0]["paths"] = json!(["a.bin"]);
        model["weightsManifest"][0]["weights"] =
            json!([{ "name": "dense/kernel", "shape": [u64::MAX, 9], "dtype": "float32" }]);
    });
    assert!(message.contains("end before it"), "{message}");
    let message = read(&|model| model["format"] = json!("graph-model"));
    assert!(message.contains("a graph without layers"), "{message}");
    // From bytes alone, the files beside it are out of reach.
    let message = formats::decode(good.to_string().as_bytes()).unwrap_err().to_string();
    assert!(message.contains("TensorFlow.js"), "{message}");
}
