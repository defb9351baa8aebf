//! Data from outside: MNIST's four files and `.npz` archives, sound and damaged in every way that
//! was thought of. Each error must say what was found and what to do, and nothing may panic.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, iter};

use flate2::{Compression, write::GzEncoder};
use ndarray::{Array1, Array2, Array3, ArrayD, IxDyn, ShapeBuilder, arr0, arr1, array};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use tallynet::Real;
use tallynet::datasets::{self, Dataset, Inputs, Targets, TrainTest};
use tempfile::TempDir;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const FILES: [(&str, &[u32]); 4] = [
    ("train-images-idx3-ubyte", &[60_000, 28, 28]),
    ("train-labels-idx1-ubyte", &[60_000]),
    ("t10k-images-idx3-ubyte", &[10_000, 28, 28]),
    ("t10k-labels-idx1-ubyte", &[10_000]),
];
const TRAIN_LABELS: &str = FILES[1].0;
const HTML: &[u8] = b"\n<!DOCTYPE html><html><body>403 Forbidden</body></html>";

// ----------------------------------------------------------------------------------------------------------
// helpers

fn header(shape: &[u32]) -> Vec<u8> {
    let magic = 0x0800 + shape.len() as u32;
    iter::once(&magic).chain(shape).flat_map(|number| number.to_be_bytes()).collect()
}

/// A file of MNIST's form with `labels` after its header.
fn label_file(labels: impl IntoIterator<Item = u8>) -> Vec<u8> {
    header(&[60_000]).into_iter().chain(labels).collect()
}

fn sound_labels() -> Vec<u8> {
    label_file((0..60_000).map(|row| (row % 10) as u8))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A folder with a sound set whose images and labels are all 0. Its large files are sparse, so it
/// costs no time.
fn zeros() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, shape) in FILES {
        let mut file = File::create(folder.path().join(name)).unwrap();
        file.write_all(&header(shape)).unwrap();
        file.set_len(
            4 + 4 * shape.len() as u64 + shape.iter().map(|&size| u64::from(size)).product::<u64>(),
        )
        .unwrap();
    }
    folder
}

/// Such a folder where the training labels are these bytes, raw or compressed.
fn zeros_with(raw: Option<&[u8]>, compressed: Option<&[u8]>) -> TempDir {
    let folder = zeros();
    fs::remove_file(folder.path().join(TRAIN_LABELS)).unwrap();
    for (bytes, suffix) in [(raw, ""), (compressed, ".gz")] {
        if let Some(bytes) = bytes {
            fs::write(folder.path().join(format!("{TRAIN_LABELS}{suffix}")), bytes).unwrap();
        }
    }
    folder
}

#[track_caller]
fn fails(path: &Path, words: &[&str]) {
    let error = datasets::load(path).expect_err("this must not load").to_string();
    for word in words {
        assert!(error.contains(word), "{word:?} is not in: {error}");
    }
    assert!(error.lines().count() > 1 || error.starts_with("cannot "), "no remedy in: {error}");
}

fn labels(targets: &Targets) -> &ArrayD<u32> {
    match targets {
        Targets::Labels(labels) => labels,
        Targets::Reals(_) => panic!("these are no labels"),
    }
}

fn bytes(inputs: &Inputs) -> &ArrayD<u8> {
    match inputs {
        Inputs::Bytes { values, scale: 1.0 } => values,
        _ => panic!("these are no bytes as they are"),
    }
}

fn reals(set: &TrainTest) -> (&ArrayD<Real>, &ArrayD<Real>) {
    match (&set.train.x, &set.train.y) {
        (Inputs::Reals(x), Targets::Reals(y)) => (x, y),
        _ => panic!("these are no reals"),
    }
}

// ------------------------------------------------------------------------------------------------------------
// MNIST

