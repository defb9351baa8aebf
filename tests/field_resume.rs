//! Going on with a training from a saved file, through the command line, and outputs that fail.

#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

mod common;
use common::{Run, run_in, tallynet};

fn field(name: &str) -> String {
    format!("{}/tests/fixtures/field/07-resume/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Trains a model on the data of the fixtures, in this folder.
fn train(folder: &Path, model: &str, more: &[&str]) -> Run {
    let data = field("xy.npz");
    let base = ["train", model, "--data", &data, "--validation-split", "0.25"];
    run_in(folder, &[&base, more].concat())
}

#[track_caller]
fn trained(folder: &Path, model: &str, more: &[&str]) -> String {
    let run = train(folder, model, more);
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stderr
}

/// Step that makes the model worse.
const WORSE: [&str; 2] = ["--learning-rate", "1.2"];

#[test]
fn a_better_checkpoint_is_never_replaced_by_a_worse_one() {
    for extension in ["keras", "safetensors"] {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        let (best, last) = (format!("best.{extension}"), format!("last.{extension}"));
        let outputs = ["--checkpoint", &best, "--save", &last];
        trained(folder, &field("line.keras"), &[&["--epochs", "8"], &outputs[..]].concat());
        let kept = fs::read(folder.join(&best)).unwrap();
        let resumed = trained(folder, &last, &[&["--epochs", "3"], &WORSE[..], &outputs].concat());
        assert!(resumed.contains("Resuming after epoch 8; the best val_loss so far is 0.1456"));
        assert!(resumed.contains("Epoch 9: val_loss did not improve from 0.1456"), "{resumed}");
        assert!(resumed.contains("\nEpoch 11/11 - "), "{resumed}");
        assert_eq!(fs::read(folder.join(&best)).unwrap(), kept);

        // The worse file still knows the best value; a better epoch replaces the checkpoint.
        let again = trained(folder, &last, &[&WORSE[..], &outputs].concat());
        assert!(again.contains("Resuming after epoch 11; the best val_loss so far is 0.1456"));
        let better = trained(folder, &best, &["--epochs", "2", "--checkpoint", &best]);
        assert!(better.contains("Epoch 9: val_loss improved from 0.1456"), "{better}");
        assert_ne!(fs::read(folder.join(&best)).unwrap(), kept);
    }
}

#[test]
fn the_checkpoint_that_is_there_counts_although_the_file_does_not_know_it() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let checkpoint = ["--checkpoint", "best.keras"];
    trained(folder, &field("line.keras"), &[&["--epochs", "8"], &checkpoint[..]].concat());
    let kept = fs::read(folder.join("best.keras")).unwrap();
    trained(folder, &field("line.keras"), &["--save", "other.keras"]);
    let resumed = trained(folder, "other.keras", &[&WORSE[..], &checkpoint].concat());
    assert!(resumed.contains("the best val_loss so far is 0.1456"), "{resumed}");
    assert_eq!(fs::read(folder.join("best.keras")).unwrap(), kept);
    // A training from the first epoch does not compare, nor does one with another loss.
    for anew in [&["--loss", "mae"][..], &["--initial-epoch", "0"]] {
        fs::copy(folder.join("other.keras"), folder.join("copy.keras")).unwrap();
        fs::write(folder.join("b.keras"), &kept).unwrap();
        let save = ["--save", "copy.keras"];
        let anew =
            trained(folder, "copy.keras", &[anew, &save, &["--checkpoint", "b.keras"]].concat());
        assert!(anew.contains("val_loss improved from None"), "{anew}");
    }
}

#[test]
fn a_log_is_continued_and_never_replaced() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let log = ["--csv", "log.csv", "--save", "last.keras"];
    let line = field("line.keras");
    trained(folder, &line, &[&["--epochs", "2"], &log[..]].concat());
    trained(folder, "last.keras", &[&["--epochs", "2"], &log[..]].concat());
    let text = fs::read_to_string(folder.join("log.csv")).unwrap();
    let starts: Vec<&str> = text.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(starts, ["epoch", "0", "1", "2", "3"]);

    for (model, more, word) in [
        (line.as_str(), &[][..], "would overwrite the log of another run"),
        ("last.keras", &["--initial-epoch", "0"], "would overwrite"),
        ("last.keras", &["--metrics", "mae"], "its columns are epoch,loss,val_loss, and"),
        ("last.keras", &["--reduce-on-plateau"], "this training logs epoch,learning_rate,loss"),
    ] {
        let refused = train(folder, model, &[more, &["--csv", "log.csv"]].concat());
        assert!(refused.code > 0 && refused.stderr.contains(word), "{}", refused.stderr);
        assert!(!refused.stderr.contains(" - loss"), "before training: {}", refused.stderr);
        assert_eq!(fs::read_to_string(folder.join("log.csv")).unwrap(), text);
    }
    // A file that does not say how long it was trained is told by the flag.
    trained(folder, &line, &["--initial-epoch", "4", "--csv", "log.csv", "--save", "told.keras"]);
    assert!(fs::read_to_string(folder.join("log.csv")).unwrap().contains("\n4,"));
    assert!(trained(folder, "told.keras", &[]).contains("Resuming after epoch 5"));
}

