//! Keras scripts: a table of small ones, each with its model or its message in its first lines.
//!
//! Lines that begin with `#|` hold what reading the script must give, and lines that begin with
//! `#--` hold `--set` or `--data` for it.

#![cfg(feature = "script")]

use std::fs;
use std::path::{Path, PathBuf};

use tallynet::script::{DataFacts, Script, Settings, read};
use tallynet::{Error, formats};

/// All fixtures, in order.
fn scripts() -> Vec<PathBuf> {
    let folder = Path::new("tests/fixtures/scripts");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "py"));
    paths.sort();
    paths
}

/// Lines of a script behind a mark.
fn marked(text: &str, mark: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix(mark))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).to_string())
        .collect()
}

fn settings(text: &str) -> Settings {
    let mut settings = Settings::default();
    for line in marked(text, "#--") {
        match line.split_once(' ') {
            Some(("set", setting)) => settings.set.push(setting.parse().unwrap()),
            Some(("data", facts)) => {
                let mut numbers = facts.split(' ').map(|number| number.parse().unwrap());
                let classes = numbers.next();
                settings.data = Some(DataFacts { sample: numbers.collect(), classes });
            }
            _ => panic!("a line of another kind: {line}"),
        }
    }
    settings
}

/// The model of a script, a line a layer, and all else that was read.
fn model(script: &Script) -> Result<String, Error> {
    let loaded = formats::from_description(&script.description)?;
    let mut text = format!("input {}\n", loaded.model.input_shape());
    for layer in loaded.model.layers() {
        let total = layer.count_params().total;
        text += &format!("{} {} {}\n", layer.spec.class_name(), layer.output, total);
    }
    if let Ok(compiled) = loaded.model.compiled() {
        let optimizer = compiled.optimizer().map_or("none", |any| any.class_name());
        let rate = compiled.learning_rate();
        let metrics: Vec<_> = compiled.metrics().iter().map(|metric| &*metric.name).collect();
        text += &format!(
            "compile {optimizer} {rate} {} {}\n",
            compiled.loss().name(),
            metrics.join(",")
        );
    }
    let fit = &script.fit;
    for (name, value) in [("epochs", fit.epochs), ("batch_size", fit.batch_size)] {
        text += &value.map_or(String::new(), |value| format!("{name} {value}\n"));
    }
    if let Some(split) = fit.validation_split {
        text += &format!("validation_split {split}\n");
    }
    if let Some(shuffle) = fit.shuffle {
        text += &format!("shuffle {shuffle}\n");
    }
    for callback in &fit.callbacks {
        text += &format!("callback {callback}\n");
    }
    if let Some(data) = &script.data {
        let labels = if data.is_one_hot { "one-hot" } else { "labels" };
        let factor = data.factor.map_or("?".to_string(), |factor| format!("{factor:.6}"));
        text += &format!("data {} {labels} factor {factor}\n", data.dataset);
    }
    for note in script.notes.iter().chain(&loaded.warnings) {
        text += &format!("note {note}\n");
    }
    Ok(text)
}

#[test]
fn each_script_gives_its_model_or_its_message() {
    let mut wrong = String::new();
    let mut count = 0;
    for path in scripts() {
        let text = fs::read_to_string(&path).unwrap();
        let expected = marked(&text, "#|").join("\n");
        let found = match read(&path, &settings(&text)).and_then(|script| model(&script)) {
            Ok(model) => model,
            Err(error) => format!("error: {error}"),
        };
        let found = found.replace(&format!("{}: ", path.display()), "");
        if found.trim_end() != expected {
            wrong += &format!("\n{}:\n{}\n", path.display(), found.trim_end());
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 40, "only {count} scripts");
}