#[test]
fn mnist_loads_and_is_decompressed_once() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
    let written = || {
        FILES.map(|(name, _)| fs::metadata(folder.join(name)).and_then(|file| file.modified()).ok())
    };
    let before = written();
    let set = datasets::load(&folder).unwrap();
    for (before, after) in before.iter().zip(written()) {
        assert!(after.is_some() && (before.is_none() || *before == after));
    }

    assert_eq!(bytes(&set.train.x).shape(), [60_000, 28, 28]);
    assert_eq!(bytes(&set.test.x).shape(), [10_000, 28, 28]);
    let sum = |inputs| bytes(inputs).iter().map(|&byte| u64::from(byte)).sum::<u64>();
    assert_eq!((sum(&set.train.x), sum(&set.test.x)), (1_567_298_545, 264_923_200));
    let (train, test) = (labels(&set.train.y), labels(&set.test.y));
    assert_eq!((train.shape(), test.shape()), (&[60_000][..], &[10_000][..]));
    assert_eq!((train[0], test[0], train.sum(), test.sum()), (5, 7, 267_236, 44_434));
}

#[test]
fn raw_and_compressed_files_mix_and_decompressing_leaves_only_the_file() {
    let folder = zeros_with(None, Some(&gzip(&sound_labels())));
    let load = || datasets::load(folder.path()).unwrap();
    assert_eq!(labels(&load().train.y).sum(), 270_000);
    let decompressed = folder.path().join(TRAIN_LABELS);
    assert_eq!(fs::read(&decompressed).unwrap(), sound_labels());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
    let written = fs::metadata(&decompressed).unwrap().modified().unwrap();
    assert_eq!(bytes(&load().test.x).sum(), 0);
    assert_eq!(fs::metadata(&decompressed).unwrap().modified().unwrap(), written);
}

#[test]
fn a_sound_raw_file_wins() {
    let folder = zeros_with(Some(&sound_labels()), Some(HTML));
    assert_eq!(labels(&datasets::load(folder.path()).unwrap().train.y)[9], 9);
}

#[test]
fn several_gzip_members_in_a_row_are_one_file() {
    let all = sound_labels();
    let compressed = [gzip(&all[..5_000]), gzip(&all[5_000..])].concat();
    assert_eq!(
        labels(&datasets::load(zeros_with(None, Some(&compressed)).path()).unwrap().train.y)[9],
        9
    );
}

#[test]
fn missing_files_are_all_named() {
    let folder = zeros();
    fs::remove_file(folder.path().join(FILES[0].0)).unwrap();
    fs::remove_file(folder.path().join(FILES[3].0)).unwrap();
    let words = [
        "train-images-idx3-ubyte or train-images-idx3-ubyte.gz",
        "t10k-labels-idx1-ubyte.gz",
        "download",
    ];
    fails(folder.path(), &words);
    fails(folder.path(), &["it holds t10k-images-idx3-ubyte, train-labels-idx1-ubyte"]);
    fails(&folder.path().join("nowhere"), &["cannot load", "nowhere"]);
}

#[test]
fn damaged_raw_files() {
    let truncated = &sound_labels()[..50_000];
    let long = label_file(iter::repeat_n(1, 60_001));
    let images = [header(&[60_000, 28, 28]), vec![0; 100]].concat();
    let few = [header(&[10_000]), vec![0; 10_000]].concat();
    let cases: [(&[u8], &[&str]); 10] = [
        (truncated, &["truncated: 50000 bytes of 60008", "download it again"]),
        (&truncated[..6], &["truncated: 6 bytes of 60008"]),
        (&long, &["too long: 60009 bytes, where 60008 are expected"]),
        (&images, &["a label file is expected here, but this is an image file"]),
        (&few, &["its header says [10000], where [60000] is expected", ".npz"]),
        (HTML, &["this is a web page (HTML)", "use its download link"]),
        (b"", &["this is an empty file"]),
        (&gzip(&sound_labels()[..50]), &["truncated: 50 bytes of 60008"]),
        (b"PK\x03\x04", &["this is a zip archive"]),
        (b"abc", &["begins with the bytes [61, 62, 63]"]),
    ];
    for (content, words) in cases {
        let folder = zeros_with(Some(content), None);
        fails(folder.path(), &[words, &[TRAIN_LABELS]].concat());
    }
}

