//! Reports: what the page says, for models and data of all kinds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Instant;

use assert_cmd::Command;
use ndarray::{Array, ArrayD, IxDyn, array};
use tallynet::activations::ActivationKind;
use tallynet::datasets::{DataDescription, Dataset, Inputs, SampleNames, Targets};
use tallynet::layers::{Dense, Embedding, Flatten, GlobalAveragePooling1D, PReLU};
use tallynet::model::{RecordedData, Sequential, TrainingRun, Validation};
use tallynet::report::{LOSS_AT_END, ReportInput, TestSamples, TrainingLoss, report};
use tallynet::training::{FitOptions, ModelCheckpoint};
use tallynet::{Real, formats};
use tempfile::TempDir;

/// Samples of vectors that differ by class, with labels that count up.
fn vectors(n: usize, width: usize, n_classes: usize) -> Dataset {
    let value = |i: IxDyn| ((i[0] % n_classes * 7 + i[1] * 3) % 11) as Real / 11.0;
    let x = Array::from_shape_fn(IxDyn(&[n, width]), value);
    let y = Array::from_shape_fn(IxDyn(&[n]), |i| (i[0] % n_classes) as u32);
    Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) }
}

fn classifier(width: usize, n_classes: usize) -> Sequential {
    let layer = Dense::new(n_classes).activation("softmax");
    let mut model = Sequential::builder([width]).add(layer).build(0).unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &["accuracy"]).unwrap();
    model
}

fn test_samples<'a>(data: &'a Dataset, source: &str) -> TestSamples<'a> {
    TestSamples { data, names: SampleNames::default(), source: source.to_string(), scores: None }
}

fn input<'a>(model: &'a Sequential, data: &'a Dataset) -> ReportInput<'a> {
    let test = test_samples(data, "test.npz");
    ReportInput { test: Ok(test), ..ReportInput::new("model.keras", model) }
}

fn page(model: &Sequential, data: &Dataset) -> String {
    report(&input(model, data)).unwrap()
}

#[track_caller]
fn assert_has(page: &str, words: &str) {
    assert!(page.contains(words), "{words:?} is not in the page");
}

#[test]
fn counts_are_explained_and_proved() {
    let model = Sequential::builder([28, 28]).add(Flatten {}).add(Dense::new(10)).build(0).unwrap();
    let page = report(&ReportInput::new("digits.keras", &model)).unwrap();
    for words in [
        "784 inputs × 10 units + 10 biases = 7,850",
        "Formula 7,850, summary 7,850, counted one by one 7,850",
        "they agree",
        "Verified: formula, summary and weights agree. Fingerprint",
        "Why does it have 7,850 parameters?",
        "Multiply-adds: 784 inputs × 10 units = 7,840. Other work: a bias is added to 10 sums",
        "<span class=\"n\">7,850</span><span class=\"n\">7,840</span></summary>",
    ] {
        assert_has(&page, words);
    }
    assert!(!page.contains("they differ"));
    assert!(!page.contains("http:") && !page.contains("https:"), "nothing is fetched");
}

#[test]
fn what_is_not_known_is_said() {
    let mut model = classifier(4, 3);
    let untrained = report(&ReportInput::new("mnist-softmax", &model)).unwrap();
    assert_has(&untrained, "It was not trained: its weights are the initial ones.");
    model.epochs_done = 2;
    let page = report(&ReportInput::new("model.keras", &model)).unwrap();
    assert_has(&page, "Not known: no test data were given");
    assert_has(&page, "the file holds no record of the training");
    assert_has(&page, "Dead units cannot be told without data");
    assert_has(&page, "There is no canvas to draw on for this model: its input is (None, 4)");
}

#[test]
fn a_layer_that_the_canvas_lacks_is_named() {
    let layers = Sequential::builder([8, 8]).add(PReLU::default()).add(Flatten {});
    let mut model = layers.add(Dense::new(3).activation("softmax")).build(0).unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &[]).unwrap();
    let page = report(&ReportInput::new("model.keras", &model)).unwrap();
    let reason = "its layer p_re_lu_1 (PReLU) has no function in the page.";
    assert_has(&page, &format!("There is no canvas to draw on for this model: {reason}"));
}

