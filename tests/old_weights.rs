//! Weights and optimizer state in files of older Keras versions, against the numbers of the
//! Keras that wrote them: `tests/fixtures/field` and `tests/fixtures/tf_keras`, which
//! `tests/keras/tf_keras.py` records. And state that is damaged: a warning, never an error.

#![allow(clippy::unnecessary_cast)] // `Real` is f32 in one of two builds.

use std::fs;
use std::path::{Path, PathBuf};

use ndarray::{Axis, Ix2, Ix4};
use ndarray_npy::NpzReader;
use serde_json::Value;
use tallynet::Real;
use tallynet::activations::AnyActivation;
use tallynet::datasets::{Inputs, npz};
use tallynet::formats::{self, Loaded};
use tallynet::hdf5::{self, Group, Member};
use tallynet::layers::Dense;
use tallynet::losses::MeanSquaredError;
use tallynet::model::Sequential;
use tallynet::optimizers::*;
use tallynet::training::FitOptions;

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn numbers(values: &Value) -> Vec<f64> {
    values.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn assert_close(what: &str, found: impl IntoIterator<Item = f64>, wanted: &[f64], tolerance: f64) {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), wanted.len(), "{what}");
    for (found, wanted) in found.iter().zip(wanted) {
        let limit = tolerance * wanted.abs().max(1.0);
        assert!((found - wanted).abs() <= limit, "{what}: {found} instead of {wanted}");
    }
}

fn state(model: &Sequential) -> &OptimizerState {
    model.compiled().unwrap().state()
}

/// All slots, one after the other.
fn slots(model: &Sequential) -> Vec<f64> {
    state(model).slots.iter().flatten().map(|&x| f64::from(x)).collect()
}

fn predictions(model: &Sequential, x: Inputs) -> Vec<f64> {
    model.predict(&x).unwrap().iter().map(|&x| f64::from(x)).collect()
}

/// The model with weights of 0 and without optimizer state.
fn blank(mut model: Sequential) -> Sequential {
    let zeros = |(name, array): (String, ndarray::ArrayViewD<Real>)| (name, array.mapv(|_| 0.0));
    let weights: Vec<_> = model.weights().map(zeros).collect();
    for (name, array) in weights {
        model.set_weight(&name, &array).unwrap();
    }
    if let Ok(compiled) = model.compiled() {
        let (rule, loss) = (compiled.optimizer().unwrap().clone(), compiled.loss().clone());
        model.compile_with(Some(rule), loss, vec![]).unwrap();
    }
    model
}

/// Trains one more epoch in the order of the rows.
fn train(model: &mut Sequential, data: &Path, batch_size: usize) {
    let data = npz::load(data).unwrap();
    let options = FitOptions { batch_size, shuffle: false, ..FitOptions::default() };
    model.fit(&data.train, options, &mut []).unwrap();
}

fn loss(model: &Sequential, data: &Path) -> f64 {
    model.evaluate(&npz::load(data).unwrap().test).unwrap().loss
}

/// The model that `tf_keras.py` trains.
fn small(rule: impl Into<AnyOptimizer>) -> Sequential {
    let tanh = Dense { activation: AnyActivation::from("tanh"), ..Dense::new(2) };
    let mut model = Sequential::builder([3]).add(tanh).add(Dense::new(1)).build(0).unwrap();
    model.compile(rule.into(), MeanSquaredError {}, &[]).unwrap();
    model
}

/// The slots of a reference: its variables by the slot that their names tell, in order.
fn recorded_slots(state: &Value) -> Vec<f64> {
    let mut found: Vec<(String, Vec<f64>)> = vec![];
    for variable in state.as_array().unwrap() {
        let values = &variable["values"];
        let parts: Vec<&str> =
            variable["name"].as_str().unwrap().trim_end_matches(":0").split('/').collect();
        let slot = match parts[..] {
            [_, slot, _, _] if !slot.starts_with("dense") => slot,
            [_, _, _, slot] => slot,
            _ => continue,
        };
        match found.iter_mut().find(|(known, _)| known == slot) {
            Some((_, all)) => all.extend(numbers(values)),
            None => found.push((slot.to_string(), numbers(values))),
        }
    }
    found.into_iter().flat_map(|(_, values)| values).collect()
}

