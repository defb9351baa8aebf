//! Keras scripts: a table of small ones, each with its model or its message in its last lines.
//!
//! Lines that begin with `#|` hold what reading the script must give, and lines that begin with
//! `#--` hold `--set` or `--data` for it.

#![cfg(feature = "script")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tallynet::script::{DataInfo, Script, Settings, read, read_bytes};
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

/// Lines of a script after a mark.
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
                settings.data = Some(DataInfo { sample: numbers.collect(), classes });
            }
            _ => panic!("a line of another kind: {line}"),
        }
    }
    settings
}

/// The model of a script, one line per layer, and all else that was read.
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
    let notes = script.notes.iter().chain(&script.training_notes).chain(&script.unknown_data);
    for note in notes {
        text += &format!("note {note}\n");
    }
    Ok(text.replace(" \n", "\n"))
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

/// The message for a script of one file.
fn message(text: &str) -> String {
    let script = read_text(text).and_then(|script| model(&script));
    script.err().map_or_else(|| panic!("{text:.80} is read"), |error| error.to_string())
}

fn read_text(text: &str) -> Result<Script, Error> {
    read_bytes(Path::new("script.py"), text.as_bytes(), &Settings::default())
}

#[test]
fn options_and_layers_that_are_refused_are_named_with_their_line() {
    let start = "from keras.models import Sequential\nfrom keras.layers import *\n";
    let misspelled = "Sequential([\n  Input((3,)),\n  Dense(8, activaton='relu'),\n])";
    let found = message(&format!("{start}{misspelled}"));
    assert!(found.contains("line 5 (Dense)") && found.contains("activaton"), "{found}");
    let unsupported = "model = Sequential()\nmodel.add(Input((3,)))\nmodel.add(Capsules(8))";
    let found = message(&format!("{start}{unsupported}"));
    assert!(found.contains("line 5 (Capsules)"), "{found}");
    let chain = "Sequential([Dense(8, input_shape=(3,)), Conv2D(4, 3)])";
    let found = message(&format!("{start}{chain}"));
    assert!(found.contains("(None, 3)") && found.contains("(None, 8)"), "{found}");
}

