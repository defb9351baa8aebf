//! Weights and optimizer state of nested models, as each Keras laid them out:
//! `tests/keras/nested.py` writes the files. And weights that another file holds.

use std::path::{Path, PathBuf};

use ndarray::ArrayViewD;
use tallynet::Real;
use tallynet::formats::{self, Loaded};
use tallynet::model::Sequential;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn load(name: &str) -> Loaded {
    let loaded = formats::load(&fixtures().join("nested").join(name)).unwrap();
    let wanted = [""; 0];
    assert_eq!(loaded.warnings, wanted, "{name}");
    loaded.model.verify_arrays(loaded.arrays.as_ref().unwrap()).unwrap();
    loaded
}

/// The state of the optimizer, all slots one after the other.
fn state(model: &Sequential) -> Vec<Real> {
    let state = model.compiled().unwrap().state();
    let mut numbers = vec![state.iteration as Real];
    numbers.extend(state.slots.iter().flatten());
    numbers
}

/// The model with weights of 0 and without optimizer state.
fn blank(mut model: Sequential) -> Sequential {
    let zeros = |(name, array): (String, ArrayViewD<Real>)| (name, array.mapv(|_| 0.0));
    let weights: Vec<_> = model.weights().map(zeros).collect();
    for (name, array) in weights {
        model.set_weight(&name, &array).unwrap();
    }
    let compiled = model.compiled().unwrap();
    let (rule, loss) = (compiled.optimizer().unwrap().clone(), compiled.loss().clone());
    model.compile_with(Some(rule), loss, vec![]).unwrap();
    model
}

fn assert_same(name: &str, found: &Sequential, wanted: &Sequential) {
    assert_eq!(found.fingerprint(), wanted.fingerprint(), "{name}");
    assert!(state(wanted)[1..].iter().any(|x| *x != 0.0));
    assert_eq!(state(found), state(wanted), "{name}");
}

#[test]
fn all_layouts_hold_the_same_weights_and_state() {
    let wanted = load("two.keras").model;
    for name in ["two.h5", "windows.keras", "doubled.keras"] {
        assert_same(name, &load(name).model, &wanted);
    }
}

#[test]
fn kernels_of_theano_are_flipped_within_models_too() {
    let loaded = load("theano.h5");
    assert_eq!(loaded.origin.to_string(), "Keras 2.2.4 on Theano");
    assert_same("theano.h5", &loaded.model, &load("conv.keras").model);
}

#[test]
fn weights_are_loaded_from_files_of_models_within_models() {
    let wanted = load("two.keras");
    let folder = fixtures().join("nested");
    for name in ["two.keras", "two.h5", "windows.keras", "doubled.keras"] {
        let mut model = blank(load("two.h5").model);
        assert_ne!(model.fingerprint(), wanted.model.fingerprint());
        let loaded = formats::load_weights(&mut model, &folder.join(name)).unwrap();
        assert_eq!(loaded.warnings, [""; 0], "{name}");
        assert_same(name, &model, &wanted.model);
    }
    // A file of weights alone does not say how the models are nested; the model's own file does.
    let path = folder.join("two.weights.h5");
    let mut model = blank(load("two.h5").model);
    formats::load_weights(&mut model, &path).unwrap_err();
    formats::load_weights_at(&mut model, &path, &wanted.layer_paths).unwrap();
    assert_same("two.weights.h5", &model, &wanted.model);
    // The chain that was read, saved as a chain.
    let folder = tempfile::tempdir().unwrap();
    for name in ["chain.keras", "chain.weights.h5", "chain.npz", "chain.safetensors"] {
        let path = folder.path().join(name);
        formats::save(&wanted.model, &path).unwrap();
        let mut model = blank(load("two.h5").model);
        formats::load_weights_at(&mut model, &path, &Default::default()).unwrap();
        assert_eq!(model.fingerprint(), wanted.model.fingerprint(), "{name}");
    }
}

#[test]
fn weights_that_do_not_fit_are_refused() {
    let folder = fixtures().join("nested");
    for name in ["conv.keras", "theano.h5"] {
        let mut model = load("two.keras").model;
        let error = formats::load_weights(&mut model, &folder.join(name)).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[test]
fn weights_are_loaded_from_a_model_of_tensorflow_js() {
    let path = fixtures().join("tfjs/plain/model.json");
    let wanted = formats::load(&path).unwrap().model;
    let mut model = wanted.rebuilt(wanted.input_shape(), 1).unwrap();
    assert_ne!(model.fingerprint(), wanted.fingerprint());
    formats::load_weights(&mut model, &path).unwrap();
    assert_eq!(model.fingerprint(), wanted.fingerprint());
    let error = formats::load_weights(&mut load("two.keras").model, &path).unwrap_err().to_string();
    assert!(error.contains("not in the manifest"), "{error}");
}
