//! Reads any bytes as a Python script, and as a notebook with one cell.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tallynet::formats::from_description;
use tallynet::script::{DataInfo, Settings, read_bytes};

fuzz_target!(|bytes: &[u8]| {
    let data = Some(DataInfo { sample: vec![4, 4], classes: Some(3) });
    let settings = Settings { data, ..Settings::default() };
    for name in ["script.py", "script.ipynb"] {
        let Ok(script) = read_bytes(Path::new(name), bytes, &settings) else { continue };
        if script.description.to_string().len() < 10_000 {
            let _ = from_description(&script.description);
        }
    }
});
