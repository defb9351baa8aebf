//! Keras scripts and small descriptions on the command line, on small data.

#![cfg(all(feature = "cli", feature = "script"))]

use std::fs;
use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use ndarray_npy::NpzWriter;
use serde_json::Value;
use tempfile::TempDir;

mod common;
use common::run_in;

/// Runs a command that succeeds, and returns stdout.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let run = run_in(folder, arguments);
    assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    run.stdout
}

/// Runs a command that fails with this code and these words.
#[track_caller]
fn refuse(folder: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let run = run_in(folder, arguments);
    assert_eq!((run.code, run.stdout.as_str()), (code, ""), "{}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "no {word:?} in:\n{}", run.stderr);
    }
}

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/scripts/{name}.py", env!("CARGO_MANIFEST_DIR"))
}

/// Images of 28 × 28 in ten classes: class c is a bright band at row 2c.
fn images(folder: &Path) -> &'static str {
    let mut npz = NpzWriter::new(fs::File::create(folder.join("images.npz")).unwrap());
    for (name, rows) in [("train", 300), ("test", 100)] {
        let y = Array1::from_shape_fn(rows, |i| (i * 7 % 10) as u8);
        let x = Array3::from_shape_fn((rows, 28, 28), |(i, r, c)| {
            if r / 2 == usize::from(y[i]) { 255 } else { ((i * i + 3 * r + 5 * c) % 41) as u8 }
        });
        npz.add_array(format!("x_{name}"), &x).unwrap();
        npz.add_array(format!("y_{name}"), &y).unwrap();
    }
    npz.finish().unwrap();
    "images.npz"
}

/// Rows of 13 numbers in three classes.
fn rows(folder: &Path) -> &'static str {
    let mut npz = NpzWriter::new(fs::File::create(folder.join("rows.npz")).unwrap());
    for (name, rows) in [("train", 90), ("test", 30)] {
        let x = Array2::from_shape_fn((rows, 13), |(i, j)| ((i * 37 + j * 11) % 17) as f32 / 17.0);
        let y = Array1::from_shape_fn(rows, |i| (i % 3) as i64);
        npz.add_array(format!("x_{name}"), &x).unwrap();
        npz.add_array(format!("y_{name}"), &y).unwrap();
    }
    npz.finish().unwrap();
    "rows.npz"
}

#[test]
fn scripts_of_the_documents_have_the_printed_summaries() {
    let here = Path::new(".");
    let expected = |name: &str| fs::read_to_string(format!("tests/fixtures/summaries/{name}.txt"));
    let cases = [
        ("01-keras1-softmax", "keras1", "k1_0_8_model0"),
        ("02-regularized-514", "keras1", "k1_0_8_dense514"),
        ("03-dense-on-every-pixel", "keras2", "k2_conv"),
    ];
    for (script, style, summary) in cases {
        let found = succeed(here, &["summary", &fixture(script), "--style", style]);
        assert_eq!(found, expected(summary).unwrap(), "{script}");
    }
}

#[test]
fn training_takes_the_options_of_the_script() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = images(path);
    let script = fixture("01-keras1-softmax");
    let json = |arguments: &[&str]| -> Value {
        let line =
            succeed(path, &[&["train", &script, "--data", data, "--json"], arguments].concat());
        serde_json::from_str(&line).unwrap()
    };
    let line = json(&[]);
    assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 12);
    assert_eq!(line["parameters"]["total"], 7850);
    // The preset is the same model, with the same options.
    let preset = ["train", "mnist-softmax", "--data", data, "--json"];
    let preset: Value = serde_json::from_str(&succeed(path, &preset)).unwrap();
    assert_eq!(line["fingerprint"], preset["fingerprint"]);
    let line = json(&["--set", "nb_epoch=2", "--set", "batch_size=10"]);
    assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 2);
    let line = json(&["--epochs", "1"]);
    assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 1);
}

#[test]
fn callbacks_and_split_of_the_script_are_used() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = rows(path);
    let script = "
import keras
model = keras.Sequential([keras.layers.Dense(3, activation='softmax')])
model.compile('sgd', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=30, validation_split=0.5, callbacks=[
    keras.callbacks.EarlyStopping(patience=1, min_delta=10.0),
    keras.callbacks.CSVLogger('log.csv'),
    keras.callbacks.ModelCheckpoint('best.hdf5'),
    keras.callbacks.TensorBoard(),
])
";
    fs::write(path.join("model.py"), script).unwrap();
    let run = run_in(path, &["train", "model.py", "--data", data, "--json"]);
    let line: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 2, "{}", run.stderr);
    assert_eq!(fs::read_to_string(path.join("log.csv")).unwrap().lines().count(), 3);
    for word in ["ModelCheckpoint is ignored", "TensorBoard is ignored"] {
        assert!(run.stderr.contains(word), "{}", run.stderr);
    }
    // A flag replaces the callback of its kind.
    let flags = ["train", "model.py", "--data", data, "--json", "--patience", "40"];
    let line: Value = serde_json::from_str(&succeed(path, &flags)).unwrap();
    assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 30);
}

