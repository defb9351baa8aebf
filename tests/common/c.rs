//! Exported C headers, compiled and run by the C compiler that building the crate needs too.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use ndarray::ArrayD;
use tallynet::Real;

/// Reads rows of inputs, and writes rows of outputs.
const MAIN: &str = "#include <stdio.h>
#include \"model.h\"

int main(void) {
    static float in[PREDICT_INPUTS], out[PREDICT_OUTPUTS];
    while (fread(in, sizeof in, 1, stdin) == 1) {
        predict(in, out);
        fwrite(out, sizeof out, 1, stdout);
    }
    return 0;
}
";

/// A number as a C program reads a `float`.
#[allow(clippy::unnecessary_cast)] // `Real` may be `f64`.
pub fn bytes(value: &Real) -> [u8; 4] {
    let single = *value as f32;
    single.to_le_bytes()
}

/// Predictions of the `model.h` in this folder, which compiles without warnings.
pub fn predictions(folder: &Path, x: &ArrayD<Real>) -> Vec<f32> {
    let (main, program) = (folder.join("main.c"), folder.join("main"));
    fs::write(&main, MAIN).unwrap();
    let compiled = Command::new("cc")
        .args(["-std=c99", "-O1", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-pedantic"])
        .args([&main, Path::new("-o"), &program, Path::new("-lm")])
        .output()
        .expect("a C compiler, which building the crate needs too");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let mut running =
        Command::new(&program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let bytes: Vec<u8> = x.iter().flat_map(bytes).collect();
    // Dropped at the end of the statement, which ends the input.
    running.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = running.wait_with_output().unwrap().stdout;
    let (values, rest) = output.as_chunks();
    assert!(rest.is_empty());
    values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}
