//! Analytic gradients against central differences, over every parameter of a table of models.
//!
//! In f64 (`--cfg tallynet_f64`) they agree to 1e-6 or better; in f32 the differences themselves
//! are only good to about a hundredth, which still finds a wrong sign, a missing term or a wrong
//! scale.

use ndarray::{Array, ArrayD};
use tallynet::Real;
use tallynet::activations::ActivationKind::{self, Linear, Relu, Sigmoid, Softmax, Tanh};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::kernels::convolution::Padding::{Causal, Same};
use tallynet::layers::{self, *};
use tallynet::losses::{
    AnyLoss, BinaryCrossentropy, CategoricalCrossentropy, Huber, MeanAbsoluteError,
    MeanSquaredError, SparseCategoricalCrossentropy, TargetForm,
};
use tallynet::model::{Sequential, SequentialBuilder};
use tallynet::optimizers::Sgd;
use tallynet::regularizers::L1L2;

const DOUBLE: bool = size_of::<Real>() == 8;
/// The distance of the two points of a difference, and how far it may be from the gradient.
const STEP: Real = if DOUBLE { 1e-5 } else { 1e-2 };
const TOLERANCE: Real = if DOUBLE { 1e-7 } else { 2e-2 };

fn wave(shape: &[usize], phase: Real) -> ArrayD<Real> {
    let mut i = 0.0;
    Array::from_shape_simple_fn(shape, || {
        i += 1.0;
        (i * 0.7 + phase).sin()
    })
}

fn labels(shape: &[usize], classes: u32) -> ArrayD<u32> {
    let mut i = 0;
    Array::from_shape_simple_fn(shape, || {
        i += 1;
        (i * 7 + i / 3) % classes
    })
}

/// Compares every parameter's gradient, relative to the largest.
fn check(what: &str, builder: SequentialBuilder, loss: impl Into<AnyLoss>) {
    let loss = loss.into();
    let what = format!("{what}, {loss:?}");
    let target_form = loss.as_loss().target_form();
    let mut model = builder.build(3).unwrap();
    model.compile(Sgd::default(), loss, &[]).unwrap();
    // Biases too get values that are not all alike, and none is so near 0 that a step would cross a
    // kink there.
    let shapes: Vec<_> =
        model.weights().map(|(name, array)| (name, array.shape().to_vec())).collect();
    for (i, (name, shape)) in shapes.iter().enumerate() {
        let variance = if name.ends_with("variance") { 1.0 } else { 0.0 };
        let values = wave(shape, i as Real).mapv(|w| 0.1 * w.signum() + 0.4 * w + variance);
        model.set_weight(name, &values).unwrap();
    }
    let rows = [vec![5], model.input_shape().dims().to_vec()].concat();
    let output = model.output_shape().clone();
    let positions = &output.dims()[..output.dims().len() - 1];
    let y = match target_form {
        // Far from any output, where the absolute error has its kink.
        TargetForm::Vectors if what.contains("Absolute") => {
            Targets::Reals(wave(&[&[5], output.dims()].concat(), 0.9).mapv(|y| 9.0 * y.signum()))
        }
        TargetForm::Vectors => {
            Targets::Reals(wave(&[&[5], output.dims()].concat(), 0.9).mapv(|y| 0.5 + y / 3.0))
        }
        TargetForm::Labels => {
            Targets::Labels(labels(&[&[5], positions].concat(), output.last() as u32))
        }
    };
    let data = Dataset { x: Inputs::Reals(wave(&rows, 0.3)), y };
    let gradient = model.gradients(&data).unwrap().gradient;
    let largest = gradient.iter().fold(0.0, |max: Real, g| max.max(g.abs()));
    assert!(largest > 1e-3, "{what}: the gradient vanishes, which proves nothing");
    let mut at = 0;
    for (name, shape) in &shapes {
        let frozen = !model.layer(name.split('/').next().unwrap()).unwrap().trainable;
        let is_statistic = ["moving", "normalization_1/mean", "normalization_1/variance", "/count"];
        if frozen || is_statistic.iter().any(|part| name.contains(part)) {
            at += shape.iter().product::<usize>();
            continue;
        }
        let original = model.weights().find(|(n, _)| n == name).unwrap().1.to_owned();
        for i in 0..shape.iter().product() {
            let mut loss_at = |step: Real| {
                let mut moved = original.clone();
                moved.as_slice_mut().unwrap()[i] += step;
                model.set_weight(name, &moved).unwrap();
                model.gradients(&data).unwrap().loss
            };
            let numeric = ((loss_at(STEP) - loss_at(-STEP)) / (2.0 * f64::from(STEP))) as Real;
            let error = (numeric - gradient[at]).abs() / largest;
            assert!(
                error < TOLERANCE,
                "{what}, {name}[{i}]: {} analytic, {numeric} numeric",
                gradient[at]
            );
            at += 1;
        }
        model.set_weight(name, &original).unwrap();
    }
    assert_eq!(at, gradient.len());
}

