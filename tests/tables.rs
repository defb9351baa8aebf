//! Tables in text: layout, columns, targets, encoding of later tables, splits, and bad input.

use std::time::{Duration, Instant};

use ndarray::{ArrayD, array};
use proptest::prelude::*;
use tallynet::datasets::table::{
    EncodedTable, LearnedTable, Statistics, TableOptions, Task, encode_from, encode_inputs,
    learn_from,
};
use tallynet::datasets::{Column, DataDescription, Dataset, Inputs, Targets, split};
use tallynet::initializers::Initializer;
use tallynet::layers::{Dense, Normalization};
use tallynet::model::Sequential;
use tallynet::optimizers::Adam;
use tallynet::training::FitOptions;
use tallynet::{Error, Real, formats};

/// Options of a target and ignored columns, both separated by commas.
fn options(target: &str, ignored: &str) -> TableOptions {
    let names = |list: &str| list.split(',').filter(|n| !n.is_empty()).map(String::from).collect();
    TableOptions { targets: names(target), ignored: names(ignored), task: None }
}

fn learn(text: &str, target: &str) -> LearnedTable {
    learn_from(text.as_bytes(), &options(target, "")).unwrap_or_else(|error| panic!("{error}"))
}

fn problem(text: impl AsRef<[u8]>, target: &str) -> String {
    learn_from(text.as_ref(), &options(target, "")).unwrap_err().to_string()
}

fn reals(x: &Inputs) -> &ArrayD<Real> {
    let Inputs::Reals(values) = x else { panic!("no numbers") };
    values
}

fn labels(y: &Targets) -> Vec<u32> {
    let Targets::Labels(labels) = y else { panic!("no labels") };
    labels.iter().copied().collect()
}

fn numbers(y: &Targets) -> &ArrayD<Real> {
    let Targets::Reals(values) = y else { panic!("no numbers") };
    values
}

/// A text contains all of these.
#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn columns_become_numbers_and_one_hot_vectors() {
    let table = learn("size,color,kind\n1.5,red,b\n-2,blue,a\n3e1,red,b\n", "kind");
    let expected = array![[1.5, 0.0, 1.0], [-2.0, 1.0, 0.0], [30.0, 0.0, 1.0]];
    assert_eq!(reals(&table.data.x), &expected.into_dyn());
    assert_eq!(labels(&table.data.y), [1, 0, 1]);
    let color = vec!["blue".to_string(), "red".to_string()];
    let description = DataDescription {
        classes: vec!["a".into(), "b".into()],
        targets: vec!["kind".into()],
        columns: vec![
            Column::Numeric { name: "size".into() },
            Column::Categorical { name: "color".into(), values: color },
        ],
        ..DataDescription::default()
    };
    assert_eq!(table.description, description);
    assert_says(&table.summary, &["3 rows", "1 columns of numbers", "\"color\" 2", "2 strings"]);
}

#[test]
fn separators_quotes_headers_and_encodings_are_found_out() {
    let plain = learn("a,b,y\n1,2,u\n3,4,v\n", "y");
    for text in [
        "a;b;y\n1;2;u\n3;4;v\n",
        "a\tb\ty\n1\t2\tu\n3\t4\tv\n",
        "a|b|y\r\n1|2|u\r\n3|4|v\r\n",
        "\u{feff}a,b,y\n1,2,u\n3,4,v",
        "\"a\",\"b\",\"y\"\n\"1\",\"2\",\"u\"\n\"3\",\"4\",\"v\"\n",
        " a , b , y \n 1, 2, u\n 3, 4, v \n\n  \n",
        "a;b;y\n1,0;2,0;u\n3,0;4,0;v\n",
        ",a,b,y\n0,1,2,u\n1,3,4,v\n",
    ] {
        let table = learn(text, "y");
        assert_eq!(reals(&table.data.x), reals(&plain.data.x), "{text:?}");
        assert_eq!(table.description, plain.description, "{text:?}");
    }
    let latin = b"a,gr\xf6\xdfe,y\n1,Stra\xdfe,u\n3,Weg,v\n";
    let table = learn_from(&latin[..], &options("y", "")).unwrap();
    let Column::Categorical { name, values } = &table.description.columns[1] else { panic!() };
    assert_eq!((&name[..], &values[..]), ("größe", &["Straße".to_string(), "Weg".into()][..]));
}