#[test]
fn the_data_give_shapes_and_classes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = rows(path);
    let script = "
import pandas as pd
import numpy as np
from tensorflow.keras import Sequential, layers
table = pd.read_csv('table.csv')
X, y = table.values[:, :-1], table['class']
n_classes = len(np.unique(y))
model = Sequential([layers.Dense(8, input_dim=X.shape[1]), layers.Dense(n_classes)])
";
    fs::write(path.join("model.py"), script).unwrap();
    refuse(path, &["summary", "model.py"], 1, &["line 8", "the shape of X", "--data", "to_json"]);
    let found = succeed(path, &["summary", "model.py", "--data", data]);
    assert!(found.contains("Total params: 139"), "{found}");
    let found = succeed(path, &["summary", "model.py", "--data", data, "--set", "n_classes=5"]);
    assert!(found.contains("Total params: 157"), "{found}");
    refuse(path, &["train", &fixture("17-shapes-of-the-data")], 2, &["cifar10", "--data"]);
    let words = ["line 16", "the training set is not known", "--data"];
    refuse(path, &["train", &fixture("55-try-with-and-global")], 2, &words);
    refuse(path, &["summary", "model.py", "--set", "units"], 2, &["NAME=VALUE"]);
    refuse(path, &["summary", "--set", "a=1", data], 2, &["--set is for a Keras script"]);
    refuse(path, &["summary", "--set", "a=1"], 2, &["which mnist-softmax is not"]);
}

#[test]
fn scripts_are_verified_against_weights_and_converted_with_them() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = images(path);
    succeed(path, &["new", "mlp", "-o", "m.py"]);
    let train = ["train", "m.py", "--data", data, "--epochs", "1", "--set", "hidden=16"];
    succeed(path, &[&train[..], &["--save", "m.weights.h5"]].concat());
    let fits = ["verify", "m.py", "m.weights.h5", "--set", "hidden=16"];
    let found = succeed(path, &fits);
    assert!(found.contains("dense_1/kernel  (784, 16)") && found.contains("Verified"), "{found}");
    let words = [
        "m.weights.h5: 5 of the model's 6 arrays do not fit:",
        "the array dense_1/kernel has the shape (784, 16), and the model needs (784, 256)",
        "the array dense_1/bias has the shape (16,), and the model needs (256,)",
    ];
    refuse(path, &["verify", "m.py", "m.weights.h5"], 1, &words);
    refuse(path, &["verify", "m.py"], 2, &["no weights", "verify m.py WEIGHTS"]);
    let convert = ["convert", "m.py", "m.keras", "--weights", "m.weights.h5", "--set", "hidden=16"];
    succeed(path, &convert);
    let script = ["evaluate", "m.keras", "--data", data];
    assert!(succeed(path, &script).contains("Test accuracy"));
    assert!(succeed(path, &["verify", "m.keras"]).contains("Verified"));
}

#[test]
fn new_scripts_are_read_and_trained() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = images(path);
    for (kind, total) in [("softmax", "7850"), ("mlp", "269322"), ("cnn", "34826")] {
        let file = format!("{kind}.py");
        succeed(path, &["new", kind, "-o", &file]);
        let text = fs::read_to_string(path.join(&file)).unwrap();
        assert!(text.contains(&format!("tallynet train {file}")), "{text}");
        assert!(succeed(path, &["summary", &file]).contains(&format!("Total params: {total}")));
        refuse(path, &["new", kind, "-o", &file], 2, &["already exists"]);
        let run = run_in(path, &["train", &file, "--data", data, "--epochs", "1", "--quiet"]);
        assert_eq!((run.code, run.stderr.contains("warning")), (0, false), "{}", run.stderr);
    }
}

