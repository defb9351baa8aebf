//! The command line as a user calls it, on small data in MNIST's format and on wrong input.

use std::fs;
use std::path::Path;

use ndarray::{Array, Array1, Array3};
use ndarray_npy::NpzWriter;
use serde_json::Value;
use tallynet::optimizers::AnyOptimizer;
use tempfile::TempDir;

mod common;
use common::{run, run_in, tallynet};

/// A small dataset in MNIST's shape that can be learned: class c is a bright band at row 2c.
fn small_npz(folder: &Path) -> String {
    small_npz_of(folder, 10)
}

fn small_npz_of(folder: &Path, classes: u8) -> String {
    let path = folder.join("small.npz");
    let mut npz = NpzWriter::new(fs::File::create(&path).unwrap());
    for (name, rows) in [("train", 600), ("test", 200)] {
        let y = Array1::from_shape_fn(rows, |i| (i * 7 % usize::from(classes)) as u8);
        let x = Array3::from_shape_fn((rows, 28, 28), |(i, r, c)| {
            if r / 2 == usize::from(y[i]) { 255 } else { ((i * i + 3 * r + 5 * c) % 41) as u8 }
        });
        npz.add_array(format!("x_{name}"), &x).unwrap();
        npz.add_array(format!("y_{name}"), &y).unwrap();
    }
    npz.finish().unwrap();
    path.to_str().unwrap().to_string()
}

/// Asserts an error with this exit code and these words, and no result on stdout.
fn refused(code: i32, arguments: &[&str], words: &[&str]) {
    let run = run(arguments);
    assert_eq!(run.code, code, "{arguments:?}\n{}", run.stderr);
    assert!(!run.stdout.contains("Test score"), "{arguments:?}\n{}", run.stdout);
    for word in words {
        assert!(run.stderr.contains(word), "{arguments:?}: {word:?} is missing in\n{}", run.stderr);
    }
}

#[test]
fn train_prints_summary_scores_and_verification() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let run = run(&["train", "--data", &data, "--epochs", "2"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("____"));
    assert!(lines.contains(&"Total params: 7850"));
    for start in ["Test score: ", "Test accuracy: ", "dense_1/kernel", "Total", "Verified: "] {
        assert!(
            lines.iter().any(|line| line.trim_start().starts_with(start)),
            "{start:?} in\n{}",
            run.stdout
        );
    }
    let epochs: Vec<_> = run.stderr.lines().filter(|line| line.starts_with("Epoch ")).collect();
    assert_eq!(
        epochs.len(),
        2,
        "one plain line per epoch where there is no terminal:\n{}",
        run.stderr
    );
    assert!(
        epochs[0].starts_with("Epoch 1/2 - ") && epochs[0].contains("val_accuracy: "),
        "{}",
        epochs[0]
    );
    assert!(run.stderr.contains("divided by 255"), "{}", run.stderr);
}

#[test]
fn quiet_prints_two_lines_and_json_one() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let quiet = run(&["train", "--data", &data, "--epochs", "1", "--quiet"]);
    let lines: Vec<_> = quiet.stdout.lines().collect();
    assert!(
        lines.len() == 2
            && lines[0].starts_with("Test score: ")
            && lines[1].starts_with("Test accuracy: ")
    );
    assert_eq!(quiet.stderr, "");

    let json = run(&[
        "train",
        "--data",
        &data,
        "--epochs",
        "3",
        "--json",
        "--seed",
        "4",
        "--threads",
        "1",
    ]);
    assert_eq!((json.stdout.lines().count(), json.stderr.as_str()), (1, ""));
    let line: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&line["seed"], &line["threads"]), (&4.into(), &1.into()));
    assert_eq!(line["parameters"]["total"], 7850);
    assert_eq!(line["parameters"]["layers"]["dense_1"], 7850);
    assert_eq!(line["history"]["val_loss"].as_array().unwrap().len(), 3);
    assert_eq!(line["history"]["val_loss"][2], line["loss"], "validation is on the test set");
    for key in ["seconds", "seconds_per_epoch", "loss"] {
        assert!(line[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(line["metrics"]["accuracy"].as_f64().unwrap() > 0.5);
    assert!(line["fingerprint"].as_str().unwrap().contains(':'));
}

#[test]
fn save_verify_evaluate_and_continue() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let file = folder.path().join("model.safetensors");
    let file = file.to_str().unwrap();
    let path = ["--data", data.as_str()];
    let trained = run(&[&["train", "--epochs", "2", "--json", "--save", file], &path[..]].concat());
    let trained: Value = serde_json::from_str(&trained.stdout).unwrap();

    let verified = run(&["verify", file]);
    assert!(verified.stdout.contains("Verified"), "{}", verified.stdout);
    assert!(
        verified.stdout.contains(trained["fingerprint"].as_str().unwrap()),
        "{}",
        verified.stdout
    );

    let evaluated = run(&[&["evaluate", file, "--json"], &path[..]].concat());
    let evaluated: Value = serde_json::from_str(&evaluated.stdout).unwrap();
    assert_eq!(evaluated["loss"], trained["loss"]);
    assert_eq!(evaluated["metrics"], trained["metrics"]);

    let summary = run(&["summary", file, "--style", "keras2"]);
    assert!(summary.stdout.contains("Total params: 7,850"), "{}", summary.stdout);

    // Two epochs and two more are four, bit for bit.
    let more = run(&[&["train", file, "--epochs", "2", "--json"], &path[..]].concat());
    let four = run(&[&["train", "--epochs", "4", "--json"], &path[..]].concat());
    let (more, four): (Value, Value) =
        (serde_json::from_str(&more.stdout).unwrap(), serde_json::from_str(&four.stdout).unwrap());
    assert_eq!(more["fingerprint"], four["fingerprint"]);
    assert_eq!(more["loss"], four["loss"]);

    // The same model, the same bytes.
    let again = folder.path().join("again.safetensors");
    run(&[&["train", "--epochs", "2", "--quiet", "--save", again.to_str().unwrap()], &path[..]]
        .concat());
    assert_eq!(fs::read(file).unwrap(), fs::read(again).unwrap());
}

#[test]
fn the_test_score_is_on_the_test_set_even_with_a_split() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let run =
        run(&["train", "--data", &data, "--epochs", "1", "--json", "--validation-split", "0.2"]);
    let line: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_ne!(line["history"]["val_loss"][0], line["loss"]);
}