#[test]
fn confusions_and_mistakes_are_named() {
    let mut model = classifier(3, 3);
    // The output is that of the largest input.
    let diagonal = ArrayD::from_shape_fn(IxDyn(&[3, 3]), |i| if i[0] == i[1] { 4.0 } else { 0.0 });
    model.set_weight("dense_1/kernel", &diagonal).unwrap();
    let one_hot = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0]];
    let x = ArrayD::from_shape_fn(IxDyn(&[6, 3]), |i| one_hot[i[0]][i[1]] as Real);
    let y = array![0, 1, 2, 1, 1, 2].into_dyn();
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) };
    let page = page(&model, &data);
    assert_has(&page, "50.00 %");
    let pair = "<b>1 and 2 (3 mistakes)</b>: 2 times a true 1 was predicted as 2, and 1 time \
                a true 2 was predicted as 1";
    assert_has(&page, pair);
    assert_has(&page, "<b>1</b>, predicted as <b>2</b>");
    assert_has(&page, "<small>row 4</small>");
    // Precision 1/3, recall 1/2 and F1 0.4 of class 2.
    assert_has(&page, "<tr><th>2</th><td class=\"n\">0.3333</td><td class=\"n\">0.5000</td>");
}

#[test]
fn names_do_no_harm() {
    let evil = ["<script>alert(1)</script>", "</script><b>", "\" onload=\"x", "-->", "ok", "'"];
    let classes: Vec<String> = evil.map(str::to_string).to_vec();
    let layer = Dense::new(6).activation("softmax");
    let layers = Sequential::builder([8, 8]).add(Flatten {}).add(layer);
    let mut model = layers.build(0).unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &["accuracy"]).unwrap();
    model.data = Some(DataDescription { classes, ..Default::default() });
    model.record.begin(TrainingRun {
        command: vec!["tallynet".to_string(), evil[0].to_string()],
        data: Some(RecordedData::Path(evil[1].to_string())),
        loss: Some(evil[0].to_string()),
        ..TrainingRun::default()
    });
    model.record.set_epoch(0, &[("<script>loss".to_string(), 1.0)]);
    let x = Array::from_shape_fn(IxDyn(&[30, 8, 8]), |i| (i[0] * i[1] + i[2]) as Real % 5.0);
    let y = Array::from_shape_fn(IxDyn(&[30]), |i| i[0] as u32 % 6);
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) };
    let files = (0..30).map(|i| format!("<img src=x onerror=alert({i})>.png")).collect();
    let names = SampleNames { rows: None, files };
    let test = TestSamples { names, ..test_samples(&data, evil[0]) };
    let input = ReportInput {
        name: "<script>alert(2)</script>.keras".to_string(),
        command: vec!["a".to_string(), evil[0].to_string()],
        warnings: vec![evil[1].to_string()],
        test: Ok(test),
        ..ReportInput::new("", &model)
    };
    let page = report(&input).unwrap();
    assert_eq!(page.matches("<script").count(), 2, "the program and its data");
    assert_eq!(page.matches("</script").count(), 2);
    let (text, program) = page.split_once("<script").unwrap();
    assert!(!text.contains("<img src=x") && !text.contains("\" onload"));
    assert_has(text, "&lt;script&gt;alert(1)&lt;");
    assert_has(program, "\\u003cscript\\u003ealert(1)");
}

#[test]
fn ten_thousand_classes_and_a_thousand_epochs_stay_small() {
    let mut model = classifier(4, 10_000);
    for epoch in 0..1_000 {
        let loss = 2.0 / (epoch + 1) as f64;
        let logs = ["loss", "accuracy", "val_loss", "val_accuracy"];
        let logs: Vec<(String, f64)> =
            logs.iter().enumerate().map(|(i, name)| (name.to_string(), loss + i as f64)).collect();
        model.record.set_epoch(epoch, &logs);
    }
    let start = Instant::now();
    let page = page(&model, &vectors(10_000, 4, 10_000));
    let seconds = start.elapsed().as_secs_f64();
    assert!(page.len() < 5_000_000, "{} bytes", page.len());
    assert!(seconds < 60.0, "{seconds} s");
    assert_has(&page, "A matrix of 10,000 classes is too large to be read");
    assert_has(&page, "All 1,000 epochs as numbers");
    // The record of a thousand epochs is a small part of a file.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.keras");
    let mut small = classifier(4, 3);
    small.record = model.record.clone();
    formats::save(&small, &path).unwrap();
    assert!(fs::metadata(&path).unwrap().len() < 100_000);
    assert_eq!(formats::load(&path).unwrap().model.record, model.record);
}