#[test]
fn a_script_for_mnist_is_trained_on_a_table_that_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let mut table = "x,color,kind\n".to_string();
    for i in 0..300 {
        let (x, color) = (i * 37 % 100, ["red", "blue"][i % 2]);
        table += &format!("{x}.5,{color},{}\n", if x > 50 { "large" } else { "small" });
    }
    fs::write(path.join("table.csv"), table).unwrap();
    succeed(path, &["new", "mlp", "-o", "m.py"]);
    let data = ["--data", "table.csv", "--target", "kind"];
    let more = ["--set", "hidden=16", "--batch-size", "16", "--save", "m.keras"];
    let found = succeed(path, &[&["train", "m.py"], &data[..], &more].concat());
    let hidden = "3 inputs × 16 units + 16 biases";
    assert!(found.contains("normalization_1") && found.contains(hidden), "{found}");
    let accuracy = found.lines().find_map(|line| line.strip_prefix("Test accuracy: "));
    assert!(accuracy.unwrap().parse::<f64>().unwrap() > 0.9, "{found}");
    let new = succeed(path, &["predict", "m.keras", "table.csv"]);
    assert!(new.contains("large") && new.contains("small"), "{new}");
}

#[test]
fn a_script_that_reads_its_own_data_needs_those_data() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = rows(path);
    let script = "
import numpy as np
from keras import Sequential, layers
from sklearn.model_selection import train_test_split
table = np.loadtxt('table.csv')
X, X_test, y, y_test = train_test_split(table[:, 1:], table[:, 0], test_size=0.3)
model = Sequential([layers.Flatten(), layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(X, y, epochs=2)
";
    fs::write(path.join("model.py"), script).unwrap();
    let words = ["model.py: line 9: the training set", "numpy.loadtxt", "line 5", "--data"];
    refuse(path, &["train", "model.py"], 2, &words);
    let run = run_in(path, &["train", "model.py", "--data", data]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("own data and their preparation are replaced by --data"));
    assert!(!run.stderr.contains("warning"), "{}", run.stderr);

    // The script's fraction is taken.
    let lines: String = (0..100).map(|i| format!("{}.5,{}\n", i, ["a", "b", "c"][i % 3])).collect();
    fs::write(path.join("table.csv"), format!("x,kind\n{lines}")).unwrap();
    let train = ["train", "model.py", "--data", "table.csv", "--target", "kind"];
    let run = run_in(path, &train);
    assert!(run.stderr.contains("Test set: 30 of the samples"), "{}", run.stderr);
    assert!(run.stderr.contains("--test-split 0.3, as in the script"), "{}", run.stderr);
    let run = run_in(path, &[&train[..], &["--test-split", "0.1"]].concat());
    assert!(run.stderr.contains("Test set: 10 of the samples"), "{}", run.stderr);

    // A table needs its target, also for a summary.
    let words = ["--target NAME", "\"kind\""];
    refuse(path, &["train", "model.py", "--data", "table.csv"], 2, &words);
    refuse(path, &["summary", "model.py", "--data", "table.csv"], 2, &words);
    let summary = ["summary", "model.py", "--data", "table.csv", "--target", "kind"];
    assert!(succeed(path, &summary).contains("Total params: 6"));
}

#[test]
fn misspelled_names_in_a_script_are_one_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = rows(path);
    let script = "
from keras import Sequential, layers
model = Sequential([layers.Dense(3, activation='softmax')])
model.compile('adam', 'sparse_categorical_crosentropy', metrics=['accuracy'])
";
    fs::write(path.join("model.py"), script).unwrap();
    let train = ["train", "model.py", "--data", data];
    let run = run_in(path, &train);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("did you mean sparse_categorical_crossentropy?"), "{}", run.stderr);
    let flags = ["--loss", "sparse_categorical_crossentropy", "--optimizer", "adam"];
    let run = run_in(path, &[&train[..], &flags].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("The script has no fit: it is trained for 1 epoch"));
    fs::write(path.join("model.py"), script.replace("softmax", "softmaks")).unwrap();
    refuse(path, &["summary", "model.py", "--data", data], 1, &["did you mean softmax?"]);
}

#[test]
fn a_number_is_learned_by_the_script_for_regressions() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let mut table = "area,zone,price\n".to_string();
    for i in 0..300 {
        let area = i * 37 % 200;
        table += &format!("{area},{},{}\n", ["n", "s"][i % 2], 100_000 + 3000 * area);
    }
    fs::write(path.join("houses.csv"), table).unwrap();
    succeed(path, &["new", "regression", "-o", "r.py"]);
    let train = ["train", "r.py", "--data", "houses.csv", "--target", "price", "--save", "r.keras"];
    let run = run_in(path, &train);
    assert_eq!((run.code, run.stderr.contains("warning")), (0, false), "{}", run.stderr);
    let mae = run.stdout.lines().find_map(|line| line.strip_prefix("Test mae: ")).unwrap();
    assert!(mae.parse::<f64>().unwrap() < 20_000.0, "{}", run.stdout);
}