#[test]
fn images_are_checked_like_labels() {
    let folder = zeros();
    let images = folder.path().join(FILES[0].0);
    File::options().write(true).open(&images).unwrap().set_len(47_040_015).unwrap();
    fails(folder.path(), &["truncated: 47040015 bytes of 47040016"]);
    fs::write(&images, [header(&[60_000, 32, 32]), vec![0; 99]].concat()).unwrap();
    fails(folder.path(), &["says [60000, 32, 32], where [60000, 28, 28] is expected"]);
    fs::write(&images, sound_labels()).unwrap();
    fails(folder.path(), &["an image file is expected here, but this is a label file"]);
    fs::remove_file(&images).unwrap();
    fs::create_dir(&images).unwrap();
    fails(folder.path(), &["these files are missing", FILES[0].0, "it holds", "ubyte/"]);
}

#[test]
fn damaged_compressed_files() {
    let sound = gzip(&sound_labels());
    let mut flipped = sound.clone();
    let checksum = flipped.len() - 8;
    flipped[checksum] ^= 1;
    let bomb = gzip(&vec![0; 3_000_000]);
    let cases: [(&[u8], &[&str]); 8] = [
        (&sound[..sound.len() / 2], &["the gzip file is damaged or cut off", "download it again"]),
        (&sound[..12], &["the gzip file is damaged or cut off"]),
        (&flipped, &["the gzip file is damaged or cut off"]),
        (&bomb, &["too long: it decompresses to more than 60008 bytes"]),
        (&gzip(&sound_labels()[..50]), &["truncated: 50 bytes of 60008"]),
        (&gzip(HTML), &["a label file is expected here, but this is a web page (HTML)"]),
        (HTML, &["a label file is expected here, but this is a web page (HTML)"]),
        (b"", &["a label file is expected here, but this is an empty file"]),
    ];
    for (content, words) in cases {
        let folder = zeros_with(None, Some(content));
        fails(folder.path(), &[words, &[TRAIN_LABELS, ".gz"]].concat());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            4,
            "a failed attempt leaves nothing behind"
        );
    }
}

