//! A `.keras` archive whose checksums are right: the bytes up to the first signature of HDF5 are
//! its configuration, the rest are its weights. Start from such files: `cat config.json
//! model.weights.h5`.
#![no_main]

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use tallynet::formats::decode;
use tallynet::hdf5::SIGNATURE;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fuzz_target!(|bytes: &[u8]| {
    let signature = bytes.windows(SIGNATURE.len()).position(|window| window == SIGNATURE);
    let (config, weights) = bytes.split_at(signature.unwrap_or(bytes.len()));
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in [("config.json", config), ("model.weights.h5", weights)] {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    let _ = decode(&archive.finish().unwrap().into_inner());
});
