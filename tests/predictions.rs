//! Answers as text on the command line: `predict` and `evaluate` on tables.

use std::fs::{self, File};
use std::path::PathBuf;

use ndarray::{Array2, Array3, ArrayD};
use ndarray_npy::{ReadNpyExt, WriteNpyExt};
use serde_json::Value;
use tallynet::Real;
use tallynet::layers::Dense;
use tallynet::model::Sequential;
use tallynet::report::Form;
use tempfile::TempDir;

mod common;
use common::{Run, run_in};

/// A folder with two tables, models for them and new rows.
struct Workplace {
    folder: TempDir,
}

const KINDS: [&str; 3] = [">50", "large, very", "small"];

impl Workplace {
    /// Tables with a kind that depends on x, and every tenth row is wrong.
    fn new() -> Workplace {
        let place = Workplace { folder: tempfile::tempdir().unwrap() };
        let mut classes = "x,kind\n".to_string();
        let mut numbers = "x,price,weight\n".to_string();
        for i in 0..120 {
            let x = i * 37 % 120;
            let kind = if i % 10 == 9 { 0 } else { x / 40 };
            classes += &format!("{x},\"{}\"\n", KINDS[kind]);
            numbers += &format!("{x},{}.5,{}\n", 2 * x, 1000000 - x);
        }
        place.write("kinds.csv", &classes);
        // One more row, so that these are not the rows that the training held some out of.
        place.write("others.csv", &format!("{classes}1,\">50\"\n"));
        place.write("numbers.csv", &numbers);
        place.write("new.csv", "x\n1\n119\n");
        place.write_model("kinds.json", r#"{"units": 3, "activation": "softmax"}"#);
        place.write_model("one.json", r#"{"units": 1}"#);
        place.write_model("two.json", r#"{"units": 2}"#);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Writes the description of a model with one Dense layer on one number.
    fn write_model(&self, name: &str, dense: &str) {
        let layers = format!(
            r#"[{{"class_name": "InputLayer", "config": {{"batch_shape": [null, 1]}}}},
            {{"class_name": "Dense", "config": {dense}}}]"#
        );
        let json = format!(r#"{{"class_name": "Sequential", "config": {{"layers": {layers}}}}}"#);
        self.write(name, &json);
    }

    fn run(&self, arguments: &str) -> Run {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        run_in(self.folder.path(), &arguments)
    }

    /// Standard output of a command that succeeds.
    #[track_caller]
    fn succeeds(&self, arguments: &str) -> String {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments}: {}", run.stderr);
        run.stdout
    }

    #[track_caller]
    fn refuses(&self, code: i32, arguments: &str, parts: &[&str]) {
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{arguments}: {}", run.stderr);
        for part in parts {
            assert!(run.stderr.contains(part), "{part:?} is not in: {}", run.stderr);
        }
    }

    /// Trains on a table.
    fn train(&self, model: &str, table: &str, options: &str) {
        self.succeeds(&format!(
            "train {model}.json --data {table} --optimizer adam --learning-rate 0.1 --epochs 20 \
             --save {model}.keras {options}"
        ));
    }

    fn train_kinds(&self) {
        let loss = "--loss sparse_categorical_crossentropy --metrics accuracy";
        self.train("kinds", "kinds.csv", &format!("--target kind {loss}"));
    }
}

/// Number in a cell.
fn number(text: &str) -> Real {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

#[test]
fn predictions_are_a_table_with_class_names() {
    let place = Workplace::new();
    place.train_kinds();
    place.succeeds("predict kinds.keras new.csv -o y.npy");
    let y = Array2::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    let (first, last) = (y.row(0), y.row(1));
    assert!(first[0] > 0.5 && last[2] > 0.5, "{y}");

    let text = place.succeeds("predict kinds.keras new.csv");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    let head = ["row", "class", "probability", "runner_up", "runner_up_probability"];
    assert_eq!(lines[0].split_whitespace().collect::<Vec<_>>(), head);
    let row = format!("{:.4}  large, very", first[0]);
    assert!(lines[1].trim_start().starts_with("1  >50"), "{text}");
    assert!(lines[1].contains(&row), "{text}");
    assert!(lines[2].trim_start().starts_with("2  small"), "{text}");
}

#[test]
fn predictions_are_written_by_the_extension() {
    let place = Workplace::new();
    place.train_kinds();
    for output in ["y.npy", "y.csv", "y.json"] {
        assert_eq!(place.succeeds(&format!("predict kinds.keras new.csv -o {output}")), "");
    }
    let y = Array2::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    let csv = place.read("y.csv");
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let json: Vec<Value> = serde_json::from_str(&place.read("y.json")).unwrap();
    assert_eq!((rows.len(), json.len()), (2, 2));
    for (i, (row, object)) in rows.iter().zip(&json).enumerate() {
        assert_eq!([&row[0], &row[1]], [(i + 1).to_string().as_str(), KINDS[2 * i]]);
        assert_eq!(number(&row[2]), y[[i, 2 * i]]);
        assert_eq!([&object["class"], &object["runner_up"]], [KINDS[2 * i], &row[3]]);
        assert_eq!(object["row"], i + 1);
        assert_eq!(object["probability"].as_f64().unwrap() as Real, y[[i, 2 * i]]);
    }
    place.refuses(2, "predict kinds.keras new.csv -o y.txt", &[".npy, .csv or .json"]);
    place.refuses(2, "predict kinds.keras new.csv -o new.csv", &["overwrite"]);
}

#[test]
fn logits_become_probabilities() {
    let place = Workplace::new();
    place.write(
        "logits.py",
        "import keras\nmodel = keras.Sequential([keras.Input((1,)), keras.layers.Dense(3)])\n\
         model.compile('adam', keras.losses.SparseCategoricalCrossentropy(from_logits=True))\n",
    );
    place.succeeds("convert logits.py l.keras");
    let x = Array2::<f32>::ones((2, 1));
    x.write_npy(File::create(place.path("x.npy")).unwrap()).unwrap();
    place.succeeds("predict l.keras x.npy -o y.npy");
    let y = Array2::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    let exponentials = y.row(0).mapv(Real::exp);
    let max = exponentials.iter().copied().fold(0.0, Real::max) / exponentials.sum();
    place.succeeds("predict l.keras x.npy -o y.csv");
    let csv = place.read("y.csv");
    let row: Vec<&str> = csv.lines().nth(1).unwrap().split(',').collect();
    assert!((number(row[2]) - max).abs() < 1e-6, "{csv}, {y}");
}

#[test]
fn numbers_have_the_names_of_their_targets() {
    let place = Workplace::new();
    place.train("one", "numbers.csv", "--target price --ignore weight --loss mse");
    let text = place.succeeds("predict one.keras new.csv");
    let lines: Vec<Vec<&str>> =
        text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["row", "price"]);
    place.succeeds("predict one.keras new.csv -o y.npy");
    let y = Array2::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    assert!((number(lines[2][1]) - y[[1, 0]]).abs() < 1e-4, "{text}");

    place.train("two", "numbers.csv", "--target price,weight --loss mse");
    place.succeeds("predict two.keras new.csv -o y.csv");
    assert!(place.read("y.csv").starts_with("row,price,weight\n1,"));
    // Without a description of the data.
    let x = Array2::<f32>::ones((2, 1));
    x.write_npy(File::create(place.path("x.npy")).unwrap()).unwrap();
    let text = place.succeeds("predict one.json x.npy");
    assert_eq!(text.lines().next().unwrap().split_whitespace().last(), Some("output"));
    let text = place.succeeds("predict kinds.json x.npy");
    let row: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
    assert!(row[0] == "1" && ["0", "1", "2"].contains(&row[1]), "{text}");
}

#[test]
fn arrays_need_a_file() {
    let place = Workplace::new();
    place.write(
        "image.py",
        "import keras\nmodel = keras.Sequential([keras.Input((4, 2)), keras.layers.Dense(3)])\n",
    );
    place.succeeds("convert image.py image.keras");
    let x = Array3::<f32>::ones((2, 4, 2));
    x.write_npy(File::create(place.path("x.npy")).unwrap()).unwrap();
    let shape = ["(None, 4, 3)", "-o OUT.npy"];
    place.refuses(2, "predict image.keras x.npy", &shape);
    place.refuses(2, "predict image.keras x.npy -o y.csv", &shape);
    place.succeeds("predict image.keras x.npy -o y.npy");
    let y = Array3::<Real>::read_npy(File::open(place.path("y.npy")).unwrap()).unwrap();
    assert_eq!(y.shape(), [2, 4, 3]);
}

/// Cells of the rows after a line that begins like this, up to an empty line.
fn rows_after(text: &str, head: &str) -> Vec<Vec<String>> {
    let lines = text.lines().skip_while(|line| !line.starts_with(head)).skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // Two blanks separate columns; a name may contain one.
    let cells = |line: &str| -> Vec<String> {
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(Into::into).collect()
    };
    lines.map(cells).collect()
}

#[test]
fn evaluation_scores_each_class() {
    let place = Workplace::new();
    place.train_kinds();
    let text = place.succeeds("evaluate kinds.keras --data others.csv --per-class");
    assert!(text.starts_with("Test score: "), "{text}");
    // Counted again from the predictions of the same rows.
    place.succeeds("predict kinds.keras others.csv -o y.csv");
    let (true_classes, predictions) = (place.read("others.csv"), place.read("y.csv"));
    let column = |text: &str, i: usize| -> Vec<usize> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let label = |name: &str| KINDS.iter().position(|kind| *kind == name).unwrap();
        reader.records().map(|row| label(&row.unwrap()[i])).collect()
    };
    let (true_classes, predictions) = (column(&true_classes, 1), column(&predictions, 1));
    let count = |true_class: Option<usize>, prediction: Option<usize>| {
        let is = |wanted: Option<usize>, found: usize| wanted.is_none_or(|wanted| wanted == found);
        true_classes
            .iter()
            .zip(&predictions)
            .filter(|(t, g)| is(true_class, **t) && is(prediction, **g))
            .count()
    };
    let scores = rows_after(&text, "class");
    let matrix = rows_after(&text, "true");
    assert_eq!((scores.len(), matrix.len()), (3, 3), "{text}");
    let mut n_wrong = 0;
    for k in 0..3 {
        let right = count(Some(k), Some(k)) as f64;
        let precision = right / count(None, Some(k)) as f64;
        let recall = right / count(Some(k), None) as f64;
        let f1 = 2.0 * precision * recall / (precision + recall);
        let mut expected = vec![KINDS[k].to_string()];
        expected.extend([precision, recall, f1].map(|score| format!("{score:.4}")));
        expected.push(count(Some(k), None).to_string());
        assert_eq!(scores[k], expected, "{text}");
        let mut expected = vec![KINDS[k].to_string()];
        expected.extend((0..3).map(|prediction| count(Some(k), Some(prediction)).to_string()));
        assert_eq!(matrix[k], expected, "{text}");
        n_wrong += count(Some(k), None) - count(Some(k), Some(k));
    }
    assert!(n_wrong >= 5, "{text}");

    let json = place.succeeds("evaluate kinds.keras --data others.csv --per-class --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["per_class"]["classes"][1]["class"], KINDS[1]);
    assert_eq!(json["per_class"]["confusion_matrix"][0][0], count(Some(0), Some(0)));
}

#[test]
fn mistakes_are_listed_by_probability() {
    let place = Workplace::new();
    place.train_kinds();
    let evaluate = "evaluate kinds.keras --data others.csv --mistakes";
    let text = place.succeeds(&format!("{evaluate} wrong.csv"));
    assert_eq!(text.lines().count(), 2, "{text}");
    let wrong = place.read("wrong.csv");
    assert!(wrong.starts_with("row,true_class,predicted_class,probability\n"), "{wrong}");
    place.succeeds("predict kinds.keras others.csv -o y.csv");
    let read = |text: &str| -> Vec<csv::StringRecord> {
        csv::Reader::from_reader(text.as_bytes()).records().map(Result::unwrap).collect()
    };
    let (wrong, all) = (read(&wrong), read(&place.read("y.csv")));
    let true_classes = read(&place.read("others.csv"));
    let n_wrong = (0..all.len()).filter(|i| true_classes[*i][1] != all[*i][1]).count();
    assert_eq!(wrong.len(), n_wrong);
    let mut before = Real::INFINITY;
    for row in &wrong {
        let i = row[0].parse::<usize>().unwrap() - 1;
        assert_eq!([&row[1], &row[2], &row[3]], [&true_classes[i][1], &all[i][1], &all[i][2]]);
        assert_ne!(row[1], row[2]);
        assert!(number(&row[3]) <= before);
        before = number(&row[3]);
    }
    place.refuses(2, &format!("{evaluate} others.csv"), &["overwrite"]);
    place.refuses(2, &format!("{evaluate} wrong.json"), &[".csv"]);
}

#[test]
fn a_single_output_decides_between_two_classes() {
    let place = Workplace::new();
    let rows: String = (0..60).map(|x| format!("{x},{}\n", ["no", "yes"][x / 30])).collect();
    place.write("kinds.csv", &format!("x,answer\n{rows}"));
    place.write_model("one.json", r#"{"units": 1, "activation": "sigmoid"}"#);
    place.train("one", "kinds.csv", "--target answer --loss binary_crossentropy");
    let text = place.succeeds("predict one.keras new.csv");
    let classes: Vec<&str> = text.lines().skip(1).map(|line| line.trim_start()).collect();
    assert!(classes[0].starts_with("1  no") && classes[1].starts_with("2  yes"), "{text}");
    place.write("others.csv", &format!("x,answer\n{rows}0,no\n"));
    let text = place.succeeds("evaluate one.keras --data others.csv --per-class");
    let matrix = rows_after(&text, "true");
    assert_eq!([&matrix[0][0], &matrix[1][0]], ["no", "yes"], "{text}");
    assert!(matrix[0][1].parse::<usize>().unwrap() > 25, "{text}");
    assert!(matrix[1][2].parse::<usize>().unwrap() > 25, "{text}");
}

#[test]
fn scores_of_classes_need_classes() {
    let place = Workplace::new();
    place.train("one", "numbers.csv", "--target price --ignore weight --loss mse");
    let evaluate = "evaluate one.keras --data numbers.csv";
    place.refuses(2, &format!("{evaluate} --per-class"), &["--per-class", "no classes"]);
    place.refuses(2, &format!("{evaluate} --mistakes w.csv"), &["--mistakes", "no classes"]);
}

#[test]
fn json_says_what_was_run() {
    let place = Workplace::new();
    let train = "train one.json --data numbers.csv --target price --ignore weight --loss mse \
                 --optimizer sgd --learning-rate 0.01 --momentum 0.5 --batch-size 7 --epochs 3 \
                 --test-split 0.25 --seed 4 --json --save one.keras";
    let trained: Value = serde_json::from_str(&place.succeeds(train)).unwrap();
    assert_eq!([&trained["model"], &trained["data"]], ["one.json", "numbers.csv"]);
    assert_eq!(trained["optimizer"]["class_name"], "SGD");
    assert_eq!(trained["optimizer"]["config"]["momentum"], 0.5);
    assert_eq!([&trained["batch_size"], &trained["epochs"], &trained["seed"]], [7, 3, 4]);
    assert_eq!(trained["split"]["train"], 90);
    assert_eq!(trained["split"]["test"], 30);
    assert_eq!(trained["split"]["test_split"], 0.25);
    assert_eq!(trained["command"][1], "train");
    assert!(trained["loss"].is_f64() && trained["history"]["loss"].is_array(), "{trained}");

    let evaluate = "evaluate one.keras --data numbers.csv --json";
    let evaluated: Value = serde_json::from_str(&place.succeeds(evaluate)).unwrap();
    assert_eq!([&evaluated["model"], &evaluated["data"]], ["one.keras", "numbers.csv"]);
    assert_eq!([&evaluated["batch_size"], &evaluated["epochs"], &evaluated["seed"]], [7, 3, 4]);
    assert_eq!(evaluated["optimizer"], trained["optimizer"]);
    // The samples that were held out.
    assert_eq!(evaluated["split"]["test"], trained["split"]["test"]);
    assert_eq!(evaluated["split"]["test_split"], 0.25);
    let table = fs::read_to_string(place.path("numbers.csv")).unwrap();
    let first: Vec<&str> = table.lines().take(41).collect();
    fs::write(place.path("others.csv"), first.join("\n")).unwrap();
    let others = "evaluate one.keras --data others.csv --json";
    let others: Value = serde_json::from_str(&place.succeeds(others)).unwrap();
    assert_eq!(others["split"]["test"], 40);
    assert!(others["split"]["test_split"].is_null(), "{others}");
    // Files hold 32 bits of each weight.
    if cfg!(not(tallynet_f64)) {
        assert_eq!(evaluated["fingerprint"], trained["fingerprint"]);
    }
}

#[test]
fn outputs_that_are_nan_name_no_class() {
    let softmax = Dense::new(3).activation("softmax");
    let model = Sequential::builder([2]).add(softmax).build(0).unwrap();
    let Form::Classes(classes) = Form::of(&model) else { panic!("no classes") };
    let mut outputs = ArrayD::from_elem(vec![2, 3], 0.25 as Real);
    assert!(classes.predictions(outputs.clone()).is_ok());
    outputs[[1, 2]] = Real::NAN;
    let error = classes.predictions(outputs).unwrap_err().to_string();
    assert!(error.contains("sample 2 (from 1) are NaN"), "{error}");
}
