//! What every layer promises, whatever it computes.

use ndarray::{Array, ArrayD, Axis, Slice};
use proptest::prelude::*;
use tallynet::activations::ActivationKind::{self, Softmax};
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::formats::save;
use tallynet::kernels::convolution::Padding::{Causal, Same};
use tallynet::layers::*;
use tallynet::losses::{
    AnyLoss, BinaryCrossentropy, CategoricalCrossentropy, Loss, MeanAbsoluteError, MeanSquaredError,
};
use tallynet::model::{Sequential, SequentialBuilder};
use tallynet::optimizers::Sgd;
use tallynet::params::{ParamArray, ParamViews, ParamViewsMut};
use tallynet::shape::Shape;
use tallynet::training::{FitOptions, LossGradient};
use tallynet::{Error, Real};

#[path = "common/c.rs"]
mod c;

fn specs() -> Vec<(Vec<usize>, AnyLayer)> {
    let mut specs: Vec<(Vec<usize>, AnyLayer)> = vec![
        (vec![2, 3, 4], Flatten {}.into()),
        (vec![], Flatten {}.into()),
        (vec![7], Dense::new(5).into()),
        (vec![7], Dense { use_bias: false, ..Dense::new(5) }.into()),
        (vec![3, 2, 7], Dense::new(5).into()),
        (vec![300], Dense::new(40).into()),
        (vec![3, 7], Dropout::new(0.5).into()),
        (vec![3, 7], BatchNormalization::default().into()),
    ];
    let overlapping = MaxPooling2D { pool_size: [3, 3], strides: Some([2, 1]), padding: Same };
    let mean = AveragePooling2D { pool_size: [3, 2], padding: Same, ..Default::default() };
    let images: Vec<AnyLayer> = vec![
        MaxPooling2D::default().into(),
        overlapping.into(),
        AveragePooling2D::default().into(),
        mean.into(),
        GlobalMaxPooling2D::default().into(),
        GlobalAveragePooling2D { keepdims: true }.into(),
        Reshape { target_shape: vec![-1, 7] }.into(),
        ZeroPadding2D { padding: [[2, 0], [1, 3]] }.into(),
        UpSampling2D::default().into(),
        UpSampling2D { size: [1, 3], interpolation: Interpolation::Bilinear }.into(),
        SpatialDropout2D { rate: 0.5 }.into(),
        PReLU { shared_axes: Some(vec![1, 2]), ..PReLU::default() }.into(),
        LayerNormalization { axis: vec![1, 2, 3], ..LayerNormalization::default() }.into(),
    ];
    specs.extend(images.into_iter().map(|layer| (vec![5, 4, 21], layer)));
    specs.extend(sequences().into_iter().map(|layer| (vec![9, 5], layer)));
    specs.push((vec![6], RepeatVector { n: 4 }.into()));
    let values: Vec<AnyLayer> = vec![
        Rescaling { scale: 0.5, offset: -1.0 }.into(),
        ReLU::default().into(),
        ReLU { max_value: Some(0.5), negative_slope: 0.1, threshold: 0.2 }.into(),
        LeakyReLU::default().into(),
        ELU { alpha: 0.5 }.into(),
        tallynet::layers::Softmax::default().into(),
    ];
    specs.extend(values.into_iter().map(|layer| (vec![3, 4], layer)));
    for kind in ActivationKind::ALL {
        specs.push((vec![3, 4], Activation::new(kind).into()));
        specs.push((vec![6], Dense::new(3).activation(kind).into()));
    }
    specs
}

