//! Imports only point downward: each file's `use crate::` lines against the order of the rooms.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the ground up. A room uses lower ones and itself; rooms of one line do not use
/// each other.
const FLOORS: &[&[&str]] = &[
    &["error", "classes", "table", "hdf5"],
    &["shape", "random", "replace"],
    &["kernels"],
    &["activations", "initializers", "regularizers"],
    &["params"],
    &["layers", "losses", "optimizers", "metrics", "datasets"],
    &["model"],
    &["formats"],
    &["script"],
    &["training"],
    &["report"],
];

fn floor(room: &str) -> usize {
    FLOORS
        .iter()
        .position(|rooms| rooms.contains(&room))
        .unwrap_or_else(|| panic!("src/{room} has no floor"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(sources(&path)),
            false => files.push(path),
        }
    }
    files
}

fn room(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_string()
}

/// The rooms that a file's code names after `crate::`, braces included.
fn uses(code: &str) -> BTreeSet<String> {
    let word = |text: &str| {
        text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    };
    let mut rooms = BTreeSet::new();
    let code: String = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(list) => {
                let mut depth = 0;
                let flat: String = list
                    .chars()
                    .take_while(|c| {
                        depth += i32::from(*c == '{') - i32::from(*c == '}');
                        depth >= 0
                    })
                    .collect();
                rooms.extend(flat.split(',').map(|item| word(item.trim())));
            }
            None => drop(rooms.insert(word(rest))),
        }
    }
    rooms.retain(|name| name.chars().next().is_some_and(char::is_lowercase));
    rooms
}

#[test]
fn arrows_point_downward() {
    let mut arrows = 0;
    for file in sources(Path::new("src")) {
        let here = room(&file);
        if ["main", "lib", "cli"].contains(&here.as_str()) {
            continue;
        }
        for there in uses(&fs::read_to_string(&file).unwrap()) {
            arrows += 1;
            let allowed = there == here || floor(&there) < floor(&here);
            assert!(allowed, "{}: {here} must not use {there}", file.display());
        }
    }
    assert!(arrows > 50, "only {arrows} arrows were found");
}

#[test]
fn only_one_file_knows_threads_and_only_kernels_are_unsafe() {
    for file in sources(Path::new("src")) {
        let code = fs::read_to_string(&file).unwrap();
        let code: String =
            code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let threads = code.contains("rayon::")
            || code.contains("thread::spawn")
            || code.contains("thread::scope");
        assert!(
            !threads || file.ends_with("training/threads.rs"),
            "{} starts threads",
            file.display()
        );
        assert!(
            !code.contains("mpi::") || file.starts_with("src/training/ranks"),
            "{} uses MPI",
            file.display()
        );
        assert!(
            !code.contains("unsafe ") || room(&file) == "kernels",
            "{} is unsafe",
            file.display()
        );
    }
}
