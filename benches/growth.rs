//! Growth of time and memory with the size of the model: `cargo bench --bench growth` doubles one
//! size at a time and prints the time of a training step beside its arithmetic. Each line is
//! measured in a process of its own, so that its peak memory is its own too.

use std::process::Command;

use ndarray::{ArrayD, IxDyn};
use tallynet::Real;
use tallynet::activations::ActivationKind::{Relu, Softmax};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{Conv2D, Dense, Flatten};
use tallynet::losses::SparseCategoricalCrossentropy;
use tallynet::model::Sequential;
use tallynet::optimizers::Adam;
use tallynet::training::FitOptions;

const CHANNELS: usize = 16;
const NAMES: [&str; 5] = ["units", "filters", "side", "batch", "threads"];

/// Sizes that are doubled in turn: units, filters, the image's side, the batch, threads.
type Sizes = [usize; 5];

const BASE: Sizes = [128, 16, 16, 64, 1];

/// Multiplications of a step, forward and backward: three products per layer, two in the first.
fn work([units, filters, side, batch, _]: Sizes) -> f64 {
    let pixels = (side - 2) * (side - 2);
    let convolution = pixels * 9 * CHANNELS * filters;
    let dense = pixels * filters * units + units * 10;
    (batch * (2 * convolution + 3 * dense)) as f64
}

/// Trains, and prints the milliseconds of a step and the peak megabytes of the process.
fn measure([units, filters, side, batch, threads]: Sizes) {
    let mut model = Sequential::builder([side, side, CHANNELS])
        .add(Conv2D::new(filters, [3, 3]).activation(Relu))
        .add(Flatten {})
        .add(Dense::new(units).activation(Relu))
        .add(Dense::new(10).activation(Softmax))
        .build(0)
        .expect("a sound model");
    model
        .compile(Adam::default(), SparseCategoricalCrossentropy::default(), &[])
        .expect("a sound loss");
    model.n_threads = threads;
    let x = ArrayD::from_shape_fn(IxDyn(&[4 * batch, side, side, CHANNELS]), |i| {
        ((i[0] * 31 + i[1] * 17 + i[2] * 7 + i[3]) % 23) as Real / 23.0
    });
    let y = ArrayD::from_shape_fn(IxDyn(&[4 * batch]), |i| (i[0] % 10) as u32);
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) };
    let options = FitOptions { batch_size: batch, epochs: 12, ..FitOptions::default() };
    let history = model.fit(&data, options, &mut []).expect("a finite loss");
    let milliseconds = history.median_seconds() / 4.0 * 1e3;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    println!("{milliseconds} {}", peak.unwrap_or(0.0_f64) / 1024.0);
}

/// Runs `measure` in a process of its own; returns milliseconds and megabytes.
fn measured(sizes: Sizes) -> [f64; 2] {
    let this = std::env::current_exe().expect("a path");
    let output = Command::new(this)
        .args(sizes.map(|size| size.to_string()))
        .output()
        .expect("this program starts again");
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    numbers.try_into().expect("a time and a memory")
}

fn main() {
    let given: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    if let Ok(sizes) = given.try_into() {
        return measure(sizes);
    }
    println!(
        "a step of Conv2D(filters, 3x3) -> Flatten -> Dense(units) -> Dense(10) \
         on side x side x {CHANNELS} images"
    );
    println!(
        "{:<8} {:>6} {:>9} {:>6} {:>11} {:>9} {:>6}",
        "", "", "ms", "ratio", "arithmetic", "MB", "ratio"
    );
    for (i, name) in NAMES.iter().enumerate() {
        let mut sizes = BASE;
        let mut before: Option<([f64; 2], f64)> = None;
        for _ in 0..if *name == "threads" { 5 } else { 4 } {
            let (now, work) = (measured(sizes), work(sizes));
            let ratios =
                before.map(|(then, less)| [now[0] / then[0], work / less, now[1] / then[1]]);
            let [time, arithmetic, memory] = match ratios {
                Some(ratios) => ratios.map(|ratio| format!("{ratio:.2}")),
                None => [const { String::new() }; 3],
            };
            println!(
                "{name:<8} {:>6} {:>9.2} {time:>6} {arithmetic:>11} {:>9.0} {memory:>6}",
                sizes[i], now[0], now[1]
            );
            before = Some((now, work));
            sizes[i] *= 2;
        }
    }
}