fn dense(units: usize, activation: ActivationKind) -> Dense {
    Dense::new(units).activation(activation)
}

#[test]
fn dense_with_every_activation() {
    for activation in ActivationKind::ALL {
        let builder = || Sequential::builder([4]).add(dense(6, activation)).add(dense(3, Softmax));
        check(&format!("{activation}"), builder(), CategoricalCrossentropy::default());
        check(&format!("{activation}"), builder(), SparseCategoricalCrossentropy::default());
    }
}

#[test]
fn activations_as_layers() {
    for activation in ActivationKind::ALL {
        let builder = Sequential::builder([4])
            .add(Dense::new(5))
            .add(Activation::new(activation))
            .add(Dense { use_bias: false, ..Dense::new(3) })
            .add(Activation::new(Softmax));
        check(&format!("{activation}"), builder, CategoricalCrossentropy::default());
    }
}

#[test]
fn activations_in_a_row_each_keep_what_they_put_out() {
    for [first, second] in
        [[Tanh, Softmax], [Softmax, Tanh], [Sigmoid, Sigmoid], [Softmax, Softmax]]
    {
        let builder = Sequential::builder([4])
            .add(dense(5, first))
            .add(Activation::new(second))
            .add(Flatten {})
            .add(Activation::new(Tanh))
            .add(dense(3, Tanh))
            .add(Activation::new(Softmax));
        check(&format!("{first:?} and {second:?}"), builder, CategoricalCrossentropy::default());
    }
}

#[test]
fn a_loss_fuses_with_no_activation_whose_vectors_were_reshaped() {
    for activation in [Softmax, Sigmoid] {
        let reshaped = |target_shape: &[i64]| Reshape { target_shape: target_shape.to_vec() };
        let builder = |cut: bool| match cut {
            true => Sequential::builder([4]).add(dense(6, activation)).add(reshaped(&[2, 3])),
            false => Sequential::builder([2, 4]).add(dense(3, activation)).add(Flatten {}),
        };
        for cut in [true, false] {
            let what = format!("{activation}, cut {cut}");
            check(&what, builder(cut), CategoricalCrossentropy::default());
            check(&what, builder(cut), SparseCategoricalCrossentropy::default());
            check(&what, builder(cut), BinaryCrossentropy::default());
        }
    }
}

#[test]
fn dense_on_every_position_of_any_rank() {
    let head = || dense(3, Softmax);
    let sparse = SparseCategoricalCrossentropy::default;
    check("rank 2", Sequential::builder([4, 5]).add(dense(6, Tanh)).add(head()), sparse());
    check("rank 2", Sequential::builder([4, 5]).add(head()), CategoricalCrossentropy::default());
    check("rank 3", Sequential::builder([2, 3, 4]).add(dense(2, Sigmoid)).add(head()), sparse());
    check(
        "flat",
        Sequential::builder([2, 3, 4]).add(Dense::new(2)).add(Flatten {}).add(head()),
        sparse(),
    );
}