/// The state of one file and the epoch after it.
fn goes_on(file: &str, rule: impl Into<AnyOptimizer>, loss_is_recorded: bool) {
    let folder = fixtures("tf_keras");
    let data = folder.join("data.npz");
    let name = file.rsplit_once('.').unwrap().0;
    let name = if name == "windows" { "adam" } else { name };
    let reference = &json(&folder.join("reference.json"))[name];
    let mut model = small(rule);
    let warnings = formats::load_weights(&mut model, &folder.join(file)).unwrap().warnings;
    if file == "keras-2.2-rmsprop.h5" {
        assert!(warnings.len() == 1 && warnings[0].contains("how many steps"), "{warnings:?}");
    } else {
        assert_eq!(warnings, [""; 0], "{file}");
        assert_eq!(state(&model).iteration, 3, "{file}");
    }
    assert_close(file, slots(&model), &recorded_slots(&reference["state"]), 1e-7);
    assert_close(file, [loss(&model, &data)], &[reference["loss"].as_f64().unwrap()], 1e-6);
    if loss_is_recorded {
        train(&mut model, &data, 4);
        let wanted = reference["loss_after_one_more_epoch"].as_f64().unwrap();
        assert_close(file, [loss(&model, &data)], &[wanted], 2e-6);
    }
}

#[test]
fn training_goes_on_from_tf_keras() {
    let adam = || Adam { amsgrad: true, ..Adam::new(0.05) };
    let rmsprop = || RMSprop { momentum: 0.5, centered: true, ..RMSprop::new(0.01) };
    goes_on("sgd.keras", Sgd { momentum: 0.9, nesterov: true, ..Sgd::new(0.05) }, true);
    goes_on("rmsprop.keras", rmsprop(), true);
    goes_on("rmsprop.h5", rmsprop(), true);
    goes_on("adagrad.keras", Adagrad::new(0.1), true);
    goes_on("adadelta.keras", Adadelta::new(1.0), true);
    goes_on("adam.keras", adam(), true);
    goes_on("adam.h5", adam(), true);
    goes_on("windows.keras", adam(), true);
    goes_on("adamax.keras", Adamax::new(0.05), true);
    // In TF-Keras the compiled step multiplies Nadam's product more than once.
    goes_on("nadam.keras", Nadam::new(0.05), false);
}

#[test]
fn training_goes_on_from_keras_2() {
    let decay = Schedule::InverseTimeDecay {
        initial_learning_rate: 0.05,
        decay_steps: 1.0,
        decay_rate: 0.5,
        staircase: false,
    };
    goes_on("legacy-sgd.h5", Sgd { momentum: 0.9, ..Sgd::new(decay) }, true);
    let rmsprop = RMSprop { momentum: 0.5, centered: true, ..RMSprop::new(0.01) };
    goes_on("legacy-rmsprop.h5", rmsprop, true);
    goes_on("legacy-adagrad.h5", Adagrad::new(0.1), true);
    goes_on("legacy-adadelta.h5", Adadelta::new(1.0), true);
    goes_on("legacy-adam.h5", Adam { amsgrad: true, ..Adam::new(0.05) }, true);
    goes_on("legacy-adamax.h5", Adamax::new(0.05), true);
    // Its momentum followed another schedule.
    goes_on("legacy-nadam.h5", Nadam::new(0.05), false);
    goes_on("keras-2.2-adam.h5", Adam::new(0.05), true);
    goes_on("keras-2.2-rmsprop.h5", RMSprop::new(0.01), true);
}

#[test]
fn archives_of_tf_keras_2_15_train_on() {
    let folder = fixtures("field/27-tf-keras-2.15-archives");
    let reference = json(&folder.join("reference.json"));
    let data = folder.join("xy.npz");
    for name in ["sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad", "schedule"] {
        let file = folder.join(format!("{name}.keras"));
        let mut model = formats::load(&file).unwrap().model;
        if name == "rmsprop" {
            model.compile(RMSprop::new(0.01), MeanSquaredError {}, &[]).unwrap();
            formats::load_weights(&mut model, &file).unwrap();
        }
        assert_eq!(state(&model).iteration, 4, "{name}");
        assert_close(
            name,
            [loss(&model, &data)],
            &numbers(&reference[name]["evaluate"])[..1],
            1e-6,
        );
        train(&mut model, &data, 32);
        let wanted = numbers(&reference[name]["after_one_more_epoch"]);
        assert_close(name, [loss(&model, &data)], &wanted[..1], 2e-6);
    }
}

