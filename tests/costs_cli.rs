//! `summary --explain`, `--json`, `verify` and `plot` as a person uses them.

mod common;

use std::fs;

use common::{Run, run, run_in};
use serde_json::{Value, json};
use tallynet::layers::{Conv2D, Dense, Flatten};
use tallynet::model::{Sequential, presets};
use tallynet::{formats, report};
use tempfile::TempDir;

/// The stdout of a command that succeeds.
fn succeed(arguments: &[&str]) -> String {
    let Run { code, stdout, stderr } = run(arguments);
    assert_eq!(code, 0, "{arguments:?}: {stderr}");
    stdout
}

/// One line of JSON on the stdout of a command that succeeds.
fn json_of(arguments: &[&str]) -> Value {
    let stdout = succeed(arguments);
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    serde_json::from_str(&stdout).unwrap()
}

/// Runs a command that fails with this exit code and these words.
fn refuse(code: i32, arguments: &[&str], words: &[&str]) {
    let run = run(arguments);
    assert_eq!((run.code, &*run.stdout), (code, ""), "{arguments:?}: {}", run.stderr);
    for word in words {
        assert!(run.stderr.contains(word), "{arguments:?}: {word:?} is missing in\n{}", run.stderr);
    }
}

#[test]
fn summary_explains_the_costs_after_the_parameters() {
    let text = succeed(&["summary", "--explain"]);
    let parameters = text.find("784 inputs × 10 units + 10 biases = 7850").unwrap();
    let costs = text.find("    forward: 784 inputs × 10 units = 7,840 multiply-adds\n").unwrap();
    assert!(parameters < costs, "{text}");
    for part in [
        "A multiply-add is one product that is added to a sum: 2 FLOPs.",
        "    backward: 7,840 for the gradient of the kernel;\n        none for that of the input, \
         since no layer before it has weights to train\n",
        "    forward and backward: 15,680\n",
        "    forward: 7,840 multiply-adds = 15,680 FLOPs\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    assert!(!succeed(&["summary"]).contains("multiply-add"));
}

#[test]
fn summary_in_json() {
    let line = json_of(&["summary", "mnist-softmax", "--json"]);
    let size = size_of::<tallynet::Real>();
    assert_eq!(line["model"], "mnist-softmax");
    assert_eq!(line["input_shape"], json!([null, 1, 28, 28]));
    let layers = line["layers"].as_array().unwrap();
    let names: Vec<&Value> = layers.iter().map(|layer| &layer["name"]).collect();
    assert_eq!(names, ["flatten_1", "dense_1", "activation_1"]);
    let dense = &layers[1];
    assert_eq!(dense["class"], "Dense");
    assert_eq!(dense["output_shape"], json!([null, 10]));
    assert_eq!(dense["parameters"]["total"], 7850);
    assert_eq!(dense["parameters"]["formula"], "784 inputs × 10 units + 10 biases");
    assert_eq!(dense["parameters"]["arrays"][0]["shape"], json!([784, 10]));
    let mut counts = json!({
        "forward": 7840, "on_padding": 0, "kernel_gradient": 7840, "input_gradient": 0,
        "forward_and_backward": 15680,
    });
    assert_eq!(line["totals"]["multiply_adds"], counts);
    counts["formula"] = json!("784 inputs × 10 units");
    assert_eq!(dense["multiply_adds"], counts);
    assert_eq!(dense["activation_bytes"], 10 * size);
    assert_eq!(line["totals"]["parameters"], json!({ "total": 7850, "trainable": 7850 }));
    assert_eq!(line["totals"]["activations"], 804);
    assert_eq!(line["totals"]["parameter_bytes"], 7850 * size);
    let cnn = succeed(&["summary", "mnist-cnn", "--json"]);
    assert!(cnn.contains("of its window, and a bias of its own; it is the same filter"), "{cnn}");
    // It says all that --explain does, and no table.
    assert_eq!(json_of(&["summary", "mnist-softmax", "--json", "--explain"]), line);
    refuse(2, &["summary", "--json", "--style", "keras3"], &["--json", "--style"]);
    refuse(2, &["summary", "--json", "--nodes"], &["--json", "--nodes"]);
    refuse(2, &["summary", "nothing", "--json"], &["nothing", "mnist-softmax"]);
}

#[test]
fn verify_proves_the_multiply_adds() {
    let text = succeed(&["verify", "tests/keras/digits.keras"]);
    let [parameters, costs] = text.split("\n\n").collect::<Vec<_>>()[..] else {
        panic!("two tables, not\n{text}");
    };
    assert!(parameters.contains("Verified: formula, summary and weights agree."), "{text}");
    let expected = "\
Multiply-adds  formula                forward  counted  backward  counted
flatten        none                         0        0         0        0
dense          784 inputs × 10 units    7,840    7,840     7,840    7,840
activation     none                         0        0         0        0
Total                                   7,840    7,840     7,840    7,840
Verified: the reference kernels, run on one sample, did exactly the multiply-adds of the formulas.
";
    assert_eq!(costs, expected);
}

#[test]
fn verify_in_json() {
    let line = json_of(&["verify", "tests/keras/digits.keras", "--json"]);
    assert_eq!(line["verified"], true);
    assert_eq!(line["file"], "tests/keras/digits.keras");
    assert_eq!(line["written_by"], "Keras 3.15.1");
    assert_eq!(line["totals"]["parameters"], 7850);
    let dense = &line["layers"][1];
    assert_eq!((&dense["name"], &dense["verified"]), (&json!("dense"), &json!(true)));
    for count in ["by_formula", "in_summary", "counted"] {
        assert_eq!(dense["parameters"][count], 7850, "{count}");
    }
    assert_eq!(
        dense["parameters"]["arrays"][1],
        json!({
            "name": "dense/bias", "shape": [10], "counted": 10,
        })
    );
    assert_eq!(dense["multiply_adds"]["by_formula"]["forward"], 7840);
    assert_eq!(dense["multiply_adds"]["by_formula"], dense["multiply_adds"]["counted"]);
    assert_eq!(dense["multiply_adds"]["run"], "whole");
    let text = succeed(&["verify", "tests/keras/digits.keras"]);
    assert!(text.contains(&format!("Fingerprint {}", line["fingerprint"].as_str().unwrap())));
    refuse(2, &["verify", "no.keras", "--json"], &["no.keras"]);
    refuse(2, &["verify", "mnist-softmax", "--json"], &["preset"]);
}

#[test]
fn verify_in_json_with_a_file_of_weights() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let mut model = presets::named("mnist-softmax").unwrap().build(3).unwrap();
    model.epochs_done = 1;
    for name in ["m.json", "m.npz"] {
        formats::save(&model, folder.path().join(name).as_path()).unwrap();
    }
    let line = json_of(&["verify", &path("m.json"), &path("m.npz"), "--json"]);
    assert_eq!((&line["verified"], &line["weights"]), (&json!(true), &json!(path("m.npz"))));
    assert_eq!(line["fingerprint"], model.fingerprint());
}