#[test]
fn every_loss_behind_every_kind_of_output() {
    // A last activation that the loss does not fuse with leaves the general gradient, through the
    // division and the clip.
    for last in [Softmax, Sigmoid] {
        for label_smoothing in [0.0, 0.2] {
            let builder = || Sequential::builder([4]).add(dense(3, last));
            check("", builder(), CategoricalCrossentropy { label_smoothing, ..Default::default() });
            check("", builder(), BinaryCrossentropy { label_smoothing, ..Default::default() });
        }
        check(
            "",
            Sequential::builder([4]).add(dense(3, last)),
            SparseCategoricalCrossentropy::default(),
        );
    }
    for last in [Linear, Tanh] {
        let builder = || Sequential::builder([2, 4]).add(dense(3, last));
        check("", builder(), MeanSquaredError {});
        check("", builder(), MeanAbsoluteError {});
        check("", builder(), Huber { delta: 0.5 });
        check("", builder(), CategoricalCrossentropy { from_logits: true, label_smoothing: 0.1 });
        check("", builder(), SparseCategoricalCrossentropy { from_logits: true });
        check("", builder(), BinaryCrossentropy { from_logits: true, label_smoothing: 0.1 });
    }
}

#[test]
fn layers_over_images() {
    let overlapping = MaxPooling2D { pool_size: [3, 2], strides: Some([2, 1]), padding: Same };
    let mean = AveragePooling2D { pool_size: [2, 3], strides: Some([1, 2]), padding: Same };
    let images: Vec<AnyLayer> = vec![
        MaxPooling2D::default().into(),
        overlapping.into(),
        AveragePooling2D::default().into(),
        mean.into(),
        GlobalMaxPooling2D::default().into(),
        GlobalAveragePooling2D { keepdims: true }.into(),
        Reshape { target_shape: vec![-1, 5] }.into(),
        ZeroPadding2D { padding: [[2, 0], [1, 3]] }.into(),
        UpSampling2D { size: [2, 1], ..UpSampling2D::default() }.into(),
        UpSampling2D { size: [2, 3], interpolation: Interpolation::Bilinear }.into(),
        SpatialDropout2D { rate: 0.4 }.into(),
        LayerNormalization { axis: vec![1, 2, 3], ..LayerNormalization::default() }.into(),
        LayerNormalization { axis: vec![-1, 2], ..LayerNormalization::default() }.into(),
        PReLU { shared_axes: Some(vec![1, 2]), ..PReLU::default() }.into(),
        PReLU { shared_axes: Some(vec![2]), ..PReLU::default() }.into(),
    ];
    for layer in images {
        let what = format!("{layer:?}");
        // Something to learn below, so that the layer hands a gradient down.
        let builder = Sequential::builder([4, 5, 2]).add(dense(3, Linear)).add(layer);
        check(
            &what,
            builder.add(Flatten {}).add(dense(3, Softmax)),
            SparseCategoricalCrossentropy::default(),
        );
    }
}

#[test]
fn layers_over_sequences() {
    let overlapping = MaxPooling1D { pool_size: 3, strides: Some(2), padding: Same };
    let mean = AveragePooling1D { pool_size: 3, strides: Some(1), padding: Same };
    let convolution = || Conv1D::new(4, 3).activation(Tanh);
    let (mean_of, variance) = (Some(vec![0.1, 0.2, 0.3]), Some(vec![4.0, 1.0, 0.25]));
    let given = Normalization { mean: mean_of, variance, ..Normalization::default() };
    let sequences: Vec<AnyLayer> = vec![
        convolution().into(),
        Conv1D { padding: Same, strides: 2, use_bias: false, ..convolution() }.into(),
        Conv1D { padding: Causal, dilation_rate: 2, ..convolution() }.into(),
        Conv1D { padding: Causal, strides: 3, ..convolution() }.into(),
        MaxPooling1D::default().into(),
        overlapping.into(),
        AveragePooling1D::default().into(),
        mean.into(),
        GlobalMaxPooling1D::default().into(),
        GlobalAveragePooling1D { keepdims: true }.into(),
        SpatialDropout1D { rate: 0.4 }.into(),
        LayerNormalization::default().into(),
        LayerNormalization { center: false, ..LayerNormalization::default() }.into(),
        LayerNormalization { scale: false, epsilon: 0.1, ..LayerNormalization::default() }.into(),
        PReLU::default().into(),
        given.clone().into(),
        Normalization { invert: true, ..given }.into(),
        Normalization::default().into(),
        Normalization { axis: vec![], invert: true, ..Normalization::default() }.into(),
    ];
    for layer in sequences {
        let what = format!("{layer:?}");
        let builder = Sequential::builder([7, 2]).add(dense(3, Linear)).add(layer);
        check(
            &what,
            builder.add(Flatten {}).add(dense(3, Softmax)),
            SparseCategoricalCrossentropy::default(),
        );
    }
    let builder = Sequential::builder([4]).add(Dense::new(3)).add(RepeatVector { n: 3 });
    check("repeated", builder.add(dense(3, Softmax)), SparseCategoricalCrossentropy::default());
}