#[test]
fn kernels_of_theano_are_flipped() {
    let folder = fixtures("field/28-theano-kernels");
    let reference = json(&folder.join("reference.json"));
    for name in ["theano-valid", "theano-dense"] {
        let x = || npz::load_inputs(&folder.join("x.npy")).unwrap();
        let wanted = numbers(&reference[name]);
        let mut model = formats::load(&folder.join(format!("{name}.h5"))).unwrap().model;
        assert_close(name, predictions(&model, x()), &wanted, 6e-7);
        let file = folder.join(format!("{name}.weights-only.h5"));
        model = blank(model);
        let warnings = formats::load_weights(&mut model, &file).unwrap().warnings;
        assert_eq!(warnings, [""; 0]);
        assert_close(name, predictions(&model, x()), &wanted, 6e-7);
    }
}

/// It was written on Theano, which files of Keras 1 do not say.
#[test]
fn convolutions_of_keras_1_come_with_a_warning() {
    let folder = fixtures("field/24-keras-1-padding");
    let reference = json(&folder.join("k122b-reference.json"));
    let Loaded { mut model, warnings, .. } = formats::load(&folder.join("k122-plain.h5")).unwrap();
    let found = warnings.iter().filter(|warning| warning.contains("'theano'")).count();
    assert_eq!(found, 1, "{warnings:?}");
    let first = model.weights().next().map(|(name, array)| (name, array.into_owned()));
    let (name, mut kernel) = first.unwrap();
    kernel.invert_axis(Axis(0));
    kernel.invert_axis(Axis(1));
    model.set_weight(&name, &kernel.as_standard_layout().into_owned()).unwrap();
    let x = npz::load_inputs(&folder.join("k122-x.npy")).unwrap();
    assert_close("plain", predictions(&model, x), &numbers(&reference["plain"]), 1e-6);
}

/// The same files after the remedy that the warning names.
#[test]
fn files_of_keras_1_that_name_theano_predict_as_theano() {
    let folder = fixtures("field/24-keras-1-padding");
    let wanted = numbers(&json(&folder.join("k122b-reference.json"))["plain"]);
    let x = npz::load_inputs(&folder.join("k122-x.npy")).unwrap();
    let load = |name: &str| formats::load(&fixtures("tf_keras").join(name)).unwrap();
    let Loaded { model, warnings, .. } = load("theano-plain.h5");
    assert!(warnings.iter().all(|warning| !warning.contains("heano")), "{warnings:?}");
    assert_close("plain", predictions(&model, x), &wanted, 1e-6);
    // Strides that Theano pads otherwise.
    let warnings = load("theano-stride.h5").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("padding='same'")), "{warnings:?}");
}

#[test]
fn tf_keras_2_13_and_2_15_in_all_three_forms() {
    for (folder, names) in [
        ("field/29-tf-keras-2.15", &["adam", "rmsprop", "sgdm", "legacy"][..]),
        ("field/30-tf-keras-2.13", &["adam"]),
    ] {
        for name in names {
            let file = |extension: &str| fixtures(folder).join(format!("{name}.{extension}"));
            let mut reference = NpzReader::new(fs::File::open(file("ref.npz")).unwrap()).unwrap();
            let x = reference.by_name::<ndarray::OwnedRepr<f32>, Ix4>("x").unwrap();
            let x = || Inputs::Reals(x.mapv(Into::into).into_dyn());
            let y = reference.by_name::<ndarray::OwnedRepr<f32>, Ix2>("y").unwrap();
            let y: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
            let model = formats::load(&file("keras")).unwrap().model;
            assert_close(name, predictions(&model, x()), &y, 1e-6);
            for extension in ["h5", "weights.h5"] {
                let mut other = blank(formats::load(&file("keras")).unwrap().model);
                let warnings =
                    formats::load_weights(&mut other, &file(extension)).unwrap().warnings;
                assert_eq!(warnings, [""; 0], "{name}.{extension}");
                assert_close(name, predictions(&other, x()), &y, 1e-6);
                if *name == "legacy" {
                    continue; // Only its .h5 holds state.
                }
                assert_eq!(state(&other).iteration, 4);
                assert_eq!(slots(&other), slots(&model), "{name}.{extension}");
                assert!(slots(&model).iter().any(|x| *x != 0.0));
            }
        }
    }
}