#[test]
fn flags_change_what_they_name() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let fingerprint = |flags: &[&str]| {
        let run = run(&[&["train", "--data", &data, "--epochs", "1", "--json"], flags].concat());
        assert_eq!(run.code, 0, "{flags:?}: {}", run.stderr);
        serde_json::from_str::<Value>(&run.stdout).unwrap()["fingerprint"].clone()
    };
    let plain = fingerprint(&[]);
    assert_eq!(plain, fingerprint(&["--threads", "3"]));
    assert_eq!(
        plain,
        fingerprint(&["--learning-rate", "0.01", "--momentum", "0", "--batch-size", "128"])
    );
    for flags in [
        &["--seed", "1"][..],
        &["--learning-rate", "0.1"],
        &["--momentum", "0.9"],
        &["--batch-size", "32"],
        &["--no-shuffle"],
        &["--scale", "none"],
    ] {
        assert_ne!(plain, fingerprint(flags), "{flags:?}");
    }
    let momentum = ["--momentum", "0.9", "--nesterov"];
    assert_ne!(fingerprint(&momentum[..2]), fingerprint(&momentum));
}

#[test]
fn callbacks_by_flags() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (csv, checkpoint) = (path("log.csv"), path("{epoch:02d}-{val_accuracy:.1f}.safetensors"));
    // With this learning rate no epoch after the first improves by min_delta.
    let slow = ["train", "--data", &data, "--epochs", "9", "--learning-rate", "1e-12"];
    let flags =
        ["--patience", "2", "--csv", &csv, "--checkpoint", &checkpoint, "--reduce-on-plateau=1"];
    let run = run(&[&slow[..], &flags[..]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    let lines: Vec<_> = run.stderr.lines().collect();
    for start in [
        "Epoch 1: val_loss improved from None to ",
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 1e-13.",
        "Epoch 2/9 - ",
        "Restoring model weights from the end of the best epoch: ",
    ] {
        assert!(lines.iter().any(|line| line.starts_with(start)), "{start:?} in\n{}", run.stderr);
    }
    assert!(lines.iter().any(|line| line.ends_with(": early stopping")), "{}", run.stderr);
    assert!(lines.iter().any(|line| line.ends_with("learning_rate: 1.0000e-13")), "{}", run.stderr);
    let log = fs::read_to_string(&csv).unwrap();
    assert!(
        log.starts_with("epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\r\n0,"),
        "{log}"
    );
    assert!((3..9).contains(&(log.lines().count() - 1)), "stopped before the end:\n{log}");
    let saved = fs::read_dir(folder.path())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let mut saved: Vec<_> = saved.filter(|name| name.ends_with(".safetensors")).collect();
    saved.sort();
    assert!(saved[0].starts_with("01-0."), "{saved:?}");
    assert_eq!(self::run(&["verify", &path(&saved[0])]).code, 0);
}

#[test]
fn the_best_weights_are_evaluated_and_saved() {
    let folder = TempDir::new().unwrap();
    let best = folder.path().join("best.safetensors");
    let best = best.to_str().unwrap();
    // The learning rate of the later epochs is so large that the loss grows.
    let wild = "piecewise:boundaries=50,values=0.001/0.1";
    let flags = ["--json", "--checkpoint", best, "--patience", "1", "--schedule", wild];
    let run = run(&[&["train", "dense-514", "--epochs", "9"], &flags[..]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "--json prints nothing else");
    let line: Value = serde_json::from_str(&run.stdout).unwrap();
    let losses = line["history"]["val_loss"].as_array().unwrap();
    let losses: Vec<f64> = losses.iter().map(|x| x.as_f64().unwrap()).collect();
    let lowest = losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(losses.len() < 9 && losses.last().unwrap() > &lowest, "{losses:?}");
    assert_eq!(line["loss"], lowest);
    let evaluated = self::run(&["evaluate", best, "--json"]);
    let evaluated: Value = serde_json::from_str(&evaluated.stdout).unwrap();
    assert_eq!(
        (&evaluated["loss"], &evaluated["fingerprint"]),
        (&line["loss"], &line["fingerprint"])
    );
}

#[test]
fn schedules_by_flag() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let json = |flags: &[&str]| -> Value {
        let run = run(&[&["train", "--data", &data, "--json"], flags].concat());
        assert_eq!(run.code, 0, "{flags:?}: {}", run.stderr);
        serde_json::from_str(&run.stdout).unwrap()
    };
    let plain = json(&["--epochs", "1"])["fingerprint"].clone();
    // Constant schedules that start at the model's learning rate.
    for same in [
        "exponential:decay_steps=10,decay_rate=1",
        "inverse-time:decay_steps=10,decay_rate=0,staircase=true",
        "polynomial:decay_steps=10,power=0,cycle=true",
        "cosine:decay_steps=10,alpha=1",
        "piecewise:boundaries=2/3,values=0.01/0.01/0.01",
    ] {
        assert_eq!(json(&["--epochs", "1", "--schedule", same])["fingerprint"], plain, "{same}");
    }
    let warm = "cosine:initial_learning_rate=0,warmup_target=0.1,warmup_steps=5,decay_steps=20";
    let file = folder.path().join("part.safetensors");
    let file = file.to_str().unwrap();
    let whole = json(&["--epochs", "3", "--optimizer", "rmsprop", "--schedule", warm]);
    assert_ne!(
        whole["fingerprint"],
        json(&["--epochs", "3", "--optimizer", "rmsprop"])["fingerprint"]
    );
    json(&["--epochs", "1", "--optimizer", "rmsprop", "--schedule", warm, "--save", file]);
    let continued =
        |flags: &[&str]| json(&[&[file, "--epochs", "2"], flags].concat())["fingerprint"].clone();
    assert_eq!(continued(&[]), whole["fingerprint"], "a saved model continues its schedule");
    assert_ne!(continued(&["--learning-rate", "0.1"]), whole["fingerprint"]);
    let defaults = continued(&["--optimizer", "rmsprop"]);
    assert_eq!(
        defaults,
        continued(&["--learning-rate", "0.001"]),
        "--optimizer resets the learning rate to its default"
    );
    refused(2, &["train", file, "--data", &data, "--reduce-on-plateau"], &["schedule"]);
}

/// Names of all optimizers.
fn optimizers() -> Vec<String> {
    AnyOptimizer::all().iter().map(|rule| rule.class_name().to_lowercase()).collect()
}

#[test]
fn every_optimizer_and_metric_trains() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let metrics = "accuracy,top_k_categorical_accuracy,mae,mse,precision,recall";
    let json = |flags: &[&str]| -> Value {
        let run = run(&[&["train", "--json", "--epochs", "1"], flags].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{flags:?}: {}", run.stderr))
    };
    for optimizer in &optimizers() {
        let line = json(&["--data", &data, "--optimizer", optimizer, "--metrics", metrics]);
        assert_eq!(line["metrics"].as_object().unwrap().len(), 6);
        assert!(
            line["metrics"]["top_k_categorical_accuracy"].as_f64()
                >= line["metrics"]["accuracy"].as_f64()
        );
    }
    let line =
        json(&["dense-514", "--loss", "huber", "--optimizer", "adamw", "--metrics", "mae,mse"]);
    assert_eq!(line["metrics"].as_object().unwrap().len(), 2);
}

#[test]
fn summary_and_models_and_help() {
    let summary = run(&["summary", "--explain", "--nodes"]);
    for part in [
        "Connected to",
        "784 inputs × 10 units + 10 biases = 7850",
        "inbound_nodes",
        "None is the batch axis",
    ] {
        assert!(summary.stdout.contains(part), "{part:?} is missing in\n{}", summary.stdout);
    }
    let wide = run(&["summary", "--style", "keras3", "--width", "88"]);
    let expected = fs::read_to_string("tests/fixtures/summaries/k3_model0_w88.txt").unwrap();
    let size = if size_of::<tallynet::Real>() == 8 { "61.33 KB" } else { "30.66 KB" };
    assert_eq!(wide.stdout, expected.replace("30.66 KB", size));
    let models = run(&["models"]);
    for part in ["mnist-softmax", "batch size 128", "epochs 12", "SGD", "categorical_crossentropy"]
    {
        assert!(models.stdout.contains(part), "{part:?} is missing in\n{}", models.stdout);
    }
    for command in ["train", "summary", "verify", "evaluate", "gradcheck"] {
        let help = run(&[command, "--help"]);
        assert!(help.code == 0 && help.stdout.contains("Example"), "{command}");
    }
}

#[test]
fn a_wrong_command_line_is_refused_with_2() {
    refused(2, &["train", "mnist-hardmax"], &["mnist-hardmax", "mnist-softmax"]);
    refused(2, &["summary", "nothing"], &["nothing", "mnist-softmax"]);
    refused(2, &["train", "--batch-size", "0"], &["--batch-size"]);
    refused(2, &["train", "--threads", "0"], &["--threads"]);
    refused(2, &["train", "--epochs", "-1"], &["--epochs", "-1"]);
    refused(2, &["train", "--learning-rate", "fast"], &["--learning-rate"]);
    refused(2, &["train", "--learning-rate=-1"], &["learning rate", "-1"]);
    refused(2, &["train", "--learning-rate", "nan"], &["learning rate"]);
    refused(2, &["train", "--momentum", "2"], &["momentum", "2"]);
    refused(2, &["train", "--nesterov"], &["--nesterov has no effect without momentum"]);
    refused(2, &["train", "--nesterov", "--optimizer", "adam"], &["--nesterov is for sgd", "Adam"]);
    refused(2, &["train", "--validation-split", "1"], &["--validation-split"]);
    refused(2, &["train", "--scale", "half"], &["--scale"]);
    refused(2, &["summary", "--style", "keras4"], &["--style"]);
    refused(2, &["summary", "--width", "3"], &["--width"]);
    refused(2, &["train", "--quiet", "--json"], &["--json"]);
    refused(2, &["train", "--patience", "-1"], &["--patience"]);
    refused(2, &["train", "--reduce-on-plateau=soon"], &["--reduce-on-plateau"]);
    refused(2, &["train", "--optimizer", "ferret"], &["ferret", "adagrad, adam, adamw"]);
    refused(2, &["train", "--loss", "hubert"], &["hubert", "huber,"]);
    refused(
        2,
        &["train", "--metrics", "accuracy,f1"],
        &["f1", "precision", "top_k_categorical_accuracy"],
    );
    refused(
        2,
        &["train", "--checkpoint", "{epoch:02d}-{val_acc}.keras"],
        &["val_acc", "val_accuracy"],
    );
    refused(2, &["train", "--checkpoint", "{epoch.keras"], &["{epoch:02d}"]);
    let good = "exponential:decay_steps=1000,decay_rate=0.96";
    refused(
        2,
        &["train", "--reduce-on-plateau", "--schedule", good],
        &["--schedule", "--reduce-on-plateau"],
    );
    for (schedule, word) in [
        ("", "exponential"),
        ("magic:decay_steps=1", "magic"),
        ("é", "exponential"),
        ("exponential", "decay_steps"),
        ("exponential:decay_steps=1000", "decay_rate"),
        ("exponential:decay_steps,decay_rate=1", "name=value"),
        ("exponential:decay_steps=many,decay_rate=1", "many"),
        ("cosine:decay_steps=100,warmth=1", "warmth"),
        ("piecewise:boundaries=1/x,values=1/2", "\"x\""),
    ] {
        let good = match schedule.split(':').next() {
            Some("cosine") => "cosine:decay_steps=5000",
            Some("piecewise") => "piecewise:boundaries=1000/5000,values=0.1/0.01/0.001",
            _ => good,
        };
        refused(2, &["train", "--schedule", schedule], &["--schedule", word, good]);
    }
    refused(
        2,
        &["train", "--schedule", "cosine:decay_steps=9,warmup_target=inf"],
        &["warmup_target", "finite"],
    );
    refused(
        2,
        &["train", "--schedule", "cosine:decay_steps=9,decay_steps=8"],
        &["decay_steps is given twice"],
    );
    refused(2, &["train", "--schedule", "cosine:decay_steps=0"], &["decay_steps is above 0"]);
    refused(2, &["train", "--schedule", "cosine:decay_steps=nan"], &["decay_steps"]);
    refused(2, &["train", "--schedule", "piecewise:boundaries=5,values=1"], &["one more"]);
    refused(2, &["fly"], &["fly"]);
    refused(2, &["train", "--data", "no/such/data"], &["no/such/data"]);
    let output = tallynet().env("TALLYNET_KERNEL", "abacus").arg("models").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("plain"));
}

