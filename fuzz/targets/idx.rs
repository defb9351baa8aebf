//! Any bytes as an IDX file and as a file of CIFAR.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tallynet::datasets::{cifar, idx};

fuzz_target!(|bytes: &[u8]| {
    let _ = idx::decode(bytes);
    let _ = cifar::decode(bytes, 10);
    let _ = cifar::decode(bytes, 100);
});