/// Tags of an XML document, which are closed in the order that they were opened, and its texts.
struct Xml {
    tags: Vec<String>,
    texts: Vec<String>,
}

/// Reads the elements, attributes and texts that the pictures consist of; panics on others.
fn xml(document: &str) -> Xml {
    let forbidden = |c: char| c.is_control() && c != '\n';
    assert!(!document.contains(forbidden), "a control character in {document}");
    let mut open: Vec<String> = vec![];
    let mut all = Xml { tags: vec![], texts: vec![] };
    let mut rest = document.trim_end();
    while let Some(at) = rest.find('<') {
        let text = &rest[..at];
        check_references(text);
        if !text.trim().is_empty() && open.last().is_some_and(|tag| tag != "style") {
            all.texts.push(text.to_string());
        }
        let end = rest.find('>').expect("a tag that ends");
        let tag = &rest[at + 1..end];
        rest = &rest[end + 1..];
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name), "in {document}");
            continue;
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes of <{tag}>");
        let name = tag.trim_end_matches('/').split(' ').next().unwrap().to_string();
        assert!(name.chars().all(|c| c.is_ascii_lowercase()), "<{tag}>");
        all.tags.push(name.clone());
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty() && rest.is_empty(), "{open:?} are not closed in {document}");
    all
}

fn check_references(text: &str) {
    assert!(!text.contains('>'), "{text}");
    for (at, _) in text.match_indices('&') {
        let known = ["&amp;", "&lt;", "&gt;", "&quot;"];
        assert!(known.iter().any(|name| text[at..].starts_with(name)), "{text}");
    }
}