#[test]
fn wrong_data_are_refused_with_1() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::create_dir(path("empty")).unwrap();
    refused(1, &["train", "--data", &path("empty")], &["empty", "train-images-idx3-ubyte"]);
    fs::create_dir(path("html")).unwrap();
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        fs::write(
            path(&format!("html/{name}-ubyte.gz")),
            "<!DOCTYPE html><html><body>403</body></html>",
        )
        .unwrap();
    }
    refused(
        1,
        &["train", "--data", &path("html")],
        &["a web page (HTML)", "train-images-idx3-ubyte"],
    );
    fs::write(path("broken.npz"), b"PK\x03\x04 and then nothing").unwrap();
    refused(1, &["train", "--data", &path("broken.npz")], &["broken.npz"]);

    let mut npz = NpzWriter::new(fs::File::create(path("shapes.npz")).unwrap());
    for name in ["train", "test"] {
        npz.add_array(format!("x_{name}"), &Array3::<u8>::zeros((5, 14, 14))).unwrap();
        npz.add_array(format!("y_{name}"), &Array1::<u8>::zeros(5)).unwrap();
    }
    npz.finish().unwrap();
    refused(1, &["train", "--data", &path("shapes.npz")], &["(5, 14, 14)", "(None, 1, 28, 28)"]);

    let eleven = small_npz_of(folder.path(), 11);
    refused(1, &["train", "--data", &eleven], &["label 10", "0 to 9"]);
}

