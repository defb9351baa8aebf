//! Any bytes as a model: a `.keras` archive, an HDF5 file, a description in JSON, or safetensors,
//! by their first bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = tallynet::formats::decode(bytes);
});
