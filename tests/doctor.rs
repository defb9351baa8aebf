//! Examination of data before a training: one fault, one finding; good data, none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Instant;

use ndarray::{Array1, Array2, ArrayD, IxDyn};
use ndarray_npy::NpzWriter;
use serde_json::Value;
use tallynet::Real;
use tallynet::datasets::doctor::{
    Effort, Examination, InputUse, Severity, Subject, TargetUse, examine,
};
use tallynet::datasets::{self, Column, DataDescription, Dataset, Inputs, Targets};
use tallynet::layers::{Dense, Embedding, Flatten, Normalization, Rescaling};
use tallynet::losses::CategoricalCrossentropy;
use tallynet::model::{Sequential, presets};
use tallynet::report::FirstLosses;
use tempfile::TempDir;

mod common;
use common::{Run, run, run_in};

/// Numbers without order, about 1 and around 0.
fn noise(row: usize, column: usize) -> Real {
    let mut state = (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state ^= (column as u64 + 1) << 20;
    for _ in 0..3 {
        state ^= state >> 31;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    }
    (state >> 40) as Real / (1u64 << 23) as Real * 1.5 - 1.5
}

/// Class of a row, of three.
fn class(row: usize) -> u32 {
    (noise(row, 99).abs() * 1000.0) as u32 % 3
}

/// Inputs of this many rows of 6 numbers; `seed` keeps sets apart.
fn inputs(rows: usize, seed: usize) -> ArrayD<Real> {
    ArrayD::from_shape_fn(IxDyn(&[rows, 6]), |i| noise(i[0] + seed, i[1]))
}

fn set(x: ArrayD<Real>, labels: Vec<u32>) -> Dataset {
    Dataset { x: Inputs::Reals(x), y: Targets::Labels(Array1::from(labels).into_dyn()) }
}

/// Good data: 200 samples of three classes.
fn good() -> Dataset {
    set(inputs(200, 0), (0..200).map(class).collect())
}

fn good_test() -> Dataset {
    set(inputs(60, 1000), (0..60).map(|row| class(row + 1000)).collect())
}

/// Rules of the findings that are not notes, with their severity.
fn rules(examination: &Examination) -> Vec<String> {
    let findings = examination.findings.iter().filter(|each| each.severity != Severity::Note);
    findings.map(|finding| format!("{:?} {}", finding.severity, finding.rule)).collect()
}

fn change(data: Dataset, mut change: impl FnMut(usize, usize, &mut Real)) -> Dataset {
    let Inputs::Reals(mut x) = data.x else { unreachable!() };
    for (position, value) in x.indexed_iter_mut() {
        change(position[0], position[1], value);
    }
    Dataset { x: Inputs::Reals(x), y: data.y }
}

fn relabel(data: Dataset, label: impl Fn(usize) -> u32) -> Dataset {
    let labels: Vec<u32> = (0..data.len()).map(label).collect();
    Dataset { x: data.x, y: Targets::Labels(Array1::from(labels).into_dyn()) }
}

fn with_targets(targets: ArrayD<Real>) -> Dataset {
    Dataset { x: good().x, y: Targets::Reals(targets) }
}

/// Numbers as targets, one for each row.
fn regression(target: impl Fn(usize) -> Real) -> Dataset {
    with_targets(ArrayD::from_shape_fn(IxDyn(&[200, 1]), |i| target(i[0])))
}

#[test]
fn one_fault_gives_one_finding() {
    let sorted: Vec<u32> = (0..200).map(|row| row as u32 * 3 / 200).collect();
    let cases: Vec<(&str, Dataset)> = vec![
        ("", good()),
        (
            "Problem not-finite",
            change(good(), |i, j, x| {
                if (i, j) == (7, 2) {
                    *x = Real::NAN
                }
            }),
        ),
        ("Problem unscaled-inputs", change(good(), |_, _, x| *x *= 100.0)),
        ("Odd unscaled-inputs", change(good(), |_, _, x| *x *= 25.0)),
        (
            "Problem unscaled-inputs",
            change(good(), |_, j, x| {
                if j == 3 {
                    *x *= 5e4
                }
            }),
        ),
        ("Odd small-inputs", change(good(), |_, _, x| *x *= 1e-4)),
        (
            "Odd offset-inputs",
            change(good(), |_, j, x| {
                if j == 1 {
                    *x = *x / 20.0 + 9.0
                }
            }),
        ),
        (
            "Odd constant-features",
            change(good(), |_, j, x| {
                if j == 4 {
                    *x = 0.5
                }
            }),
        ),
        ("Problem constant-features", change(good(), |_, _, x| *x = 0.5)),
        (
            "Odd duplicate-features",
            change(good(), |i, j, x| {
                if j == 5 {
                    *x = noise(i, 2)
                }
            }),
        ),
        ("Problem one-class", relabel(good(), |_| 2)),
        ("Odd missing-classes", relabel(good(), |row| [0, 1, 3][class(row) as usize])),
        ("Odd labels-from-1", relabel(good(), |row| class(row) + 1)),
        ("Odd imbalance", relabel(good(), |row| u32::from(row % 8 == 0))),
        ("Odd rare-class", relabel(good(), |row| if row == 77 { 2 } else { class(row) % 2 })),
        ("Odd ordered-samples", relabel(good(), |row| sorted[row])),
        (
            "Odd duplicate-samples",
            change(good(), |i, j, x| {
                if i >= 190 {
                    *x = noise(i - 190, j)
                }
            }),
        ),
        (
            "Problem target-in-inputs",
            change(good(), |i, j, x| {
                if j == 3 {
                    *x = [0.5, -1.0, 2.0][class(i) as usize]
                }
            }),
        ),
        (
            "Odd target-in-inputs",
            change(good(), |i, j, x| {
                if j == 3 {
                    *x = Real::from(class(i) == 1)
                }
            }),
        ),
        ("", regression(|row| noise(row, 50) * 9.0)),
        ("Problem constant-target", regression(|_| 3.0)),
        // Grades from 3 to 8 are numbers, and classes without gaps are classes.
        ("", regression(|row| 3.0 + (noise(row, 50).abs() * 1000.0) as u32 as Real % 6.0)),
        ("Odd imbalance", regression(|row| Real::from(row % 9 == 0))),
        ("Odd ordered-samples", regression(|row| row as Real / 7.0)),
        ("Problem target-in-inputs", regression(|row| noise(row, 4) * 1.8 + 32.0)),
        (
            "Problem not-finite",
            regression(|row| if row == 9 { Real::INFINITY } else { noise(row, 50) }),
        ),
        ("Odd few-samples", set(inputs(5, 0), vec![0, 1, 0, 1, 1])),
        ("Problem few-samples", set(inputs(1, 0), vec![0])),
        ("Problem few-samples", set(ArrayD::zeros(IxDyn(&[0, 6])), vec![])),
    ];
    for (i, (expected, data)) in cases.iter().enumerate() {
        let examination = examine(&Subject::new(data)).unwrap();
        let expected: Vec<&str> =
            Some(*expected).filter(|rule| !rule.is_empty()).into_iter().collect();
        assert_eq!(rules(&examination), expected, "case {i}: {:#?}", examination.findings);
        for finding in &examination.findings {
            let texts = [&finding.found, &finding.place, &finding.reason, &finding.remedy];
            assert!(texts.iter().all(|text| text.len() > 5), "{finding:#?}");
        }
    }
}

#[test]
fn rare_classes_are_counted_together() {
    let found = |label: fn(usize) -> u32| {
        let data = relabel(good(), label);
        let findings = examine(&Subject::new(&data)).unwrap().findings;
        findings.into_iter().find(|finding| finding.rule == "rare-class").unwrap().found
    };
    assert_eq!(found(|row| if row == 7 { 2 } else { class(row) % 2 }), "class 2 has 1 sample");
    let two = |row| if row == 7 || row == 77 { 2 } else { class(row) % 2 };
    assert_eq!(found(two), "class 2 has 2 samples");
    let several = |row| match row {
        7 => 2,
        77 | 99 => 3,
        _ => class(row) % 2,
    };
    assert_eq!(found(several), "classes 2, 3 have 1 or 2 samples each");
}

#[test]
fn the_test_set_is_compared_with_the_training_set() {
    let copied = change(good_test(), |i, j, x| {
        if i < 20 {
            *x = noise(i, j)
        }
    });
    let cases: Vec<(&str, Dataset)> = vec![
        ("", good_test()),
        ("Problem leaked-samples", copied),
        ("Problem other-scale", change(good_test(), |_, _, x| *x *= 200.0)),
        (
            "Problem not-finite",
            change(good_test(), |i, _, x| {
                if i == 3 {
                    *x = Real::NAN
                }
            }),
        ),
        ("Problem unseen-classes", relabel(good_test(), |row| row as u32 % 4)),
    ];
    let train = good();
    for (expected, test) in &cases {
        let subject = Subject { test: Some(test), ..Subject::new(&train) };
        let examination = examine(&subject).unwrap();
        let expected: Vec<&str> =
            Some(*expected).filter(|rule| !rule.is_empty()).into_iter().collect();
        assert_eq!(rules(&examination), expected, "{:#?}", examination.findings);
    }
    // Few different inputs: copies are natural, and no leak.
    let binary = |seed: usize| {
        let round = |value: Real| if value > 0.0 { 1.0 } else { 0.0 };
        let data = set(inputs(200, seed), (0..200).map(|row| class(row + seed)).collect());
        change(data, |_, _, x| *x = round(*x))
    };
    let (train, test) = (binary(0), binary(5000));
    let subject = Subject { test: Some(&test), ..Subject::new(&train) };
    let found = rules(&examine(&subject).unwrap());
    assert_eq!(found, ["Odd duplicate-samples", "Odd leaked-samples"]);
}

#[test]
fn findings_say_where_and_how_many() {
    let data = change(good(), |i, j, x| {
        if j == 1 && i % 50 == 7 {
            *x = Real::NAN;
        }
    });
    let columns = vec![
        Column::Categorical { name: "color".into(), values: vec!["blue".into(), "red".into()] },
        Column::Numeric { name: "age".into() },
        Column::Numeric { name: "b".into() },
        Column::Numeric { name: "c".into() },
        Column::Numeric { name: "d".into() },
    ];
    let description = DataDescription { columns, ..DataDescription::default() };
    let subject = Subject { description: Some(&description), ..Subject::new(&data) };
    let finding = &examine(&subject).unwrap().findings[0];
    assert_eq!(finding.found, "4 of 1200 input numbers are NaN, infinite or too large for float32");
    let place = "training set; the first is NaN in row 8, \"color\" = \"red\"";
    assert_eq!(finding.place, place);

    let data = change(good(), |_, j, x| {
        if j == 2 {
            *x = 1.0
        }
    });
    let subject = Subject { description: Some(&description), ..Subject::new(&data) };
    assert_eq!(examine(&subject).unwrap().findings[0].place, "training set, \"age\"");
}

#[test]
fn a_quick_examination_leaves_small_classes_alone() {
    let small = relabel(good(), |row| if row % 20 == 0 { 2 } else { class(row) % 2 });
    assert_eq!(rules(&examine(&Subject::new(&small)).unwrap()), ["Odd imbalance"]);
    let quick = |data| Subject { effort: Effort::Quick, ..Subject::new(data) };
    assert!(rules(&examine(&quick(&small)).unwrap()).is_empty());
    let skewed = relabel(good(), |row| u32::from(row % 8 == 0));
    assert_eq!(rules(&examine(&quick(&skewed)).unwrap()), ["Odd imbalance"]);
}

/// Model of one Dense layer with this activation and loss, on 6 inputs.
fn model(units: usize, activation: &str, loss: &str) -> Sequential {
    let dense = Dense::new(units).activation(activation);
    let mut model = Sequential::builder([6]).add(dense).build(0).unwrap();
    model.compile("adam", loss, &[]).unwrap();
    model
}

#[test]
fn targets_are_compared_with_the_model() {
    let one_hot = with_targets(ArrayD::from_shape_fn(IxDyn(&[200, 3]), |i| {
        Real::from(class(i[0]) as usize == i[1])
    }));
    let halves = with_targets(ArrayD::from_shape_fn(IxDyn(&[200, 3]), |i| {
        noise(i[0], 60 + i[1]).abs() / 1.6
    }));
    let numbers = || regression(|row| noise(row, 50) * 9.0);
    let small = || regression(|row| noise(row, 50).abs() / 2.0);
    let sparse = "sparse_categorical_crossentropy";
    let cases: Vec<(&str, Sequential, Dataset)> = vec![
        ("", model(3, "softmax", sparse), good()),
        ("", model(3, "softmax", "categorical_crossentropy"), good()),
        ("", model(3, "softmax", "categorical_crossentropy"), one_hot.clone()),
        ("", model(1, "linear", "mse"), numbers()),
        ("", model(1, "sigmoid", "mse"), small()),
        ("", model(1, "sigmoid", "binary_crossentropy"), relabel(good(), |row| class(row) % 2)),
        ("Odd separate-questions", model(3, "sigmoid", "binary_crossentropy"), good()),
        ("Odd units", model(10, "softmax", sparse), good()),
        ("Problem targets-do-not-fit", model(2, "softmax", sparse), good()),
        ("Problem targets-do-not-fit", model(3, "softmax", sparse), one_hot),
        ("Problem model", model(3, "linear", sparse), good()),
        ("Problem target-range", model(1, "sigmoid", "mse"), numbers()),
        ("Problem target-range", model(1, "tanh", "mae"), numbers()),
        ("Problem target-range", model(1, "relu", "mse"), numbers()),
        ("Problem target-range", model(1, "sigmoid", "binary_crossentropy"), good()),
        ("Problem no-probabilities", model(3, "softmax", "mse"), halves.clone()),
        ("Problem no-probabilities", model(3, "softmax", "categorical_crossentropy"), halves),
        ("Odd large-targets", model(1, "linear", "mse"), regression(|row| noise(row, 50) * 5e4)),
    ];
    for (i, (expected, model, data)) in cases.iter().enumerate() {
        let examination = model.examine(&Subject::new(data)).unwrap();
        let expected: Vec<&str> =
            Some(*expected).filter(|rule| !rule.is_empty()).into_iter().collect();
        assert_eq!(rules(&examination), expected, "case {i}: {:#?}", examination.findings);
    }
    let mut flat =
        Sequential::builder([7]).add(Dense::new(3).activation("softmax")).build(0).unwrap();
    flat.compile("sgd", sparse, &[]).unwrap();
    assert_eq!(rules(&flat.examine(&Subject::new(&good())).unwrap()), ["Problem input-shape"]);
}

#[test]
fn layers_before_the_weights_decide_about_the_scale() {
    let large = change(good(), |_, _, x| *x *= 200.0);
    let unit = change(good(), |_, _, x| *x = x.abs() / 2.0);
    let softmax = || Dense::new(3).activation("softmax");
    let build = |first: Option<f64>| {
        let mut builder = Sequential::builder([6]);
        builder = match first {
            Some(scale) => builder.add(Rescaling { scale, offset: 0.0 }),
            None => builder.add(Normalization::default()),
        };
        builder.add(softmax()).build(0).unwrap()
    };
    let found = |model: &Sequential, data| rules(&model.examine(&Subject::new(data)).unwrap());
    assert!(found(&build(None), &large).is_empty());
    assert!(found(&build(Some(1.0 / 200.0)), &large).is_empty());
    assert_eq!(found(&build(Some(1.0)), &large), ["Problem unscaled-inputs"]);
    // Divided twice.
    assert_eq!(found(&build(Some(1.0 / 255.0)), &unit), ["Odd small-inputs"]);

    // Indices of words are not scaled, but must be in range.
    let words = change(good(), |i, j, x| *x = ((i * 7 + j * 3) % 50) as Real);
    for (n_words, expected) in [(50, vec![]), (40, vec!["Problem indices"])] {
        let builder = Sequential::builder([6]).add(Embedding::new(n_words, 4)).add(Flatten {});
        let model = builder.add(softmax()).build(0).unwrap();
        let subject = Subject { targets: TargetUse::Classes, ..Subject::new(&words) };
        let mut found = rules(&model.examine(&subject).unwrap());
        found.retain(|rule| !rule.contains("duplicate"));
        assert_eq!(found, expected);
    }
}

#[test]
fn the_loss_at_the_beginning_is_that_of_guessing() {
    let mut model = presets::named("mnist-softmax").unwrap().build(0).unwrap();
    let rule = |model: &Sequential, first_batch, epoch| {
        FirstLosses { first_batch, epoch }.finding(model).map(|finding| finding.rule)
    };
    assert_eq!(rule(&model, 2.4, 0.6), None);
    assert_eq!(rule(&model, 6.8, 6.8), None);
    assert_eq!(rule(&model, 7.0, 0.6), Some("first-loss"));
    assert_eq!(rule(&model, 2.4, 11.0), Some("rising-loss"));
    model.compile("sgd", CategoricalCrossentropy::default(), &[]).unwrap();
    assert_eq!(rule(&model, 7.0, 0.6), Some("first-loss"));
    model.compile("sgd", "mse", &[]).unwrap();
    assert_eq!(rule(&model, 7000.0, 11.0), None);
}

#[test]
fn mnist_is_good_and_examined_in_no_time() {
    let sets = datasets::load(&datasets::find(None).unwrap()).unwrap();
    let (mut train, mut test) = (sets.train, sets.test);
    train.x.scale_bytes(1.0 / 255.0);
    test.x.scale_bytes(1.0 / 255.0);
    let subject = Subject { test: Some(&test), ..Subject::new(&train) };
    let start = Instant::now();
    let examination = examine(&subject).unwrap();
    assert!(start.elapsed().as_secs_f64() < 10.0);
    // No image is there twice, neither in one set nor in both.
    let found: Vec<&str> = examination.findings.iter().map(|finding| &finding.found[..]).collect();
    assert_eq!(found, ["67 of 784 features are the same in all samples"]);

    let model = presets::named("mnist-softmax").unwrap().build(0).unwrap();
    let subject = Subject { effort: Effort::Quick, splits_off_last: true, ..subject };
    let start = Instant::now();
    assert!(model.examine(&subject).unwrap().findings.is_empty());
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    println!("quick examination of MNIST: {milliseconds:.2} ms");
    assert!(milliseconds < 100.0, "{milliseconds} ms");

    // Bytes that are not divided by 255.
    let mut unscaled = train.clone();
    unscaled.x.scale_bytes(1.0);
    let subject = Subject { train: &unscaled, ..subject };
    let finding = &model.examine(&subject).unwrap().findings[0];
    assert_eq!(
        finding.found,
        "inputs are not scaled: they run from 0 to 255, like the bytes of images"
    );
}

#[test]
fn large_and_odd_shapes_take_bounded_time() {
    let start = Instant::now();
    let wide = ArrayD::from_shape_fn(IxDyn(&[300, 10_000]), |i| noise(i[0], i[1]));
    let wide = set(wide, (0..300).map(class).collect());
    assert!(rules(&examine(&Subject::new(&wide)).unwrap()).is_empty());
    let long = ArrayD::from_shape_fn(IxDyn(&[1_000_000, 4]), |i| noise(i[0], i[1]));
    let long = set(long, (0..1_000_000).map(class).collect());
    assert!(rules(&examine(&Subject::new(&long)).unwrap()).is_empty());
    let nothing = Dataset {
        x: Inputs::Reals(ArrayD::zeros(IxDyn(&[30, 0]))),
        y: Targets::Reals(ArrayD::zeros(IxDyn(&[30, 0]))),
    };
    assert_eq!(rules(&examine(&Subject::new(&nothing)).unwrap()), ["Problem few-samples"]);
    let unequal = Dataset { y: Targets::Labels(ArrayD::zeros(IxDyn(&[3]))), ..good() };
    assert!(examine(&Subject::new(&unequal)).is_err());
    let scalar = Dataset {
        x: Inputs::Reals(ArrayD::zeros(IxDyn(&[]))),
        y: Targets::Labels(ArrayD::zeros(IxDyn(&[]))),
    };
    assert_eq!(rules(&examine(&Subject::new(&scalar)).unwrap()), ["Problem few-samples"]);
    let all_nan = change(good(), |_, _, x| *x = Real::NAN);
    assert_eq!(rules(&examine(&Subject::new(&all_nan)).unwrap()), ["Problem not-finite"]);
    // Millions of labels, and more labels than samples.
    let labels = relabel(good(), |row| row as u32 * 20_000_000);
    assert!(rules(&examine(&Subject::new(&labels)).unwrap()).is_empty());
    let pixels = Dataset {
        y: Targets::Labels(ArrayD::from_shape_fn(IxDyn(&[200, 9]), |i| class(i[0] * 9 + i[1]))),
        ..good()
    };
    assert!(rules(&examine(&Subject::new(&pixels)).unwrap()).is_empty());
    assert!(start.elapsed().as_secs_f64() < 30.0);
    let subject = Subject { inputs: InputUse::Indices, ..Subject::new(&long) };
    assert_eq!(examine(&subject).unwrap().step, 1);
}

/// Folder with data files.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), content).unwrap();
    }

    /// Writes an archive with the inputs of `good` times a factor.
    fn write_npz(&self, name: &str, factor: Real) {
        let mut npz = NpzWriter::new(File::create(self.path(name)).unwrap());
        for (set, rows, seed) in [("train", 200, 0), ("test", 60, 1000)] {
            let x = Array2::from_shape_fn((rows, 6), |(i, j)| noise(i + seed, j) * factor);
            let y = Array1::from_shape_fn(rows, |i| class(i + seed) as u8);
            npz.add_array(format!("x_{set}"), &x).unwrap();
            npz.add_array(format!("y_{set}"), &y).unwrap();
        }
        npz.finish().unwrap();
    }

    /// Writes a model for these archives.
    fn write_model(&self, name: &str, learning_rate: f64) {
        self.write(
            name,
            format!(
                "import keras\nfrom keras import layers\n\
                 model = keras.Sequential([keras.Input((6,)), layers.Dense(16, activation='relu'), \
                 layers.Dense(3, activation='softmax')])\n\
                 model.compile(optimizer=keras.optimizers.SGD({learning_rate:e}), \
                 loss='sparse_categorical_crossentropy', metrics=['accuracy'])\n"
            ),
        );
    }

    /// Writes a table of flowers.
    fn write_table(&self, name: &str, row: impl Fn(usize) -> String) {
        let rows: Vec<String> = (0..150).map(row).collect();
        self.write(name, format!("width,height,copy,kind\n{}\n", rows.join("\n")));
    }

    fn run(&self, arguments: &str) -> Run {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        run_in(self.folder.path(), &arguments)
    }
}

