//! Signals, a second run that writes the same files, and `--backup`, on the command line.

#![cfg(all(unix, feature = "cli"))]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

mod common;
use common::{Run, run_in};

const TRAIN: [&str; 5] = ["train", "mnist-softmax", "--seed", "3", "--threads=1"];

/// A training that takes hours, in this folder, once its second epoch is done. The shell may
/// prepare it.
fn start(
    folder: &Path,
    shell: &str,
    more: &[&str],
) -> (Child, impl Iterator<Item = String> + use<>) {
    let program = env!("CARGO_BIN_EXE_tallynet");
    let mut command = Command::new("env");
    if cfg!(target_os = "linux") {
        // Signals that whoever runs the tests ignores, such as nohup, would stay ignored.
        command.arg("--default-signal=HUP,INT,TERM");
    }
    let mut child = command
        .args(["sh", "-c", &format!("{shell} exec {program} \"$@\""), "sh"])
        .args(TRAIN)
        .args(["--epochs", "1000000"])
        .args(more)
        .current_dir(folder)
        .env_remove("TALLYNET_DATA")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("Epoch 2/")).unwrap();
    (child, lines)
}

fn send(signal: &str, child: &Child) {
    let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
}

/// Exit code, what else is on stderr, and stdout.
fn end(mut child: Child, lines: impl Iterator<Item = String>) -> Run {
    let stderr: Vec<String> = lines.collect();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let code = child.wait().unwrap().code().expect("it ends by itself");
    Run { code, stdout, stderr: stderr.join("\n") }
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let run = run_in(folder, &[arguments, &["--json"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn a_signal_ends_a_training_that_goes_on_with_the_next_batch() {
    // A .keras file holds 32 bits of a number.
    let cut = if cfg!(tallynet_f64) { "cut.safetensors" } else { "cut.keras" };
    for (signal, name, code) in
        [("-INT", "SIGINT", 130), ("-TERM", "SIGTERM", 143), ("-HUP", "SIGHUP", 129)]
    {
        let folder = TempDir::new().unwrap();
        let folder = folder.path();
        let (child, lines) = start(folder, "", &["--patience", "1000000", "--save", cut]);
        send(signal, &child);
        let run = end(child, lines);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(
            run.stderr.contains(&format!("Interrupted by {name} after epoch ")),
            "{}",
            run.stderr
        );
        assert!(run.stdout.contains(&format!("Interrupted by {name} after epoch ")));
        assert!(
            run.stdout.contains("Test accuracy") && run.stdout.contains(&format!("Saved {cut}"))
        );

        let more = json(folder, &["train", cut, "--save", "more.safetensors"]);
        let epochs = more["epochs"].to_string();
        let alone = json(folder, &[&TRAIN[..], &["--epochs", &epochs]].concat());
        assert_eq!(more["fingerprint"], alone["fingerprint"], "after {epochs} epochs");
        assert_eq!(more["interrupted"], Value::Null);
        let last = epochs.parse::<usize>().unwrap() - 1;
        assert_eq!(more["history"]["loss"][0], alone["history"]["loss"][last]);
    }
}

#[test]
fn an_ignored_signal_stays_ignored() {
    let folder = TempDir::new().unwrap();
    let (child, mut lines) = start(folder.path(), "trap '' HUP;", &["--save", "cut.safetensors"]);
    send("-HUP", &child);
    for _ in 0..3 {
        lines.find(|line| line.starts_with("Epoch ")).unwrap();
    }
    send("-TERM", &child);
    let run = end(child, lines);
    assert_eq!(run.code, 143);
    assert!(run.stdout.contains("Interrupted by SIGTERM after epoch "), "{}", run.stdout);
}

#[test]
fn a_second_run_does_not_write_the_same_files() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let outputs = [
        ["--save", "a.keras"],
        ["--csv", "log.csv"],
        ["--checkpoint", "{epoch}.keras"],
        ["--backup", "night"],
    ];
    let (mut child, lines) = start(folder, "", &outputs.concat());
    let id = child.id();
    for output in outputs {
        let run = run_in(folder, &[&TRAIN[..], &output].concat());
        let message = format!("another run of tallynet (process {id}) is writing this file");
        assert!(run.code == 1 && run.stderr.contains(&message), "{output:?}: {}", run.stderr);
    }
    // A dead process keeps no lock, and leaves nothing behind in the end.
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    assert!(hidden(folder) > 0);
    fs::remove_dir_all(folder.join("night")).unwrap();
    fs::remove_file(folder.join("log.csv")).unwrap();
    let run = run_in(folder, &[&TRAIN[..], &["--epochs", "1"], &outputs.concat()].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(hidden(folder), 0);
}

/// Number of hidden files.
fn hidden(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with('.')).count()
}

#[test]
fn a_backup_goes_on_after_a_kill_and_is_removed_at_the_end() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let flags = ["--backup", "night", "--backup-every", "1", "--csv", "log.csv"];
    let (mut child, lines) = start(folder, "", &flags);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    assert!(folder.join("night/backup.safetensors").exists());
    // Another command is refused, and the log is safe.
    let other = run_in(folder, &[&TRAIN[..], &["--epochs", "9"], &flags].concat());
    assert!(other.code == 1 && other.stderr.contains("fit.epochs: 1000000 in the backup, 9 now"));
    // The same command goes on, until it is interrupted.
    let program = env!("CARGO_BIN_EXE_tallynet");
    let mut child = Command::new(program)
        .args(TRAIN)
        .args(["--epochs", "1000000"])
        .args(flags)
        .current_dir(folder)
        .env_remove("TALLYNET_DATA")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.contains("Resuming from the backup in night, after epoch "));
    assert!(line.is_some());
    for _ in 0..2 {
        lines.find(|line| line.starts_with("Epoch ")).unwrap();
    }
    send("-TERM", &child);
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(rest.iter().any(|line| line.contains("The same command resumes there.")), "{rest:?}");
    let log = fs::read_to_string(folder.join("log.csv")).unwrap();
    let epochs: Vec<usize> =
        log.lines().skip(1).map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    assert!(epochs.len() > 1 && epochs.iter().copied().eq(0..epochs.len()), "{epochs:?}");

    // The model that the training starts from must stay.
    let saved = run_in(folder, &[&TRAIN[..], &["--epochs", "1", "--save", "m.keras"]].concat());
    assert_eq!(saved.code, 0);
    let own = ["train", "m.keras", "--save", "m.keras", "--backup", "own"];
    let own = run_in(folder, &own);
    assert!(own.code == 2 && own.stderr.contains("name another file"), "{}", own.stderr);
    assert!(!folder.join("own").exists());
    let every = run_in(folder, &["train", "--backup", "b", "--backup-every", "0"]);
    assert!(every.code == 2 && every.stderr.contains("60s"), "{}", every.stderr);
}