#[test]
fn broken_weights_are_flagged() {
    let mut model = classifier(4, 3);
    let mut kernel = ArrayD::zeros(IxDyn(&[4, 3]));
    kernel[[0, 1]] = Real::NAN;
    kernel[[1, 1]] = Real::INFINITY;
    model.set_weight("dense_1/kernel", &kernel).unwrap();
    let page = page(&model, &vectors(9, 4, 3));
    assert_has(&page, "how good it is: the outputs for the test samples are NaN");
    assert_has(&page, "1 value is NaN (8.33 %)");
    assert_has(&page, "1 value infinite");
    assert_has(&page, "2 of 3 units have only zeros as weights");
    let zeros = ArrayD::zeros(IxDyn(&[4, 3]));
    model.set_weight("dense_1/kernel", &zeros).unwrap();
    assert_has(&self::page(&model, &vectors(9, 4, 3)), "All values are 0");
}

#[test]
fn dead_units_are_flagged() {
    let hidden = Dense::new(5).activation("relu");
    let layers = Sequential::builder([4]).add(hidden).add(Dense::new(3).activation("softmax"));
    let mut model = layers.build(0).unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &[]).unwrap();
    let data = vectors(20, 4, 3);
    let kernel = ArrayD::from_elem(IxDyn(&[4, 5]), 1.0);
    model.set_weight("dense_1/kernel", &kernel).unwrap();
    assert_has(&page(&model, &data), "No ReLU unit is dead");
    model.set_weight("dense_1/bias", &array![0.0, -9.0, 0.0, 0.0, -9.0].into_dyn()).unwrap();
    assert_has(&page(&model, &data), "dense_1: 2 of 5 units (1, 4)");
}

#[test]
fn regressions_show_predicted_against_true() {
    let mut model = Sequential::builder([1]).add(Dense::new(1)).build(0).unwrap();
    model.compile("sgd", "mse", &["mae", "accuracy"]).unwrap();
    model.set_weight("dense_1/kernel", &array![[1.0]].into_dyn()).unwrap();
    let x = array![[1.0], [2.0], [3.0], [4.0]].into_dyn();
    let y = array![[1.0], [2.0], [3.0], [8.0]].into_dyn();
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) };
    let page = page(&model, &data);
    assert_has(&page, "Mean absolute error 1.000; root mean squared error 2.000");
    assert_has(&page, "The worst prediction is that of row 4: 4.000 instead of 8.000");
    // 1 − 16/29.
    assert_has(&page, "R² is 0.4483");
    assert_has(&page, "all 4 samples");
    assert!(!page.contains("id=\"confusions\""));
    assert!(!page.contains("<tr><th>accuracy"), "numbers are hardly ever equal");
}

#[test]
fn models_of_words_and_of_sequences_have_a_page() {
    let embedding = Embedding::new(20, 4);
    let layers = Sequential::builder([6]).add(embedding).add(GlobalAveragePooling1D::default());
    let mut model = layers.add(Dense::new(1).activation("sigmoid")).build(0).unwrap();
    model.compile("adam", "binary_crossentropy", &["accuracy"]).unwrap();
    let x = Array::from_shape_fn(IxDyn(&[12, 6]), |i| ((i[0] + i[1]) % 20) as Real);
    let y = Array::from_shape_fn(IxDyn(&[12]), |i| i[0] as u32 % 2);
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) };
    let page = page(&model, &data);
    assert_has(&page, "There is no canvas to draw on for this model");
    assert_has(&page, "id=\"confusions\"");
    assert_has(&page, "embeddings");

    let mut model = Sequential::builder([6, 2]).add(Dense::new(3)).build(0).unwrap();
    model.compile("adam", "mse", &[]).unwrap();
    let x = Inputs::Reals(ArrayD::zeros(IxDyn(&[5, 6, 2])));
    let data = Dataset { x, y: Targets::Reals(ArrayD::zeros(IxDyn(&[5, 6, 3]))) };
    assert_has(&self::page(&model, &data), "The model has 18 outputs; the first 4 are shown");
}

