//! Data as people have them, through the command line: targets of any type, names and nesting of
//! MNIST's files, pipes, half precision, files that are not what their name says.

#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command as Process;

use ndarray::{Array1, Array2, Array3, ArrayD};
use ndarray_npy::{NpzWriter, ReadNpyExt, WriteNpyExt};
use serde_json::Value;
use tallynet::formats;
use tallynet::layers::Embedding;
use tallynet::model::Sequential;
use tempfile::TempDir;

mod common;
use common::{output, run, tallynet};

fn field(name: &str) -> String {
    format!("{}/tests/fixtures/field/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    let run = run(&[arguments, &["--json"]].concat());
    assert_eq!(run.code, 0, "{arguments:?}\n{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[track_caller]
fn close(found: &Value, expected: f64) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{found} instead of {expected}");
}

#[track_caller]
fn refused(code: i32, arguments: &[&str], words: &[&str]) {
    let run = run(arguments);
    assert_eq!(run.code, code, "{arguments:?}\n{}", run.stderr);
    assert!(!run.stdout.contains("Test score"), "{arguments:?}\n{}", run.stdout);
    for word in words {
        assert!(run.stderr.contains(word), "{arguments:?}: {word:?} is missing in\n{}", run.stderr);
    }
}

/// An archive whose arrays for training and testing are alike.
macro_rules! npz {
    ($folder:expr, $name:literal, $x:expr, $y:expr) => {{
        let path = $folder.join($name);
        let mut npz = NpzWriter::new(fs::File::create(&path).unwrap());
        for set in ["train", "test"] {
            npz.add_array(format!("x_{set}"), $x).unwrap();
            npz.add_array(format!("y_{set}"), $y).unwrap();
        }
        npz.finish().unwrap();
        path.to_str().unwrap().to_string()
    }};
}

/// A description of a model with these layers.
fn model(folder: &Path, name: &str, shape: &str, layers: &str, loss: &str) -> String {
    let input = format!(r#"{{"class_name": "InputLayer", "config": {{"batch_shape": {shape}}}}}"#);
    let compile = format!(r#"{{"optimizer": "sgd", "loss": {loss}}}"#);
    let text = format!(
        r#"{{"class_name": "Sequential", "config": {{"layers": [{input}, {layers}]}},
            "compile_config": {compile}}}"#
    );
    fs::write(folder.join(name), text).unwrap();
    folder.join(name).to_str().unwrap().to_string()
}

fn dense(units: usize, activation: &str) -> String {
    format!(
        r#"{{"class_name": "Dense", "config": {{"units": {units}, "activation": "{activation}"}}}}"#
    )
}

/// Keras 3.15.1 evaluates the same files, and trains them for an epoch without shuffling.
#[test]
fn the_loss_decides_what_integer_targets_are() {
    let cases = [
        ("line", "negative", 440.883_789, Some(390.2430)),
        ("line", "negative-float", 440.883_789, Some(390.2430)),
        ("line", "column", 440.883_789, Some(390.2430)),
        ("line", "small-positive", 4_703.408_203, None),
        ("line", "prices", 1_727_474_098_503_680.0, None),
        ("line", "prices-float", 1_727_474_098_503_680.0, None),
        ("two", "two-columns", 437.798_340, Some(411.535_28)),
        ("tanh", "plus-minus-one", 1.429_548_7, Some(1.409_18)),
        ("tanh", "plus-minus-one-float", 1.429_548_7, Some(1.409_18)),
    ];
    for (model, data, evaluated, trained) in cases {
        let model = field(&format!("04-integer-targets/{model}.keras"));
        let data = field(&format!("04-integer-targets/{data}.npz"));
        close(&json(&["evaluate", &model, "--data", &data])["loss"], evaluated);
        if let Some(expected) = trained {
            let line = json(&["train", &model, "--data", &data, "--no-shuffle"]);
            close(&line["loss"], expected);
        }
    }
    let line = json(&[
        "train",
        &field("04-integer-targets/line.keras"),
        "--data",
        &field("04-integer-targets/negative.npz"),
        "--no-shuffle",
    ]);
    close(&line["metrics"]["mae"], 15.4623);
}

#[test]
fn a_sparse_loss_takes_labels_of_any_type_and_shape() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let sparse = r#""sparse_categorical_crossentropy""#;
    let sparse = model(folder, "sparse.json", "[null, 2]", &dense(3, "softmax"), sparse);
    let x = Array2::from_shape_fn((6, 2), |(i, j)| (i * 3 + j) as f32 / 10.0);
    let labels = |i: usize| [0, 1, 2, 2, 1, 0][i];
    let integers = npz!(folder, "i.npz", &x, &Array1::from_shape_fn(6, |i| labels(i) as u8));
    let expected = json(&["evaluate", &sparse, "--data", &integers])["loss"].clone();
    let column =
        npz!(folder, "c.npz", &x, &Array2::from_shape_fn((6, 1), |(i, _)| labels(i) as i64));
    let floats = npz!(folder, "f.npz", &x, &Array1::from_shape_fn(6, |i| labels(i) as f32));
    let doubles =
        npz!(folder, "d.npz", &x, &Array2::from_shape_fn((6, 1), |(i, _)| labels(i) as f64));
    for data in [column, floats, doubles] {
        assert_eq!(json(&["evaluate", &sparse, "--data", &data])["loss"], expected, "{data}");
    }
    // Labels of -1 and 1 are none of 3 classes, nor of one-hot targets; half labels neither.
    let signs = npz!(folder, "s.npz", &x, &Array1::from_shape_fn(6, |i| 1 - 2 * (i as i8 % 2)));
    refused(1, &["evaluate", &sparse, "--data", &signs], &["label -1 at position 1", "0 to 2"]);
    let halves = npz!(folder, "h.npz", &x, &Array1::from_shape_fn(6, |i| i as f32 / 2.0));
    refused(1, &["evaluate", &sparse, "--data", &halves], &["label 0.5 at position 1"]);
    let one_hot = r#""categorical_crossentropy""#;
    let one_hot = model(folder, "one-hot.json", "[null, 2]", &dense(3, "softmax"), one_hot);
    assert_eq!(json(&["evaluate", &one_hot, "--data", &integers])["loss"], expected);
    refused(1, &["evaluate", &one_hot, "--data", &signs], &["label -1 at position 1"]);
    let floats = folder.join("f.npz");
    let floats = floats.to_str().unwrap();
    refused(1, &["evaluate", &one_hot, "--data", floats], &["one float", "integer labels"]);
}

#[test]
fn an_autoencoder_has_bytes_as_targets() {
    let model = |loss: &str| field(&format!("05-bytes-as-targets/auto-{loss}.keras"));
    let (bytes, floats) =
        (field("05-bytes-as-targets/auto-bytes.npz"), field("05-bytes-as-targets/auto-floats.npz"));
    for (loss, unit, raw) in
        [("binary_crossentropy", 0.701_613_8, 223.957_41), ("mse", 0.086_004_6, 19750.6875)]
    {
        let evaluate =
            |flags: &[&str]| json(&[&["evaluate", &model(loss)], flags].concat())["loss"].clone();
        close(&evaluate(&["--data", &bytes]), unit);
        close(&evaluate(&["--data", &floats]), unit);
        // Probabilities near 1, which Keras clips, are rounded to 32 bits in the reference.
        if cfg!(not(tallynet_f64)) || loss == "mse" {
            close(&evaluate(&["--data", &bytes, "--scale", "none"]), raw);
        }
    }
    let told = run(&["evaluate", &model("mse"), "--data", &bytes]);
    assert!(told.stderr.contains("targets are image bytes too"), "{}", told.stderr);
    // After training on bytes, the saved model scales both again.
    let folder = TempDir::new().unwrap();
    let saved = folder.path().join("auto.keras");
    let saved = saved.to_str().unwrap();
    let trained = json(&["train", &model("mse"), "--data", &bytes, "--save", saved]);
    let of_bytes = json(&["evaluate", saved, "--data", &bytes])["loss"].clone();
    let of_floats = json(&["evaluate", saved, "--data", &floats])["loss"].clone();
    close(&of_bytes, trained["loss"].as_f64().unwrap());
    close(&of_floats, trained["loss"].as_f64().unwrap());
    // Files hold 32 bits of each weight.
    if cfg!(not(tallynet_f64)) {
        assert_eq!(of_bytes, trained["loss"]);
    }
    // Flattened targets, and images of another size, are images too.
    let layers =
        format!(r#"{{"class_name": "Flatten", "config": {{}}}}, {}"#, dense(64, "sigmoid"));
    let flat = self::model(folder.path(), "flat.json", "[null, 8, 8]", &layers, r#""mse""#);
    let x = Array3::from_shape_fn((4, 8, 8), |(i, j, k)| (i * 60 + j * 7 + k) as u8);
    let y = x.to_shape((4, 64)).unwrap().to_owned();
    let data = npz!(folder.path(), "flat.npz", &x, &y);
    let unit = |x: &u8| f32::from(*x) / 255.0;
    let scaled = npz!(folder.path(), "unit.npz", &x.map(unit), &y.map(unit));
    let expected = json(&["evaluate", &flat, "--data", &scaled])["loss"].as_f64().unwrap();
    close(&json(&["evaluate", &flat, "--data", &data])["loss"], expected);
    // A mask of 0 and 1 is no image, nor are the labels of pixels.
    let mask = npz!(folder.path(), "mask.npz", &x, &x.mapv(|byte| byte & 1));
    let mask = run(&["evaluate", &model("binary_crossentropy"), "--data", &mask]);
    assert!(mask.code == 0 && !mask.stderr.contains("targets are bytes"), "{}", mask.stderr);
}

#[test]
fn bytes_that_need_not_be_images_need_a_scale() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let words = Array2::from_shape_fn((4, 6), |(i, j)| ((i + j) % 2) as u8);
    let pixels = Array2::from_shape_fn((4, 6), |(i, j)| (40 * i + j) as u8);
    let write = |name: &str, array: &Array2<u8>| {
        let path = folder.join(name);
        array.write_npy(fs::File::create(&path).unwrap()).unwrap();
        path.to_str().unwrap().to_string()
    };
    let (words_file, pixels_file) = (write("words.npy", &words), write("pixels.npy", &pixels));
    let net = model(folder, "net.json", "[null, 6]", &dense(2, "linear"), r#""mse""#);
    let out = folder.join("y.npy");
    let out = out.to_str().unwrap();
    for input in [&words_file, &pixels_file] {
        refused(
            2,
            &["predict", &net, input, "-o", out],
            &["bytes", "--scale unit", "--scale none"],
        );
        for scale in ["unit", "none"] {
            assert_eq!(run(&["predict", &net, input, "-o", out, "--scale", scale]).code, 0);
        }
    }
    // A model that was trained on floats asks; one that was trained on bytes knows.
    let y = Array1::from_elem(4, 1.0f32);
    let one = model(folder, "one.json", "[null, 6]", &dense(1, "linear"), r#""mse""#);
    let floats = npz!(folder, "floats.npz", &words.mapv(f32::from), &y);
    let bytes = npz!(folder, "bytes.npz", &words, &y);
    let saved = folder.join("saved.keras");
    let saved = saved.to_str().unwrap();
    refused(2, &["train", &one, "--data", &bytes], &["all 0 or 1", "--scale none"]);
    json(&["train", &one, "--data", &floats, "--save", saved]);
    refused(2, &["predict", saved, &words_file, "-o", out], &["--scale"]);
    json(&["train", &one, "--data", &bytes, "--scale", "none", "--save", saved]);
    let told = run(&["predict", saved, &words_file, "-o", out]);
    assert!(told.code == 0 && !told.stderr.contains("divided"), "{}", told.stderr);
}

#[test]
fn one_sample_needs_a_batch_axis() {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("y.npy");
    let out = out.to_str().unwrap();
    let file = |name: &str| field(&format!("14-one-sample/{name}"));
    for (model, input) in [
        ("image.keras", "one-image.npy"),
        ("image.keras", "one-image-channel.npy"),
        ("image-channel.keras", "one-image.npy"),
        ("image-channel.keras", "one-image-channel.npy"),
        ("vector.keras", "one-vector.npy"),
    ] {
        let words = ["this is one sample", "add an axis", "x[None]"];
        refused(1, &["predict", &file(model), &file(input), "-o", out], &words);
    }
    for (model, input) in [
        ("image.keras", "one-image-batch.npy"),
        ("image-channel.keras", "one-image-batch.npy"),
        ("vector.keras", "one-row.npy"),
    ] {
        assert_eq!(run(&["predict", &file(model), &file(input), "-o", out]).code, 0);
    }
    refused(1, &["predict", &file("image.keras"), &file("one-vector.npy"), "-o", out], &["(4,)"]);
}

#[test]
fn half_precision_is_read() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let file = |name: &str| field(&format!("09-half-precision/{name}"));
    let predict = |input: &str, out: &str| {
        let run = run(&["predict", &file("f32.keras"), &file(input), "-o", &path(out)]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        ArrayD::<tallynet::Real>::read_npy(fs::File::open(path(out)).unwrap()).unwrap()
    };
    assert_eq!(predict("x16.npy", "16.npy"), predict("x32.npy", "32.npy"));
    close(&json(&["evaluate", &file("f32.keras"), "--data", &file("x16.npz")])["loss"], 1.448_649);
}

#[test]
fn mnist_under_the_names_of_other_downloads() {
    let folder = TempDir::new().unwrap();
    let make = field("03-names-of-the-four-files/make.sh");
    let data = format!("{}/data", env!("CARGO_MANIFEST_DIR"));
    let made = Process::new("sh").arg(make).arg(&data).arg(folder.path()).status().unwrap();
    assert!(made.success());
    let evaluate = |data: &Path| {
        let cache = folder.path().join("cache");
        let arguments = ["evaluate", "mnist-softmax", "--json", "--data", data.to_str().unwrap()];
        let run = output(tallynet().env("TALLYNET_CACHE", cache).args(arguments));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let line: Value = serde_json::from_str(&run.stdout).unwrap();
        line["loss"].clone()
    };
    let expected = evaluate(Path::new(&data));
    for name in ["dots", "dots-gz", "torchvision", "kaggle", "capitals", "emnist", "raw-gz"] {
        assert_eq!(evaluate(&folder.path().join(name)), expected, "{name}");
    }
    let kept = fs::read(folder.path().join("raw-gz/t10k-labels-idx1-ubyte")).unwrap();
    assert!(kept.starts_with(&[0x1f, 0x8b]), "the file of the user is as it was");
    // Two data sets in one folder, and a folder that holds something else.
    let both = folder.path().to_str().unwrap().to_string();
    refused(1, &["evaluate", "mnist-softmax", "--data", &both], &["several data sets", "name the"]);
    let other = TempDir::new().unwrap();
    for name in ["notes.txt", "train.csv"] {
        fs::write(other.path().join(name), "x").unwrap();
    }
    let other = other.path().to_str().unwrap();
    let words = ["t10k-labels-idx1-ubyte", "it holds notes.txt, train.csv"];
    refused(1, &["evaluate", "mnist-softmax", "--data", other], &words);
}

#[test]
fn files_that_are_not_what_their_name_says() {
    let file = |name: &str| field(&format!("02-pointer-or-page/{name}"));
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("y.npy");
    let out = out.to_str().unwrap();
    for (name, words) in [
        ("lfs.npz", &["a pointer of Git LFS", "git lfs pull"][..]),
        ("lfs.npy", &["a pointer of Git LFS", "git lfs pull"]),
        ("page.h5", &["a web page (HTML)", "download link"]),
        ("gz.keras.gz", &["compressed with gzip", "gunzip"]),
        ("tar.keras.tar", &["a tar archive", "tar xf"]),
        ("sound.h5", &["an HDF5 file", "a model, not data"]),
    ] {
        refused(
            1,
            &["evaluate", "mnist-softmax", "--data", &file(name)],
            &[words, &[name]].concat(),
        );
        refused(
            1,
            &["predict", "mnist-softmax", &file(name), "-o", out],
            &[words, &[name]].concat(),
        );
    }
    let words = ["lfs-mnist", "a pointer of Git LFS", "git lfs pull"];
    refused(1, &["evaluate", "mnist-softmax", "--data", &file("lfs-mnist")], &words);
    let words = ["train-images-idx3-ubyte", "a folder of TensorFlow's SavedModel"];
    refused(1, &["evaluate", "mnist-softmax", "--data", &file("savedmodel")], &words);
    let words = ["a NumPy array (.npy)", "numpy.savez_compressed"];
    let array = field("09-half-precision/x32.npy");
    refused(1, &["evaluate", "mnist-softmax", "--data", &array], &words);
    // The bytes decide, and not the extension.
    let renamed = folder.path().join("data.bin");
    fs::copy(field("04-integer-targets/negative.npz"), &renamed).unwrap();
    let model = field("04-integer-targets/line.keras");
    close(&json(&["evaluate", &model, "--data", renamed.to_str().unwrap()])["loss"], 440.883_79);
}

#[cfg(unix)]
#[test]
fn data_come_through_pipes() {
    let (model, data) =
        (field("04-integer-targets/line.keras"), field("04-integer-targets/negative.npz"));
    let arguments = ["evaluate", &model, "--data", "/dev/stdin", "--json"];
    let piped = output(tallynet().args(arguments).write_stdin(fs::read(&data).unwrap()));
    let line: Value = serde_json::from_str(&piped.stdout).expect(&piped.stderr);
    close(&line["loss"], 440.883_79);
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (net, x) = (field("09-half-precision/f32.keras"), field("09-half-precision/x32.npy"));
    let arguments = ["predict", &net, "/dev/stdin", "-o", &path("piped.npy")];
    let piped = output(tallynet().args(arguments).write_stdin(fs::read(&x).unwrap()));
    assert_eq!(piped.code, 0, "{}", piped.stderr);
    assert_eq!(run(&["predict", &net, &x, "-o", &path("read.npy")]).code, 0);
    assert_eq!(fs::read(path("piped.npy")).unwrap(), fs::read(path("read.npy")).unwrap());
    // What is no array is not read to its end, which may never come.
    refused(1, &["evaluate", &model, "--data", "/dev/zero"], &["/dev/zero", "zeros"]);
}

#[test]
fn numbers_that_are_not_finite_are_named_before_training() {
    let model = field("04-integer-targets/line.keras");
    let data = |name: &str| field(&format!("21-nan-in-validation/{name}.npz"));
    let folder = TempDir::new().unwrap();
    let checkpoint: PathBuf = folder.path().join("best.keras");
    for command in ["train", "evaluate"] {
        let x = ["test set", "the inputs hold NaN in row 4, column 2 (from 0)"];
        refused(1, &[command, &model, "--data", &data("nan-x-test")], &x);
        let y = ["test set", "the targets hold NaN in row 5 (from 0)"];
        refused(1, &[command, &model, "--data", &data("nan-y-test")], &y);
        assert_eq!(run(&[command, &model, "--data", &data("clean")]).code, 0);
    }
    let checkpoint = ["--checkpoint", checkpoint.to_str().unwrap(), "--patience", "2"];
    let train = ["train", &model, "--data", &data("nan-y-test")];
    refused(1, &[&train[..], &checkpoint].concat(), &["validation data", "NaN"]);
    // The last quarter of the training set, which would validate.
    let x =
        Array2::from_shape_fn((8, 4), |(i, j)| if (i, j) == (7, 1) { f32::INFINITY } else { 0.5 });
    let late = npz!(folder.path(), "late.npz", &x, &Array1::from_elem(8, 1.0f32));
    let train = ["train", &model, "--data", &late, "--validation-split", "0.25"];
    refused(1, &train, &["training set", "inf in row 7, column 1"]);
}

/// The texts of Keras 3.15.1, with `None` for the number of samples.
#[test]
fn keras_warns_of_a_softmax_over_one_unit_and_of_activated_logits() {
    let data = field("06-softmax-of-one/binary.npz");
    let softmax = "warning: You are using a softmax over axis -1 of a tensor of shape (None, 1). \
                   This axis has size 1. The softmax operation will always return the value 1, \
                   which is likely not what you intended. Did you mean to use a sigmoid instead?\n";
    let one_class = "warning: In loss categorical_crossentropy, expected y_pred.shape to be \
                     (batch_size, num_classes) with num_classes > 1. Received: \
                     y_pred.shape=(None, 1). Consider using 'binary_crossentropy' if you only have \
                     2 classes.\n";
    for (name, warning, loss) in [
        ("softmax1", softmax, 6.642_660_6),
        ("softmaxlayer1", softmax, 0.416_666_66),
        ("cce1", one_class, 6.953_875e-8),
    ] {
        let model = field(&format!("06-softmax-of-one/{name}.keras"));
        for command in ["train", "evaluate"] {
            let run = run(&[command, &model, "--data", &data]);
            assert_eq!(run.stderr.matches(warning).count(), 1, "{command}\n{}", run.stderr);
        }
        let found = json(&["evaluate", &model, "--data", &data])["loss"].as_f64().unwrap();
        // A probability of 1, which Keras clips, is rounded to 32 bits in the reference.
        if cfg!(not(tallynet_f64)) || name != "softmax1" {
            assert!((found - loss).abs() < 1e-5, "{found}");
        }
    }
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("y.npy");
    let conv = field("06-softmax-of-one/conv1.keras");
    let x = folder.path().join("x.npy");
    ndarray::Array4::<f32>::zeros((2, 6, 6, 1)).write_npy(fs::File::create(&x).unwrap()).unwrap();
    let arguments = ["predict", &conv, x.to_str().unwrap(), "-o", out.to_str().unwrap()];
    assert!(run(&arguments).stderr.contains("of a tensor of shape (None, 6, 6, 1)"));

    let (x, y) = (Array2::<f32>::zeros((3, 2)), Array2::<f32>::eye(3));
    let data = npz!(folder.path(), "eye.npz", &x, &y);
    for (class, activation, name) in [
        ("CategoricalCrossentropy", "softmax", "Softmax"),
        ("BinaryCrossentropy", "sigmoid", "Sigmoid"),
    ] {
        let loss = |from_logits: bool| {
            format!(r#"{{"class_name": "{class}", "config": {{"from_logits": {from_logits}}}}}"#)
        };
        let warning = format!(
            "_crossentropy` received `from_logits=True`, but the `output` argument was produced by \
             a {name} activation and thus does not represent logits. Was this intended?"
        );
        for (layers, from_logits, warns) in [
            (dense(3, activation), true, true),
            (dense(3, activation), false, false),
            (dense(3, "linear"), true, false),
        ] {
            let net = model(folder.path(), "logits.json", "[null, 2]", &layers, &loss(from_logits));
            let run = run(&["evaluate", &net, "--data", &data]);
            assert_eq!(run.stderr.contains(&warning), warns, "{}", run.stderr);
        }
    }
    let sound =
        run(&["train", &field("07-resume/line.keras"), "--data", &field("07-resume/xy.npz")]);
    assert!(!sound.stderr.contains("warning"), "{}", sound.stderr);
}

#[test]
fn summaries_of_wide_names_and_fixed_batches_are_keras_3s() {
    let folder = TempDir::new().unwrap();
    let copy = folder.path().join("copy.keras");
    let copy = copy.to_str().unwrap();
    for name in [
        "fixed-batch",
        "name-cjk",
        "name-combining",
        "name-emoji",
        "name-fullwidth",
        "name-longcjk",
        "name-zero",
        "names",
    ] {
        let file = field(&format!("19-summary/{name}.keras"));
        let mut expected =
            fs::read_to_string(field(&format!("19-summary/{name}.keras3.txt"))).unwrap();
        let mut found = run(&["summary", "--style", "keras3", &file]).stdout;
        if size_of::<tallynet::Real>() == 8 {
            // Sizes in bytes differ.
            found = found.split(" Total").next().unwrap().to_string();
            expected = expected.split(" Total").next().unwrap().to_string();
        }
        assert_eq!(found, expected, "{name}");
    }
    for extension in ["keras", "safetensors", "json"] {
        let copy = Path::new(copy).with_extension(extension);
        let copy = copy.to_str().unwrap();
        let fixed = field("19-summary/fixed-batch.keras");
        assert_eq!(run(&["convert", &fixed, copy]).code, 0);
        for style in ["keras1", "keras2", "keras3"] {
            let summary = |file: &str| run(&["summary", "--style", style, file]).stdout;
            assert!(summary(copy).contains("(32, 3) "), "{}", summary(copy));
            assert_eq!(summary(copy), summary(&fixed));
        }
    }
}

#[test]
fn bytes_are_the_words_of_an_embedding() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let model = Sequential::builder([4]).add(Embedding::new(7, 3)).build(0).unwrap();
    formats::save(&model, Path::new(&path("words.keras"))).unwrap();
    let words = Array2::from_shape_fn((5, 4), |(i, j)| ((2 * i + j) % 7) as u8);
    words.write_npy(fs::File::create(path("bytes.npy")).unwrap()).unwrap();
    words.mapv(f32::from).write_npy(fs::File::create(path("floats.npy")).unwrap()).unwrap();
    for name in ["bytes", "floats"] {
        let (x, y) = (path(&format!("{name}.npy")), path(&format!("{name}-y.npy")));
        let run = run(&["predict", &path("words.keras"), &x, "-o", &y]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(!run.stderr.contains("divided"), "{}", run.stderr);
    }
    assert_eq!(fs::read(path("bytes-y.npy")).unwrap(), fs::read(path("floats-y.npy")).unwrap());
    let unit = ["--scale", "unit", "-o", &path("y.npy")];
    let predict = ["predict", &path("words.keras"), &path("bytes.npy")];
    refused(2, &[&predict[..], &unit].concat(), &["takes indices"]);
}