/// Scripts that are too much in some way. Each is a message, and no crash.
fn hostile() -> Vec<(&'static str, String)> {
    let model = "from keras.models import Sequential\nfrom keras.layers import Dense\n";
    vec![
        ("lines", "x = 1\n".repeat(100_000)),
        ("brackets", "(".repeat(10_000_000)),
        ("open brackets", format!("x = {}", "[".repeat(250_000))),
        ("nested lists", format!("x = {}{}", "[".repeat(120_000), "]".repeat(120_000))),
        ("nested calls", format!("x = {}1{}", "f(".repeat(80_000), ")".repeat(80_000))),
        ("a long sum", format!("x = 1{}", "+1".repeat(120_000))),
        ("a long chain", format!("x = a{}", ".b".repeat(120_000))),
        ("nested blocks", (0..1000).map(|n| format!("{}if 1:\n", " ".repeat(n))).collect()),
        ("unary operators", format!("x = {}1", "-".repeat(250_000))),
        ("not", format!("x = {}1", "not ".repeat(60_000))),
        ("lambdas", format!("x = {}1", "lambda: ".repeat(30_000))),
        ("clauses", format!("x = [1 {}]", "for a in b ".repeat(20_000))),
        ("conditionals", format!("x = 1{}", " if 1 else 1".repeat(20_000))),
        ("a long text", format!("while 1:\n  x = '{}'", "a".repeat(250_000))),
        ("steps", "i = 0\nwhile i < 10 ** 9:\n    i += 1\n".to_string()),
        ("range", "for i in range(10 ** 18):\n    pass\n".to_string()),
        ("lists", "x = [0]\nwhile True:\n    x = x + x\n".to_string()),
        ("texts", "x = 'a'\nwhile True:\n    x += x\n".to_string()),
        ("a list of itself", format!("{model}x = []\nx.append(x)\nSequential(x)\n")),
        (
            "deep values", format!("{model}x = []\nfor i in range(100000):\n    x = [x]\nSequential([Dense(x)])\n")),
        ("wide values", format!("{model}x = [1]\nfor i in range(60):\n    x = [x, x]\nSequential([Dense(x)])\n")),
        ("comparison", "x = [1]\ny = [1]\nfor i in range(60):\n    x = [x, x]\n    y = [y, y]\nwhile x == y:\n    pass\n".to_string()),
        ("recursion", "def f(n):\n    return f(n + 1) + f(n)\nf(0)\n".to_string()),
        ("mutual recursion", "def f():\n    g()\ndef g():\n    f()\nf()\n".to_string()),
        ("recursive method", "class A:\n    def m(self):\n        return self.m()\nA().m()\n".to_string()),
        ("models within themselves", format!("{model}m = Sequential()\nm.add(m)\nm.add(Dense(1))\n")),
        ("models, doubled", format!("{model}m = Sequential([Dense(1)])\nfor i in range(60):\n    m = Sequential([m, m])\n")),
        ("unknown branches", "if a:\n    x = 1\n".repeat(8000)),
        ("unknown loops", (0..80).map(|n| format!("{}for i in a:\n", " ".repeat(n))).collect::<String>() + &" ".repeat(80) + "x = 1"),
        ("numbers", "x = 2 ** 62 * 4\ny = -9223372036854775808 // -1\nz = 1 % 0\nw = 1 << 70\n".to_string()),
        ("slices", "x = [1, 2, 3][::-9223372036854775808]\ny = 'abc'[-9223372036854775807:9223372036854775807:3]\n".to_string()),
        ("ranges", "x = list(range(-9223372036854775807, 9223372036854775807, 9223372036854775807))\nfor i in range(0, -5, -9223372036854775807):\n    x.append(i)\n".to_string()),
        ("bytes", "\u{0}\u{1}\u{fffd}".repeat(1000)),
        ("empty", String::new()),
        ("formats", "x = '%d %' % 3\ny = '{'.format()\nz = '}{'.format(1)\nf'{x!r:>{9}}'\n".to_string()),
    ]
}

#[test]
fn hostile_scripts_are_messages_within_a_second() {
    for (name, text) in hostile() {
        let start = Instant::now();
        let found = message(&text);
        let seconds = start.elapsed().as_secs_f64();
        // Unoptimized, and beside other tests, everything takes many times as long.
        let limit = if cfg!(debug_assertions) { 60.0 } else { 3.0 };
        eprintln!("{name}: {seconds:.2} s: {}", found.lines().next().unwrap_or_default());
        assert!(seconds < limit, "{name} takes {seconds} s");
    }
}

/// A script with some of its words removed, doubled or exchanged.
fn mutated(text: &str, random: &mut ChaCha8Rng) -> String {
    let mut words: Vec<&str> = text.split_inclusive([' ', '(', ')', ',', '\n', '.']).collect();
    for _ in 0..random.random_range(1..8) {
        let at = random.random_range(0..words.len());
        let other = random.random_range(0..words.len());
        match random.random_range(0..4) {
            0 if words.len() > 1 => drop(words.remove(at)),
            1 => words.insert(at, words[other]),
            2 => words.swap(at, other),
            _ => words[at] = ["-1", "0", "[", "None", "*", "10**18", "x", "\n"][at % 8],
        }
    }
    words.concat()
}

#[test]
fn mutated_scripts_never_crash() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let rounds = std::env::var("MUTATIONS").map_or(10, |rounds| rounds.parse().unwrap());
    for path in scripts() {
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("\n#|").next().unwrap();
        for _ in 0..rounds {
            let text = mutated(text, &mut random);
            let start = Instant::now();
            if let Ok(script) = read_text(&text) {
                assert!(script.description["config"]["layers"].is_array());
            }
            let seconds = start.elapsed().as_secs_f64();
            assert!(seconds < 30.0, "{seconds} s for:\n{text}");
        }
    }
}
