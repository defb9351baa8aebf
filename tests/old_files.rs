//! Every model file of `tests/fixtures`: `verify` says which Keras wrote it, on which backend, and
//! proves its count; or the file is refused with the expected words.

#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const LFS: &str = "a pointer of Git LFS";
const PAGE: &str = "a web page (HTML)";
const ARRAYS: &str = "this file holds only arrays";
const DESCRIPTION: &str = "this file holds the architecture only";

/// Files that are refused, by the end of the path, with words of the message.
const REFUSED: &[(&str, &str)] = &[
    ("repr.json", "a dictionary as Python prints it"),
    ("gz.keras.gz", "compressed with gzip"),
    ("tar.keras.tar", "a tar archive"),
    ("lfs.h5", LFS),
    ("lfs.keras", LFS),
    ("lfs.weights.h5", LFS),
    ("page.h5", PAGE),
    ("page.keras", PAGE),
    (".weights.h5", ARRAYS),
    (".weights-only.h5", ARRAYS),
    (".json", DESCRIPTION),
];

/// Origins that files must state, by a part of the path. The first that fits holds. The line may
/// name a backend besides, which `.keras` files and Keras 1 do not state.
const ORIGINS: &[(&str, &str)] = &[
    ("11-custom-adam/", "Keras 2.11.0 on TensorFlow"),
    ("23-scalars-as-arrays/tf112", "Keras 2.1.6-tf on TensorFlow"),
    ("24-keras-1-padding/", "Keras 1.2.2"),
    ("26-keras-2-whole-models/tf211", "Keras 2.11.0 on TensorFlow"),
    ("26-keras-2-whole-models/tf215", "Keras 2.15.0"),
    ("27-tf-keras-2.15-archives/", "Keras 2.15.0"),
    ("28-theano-kernels/", "Keras 2.2.4 on Theano"),
    ("29-tf-keras-2.15/", "Keras 2.15.0"),
    ("30-tf-keras-2.13/", "Keras 2.13.1"),
    ("nested/theano.h5", "Keras 2.2.4 on Theano"),
    ("old/bilinear", "Keras 2.2.4 on TensorFlow"),
    ("old/binary-accuracy", "Keras 2.2.4 on TensorFlow"),
    ("old/dropout-of-words", "Keras 1.2.2"),
    ("old/frozen-call", "Keras 2.15.0"),
    ("old/legacy-sgd", "Keras 2.15.0"),
    ("old/noise.keras", "Keras 2.15.0"),
    ("old/penalties", "Keras 2.15.0"),
    ("old/reduction-sum", "Keras 2.15.0"),
    ("old/relu-slope.h5", "Keras 2.15.0 on TensorFlow"),
    ("old/slash", "Keras 2.15.0"),
    ("old/theano", "Keras 2.2.4 on Theano"),
    ("old/tutorial", "Keras 2.15.0"),
    ("tf_keras/keras-2.2", "Keras 2.2.4 on TensorFlow"),
    ("tf_keras/theano", "Keras 1.2.2 on Theano"),
    ("tf_keras/", "Keras 2.15.0"),
    ("tfjs/own/", "TensorFlow.js 4.22.0"),
    ("tfjs/nested/", "Keras 2.15.0 on TensorFlow"),
    ("tfjs/", "Keras 2.4.0 on TensorFlow"),
    ("", "Keras 3.15.1"),
];

/// Descriptions in JSON that were written by hand, or by a version that states nothing.
const STATES_NOTHING: &[&str] = &[
    "01-json-in-other-clothes/",
    "23-scalars-as-arrays/elu",
    "23-scalars-as-arrays/leaky",
    "23-scalars-as-arrays/relu",
    "24-keras-1-padding/four",
    "24-keras-1-padding/keras2-form",
    "24-keras-1-padding/named",
    "24-keras-1-padding/one-number",
    "24-keras-1-padding/two",
    "25-class-names/",
];

/// All files below a folder, sorted.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
    entries.sort_by_key(|entry| entry.path());
    for entry in entries {
        if entry.path().is_dir() {
            files(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}

/// True for a file of a model, or one that is named so.
fn is_model(name: &str) -> bool {
    let extensions = [".keras", ".h5", ".json", ".keras.gz", ".keras.tar"];
    extensions.iter().any(|extension| name.ends_with(extension))
        && !name.ends_with("reference.json")
}

#[test]
fn every_file_says_where_it_comes_from_and_proves_its_count() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths = vec![];
    for folder in ["field", "nested", "old", "tf_keras", "tfjs"] {
        files(&root.join(folder), &mut paths);
    }
    let mut n_verified = 0;
    for path in paths {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_string();
        if !is_model(&name) {
            continue;
        }
        let program = Command::new(env!("CARGO_BIN_EXE_tallynet"));
        n_verified += usize::from(is_verified(program, &path, &name));
    }
    assert!(n_verified >= 120, "{n_verified}");
}

/// Verifies a file; false if it is refused as expected.
fn is_verified(mut program: Command, path: &Path, name: &str) -> bool {
    let done = program.arg("verify").arg(path).output().unwrap();
    let found = String::from_utf8(done.stdout).unwrap();
    let errors = String::from_utf8(done.stderr).unwrap();
    // A model.json of TensorFlow.js has its weights beside it.
    let refused = REFUSED.iter().find(|(end, _)| name.ends_with(end));
    if let Some((_, words)) = refused.filter(|_| !name.ends_with("/model.json")) {
        assert_eq!(done.status.code(), Some(1), "{name}\n{errors}");
        assert!(errors.contains(words), "{name}\n{errors}");
        if *words == DESCRIPTION && !STATES_NOTHING.iter().any(|part| name.contains(part)) {
            assert_origin(name, &errors);
        }
        return false;
    }
    assert_eq!(done.status.code(), Some(0), "{name}\n{errors}");
    assert_origin(name, &found);
    assert!(found.contains("\nVerified: formula, summary and weights agree."), "{name}\n{found}");
    true
}

fn assert_origin(name: &str, text: &str) {
    let origin = ORIGINS.iter().find(|(part, _)| name.contains(part)).unwrap().1;
    let line = text.lines().find(|line| line.contains("ritten by "));
    let line = line.unwrap_or_else(|| panic!("{name} does not say where it comes from\n{text}"));
    assert!(line.contains(&format!("ritten by {origin}")), "{name}: {line} instead of {origin}");
}