#[test]
fn a_script_with_too_few_layers_does_not_fit_a_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let script = "
from keras import Sequential, layers
model = Sequential([layers.Input((3,)), layers.Dense(2, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
";
    fs::write(path.join("model.py"), script).unwrap();
    let lines: String = (0..60).map(|i| format!("{i}.5,{},{}\n", i % 7, i % 2)).collect();
    fs::write(path.join("table.csv"), format!("a,b,c\n{lines}")).unwrap();
    fs::write(path.join("model.py"), script.replace("(3,)", "(2,)")).unwrap();
    let train = ["train", "model.py", "--data", "table.csv", "--target", "c", "--save", "m.keras"];
    succeed(path, &train);
    let words = ["m.keras holds 5 numbers more than the 6 of model.py", "layers.Normalization()"];
    refuse(path, &["verify", "model.py", "m.keras"], 1, &words);
    for (file, surplus) in [("m.weights.h5", "normalization"), ("m.npz", "normalization_1/mean")] {
        succeed(path, &["convert", "m.keras", file]);
        let words = [surplus, "does not fit: the model of model.py does not have"];
        refuse(path, &["verify", "model.py", file], 1, &words);
    }
    let whole = script.replace("(3,)), ", "(2,)), layers.Normalization(), ");
    fs::write(path.join("model.py"), whole).unwrap();
    assert!(succeed(path, &["verify", "model.py", "m.keras"]).contains("Verified"));
    let other = script.replace("(3,)", "(4,)");
    fs::write(path.join("model.py"), other).unwrap();
    refuse(path, &["verify", "model.py", "m.keras"], 1, &["(4, 2)", "the same input shape"]);
}

#[test]
fn data_give_the_shape_for_the_verification_of_a_script() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let script = "
import pandas as pd
from keras import Sequential, layers
table = pd.read_csv('table.csv')
x, y = table.drop(columns='c'), table['c']
model = Sequential([layers.Input((x.shape[1],)), layers.Normalization(),
                    layers.Dense(y.nunique(), activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(x, y, epochs=1)
";
    fs::write(path.join("model.py"), script).unwrap();
    let lines: String = (0..60).map(|i| format!("{i}.5,{},{}\n", i % 7, i % 3)).collect();
    fs::write(path.join("table.csv"), format!("a,b,c\n{lines}")).unwrap();
    let data = ["--data", "table.csv", "--target", "c"];
    succeed(path, &[&["train", "model.py", "--save", "m.keras"], &data[..]].concat());
    let verify = ["verify", "model.py", "m.keras"];
    assert!(succeed(path, &[&verify, &data[..]].concat()).contains("Verified"));
    refuse(path, &verify, 1, &["`summary` or `verify`"]);
}

#[test]
fn notebooks_are_read_cell_by_cell() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let cells = serde_json::json!({ "cells": [
        { "cell_type": "markdown", "source": ["# A model\n"] },
        { "cell_type": "code", "source": ["%matplotlib inline\n", "!pip install \\\n", "  keras\n",
                                          "import keras"] },
        { "cell_type": "code", "source": "%%bash\nls -l | grep x > (\n" },
        { "cell_type": "code", "source": "model = keras.Sequential([keras.Input((4,)),\n    \
                                          keras.layers.Dense(units)])\nmodel?" },
    ] });
    fs::write(path.join("model.ipynb"), cells.to_string()).unwrap();
    refuse(path, &["summary", "model.ipynb"], 1, &["cell 4, line 2", "--set units=VALUE"]);
    let found = succeed(path, &["summary", "model.ipynb", "--set", "units=3"]);
    assert!(found.contains("Total params: 15"), "{found}");
    fs::write(path.join("model.ipynb"), "{}").unwrap();
    refuse(path, &["summary", "model.ipynb"], 1, &["no cells", "to_json"]);
}

#[test]
fn a_small_json_is_forgiving() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let data = images(path);
    let write = |name: &str, layers: Value| {
        let model = serde_json::json!({
            "class_name": "Sequential", "config": { "layers": layers },
            "compile_config": { "optimizer": "adam", "metrics": ["accuracy"],
                                "loss": "sparse_categorical_crossentropy" },
            "epochs": 3, "batch_size": 50,
        });
        fs::write(path.join(name), model.to_string()).unwrap();
    };
    let last = serde_json::json!({ "class_name": "Dense", "config": { "units": 10, "activation": "softmax" } });
    write("no-shape.json", serde_json::json!([{ "class_name": "Flatten" }, last]));
    let input = serde_json::json!({ "class_name": "Input", "config": { "shape": [28, 28] } });
    write("input.json", serde_json::json!([input, { "class_name": "Flatten" }, last]));
    let misspelled = serde_json::json!({ "class_name": "Dense", "config": { "unit": 10 } });
    write("misspelled.json", serde_json::json!([input, misspelled]));

    let words = ["what shape", "--data", "Input(shape=...)"];
    refuse(path, &["summary", "no-shape.json"], 2, &words);
    let with_data = succeed(path, &["summary", "no-shape.json", "--data", data]);
    assert_eq!(with_data, succeed(path, &["summary", "input.json"]));
    for name in ["no-shape.json", "input.json"] {
        let line = succeed(path, &["train", name, "--data", data, "--json"]);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["history"]["loss"].as_array().unwrap().len(), 3, "{name}");
    }
    refuse(path, &["summary", "misspelled.json"], 1, &["unit = 10", "did you mean units?"]);
}

#[test]
fn files_of_another_kind_get_one_message() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::write(path.join("web.py"), "import flask\napp = flask.Flask(__name__)\n").unwrap();
    let words = ["no model was found", "flask", "open(\"m.json\",\"w\").write(model.to_json())"];
    refuse(path, &["summary", "web.py"], 1, &words);
    fs::write(path.join("broken.py"), "import keras\nmodel = (\n").unwrap();
    refuse(path, &["train", "broken.py"], 1, &["line 2, column 1", "to_json"]);
    fs::write(path.join("binary.py"), [0u8, 159, 146, 150]).unwrap();
    refuse(path, &["verify", "binary.py"], 1, &["to_json"]);
}

