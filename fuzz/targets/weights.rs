//! Any bytes as the weights of a model: `.weights.h5`, `.npz`, or a whole model.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tallynet::layers::{BatchNormalization, Dense};
use tallynet::{formats, model::Sequential};

fuzz_target!(|bytes: &[u8]| {
    let layers = Sequential::builder([4]).add(Dense::new(3)).add(BatchNormalization::default());
    let mut model = layers.build(0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    let _ = formats::load_weights(&mut model, &path);
});