#[test]
fn a_loss_that_is_not_finite_ends_training_with_epoch_batch_and_reason() {
    let folder = TempDir::new().unwrap();
    let npz = |name: &str, value: f32| {
        let path = folder.path().join(name);
        let mut npz = NpzWriter::new(fs::File::create(&path).unwrap());
        for name in ["train", "test"] {
            let mut x = Array::from_elem((300, 4), 0.5f32);
            x[[200, 3]] = value;
            npz.add_array(format!("x_{name}"), &x).unwrap();
            npz.add_array(format!("y_{name}"), &Array1::<u8>::zeros(300)).unwrap();
        }
        npz.finish().unwrap();
        path.to_str().unwrap().to_string()
    };
    let model = "tests/fixtures/field/04-integer-targets/line.keras";
    let nan = npz("nan.npz", f32::NAN);
    let words = ["training set", "the inputs hold NaN in row 200, column 3", "correct or drop"];
    refused(1, &["train", model, "--data", &nan, "--no-shuffle"], &words);
    if !cfg!(tallynet_f64) {
        let huge = npz("huge.npz", 3e38);
        let words = ["epoch 1", "batch 7", "the inputs reach 3"];
        refused(1, &["train", model, "--data", &huge, "--no-shuffle"], &words);
    }
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_training() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let nowhere = folder.path().join("no/such/folder/model.safetensors");
    refused(
        1,
        &["train", "--data", &data, "--save", nowhere.to_str().unwrap()],
        &["cannot write", "no/such/folder"],
    );
    refused(1, &["train", "--data", &data, "--save", folder.path().to_str().unwrap()], &["folder"]);
    for flag in ["--csv", "--checkpoint"] {
        refused(
            1,
            &["train", "--data", &data, flag, nowhere.to_str().unwrap()],
            &["cannot write", "no/such/folder"],
        );
        refused(1, &["train", "--data", &data, flag, folder.path().to_str().unwrap()], &["folder"]);
    }
}

