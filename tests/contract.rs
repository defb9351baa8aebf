//! What every layer promises, whatever it computes.

use ndarray::{Array, ArrayD, Axis, Slice};
use proptest::prelude::*;
use tallynet::activations::ActivationKind;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{Activation, Dense, Flatten, LayerSpec, Operation};
use tallynet::losses::{CategoricalCrossentropy, Loss};
use tallynet::model::Sequential;
use tallynet::optimizers::Sgd;
use tallynet::shape::Shape;
use tallynet::training::FitOptions;
use tallynet::{Error, Real};

fn specs() -> Vec<(Vec<usize>, Box<dyn LayerSpec>)> {
    use ActivationKind::{Relu, Sigmoid, Softmax, Tanh};
    let mut specs: Vec<(Vec<usize>, Box<dyn LayerSpec>)> = vec![
        (vec![2, 3, 4], Box::new(Flatten::new())),
        (vec![], Box::new(Flatten::new())),
        (vec![7], Box::new(Dense::new(5))),
        (vec![7], Box::new(Dense::new(5).use_bias(false))),
        (vec![3, 2, 7], Box::new(Dense::new(5))),
        (vec![300], Box::new(Dense::new(40))),
    ];
    for kind in [ActivationKind::Linear, Relu, Sigmoid, Tanh, Softmax] {
        specs.push((vec![3, 4], Box::new(Activation::new(kind))));
        specs.push((vec![6], Box::new(Dense::new(3).activation(kind))));
    }
    specs
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
        let built = spec.build(&Shape::from(input.clone())).unwrap();
        let total: usize = built.params.iter().map(|param| param.shape.iter().product::<usize>()).sum();
        assert_eq!(built.count.total, total, "{spec:?}: the formula and the arrays disagree");
        let again = tallynet::layers::from_config(spec.class_name(), spec.config()).unwrap();
        assert_eq!(format!("{again:?}"), format!("{spec:?}"));

        let builder = Sequential::builder(input.clone()).add_boxed(None, spec);
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
        let model = Sequential::builder(input.clone()).add_boxed(None, spec).build(0).unwrap();
        let x = noise(&[&[70], &input[..]].concat());
        let whole = model.predict(&Inputs::Reals(x.clone())).unwrap();
        for n in [1, 5, 33] {
            let part = model.predict(&Inputs::Reals(x.slice_axis(Axis(0), Slice::from(..n)).to_owned())).unwrap();
            assert_eq!(part, whole.slice_axis(Axis(0), Slice::from(..n)), "{what}, the first {n} rows");
        }
    }
}

