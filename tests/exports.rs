//! Exports: an ONNX file and a C header of small models, what they keep, and what is refused.
//! `contract.rs` exports every layer, and `tests/keras/exports.py` runs exports in ONNX Runtime.

use std::fs;
use std::path::Path;

use ndarray::{ArrayD, arr1, arr2};
use tallynet::activations::ActivationFunction;
use tallynet::datasets::{DataDescription, Inputs};
use tallynet::formats::{self, check_convertible, check_savable, load, save};
use tallynet::layers::{
    Backward, BatchNormalization, Built, Conv2D, Dense, Dropout, Flatten, Formula, Forward, Layer,
    LayerNormalization, LeakyReLU, MaxPooling2D, Op, Operation,
};
use tallynet::model::Sequential;
use tallynet::shape::Shape;
use tallynet::{Real, Result};
use tempfile::TempDir;

#[path = "common/c.rs"]
mod c;
#[path = "common/onnx.rs"]
mod onnx;

/// Two inputs, two units with softmax, and names of the classes.
fn tiny() -> Sequential {
    let mut model =
        Sequential::builder([2]).add(Dense::new(2).activation("softmax")).build(0).unwrap();
    let kernel = arr2(&[[0.5, -1.25], [1e-7, 3.0]]).into_dyn();
    model.set_weight("dense_1/kernel", &kernel).unwrap();
    model.set_weight("dense_1/bias", &arr1(&[0.1, -0.0]).into_dyn()).unwrap();
    let classes = vec!["no \"way\"?".to_string(), "größer 5".to_string()];
    model.data = Some(DataDescription { classes, ..DataDescription::default() });
    model
}

