//! Files that are wrong by accident or on purpose: an error, a warning or other numbers, never a
//! panic.

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tallynet::datasets::npz;
use tallynet::formats::{self, Loaded, decode};
use tallynet::training::FitOptions;
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
    vec![
        fs::read(path).unwrap(),
        saved("model.keras"),
        saved("model.safetensors"),
        saved("model.json"),
        legacy(),
    ]
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
        for length in (0..bytes.len())
            .filter(|length| length % 97 == 0 || length + 40 > bytes.len() || *length < 200)
        {
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
        members
            .iter_mut()
            .filter(|(member, _)| member == name)
            .for_each(|(_, old)| *old = bytes.clone());
        archive(&members)
    };
    for name in ["config.json", "model.weights.h5"] {
        assert!(error(&with(name, vec![b' '; 50 << 20])).contains("eight times"), "{name}");
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
    let nested = format!(
        "{{\"class_name\":\"Sequential\",\"config\":{}1{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    assert!(decode(nested.as_bytes()).is_err());
}

/// Every number of a configuration in turn, replaced by each of a few bad ones.
fn misconfigured(config: &Value) -> Vec<Value> {
    fn walk(value: &Value, place: &str, found: &mut Vec<String>) {
        match value {
            Value::Number(_) => found.push(place.to_string()),
            Value::Array(values) => {
                values.iter().enumerate().for_each(|(i, v)| walk(v, &format!("{place}/{i}"), found))
            }
            Value::Object(values) => {
                values.iter().for_each(|(key, v)| walk(v, &format!("{place}/{key}"), found))
            }
            _ => (),
        }
    }
    let mut places = vec![];
    walk(config, "", &mut places);
    let bad = [
        json!(-1),
        json!(0),
        json!(1u64 << 53),
        json!(3e38),
        json!(1e300),
        json!(1e-300),
        json!(-0.5),
        json!("x"),
    ];
    let spoiled = |(place, bad): (&String, &Value)| {
        let mut config = config.clone();
        *config.pointer_mut(place).unwrap() = bad.clone();
        config
    };
    places.iter().flat_map(|place| bad.iter().map(move |bad| (place, bad))).map(spoiled).collect()
}

#[test]
fn numbers_that_make_no_sense_do_no_harm() {
    let mut trained = 0;
    for entry in fs::read_dir(root().join("tests/keras/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() != "keras" {
            continue;
        }
        let data = npz::load(&path.with_extension("npz")).unwrap();
        let members = members(&fs::read(path).unwrap());
        let config = &members.iter().find(|(name, _)| name == "config.json").unwrap().1;
        for config in misconfigured(&serde_json::from_slice(config).unwrap()) {
            let bytes = config.to_string().into_bytes();
            let _ = decode(&bytes);
            let with = members.iter().map(|(name, old)| match name.as_str() {
                "config.json" => (name.clone(), bytes.clone()),
                _ => (name.clone(), old.clone()),
            });
            if let Ok(Loaded { mut model, .. }) = decode(&archive(&with.collect::<Vec<_>>())) {
                let _ = model.evaluate(&data.test);
                trained +=
                    usize::from(model.fit(&data.train, FitOptions::default(), &mut []).is_ok());
            }
        }
    }
    assert!(trained > 100, "{trained}");
}

#[test]
fn distributions_beyond_the_numbers_of_a_weight_are_refused() {
    for (class, config) in [
        ("RandomNormal", json!({ "mean": 0.0, "stddev": 1e39 })),
        ("TruncatedNormal", json!({ "mean": 1e300, "stddev": 1.0 })),
        ("RandomUniform", json!({ "minval": -1e300, "maxval": 1e300 })),
        ("RandomUniform", json!({ "minval": -1.7e38, "maxval": 1.7e38 })),
        ("RandomUniform", json!({ "minval": 1e300, "maxval": 1e300 })),
        ("Orthogonal", json!({ "gain": 1e39 })),
        ("Constant", json!({ "value": 1e39 })),
    ] {
        let model = json!({ "class_name": "Sequential", "config": { "name": "m", "layers": [
            { "class_name": "InputLayer", "config": { "batch_shape": [null, 4] } },
            { "class_name": "Dense", "config": { "name": "d", "units": 3,
                "kernel_initializer": { "class_name": class, "config": config } } }]}});
        let loaded = decode(model.to_string().as_bytes());
        // In double precision they are numbers like any other.
        assert_eq!(loaded.is_ok(), size_of::<tallynet::Real>() == 8, "{class}");
    }
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
