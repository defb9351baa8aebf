//! Time of a training step and of an epoch of `mnist-softmax`: `cargo bench --bench training`.

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::{Axis, Slice};
use tallynet::datasets::{self, Dataset, Inputs, Targets};
use tallynet::model::presets;
use tallynet::training::FitOptions;

/// The first samples of MNIST.
fn first_rows(data: &Dataset, rows: usize) -> Dataset {
    let (Inputs::Bytes { values, scale }, Targets::Labels(labels)) = (&data.x, &data.y) else {
        unreachable!("MNIST is bytes and labels")
    };
    let first = Slice::from(..rows);
    Dataset {
        x: Inputs::Bytes { values: values.slice_axis(Axis(0), first).to_owned(), scale: *scale },
        y: Targets::Labels(labels.slice_axis(Axis(0), first).to_owned()),
    }
}

fn mnist_softmax(criterion: &mut Criterion) {
    let mut data = datasets::load(Path::new("data")).expect("the data of the repository").train;
    data.x.scale_bytes(1.0 / 255.0);
    let mut model =
        presets::named("mnist-softmax").and_then(|preset| preset.build(0)).expect("a known model");
    let options = FitOptions { batch_size: 128, ..FitOptions::default() };
    let mut group = criterion.benchmark_group("mnist-softmax");
    // A hundred batches per fit, so that the fixed cost of a fit hardly counts.
    let steps = first_rows(&data, 100 * 128);
    group.bench_function("100 steps of 128", |bencher| {
        bencher.iter(|| model.fit(&steps, options, &mut []).unwrap())
    });
    group.sample_size(20);
    group.bench_function("an epoch", |bencher| {
        bencher.iter(|| model.fit(&data, options, &mut []).unwrap())
    });
}

criterion_group!(benches, mnist_softmax);
criterion_main!(benches);