#[test]
fn a_truncated_or_changed_model_file_is_refused() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let file = folder.path().join("model.safetensors");
    let file = file.to_str().unwrap();
    run(&["train", "--data", &data, "--epochs", "0", "--quiet", "--save", file]);
    let whole = fs::read(file).unwrap();
    fs::write(file, []).unwrap();
    refused(1, &["verify", file], &["model.safetensors", "this is an empty file"]);
    for len in [7, 8, 100, 700, whole.len() - 1] {
        fs::write(file, &whole[..len]).unwrap();
        refused(1, &["verify", file], &["model.safetensors", "tallynet"]);
    }
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = whole.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&whole[..at], to.as_bytes(), &whole[at + from.len()..]].concat()
    };
    for (from, to, word) in [
        ("Flatten", "Flitten", "Flitten"),
        ("dense_1/kernel", "dense_1/colonel"[..14].as_ref(), "dense_1/kernel is missing"),
        ("[784,10]", "[10,784]", "(10, 784)"),
        ("CategoricalCrossentropy", "CategoricalCrossintropy", "CategoricalCrossintropy"),
        ("tallynet", "tellynat", "no description"),
    ] {
        fs::write(file, replaced(from, to)).unwrap();
        refused(1, &["verify", file], &["model.safetensors", word]);
        refused(1, &["evaluate", file, "--data", &data], &[word]);
    }
    refused(2, &["verify", folder.path().join("none").to_str().unwrap()], &["cannot read"]);
    fs::write(file, "<html>").unwrap();
    refused(1, &["summary", file], &["safetensors"]);
}

#[test]
fn first_steps_of_a_newcomer() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let base = ["train", "--data", &data, "--epochs", "1"];
    let train = |more: &[&str]| run(&[&base, more].concat());

    // Integer labels work with every loss on one-hot targets.
    for loss in ["mse", "mae", "huber", "binary_crossentropy"] {
        assert_eq!(train(&["--loss", loss, "--quiet"]).code, 0, "{loss}");
    }
    // A metric given twice gets two names; spaces are ignored.
    let line: Value =
        serde_json::from_str(&train(&["--metrics", "accuracy, accuracy", "--json"]).stdout)
            .unwrap();
    assert_eq!(line["metrics"]["accuracy"], line["metrics"]["accuracy_1"]);
    assert_eq!(line["history"]["accuracy"].as_array().unwrap().len(), 1);
    // Evaluate and predict scale bytes alike, and warn about untrained weights.
    let json = path("model.json");
    let saved = train(&["--save", &json]);
    assert!(saved.stdout.contains("architecture only, no weights"), "{}", saved.stdout);
    let evaluated = run(&["evaluate", &json, "--data", &data]);
    assert!(evaluated.stderr.contains("no weights") && evaluated.stderr.contains("divided by 255"));
    let predicted = run(&["predict", &json, &data, "-o", &path("y.npy")]);
    assert!(predicted.stderr.contains("divided by 255"), "{}", predicted.stderr);
    let raw = run(&["predict", &json, &data, "-o", &path("y.npy"), "--scale", "none"]);
    assert!(!raw.stderr.contains("divided by 255"), "{}", raw.stderr);
    refused(2, &[&base[..], &["--checkpoint", &json]].concat(), &[".json", "no weights"]);
    refused(
        2,
        &["convert", "mnist-softmax", &path("model.h5")],
        &["read and not written", ".keras"],
    );
    // Exports are for `convert` alone, since no training could go on from them.
    for name in ["model.onnx", "model.h"] {
        let export = path(name);
        refused(2, &[&base[..], &["--save", &export]].concat(), &["cannot be read again"]);
        let converted = run(&["convert", "mnist-softmax", &export]);
        assert_eq!(converted.code, 0, "{}", converted.stderr);
        assert!(converted.stderr.contains("untrained"), "{}", converted.stderr);
        refused(1, &["evaluate", &export, "--data", &data], &["which is written and not read"]);
    }
    // --weights accepts safetensors.
    let (whole, copy) = (path("model.safetensors"), path("copy.safetensors"));
    assert_eq!(train(&["--seed", "3", "--save", &whole]).code, 0);
    assert_eq!(run(&["convert", &json, &copy, "--weights", &whole]).code, 0);
    let fingerprint =
        |file: &str| run(&["verify", file]).stdout.split("Fingerprint").last().unwrap().to_string();
    assert_eq!(fingerprint(&whole), fingerprint(&copy));
    // An error uses the schedule's short name, and names a flag that conflicts with it.
    let piecewise = "piecewise:boundaries=5,values=0.1/0.01";
    for (schedule, words) in [
        ("nonsense", &["nonsense", "exponential", "inverse-time"][..]),
        (piecewise, &["--learning-rate"]),
        ("exponential:staircase=yes", &["staircase", "true or false"]),
        ("cosine:initial_learning_rate=0.1", &["--learning-rate", "initial_learning_rate"]),
    ] {
        refused(
            2,
            &[&base[..], &["--learning-rate", "0.1", "--schedule", schedule]].concat(),
            words,
        );
    }
    assert_eq!(
        train(&["--schedule", "ExponentialDecay:decay_steps=9,decay_rate=0.9", "--quiet"]).code,
        0
    );
}

