//! Files that are wrong by accident or on purpose: an error, a warning or other numbers, never a panic.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use proptest::prelude::*;
use serde_json::json;
use tallynet::formats::{self, decode};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A model of Keras, and the same as each of the forms that tallynet writes.
fn samples() -> Vec<Vec<u8>> {
    let path = root().join("tests/keras/fixtures/2.keras");
    let model = formats::load(&path).unwrap().model;
    let folder = tempfile::tempdir().unwrap();
    let saved = |name: &str| {
        let path = folder.path().join(name);
        formats::save(&model, &path).unwrap();
        fs::read(path).unwrap()
    };
    vec![fs::read(path).unwrap(), saved("model.keras"), saved("model.safetensors"), saved("model.json"), legacy()]
}

fn unpacked(name: &str) -> Vec<u8> {
    let mut bytes = vec![];
    let packed = fs::read(root().join(format!("tests/fixtures/hdf5/{name}.gz"))).unwrap();
    flate2::read::GzDecoder::new(&*packed).read_to_end(&mut bytes).unwrap();
    bytes
}

fn legacy() -> Vec<u8> {
    unpacked("keras-legacy.h5")
}

fn members(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut all = vec![];
    for i in 0..archive.len() {
        let mut member = archive.by_index(i).unwrap();
        let mut bytes = vec![];
        member.read_to_end(&mut bytes).unwrap();
        all.push((member.name().to_string(), bytes));
    }
    all
}

fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn error(bytes: &[u8]) -> String {
    decode(bytes).unwrap_err().to_string()
}

#[test]
fn a_file_that_was_cut_is_an_error() {
    for bytes in samples() {
        decode(&bytes).unwrap();
        for length in (0..bytes.len()).filter(|length| length % 97 == 0 || length + 40 > bytes.len() || *length < 200) {
            assert!(decode(&bytes[..length]).is_err(), "cut to {length} of {}", bytes.len());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// Any answer will do, except none.
    #[test]
    fn wrong_bytes_do_no_harm(
        bytes in prop::sample::select(samples()),
        wrong in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        in_member in any::<bool>(),
    ) {
        let spoil = |bytes: &mut Vec<u8>| wrong.iter().for_each(|(place, byte)| {
            let place = place.index(bytes.len());
            bytes[place] = *byte;
        });
        let mut bytes = bytes;
        if in_member && bytes.starts_with(b"PK") {
            // Behind a checksum that is right.
            let mut members = members(&bytes);
            members.iter_mut().for_each(|(_, bytes)| spoil(bytes));
            bytes = archive(&members);
        } else {
            spoil(&mut bytes);
        }
        let _ = decode(&bytes);
    }
}

#[test]
fn members_in_any_order_and_packed_are_read() {
    let original = fs::read(root().join("tests/keras/fixtures/2.keras")).unwrap();
    let mut members = members(&original);
    members.reverse();
    members.insert(0, ("../../evil".to_string(), vec![1; 10]));
    let repacked = decode(&archive(&members)).unwrap().model;
    assert_eq!(repacked.fingerprint(), decode(&original).unwrap().model.fingerprint());
    // Without metadata, which Keras does not read either.
    members.retain(|(name, _)| name != "metadata.json");
    decode(&archive(&members)).unwrap();
    for (name, _) in &mut members {
        name.insert_str(0, "../");
    }
    assert!(error(&archive(&members)).contains("config.json"));
}

#[test]
fn bombs_and_giants_are_refused() {
    let original = fs::read(root().join("tests/keras/fixtures/2.keras")).unwrap();
    let with = |name: &str, bytes: Vec<u8>| {
        let mut members = members(&original);
        members.iter_mut().filter(|(member, _)| member == name).for_each(|(_, old)| *old = bytes.clone());
        archive(&members)
    };
    for name in ["config.json", "model.weights.h5"] {
        assert!(error(&with(name, vec![b' '; 50 << 20])).contains("64 times"), "{name}");
    }
    let giant = |units: u64| {
        json!({ "class_name": "Sequential", "config": { "name": "m", "layers": [
            { "class_name": "InputLayer", "config": { "batch_shape": [null, 1000] } },
            { "class_name": "Dense", "config": { "units": units } }]}})
    };
    for units in [1 << 40, u64::MAX, 10_000_000] {
        let bytes = giant(units).to_string().into_bytes();
        assert!(decode(&bytes).is_err());
        assert!(error(&with("config.json", bytes)).contains("parameters"), "{units}");
    }
    assert!(decode("{\"a\":".repeat(100_000).as_bytes()).is_err());
    let nested = format!("{{\"class_name\":\"Sequential\",\"config\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(decode(nested.as_bytes()).is_err());
}

#[test]
fn links_and_loops_in_weights_are_refused() {
    let dense = json!({ "class_name": "Sequential", "config": { "name": "m", "layers": [
        { "class_name": "InputLayer", "config": { "batch_shape": [null, 4] } },
        { "class_name": "Dense", "config": { "name": "d", "units": 3 } }]}});
    let folder = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("soft", "is a soft link; only objects in the file itself are read"),
        ("external", "is an external link; only objects in the file itself are read"),
        ("cyclic", "expected a dataset, found a group or type"),
    ] {
        let mut model = decode(dense.to_string().as_bytes()).unwrap().model;
        let path = folder.path().join(name);
        fs::write(&path, unpacked(&format!("{name}.weights.h5"))).unwrap();
        let error = formats::load_weights(&mut model, &path).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut model = decode(dense.to_string().as_bytes()).unwrap().model;
    let path = folder.path().join("hard");
    fs::write(&path, unpacked("hard.weights.h5")).unwrap();
    formats::load_weights(&mut model, &path).unwrap();
    assert_eq!(model.weights().next().unwrap().1[[3, 2]], 11.0 / 8.0);
}