fn saved(model: &Sequential, name: &str) -> Vec<u8> {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    save(model, &path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn the_header_of_a_tiny_model() {
    let text = String::from_utf8(saved(&tiny(), "tiny.h")).unwrap();
    assert_eq!(text, include_str!("fixtures/exports/tiny.h"));
}

/// Asserts that the compiled header predicts like the model.
fn assert_header_predicts(model: &Sequential, x: ArrayD<Real>) {
    let folder = TempDir::new().unwrap();
    save(model, &folder.path().join("model.h")).unwrap();
    let found = c::predictions(folder.path(), &x);
    let wanted = model.predict(&Inputs::Reals(x)).unwrap();
    assert_eq!(found.len(), wanted.len());
    for (found, wanted) in found.iter().zip(&wanted) {
        assert!((f64::from(*found) - f64::from(*wanted)).abs() < 1e-5, "{found} and {wanted}");
    }
}

#[test]
fn a_header_predicts_whatever_the_names_are() {
    assert_header_predicts(&tiny(), arr2(&[[1.0, 2.0], [-3.0, 0.5]]).into_dyn());
    let names = ["*?; int x;", "größe", "a b", "a_b", "9", "??=", "in", "predict", "\"\\\n"];
    let mut builder = Sequential::builder([2]);
    for name in names {
        builder = builder.add(Dense::new(2).activation("tanh")).named(name);
    }
    let mut model = builder.build(3).unwrap();
    model.data = Some(DataDescription {
        classes: names.map(str::to_string).to_vec(),
        ..DataDescription::default()
    });
    assert_header_predicts(&model, arr2(&[[1.0, 2.0], [-3.0, 0.5]]).into_dyn());
}

#[test]
fn weights_that_are_not_finite_and_models_without_computation_are_exported() {
    let mut model = tiny();
    let values = [Real::NAN, Real::INFINITY, Real::NEG_INFINITY, Real::MIN_POSITIVE];
    let kernel = ArrayD::from_shape_vec(vec![2, 2], values.to_vec()).unwrap();
    model.set_weight("dense_1/kernel", &kernel).unwrap();
    let text = String::from_utf8(saved(&model, "m.h")).unwrap();
    assert!(text.contains("    NAN, INFINITY, -INFINITY, "), "{text}");
    saved(&model, "m.onnx");

    let copy = Sequential::builder([3, 2]).add(Flatten {}).add(Dropout::new(0.5)).build(0).unwrap();
    let x = ArrayD::from_shape_fn(vec![4, 3, 2], |i| (i[0] * 7 + i[1] * 2 + i[2]) as Real);
    assert_header_predicts(&copy, x);
    saved(&copy, "copy.onnx");
}

/// A name or a text of each node.
fn of_nodes(graph: &[u8], number: u64) -> Vec<&str> {
    onnx::all(graph, 1).into_iter().map(|node| onnx::text(node, number)).collect()
}

#[test]
fn an_onnx_file_keeps_names_weights_and_classes() {
    let model = tiny();
    let bytes = saved(&model, "tiny.onnx");
    assert_eq!(onnx::integers(&bytes, 1), [8]);
    assert_eq!(onnx::text(&bytes, 2), "tallynet");
    assert_eq!(onnx::integers(onnx::one(&bytes, 8), 2), [17]);
    let metadata: Vec<_> = onnx::all(&bytes, 14).iter().map(|e| onnx::texts(e, 1)[0]).collect();
    assert_eq!(metadata, ["classes", "data"]);
    let classes: Vec<String> =
        serde_json::from_str(onnx::text(onnx::all(&bytes, 14)[0], 2)).unwrap();
    assert_eq!(classes, model.data.as_ref().unwrap().classes);

    let graph = onnx::one(&bytes, 7);
    assert_eq!(of_nodes(graph, 3), ["dense_1", "dense_1/Softmax"]);
    assert_eq!(of_nodes(graph, 4), ["Gemm", "Softmax"]);
    let nodes = onnx::all(graph, 1);
    assert_eq!(onnx::texts(nodes[0], 1), ["input", "dense_1/kernel", "dense_1/bias"]);
    assert_eq!(onnx::texts(nodes[1], 2), ["output"]);
    let initializers = onnx::all(graph, 5);
    assert_eq!(initializers.len(), 2);
    for (tensor, (name, values)) in initializers.into_iter().zip(model.weights()) {
        assert_eq!(onnx::text(tensor, 8), name);
        let dims: Vec<usize> = onnx::integers(tensor, 1).iter().map(|n| *n as usize).collect();
        assert_eq!(dims, values.shape());
        assert_eq!(onnx::integers(tensor, 2), [1], "not of the type float");
        let bytes: Vec<u8> = values.iter().flat_map(c::bytes).collect();
        assert_eq!(onnx::one(tensor, 9), bytes);
    }
    // The batch has a name in place of a length.
    let input = onnx::one(graph, 11);
    assert_eq!(onnx::text(input, 1), "input");
    let shape = onnx::one(onnx::one(onnx::one(input, 2), 1), 2);
    let axes = onnx::all(shape, 1);
    assert_eq!((axes.len(), onnx::text(axes[0], 2)), (2, "batch"));
    assert_eq!(onnx::integers(axes[1], 1), [2]);
}

#[test]
fn images_are_transposed_once_at_each_end() {
    let model = Sequential::builder([8, 8, 3])
        .add(Conv2D::new(4, [3, 3]).activation("relu"))
        .add(BatchNormalization::default())
        .add(LeakyReLU { negative_slope: 0.1 })
        .add(MaxPooling2D::default())
        .add(Dropout::new(0.25))
        .add(Conv2D::new(2, [2, 2]).activation("softmax"))
        .add(Flatten {})
        .add(LayerNormalization::default())
        .build(0)
        .unwrap();
    let bytes = saved(&model, "images.onnx");
    let graph = onnx::one(&bytes, 7);
    let ops = of_nodes(graph, 4);
    let wanted = [
        "Transpose",
        "Conv",
        "Relu",
        "BatchNormalization",
        "LeakyRelu",
        "MaxPool",
        "Identity",
        "Conv",
        "Softmax",
        "Transpose",
        "Reshape",
        "LayerNormalization",
    ];
    assert_eq!(ops, wanted);
    for layer in model.layers() {
        assert!(of_nodes(graph, 3).contains(&&layer.name()[..]), "{}", layer.name());
    }
    let nodes = onnx::all(graph, 1);
    let slope = onnx::one(nodes[4], 5);
    assert_eq!((onnx::text(slope, 1), onnx::floats(slope, 2)), ("alpha", vec![0.1]));
}

/// `y = 2·x`, known to exports or not.
#[derive(Debug, Clone)]
struct Double {
    has_formula: bool,
}

impl Layer for Double {
    fn build(&self, input: &Shape) -> Result<Built> {
        Ok(Built::weightless(input.clone(), Some(Operation::op(self.clone()))))
    }
}

impl Op for Double {
    fn forward(&self, mut pass: Forward) {
        pass.y.assign(&(&pass.x * 2.0));
    }
    fn backward(&self, pass: Backward) {
        if let Some(mut dx) = pass.dx {
            dx.assign(&(&pass.dy * 2.0));
        }
    }
    fn formula(&self) -> Option<Formula> {
        self.has_formula.then_some(Formula::Rescaling { scale: 2.0, offset: 0.0 })
    }
}

#[derive(Debug)]
struct Square;

impl ActivationFunction for Square {
    fn forward(&self, _width: usize, values: &mut [Real]) {
        values.iter_mut().for_each(|x| *x *= *x);
    }
    fn backward(&self, _width: usize, x: &[Real], dy: &mut [Real]) {
        dy.iter_mut().zip(x).for_each(|(dy, x)| *dy *= 2.0 * x);
    }
}

/// Asserts that both exports of the model are refused with these words, and write nothing.
fn assert_refused(model: &Sequential, words: &[&str]) {
    let folder = TempDir::new().unwrap();
    for name in ["m.onnx", "m.h"] {
        let path = folder.path().join(name);
        let message = save(model, &path).unwrap_err().to_string();
        for word in words {
            assert!(message.contains(word), "{word:?} is missing in {message}");
        }
        assert!(!message.contains("report this defect"), "{message}");
        assert!(!path.exists());
    }
}

#[test]
fn classes_from_outside_are_refused_by_name_unless_they_say_their_formula() {
    let with = |has_formula| {
        let builder = Sequential::builder([2]).add(Double { has_formula });
        builder.add(Dense::new(1)).build(0).unwrap()
    };
    assert_refused(&with(false), &["double_1 (Double)", "from outside tallynet"]);
    assert_header_predicts(&with(true), arr2(&[[1.0, -2.0]]).into_dyn());
    saved(&with(true), "double.onnx");
    let square = Sequential::builder([2]).add(Dense::new(1).activation(Square)).build(0).unwrap();
    assert_refused(&square, &["dense_1 (Dense)", "the activation Square"]);
}

#[test]
fn exports_are_not_read_and_no_place_for_a_training() {
    let folder = TempDir::new().unwrap();
    for name in ["tiny.onnx", "tiny.h"] {
        save(&tiny(), &folder.path().join(name)).unwrap();
    }
    assert_not_read(&folder.path().join("tiny.onnx"), "an ONNX model, which is written and not");
    assert_not_read(
        &folder.path().join("tiny.h"),
        "an exported C header, which is written and not",
    );
}

fn assert_not_read(path: &Path, words: &str) {
    let message = load(path).unwrap_err().to_string();
    assert!(message.contains(words), "{message}");
    let message = formats::load_weights(&mut tiny(), path).unwrap_err().to_string();
    assert!(message.contains(words), "{message}");
    check_convertible(path).unwrap();
    let message = check_savable(path).unwrap_err().to_string();
    assert!(message.contains("the trained model would be lost"), "{message}");
}