#[test]
fn a_damaged_raw_file_beside_a_compressed_one() {
    let folder = zeros_with(Some(&sound_labels()[..99]), Some(&gzip(&sound_labels())));
    fails(
        folder.path(),
        &["truncated: 99 bytes", "delete it", "train-labels-idx1-ubyte.gz beside it is intact"],
    );
    let folder = zeros_with(Some(&sound_labels()[..99]), Some(HTML));
    fails(folder.path(), &["truncated: 99 bytes", "download it again"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_path_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt;
    let folder = zeros();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
    fs::create_dir(&path).unwrap();
    for (name, _) in FILES {
        fs::rename(folder.path().join(name), path.join(name)).unwrap();
    }
    assert_eq!(datasets::load(&path).unwrap().test.x.shape()[0], 10_000);
}

#[test]
fn one_of_the_four_files_alone() {
    let folder = zeros();
    let words = ["MNIST's labels", "give the folder of its four files"];
    fails(&folder.path().join(TRAIN_LABELS), &words);
}

// -----------------------------------------------------------------------------------------
// processes of their own

/// What the tests below run in another process, for environment variables and rights belong to a
/// whole process.
#[test]
fn child() {
    match env::var("TALLYNET_TEST_JOB").as_deref() {
        Ok("find") => match datasets::find(None) {
            Ok(path) => println!("found {}.", path.display()),
            Err(error) => println!("{error}"),
        },
        Ok("load") => match datasets::load(Path::new("data")) {
            Ok(set) => println!("labels sum to {}", labels(&set.train.y).sum()),
            Err(error) => println!("{error}"),
        },
        _ => {}
    }
}

fn child_process(program: &Path, job: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--exact", "child", "--nocapture"])
        .current_dir(folder)
        .env("TALLYNET_TEST_JOB", job);
    for name in ["TALLYNET_DATA", "TALLYNET_CACHE", "XDG_CACHE_HOME"] {
        command.env_remove(name);
    }
    command
}

#[track_caller]
fn prints(command: &mut Command, words: &[&str]) {
    let output = String::from_utf8_lossy(&command.output().unwrap().stdout).into_owned();
    for word in words {
        assert!(output.contains(word), "{word:?} is not in: {output}");
    }
}

#[test]
fn where_the_data_are_found() {
    let program = env::current_exe().unwrap();
    let (empty, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let find = |folder: &TempDir| child_process(&program, "find", folder.path());
    prints(
        &mut find(&empty),
        &[&format!("found {}.", Path::new(env!("CARGO_MANIFEST_DIR")).join("data").display())],
    );
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(folder.path().join("data/mnist.npz"), "").unwrap();
    prints(&mut find(&folder), &["found data/mnist.npz."]);
    fs::write(folder.path().join("data/t10k-labels-idx1-ubyte.gz"), "").unwrap();
    prints(&mut find(&folder), &["found data."]);
    prints(
        find(&empty).env("TALLYNET_DATA", folder.path()),
        &[&format!("found {}.", folder.path().display())],
    );
    prints(
        find(&folder).env("TALLYNET_DATA", "nowhere"),
        &["cannot find the path in TALLYNET_DATA: nowhere"],
    );

    assert_eq!(datasets::find(Some(folder.path())).unwrap(), folder.path());
    assert!(
        datasets::find(Some(Path::new("no/such/place")))
            .unwrap_err()
            .to_string()
            .contains("no/such/place")
    );
}

/// Root may write anywhere, so the child runs as nobody, from a copy of this program that nobody
/// can reach.
#[cfg(unix)]
#[test]
fn where_no_file_can_be_created_the_cache_serves() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let root = tempfile::tempdir().unwrap();
    let allow =
        |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let (program, data, cache) =
        (root.path().join("program"), root.path().join("data"), root.path().join("cache"));
    fs::copy(env::current_exe().unwrap(), &program).unwrap();
    fs::rename(zeros_with(None, Some(&gzip(&sound_labels()))).keep(), &data).unwrap();
    fs::create_dir(&cache).unwrap();
    for (path, mode) in [(root.path(), 0o755), (&program, 0o755), (&data, 0o555), (&cache, 0o777)] {
        allow(path, mode);
    }
    let load = || {
        let mut command = child_process(&program, "load", root.path());
        command.env("HOME", root.path());
        if fs::metadata(root.path()).unwrap().uid() == 0 {
            command.uid(65_534).gid(65_534);
        }
        command
    };
    let cached = || -> Vec<PathBuf> {
        let folders = fs::read_dir(&cache).unwrap().map(|folder| folder.unwrap().path());
        folders
            .map(|folder| folder.join(TRAIN_LABELS))
            .inspect(|file| assert!(file.exists()))
            .collect()
    };

    prints(&mut load(), &["labels sum to 270000"]);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 4, "it is unpacked in memory");
    prints(load().env("TALLYNET_CACHE", &cache), &["labels sum to 270000"]);
    let first = cached();
    let written = fs::metadata(&first[0]).unwrap().modified().unwrap();
    prints(load().env("TALLYNET_CACHE", &cache), &["labels sum to 270000"]);
    assert_eq!(
        fs::metadata(&first[0]).unwrap().modified().unwrap(),
        written,
        "it is decompressed once"
    );

    // Another set does not mix with the first, and a damaged copy in the cache is replaced.
    fs::write(data.join(format!("{TRAIN_LABELS}.gz")), gzip(&label_file(vec![1; 60_000]))).unwrap();
    prints(load().env("TALLYNET_CACHE", &cache), &["labels sum to 60000"]);
    assert_eq!((first.len(), cached().len()), (1, 2));
    for file in cached() {
        fs::write(file, "").unwrap();
    }
    prints(load().env("TALLYNET_CACHE", &cache), &["labels sum to 60000"]);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 4, "the folder of the data is as it was");
    allow(&data, 0o755);
}