#[test]
fn layers_that_tf_keras_2_13_counted_twice() {
    let folder = fixtures("field/30-tf-keras-2.13");
    let mut reference =
        NpzReader::new(fs::File::open(folder.join("four.ref.npz")).unwrap()).unwrap();
    let x = reference.by_name::<ndarray::OwnedRepr<f32>, Ix2>("x").unwrap();
    let y = reference.by_name::<ndarray::OwnedRepr<f32>, Ix2>("y").unwrap();
    let y: Vec<f64> = y.iter().map(|&y| f64::from(y)).collect();
    let x = || Inputs::Reals(x.mapv(Into::into).into_dyn());
    let Loaded { model, arrays, warnings, .. } = formats::load(&folder.join("four.keras")).unwrap();
    assert_eq!(warnings, [""; 0]);
    model.verify_arrays(&arrays.unwrap()).unwrap();
    assert_close("four.keras", predictions(&model, x()), &y, 1e-6);
    let mut other = blank(formats::load(&folder.join("four.keras")).unwrap().model);
    formats::load_weights(&mut other, &folder.join("four.weights.h5")).unwrap();
    assert_close("four.weights.h5", predictions(&other, x()), &y, 1e-6);
}

#[test]
fn half_precision_is_read_exactly() {
    let folder = fixtures("field/09-half-precision");
    let bytes = |bits: &[u16]| bits.iter().flat_map(|bits| bits.to_le_bytes()).collect::<Vec<u8>>();
    let adam = || {
        let mut model = formats::load(&folder.join("mixed_float16.keras")).unwrap().model;
        model.compile(Adam::new(0.01), MeanSquaredError {}, &[]).unwrap();
        model
    };
    let kernel = |model: &Sequential| {
        model.weights().next().unwrap().1.iter().map(|&x| f64::from(x)).take(3).collect::<Vec<_>>()
    };
    // The first numbers as NumPy converts them.
    for (file, weights, slot, values) in [
        (
            "float16.keras",
            [-0.74169921875, -0.133544921875, -0.23876953125],
            1,
            [1.3709068298339844e-06, 0.00018453598022460938, 4.5299530029296875e-05],
        ),
        (
            "bfloat16.keras",
            [-0.7109375, -0.2734375, -0.31640625],
            0,
            [-0.0361328125, -0.0361328125, 0.1015625],
        ),
    ] {
        let mut model = adam();
        let warnings = formats::load_weights(&mut model, &folder.join(file)).unwrap().warnings;
        assert_eq!(warnings, [""; 0], "{file}");
        assert_eq!(kernel(&model), weights, "{file}");
        let found = state(&model).slots[slot][..3].iter().map(|&x| f64::from(x));
        assert_eq!(found.collect::<Vec<_>>(), values, "{file}");
    }
    let mut one = Sequential::builder([4]).add(Dense::new(3)).named("dense").build(0).unwrap();
    formats::load_weights(&mut one, &folder.join("weights16.npz")).unwrap();
    assert_eq!(kernel(&one), [0.75048828125, 0.10546875, -0.059356689453125]);

    // As .npy: 1, -2, 2⁻²⁴ and 65504 in float16; 1, -2, 2⁻¹²⁶ and ∞ in bfloat16.
    let temporary = tempfile::tempdir().unwrap();
    let file = temporary.path().join("x.npy");
    let big_endian = [0x003c, 0x00c0, 0x0100, 0xff7b];
    for (dtype, bits, values) in [
        ("<f2", [0x3c00, 0xc000, 0x0001, 0x7bff], [1.0, -2.0, 2_f64.powi(-24), 65504.0]),
        (">f2", big_endian, [1.0, -2.0, 2_f64.powi(-24), 65504.0]),
        ("|V2", [0x3f80, 0xc000, 0x0080, 0x7f80], [1.0, -2.0, 2_f64.powi(-126), f64::INFINITY]),
    ] {
        let text = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (1, 4), }}");
        let header = format!("{text:<117}\n");
        let start = [b"\x93NUMPY\x01\x00v\x00", header.as_bytes()].concat();
        fs::write(&file, [start, bytes(&bits)].concat()).unwrap();
        let Inputs::Reals(found) = npz::load_inputs(&file).unwrap() else { panic!("{dtype}") };
        assert_eq!(found.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), values, "{dtype}");
    }
}