/// Layers over nine steps of five channels.
fn sequences() -> Vec<AnyLayer> {
    let mean = AveragePooling1D { pool_size: 3, strides: Some(2), padding: Same };
    let causal = Conv1D { padding: Causal, dilation_rate: 2, ..Conv1D::new(4, 3) };
    let given = Normalization {
        mean: Some(vec![0.5; 5]),
        variance: Some(vec![4.0]),
        ..Normalization::default()
    };
    vec![
        Conv1D::new(4, 3).into(),
        Conv1D { padding: Same, strides: 2, use_bias: false, ..Conv1D::new(4, 4) }.into(),
        causal.into(),
        MaxPooling1D::default().into(),
        mean.into(),
        GlobalMaxPooling1D::default().into(),
        GlobalAveragePooling1D { keepdims: true }.into(),
        SpatialDropout1D { rate: 0.5 }.into(),
        // The inputs are between −1 and 1, so the words are 0.
        Embedding::new(7, 3).into(),
        LayerNormalization::default().into(),
        LayerNormalization { center: false, scale: false, ..Default::default() }.into(),
        PReLU::default().into(),
        PReLU { shared_axes: Some(vec![1]), ..PReLU::default() }.into(),
        Normalization::default().into(),
        given.into(),
        Normalization { axis: vec![], invert: true, ..Normalization::default() }.into(),
    ]
}

fn noise(shape: &[usize]) -> ArrayD<Real> {
    let mut state = 1u64;
    Array::from_shape_simple_fn(shape, || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as Real / (1 << 23) as Real - 1.0
    })
}

#[test]
fn a_layer_keeps_its_promised_shape_and_count_through_a_file() {
    for (input, spec) in specs() {
        let built = spec.as_layer().build(&Shape::from(input.clone())).unwrap();
        let total: usize =
            built.params.iter().map(|param| param.shape.iter().product::<usize>()).sum();
        let explained = spec.explain(&Shape::from(input.clone()), &built).total;
        assert_eq!(explained, total, "{spec:?}: the formula and the arrays disagree");
        let text = serde_json::to_string(&spec).unwrap();
        let again: AnyLayer = serde_json::from_str(&text).unwrap();
        assert_eq!(format!("{again:?}"), format!("{spec:?}"));

        let builder = Sequential::builder(input.clone()).add(spec);
        let model = builder.build(0).unwrap();
        let y = model.predict(&Inputs::Reals(noise(&[&[3], &input[..]].concat()))).unwrap();
        assert_eq!(y.shape(), [&[3], built.output.dims()].concat());
        assert!(y.iter().all(|y| y.is_finite()));
    }
}

#[test]
fn part_of_a_batch_gives_the_same_as_the_whole() {
    for (input, spec) in specs() {
        let what = format!("{spec:?}");
        let model = Sequential::builder(input.clone()).add(spec).build(0).unwrap();
        let x = noise(&[&[70], &input[..]].concat());
        let whole = model.predict(&Inputs::Reals(x.clone())).unwrap();
        for n in [1, 5, 33] {
            let part = model
                .predict(&Inputs::Reals(x.slice_axis(Axis(0), Slice::from(..n)).to_owned()))
                .unwrap();
            assert_eq!(
                part,
                whole.slice_axis(Axis(0), Slice::from(..n)),
                "{what}, the first {n} rows"
            );
        }
    }
}

#[test]
fn scratch_memory_may_hold_anything() {
    use ndarray::Array2;
    for (input, spec) in specs() {
        let shape = Shape::from(input);
        let built = spec.as_layer().build(&shape).unwrap();
        for (i, operation) in built.operations.iter().enumerate() {
            let Operation::Op(layer) = operation else { continue };
            let arrays = ParamArray::table(&built.params);
            let total: usize = built.params.iter().map(|param| param.count()).sum();
            let params = noise(&[total]).mapv(Real::abs).into_raw_vec_and_offset().0;
            let below = if i == 0 { shape.n_values() } else { built.output.n_values() };
            let x = noise(&[4, below]).into_dimensionality().unwrap();
            let dy: Array2<Real> =
                noise(&[4, built.output.n_values()]).into_dimensionality().unwrap();
            let run = |fill: Real| {
                let mut scratch = vec![fill; layer.scratch_len()];
                let mut y = Array2::from_elem(dy.raw_dim(), fill);
                layer.forward(Forward {
                    training: None,
                    params: ParamViews::new(&params, &arrays),
                    x: x.view(),
                    y: y.view_mut(),
                    scratch: &mut scratch,
                });
                scratch.fill(fill);
                let (mut d_params, mut dx) =
                    (vec![fill; params.len()], Array2::from_elem(x.raw_dim(), fill));
                if i > 0 {
                    // An activation leaves the parameters of its layer alone.
                    d_params.fill(0.0);
                }
                layer.backward(Backward {
                    training: None,
                    params: ParamViews::new(&params, &arrays),
                    x: x.view(),
                    dy: dy.view(),
                    d_params: ParamViewsMut::new(&mut d_params, &arrays),
                    accumulate: false,
                    dx: Some(dx.view_mut()),
                    scratch: &mut scratch,
                });
                (y, d_params, dx)
            };
            assert_eq!(run(0.0), run(Real::NAN), "{spec:?}");
        }
    }
}