#[test]
fn plot_draws_each_layer_with_its_shapes_and_counts() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model.svg");
    let run = run(&["plot", "mnist-cnn", "-o", file.to_str().unwrap()]);
    assert_eq!((run.code, &*run.stdout), (0, ""));
    assert!(run.stderr.contains("Wrote ") && run.stderr.contains("model.svg"), "{}", run.stderr);
    let picture = fs::read_to_string(&file).unwrap();
    assert_eq!(picture, succeed(&["plot", "mnist-cnn"]), "the same on stdout");
    let expected = fs::read_to_string("tests/fixtures/summaries/mnist-cnn.svg").unwrap();
    assert_eq!(picture, expected);

    let Xml { tags, texts } = xml(&picture);
    let count = |name: &str| tags.iter().filter(|tag| *tag == name).count();
    // A page; a head and four cells for each of four layers; a shaft and a point for each arrow.
    assert_eq!((count("rect"), count("path")), (1 + 4 * 5, 3 * 2));
    for text in [
        "sequential: 4 layers, 387,466 parameters",
        "conv2d_2 (Conv2D)",
        "(None, 26, 26, 32)",
        "18,496",
        "10,616,832",
    ] {
        assert!(texts.iter().any(|each| each == text), "{text:?} is missing in {texts:?}");
    }
}

#[test]
fn names_of_any_kind_are_drawn_as_text() {
    let names = [
        "<script>alert(\"1\")</script> & 'more'",
        "control \u{1} \u{1b}[31m and \u{fffe} and \u{202e}",
        "一二三四五",
        &"long".repeat(60),
    ];
    let mut builder = Sequential::builder([4]).named(names[0].replace('/', " ") + "model");
    for name in &names {
        builder = builder.add(Dense::new(2)).named(name.replace('/', " "));
    }
    let picture = report::plot(&builder.build(0).unwrap());
    let Xml { tags, texts } = xml(&picture);
    assert!(!tags.contains(&"script".to_string()), "{tags:?}");
    let title = "&lt;script&gt;alert(&quot;1&quot;)&lt; script&gt; &amp; 'more' (Dense)";
    assert_eq!(texts.iter().filter(|text| *text == title).count(), 2, "title and tooltip");
    assert!(
        picture.contains("control \u{fffd} \u{fffd}[31m and \u{fffd} and \u{fffd} (Dense)"),
        "{picture}"
    );
    let long = texts.iter().filter(|text| text.starts_with("longlong")).collect::<Vec<_>>();
    assert_eq!(long[0].chars().count(), 240 + " (Dense)".len(), "the tooltip has it whole");
    assert!(long[1].ends_with("… (Dense)"), "{}", long[1]);
    assert_eq!(long[1].chars().count(), 80);
}

#[test]
fn a_picture_says_what_is_not_trained_and_what_is_open() {
    let model = Sequential::builder([5, 5, 1])
        .add(Conv2D::new(2, [2, 2]))
        .frozen()
        .add(Flatten {})
        .build(0)
        .unwrap();
    let picture = report::plot(&model);
    assert!(picture.contains("Parameters: <tspan>10, 10 not trained</tspan>"), "{picture}");
    let empty = Sequential::builder([5]).build(0).unwrap();
    assert_eq!(xml(&report::plot(&empty)).texts, ["sequential: 0 layers, 0 parameters"]);
}

#[test]
fn plot_reads_scripts_and_refuses_other_outputs() {
    let folder = TempDir::new().unwrap();
    assert_eq!(run_in(folder.path(), &["new", "mlp", "-o", "m.py"]).code, 0);
    if cfg!(feature = "script") {
        let run = run_in(folder.path(), &["plot", "m.py", "-o", "m.SVG", "--set", "hidden=7"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let picture = fs::read_to_string(folder.path().join("m.SVG")).unwrap();
        assert!(xml(&picture).texts.contains(&"(None, 7)".to_string()), "{picture}");
    }
    refuse(2, &["plot", "mnist-cnn", "-o", "model.png"], &["model.png", ".svg", "rsvg-convert"]);
    refuse(2, &["plot", "nothing"], &["nothing", "mnist-softmax"]);
    let script = folder.path().join("m.svg");
    fs::copy(folder.path().join("m.py"), &script).unwrap();
    let script = script.to_str().unwrap();
    refuse(2, &["plot", script, "-o", script], &["would overwrite"]);
    let missing = folder.path().join("none").join("m.svg");
    refuse(1, &["plot", "mnist-cnn", "-o", missing.to_str().unwrap()], &["cannot"]);
    let help = succeed(&["plot", "--help"]);
    assert!(help.contains("Examples:") && help.contains("plot_model"), "{help}");
}
