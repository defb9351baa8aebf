//! Tables on the command line: `train`, `evaluate` and `predict`.

use std::fs::{self, File};
use std::path::PathBuf;

use ndarray::{Array1, Array2};
use ndarray_npy::{NpzWriter, ReadNpyExt};
use tallynet::Real;
use tempfile::TempDir;

mod common;
use common::{Run, run_in};

/// A folder with a table, a test table, new rows, and the description of a model.
struct Workplace {
    folder: TempDir,
}

impl Workplace {
    fn new() -> Workplace {
        let place = Workplace { folder: tempfile::tempdir().unwrap() };
        let mut table = "x,color,id,kind\n".to_string();
        for i in 0..300 {
            let (x, color) = (i * 37 % 100, ["red", "blue"][i % 2]);
            let kind = if x > 50 { "large" } else { "small" };
            table += &format!("{x}.5,{color},r{i},{kind}\n");
        }
        fs::write(place.path("table.csv"), &table).unwrap();
        fs::write(place.path("test.csv"), table.lines().take(61).collect::<Vec<_>>().join("\n"))
            .unwrap();
        fs::write(place.path("new.csv"), "color,x\nblue,90\nred,10\n").unwrap();
        place.write_model("model.json", 3, r#"{"units": 2, "activation": "softmax"}"#);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the description of a model with one Dense layer.
    fn write_model(&self, name: &str, n_inputs: usize, dense: &str) {
        let layers = format!(
            r#"[{{"class_name": "InputLayer", "config": {{"batch_shape": [null, {n_inputs}]}}}},
            {{"class_name": "Dense", "config": {dense}}}]"#
        );
        let json = format!(r#"{{"class_name": "Sequential", "config": {{"layers": {layers}}}}}"#);
        fs::write(self.path(name), json).unwrap();
    }

    fn run(&self, arguments: &str) -> Run {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        run_in(self.folder.path(), &arguments)
    }
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

const TRAIN: &str = "train model.json --data table.csv --target kind --ignore id --optimizer adam \
                     --learning-rate 0.1 --loss sparse_categorical_crossentropy --metrics accuracy \
                     --epochs 20 --save kind.keras";

#[test]
fn a_table_is_trained_on_evaluated_and_predicted() {
    let place = Workplace::new();
    let trained = place.run(TRAIN);
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    let summary =
        "300 rows; inputs: 1 columns of numbers and 1 of strings (\"color\" 2), 3 features";
    assert_says(&trained.stderr, &[summary, "2 strings, \"large\", \"small\"", "Test set: 60"]);
    assert_says(&trained.stdout, &["(Normalization)", "Test accuracy: 1.0"]);

    // It resumes with the same test set, without being told the target again.
    let again = place.run("train kind.keras --data table.csv --epochs 1");
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert_says(&again.stderr, &["Test set: 60"]);
    let other = place.run("train kind.keras --data table.csv --target color");
    assert_eq!(other.code, 2);
    assert_says(&other.stderr, &["trained for the target kind"]);

    let scores = place.run("evaluate kind.keras --data test.csv");
    assert_says(&scores.stdout, &["Test accuracy: 1.0"]);
    assert_eq!(place.run("predict kind.keras new.csv -o y.npy").code, 0);
    let y = Array2::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    assert!(y[[0, 0]] > 0.5 && y[[1, 1]] > 0.5, "{y}");

    fs::write(place.path("bad.csv"), "color,x\nblue,90\ngreen,10\n").unwrap();
    let bad = place.run("predict kind.keras bad.csv -o y.npy");
    assert_eq!(bad.code, 1);
    assert_says(&bad.stderr, &["bad.csv: row 2 (line 3)", "\"green\"", "\"blue\", \"red\""]);
    let no_target = place.run("evaluate kind.keras --data new.csv");
    assert_says(&no_target.stderr, &["new.csv: there is no column kind"]);
}

#[test]
fn the_test_set_is_a_table_or_a_share() {
    let place = Workplace::new();
    let run = place.run(&format!("{TRAIN} --test test.csv"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("Test set:"), "{}", run.stderr);
    let run =
        place.run(&format!("{TRAIN} --test-split 0.5 --validation-split 0.2 --shuffle-split"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_says(&run.stderr, &["Test set: 150", "val_accuracy"]);
    assert_eq!(place.run(&format!("{TRAIN} --test-split 1.5")).code, 2);
    assert_eq!(place.run(&format!("{TRAIN} --shuffle-split")).code, 2);
}

#[test]
fn the_loss_decides_between_classes_and_numbers() {
    let place = Workplace::new();
    let rows: String = (0..100).map(|i| format!("{},{}\n", i, i % 5)).collect();
    fs::write(place.path("table.csv"), format!("x,y\n{rows}")).unwrap();
    place.write_model("model.json", 1, r#"{"units": 1}"#);
    let train =
        "train model.json --data table.csv --target y --optimizer sgd --loss mse --epochs 1";
    assert_says(&place.run(train).stderr, &["regression: the target \"y\"", "by the model's loss"]);
    let classes = place.run(&format!("{train} --task classification"));
    assert_says(&classes.stderr, &["classification", "by --task", "5 classes", "1 outputs"]);
}

#[test]
fn an_archive_without_a_test_set_is_split() {
    let place = Workplace::new();
    let mut archive = NpzWriter::new(File::create(place.path("data.npz")).unwrap());
    archive.add_array("x", &Array2::from_shape_fn((50, 3), |(i, j)| (i * j) as f32)).unwrap();
    archive.add_array("y", &Array1::from_shape_fn(50, |i| (i % 2) as u8)).unwrap();
    archive.finish().unwrap();
    let train = TRAIN.replace("table.csv --target kind --ignore id", "data.npz");
    let run = place.run(&format!("{train} --test-split 0.2"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_says(&run.stderr, &["Test set: 10 of the samples"]);
    assert_says(&place.run(&train).stderr, &["x_test", "missing"]);
}

#[test]
fn mistakes_are_named() {
    let place = Workplace::new();
    let mistakes = [
        (TRAIN.replace("--target kind", "--target knd"), 1, "do you mean \"kind\"?"),
        (TRAIN.replace("--target kind", ""), 2, "needs a target column (--target NAME)"),
        (TRAIN.replace("--ignore id", "--ignore id,color"), 1, "the table has 1 features"),
        (TRAIN.replace("--ignore id", ""), 1, "probably an identifier"),
        (TRAIN.replace("--data table.csv --target kind", ""), 2, "are for a table"),
    ];
    for (arguments, code, message) in mistakes {
        let run = place.run(&arguments);
        assert_eq!(run.code, code, "{arguments}: {}", run.stderr);
        assert_says(&run.stderr, &[message]);
    }
}