// --------------------------------------------------------------------------------------------------------------
// parts of a dataset

#[test]
fn rows_are_selected_and_split_in_order_and_never_out_of_range() {
    let x = ArrayD::from_shape_fn(IxDyn(&[5, 2]).f(), |at| (2 * at[0] + at[1]) as u8);
    let y = Targets::Labels(arr1(&[0, 1, 2, 3, 4]).into_dyn());
    let data = Dataset { x: Inputs::Bytes { values: x, scale: 1.0 }, y };
    let part = data.select(&[4, 0, 4]).unwrap();
    assert_eq!(*labels(&part.y), arr1(&[4, 0, 4]).into_dyn());
    assert_eq!(*bytes(&part.x), array![[8, 9], [0, 1], [8, 9]].into_dyn());
    assert!(bytes(&part.x).is_standard_layout());
    let (first, last) = data.split(0.3).unwrap();
    assert_eq!(*labels(&first.y), arr1(&[0, 1, 2]).into_dyn());
    assert_eq!(*labels(&last.y), arr1(&[3, 4]).into_dyn());
    let (all, none) = data.split_at(5).unwrap();
    assert_eq!((all.len(), none.is_empty()), (5, true));
    assert!(data.select(&[5]).unwrap_err().to_string().contains("row 5"));
    assert!(data.split_at(6).is_err());
    for fraction in [-0.1, 1.1, f64::NAN] {
        assert!(data.split(fraction).is_err());
    }
    let uneven = Dataset { y: Targets::Labels(arr1(&[0]).into_dyn()), ..data.clone() };
    assert!(uneven.split_at(1).unwrap_err().to_string().contains("5 inputs and 1 targets"));
    assert!(Inputs::Reals(arr0(1.0 as Real).into_dyn()).select(&[]).is_err());
}

// --------------------------------------------------------------------------------------------------------------
// npz

/// Writes an archive of these arrays, in this order.
fn archive(arrays: &[(&str, Vec<u8>)], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in arrays {
        zip.start_file(
            format!("{name}.npy"),
            SimpleFileOptions::default().compression_method(method),
        )
        .unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn npy(array: &impl WriteNpyExt) -> Vec<u8> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).unwrap();
    bytes
}

/// An array as bytes, with a header of one's own.
fn npy_with(header: &str, numbers: &[u8]) -> Vec<u8> {
    let length = (header.len() as u16 + 1).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), b"\n", numbers].concat()
}

/// The four arrays, with three rows to train on and one to test on.
fn arrays(x: Vec<u8>, y: Vec<u8>) -> Vec<(&'static str, Vec<u8>)> {
    let test = |name, array| (name, npy(&array));
    vec![
        ("x_train", x),
        ("y_train", y),
        test("x_test", array![[1_u8, 2]]),
        test("y_test", array![[0_u8]]),
    ]
}

fn some_x() -> Vec<u8> {
    npy(&array![[1_u8, 2], [3, 4], [5, 6]])
}

fn saved(content: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("set.NPZ");
    fs::write(&path, content).unwrap();
    (folder, path)
}

fn load(x: Vec<u8>, y: Vec<u8>) -> TrainTest {
    let (_folder, path) = saved(&archive(&arrays(x, y), CompressionMethod::Deflated));
    datasets::load(&path).unwrap()
}

#[track_caller]
fn npz_fails(x: Vec<u8>, y: Vec<u8>, words: &[&str]) {
    let (_folder, path) = saved(&archive(&arrays(x, y), CompressionMethod::Stored));
    fails(&path, &[words, &["set.NPZ", "numpy.savez_compressed"]].concat());
}