#[test]
fn the_record_travels_and_grows() {
    let folder = TempDir::new().unwrap();
    let data = vectors(64, 4, 3);
    let mut model = classifier(4, 3);
    let pattern = folder.path().join("{epoch}.safetensors");
    let options = FitOptions { epochs: 3, validation_split: 0.25, ..FitOptions::default() };
    let mut checkpoint = ModelCheckpoint::new(pattern.to_str().unwrap());
    let history = model.fit(&data, options, &mut [&mut checkpoint]).unwrap();
    let recorded = model.record.runs[0].get("val_loss").unwrap();
    let logged = history.get("val_loss").unwrap();
    assert_eq!(recorded.len(), 3);
    for (recorded, logged) in recorded.iter().zip(logged) {
        assert!((recorded.unwrap() / logged - 1.0).abs() < 1e-6);
    }
    let second = formats::load(&folder.path().join("2.safetensors")).unwrap().model;
    assert_eq!(second.record.runs[0].n_epochs(), 2, "a checkpoint has its own epoch too");

    let path = folder.path().join("model.keras");
    formats::save(&model, &path).unwrap();
    let mut model = formats::load(&path).unwrap().model;
    let options = FitOptions { epochs: 5, initial_epoch: 3, ..options };
    model.fit(&data, options, &mut []).unwrap();
    assert_eq!(model.record.runs.len(), 1, "consecutive epochs are one run");
    assert_eq!(model.record.runs[0].n_epochs(), 5);
    // From epoch 0 again: another run.
    model.fit(&data, FitOptions { epochs: 1, ..FitOptions::default() }, &mut []).unwrap();
    assert_eq!(model.record.runs.len(), 2);
    let page = page(&model, &data);
    assert_has(&page, "All 6 epochs as numbers");
    assert_has(&page, "training continued");
}

#[test]
fn one_epoch_is_numbers_and_a_test_set_is_no_fair_choice() {
    let data = vectors(9, 4, 3);
    let mut model = classifier(4, 3);
    assert_has(&page(&model, &data), "<b>not trained</b>0 epochs");
    let validation = Some(Validation::TestSet(9));
    model.record.begin(TrainingRun { validation, ..TrainingRun::default() });
    model.record.set_epoch(0, &[("loss".to_string(), 0.5), ("val_loss".to_string(), 0.4)]);
    let text = page(&model, &data);
    assert_has(&text, "<b>1</b>epoch of training");
    assert_has(&text, "<summary>The epoch as numbers</summary>");
    assert!(!text.contains("class=\"chart\""), "one epoch has no curve");
    assert_has(&text, "Validation uses the test set of 9 samples. Choosing the epoch by it");
    assert_has(&text, "The validation set here is the test set");
}

#[test]
fn a_record_of_another_version_is_read() {
    let words = r#"{"data": "d/", "validation": "the test set", "loss": "mse", "first_epoch": 0,
        "series": []}"#;
    let run: TrainingRun = serde_json::from_str(words).unwrap();
    assert_eq!((run.data, run.validation, run.loss), (None, None, Some("mse".to_string())));
    let data = Some(RecordedData::Path("d/".to_string()));
    let validation = Some(Validation::Last { n: 6, fraction: 0.1 });
    let run = TrainingRun { data, validation, ..TrainingRun::default() };
    let words = serde_json::to_string(&run).unwrap();
    assert_eq!(serde_json::from_str::<TrainingRun>(&words).unwrap(), run);
}

#[test]
fn the_best_epoch_is_marked() {
    let mut model = classifier(4, 3);
    for (epoch, val_loss) in [0.9, 0.5, 0.25, 0.4, 0.6].into_iter().enumerate() {
        let logs = [("loss".to_string(), 0.1), ("val_loss".to_string(), val_loss)];
        model.record.set_epoch(epoch, &logs);
    }
    let data = vectors(9, 4, 3);
    let text = page(&model, &data);
    assert_has(&text, "was lowest after epoch 3 of 5: 0.2500");
    assert_has(&text, "training should have stopped after epoch 3.");
    assert_has(&text, "best epoch: 3");
    model.record.set_epoch(5, &[("val_loss".to_string(), 0.2)]);
    assert_has(&page(&model, &data), "was still falling at the end");
}

#[test]
fn an_epoch_has_one_number() {
    let mut model = classifier(4, 3);
    for (i, val_loss) in [0.9, 0.5, 0.6].into_iter().enumerate() {
        let logs = [("loss".to_string(), 0.7), ("val_loss".to_string(), val_loss)];
        model.record.set_epoch(5 + i, &logs);
    }
    let data = vectors(9, 4, 3);
    let text = page(&model, &data);
    assert_has(&text, "was lowest after epoch 7 of 8: 0.5000");
    assert_has(&text, "best epoch: 7");
    assert_has(
        &text,
        "<tr><td class=\"n\">7</td><td class=\"n\">0.7000</td><td class=\"n\">0.5000</td></tr>",
    );
    assert_has(&text, "<title>epoch 7: validation 0.5000</title>");
    assert_has(&text, "<b>Epochs 6 to 8</b>");
    // Trained from epoch 0 again: the epochs of both trainings count from 1.
    model.record.set_epoch(0, &[("val_loss".to_string(), 0.4)]);
    let text = page(&model, &data);
    assert_has(&text, "0.4000 after epoch 4, the last and best one");
    assert_has(&text, "<b>Epochs 1 to 3</b>");
    assert_has(&text, "<b>Epoch 4</b>");
}

