//! Simple layers: the same numbers as Keras 3.15.1, the forms that Keras writes, and what does not
//! fit.

use ndarray::Array2;
use serde_json::{Value, json};
use tallynet::Real;
use tallynet::activations::ActivationKind;
use tallynet::layers::{
    AnyLayer, AveragePooling2D, Backward, Built, ELU, Forward, GlobalMaxPooling2D, Layer,
    LeakyReLU, MaxPooling2D, Operation, ReLU, Rescaling, Reshape, Softmax, ZeroPadding2D,
};
use tallynet::model::Sequential;
use tallynet::params::{ParamArray, ParamViews, ParamViewsMut};
use tallynet::shape::Shape;

fn vector(value: &Value) -> Vec<Real> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap() as Real).collect()
}

fn sizes(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|x| x.as_u64().unwrap() as usize).collect()
}

/// Results of a layer.
struct Results {
    y: Array2<Real>,
    dx: Array2<Real>,
    d_weights: Vec<Real>,
}

/// Runs a layer with these weights forward and back.
fn run(built: &Built, weights: &[Real], x: &Array2<Real>, dy: &Array2<Real>) -> Results {
    let (mut y, mut dx) = (dy * Real::NAN, x * Real::NAN);
    let mut d_weights = vec![Real::NAN; weights.len()];
    match built.operations.first() {
        None => (y, dx) = (x.clone(), dy.clone()),
        Some(Operation::InPlace { activation: kind, width }) => {
            (y, dx) = (x.clone(), dy.clone());
            kind.forward(*width, y.view_mut());
            kind.backward(*width, y.view(), dx.view_mut());
        }
        Some(Operation::Op(layer)) => {
            let mut scratch = vec![Real::NAN; layer.scratch_len()];
            let arrays = ParamArray::table(&built.params);
            let params = ParamViews::new(weights, &arrays);
            let (x, dy) = (x.view(), dy.view());
            layer.forward(Forward {
                training: None,
                params,
                x,
                y: y.view_mut(),
                scratch: &mut scratch,
            });
            layer.backward(Backward {
                training: None,
                params,
                x,
                dy,
                d_params: ParamViewsMut::new(&mut d_weights, &arrays),
                accumulate: false,
                dx: Some(dx.view_mut()),
                scratch: &mut scratch,
            });
        }
    }
    Results { y, dx, d_weights }
}

fn assert_close<'a>(
    ours: impl IntoIterator<Item = &'a Real>,
    theirs: &[Real],
    what: impl std::fmt::Display,
) {
    let ours: Vec<Real> = ours.into_iter().copied().collect();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-5 * b.abs().max(1.0), "{what}:\n{ours:?}\n{theirs:?}");
    }
}

/// The layer of a recorded case, read as a file is: options of a 1-D class are lists of one there.
fn layer_of(case: &Value) -> AnyLayer {
    let class = case["class_name"].as_str().unwrap();
    let mut config = case["config"].clone();
    let options = config.as_object_mut().unwrap();
    // Images are channels-last here: a reader drops the option, and a layer has none.
    options.remove("data_format");
    for value in options.values_mut().filter(|_| class.ends_with("1D")) {
        if let Value::Array(list) = value {
            *value = list[0].clone();
        }
    }
    let layer: AnyLayer =
        serde_json::from_value(json!({ "class_name": class, "config": config })).unwrap();
    let written = serde_json::to_value(&layer).unwrap();
    assert_eq!(written["class_name"], class);
    if case.get("weights").is_none() {
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&written["config"]), keys(&config), "{class}");
    }
    layer
}

#[test]
fn the_same_values_and_gradients_as_keras() {
    let recorded = std::fs::read_to_string("tests/fixtures/simple_layers.json").unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    for case in recorded["cases"].as_array().unwrap() {
        let what = format!("{} {}", case["class_name"], case["config"]);
        let built = layer_of(case).as_layer().build(&Shape::from(sizes(&case["input"]))).unwrap();
        assert_eq!(built.output.dims(), sizes(&case["output"]), "{what}");
        assert!(built.operations.len() < 2);
        let rows = |values: &Value| {
            let values = vector(values);
            Array2::from_shape_vec((2, values.len() / 2), values).unwrap()
        };
        let arrays = |name: &str| -> Vec<Real> {
            case[name].as_array().into_iter().flatten().flat_map(vector).collect()
        };
        let weights = arrays("weights");
        let Results { y, dx, d_weights } =
            run(&built, &weights, &rows(&case["x"]), &rows(&case["dy"]));
        assert_close(&y, &vector(&case["y"]), format!("{what}, y"));
        assert_close(&dx, &vector(&case["dx"]), format!("{what}, dx"));
        let trainable: usize = built.params.iter().filter(|p| p.trainable).map(|p| p.count()).sum();
        assert_close(&d_weights[..trainable], &arrays("d_weights"), format!("{what}, dW"));
        assert!(d_weights[trainable..].iter().all(|gradient| *gradient == 0.0), "{what}");
    }
}

