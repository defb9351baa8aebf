//! Any bytes as a data set in Keras's form, `.npz`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tallynet::datasets::npz;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.npz");
    std::fs::write(&path, bytes).unwrap();
    let _ = npz::load(&path);
});