#[test]
fn words_that_an_embedding_does_not_have_are_refused() {
    let mut model = Sequential::builder([2])
        .add(Embedding::new(3, 4))
        .add(GlobalAveragePooling1D::default())
        .add(Dense::new(2).activation(Softmax))
        .build(0)
        .unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
    let words = |word: Real| Inputs::Reals(ndarray::array![[0.0, 2.0], [1.0, word]].into_dyn());
    // As in Keras, a fraction is cut off.
    for word in [-0.5 as Real, 2.9] {
        let same = model.predict(&words(word.trunc())).unwrap();
        assert_eq!(model.predict(&words(word)).unwrap(), same);
    }
    let options = || FitOptions { epochs: 1, ..FitOptions::default() };
    for word in [3.0, -1.0, 1e30, Real::INFINITY, Real::NAN] {
        let y = Targets::Labels(ArrayD::zeros(vec![2]));
        let data = Dataset { x: words(word), y };
        let errors = [
            model.predict(&words(word)).unwrap_err(),
            model.evaluate(&data).unwrap_err(),
            model.fit(&data, options(), &mut []).unwrap_err(),
        ];
        for text in errors.map(|error| error.to_string()) {
            assert!(text.contains("row 1") && text.contains("indices 0 to 2"), "{text}");
        }
    }
    let bytes = Inputs::bytes(ndarray::array![[0, 2], [1, 7]].into_dyn());
    let text = model.predict(&bytes).unwrap_err().to_string();
    assert!(text.contains("hold 7 in row 1"), "{text}");
    // Computed words are known only in a step, which cannot fail.
    let behind = Sequential::builder([2])
        .add(Rescaling { scale: 2.0, offset: 0.0 })
        .add(Embedding::new(3, 1))
        .build(0)
        .unwrap();
    let y = behind.predict(&words(2.0)).unwrap();
    assert!(y[[1, 1, 0]].is_nan() && y[[1, 0, 0]].is_finite(), "{y}");
}