#[test]
fn quotes_hold_separators_quotes_and_newlines() {
    let table = learn("name,x,y\n\"a, \"\"b\"\"\nc\",1,u\nd,2,v\n", "y");
    let Column::Categorical { values, .. } = &table.description.columns[0] else { panic!() };
    assert_eq!(values, &["a, \"b\"\nc", "d"]);
}

#[test]
fn a_header_is_told_from_data() {
    for (text, target, names) in [
        ("1,2,0\n3,4,1\n5,6,0\n7,8,1\n", "3", vec!["1", "2"]),
        ("red,2,u\nblue,4,v\n", "3", vec!["1", "2"]),
        ("red,big,u\nred,small,v\n", "3", vec!["1", "2"]),
        ("color,size,y\nred,big,u\nred,small,v\n", "y", vec!["color", "size"]),
        ("0,1,2,3\n5,6,7,u\n5,6,8,v\n", "3", vec!["0", "1", "2"]),
        ("land,1990,1991,1992\nA,4,6,1.5\nB,5,7,2.5\n", "1992", vec!["land", "1990", "1991"]),
        ("2019,2021\n1.5,3.5\n2.5,4.5\n", "2021", vec!["2019"]),
    ] {
        let table = learn(text, target);
        let found: Vec<&str> = table.description.columns.iter().map(name).collect();
        assert_eq!(found, names, "{text:?}");
    }
}

fn name(column: &Column) -> &str {
    match column {
        Column::Numeric { name } | Column::Categorical { name, .. } => name,
    }
}

#[test]
fn a_decimal_comma_needs_semicolons_and_no_doubt() {
    let table = learn("a;y\n1,5;2,25\n0,125;3,5\n", "y");
    assert_eq!(reals(&table.data.x), &array![[1.5], [0.125]].into_dyn());
    assert_eq!(numbers(&table.data.y), &array![[2.25], [3.5]].into_dyn());
    assert_says(&problem("a;y\n1,234;2\n5,678;3\n", "y"), &["row 2: 1,234", "thousands"]);
    // One clear decimal comma decides for the others.
    assert_eq!(reals(&learn("a;y\n1,234;2\n5,67;3\n", "y").data.x)[[0, 0]], 1.234);
    let mixed = "a;y\n1.5;2\n2.5;2\n1,5;3\n";
    assert_says(&problem(mixed, "y"), &["row 3 (line 4)", "\"a\"", "\"1,5\"", "'.'"]);
}

#[test]
fn targets_are_classes_or_numbers() {
    let text = |y: &[f64]| {
        let rows: Vec<String> = y.iter().map(|y| format!("1,{y}\n")).collect();
        format!("a,y\n{}", rows.concat())
    };
    let integers = learn(&text(&[3.0, 5.0, 3.0, 4.0, 5.0, 4.0]), "y");
    assert_eq!(integers.task, Task::Classification);
    assert_eq!(integers.description.classes, ["3", "4", "5"]);
    assert_eq!(labels(&integers.data.y), [0, 2, 0, 1, 2, 1]);
    assert_says(&integers.summary, &["3 different integers, 3 to 5", "--task regression"]);

    for y in [&[0.5, 1.5, 0.5, 1.5][..], &[1.0, 2.0, 3.0, 4.0, 5.0, 5.0]] {
        let table = learn(&text(y), "y");
        assert_eq!(table.task, Task::Regression, "{y:?}");
        assert_eq!(numbers(&table.data.y).shape(), [y.len(), 1]);
        assert!(table.description.classes.is_empty());
    }
    let many: Vec<f64> = (0..3000).map(|i| f64::from(i % 1500)).collect();
    assert_says(&learn(&text(&many), "y").summary, &["regression", "more than 1000"]);

    let asked = |task| TableOptions { task: Some(task), ..options("y", "") };
    let few = text(&[0.0, 1.0, 0.0, 1.0]);
    let regression = learn_from(few.as_bytes(), &asked(Task::Regression)).unwrap();
    assert_eq!(numbers(&regression.data.y), &array![[0.0], [1.0], [0.0], [1.0]].into_dyn());
    let halves = text(&[0.5, 1.5, 0.5]);
    let classes = learn_from(halves.as_bytes(), &asked(Task::Classification)).unwrap();
    assert_eq!(classes.description.classes, ["0.5", "1.5"]);
    let texts = learn_from("a,y\n1,u\n2,v\n".as_bytes(), &asked(Task::Regression)).unwrap_err();
    assert_says(&texts.to_string(), &["regression needs numbers", "\"u\", \"v\""]);
    let too_many = learn_from(text(&many).as_bytes(), &asked(Task::Classification)).unwrap_err();
    assert_says(&too_many.to_string(), &["more than 1000 different numbers"]);
}