#[test]
fn numbered_checkpoints_count_on() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let outputs = ["--checkpoint", "e{epoch:02d}.keras", "--save", "last.keras", "--epochs", "3"];
    trained(folder, &field("line.keras"), &outputs);
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let first = ["e01.keras", "e02.keras", "e03.keras"].map(read);
    trained(folder, "last.keras", &outputs);
    assert_eq!(["e01.keras", "e02.keras", "e03.keras"].map(read), first);
    for name in ["e04.keras", "e05.keras", "e06.keras"] {
        assert!(folder.join(name).exists(), "{name}");
    }
    assert!(!folder.join("e07.keras").exists());
}

#[test]
fn the_learning_rate_is_reduced_by_the_best_value_so_far() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let save = ["--reduce-on-plateau=1", "--save", "last.keras"];
    trained(folder, &field("line.keras"), &[&["--epochs", "8"], &save[..]].concat());
    // The first epoch is worse than the best before: without it, nothing would be compared.
    let resumed = trained(folder, "last.keras", &[&WORSE[..], &save].concat());
    assert!(resumed.contains("Epoch 9: ReduceLROnPlateau reducing learning rate"), "{resumed}");
}

/// Path in a message, after these words.
fn path_after(text: &str, words: &str) -> PathBuf {
    let at = text.find(words).unwrap_or_else(|| panic!("{words:?} is not in {text}"));
    PathBuf::from(text[at + words.len()..].lines().next().unwrap())
}

/// The data come through a pipe, so the folder goes after the checks and before the end.
#[cfg(unix)]
#[test]
fn a_model_that_cannot_be_saved_is_kept_and_scored() {
    for format in ["text", "json"] {
        let folder = TempDir::new().unwrap();
        let (pipe, out) = (folder.path().join("pipe"), folder.path().join("out"));
        let temporary = folder.path().join("tmp");
        fs::create_dir(&out).unwrap();
        fs::create_dir(&temporary).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let writer = std::thread::spawn({
            let (pipe, out) = (pipe.clone(), out.clone());
            move || {
                use std::io::Write;
                let mut pipe = fs::OpenOptions::new().write(true).open(pipe).unwrap();
                fs::remove_dir_all(out).unwrap();
                pipe.write_all(&fs::read(field("xy.npz")).unwrap()).unwrap();
            }
        });
        let mut command = tallynet();
        command.current_dir(folder.path()).env("TMPDIR", &temporary).args([
            "train",
            &field("line.keras"),
            "--data",
            "pipe",
        ]);
        command.args(["--save", "out/model.keras"]);
        if format == "json" {
            command.arg("--json");
        }
        let output = command.output().unwrap();
        writer.join().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("cannot write out/model.keras"), "{stderr}");
        let kept = path_after(&stderr, "the trained model is kept in ");
        assert_eq!(kept, temporary.join("kept-model.keras"));
        let verified =
            tallynet().current_dir(folder.path()).arg("verify").arg(&kept).output().unwrap();
        let verified = String::from_utf8(verified.stdout).unwrap();
        if format == "json" {
            let line: Value = serde_json::from_str(&stdout).unwrap();
            // Files hold 32 bits of each weight.
            let is_kept = verified.contains(line["fingerprint"].as_str().unwrap());
            assert!(is_kept || cfg!(tallynet_f64), "{verified}");
        } else {
            assert!(stdout.contains("Test score: ") && !stdout.contains("Saved"), "{stdout}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_model_for_a_full_disk_is_kept_beside_it() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    std::os::unix::fs::symlink("/dev/full", folder.join("full.keras")).unwrap();
    let run = train(folder, &field("line.keras"), &["--quiet", "--save", "full.keras"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.starts_with("Test score: "), "{}", run.stdout);
    assert!(run.stderr.contains("No space left"), "{}", run.stderr);
    assert_eq!(path_after(&run.stderr, "is kept in "), Path::new("kept-full.keras"));
    let again = train(folder, &field("line.keras"), &["--quiet", "--save", "full.keras"]);
    assert!(again.stderr.contains("is kept in kept-2-full.keras"), "{}", again.stderr);
    assert!(folder.join("kept-full.keras").exists() && folder.join("kept-2-full.keras").exists());
}