#[test]
fn state_of_a_wrapped_optimizer_is_read() {
    let folder = fixtures("field/09-half-precision");
    let by_archive = formats::load(&folder.join("mixed_float16.keras")).unwrap().model;
    assert_eq!(state(&by_archive).iteration, 1);
    assert_close("bias", [f64::from(state(&by_archive).slots[0][18])], &[-0.03874512], 1e-8);
    let mut by_name = formats::load(&folder.join("mixed_float16.h5")).unwrap().model;
    by_name.compile(Adam::new(0.01), MeanSquaredError {}, &[]).unwrap();
    formats::load_weights(&mut by_name, &folder.join("mixed_float16.h5")).unwrap();
    assert_eq!(slots(&by_name), slots(&by_archive));
}

/// A file of weights of [`small`] with these variables of the optimizer.
fn with_state(model: &Sequential, variables: Vec<Member>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.weights.h5");
    formats::save(model, &path).unwrap();
    let bytes = fs::read(path).unwrap();
    let file = hdf5::open(&bytes).unwrap();
    let mut layers = Group::default();
    for key in ["dense", "dense_1"] {
        let mut vars = Group::default();
        for number in ["0", "1"] {
            let array = file.dataset(&format!("layers/{key}/vars/{number}")).unwrap().unwrap();
            let values = array.read_numbers(100, |x| x as f32).unwrap();
            let array = Member::Floats { shape: array.shape().to_vec(), values };
            vars.members.insert(number.to_string(), array);
        }
        layers.members.insert(key.to_string(), group("vars", Member::Group(vars)));
    }
    let mut vars = Group::default();
    for (number, variable) in variables.into_iter().enumerate() {
        vars.members.insert(number.to_string(), variable);
    }
    let mut root = Group::default();
    root.members.insert("layers".to_string(), Member::Group(layers));
    root.members.insert("optimizer".to_string(), group("vars", Member::Group(vars)));
    hdf5::write(&root).unwrap()
}

fn group(name: &str, member: Member) -> Member {
    let mut group = Group::default();
    group.members.insert(name.to_string(), member);
    Member::Group(group)
}

fn floats(shape: &[usize], value: f32) -> Member {
    Member::Floats { shape: shape.to_vec(), values: vec![value; shape.iter().product()] }
}

/// Shapes of the parameters of [`small`].
const SHAPES: [&[usize]; 4] = [&[3, 2], &[2], &[2, 1], &[1]];

fn momenta() -> Vec<Member> {
    SHAPES.iter().map(|shape| floats(shape, 0.5)).collect()
}

#[test]
fn damaged_state_is_a_warning_and_the_weights_are_read() {
    let rule = || Sgd { momentum: 0.9, ..Sgd::new(0.05) };
    let model = small(rule());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.weights.h5");
    let scalars = || vec![Member::Integer(7), floats(&[], 0.25)];
    let load = |variables: Vec<Member>| {
        fs::write(&path, with_state(&model, variables)).unwrap();
        let mut other = blank(small(rule()));
        let warnings = formats::load_weights(&mut other, &path).unwrap().warnings;
        for ((name, found), (_, wanted)) in other.weights().zip(model.weights()) {
            assert_eq!(found.mapv(|x| x as f32), wanted.mapv(|x| x as f32), "{name}");
        }
        (other, warnings)
    };
    // Sound state, with and without a learning rate, to begin with.
    for n_scalars in [1, 2] {
        let variables = scalars().into_iter().take(n_scalars).chain(momenta()).collect();
        let (other, warnings) = load(variables);
        assert_eq!(warnings, [""; 0]);
        assert_eq!(state(&other).iteration, 7);
        assert_eq!(state(&other).learning_rate, if n_scalars == 2 { 0.25 } else { 0.05 });
        assert!(slots(&other).iter().all(|x| *x == 0.5));
    }
    let spoiled = |change: &dyn Fn(&mut Vec<Member>)| {
        let mut variables: Vec<Member> = scalars().into_iter().chain(momenta()).collect();
        change(&mut variables);
        variables
    };
    let damaged: [(&str, Vec<Member>); 9] = [
        ("3 optimizer arrays", spoiled(&|all| drop(all.pop()))),
        ("5 optimizer arrays", spoiled(&|all| all.push(floats(&[2, 1], 0.0)))),
        ("shape (2, 3)", spoiled(&|all| all[2] = floats(&[2, 3], 0.0))),
        ("3 optimizer arrays", spoiled(&|all| all[5] = Member::Integer(1))),
        ("0 optimizer arrays", scalars()),
        ("steps", spoiled(&|all| all[0] = floats(&[], 1e30))),
        ("learning rate", spoiled(&|all| all[1] = floats(&[], f32::NAN))),
        ("learning rate", spoiled(&|all| all[1] = floats(&[], -1.0))),
        ("group", spoiled(&|all| all[3] = Member::Group(Group::default()))),
    ];
    for (word, variables) in damaged {
        let (other, warnings) = load(variables);
        assert_eq!(warnings.len(), 1, "{word}: {warnings:?}");
        assert!(warnings[0].contains("is reset") && warnings[0].contains(word), "{warnings:?}");
        assert_eq!(state(&other).iteration, 0, "{word}");
        assert!(slots(&other).iter().all(|x| *x == 0.0), "{word}");
    }
    // State of another optimizer.
    let mut adam = small(Adam::new(0.05));
    fs::write(&path, with_state(&model, scalars().into_iter().chain(momenta()).collect())).unwrap();
    let warnings = formats::load_weights(&mut adam, &path).unwrap().warnings;
    assert!(warnings[0].contains("4 optimizer arrays, and Adam needs 8"), "{warnings:?}");
}