#[test]
fn options_that_do_not_fit_say_what_would() {
    let normalization = Normalization { mean: Some(vec![0.0; 3]), ..Normalization::default() };
    let three = Normalization { variance: Some(vec![1.0; 3]), ..normalization.clone() };
    let reversed = LayerNormalization { axis: vec![1], ..LayerNormalization::default() };
    let wrong: Vec<(Vec<usize>, AnyLayer, &str)> = vec![
        (vec![7], Conv1D::new(4, 3).into(), "(None, timesteps, channels)"),
        (vec![2, 5], Conv1D::new(4, 3).into(), "a window of 3 does not fit a sequence of 2"),
        (vec![9, 5], Conv1D { strides: 2, dilation_rate: 2, ..Conv1D::new(4, 3) }.into(), "both"),
        (vec![2, 5], MaxPooling1D { pool_size: 3, ..Default::default() }.into(), "at most [2]"),
        (vec![9, 5], AveragePooling1D { padding: Causal, ..Default::default() }.into(), "Conv1D"),
        (vec![9], GlobalMaxPooling1D::default().into(), "(None, timesteps, channels)"),
        (vec![9], Embedding { mask_zero: true, ..Embedding::new(5, 3) }.into(), "mask_zero"),
        (vec![9], Embedding::new(usize::MAX, 3).into(), "input_dim"),
        (vec![9], Embedding::new(5, usize::MAX).into(), "memory"),
        (vec![4, 4], UpSampling2D::default().into(), "height, width, channels"),
        (vec![4, 4, 1], UpSampling2D { size: [0, 2], ..Default::default() }.into(), "at least"),
        (
            vec![4, 4, 1],
            UpSampling2D { size: [usize::MAX, 2], ..Default::default() }.into(),
            "size",
        ),
        (vec![4, 5], reversed.into(), "last axes"),
        (vec![], LayerNormalization::default().into(), "last axes"),
        (
            vec![4],
            LayerNormalization { rms_scaling: true, ..Default::default() }.into(),
            "rms_scaling",
        ),
        (vec![4], PReLU { shared_axes: Some(vec![2]), ..PReLU::default() }.into(), "from 1 to 1"),
        (vec![4], PReLU { shared_axes: Some(vec![0]), ..PReLU::default() }.into(), "from 1 to 1"),
        (vec![4, 5], RepeatVector { n: 2 }.into(), "(None, values)"),
        (vec![4], RepeatVector { n: 0 }.into(), "at least 1"),
        (vec![4], RepeatVector { n: usize::MAX }.into(), "small number"),
        (vec![4, 5], SpatialDropout1D { rate: 1.0 }.into(), "less than 1"),
        (vec![4, 5], SpatialDropout2D { rate: 0.1 }.into(), "height, width, channels"),
        (vec![3], normalization.into(), "give both"),
        (vec![4], three.into(), "4 finite numbers"),
    ];
    for (input, layer, words) in wrong {
        let what = format!("{layer:?}");
        let text = Sequential::builder(input).add(layer).build(0).unwrap_err().to_string();
        assert!(text.contains(words), "{what}: {text}");
    }
}

/// All steps of a channel share its fate, and the channels of a row have fates of their own.
#[test]
fn spatial_dropout_drops_whole_channels() {
    let layer = SpatialDropout1D { rate: 0.5 };
    let built = layer.build(&Shape::from([10, 300])).unwrap();
    let Some(Operation::Op(op)) = built.operations.first() else { panic!("it drops") };
    let x = ndarray::Array2::<Real>::ones((2, 3000));
    let dropped = |first_row: usize| {
        let mut y = x.clone();
        let step = StepContext { seed: 4, iteration: 2, op: 1, first_row };
        let training = Some(TrainContext { step, forward_sums: &[], backward_sums: &[] });
        let params = ParamViews::new(&[], &[]);
        op.forward(Forward { training, params, x: x.view(), y: y.view_mut(), scratch: &mut [] });
        y
    };
    let y = dropped(0);
    for row in y.rows() {
        let row = row.to_vec();
        let kept = row[..300].iter().filter(|value| **value == 2.0).count();
        assert!((100..200).contains(&kept), "{kept} of 300 channels are kept");
        assert!(row[..300].iter().all(|value| *value == 0.0 || *value == 2.0));
        assert!(row.chunks(300).all(|step| *step == row[..300]));
    }
    assert_ne!(y.row(0), y.row(1));
    assert_eq!(dropped(1).row(0), y.row(1), "the mask depends on the row, not on its micro-batch");
}

#[test]
fn parameter_counts_are_explained_in_words() {
    let explained: Vec<(Vec<usize>, AnyLayer, &str)> = vec![
        (vec![20], Embedding::new(1000, 16).into(), "1000 tokens × 16 dimensions"),
        (vec![20, 64], Conv1D::new(32, 3).into(), "32 filters × (3 × 64 inputs + 1 bias)"),
        (vec![20, 8], LayerNormalization::default().into(), "2 × 8 values"),
        (vec![20, 8], PReLU::default().into(), "20 × 8 slopes"),
        (vec![5], Normalization::default().into(), "2 × 5 features + 1 count"),
    ];
    for (input, layer, formula) in explained {
        let input = Shape::from(input);
        let built = layer.as_layer().build(&input).unwrap();
        assert_eq!(layer.explain(&input, &built).formula, formula);
    }
}