#[test]
fn npz_as_keras_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mnist.npz");
    let mut writer = NpzWriter::new(File::create(&path).unwrap());
    let images = Array3::from_shape_fn((7, 28, 28), |(row, y, x)| (row + y + x) as u8);
    writer.add_array("x_test", &images).unwrap();
    writer.add_array("x_train", &images.slice(ndarray::s![..5, .., ..])).unwrap();
    writer.add_array("y_train", &arr1(&[5_u8, 0, 4, 1, 9])).unwrap();
    writer.add_array("y_test", &Array1::<u8>::zeros(7)).unwrap();
    writer.finish().unwrap();
    let set = datasets::load(&path).unwrap();
    assert_eq!(*bytes(&set.test.x), images.into_dyn());
    assert_eq!(bytes(&set.train.x).shape(), [5, 28, 28]);
    assert_eq!(*labels(&set.train.y), arr1(&[5, 0, 4, 1, 9]).into_dyn());
    assert_eq!(labels(&set.test.y).shape(), [7]);
}

#[test]
fn every_type_of_number() {
    let int =
        |y: Vec<u8>| assert_eq!(*labels(&load(some_x(), y).train.y), arr1(&[1, 0, 1]).into_dyn());
    int(npy(&arr1(&[true, false, true])));
    int(npy(&arr1(&[1_u8, 0, 1])));
    int(npy(&arr1(&[1_i8, 0, 1])));
    int(npy(&arr1(&[1_u16, 0, 1])));
    int(npy(&arr1(&[1_i16, 0, 1])));
    int(npy(&arr1(&[1_u32, 0, 1])));
    int(npy(&arr1(&[1_i32, 0, 1])));
    int(npy(&arr1(&[1_u64, 0, 1])));
    int(npy(&arr1(&[1_i64, 0, 1])));
    let big_endian = [0, 1, 0, 0, 0, 1];
    int(npy_with("{'descr': '>i2', 'fortran_order': False, 'shape': (3,), }", &big_endian));

    let real = |x: Vec<u8>, y: Vec<u8>| {
        let set = load(x, y);
        assert_eq!(
            reals(&set),
            (&array![[1.0 as Real], [0.0], [1.0]].into_dyn(), &arr1(&[0.5, -1.0, 2.0]).into_dyn())
        );
    };
    let y = || npy(&arr1(&[0.5_f32, -1.0, 2.0]));
    real(npy(&array![[true], [false], [true]]), y());
    real(npy(&array![[1_i8], [0], [1]]), y());
    real(npy(&array![[1_u16], [0], [1]]), y());
    real(npy(&array![[1_i64], [0], [1]]), y());
    real(npy(&array![[1_f32], [0.0], [1.0]]), npy(&arr1(&[0.5_f64, -1.0, 2.0])));
    real(npy(&array![[1_f64], [0.0], [1.0]]), y());
}

#[test]
fn labels_of_any_rank_and_both_orders() {
    let one_hot = Array2::from_shape_fn((3, 4), |(row, class)| u8::from(row == class));
    let set = load(some_x(), npy(&one_hot));
    assert_eq!(*labels(&set.train.y), one_hot.mapv(u32::from).into_dyn());
    let rows =
        ArrayD::from_shape_fn(IxDyn(&[3, 2, 2]).f(), |at| (100 * at[0] + 10 * at[1] + at[2]) as u8);
    let set = load(npy(&rows), npy(&arr1(&[0_u8, 1, 2])));
    assert_eq!(*bytes(&set.train.x), rows);
    assert!(bytes(&set.train.x).is_standard_layout());
}

#[test]
fn a_set_that_compresses_well_loads() {
    let (x, y) = (Array2::<u8>::zeros((3, 3_000_000)), arr1(&[0_u8, 1, 2]));
    let content = archive(&arrays(npy(&x), npy(&y)), CompressionMethod::Deflated);
    assert!(content.len() < 20_000);
    let (_folder, path) = saved(&content);
    assert_eq!(bytes(&datasets::load(&path).unwrap().train.x).dim(), x.into_dyn().dim());
}