/// Asserts that a text has these parts, whatever its line breaks.
#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
}

const KINDS: [&str; 3] = ["iris", "rose", "tulip"];

/// Row of a good table: `copy` is a number of its own.
fn good_row(row: usize) -> String {
    let kind = KINDS[class(row) as usize];
    format!("{:.4},{:.3},{:.3},{kind}", noise(row, 0) * 1e5, noise(row, 1), noise(row, 2))
}

#[test]
fn the_command_prints_findings_and_its_exit_code_says_if_there_is_a_problem() {
    let place = Place::new();
    place.write_npz("good.npz", 1.0);
    place.write_npz("large.npz", 300.0);
    place.write_model("model.py", 0.01);
    let good = place.run("doctor good.npz");
    assert_eq!((good.code, &good.stderr[..]), (0, ""));
    assert_says(&good.stdout, &["200 training, 60 test samples of 6 numbers", "Nothing found."]);
    assert_says(&good.stdout, &["Examined: files, NaN", "copies of samples"]);
    let good = place.run("doctor good.npz model.py");
    assert_eq!((good.code, &good.stderr[..]), (0, ""));
    assert_says(&good.stdout, &["Nothing found.", "loss and last activation"]);

    let large = place.run("doctor large.npz model.py");
    assert_eq!((large.code, &large.stderr[..]), (1, ""));
    assert_says(&large.stdout, &["PROBLEM inputs are not scaled: they run from -4", " where "]);
    assert_says(&large.stdout, &[" why ", " remedy ", "layers.Normalization()", "1 problem."]);
    assert!(large.stdout.lines().all(|line| line.chars().count() <= 100), "{}", large.stdout);

    let json = place.run("doctor large.npz model.py --json");
    assert_eq!(json.code, 1);
    let line: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(line["findings"].as_array().unwrap().len(), 1);
    assert_eq!(line["findings"][0]["rule"], "unscaled-inputs");
    assert_eq!(line["findings"][0]["severity"], "problem");
    assert_eq!((&line["samples"], &line["sampled"]), (&200.into(), &false.into()));
    assert_eq!(line["model"], "model.py");
}

