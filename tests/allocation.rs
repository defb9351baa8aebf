//! A training step allocates nothing: a run over fifty times as many batches asks for no more
//! memory.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::ArrayD;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{
    AveragePooling1D, Conv1D, Dense, Embedding, GlobalMaxPooling2D, LayerNormalization,
    Normalization, PReLU, Reshape, SpatialDropout1D, UpSampling2D,
};
use tallynet::losses::CategoricalCrossentropy;
use tallynet::model::Sequential;
use tallynet::model::presets;
use tallynet::optimizers::{Adam, AnyOptimizer, Schedule, Sgd};
use tallynet::training::FitOptions;

struct Counting;

static COUNT: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator as it came; counting it touches no memory of
// its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations_of_a_fit(
    mut model: Sequential,
    rows: usize,
    threads: usize,
    rule: &AnyOptimizer,
) -> usize {
    let shape = [&[rows], model.input_shape().dims()].concat();
    let data = Dataset {
        x: Inputs::bytes(ArrayD::from_elem(shape, 3)),
        y: Targets::Labels(ArrayD::from_shape_fn(vec![rows], |i| (i[0] % 10) as u32)),
    };
    model
        .compile(rule.clone(), CategoricalCrossentropy::default(), &["accuracy", "mae", "recall"])
        .unwrap();
    model.n_threads = threads;
    let before = COUNT.load(Ordering::Relaxed);
    model.fit(&data, FitOptions { batch_size: 128, ..FitOptions::default() }, &mut []).unwrap();
    COUNT.load(Ordering::Relaxed) - before
}

/// A model with a layer of each kind that has buffers or parameters of its own.
fn words() -> Sequential {
    Sequential::builder([12])
        .add(Embedding::new(5, 6))
        .add(SpatialDropout1D { rate: 0.2 })
        .add(Conv1D::new(8, 3))
        .add(PReLU { shared_axes: Some(vec![1]), ..PReLU::default() })
        .add(LayerNormalization::default())
        .add(Normalization::default())
        .add(AveragePooling1D::default())
        .add(Reshape { target_shape: vec![5, 4, 2] })
        .add(UpSampling2D::default())
        .add(GlobalMaxPooling2D::default())
        .add(Dense::new(10).activation("softmax"))
        .build(0)
        .unwrap()
}

fn images() -> Sequential {
    presets::named("mnist-softmax").unwrap().build(0).unwrap()
}

#[test]
fn a_step_allocates_nothing() {
    let (boundaries, values) = (vec![20.0], vec![0.01, 0.001]);
    let rate = Schedule::PiecewiseConstantDecay { boundaries, values };
    let adam = Adam { global_clipnorm: Some(1.0), weight_decay: Some(0.01), ..Adam::new(rate) };
    let (sgd, adam) = (AnyOptimizer::from(Sgd::default()), AnyOptimizer::from(adam));
    let models: [fn() -> Sequential; 2] = [images, words];
    for model in models {
        for (threads, rule) in [(1, &sgd), (2, &sgd), (2, &adam)] {
            let allocations = |rows| allocations_of_a_fit(model(), rows, threads, rule);
            allocations(256);
            let (few, many) = (allocations(256), allocations(50 * 256));
            // Starting threads is not always the same to the last allocation; 98 more batches are.
            assert!(
                many < few + 10,
                "{few} allocations for 2 batches, {many} for 100, on {threads} threads, {rule:?}"
            );
        }
    }
}