#[test]
fn npz_arrays_that_do_not_fit() {
    let y = || npy(&arr1(&[0_u8, 1, 2]));
    npz_fails(some_x(), npy(&arr1(&[0_u8, 1])), &["x_train has 3 rows and y_train has 2"]);
    npz_fails(
        some_x(),
        npy(&arr0(3_u8)),
        &["y_train: it is a single number, where rows are expected"],
    );
    npz_fails(
        npy(&Array2::<u8>::zeros((0, 2))),
        npy(&Array1::<u8>::zeros(0)),
        &["its shape [0] leaves it empty"],
    );
    npz_fails(
        npy(&Array2::<u8>::zeros((3, 0))),
        y(),
        &["x_train: its shape [3, 0] leaves it empty"],
    );
}

#[test]
fn integers_that_are_no_labels_are_numbers() {
    let numbers = |y: Vec<u8>| match load(some_x(), y).train.y {
        Targets::Reals(values) => values,
        Targets::Labels(labels) => panic!("{labels} are labels"),
    };
    assert_eq!(numbers(npy(&arr1(&[0_i8, 1, -1]))), arr1(&[0.0, 1.0, -1.0]).into_dyn());
    let columns = npy(&array![[0, 0, 0], [1, -7_i64, 1]].t());
    assert_eq!(numbers(columns), array![[0.0, 1.0], [0.0, -7.0], [0.0, 1.0]].into_dyn());
    let price = numbers(npy(&arr1(&[36_250_000_i64, 1 << 24, 1])));
    assert_eq!(price, arr1(&[36_250_000.0, 16_777_216.0, 1.0]).into_dyn());
    assert_eq!(numbers(npy(&arr1(&[u64::MAX, 0, 1])))[0], u64::MAX as Real);
}

#[test]
fn floats_of_16_bits() {
    let numbers = |descriptor: &str, bits: [u16; 8], big_endian: bool| {
        let bytes: Vec<u8> = bits
            .iter()
            .flat_map(|bits| if big_endian { bits.to_be_bytes() } else { bits.to_le_bytes() })
            .collect();
        let header =
            format!("{{'descr': '{descriptor}', 'fortran_order': False, 'shape': (8, 1), }}");
        let path = tempfile::Builder::new().suffix(".npy").tempfile().unwrap();
        fs::write(path.path(), npy_with(&header, &bytes)).unwrap();
        match datasets::npz::load_inputs(path.path()).unwrap() {
            Inputs::Reals(values) => values.into_raw_vec_and_offset().0,
            Inputs::Bytes { .. } => panic!("these are bytes"),
        }
    };
    // 1, -2, the largest, the smallest normal, the smallest subnormal, infinity, 1/3, 0.
    let halves = [0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x7c00, 0x3555, 0x8000];
    let (normal, subnormal, third): (f32, f32, f32) =
        (1.0 / 16384.0, 1.0 / 16777216.0, 1365.0 / 4096.0);
    let values = [1.0, -2.0, 65504.0, normal, subnormal, f32::INFINITY, third, 0.0];
    let values = values.map(Real::from).to_vec();
    assert_eq!(numbers("<f2", halves, false), values);
    assert_eq!(numbers(">f2", halves, true), values);
    let bfloats = [0x3f80, 0xc000, 0x7f7f, 0x0080, 0x0001, 0x7f80, 0x3eab, 0x8000];
    let found = numbers("|V2", bfloats, false);
    assert_eq!(found[..2], values[..2]);
    assert_eq!((found[5], found[7]), (Real::INFINITY, 0.0));
    assert_eq!(found[6], Real::from(f32::from_bits(0x3eab_0000)));
    assert!(numbers("<f2", [0x7e00; 8], false)[0].is_nan());
}