#[test]
fn nadam_keeps_its_product_as_keras_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.weights.h5");
    let mut model = small(Nadam::new(0.05));
    let data = fixtures("tf_keras").join("data.npz");
    train(&mut model, &data, 4);
    formats::save(&model, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let file = hdf5::open(&bytes).unwrap();
    let product = file.dataset("optimizer/vars/10").unwrap().unwrap();
    assert!(file.dataset("optimizer/vars/11").unwrap().is_none());
    // Keras 3.15.1's value after three steps with β₁ = 0.9.
    let found = product.read_numbers(1, |x| x).unwrap();
    let expected: f64 = (1..=3).map(|t| 0.9 * (1.0 - 0.5 * 0.96_f64.powi(t))).product();
    assert_close("u_product", found, &[expected], 1e-7);
    let mut back = small(Nadam::new(0.05));
    assert_eq!(formats::load_weights(&mut back, &path).unwrap().warnings, [""; 0]);
    assert_close("slots", slots(&back), &slots(&model), 1e-7);
    // A product that does not belong to the steps is reported.
    let variables = [Member::Integer(3), floats(&[], 0.05)].into_iter();
    let pairs = SHAPES.iter().flat_map(|shape| [floats(shape, 0.5), floats(shape, 0.25)]);
    let variables = variables.chain(pairs).chain([floats(&[], 0.9)]).collect();
    fs::write(&path, with_state(&model, variables)).unwrap();
    let warnings = formats::load_weights(&mut back, &path).unwrap().warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("u_product"), "{warnings:?}");
    assert_eq!(state(&back).slots[1][0], 0.25);
}

#[test]
fn a_whole_archive_of_windows_is_loaded() {
    let folder = fixtures("tf_keras");
    let Loaded { model, warnings, .. } = formats::load(&folder.join("windows.keras")).unwrap();
    assert_eq!(warnings, [""; 0]);
    let posix = formats::load(&folder.join("adam.keras")).unwrap().model;
    assert_eq!(model.fingerprint(), posix.fingerprint());
    assert_eq!(slots(&model), slots(&posix));
}

/// The kernel of Keras 1's 1-D convolutions has an axis of columns.
#[test]
fn kernels_of_one_dimension_are_read_from_four_axes() {
    let mut model =
        Sequential::builder([5, 2]).add(tallynet::layers::Conv1D::new(4, 3)).build(0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.weights.h5");
    let kernel: Vec<f32> = (0..24).map(|x| x as f32).collect();
    let write = |shape: &[usize]| {
        let mut vars = Group::default();
        let values = kernel.clone();
        vars.members.insert("0".into(), Member::Floats { shape: shape.to_vec(), values });
        vars.members.insert("1".into(), floats(&[4], 0.5));
        let layers = group("conv1d", group("vars", Member::Group(vars)));
        let mut root = Group::default();
        root.members.insert("layers".into(), layers);
        fs::write(&path, hdf5::write(&root).unwrap()).unwrap();
    };
    write(&[3, 1, 2, 4]);
    formats::load_weights(&mut model, &path).unwrap();
    let read: Vec<f32> = model.weights().next().unwrap().1.iter().map(|&x| x as f32).collect();
    assert_eq!(read, kernel);
    write(&[3, 2, 1, 4]);
    let error = formats::load_weights(&mut model, &path).unwrap_err().to_string();
    assert!(error.contains("(3, 2, 1, 4)"), "{error}");
}
