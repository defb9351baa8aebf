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
        (TRAIN.replace("--data table.csv", ""), 2, "give the table with --data"),
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

#[test]
fn an_evaluation_on_the_table_of_the_training_takes_what_was_held_out() {
    let place = Workplace::new();
    // Every tenth row is wrong, so that there are mistakes.
    let text = fs::read_to_string(place.path("table.csv")).unwrap();
    let mut wrong = String::new();
    for (i, line) in text.lines().enumerate() {
        let line = if i % 10 == 9 { line.replace("large", "small") } else { line.to_string() };
        wrong += &format!("{line}\n");
    }
    fs::write(place.path("table.csv"), wrong).unwrap();
    let trained = place.run(&format!("{TRAIN} --test-split 0.3 --quiet"));
    assert_eq!(trained.code, 0, "{}", trained.stderr);
    let run = place.run("evaluate kind.keras --data table.csv --mistakes wrong.csv");
    assert_says(&run.stderr, &["evaluated on the 90 of 300 samples that were held out"]);
    assert_eq!(run.stdout, trained.stdout);
    // The rows of the mistakes are those of the whole table.
    let rows: Vec<String> =
        fs::read_to_string(place.path("table.csv")).unwrap().lines().map(str::to_string).collect();
    let mistakes = fs::read_to_string(place.path("wrong.csv")).unwrap();
    assert!(mistakes.lines().count() > 3, "{mistakes}");
    for line in mistakes.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let row = cells[0].parse::<usize>().unwrap();
        assert!(rows[row].ends_with(cells[1]), "{line}: {}", rows[row]);
    }
    // More training keeps the split, and other rows are all evaluated on.
    let again = place.run("train kind.keras --data table.csv --epochs 1 --seed 5");
    assert_says(&again.stderr, &["Test set: 90", "seed 0 (--test-split 0.3"]);
    let other = place.run("evaluate kind.keras --data test.csv");
    assert!(!other.stderr.contains("held out"), "{}", other.stderr);
    let whole = fs::read_to_string(place.path("table.csv")).unwrap();
    let shorter: Vec<&str> = whole.lines().take(200).collect();
    fs::write(place.path("table.csv"), shorter.join("\n")).unwrap();
    let changed = place.run("evaluate kind.keras --data table.csv");
    assert_says(&changed.stderr, &["table.csv was changed since the training"]);
    fs::write(place.path("table.csv"), whole).unwrap();

    let run = place.run(&format!("{TRAIN} --test test.csv --quiet"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let run = place.run("evaluate kind.keras --data table.csv");
    assert_says(&run.stderr, &["warning: the model was trained on these samples"]);
    let unnamed = place.run("evaluate kind.keras");
    assert_eq!(unnamed.code, 2);
    let columns = "--data FILE.csv, with the columns x, color, kind (target)";
    assert_says(&unnamed.stderr, &["kind.keras: the model was trained on a table", columns]);
    assert_says(&unnamed.stderr, &["; it was trained on table.csv"]);
}

#[test]
fn an_archive_of_which_a_part_was_held_out_is_evaluated_on_that_part() {
    let place = Workplace::new();
    let mut archive = NpzWriter::new(File::create(place.path("data.npz")).unwrap());
    archive.add_array("x", &Array2::from_shape_fn((50, 3), |(i, j)| (i * j) as f32)).unwrap();
    archive.add_array("y", &Array1::from_shape_fn(50, |i| (i % 2) as u8)).unwrap();
    archive.finish().unwrap();
    let train = TRAIN.replace("table.csv --target kind --ignore id", "data.npz --quiet");
    let trained = place.run(&format!("{train} --test-split 0.2"));
    let run = place.run("evaluate kind.keras --data data.npz");
    assert_says(&run.stderr, &["evaluated on the 10 of 50 samples"]);
    assert_eq!(run.stdout, trained.stdout);
}

#[test]
fn a_table_without_a_header_is_told() {
    let place = Workplace::new();
    assert_eq!(place.run(TRAIN).code, 0);
    fs::write(place.path("bare.csv"), "90,blue\n10,red\n").unwrap();
    let run = place.run("predict kind.keras bare.csv");
    let warning = "bare.csv has no header; its columns are taken to be x, color, in this order";
    assert_says(&run.stderr, &[warning]);
    assert!(!place.run("predict kind.keras new.csv").stderr.contains("header"));
}

#[test]
fn outputs_that_do_not_fit_the_target_are_told() {
    let place = Workplace::new();
    let losses = [
        (
            r#"{"units": 5, "activation": "softmax"}"#,
            "sparse_categorical_crossentropy",
            "The model has 5 outputs, and the data have 2 classes: give its last layer 2 units.",
        ),
        (
            r#"{"units": 2}"#,
            "sparse_categorical_crossentropy",
            "takes probabilities, and the model does not end in a softmax",
        ),
        (
            r#"{"units": 2, "activation": "sigmoid"}"#,
            "sparse_categorical_crossentropy",
            "the model does not end in a softmax",
        ),
        (r#"{"units": 1}"#, "binary_crossentropy", "does not end in a sigmoid"),
        (
            r#"{"units": 2, "activation": "softmax"}"#,
            "mse",
            "The target has 2 classes, and the loss mean_squared_error is for numbers",
        ),
    ];
    for (dense, loss, warning) in losses {
        place.write_model("model.json", 3, dense);
        let run = place.run(&TRAIN.replace("sparse_categorical_crossentropy", loss));
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert_says(&run.stderr, &["warning: The ", warning]);
    }
    // Outputs that are not probabilities are not called so.
    place.write_model("model.json", 3, r#"{"units": 2, "activation": "sigmoid"}"#);
    assert_eq!(place.run(TRAIN).code, 0);
    let answers = place.run("predict kind.keras new.csv").stdout;
    assert_says(&answers, &["row  class  output  runner_up  runner_up_output"]);

    place.write_model("one.json", 3, r#"{"units": 1}"#);
    let price = fs::read_to_string(place.path("table.csv")).unwrap().replace("large", "5000.5");
    fs::write(place.path("price.csv"), price.replace("small", "2000")).unwrap();
    let train = "train one.json --data price.csv --target kind --ignore id --optimizer adam \
                 --loss mse --metrics accuracy --epochs 1";
    let run = place.run(train);
    let warnings = ["the targets are about", "Rescaling(1000)", "The metric accuracy counts"];
    assert_says(&run.stderr, &warnings);
}

#[test]
fn a_regression_needs_outputs_and_a_loss_of_numbers() {
    let place = Workplace::new();
    place.write_model("model.json", 4, r#"{"units": 2, "activation": "softmax"}"#);
    let run = place.run(&TRAIN.replace("--target kind", "--target x --task regression"));
    assert_eq!(run.code, 1);
    let words =
        ["2 outputs", "sparse_categorical_crossentropy", "Dense(1)", "--task classification"];
    assert_says(&run.stderr, &words);
}

#[test]
fn columns_of_no_use_are_told() {
    let place = Workplace::new();
    let mut table = "id,day,kind\n".to_string();
    for i in 0..300 {
        table += &format!("{},day {},{}\n", 70 + i, i % 60, ["a", "b"][i % 2]);
    }
    fs::write(place.path("table.csv"), table).unwrap();
    place.write_model("model.json", 61, r#"{"units": 2, "activation": "softmax"}"#);
    let run = place.run(&TRAIN.replace("--ignore id", ""));
    assert_eq!(run.code, 0, "{}", run.stderr);
    let words =
        ["column \"id\" counts up", "--ignore \"id\"", "\"day\" holds 60 different strings"];
    assert_says(&run.stderr, &words);
    fs::write(place.path("gap.csv"), "id,day\n,day 1\n").unwrap();
    let run = place.run("predict kind.keras gap.csv");
    assert_says(&run.stderr, &["column \"id\", row 1", "`train` ignores columns with --ignore"]);
}

#[test]
fn a_number_of_another_decimal_separator_is_named() {
    let place = Workplace::new();
    let mut table = "x;y;kind\n".to_string();
    for i in 0..40 {
        let x = if i == 20 { "-312.44".to_string() } else { format!("{i},25") };
        table += &format!("{x};{i};{}\n", ["a", "b"][i % 2]);
    }
    fs::write(place.path("table.csv"), table).unwrap();
    place.write_model("model.json", 2, r#"{"units": 2, "activation": "softmax"}"#);
    let run = place.run(&TRAIN.replace("--ignore id", ""));
    assert_eq!(run.code, 1);
    assert_says(&run.stderr, &["line 22 holds -312.44", "written as 0,25", "all with a comma"]);
}

#[test]
fn a_model_that_was_not_compiled_reports_the_accuracy_of_classes() {
    let place = Workplace::new();
    let run = place.run(&TRAIN.replace("--metrics accuracy", ""));
    assert_says(&run.stdout, &["Test accuracy: 1.0"]);
    let run = place.run("predict kind.keras new.csv -o y.npy");
    assert_says(&run.stderr, &["the shape [2, 2]; its columns are the classes large, small"]);
}