#[test]
fn fused_and_unfused_softmax_agree() {
    let loss = CategoricalCrossentropy::default();
    let mut p = noise(&[6, 4]).into_dimensionality().unwrap() * 2.0;
    Softmax.forward(4, p.view_mut());
    let y = Array::from_shape_fn((6, 4), |(i, j)| if i % 4 == j { 0.75 } else { 0.25 / 3.0 });
    let (mut fused, mut unfused) = (p.clone(), p.clone());
    for i in 0..6 {
        let (y, p) = (y.row(i).to_vec(), p.row(i).to_vec());
        loss.gradient_wrt_logits(&y, &p, fused.row_mut(i).as_slice_mut().unwrap());
        loss.gradient(&y, &p, unfused.row_mut(i).as_slice_mut().unwrap());
    }
    Softmax.backward(4, p.view(), unfused.view_mut());
    assert!(fused.iter().zip(&unfused).all(|(a, b)| (a - b).abs() < 1e-6), "{fused} {unfused}");
}

#[test]
fn a_fused_gradient_survives_logits_that_the_clip_would_silence() {
    let mut model =
        Sequential::builder([2]).add(Dense::new(2).activation(Softmax)).build(0).unwrap();
    model
        .set_weight("dense_1/kernel", &ndarray::array![[500.0, -500.0], [0.0, 0.0]].into_dyn())
        .unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
    let data = Dataset {
        x: Inputs::Reals(ndarray::array![[1.0, 0.0]].into_dyn()),
        y: Targets::Labels(ndarray::array![1].into_dyn()),
    };
    let LossGradient { loss, gradient } = model.gradients(&data).unwrap();
    assert!((loss - 16.118).abs() < 1e-2, "{loss}");
    assert_eq!(gradient, [1.0, -1.0, 0.0, 0.0, 1.0, -1.0]);
}

#[test]
fn data_that_do_not_fit_are_refused_with_both_shapes() {
    let mut model =
        Sequential::builder([28, 28]).add(Flatten {}).add(Dense::new(10)).build(0).unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
    let mut fit = |x: ArrayD<Real>, y: Targets| {
        let data = Dataset { x: Inputs::Reals(x), y };
        model.fit(&data, FitOptions::default(), &mut []).unwrap_err().to_string()
    };
    let labels = |n: usize, label: u32| Targets::Labels(ArrayD::from_elem(vec![n], label));
    let text = fit(noise(&[3, 784]), labels(3, 0));
    assert!(
        text.contains("(3, 784)") && text.contains("(None, 28, 28)") && text.contains("reshape"),
        "{text}"
    );
    let text = fit(noise(&[3, 28, 28]), labels(4, 0));
    assert!(text.contains("3 inputs and 4 targets"), "{text}");
    let text = fit(noise(&[3, 28, 28]), labels(3, 10));
    assert!(text.contains("label 10 at position 0") && text.contains("0 to 9"), "{text}");
    let text = fit(noise(&[3, 28, 28]), Targets::Reals(noise(&[3, 7])));
    assert!(text.contains("(3, 7)") && text.contains("(None, 10)"), "{text}");
    let text = fit(noise(&[0, 28, 28]), labels(0, 0));
    assert!(text.contains("no rows"), "{text}");
}

#[test]
fn axes_of_length_one_come_and_go() {
    for shape in [vec![1, 28, 28], vec![28, 28, 1], vec![28, 28]] {
        let model = Sequential::builder(shape).add(Flatten {}).build(0).unwrap();
        for given in [vec![2, 28, 28], vec![2, 1, 28, 28], vec![2, 28, 28, 1]] {
            assert_eq!(model.predict(&Inputs::Reals(noise(&given))).unwrap().shape(), [2, 784]);
        }
    }
}