/// The words are cut from the inputs, which are between −1 and 1; a factor makes them differ.
#[test]
fn an_embedding_of_words() {
    let builder = Sequential::builder([6])
        .add(Rescaling { scale: 2.0, offset: 2.5 })
        .add(Embedding::new(5, 3))
        .add(Conv1D::new(4, 2).activation(Tanh))
        .add(GlobalAveragePooling1D::default())
        .add(dense(3, Softmax));
    check("embedding", builder, SparseCategoricalCrossentropy::default());
}

#[test]
fn layers_over_values() {
    let values: Vec<AnyLayer> = vec![
        Rescaling { scale: 0.5, offset: -1.0 }.into(),
        ReLU::default().into(),
        ReLU { max_value: Some(0.6), negative_slope: 0.1, threshold: 0.2 }.into(),
        LeakyReLU::default().into(),
        ELU::default().into(),
        ELU { alpha: 0.5 }.into(),
        layers::Softmax::default().into(),
    ];
    for layer in values {
        let what = format!("{layer:?}");
        let builder = Sequential::builder([4]).add(Dense::new(5)).add(layer).add(dense(3, Softmax));
        check(&what, builder, SparseCategoricalCrossentropy::default());
    }
    let builder = Sequential::builder([4]).add(Dense::new(5)).add(layers::Softmax::default());
    check("absorbed", builder, SparseCategoricalCrossentropy::default());
}

#[test]
fn layers_that_do_something_else_in_training() {
    let sparse = SparseCategoricalCrossentropy::default;
    let start = || Sequential::builder([4]).add(dense(5, Tanh));
    check("dropout", start().add(Dropout::new(0.4)).add(dense(3, Softmax)), sparse());
    let norm = BatchNormalization::default;
    check("normalized", start().add(norm()).add(dense(3, Softmax)), sparse());
    check(
        "twice",
        start().add(norm()).add(dense(4, Tanh)).add(norm()).add(dense(3, Softmax)),
        sparse(),
    );
    check("first", Sequential::builder([2, 4]).add(norm()).add(dense(3, Softmax)), sparse());
    check("last", Sequential::builder([3, 4]).add(Dense::new(3)).add(norm()), MeanSquaredError {});
    check("frozen", start().add(norm()).frozen().add(dense(3, Softmax)), sparse());
    let bare = BatchNormalization { center: false, scale: false, ..norm() };
    check("bare", start().add(bare).add(Dropout::new(0.2)).add(dense(3, Softmax)), sparse());
}

#[test]
fn penalties_on_kernel_and_bias() {
    for penalty in [L1L2::new(0.02, 0.0), L1L2::new(0.0, 0.03), L1L2::new(0.02, 0.03)] {
        let layer = Dense {
            kernel_regularizer: Some(penalty),
            bias_regularizer: Some(penalty),
            ..dense(3, Relu)
        };
        let builder = Sequential::builder([4]).add(layer).add(dense(2, Softmax));
        check(&format!("{penalty:?}"), builder, CategoricalCrossentropy::default());
    }
}