#[test]
fn several_targets_are_numbers() {
    let text = "a,y,z\n1,2,1\n3,4,0\n";
    let table = learn(text, "z,y");
    assert_eq!(numbers(&table.data.y), &array![[1.0, 2.0], [0.0, 4.0]].into_dyn());
    assert_eq!(table.description.targets, ["z", "y"]);
    assert_says(&problem("a,y,z\n1,2,u\n3,4,v\n", "y,z"), &["\"z\" holds strings", "several"]);
    let flags = TableOptions { task: Some(Task::Classification), ..options("y,z", "") };
    let error = learn_from(text.as_bytes(), &flags).unwrap_err();
    assert_says(&error.to_string(), &["row 1", "\"y\" is 2", "0 or 1"]);
}

#[test]
fn later_tables_are_encoded_by_the_names_of_their_columns() {
    let description = learn("size,color,kind\n1,red,b\n2,blue,a\n3,red,b\n", "kind").description;
    let encode = |text: &str| encode_from(text.as_bytes(), &description);
    let EncodedTable { x, y, .. } = encode("kind,id,color,size\na,7,blue,9\nb,8,red,5\n").unwrap();
    assert_eq!(reals(&x), &array![[9.0, 1.0, 0.0], [5.0, 0.0, 1.0]].into_dyn());
    assert_eq!(labels(&y.unwrap()), [0, 1]);
    // One row, without the target, separated otherwise; without a header in the training's order.
    for text in ["color;size\nred;4,5\n", "4.5,red\n"] {
        let EncodedTable { x, y, .. } = encode(text).unwrap();
        assert_eq!(reals(&x), &array![[4.5, 0.0, 1.0]].into_dyn(), "{text:?}");
        assert!(y.is_none());
    }
    for (text, parts) in [
        ("color,size\nred,1\ngreen,2\n", &["row 2 (line 3)", "\"green\"", "\"blue\", \"red\""][..]),
        (
            "color,size\nred,1\nred,big\n",
            &["row 2 (line 3)", "\"size\" is a column of numbers", "\"big\""],
        ),
        ("colour,size\nred,1\n", &["no column \"color\"", "mean \"colour\""]),
        ("color,size,kind\nred,1,c\n", &["row 1", "\"kind\"", "\"c\"", "\"a\", \"b\""]),
        ("1,red,b,4\n2,red,a,5\n", &["4 columns and no header", "2 inputs", "\"size\""]),
    ] {
        assert_says(&encode(text).unwrap_err().to_string(), parts);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.csv");
    std::fs::write(&path, "kind,size,color\n,9,blue\n?,5,red\n").unwrap();
    let x = encode_inputs(&path, &description).unwrap();
    assert_eq!(reals(&x), &array![[9.0, 1.0, 0.0], [5.0, 0.0, 1.0]].into_dyn());
    assert_says(
        &encode(&std::fs::read_to_string(&path).unwrap()).unwrap_err().to_string(),
        &["missing"],
    );
    let error = encode_from("a\n1\n".as_bytes(), &DataDescription::default()).unwrap_err();
    assert_says(&error.to_string(), &["not trained on a table"]);
}

#[test]
fn later_tables_without_a_header_are_encoded_by_position() {
    let description = learn("u,1,2\nv,3,4\nu,5,6\n", "1").description;
    for (text, has_target) in [("v,7,8\n", true), ("7,8\n", false)] {
        let table = encode_from(text.as_bytes(), &description).unwrap();
        assert_eq!(reals(&table.x), &array![[7.0, 8.0]].into_dyn(), "{text:?}");
        assert_eq!(table.y.is_some(), has_target);
    }
}

#[test]
fn integers_as_categories_and_classes_are_read_alike_later() {
    let description = learn("c,x,y\n1a,1,7\n2,2,9\n3b,3,7\n1a,2,9\n", "y").description;
    let table = encode_from("c,x,y\n2,5,9\n2,6,7.0\n".as_bytes(), &description).unwrap();
    assert_eq!(reals(&table.x).row_sum(), [6.0, 7.0]);
    assert_eq!(labels(&table.y.unwrap()), [1, 0]);
    let error = encode_from("c,x,y\n2,5,8\n".as_bytes(), &description).unwrap_err();
    assert_says(&error.to_string(), &["row 1", "8", "\"7\", \"9\""]);
}

trait RowSum {
    fn row_sum(&self) -> Vec<Real>;
}

impl RowSum for ArrayD<Real> {
    fn row_sum(&self) -> Vec<Real> {
        self.rows().into_iter().map(|row| row.sum()).collect()
    }
}

#[test]
fn statistics_are_those_of_numbers_only() {
    let table = learn("a,b,c,y\n1,7,u,1.5\n2,7,v,2.5\n6,7,u,3.5\n", "y");
    let statistics = Statistics::of(&table.data.x, &table.description).unwrap();
    assert_eq!(statistics.mean, [3.0, 7.0, 0.0, 0.0]);
    assert!((statistics.variance[0] - 14.0 / 3.0).abs() <= 4.0 * Real::EPSILON);
    assert_eq!(statistics.variance[1..], [1.0, 1.0, 1.0]);
    let large = learn("a,y\n-3e38,1.5\n3e38,2.5\n", "y");
    // The variance of these numbers is finite in 64 bits.
    match Statistics::of(&large.data.x, &large.description) {
        Ok(_) if cfg!(tallynet_f64) => {}
        Ok(statistics) => panic!("{statistics:?}"),
        Err(error) => assert_says(&error.to_string(), &["feature 1", "too far apart"]),
    }
}

#[test]
fn bad_tables_are_refused_with_their_place() {
    let few: String = (0..30).map(|i| format!("id{i},{i},{}\n", ["u", "v"][i % 2])).collect();
    assert_says(
        &problem(format!("name,a,y\n{few}"), "y"),
        &["another string in each of the 30 rows"],
    );
    let many: String = (0..10_000).map(|i| format!("id{i},{i},u\n")).collect();
    for (text, target, parts) in [
        ("a,b,y\n1,2,u\n3,v\n", "y", &["row 2 (line 3): 2 values; the header has 3"][..]),
        ("a,b,y\n1,2,u\n3,4,5,v\n", "y", &["row 2 (line 3): 4 values; the header has 3"]),
        ("1,2,0\n3,4,1\n5,6\n", "3", &["row 3 (line 3): 2 values; the first row has 3"]),
        (
            "a,spezies\n1,u\n2,v\n",
            "species",
            &["no column \"species\"", "mean \"spezies\"", "\"a\""],
        ),
        ("a,y\n1,u\n2,u\n", "y", &["\"y\" is \"u\" in every row", "two classes"]),
        ("a,y\n1,1\n2,1\n", "y", &["\"y\" is \"1\" in every row"]),
        ("a,y\n1,u\n2,v\nx,u\n", "y", &["row 3 (line 4)", "\"a\" is a column of numbers", "\"x\""]),
        ("a,y\n1,u\n,v\nNA,u\n4,?\n", "y", &["\"a\", row 2 (line 3), 2 in all", "\"y\", row 4"]),
        ("a,y\n", "y", &["header and no rows", "\"a\", \"y\""]),
        ("", "y", &["empty"]),
        (" \n\n", "y", &["empty"]),
        ("a,a,y\n1,2,u\n3,4,v\n", "y", &["columns 1 and 2 are both called \"a\""]),
        ("a,y\n1e400,u\n2,v\n", "y", &["row 1 (line 2)", "1e400", "not finite"]),
        ("a,y\ninf,u\n2,v\n", "y", &["row 1 (line 2)", "inf", "not finite"]),
        ("a,y\n1,u\n2,\"v\n3,u\n", "y", &["row 2: a quote opens and never closes"]),
        ("a,y\n1,u\n2,\"v\n3,u", "y", &["row 2: a quote opens and never closes"]),
        ("a,y\n1,\"u\n2,v\",9\n3,u\n", "y", &["quote that opens in this row"]),
        ("y\n1\n2\n", "y", &["no column is left for the inputs"]),
        ("a,y\n1,u\n2,v\n", "y,y", &["named twice"]),
        ("a,y\n1,u\n2,v\n", "", &["needs a target column", "\"a\", \"y\""]),
        (&format!("name,a,y\n{many}"), "y", &["row 1001", "\"name\"", "more than 1000", "ignore"]),
        (&format!("name,a,y\n{many}"), "name", &["row 1001", "\"name\"", "more than 1000"]),
    ] {
        let start = Instant::now();
        assert_says(&problem(text, target), parts);
        assert!(start.elapsed() < Duration::from_secs(1));
    }
    for (bytes, parts) in [
        (&b"a,y\n1,\0\n2,v\n"[..], "binary"),
        (&b"\xff\xfea\0,\0y\0\n\0"[..], "UTF-16"),
        (b"PK\x03\x04\x14\0\0\0\x08\0", "Excel"),
        (b"\x1f\x8b\x08\0abc", "gzip"),
        (b"<!doctype html><html>a,b</html>\n1,2\n", "web page"),
    ] {
        assert_says(&problem(bytes, "y"), &[parts]);
    }
    let mut late = b"c,a,y\n".to_vec();
    late.extend(b"k,1,u\nl,2,v\n".repeat(100_000));
    late.extend(b"k\0,1,u\n");
    assert_says(&problem(&late, "y"), &["row 200001", "\"c\"", "NUL"]);
    let long = format!("c,a,y\nk,1,u\n{},2,v\n", "x".repeat(2000));
    assert_says(&problem(&long, "y"), &["row 2", "2000 bytes", "quotes"]);
}

#[test]
fn columns_can_be_ignored() {
    let many: String = (0..3000).map(|i| format!("id{i},{i},u,\nid{i},{i},v,\n")).collect();
    let text = format!("name,a,y,note\n{many}");
    let table = learn_from(text.as_bytes(), &options("y", "name,note")).unwrap();
    assert_eq!(table.data.x.shape(), [6000, 1]);
    let error = learn_from(text.as_bytes(), &options("y", "nam")).unwrap_err();
    assert_says(&error.to_string(), &["mean \"name\""]);
    let error = learn_from(text.as_bytes(), &options("y", "y")).unwrap_err();
    assert_says(&error.to_string(), &["both a target and ignored"]);
}

/// Rows of two numbers and a color, with a text class that depends on all three.
fn flowers(n: usize) -> String {
    let mut text = String::from("length;width;color;species\n");
    for i in 0..n {
        let (a, b, c) = (i * 7919 % 1000, i * 104_729 % 997, i * 31 % 3);
        let (length, width) = (500.0 + a as f64 / 4.0, 0.001 * b as f64);
        let color = ["red", "green", "blue"][c];
        let class = match length / 1000.0 + width > 1.2 {
            true if c == 0 => "ruby",
            true => "iris",
            false => "moss",
        };
        text += &format!("{length:.2};{width:.4};{color};{class}\n").replace('.', ",");
    }
    text
}

#[test]
fn a_model_of_a_table_is_trained_saved_and_used_by_names() {
    let text = flowers(2000);
    let table = learn(&text, "species");
    let (train, test) = split::shuffled(table.data, 0.2, 0).unwrap();
    let statistics = Statistics::of(&train.x, &table.description).unwrap();
    let mut model = Sequential::builder([5])
        .add(Dense::new(16).activation("relu"))
        .add(Dense::new(3).activation("softmax"))
        .build(0)
        .unwrap()
        .standardized(&statistics)
        .unwrap();
    let adam = Adam::new(0.01);
    model.compile(adam, "sparse_categorical_crossentropy", &["accuracy"]).unwrap();
    model.data = Some(table.description);
    let options = FitOptions { epochs: 30, ..FitOptions::default() };
    model.fit(&train, options, &mut []).unwrap();
    let accuracy = model.evaluate(&test).unwrap().metrics[0].1;
    assert!(accuracy > 0.95, "{accuracy}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flowers.keras");
    formats::save(&model, &path).unwrap();
    let loaded = formats::load(&path).unwrap().model;
    let description = loaded.data.clone().unwrap();
    assert_eq!(description.classes, ["iris", "moss", "ruby"]);
    let new = "color;width;length\nblue;0,9;700\nred;0,9;700\nred;0,1;500\n";
    let new = encode_from(new.as_bytes(), &description).unwrap();
    let probabilities = loaded.predict(&new.x).unwrap();
    for (row, class) in [0, 2, 1].into_iter().enumerate() {
        assert!(probabilities[[row, class]] > 0.5, "{probabilities}");
    }
}

#[test]
fn a_model_that_begins_with_a_normalization_is_adapted() {
    let statistics = Statistics { mean: vec![5.0, 100.0], variance: vec![4.0, 25.0] };
    let x = Inputs::Reals(array![[7.0, 95.0]].into_dyn());
    let ones = Initializer::Ones {};
    let dense = || Dense { kernel_initializer: ones.clone(), ..Dense::new(1) };
    let given =
        Normalization { mean: Some(vec![6.0]), variance: Some(vec![1.0]), ..Default::default() };
    for (builder, n_layers, output) in [
        (Sequential::builder([2]).add(dense()), 2, 0.0),
        (Sequential::builder([2]).add(Normalization::default()).add(dense()), 2, 0.0),
        (Sequential::builder([2]).add(given).add(dense()), 2, 90.0),
    ] {
        let model = builder.build(0).unwrap().standardized(&statistics).unwrap();
        assert_eq!(model.layers().len(), n_layers);
        assert_eq!(model.predict(&x).unwrap()[[0, 0]], output);
    }
    let three = Sequential::builder([3]).add(Dense::new(1)).build(0).unwrap();
    let error = three.standardized(&statistics).unwrap_err().to_string();
    assert_says(&error, &["mean", "(3,)", "(2,)"]);
}

fn labeled(labels: &[u32]) -> Dataset {
    let n = labels.len();
    let x = ArrayD::from_shape_fn(vec![n, 2], |i| (i[0] * 2 + i[1]) as Real);
    Dataset { x: Inputs::Reals(x), y: Targets::Labels(ndarray::arr1(labels).into_dyn()) }
}

#[test]
fn a_target_without_a_name_is_refused() {
    let error = problem(",size\na,1\nb,2\nc,3\n", "1");
    assert!(error.contains("column 1, which has no name"), "{error}");
}

#[test]
fn a_shuffled_split_keeps_the_shares_of_the_classes() {
    let all: Vec<u32> = (0..100).map(|i| u32::from(i % 10 == 0) + 2 * u32::from(i == 55)).collect();
    let (train, test) = split::shuffled(labeled(&all), 0.2, 7).unwrap();
    assert_eq!((train.len(), test.len()), (80, 20));
    let count = |y: &Targets, label| labels(y).iter().filter(|other| **other == label).count();
    assert_eq!([0, 1, 2].map(|label| count(&test.y, label)), [18, 2, 0]);
    assert_eq!([0, 1, 2].map(|label| count(&train.y, label)), [71, 8, 1]);
    // Each sample is in one part, with its label, in the order of the data.
    let mut rows = vec![];
    for part in [&train, &test] {
        let x = reals(&part.x);
        let firsts: Vec<usize> = x.rows().into_iter().map(|row| row[0] as usize / 2).collect();
        assert!(firsts.is_sorted());
        for (row, label) in firsts.iter().zip(labels(&part.y)) {
            assert_eq!(all[*row], label);
        }
        rows.extend(firsts);
    }
    rows.sort_unstable();
    assert_eq!(rows, (0..100).collect::<Vec<_>>());
    let again = split::shuffled(labeled(&all), 0.2, 7).unwrap().1;
    assert_eq!(reals(&again.x), reals(&test.x));
    let other = split::shuffled(labeled(&all), 0.2, 8).unwrap().1;
    assert_ne!(reals(&other.x), reals(&test.x));
}

#[test]
fn a_split_that_leaves_a_side_empty_is_refused() {
    for (n, fraction) in [(10, 0.0), (10, 1.0), (10, -1.0), (10, f64::NAN), (0, 0.5), (1, 0.5)] {
        let error = split::shuffled(labeled(&vec![0; n]), fraction, 0).unwrap_err();
        assert!(matches!(error, Error::Option { .. }), "{n} {fraction}");
    }
    let numbers = Targets::Reals(ArrayD::zeros(vec![4, 1]));
    let data = Dataset { y: numbers, ..labeled(&[0, 1, 2, 3]) };
    assert_eq!(split::shuffled(data, 0.25, 0).unwrap().1.len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = learn_from(&bytes[..], &options("1", ""));
        let _ = learn_from(&bytes[..], &options("y", "2"));
    }

    #[test]
    fn any_text_of_a_table_is_read_or_refused(text in "[ab1-9.,;|\"\\n\\r\té?-]{0,200}") {
        for target in ["1", "2", "a"] {
            if let Ok(table) = learn_from(text.as_bytes(), &options(target, "")) {
                let n = table.data.len();
                prop_assert_eq!(table.data.x.shape(), [n, table.description.n_features()]);
                let encoded = encode_from(text.as_bytes(), &table.description);
                // The first rows decide about a header by the names that are known.
                if let Ok(encoded) = encoded {
                    prop_assert_eq!(encoded.x.shape()[1], table.description.n_features());
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec((-1e6f32..1e6, "[a-c]{1,2}", 0u8..2), 4..40),
        separator in prop::sample::select(vec![',', ';', '\t', '|']),
    ) {
        let mut text = format!("number{separator}text{separator}y\n");
        for (number, word, class) in &rows {
            text += &format!("{number}{separator}\"{word}\"{separator}c{class}\n");
        }
        let has_two = rows.iter().any(|row| row.2 == 0) && rows.iter().any(|row| row.2 == 1);
        let table = learn_from(text.as_bytes(), &options("y", ""));
        prop_assert_eq!(table.is_ok(), has_two);
        if let Ok(table) = table {
            let x = reals(&table.data.x);
            for (i, (number, word, class)) in rows.iter().enumerate() {
                prop_assert_eq!(x[[i, 0]], number.to_string().parse::<Real>().unwrap());
                let Column::Categorical { values, .. } = &table.description.columns[1] else {
                    panic!("no strings");
                };
                let index = values.iter().position(|value| value == word).unwrap();
                prop_assert_eq!(x[[i, 1 + index]], 1.0);
                prop_assert_eq!(labels(&table.data.y)[i], u32::from(*class));
            }
            let again = encode_from(text.as_bytes(), &table.description).unwrap();
            prop_assert_eq!(reals(&again.x), x);
        }
    }
}