#[test]
fn options_may_be_left_open_and_unknown_ones_are_refused() {
    let read = |config: Value| serde_json::from_value::<MaxPooling2D>(config);
    let pooling = read(json!({"pool_size": [3, 2], "strides": null, "padding": "same"})).unwrap();
    let built = pooling.build(&Shape::from([7, 7, 5])).unwrap();
    assert_eq!(built.output, Shape::from([3, 4, 5]));
    assert!(read(json!({"pool": 2})).unwrap_err().to_string().contains("unknown field"));
}

/// In place, and for a softmax so that a loss absorbs it.
#[test]
fn options_that_leave_a_named_activation_run_that_one() {
    let layers: [(AnyLayer, ActivationKind); 3] = [
        (Softmax::default().into(), ActivationKind::Softmax),
        (ReLU::default().into(), ActivationKind::Relu),
        (ELU::default().into(), ActivationKind::Elu),
    ];
    for (layer, named) in layers {
        let built = layer.as_layer().build(&Shape::from([2, 3])).unwrap();
        assert!(
            matches!(built.operations[..], [Operation::InPlace { activation, width: 3 }] if activation == named),
            "{layer:?}"
        );
    }
    assert!(
        Reshape { target_shape: vec![-1] }
            .build(&Shape::from([2, 3]))
            .unwrap()
            .operations
            .is_empty()
    );
}

#[test]
fn what_does_not_fit_says_what_would() {
    let image = [5, 4, 3];
    let same = serde_json::from_value(json!("same")).unwrap();
    let huge = usize::MAX;
    let wrong: Vec<(&[usize], AnyLayer, &[&str])> = vec![
        (
            &[28, 28],
            MaxPooling2D::default().into(),
            &["(None, 28, 28)", "height, width, channels", "Reshape"],
        ),
        (&[28], GlobalMaxPooling2D::default().into(), &["(None, 28)", "height, width, channels"]),
        (&[4], ZeroPadding2D::default().into(), &["(None, 4)", "height, width, channels"]),
        (
            &image,
            MaxPooling2D { pool_size: [5, 5], ..Default::default() }.into(),
            &["[5, 5]", "at most [5, 4]", "same"],
        ),
        (
            &image,
            AveragePooling2D { pool_size: [0, 2], ..Default::default() }.into(),
            &["[0, 2]", "at least [1, 1]"],
        ),
        (
            &image,
            MaxPooling2D { strides: Some([1, 0]), ..Default::default() }.into(),
            &["[1, 0]", "at least [1, 1]"],
        ),
        (
            &image,
            MaxPooling2D { strides: Some([0, 0]), padding: same, ..Default::default() }.into(),
            &["at least [1, 1]"],
        ),
        (
            &image,
            AveragePooling2D { pool_size: [huge; 2], padding: same, strides: Some([1, 1]) }.into(),
            &["at most"],
        ),
        (&image, Reshape { target_shape: vec![7, 9] }.into(), &["63", "60", "-1"]),
        (&image, Reshape { target_shape: vec![7, -1] }.into(), &["7", "60"]),
        (&image, Reshape { target_shape: vec![-1, -1] }.into(), &["one of them", "60"]),
        (&image, Reshape { target_shape: vec![0, -1] }.into(), &["at least 1", "60"]),
        (
            &image,
            Reshape { target_shape: vec![i64::MIN, i64::MAX, i64::MAX] }.into(),
            &["at least 1"],
        ),
        (&image, Reshape { target_shape: vec![i64::MAX, i64::MAX] }.into(), &["60"]),
        (&image, ZeroPadding2D { padding: [[huge, huge], [1, 1]] }.into(), &["memory", "small"]),
        (&image, Rescaling { scale: f64::NAN, offset: 0.0 }.into(), &["scale is NaN", "finite"]),
        (
            &image,
            ReLU { max_value: Some(-1.0), ..Default::default() }.into(),
            &["max_value is -1", "from 0 on"],
        ),
        (&image, ReLU { threshold: f64::NAN, ..Default::default() }.into(), &["threshold is NaN"]),
        (&image, LeakyReLU { negative_slope: -0.1 }.into(), &["negative_slope is -0.1"]),
        (&image, ELU { alpha: f64::INFINITY }.into(), &["alpha is inf"]),
        (&image, Softmax { axis: 1 }.into(), &["axis 1 of (None, 5, 4, 3)", "give axis -1"]),
        (&[], Softmax::default().into(), &["last axis"]),
    ];
    for (input, layer, words) in wrong {
        let what = format!("{layer:?}");
        let text = Sequential::builder(input.to_vec()).add(layer).build(0).unwrap_err().to_string();
        assert!(words.iter().all(|word| text.contains(word)), "{what}: {text}");
    }
}

#[test]
fn windows_as_large_as_they_may_be() {
    let same = serde_json::from_value(json!("same")).unwrap();
    for pool_size in [[1, 1], [300, 300], [usize::MAX / 2, 3]] {
        for strides in [[1, 1], [usize::MAX, 7]] {
            let layer = MaxPooling2D { pool_size, strides: Some(strides), padding: same };
            let model = Sequential::builder([2, 3, 1]).add(layer).build(0).unwrap();
            let x = ndarray::Array::from_shape_fn(vec![1, 2, 3, 1], |i| (i[1] + i[2]) as Real);
            let y = model.predict(&tallynet::datasets::Inputs::Reals(x)).unwrap();
            assert!(y.iter().all(|y| (0.0..=3.0).contains(y)), "{y}");
        }
    }
}