#[test]
fn a_loss_that_is_no_number_ends_training_and_says_why() {
    let mut model =
        Sequential::builder([2]).add(Dense::new(2).activation(Softmax)).build(0).unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
    let mut x = noise(&[40, 2]);
    x[[35, 1]] = Real::NAN;
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(ArrayD::zeros(vec![40])) };
    let options = FitOptions { batch_size: 10, shuffle: false, ..FitOptions::default() };
    match model.fit(&data, options, &mut []) {
        Err(Error::NotFinite { epoch: 1, batch: 4, reason, .. }) => {
            assert!(reason.contains("not finite"), "{reason}")
        }
        other => panic!("{other:?}"),
    }
    assert!(
        model.weights().all(|(_, array)| array.iter().all(|w| w.is_finite())),
        "the weights are those before"
    );
}

#[test]
fn a_validation_split_takes_the_last_rows_before_shuffling() {
    let mut model =
        Sequential::builder([2]).add(Dense::new(2).activation(Softmax)).build(0).unwrap();
    model.compile(Sgd::new(0.0), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
    let x = noise(&[10, 2]);
    let all = Dataset { x: Inputs::Reals(x.clone()), y: Targets::Labels(ArrayD::zeros(vec![10])) };
    let last = Dataset {
        x: Inputs::Reals(x.slice_axis(Axis(0), Slice::from(7..)).to_owned()),
        y: Targets::Labels(ArrayD::zeros(vec![3])),
    };
    let expected = model.evaluate(&last).unwrap();
    let history = model
        .fit(&all, FitOptions { validation_split: 0.25, ..FitOptions::default() }, &mut [])
        .unwrap();
    assert_eq!(history.get("val_loss").unwrap(), [expected.loss]);
    for fraction in [-0.1, 1.0, 0.99999, f64::NAN] {
        let options = FitOptions { validation_split: fraction, ..FitOptions::default() };
        assert!(model.fit(&all, options, &mut []).is_err(), "{fraction}");
    }
}

#[test]
fn a_class_weighs_the_same_in_every_form_of_targets() {
    let trained = |shape: &[usize], y: Targets| {
        let mut model =
            Sequential::builder(shape).add(Dense::new(3).activation(Softmax)).build(0).unwrap();
        model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
        let data = Dataset { x: Inputs::Reals(noise(&[&[6], shape].concat())), y };
        let options =
            FitOptions { class_weight: Some(&[(0, 0.5), (2, 7.0)]), ..FitOptions::default() };
        model.fit(&data, options, &mut []).map(|_| model.fingerprint())
    };
    let one_hot = ArrayD::from_shape_fn(vec![6, 3], |i| u32::from(i[0] % 3 == i[1]));
    let classes =
        trained(&[2], Targets::Labels(ArrayD::from_shape_fn(vec![6], |i| (i[0] % 3) as u32)))
            .unwrap();
    assert_eq!(trained(&[2], Targets::Reals(one_hot.mapv(|y| y as Real))).unwrap(), classes);
    assert_eq!(trained(&[2], Targets::Labels(one_hot)).unwrap(), classes);
    for y in
        [Targets::Labels(ArrayD::zeros(vec![6, 4])), Targets::Reals(ArrayD::zeros(vec![6, 4, 3]))]
    {
        let error = trained(&[4, 2], y).unwrap_err().to_string();
        assert!(error.contains("one class a row"), "{error}");
    }
}

/// What each loss, the softmax and the mean pool make of a million equal numbers, which single
/// precision adds up badly.
#[test]
fn long_axes_lose_no_digits() {
    let n = 1 << 20;
    let scored = |builder: SequentialBuilder, loss: AnyLoss, y: Targets| {
        let mut model = builder.build(0).unwrap();
        model.compile(Sgd::default(), loss, &[]).unwrap();
        let x = Inputs::Reals(ArrayD::from_elem([&[1], model.input_shape().dims()].concat(), 0.1));
        model.evaluate(&Dataset { x, y }).unwrap().loss
    };
    let flat = || Sequential::builder([1024, 1024, 1]).add(Flatten {});
    let zeros = |n: usize| Targets::Reals(ArrayD::zeros(vec![1, n]));
    let first = || Targets::Labels(ArrayD::zeros(vec![1]));
    let logits = CategoricalCrossentropy { from_logits: true, label_smoothing: 0.1 };
    for (what, loss, exact) in [
        ("mse", scored(flat(), MeanSquaredError {}.into(), zeros(n)), 0.01),
        ("bce", scored(flat(), BinaryCrossentropy::default().into(), zeros(n)), -0.9f64.ln()),
        ("logits", scored(flat(), logits.into(), first()), (n as f64).ln()),
        (
            "softmax",
            scored(
                flat().add(Activation::new(Softmax)),
                CategoricalCrossentropy::default().into(),
                first(),
            ),
            (n as f64).ln(),
        ),
        (
            "mean",
            scored(
                Sequential::builder([1024, 1024, 1]).add(GlobalAveragePooling2D::default()),
                MeanAbsoluteError {}.into(),
                zeros(1),
            ),
            0.1,
        ),
    ] {
        assert!((loss / exact - 1.0).abs() < 1e-5, "{what}: {loss}, and not {exact}");
    }
}

#[test]
fn class_weights_of_odd_targets_are_keras_own() {
    for (y, loss) in [(-1.0, 1.0), (0.5, 2.5), (2.5, 6250.0), (1.0, 100.0)] {
        let mut model = Sequential::builder([1])
            .add(Dense { use_bias: false, ..Dense::new(1) })
            .build(0)
            .unwrap();
        model.set_weight("dense_1/kernel", &ArrayD::zeros(vec![1, 1])).unwrap();
        model.compile(Sgd::new(0.0), MeanSquaredError {}, &[]).unwrap();
        let data = Dataset {
            x: Inputs::Reals(ArrayD::ones(vec![1, 1])),
            y: Targets::Reals(ArrayD::from_elem(vec![1, 1], y)),
        };
        let class_weight = Some(&[(0, 10.0), (1, 100.0), (2, 1000.0), (3, 10000.0)][..]);
        let history = model
            .fit(&data, FitOptions { class_weight, ..FitOptions::default() }, &mut [])
            .unwrap();
        assert_eq!(history.get("loss").unwrap(), [loss], "{y}");
    }
}

proptest! {
    /// One linear layer does to any input what the formula says, in a plain loop over doubles.
    #[test]
    fn dense_is_its_formula(rows in 1usize..40, inputs in 1usize..70, units in 1usize..40, bias in any::<bool>()) {
        let model = Sequential::builder([inputs]).add(Dense { use_bias: bias, ..Dense::new(units) }).build(1).unwrap();
        let weights: Vec<_> = model.weights().map(|(_, array)| array.to_owned()).collect();
        let x = noise(&[rows, inputs]);
        let y = model.predict(&Inputs::Reals(x.clone())).unwrap();
        for ((i, j), y) in y.into_dimensionality::<ndarray::Ix2>().unwrap().indexed_iter() {
            let sum: f64 = (0..inputs).map(|k| f64::from(x[[i, k]]) * f64::from(weights[0][[k, j]])).sum();
            prop_assert!((f64::from(*y) - sum).abs() < 1e-5, "{y} {sum}");
        }
    }
}

#[test]
fn every_layer_is_exported_and_its_header_predicts_alike() {
    for (input, spec) in specs() {
        let what = format!("{spec:?}");
        let model = Sequential::builder(input.clone()).add(spec).build(1).unwrap();
        let folder = tempfile::TempDir::new().unwrap();
        save(&model, &folder.path().join("model.onnx")).unwrap_or_else(|e| panic!("{what}: {e}"));
        save(&model, &folder.path().join("model.h")).unwrap_or_else(|e| panic!("{what}: {e}"));
        let x = noise(&[&[3], &input[..]].concat());
        let found = c::predictions(folder.path(), &x);
        let wanted = model.predict(&Inputs::Reals(x)).unwrap();
        assert_eq!(found.len(), wanted.len(), "{what}");
        let largest = wanted.iter().fold(0.0, |most: f64, y| most.max(f64::from(*y).abs()));
        for (found, wanted) in found.iter().zip(&wanted) {
            let difference = (f64::from(*found) - f64::from(*wanted)).abs();
            assert!(difference <= 1e-5 * largest + 1e-6, "{what}: {found} and {wanted}");
        }
    }
}