#[test]
fn scratch_memory_may_hold_anything() {
    use ndarray::Array2;
    use tallynet::layers::Backward;
    for (input, spec) in specs() {
        let shape = Shape::from(input);
        let built = spec.build(&shape).unwrap();
        for operation in &built.operations {
            let Operation::Layer(layer) = operation else { continue };
            let params = noise(&[built.count.total]).into_raw_vec_and_offset().0;
            let x = noise(&[4, shape.n_values()]).into_dimensionality().unwrap();
            let dy: Array2<Real> = noise(&[4, built.output.n_values()]).into_dimensionality().unwrap();
            let run = |fill: Real| {
                let mut scratch = vec![fill; layer.scratch_len()];
                let mut y = Array2::from_elem(dy.raw_dim(), fill);
                layer.forward(&params, x.view(), y.view_mut(), &mut scratch);
                scratch.fill(fill);
                let (mut d_params, mut dx) = (vec![fill; params.len()], Array2::from_elem(x.raw_dim(), fill));
                layer.backward(Backward {
                    params: &params,
                    x: x.view(),
                    dy: dy.view(),
                    d_params: &mut d_params,
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
fn fused_and_unfused_softmax_agree() {
    let loss = CategoricalCrossentropy::default();
    let softmax = ActivationKind::Softmax.in_place(4).unwrap();
    let mut p = noise(&[6, 4]).into_dimensionality().unwrap() * 2.0;
    softmax.forward(p.view_mut());
    let y = Array::from_shape_fn((6, 4), |(i, j)| if i % 4 == j { 0.75 } else { 0.25 / 3.0 });
    let (mut fused, mut unfused) = (p.clone(), p.clone());
    loss.gradient_through(y.view(), p.view(), 0.5, fused.view_mut());
    loss.gradient(y.view(), p.view(), 0.5, unfused.view_mut());
    softmax.backward(p.view(), unfused.view_mut());
    assert!(fused.iter().zip(&unfused).all(|(a, b)| (a - b).abs() < 1e-6), "{fused} {unfused}");
}

#[test]
fn a_fused_gradient_survives_logits_that_the_clip_would_silence() {
    let mut model = Sequential::builder([2]).add(Dense::new(2).activation(ActivationKind::Softmax)).build(0).unwrap();
    model.set_weight("dense_1/kernel", &ndarray::array![[500.0, -500.0], [0.0, 0.0]].into_dyn()).unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
    let data = Dataset {
        x: Inputs::Reals(ndarray::array![[1.0, 0.0]].into_dyn()),
        y: Targets::Labels(ndarray::array![1].into_dyn()),
    };
    let (loss, gradient) = model.gradients(&data).unwrap();
    assert!((loss - 16.118).abs() < 1e-2, "{loss}");
    assert_eq!(gradient, [1.0, -1.0, 0.0, 0.0, 1.0, -1.0]);
}

#[test]
fn data_that_do_not_fit_are_refused_with_both_shapes() {
    let mut model = Sequential::builder([28, 28]).add(Flatten::new()).add(Dense::new(10)).build(0).unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
    let mut fit = |x: ArrayD<Real>, y: Targets| {
        let data = Dataset { x: Inputs::Reals(x), y };
        model.fit(&data, FitOptions::default(), &mut []).unwrap_err().to_string()
    };
    let labels = |n: usize, label: u32| Targets::Labels(ArrayD::from_elem(vec![n], label));
    let text = fit(noise(&[3, 784]), labels(3, 0));
    assert!(text.contains("(3, 784)") && text.contains("(None, 28, 28)") && text.contains("reshape"), "{text}");
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
        let model = Sequential::builder(shape).add(Flatten::new()).build(0).unwrap();
        for given in [vec![2, 28, 28], vec![2, 1, 28, 28], vec![2, 28, 28, 1]] {
            assert_eq!(model.predict(&Inputs::Reals(noise(&given))).unwrap().shape(), [2, 784]);
        }
    }
}

#[test]
fn a_loss_that_is_no_number_ends_training_and_says_why() {
    let mut model = Sequential::builder([2]).add(Dense::new(2).activation(ActivationKind::Softmax)).build(0).unwrap();
    model.compile(Sgd::default(), CategoricalCrossentropy::default(), &[]).unwrap();
    let mut x = noise(&[40, 2]);
    x[[35, 1]] = Real::NAN;
    let data = Dataset { x: Inputs::Reals(x), y: Targets::Labels(ArrayD::zeros(vec![40])) };
    let options = FitOptions { batch_size: 10, shuffle: false, ..FitOptions::default() };
    match model.fit(&data, options, &mut []) {
        Err(Error::NotFinite { epoch: 1, batch: 4, reason, .. }) => assert!(reason.contains("not finite"), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert!(model.weights().all(|(_, array)| array.iter().all(|w| w.is_finite())), "the weights are those before");
}

#[test]
fn a_validation_split_takes_the_last_rows_before_shuffling() {
    let mut model = Sequential::builder([2]).add(Dense::new(2).activation(ActivationKind::Softmax)).build(0).unwrap();
    model.compile(Sgd::new(0.0).unwrap(), CategoricalCrossentropy::default(), &["accuracy"]).unwrap();
    let x = noise(&[10, 2]);
    let all = Dataset { x: Inputs::Reals(x.clone()), y: Targets::Labels(ArrayD::zeros(vec![10])) };
    let last = Dataset {
        x: Inputs::Reals(x.slice_axis(Axis(0), Slice::from(7..)).to_owned()),
        y: Targets::Labels(ArrayD::zeros(vec![3])),
    };
    let expected = model.evaluate(&last).unwrap();
    let history = model.fit(&all, FitOptions { validation_split: 0.25, ..FitOptions::default() }, &mut []).unwrap();
    assert_eq!(history.get("val_loss").unwrap(), [expected.loss]);
    for share in [-0.1, 1.0, 0.99999, f64::NAN] {
        let options = FitOptions { validation_split: share, ..FitOptions::default() };
        assert!(model.fit(&all, options, &mut []).is_err(), "{share}");
    }
}

proptest! {
    /// One linear layer does to any input what the formula says, in a plain loop over doubles.
    #[test]
    fn dense_is_its_formula(rows in 1usize..40, inputs in 1usize..70, units in 1usize..40, bias in any::<bool>()) {
        let model = Sequential::builder([inputs]).add(Dense::new(units).use_bias(bias)).build(1).unwrap();
        let weights: Vec<_> = model.weights().map(|(_, array)| array.to_owned()).collect();
        let x = noise(&[rows, inputs]);
        let y = model.predict(&Inputs::Reals(x.clone())).unwrap();
        for ((i, j), y) in y.into_dimensionality::<ndarray::Ix2>().unwrap().indexed_iter() {
            let sum: f64 = (0..inputs).map(|k| f64::from(x[[i, k]]) * f64::from(weights[0][[k, j]])).sum();
            prop_assert!((f64::from(*y) - sum).abs() < 1e-5, "{y} {sum}");
        }
    }
}
