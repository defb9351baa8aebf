//! Any bytes as a table in text, read to train on and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tallynet::datasets::table::{TableOptions, encode_from, learn_from};

fuzz_target!(|bytes: &[u8]| {
    let options = TableOptions { targets: vec!["1".into()], ..TableOptions::default() };
    if let Ok(table) = learn_from(bytes, &options) {
        let _ = encode_from(bytes, &table.description);
    }
});