/// Folders of gray images of 24 × 24 pixels, `pics/cat` and so on.
#[cfg(feature = "images")]
fn pictures(folder: &Path) {
    for (class, name) in ["cat", "dog", "owl"].into_iter().enumerate() {
        fs::create_dir_all(folder.join("pics").join(name)).unwrap();
        for i in 0..5 {
            let path = folder.join(format!("pics/{name}/{i}.png"));
            let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 24, 24);
            encoder.set_color(png::ColorType::Grayscale);
            let pixels = vec![(80 * class + i) as u8; 24 * 24];
            encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
        }
    }
}

#[test]
#[cfg(feature = "images")]
fn a_script_gives_the_images_of_a_folder_their_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    pictures(path);
    let script = "import keras
from keras import layers
options = dict(image_size=(16, 12), batch_size=4, validation_split=0.2, seed=1)
train = keras.utils.image_dataset_from_directory('pics', subset='training', **options)
val = keras.preprocessing.image_dataset_from_directory('pics', subset='validation', **options)
model = keras.Sequential([layers.Flatten(), layers.Dense(UNITS, activation='softmax')])
model.compile('adam', 'sparse_categorical_crossentropy')
model.fit(train, validation_data=val, epochs=1)
";
    // The number of classes is in the folder.
    let counted = script.replace("UNITS", "len(train.class_names)");
    fs::write(path.join("counted.py"), &counted).unwrap();
    let reason = "image_dataset_from_directory reads a folder, as --data pics does (line 4)";
    refuse(path, &["summary", "counted.py"], 1, &[reason]);
    let summary = succeed(path, &["summary", "counted.py", "--data", "pics"]);
    // 16 · 12 pixels in three colors, 3 classes.
    assert!(summary.contains("(None, 576)") && summary.contains("Total params: 1731"), "{summary}");
    let named = ["train", "counted.py", "--data", "pics", "--quiet"];
    assert!(succeed(path, &named).contains("Test score"));
    let trained =
        run_in(path, &[&named[..], &["--image-size", "8x8", "--save", "m.keras"]].concat());
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    assert!(succeed(path, &["summary", "m.keras"]).contains("(None, 192)"));
    // A script that says all of the shape needs no data for its summary.
    fs::write(path.join("whole.py"), script.replace("UNITS", "3")).unwrap();
    assert!(succeed(path, &["summary", "whole.py"]).contains("Total params: 1731"));
    refuse(path, &["train", "whole.py"], 2, &[reason, "give the data with --data"]);
    let gray = script.replace("UNITS", "3").replace("seed=1", "seed=1, color_mode='grayscale'");
    fs::write(path.join("gray.py"), gray).unwrap();
    assert!(succeed(path, &["summary", "gray.py"]).contains("(None, 192)"));
}