#[test]
fn the_weights_of_a_training_loss_are_named() {
    let mut model = classifier(4, 3);
    for loss in [0.5, 0.25] {
        let epoch = usize::from(loss < 0.5);
        let logs = [("loss".to_string(), 0.6), (LOSS_AT_END.to_string(), loss)];
        model.record.set_epoch(epoch, &logs);
    }
    let data = vectors(9, 4, 3);
    assert_has(
        &page(&model, &data),
        "the weights at the end of the last epoch had a loss of 0.2500",
    );
    // The best weights were restored since.
    let training_loss = Some(TrainingLoss { loss: 0.125, n_samples: 9 });
    let text = report(&ReportInput { training_loss, ..input(&model, &data) }).unwrap();
    assert_has(&text, "On the 9 training samples the final weights have a loss of 0.1250");
}

/// Runs the program; returns stderr, which a refusal must contain.
fn run(folder: &Path, arguments: &[&str], succeeds: bool) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallynet"));
    command.current_dir(folder).env_remove("TALLYNET_DATA").args(arguments);
    let output = command.output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.success(), succeeds, "{arguments:?}: {stderr}");
    stderr
}

#[test]
fn a_table_is_trained_on_and_reported() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let mut table = "width,color,kind\n".to_string();
    for i in 0..60 {
        let color = if i % 3 == 0 { "red" } else { "blue" };
        let kind = if i % 3 == 0 || i % 4 == 0 { "rose" } else { "iris" };
        table += &format!("{},{color},{kind}\n", i % 7);
    }
    fs::write(at.join("t.csv"), table).unwrap();
    let model = r#"{"class_name": "Sequential", "config": {"layers": [
        {"class_name": "Dense", "config": {"units": 2, "activation": "softmax"}}]},
        "compile_config": {"optimizer": "adam", "loss": "sparse_categorical_crossentropy",
        "metrics": ["accuracy"]}}"#;
    fs::write(at.join("m.json"), model).unwrap();
    let train = ["train", "m.json", "--data", "t.csv", "--target", "kind", "--epochs", "2"];
    let outputs = ["--save", "m.keras", "--report", "a.html", "--csv", "log.csv", "--quiet"];
    run(at, &[&train[..], &outputs].concat(), true);
    let text = fs::read_to_string(at.join("a.html")).unwrap();
    assert_has(&text, "tallynet train m.json --data t.csv --target kind --epochs 2</code>");
    assert_has(&text, "the final weights have a loss of");
    let in_training = rows_of_mistakes(&text);
    // Later, the file knows its data and what was held out of them.
    let notices = run(at, &["report", "m.keras", "-o", "b.html"], true);
    assert!(notices.contains("Wrote b.html"), "{notices}");
    let text = fs::read_to_string(at.join("b.html")).unwrap();
    assert_has(&text, "the held-out samples of t.csv");
    assert_eq!(rows_of_mistakes(&text), in_training, "both pages name samples by their rows");
    let seen: Vec<usize> = in_training.iter().filter_map(|row| row.parse().ok()).collect();
    assert!(seen.iter().any(|row| *row > 12), "12 samples of 60 were held out: {seen:?}");
    if cfg!(not(tallynet_f64)) {
        // In double precision the file rounds the weights, which are then others.
        assert_has(&text, "Weights: as the last training left them.");
    }
    assert!(fs::read_to_string(at.join("log.csv")).unwrap().lines().next().unwrap().len() < 50);
    // The recorded data come before TALLYNET_DATA.
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallynet"));
    command.current_dir(at).env("TALLYNET_DATA", "/no/such/place");
    command.args(["report", "m.keras", "-o", "d.html"]).assert().success();
    assert_has(&fs::read_to_string(at.join("d.html")).unwrap(), "the held-out samples of t.csv");
    fs::remove_file(at.join("t.csv")).unwrap();
    let notices = run(at, &["report", "m.keras", "-o", "c.html"], true);
    let reason = "The page has no scores: the data of its training, t.csv, are not there";
    assert!(notices.contains(reason), "{notices}");
    let text = fs::read_to_string(at.join("c.html")).unwrap();
    assert_has(&text, "the data of its training, t.csv, are not there; give --data");
}