#[test]
fn built_in_data_and_presets_need_no_path() {
    let mnist = run(&["doctor", "mnist-convnet"]);
    assert_eq!(mnist.code, 0, "{}", mnist.stderr);
    assert_says(&mnist.stdout, &["60000 training, 10000 test", "NOTE 67 of 784", "1 note."]);
    let synthetic = run(&["doctor", "dense-514"]);
    assert_eq!(synthetic.code, 0);
    assert_says(&synthetic.stdout, &["synthetic: 4096 training", "Nothing found."]);
}

#[test]
fn pages_pointers_and_broken_files_are_named() {
    let place = Place::new();
    place.write("page.npz", "<!DOCTYPE html><html>Sign in</html>");
    let page = place.run("doctor page.npz");
    assert_eq!(page.code, 1);
    assert_says(&page.stdout, &["PROBLEM a file is a web page (HTML)", "page.npz", "sign in"]);

    place.write("flowers/rose/1.png", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
    place.write("flowers/rose/2.png", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n");
    place.write("flowers/iris/1.png", "");
    let folder = place.run("doctor flowers");
    assert_eq!(folder.code, 1);
    assert_says(&folder.stdout, &["2 files are each a pointer of Git LFS", "rose/1.png"]);
    assert_says(&folder.stdout, &["git lfs pull", "a file is an empty file"]);

    place.write_npz("good.npz", 1.0);
    let bytes = fs::read(place.path("good.npz")).unwrap();
    place.write("cut.npz", &bytes[..bytes.len() / 2]);
    let cut = place.run("doctor cut.npz");
    assert_eq!(cut.code, 1);
    assert_says(
        &cut.stdout,
        &["cut.npz: cannot be used as it is", "damaged or cut off", "download it"],
    );

    let nowhere = place.run("doctor nowhere.npz");
    assert_eq!(nowhere.code, 2);
    assert_says(&nowhere.stderr, &["nowhere.npz"]);
    let nowhere = place.run("doctor nowhere.npz --json");
    assert_eq!(nowhere.code, 2);
    let line: Value = serde_json::from_str(&nowhere.stdout).unwrap();
    let finding = &line["findings"][0];
    assert_eq!((&line["data"], &finding["rule"]), (&"nowhere.npz".into(), &"unreadable".into()));
    assert_says(finding["found"].as_str().unwrap(), &["nowhere.npz"]);
    let no_table = place.run("doctor good.npz --target kind");
    assert_eq!(no_table.code, 2);
    assert_says(
        &no_table.stderr,
        &["good.npz holds NumPy's arrays, whose targets are y_train, and --target"],
    );
    let no_model = place.run("doctor good.npz nowhere.keras");
    assert_eq!(no_model.code, 2);
    assert_says(&no_model.stderr, &["nowhere.keras"]);
}

#[test]
fn a_faulty_test_set_is_a_problem_beside_those_of_the_training_set() {
    let place = Place::new();
    let write = |name: &str, test_rows: Option<(usize, usize)>| {
        let mut npz = NpzWriter::new(File::create(place.path(name)).unwrap());
        let inputs = |rows| Array2::from_shape_fn((rows, 6), |(i, j)| noise(i, j) * 300.0);
        npz.add_array("x_train", &inputs(200)).unwrap();
        npz.add_array("y_train", &Array1::from_shape_fn(200, |i| class(i) as u8)).unwrap();
        if let Some((x_rows, y_rows)) = test_rows {
            npz.add_array("x_test", &inputs(x_rows)).unwrap();
            npz.add_array("y_test", &Array1::from_shape_fn(y_rows, |i| class(i) as u8)).unwrap();
        }
        npz.finish().unwrap();
    };
    write("none.npz", None);
    write("shorter.npz", Some((60, 59)));
    write("empty.npz", Some((0, 0)));
    let none = place.run("doctor none.npz");
    assert_says(&none.stdout, &["none.npz: 200 training samples", "1 problem."]);
    for (name, fault) in [
        ("shorter.npz", "x_test has 60 rows and y_test has 59"),
        ("empty.npz", "y_test: its shape [0] leaves it empty"),
    ] {
        let found = place.run(&format!("doctor {name}"));
        assert_eq!(found.code, 1);
        let problem = format!("PROBLEM {name}: {fault}");
        let training = "PROBLEM inputs are not scaled";
        assert_says(&found.stdout, &[&problem, training, "training ends with this", "2 problems."]);
    }
    let empty = set(inputs(0, 0), vec![]);
    let data = good();
    let subject = Subject { test: Some(&empty), ..Subject::new(&data) };
    assert_eq!(rules(&examine(&subject).unwrap()), ["Problem few-samples"]);
}

#[test]
fn warnings_about_the_model_are_whole_findings() {
    let one = regression(|row| (row % 2) as Real);
    let examination =
        model(1, "softmax", "categorical_crossentropy").examine(&Subject::new(&one)).unwrap();
    let found: Vec<&str> = examination
        .findings
        .iter()
        .filter(|finding| finding.rule == "model")
        .map(|finding| &finding.found[..])
        .collect();
    assert!(found[0].ends_with("Did you mean to use a sigmoid instead?"), "{found:#?}");
    assert!(found[1].ends_with("if you only have 2 classes."), "{found:#?}");
    let examination = model(3, "linear", "sparse_categorical_crossentropy")
        .examine(&Subject::new(&good()))
        .unwrap();
    let finding = &examination.findings[0];
    assert!(finding.found.ends_with("the model does not end in a softmax"), "{finding:?}");
    let remedy = "give the last layer activation='softmax', or the loss from_logits=True";
    assert_eq!((finding.severity, &finding.remedy[..]), (Severity::Problem, remedy));
}

#[test]
fn targets_of_a_description_are_numbers_with_a_model_too() {
    let data = Dataset {
        y: Targets::Labels(ArrayD::from_shape_fn(IxDyn(&[200, 2]), |i| class(i[0] + i[1]))),
        ..good()
    };
    let description = DataDescription {
        targets: vec!["rooms".into(), "floors".into()],
        ..DataDescription::default()
    };
    let subject = Subject { description: Some(&description), ..Subject::new(&data) };
    for examination in
        [examine(&subject).unwrap(), model(2, "linear", "mse").examine(&subject).unwrap()]
    {
        assert!(examination.checked.contains(&"targets"), "{:?}", examination.checked);
        assert!(!examination.checked.contains(&"classes"), "{:?}", examination.checked);
    }
}

#[test]
fn tables_are_examined_by_their_columns() {
    let place = Place::new();
    place.write_table("good.csv", good_row);
    place.write_table("leak.csv", |row| {
        let kind = class(row);
        format!("{:.4},{:.3},{kind},{}", noise(row, 0) * 1e5, noise(row, 1), KINDS[kind as usize])
    });
    place.write_table("constant.csv", |row| {
        format!("{:.4},1.5,{:.3},{}", noise(row, 0), noise(row, 2), KINDS[class(row) as usize])
    });
    place.write_table("missing.csv", |row| {
        let height = if row == 5 { "NA".to_string() } else { format!("{:.3}", noise(row, 1)) };
        format!("{:.4},{height},{:.3},{}", noise(row, 0), noise(row, 2), KINDS[class(row) as usize])
    });
    // `train` standardizes tables, so large columns are right.
    let good = place.run("doctor good.csv --target kind");
    assert_eq!((good.code, &good.stderr[..]), (0, ""), "{}", good.stdout);
    assert_says(&good.stdout, &["150 training samples of 3 numbers, 3 classes", "Nothing found."]);
    assert_says(&good.stdout, &["scale of the inputs (any is right: training normalizes them)"]);
    let leak = place.run("doctor leak.csv --target kind");
    assert_eq!(leak.code, 1);
    assert_says(&leak.stdout, &["PROBLEM \"copy\" tells the class of every training sample"]);
    let constant = place.run("doctor constant.csv --target kind");
    assert_eq!(constant.code, 0);
    assert_says(&constant.stdout, &["ODD 1 of 3 features is the same", "\"height\"", "--ignore"]);
    let missing = place.run("doctor missing.csv --target kind");
    assert_eq!(missing.code, 1);
    assert_says(&missing.stdout, &["values are missing", "\"height\"", "fill them in"]);
    // The same rows as a test set.
    let same = place.run("doctor good.csv --target kind --test good.csv");
    assert_eq!(same.code, 1);
    assert_says(&same.stdout, &["150 of 150 samples are in the training set too"]);
    // One row is the first twice: rows of tables count from 1, as in other messages about them.
    place.write_table("copies.csv", |row| good_row(if row == 9 { 0 } else { row }));
    let copies = place.run("doctor copies.csv --target kind");
    assert_says(&copies.stdout, &["row 10 equals row 1 ", "drop_duplicates"]);
    let no_target = place.run("doctor good.csv");
    assert_eq!(no_target.code, 2);
    assert_says(&no_target.stderr, &["--target NAME"]);
}

#[test]
fn few_samples_in_blocks_are_sorted() {
    let place = Place::new();
    let table = |name: &str, n: usize| {
        let class = |row: usize| usize::from(row >= 52) + usize::from(row == 59);
        let rows: Vec<String> =
            (0..n).map(|row| format!("{:.3},{}", noise(row, 0), KINDS[class(row)])).collect();
        place.write(name, format!("width,kind\n{}\n", rows.join("\n")));
    };
    table("blocks.csv", 60);
    let blocks = place.run("doctor blocks.csv --target kind");
    assert_says(&blocks.stdout, &["samples are sorted", "the class changes 2 times in 60 samples"]);
    assert_says(&blocks.stdout, &["fit(class_weight={0: 0.38, 1: 2.86, 2: 20.00})"]);
    place.write("few.csv", format!("width,kind\n{}", "1.5,iris\n2.5,rose\n".repeat(6)));
    let few = place.run("doctor few.csv --target kind");
    assert_says(&few.stdout, &["order of the samples (too few to judge)"]);
}

/// Results of a training that succeeds.
fn losses(run: &Run) -> &str {
    assert_eq!(run.code, 0, "{}", run.stderr);
    &run.stdout
}

#[test]
fn train_says_one_line_about_bad_data_and_none_about_good() {
    let place = Place::new();
    place.write_npz("good.npz", 1.0);
    place.write_npz("large.npz", 300.0);
    place.write_model("model.py", 0.001);
    let hints =
        |run: &Run| run.stderr.lines().filter(|line| line.contains("tallynet doctor")).count();
    let good = place.run("train model.py --data good.npz --epochs 1 --quiet");
    assert_says(losses(&good), &["Test score"]);
    assert_eq!(hints(&good), 0, "{}", good.stderr);
    let large = place.run("train model.py --data large.npz --epochs 1 --quiet");
    assert_says(
        &large.stderr,
        &[
            "warning: inputs are not scaled: they run from -4",
            "`tallynet doctor large.npz model.py` says more",
            "warning: the loss began at ",
            "guessing among 3 classes gives ln 3 = 1.10: inputs are not scaled",
        ],
    );
    assert_eq!(hints(&large), 2, "{}", large.stderr);
    assert!(!large.stdout.contains("doctor"), "{}", large.stdout);

    // Of a learning rate, an examination of the data says nothing.
    place.write_model("steep.py", 100.0);
    let steep = place.run("train steep.py --data good.npz --epochs 1 --quiet");
    assert_says(losses(&steep), &["Test score"]);
    let parts = ["steps overshoot: the learning rate is probably too large; try a tenth of it"];
    assert_says(&steep.stderr, &parts);
    assert_eq!(hints(&steep), 0, "{}", steep.stderr);

    // The command can be pasted into a shell.
    fs::copy(place.path("large.npz"), place.path("it's(large).npz")).unwrap();
    let odd = place.run("train model.py --data it's(large).npz --epochs 1 --quiet");
    assert_says(&odd.stderr, &[r"`tallynet doctor 'it'\''s(large).npz' model.py` says more"]);

    // A table is standardized.
    place.write_table("good.csv", good_row);
    place
        .write("table.py", fs::read_to_string(place.path("model.py")).unwrap().replace("6,", "3,"));
    let table = place.run("train table.py --data good.csv --target kind --epochs 1 --quiet");
    assert_says(losses(&table), &["Test score"]);
    assert_eq!(hints(&table), 0, "{}", table.stderr);

    // Samples in the order of their classes, whose last are split off.
    place.write_table("sorted.csv", |row| {
        format!(
            "{:.4},{:.3},{:.3},{}",
            noise(row, 0),
            noise(row, 1),
            noise(row, 2),
            KINDS[row / 50]
        )
    });
    let train = "train table.py --data sorted.csv --target kind --epochs 1 --quiet";
    assert_eq!(hints(&place.run(train)), 0);
    let split = place.run(&format!("{train} --validation-split 0.2"));
    assert_says(
        &split.stderr,
        &["samples are sorted", "doctor sorted.csv table.py --target kind`"],
    );
    assert_eq!(hints(&place.run(&format!("{train} --validation-split 0.2 --shuffle-split"))), 0);
}

#[test]
fn a_loss_that_is_not_finite_is_explained() {
    let place = Place::new();
    place.write_npz("large.npz", 300.0);
    let learning_rate = if size_of::<Real>() == 4 { 1e20 } else { 1e160 };
    place.write_model("model.py", learning_rate);
    let failed = place.run("train model.py --data large.npz --epochs 2 --quiet");
    assert_eq!(failed.code, 1, "{}", failed.stdout);
    assert_says(&failed.stderr, &["error: the loss became NaN in epoch 1", "the inputs reach 4"]);
    assert_says(&failed.stderr, &["`tallynet doctor large.npz model.py` examines the data"]);
}

#[test]
fn presets_train_on_mnist_without_a_hint() {
    let run = run(&["train", "--epochs", "1", "--quiet", "--validation-split", "0.1"]);
    assert_eq!((run.code, &run.stderr[..]), (0, ""));
}

#[test]
fn folders_of_images_are_examined() {
    let place = Place::new();
    for (kind, label) in [("iris", 0), ("rose", 1)] {
        for i in 0..30 {
            let path = place.path(&format!("flowers/{kind}/{i}.png"));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_png(&path, i + 100 * label);
        }
    }
    let good = place.run("doctor flowers");
    assert_eq!(good.code, 0, "{}", good.stdout);
    assert_says(&good.stdout, &["60 training samples of 8x8x", "2 classes", "Nothing found."]);
    // The same image in both classes, and a broken one.
    fs::copy(place.path("flowers/iris/3.png"), place.path("flowers/rose/3.png")).unwrap();
    place.write("flowers/rose/9.png", b"\x89PNG\r\n\x1a\nbroken");
    let bad = place.run("doctor flowers --image-size 8x8");
    assert_eq!(bad.code, 0, "{}", bad.stdout);
    assert_says(&bad.stdout, &["1 of 59 samples is a copy of", "1 of them with another target"]);
    assert_says(&bad.stdout, &["ODD 1 broken image was skipped", "where flowers/rose/9.png: "]);
    assert_says(&bad.stdout, &["`train` refuses a folder with such images"]);
    // Several are named, the first of many.
    place.write("flowers/rose/8.png", b"<html>");
    let bad = place.run("doctor flowers --image-size 8x8");
    let files = "flowers/rose/8.png, flowers/rose/9.png; the first: flowers/rose/8.png: ";
    assert_says(&bad.stdout, &["ODD 2 broken images were skipped", files]);
    for i in 0..6 {
        place.write(&format!("flowers/iris/{i}.png"), b"<html>");
    }
    let bad = place.run("doctor flowers --image-size 8x8");
    assert_says(&bad.stdout, &["ODD 8 broken images were skipped", "and 3 others; the first: "]);
}

/// Writes a gray image of 8 by 8 pixels.
fn write_png(path: &Path, seed: usize) {
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), 8, 8);
    encoder.set_color(png::ColorType::Grayscale);
    let pixels: Vec<u8> = (0..64).map(|i| ((noise(seed, i) + 1.5) * 80.0) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
}