#[test]
fn npz_arrays_that_are_not_of_numbers() {
    let header = |descr: &str, shape: &str| {
        format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}")
    };
    let y = |header: &str, words: &[&str]| npz_fails(some_x(), npy_with(header, &[0; 6]), words);
    y(&header("'|O'", "(3,)"), &["the type '|O' is not supported", "Python objects are not"]);
    y(&header("'<U1'", "(3,)"), &["the type '<U1' is not supported"]);
    y(&header("'<V4'", "(3,)"), &["y_train: the type '<V4' is not supported", "floats are"]);
    y(&header("'<u1x'", "(3,)"), &["the type '<u1x' is not supported"]);
    y(&header("[('a', '<u2')]", "(3,)"), &["its header is too long or describes something else"]);
    y(&header("'<u2'", "(3, 18446744073709551615)"), &["does not agree with its"]);
    y(&header("'<u2'", "(3, 18446744073709551616)"), &["it is not a .npy array"]);
    y(
        &header("'<u2'", "(3, 100000000000)"),
        &["its shape [3, 100000000000] does not agree with its"],
    );
    y(&header("'<u2'", "(2,)"), &["x_train has 3 rows and y_train has 2"]);
    y(&header("'<u2'", "(-3,)"), &["something else"]);
    y("{'descr': '<u2'}", &["it is not a .npy array"]);
    y(&"(".repeat(4000), &["something else"]);
    y(&format!("{}1.5", "9".repeat(400) + "+"), &["something else"]);
    npz_fails(some_x(), Vec::new(), &["y_train: it is not a .npy array"]);
    npz_fails(
        some_x(),
        b"\x93NUMPY\x03\x00\xff\xff\xff\xff{".to_vec(),
        &["its header is too long"],
    );
    npz_fails(some_x(), b"\x93NUMPY\x09\x00\x01\x00\x00\x00\n".to_vec(), &["unknown version 9"]);
    npz_fails(HTML.to_vec(), npy(&arr1(&[0_u8])), &["x_train: it is not a .npy array"]);
}

#[test]
fn npz_files_that_are_none() {
    let (_folder, path) = saved(HTML);
    fails(
        &path,
        &["a zip archive (.npz) is expected here, but this is a web page", "download link"],
    );
    let (_folder, path) = saved(b"");
    fails(&path, &["a zip archive (.npz) is expected here, but this is an empty file"]);
    let sound = archive(&arrays(some_x(), npy(&arr1(&[0_u8, 1, 2]))), CompressionMethod::Deflated);
    let (_folder, path) = saved(&sound[..sound.len() - 30]);
    fails(&path, &["the zip archive is damaged or cut off"]);
    let (_folder, path) =
        saved(&archive(&[("x_train", some_x()), ("x", some_x())], CompressionMethod::Stored));
    let missing =
        r#"the arrays ["y_train", "x_test", "y_test"] are missing; it holds ["x_train", "x"]"#;
    fails(&path, &[missing, "numpy.savez_compressed"]);
}

/// The member says that it holds four gigabytes, and so does the array; what it delivers is nine
/// bytes.
#[test]
fn an_archive_that_lies_about_its_size() {
    let header =
        format!("{:117}", "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1000000000), }");
    let (x, claim) = (npy_with(&header, &[7; 9]), 3_000_000_128_u32);
    let mut content = archive(&arrays(x, npy(&arr1(&[0_u8, 1, 2]))), CompressionMethod::Deflated);
    let entry = content.windows(4).position(|four| four == b"PK\x01\x02").unwrap();
    content[entry + 24..entry + 28].copy_from_slice(&claim.to_le_bytes());
    let (_folder, path) = saved(&content);
    fails(
        &path,
        &["x_train: it is damaged or of an unknown form (it ends before its last number)"],
    );
}

#[test]
fn no_damage_to_an_archive_makes_it_panic() {
    for method in [CompressionMethod::Stored, CompressionMethod::Deflated] {
        let sound = archive(&arrays(some_x(), npy(&arr1(&[0_i16, 1, 2]))), method);
        let (_folder, path) = saved(&sound);
        let mut ways = BTreeSet::new();
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            fs::write(&path, &damaged).unwrap();
            ways.extend(datasets::load(&path).err().map(|error| error.to_string()));
        }
        for length in (0..sound.len()).step_by(9) {
            fs::write(&path, &sound[..length]).unwrap();
            assert!(datasets::load(&path).is_err());
        }
        assert!(ways.len() > 10);
    }
}