/// Rows of the samples with mistakes, in the order of the page.
fn rows_of_mistakes(page: &str) -> Vec<String> {
    let parts = page.split("<small>row ").skip(1);
    parts.map(|part| part.split('<').next().unwrap().to_string()).collect()
}

#[test]
fn restored_weights_are_those_of_the_loss() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    let mut table = "x,y\n".to_string();
    for i in 0..60 {
        table += &format!("{i},{}\n", (i * 7) % 13);
    }
    fs::write(at.join("t.csv"), table).unwrap();
    let model = r#"{"class_name": "Sequential", "config": {"layers": [
        {"class_name": "Dense", "config": {"units": 1}}]},
        "compile_config": {"optimizer": "sgd", "loss": "mse"}}"#;
    fs::write(at.join("m.json"), model).unwrap();
    // The steps are too large, and the loss rises.
    let train = ["train", "m.json", "--data", "t.csv", "--target", "y", "--epochs", "9"];
    let options = ["--learning-rate", "1.05", "--batch-size", "60", "--patience", "1"];
    let outputs = ["--report", "a.html", "--csv", "log.csv", "--quiet"];
    run(at, &[&train[..], &options, &outputs].concat(), true);
    let text = fs::read_to_string(at.join("a.html")).unwrap();
    let shown = text.split("the final weights have a loss of ").nth(1).unwrap();
    let shown: f64 = shown.split(' ').next().unwrap().parse().unwrap();
    let log = fs::read_to_string(at.join("log.csv")).unwrap();
    let (heads, rows) = log.split_once('\n').unwrap();
    let column = heads.split(',').position(|head| head == "loss").unwrap();
    let losses: Vec<f64> =
        rows.lines().map(|row| row.split(',').nth(column).unwrap().parse().unwrap()).collect();
    // A batch is the whole training set, so that an epoch's loss is that of the weights before it;
    // the last epoch was no improvement, and they were restored.
    assert!(losses.len() < 9 && losses.is_sorted(), "{losses:?}");
    let restored = losses.last().unwrap();
    assert!((shown / restored - 1.0).abs() < 1e-3, "{shown} instead of {restored}");
}

#[test]
fn outputs_that_cannot_be_are_refused() {
    let folder = TempDir::new().unwrap();
    let at = folder.path();
    formats::save(&classifier(4, 3), &at.join("m.keras")).unwrap();
    for (arguments, words) in [
        (&["report", "m.keras", "-o", "m.keras"][..], "would overwrite"),
        (&["report", "m.keras", "-o", "page.txt"], "end it in .html"),
        (&["report", "m.keras", "-o", "no/page.html"], "no"),
        (&["report", "none.keras"], "no model \"none.keras\", and no such file"),
        (&["report", "m.keras", "--data", "none.npz"], "none.npz"),
        (&["train", "--report", "page.txt"], "end it in .html"),
    ] {
        let stderr = run(at, arguments, false);
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
    }
    let left: BTreeMap<_, _> =
        fs::read_dir(at).unwrap().map(|entry| (entry.unwrap().file_name(), ())).collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_file_of_keras_has_a_page() {
    let folder = TempDir::new().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keras/digits.keras");
    let page = folder.path().join("digits.html");
    let arguments = ["report", file.to_str().unwrap(), "-o", page.to_str().unwrap()];
    run(folder.path(), &arguments, true);
    let text = fs::read_to_string(page).unwrap();
    assert_has(&text, "the file holds no record of the training, because another program wrote it");
    assert_has(&text, "What does it look for in the pixels?");
    assert_has(&text, "id=\"paper\"");
    assert_has(&text, "10,000 test samples");
    assert!(!text.contains("<th>seed</th>") && !text.contains("<th>epochs trained</th>"));
}

#[test]
fn the_canvas_computes_every_activation() {
    let script = include_str!("../src/report/page/classify.js");
    let (_, activations) = script.split_once("const activations = {").unwrap();
    let (activations, _) = activations.split_once("};").unwrap();
    for kind in ActivationKind::ALL {
        // These two have no entry: one changes nothing, the other needs the whole vector.
        let is_apart = matches!(kind, ActivationKind::Linear | ActivationKind::Softmax);
        let is_there = activations.contains(&format!("\n  {kind}: "));
        assert!(is_there != is_apart, "{kind} in classify.js");
    }
}