#[test]
fn hostile_models_and_paths() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let layer = |class: &str, config: &str| {
        let layer = format!(r#"{{"class_name": "{class}", "config": {config}}}"#);
        let input = r#"{"class_name": "InputLayer", "config": {"batch_shape": [null, 28, 28, 1]}}"#;
        let compile = r#"{"optimizer": "sgd", "loss": "mse"}"#;
        format!(
            r#"{{"class_name": "Sequential", "config": {{"layers": [{input}, {layer}]}}, "compile_config": {compile}}}"#
        )
    };
    let file = |name: &str, text: String| {
        fs::write(path(name), text).unwrap();
        path(name)
    };
    // A name longer than the maximum format width; a name with a slash.
    let long = file(
        "long.json",
        layer("Dense", &format!(r#"{{"units": 2, "name": "{}"}}"#, "n".repeat(70_000))),
    );
    assert_eq!(run(&["gradcheck", &long]).code, 0);
    let slash = file("slash.json", layer("Dense", r#"{"units": 2, "name": "a/b"}"#));
    let summary = run(&["summary", &slash]);
    assert!(summary.code == 0 && summary.stderr.contains("a/b is called a_b"));
    // Strides and dilated kernels far larger than the image.
    let stride = r#"{"filters": 1, "kernel_size": 3, "padding": "same", "strides": [9223372036854775807, 1]}"#;
    let stride = file("stride.json", layer("Conv2D", stride));
    assert_eq!(run(&["predict", &stride, &data, "-o", &path("y.npy")]).code, 0);
    for dilation in ["20000", "2147483648", "4611686018427387904"] {
        let config = format!(
            r#"{{"filters": 1, "kernel_size": 3, "padding": "same", "dilation_rate": {dilation}}}"#
        );
        refused(
            1,
            &["summary", &file("dilation.json", layer("Conv2D", &config))],
            &["dilation_rate", dilation],
        );
    }
    // A custom class registered under the name of a Keras class.
    let own = layer("Dense", r#"{"units": 2}"#)
        .replace(r#""Dense","#, r#""Dense", "registered_name": "lab>Dense","#);
    refused(1, &["summary", &file("own.json", own)], &["Dense", "lab>Dense", "not Keras's own"]);
    // An option of a wrong type is named.
    let scale = file("scale.json", layer("Rescaling", r#"{"scale": [0.1, 0.2]}"#));
    refused(1, &["summary", &scale], &["Rescaling", "scale = [0.1,0.2]"]);
    // The last step of training makes the weights NaN.
    let base = ["train", "--data", &data, "--batch-size", "600", "--epochs", "1"];
    if !cfg!(tallynet_f64) {
        let far = ["--quiet", "--learning-rate", "1e300", "--save", &path("nan.keras")];
        refused(1, &[&base[..], &far].concat(), &["epoch 1", "batch 1", "NaN"]);
        assert!(!Path::new(&path("nan.keras")).exists());
    }
    let saved = path("one.keras");
    assert_eq!(run(&[&base[..], &["--save", &saved]].concat()).code, 0);
    // Inputs are not overwritten; an archive of several arrays is ambiguous.
    refused(2, &["predict", &saved, &data, "-o", &saved], &["overwrite"]);
    refused(2, &["train", &saved, "--data", &data, "--save", &data], &["--save", "overwrite"]);
    refused(2, &["train", &saved, "--data", &data, "--csv", &saved], &["--csv", "overwrite"]);
    let several = path("several.npz");
    let mut npz = NpzWriter::new(fs::File::create(&several).unwrap());
    for name in ["a", "b"] {
        npz.add_array(name, &Array1::<f32>::zeros(3)).unwrap();
    }
    npz.finish().unwrap();
    refused(1, &["predict", &saved, &several, "-o", &path("y.npy")], &["several arrays", "x_test"]);
    // Devices are written to; a symbolic link stays one; a file keeps its permissions.
    #[cfg(unix)]
    {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        assert_eq!(run(&["predict", &saved, &data, "-o", "/dev/null"]).code, 0);
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let link = path("link.npy");
        fs::write(path("y.npy"), "").unwrap();
        fs::set_permissions(path("y.npy"), fs::Permissions::from_mode(0o600)).unwrap();
        symlink(path("y.npy"), &link).unwrap();
        assert_eq!(run(&["predict", &saved, &data, "-o", &link]).code, 0);
        assert!(fs::symlink_metadata(&link).unwrap().file_type().is_symlink());
        let written = fs::metadata(path("y.npy")).unwrap();
        assert!(written.len() > 1000 && written.permissions().mode() & 0o777 == 0o600);
    }
    // TALLYNET_DATA takes precedence over the synthetic task.
    let mut command = tallynet();
    command.env("TALLYNET_DATA", path("nowhere.npz")).args([
        "train",
        "dense-514",
        "--epochs",
        "1",
        "--quiet",
    ]);
    assert_eq!(command.output().unwrap().status.code(), Some(1));
}

#[test]
fn training_continues_bit_for_bit_from_every_file_format() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    for optimizer in &optimizers() {
        let train = |model: &str, epochs: &str, more: &[&str]| {
            let base = ["train", model, "--data", &data, "--epochs", epochs, "--json"];
            let line: Value = serde_json::from_str(&run(&[&base, more].concat()).stdout).unwrap();
            line["fingerprint"].as_str().unwrap().to_string()
        };
        let schedule = ["--schedule", "exponential:decay_steps=9,decay_rate=0.9"];
        let rate = ["--optimizer", optimizer, "--learning-rate", "0.0123"];
        let how =
            if optimizer == "rmsprop" { [&rate[..], &schedule].concat() } else { rate.to_vec() };
        let whole = train("mnist-softmax", "3", &how);
        // Keras's files hold f32 only.
        for extension in
            if cfg!(tallynet_f64) { &["safetensors"][..] } else { &["keras", "safetensors"] }
        {
            let file = folder.path().join("half").with_extension(extension);
            let file = file.to_str().unwrap();
            train("mnist-softmax", "1", &[&how[..], &["--save", file]].concat());
            assert_eq!(train(file, "2", &[]), whole, "{optimizer}, {extension}");
        }
    }
}

#[test]
fn data_are_searched_for_in_a_fixed_order() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let output = tallynet()
        .env("TALLYNET_DATA", &data)
        .args(["train", "--epochs", "0", "--quiet"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let output = tallynet()
        .env("TALLYNET_DATA", "/no/such/place")
        .args(["train", "--quiet"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/such/place"));
    // In any other folder, the data of the source tree are found.
    let away = run_in(folder.path(), &["train", "--epochs", "0", "--quiet"]);
    assert_eq!(away.code, 0, "{}", away.stderr);
}

#[test]
fn bytes_are_scaled_as_in_training() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    for extension in ["keras", "safetensors"] {
        let saved = path(&format!("raw.{extension}"));
        let how = ["--data", &data, "--scale", "none", "--learning-rate", "1e-5", "--quiet"];
        let trained = run(&[&["train", "--epochs", "1", "--save", &saved][..], &how].concat());
        let evaluated = run(&["evaluate", &saved, "--data", &data]);
        assert_eq!((&evaluated.stdout, evaluated.stderr.as_str()), (&trained.stdout, ""));
        let unit = run(&["evaluate", &saved, "--data", &data, "--scale", "unit", "--json"]);
        assert!(
            unit.stderr.contains("divided by 255"),
            "a notice also beside one line of JSON: {}",
            unit.stderr
        );
    }
    // A Rescaling before the first weights replaces the scaling of bytes.
    let layers = r#"[{"class_name": "InputLayer", "config": {"batch_shape": [null, 28, 28]}},
        {"class_name": "Reshape", "config": {"target_shape": [28, 28, 1]}},
        {"class_name": "Rescaling", "config": {"scale": 0.00392156862745098}},
        {"class_name": "Flatten", "config": {}}, {"class_name": "Dense", "config": {"units": 10}}]"#;
    let compile = r#"{"optimizer": "sgd", "loss": "mse"}"#;
    let description = format!(
        r#"{{"class_name": "Sequential", "config": {{"layers": {layers}}}, "compile_config": {compile}}}"#
    );
    fs::write(path("rescaling.json"), description).unwrap();
    assert!(
        !run(&["evaluate", &path("rescaling.json"), "--data", &data]).stderr.contains("divided")
    );
}

#[test]
fn no_output_overwrites_an_input_or_another_output() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    fs::hard_link(&data, path("hard.npz")).unwrap();
    let base = ["train", "--data", &data, "--epochs", "1", "--quiet"];
    for outputs in [
        ["--checkpoint", &data, "--csv", &path("log.csv")],
        ["--csv", &path("hard.npz"), "--save", &path("model.keras")],
        ["--csv", &path("a.npz"), "--save", &path("a.npz")],
        ["--save", &path("b.keras"), "--checkpoint", &path("b.keras")],
    ] {
        refused(2, &[&base[..], &outputs].concat(), &["would overwrite"]);
    }
    let by_environment = |save: &str| {
        let mut command = tallynet();
        command.env("TALLYNET_DATA", &data).args(["train", "--epochs", "1", "--save", save]);
        command.output().unwrap().status.code()
    };
    assert_eq!((by_environment(&data), by_environment(&path("c.npz"))), (Some(2), Some(0)));
    // A pipe can be written; a callback that fails does not lose the trained model.
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let pipe = path("pipe.safetensors");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap().len()
        });
        assert_eq!(run(&[&base[..], &["--save", &pipe]].concat()).code, 0);
        assert!(reader.join().unwrap() > 7850 * 4);
        symlink(path("target.keras"), path("link.keras")).unwrap();
        assert_eq!(run(&[&base[..], &["--save", &path("link.keras")]].concat()).code, 0);
        assert!(
            fs::read_link(path("link.keras")).is_ok() && Path::new(&path("target.keras")).exists()
        );
        // Nothing is saved if no step was taken: a socket cannot be opened.
        let _socket = std::os::unix::net::UnixListener::bind(path("socket.csv")).unwrap();
        let kept = fs::read(path("target.keras")).unwrap();
        let how = ["--seed", "9", "--csv", &path("socket.csv"), "--save", &path("target.keras")];
        refused(1, &[&base[..], &how].concat(), &["socket.csv"]);
        assert_eq!(fs::read(path("target.keras")).unwrap(), kept);
        fs::create_dir(path("sub")).unwrap();
        symlink(path("sub"), path("folder")).unwrap();
        for (one, other) in [("sub/../d.keras", "d.keras"), ("folder/e.keras", "sub/e.keras")] {
            let outputs = ["--save", &path(one), "--checkpoint", &path(other)];
            refused(2, &[&base[..], &outputs].concat(), &["would overwrite"]);
        }
        if Path::new("/dev/full").exists() {
            refused(
                1,
                &[&base[..], &["--csv", "/dev/full", "--save", &path("kept.keras")]].concat(),
                &["/dev/full"],
            );
            assert_eq!(run(&["verify", &path("kept.keras")]).code, 0);
        }
    }
    refused(2, &["predict", &path("c.npz"), &data, "-o", &path("y.txt")], &[".npy"]);
    // Evaluation needs only the test set.
    let mut npz = NpzWriter::new(fs::File::create(path("test.npz")).unwrap());
    npz.add_array("x_test", &Array3::<u8>::zeros((3, 28, 28))).unwrap();
    npz.add_array("y_test", &Array1::<u8>::zeros(3)).unwrap();
    npz.finish().unwrap();
    assert_eq!(run(&["evaluate", &path("target.keras"), "--data", &path("test.npz")]).code, 0);
    refused(1, &["train", "--data", &path("test.npz")], &["x_train", "missing"]);
}

#[test]
fn unusual_architectures() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let file = |shape: &str, layer: &str, training: &str| {
        let input =
            format!(r#"{{"class_name": "InputLayer", "config": {{"batch_shape": {shape}}}}}"#);
        let compile = r#"{"optimizer": "adam", "loss": "mse", "metrics": [
            {"class_name": "MeanAbsoluteError", "config": {"name": "val_loss"}}, "mae"]}"#;
        let model = format!(
            r#"{{"class_name": "Sequential", "config": {{"layers": [{input}, {layer}]}}, "compile_config": {compile},
                "training": {training}}}"#
        );
        fs::write(path("model.json"), model).unwrap();
        path("model.json")
    };
    let dense =
        |more: &str| format!(r#"{{"class_name": "Dense", "config": {{"units": 2 {more}}}}}"#);
    let training =
        r#"{"seed": 0, "epochs": 0, "batch_size": 0, "iteration": 5, "learning_rate": 0.5}"#;
    let odd_name = run(&["summary", &file("[null, 4]", &dense(""), training)]);
    assert!(odd_name.code == 0 && odd_name.stderr.contains("val_loss"), "{}", odd_name.stderr);
    for (more, word) in [
        (r#", "kernel_regularizer": {"class_name": "L2", "config": {"l2": -5}}"#, "-5"),
        (r#", "trainable": 0"#, "trainable is 0"),
    ] {
        refused(1, &["summary", &file("[null, 4]", &dense(more), training)], &[word]);
    }
    for (from, to) in [("0.5", "-0.5"), (": 5", ": 18446744073709551615")] {
        refused(
            1,
            &["summary", &file("[null, 4]", &dense(""), &training.replace(from, to))],
            &["damaged"],
        );
    }
    // Gradient check of a model larger than memory; saving a model without weights.
    let flatten = r#"{"class_name": "Flatten", "config": {}}"#;
    for shape in ["[null, 1099511627776]", "[null, 1000000000000000000]"] {
        refused(1, &["gradcheck", &file(shape, flatten, training)], &[]);
    }
    assert_eq!(
        run(&["convert", &file("[null, 4]", flatten, training), &path("empty.npz")]).code,
        0
    );
    refused(2, &["verify", "mnist-softmax"], &["mnist-softmax", "--save"]);
}

#[test]
fn a_training_on_all_samples_forgets_what_was_held_out() {
    let folder = TempDir::new().unwrap();
    let data = small_npz(folder.path());
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let (part, whole) = (path("part.keras"), path("whole.keras"));
    let train = |model: &str, more: &[&str]| {
        let flags = ["train", model, "--data", &data, "--epochs", "1", "--quiet"];
        let run = run(&[&flags, more].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
    };
    train("mnist-softmax", &["--test-split", "0.2", "--save", &part]);
    let evaluated = run(&["evaluate", &part, "--data", &data]).stderr;
    assert!(evaluated.contains("evaluated on the 120 of 600 samples"), "{evaluated}");
    train(&part, &["--save", &whole]);
    let evaluated = run(&["evaluate", &whole, "--data", &data]).stderr;
    assert!(!evaluated.contains("held out"), "{evaluated}");
}
