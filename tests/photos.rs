//! Photos of digits as inputs of models of MNIST.

mod common;
#[path = "common/photo.rs"]
mod photo;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use common::{Run, run_in};
use jpeg_encoder::{ColorType, Encoder};
use ndarray::{Array, IxDyn};
use photo::{Photo, SIDE, Scene};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tallynet::datasets::images::prepare_digit;
use tallynet::datasets::{self, Dataset, Inputs, Targets};
use tallynet::kernels::rows::argmax;
use tallynet::model::{Sequential, presets};
use tallynet::training::FitOptions;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data")
}

/// Digits of MNIST, with their labels.
struct Digits {
    images: Vec<Vec<u8>>,
    labels: Vec<usize>,
}

impl Digits {
    fn of(data: &Dataset) -> Digits {
        let Inputs::Bytes { values, .. } = &data.x else { panic!("images are bytes") };
        let Targets::Labels(labels) = &data.y else { panic!("labels are integers") };
        let bytes: Vec<u8> = values.iter().copied().collect();
        Digits {
            images: bytes.chunks_exact(SIDE * SIDE).map(<[u8]>::to_vec).collect(),
            labels: labels.iter().map(|label| *label as usize).collect(),
        }
    }

    /// The first digits of the test set.
    fn of_test(n: usize) -> Digits {
        let mut digits = Digits::of(&datasets::load_test(&data()).unwrap());
        digits.images.truncate(n);
        digits.labels.truncate(n);
        digits
    }
}

/// Classes that a model gives prepared images.
fn classes(model: &Sequential, prepared: &[Vec<u8>]) -> Vec<usize> {
    let shape = IxDyn(&[prepared.len(), SIDE, SIDE]);
    let mut inputs = Inputs::bytes(Array::from_shape_vec(shape, prepared.concat()).unwrap());
    inputs.scale_bytes(1.0 / 255.0);
    let outputs = model.predict(&inputs).unwrap();
    outputs.as_slice().unwrap().chunks_exact(10).map(argmax).collect()
}

/// The preset `mnist-convnet`, trained for an epoch on the first 20,000 digits.
fn convnet() -> &'static Sequential {
    static MODEL: LazyLock<Sequential> = LazyLock::new(trained);
    &MODEL
}

fn trained() -> Sequential {
    let mut train = datasets::load_train(&data()).unwrap().split_at(20_000).unwrap().0;
    train.x.scale_bytes(1.0 / 255.0);
    let mut model = presets::named("mnist-convnet").unwrap().build(0).unwrap();
    let options = FitOptions { batch_size: 64, ..FitOptions::default() };
    model.fit(&train, options, &mut []).unwrap();
    model
}

/// Number of equal entries.
fn n_equal(classes: &[usize], expected: &[usize]) -> usize {
    classes.iter().zip(expected).filter(|(class, expected)| class == expected).count()
}

#[test]
fn nine_of_ten_photos_are_read_as_what_they_are() {
    let digits = Digits::of_test(300);
    let model = convnet();
    let mut rng = ChaCha8Rng::seed_from_u64(18);
    let mut prepared = vec![];
    for digit in &digits.images {
        let photo = Scene::random(&mut rng).photo(digit, &mut rng);
        // Every sixth is chalk on a board.
        let photo = if rng.random_ratio(1, 6) { photo.inverted() } else { photo };
        prepared.push(prepare_digit(&photo.jpeg(rng.random_range(50..95))).unwrap());
    }
    let n_clean = n_equal(&classes(model, &digits.images), &digits.labels);
    let n_right = n_equal(&classes(model, &prepared), &digits.labels);
    assert!(n_right >= 270, "{n_right} of 300 photos, {n_clean} of the digits themselves");
}

#[test]
fn thin_pens_and_broad_markers_are_read() {
    let digits = Digits::of_test(100);
    let model = convnet();
    for edge in [0.25, 0.85] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut prepared = vec![];
        for digit in &digits.images {
            let scene = Scene { edge, ..Scene::random(&mut rng) };
            prepared.push(prepare_digit(&scene.photo(digit, &mut rng).jpeg(90)).unwrap());
        }
        let n_right = n_equal(&classes(model, &prepared), &digits.labels);
        assert!(n_right >= 85, "edge {edge}: {n_right} of 100");
    }
}

#[test]
fn images_of_mnist_stay_as_they_are() {
    let digits = Digits::of_test(1000);
    for pixels in &digits.images {
        let photo = Photo { height: SIDE, width: SIDE, pixels: pixels.clone() };
        assert_eq!(prepare_digit(&photo.png()).unwrap(), *pixels);
    }
    // Black on white they are prepared, which changes their pixels a little and their class hardly.
    let model = convnet();
    let of_mnist = classes(model, &digits.images);
    let mut prepared = vec![];
    for pixels in &digits.images {
        let photo = Photo { height: SIDE, width: SIDE, pixels: pixels.clone() }.inverted();
        prepared.push(prepare_digit(&photo.png()).unwrap());
    }
    let n_same = n_equal(&classes(model, &prepared), &of_mnist);
    assert!(n_same >= 960, "{n_same} of 1000");
}

/// Photo of a digit whose preparation is easy to check: an L of two strokes on white paper.
fn corner() -> Photo {
    let (height, width) = (150, 200);
    let mut pixels = vec![255; height * width];
    for y in 30..110 {
        for x in 120..160 {
            if x < 128 || y >= 102 {
                pixels[y * width + x] = 0;
            }
        }
    }
    Photo { height, width, pixels }
}

/// Rows and columns of ink in a prepared image: first and last.
fn bounds(prepared: &[u8]) -> [usize; 4] {
    let rows: Vec<usize> =
        (0..SIDE).filter(|y| (0..SIDE).any(|x| prepared[y * SIDE + x] > 0)).collect();
    let columns: Vec<usize> =
        (0..SIDE).filter(|x| (0..SIDE).any(|y| prepared[y * SIDE + x] > 0)).collect();
    [rows[0], *rows.last().unwrap(), columns[0], *columns.last().unwrap()]
}

#[test]
fn the_longer_side_is_20_pixels_and_the_mass_is_in_the_middle() {
    let prepared = prepare_digit(&corner().png()).unwrap();
    let [top, bottom, left, right] = bounds(&prepared);
    // 80 × 40 pixels become 20 × 10.
    assert_eq!((bottom + 1 - top, right + 1 - left), (20, 10));
    let mut center = [0.0; 2];
    let mass: f64 = prepared.iter().map(|pixel| f64::from(*pixel)).sum();
    for (i, pixel) in prepared.iter().enumerate() {
        center[0] += f64::from(*pixel) * (i / SIDE) as f64 / mass;
        center[1] += f64::from(*pixel) * (i % SIDE) as f64 / mass;
    }
    assert!(center.iter().all(|center| (center - 14.0).abs() <= 0.5), "{center:?}");
    // The strokes are 8 of 80 pixels wide, so 2 of 20, and full.
    assert_eq!(prepared[(top + 5) * SIDE + left..][..4], [255, 255, 0, 0]);
    assert!(prepared[bottom * SIDE + left..][..10].iter().all(|pixel| *pixel == 255));
}

#[test]
fn specks_and_the_edge_of_the_paper_are_no_ink() {
    let expected = prepare_digit(&corner().png()).unwrap();
    let mut photo = corner();
    let width = photo.width;
    // Two specks, a ruled line, and the dark table at the left.
    for (y, x) in [(10, 10), (11, 10), (140, 190), (60, 60)] {
        photo.pixels[y * width + x] = 40;
    }
    photo.pixels[130 * width..131 * width].fill(90);
    for row in photo.pixels.chunks_mut(width) {
        row[..20].fill(60);
    }
    assert_eq!(bounds(&prepare_digit(&photo.png()).unwrap()), bounds(&expected));
}

#[test]
fn a_photo_without_ink_is_an_error() {
    let blank = |value: u8| Photo { height: 60, width: 80, pixels: vec![value; 4800] };
    let mut gradient = blank(0);
    for (i, pixel) in gradient.pixels.iter_mut().enumerate() {
        *pixel = (140 + i % 80) as u8;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut noisy = blank(0);
    noisy.pixels.fill_with(|| rng.random_range(225..240));
    for photo in [blank(255), blank(0), blank(128), gradient, noisy] {
        for file in [photo.png(), photo.jpeg(70)] {
            let error = prepare_digit(&file).unwrap_err().to_string();
            assert!(error.contains("no ink is seen"), "{error}");
        }
    }
    // So small a photo is one pixel of ink or none.
    let dot = Photo { height: 1, width: 1, pixels: vec![0] };
    assert!(prepare_digit(&dot.png()).is_err());
    let pair = Photo { height: 1, width: 3, pixels: vec![255, 0, 255] };
    let _ = prepare_digit(&pair.png());
}

/// TIFF with this orientation, as EXIF has it.
fn tiff(orientation: u8) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08\0\x01".to_vec();
    bytes.extend([1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    bytes.extend([0; 4]);
    bytes
}

/// The photo as a camera stores it that notes this orientation.
fn stored(photo: &Photo, orientation: u8) -> Photo {
    let (height, width) = (photo.height, photo.width);
    let is_turned = orientation >= 5;
    let (rows, columns) = if is_turned { (width, height) } else { (height, width) };
    let mut pixels = vec![0; rows * columns];
    for y in 0..height {
        for x in 0..width {
            // Table 6 of EXIF: the side of the scene at which the first row and column are.
            let (row, column) = match orientation {
                1 => (y, x),
                2 => (y, width - 1 - x),
                3 => (height - 1 - y, width - 1 - x),
                4 => (height - 1 - y, x),
                5 => (x, y),
                6 => (width - 1 - x, y),
                7 => (width - 1 - x, height - 1 - y),
                _ => (x, height - 1 - y),
            };
            pixels[row * columns + column] = photo.pixels[y * width + x];
        }
    }
    Photo { height: rows, width: columns, pixels }
}

#[test]
fn a_photo_is_turned_as_its_camera_noted() {
    let photo = corner();
    let expected = prepare_digit(&photo.png()).unwrap();
    for orientation in 1..=8 {
        let stored = stored(&photo, orientation);
        let mut info = png::Info::with_size(stored.width as u32, stored.height as u32);
        info.color_type = png::ColorType::Grayscale;
        info.bit_depth = png::BitDepth::Eight;
        info.exif_metadata = Some(tiff(orientation).into());
        let mut file = vec![];
        let encoder = png::Encoder::with_info(&mut file, info).unwrap();
        encoder.write_header().unwrap().write_image_data(&stored.pixels).unwrap();
        assert_eq!(prepare_digit(&file).unwrap(), expected, "PNG, orientation {orientation}");

        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 100);
        encoder.add_app_segment(1, [b"Exif\0\0", &tiff(orientation)[..]].concat()).unwrap();
        let (width, height) = (stored.width as u16, stored.height as u16);
        encoder.encode(&stored.pixels, width, height, ColorType::Luma).unwrap();
        let error = mean_difference(&prepare_digit(&file).unwrap(), &expected);
        assert!(error < 2.0, "JPEG, orientation {orientation}: {error}");
    }
    // Orientations that do not exist, and a directory that ends early, are ignored.
    let ends = tiff(6);
    for exif in [tiff(0), tiff(9), ends[..15].to_vec(), vec![], b"II*\0\xff\xff\xff\xff".to_vec()] {
        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 100);
        encoder.add_app_segment(1, [b"Exif\0\0", &exif[..]].concat()).unwrap();
        let (width, height) = (photo.width as u16, photo.height as u16);
        encoder.encode(&photo.pixels, width, height, ColorType::Luma).unwrap();
        assert!(mean_difference(&prepare_digit(&file).unwrap(), &expected) < 2.0);
    }
}

/// Mean difference of two images, of 255.
fn mean_difference(one: &[u8], other: &[u8]) -> f64 {
    let sum: f64 = one.iter().zip(other).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    sum / one.len() as f64
}

fn png_of(
    photo: &Photo,
    color: png::ColorType,
    depth: png::BitDepth,
    bytes_of: impl Fn(u8) -> Vec<u8>,
) -> Vec<u8> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, photo.width as u32, photo.height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == png::ColorType::Indexed {
        // White, then black.
        encoder.set_palette(vec![255, 255, 255, 0, 0, 0]);
    }
    let bytes: Vec<u8> = photo.pixels.iter().flat_map(|pixel| bytes_of(*pixel)).collect();
    encoder.write_header().unwrap().write_image_data(&bytes).unwrap();
    file
}

/// PNG in the seven passes of Adam7.
fn interlaced(photo: &Photo) -> Vec<u8> {
    let mut rows = vec![];
    for (top, left, down, right) in [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ] {
        for y in (top..photo.height).step_by(down) {
            // The filter: none.
            rows.push(0);
            let row = &photo.pixels[y * photo.width..][..photo.width];
            rows.extend(row[left..].iter().step_by(right));
        }
    }
    let mut zlib = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::default());
    zlib.write_all(&rows).unwrap();
    let mut header = vec![];
    header.extend((photo.width as u32).to_be_bytes());
    header.extend((photo.height as u32).to_be_bytes());
    header.extend([8, 0, 0, 0, 1]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", zlib.finish().unwrap()), (b"IEND", vec![])]
    {
        file.extend((content.len() as u32).to_be_bytes());
        let named = [&kind[..], &content].concat();
        file.extend(&named);
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        file.extend(crc.sum().to_be_bytes());
    }
    file
}

#[test]
fn every_kind_of_png_and_jpeg_is_the_same_photo() {
    use png::{BitDepth::*, ColorType::*};
    let photo = corner();
    let expected = prepare_digit(&photo.png()).unwrap();
    let is_ink = |pixel: u8| pixel < 128;
    for (name, file) in [
        ("16 bits", png_of(&photo, Grayscale, Sixteen, |pixel| vec![pixel, 77])),
        ("color", png_of(&photo, Rgb, Eight, |pixel| vec![pixel; 3])),
        ("palette", png_of(&photo, Indexed, Eight, |pixel| vec![u8::from(is_ink(pixel))])),
        // Black everywhere, and transparent where the paper is.
        ("alpha", png_of(&photo, Rgba, Eight, |p| vec![0, 0, 0, 255 * u8::from(is_ink(p))])),
        (
            "gray alpha",
            png_of(&photo, GrayscaleAlpha, Eight, |p| vec![0, 255 * u8::from(is_ink(p))]),
        ),
        ("interlaced", interlaced(&photo)),
    ] {
        assert_eq!(prepare_digit(&file).unwrap(), expected, "{name}");
    }
    let color: Vec<u8> = photo.pixels.iter().flat_map(|pixel| [*pixel; 3]).collect();
    let mut progressive = vec![];
    let mut encoder = Encoder::new(&mut progressive, 90);
    encoder.set_progressive(true);
    let (width, height) = (photo.width as u16, photo.height as u16);
    encoder.encode(&color, width, height, ColorType::Rgb).unwrap();
    for file in [progressive, photo.jpeg(90)] {
        assert!(mean_difference(&prepare_digit(&file).unwrap(), &expected) < 3.0);
    }
    let mut print = vec![];
    let cmyk = vec![100; photo.pixels.len() * 4];
    Encoder::new(&mut print, 90).encode(&cmyk, width, height, ColorType::Cmyk).unwrap();
    let error = prepare_digit(&print).unwrap_err().to_string();
    assert!(error.contains("CMYK"), "{error}");
}

#[test]
fn a_photo_of_20000_pixels_is_read_or_refused() {
    // A tall one, with a stroke.
    let (height, width) = (20_000, 400);
    let mut pixels = vec![255; height * width];
    for row in pixels.chunks_mut(width).skip(8000).take(3000) {
        row[150..250].fill(0);
    }
    let prepared = prepare_digit(&Photo { height, width, pixels }.png()).unwrap();
    let [top, bottom, ..] = bounds(&prepared);
    assert_eq!(bottom + 1 - top, 20);
    // The header of a square one, which would take 400 MB.
    let mut file = corner().png();
    file[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let error = prepare_digit(&file).unwrap_err().to_string();
    assert!(error.contains("20000 × 20000 pixels"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn photos_of_any_size_and_content_are_prepared_or_refused(
        height in 1..60usize,
        width in 1..60usize,
        n_levels in 1..5u8,
        seed in 0..u64::MAX,
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let levels: Vec<u8> = (0..n_levels).map(|_| rng.random()).collect();
        let pixel = |_| levels[rng.random_range(0..levels.len())];
        let pixels = (0..height * width).map(pixel).collect();
        if let Ok(prepared) = prepare_digit(&Photo { height, width, pixels }.png()) {
            prop_assert_eq!(prepared.len(), SIDE * SIDE);
            prop_assert!(prepared.iter().any(|pixel| *pixel > 0) || (height, width) == (28, 28));
        }
    }
}

// ------------------------------------------------------------------------------------------------
// the program

/// Folder with photos and a model.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    /// A folder with the preset of this name, trained a little.
    fn new(model: &str) -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        let data = data();
        let data = data.to_str().unwrap();
        place.succeeds(&["train", model, "--epochs", "2", "--data", data, "--save", "m.keras"]);
        place
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Run {
        run_in(self.folder.path(), arguments)
    }

    #[track_caller]
    fn succeeds(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run
    }

    #[track_caller]
    fn refuses(&self, code: i32, arguments: &[&str], part: &str) {
        let run = self.run(arguments);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(run.stderr.contains(part), "{part:?} is not in: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
}

/// Photo of a straight one, off-centre.
fn one() -> Photo {
    let (height, width) = (120, 160);
    let mut pixels = vec![250; height * width];
    for y in 20..80 {
        pixels[y * width + 100..y * width + 108].fill(20);
    }
    Photo { height, width, pixels }
}

#[test]
fn the_program_reads_photos() {
    let place = Place::new("mnist-softmax");
    place.write("one.png", &one().png());
    place.write("one.jpg", &one().jpeg(80));
    // By their content, whatever their names say.
    place.write("jpeg.png", &one().jpeg(80));
    place.write("photo", &one().png());
    place.write("table.csv", &one().png());
    let all = ["one.png", "one.jpg", "jpeg.png", "photo", "table.csv"];
    let predict = [&["predict", "m.keras"], &all[..]].concat();
    let run = place.succeeds(&predict);
    assert!(run.stderr.contains("Images are prepared as MNIST's were"), "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines.len(), 6);
    assert!(lines[0].starts_with("row  file       class  probability"), "{}", run.stdout);
    for (line, name) in lines[1..].iter().zip(all) {
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[1..3], [name, "1"], "{}", run.stdout);
    }

    let run = place.succeeds(&[&predict[..], &["--json"]].concat());
    assert_eq!(run.stdout.lines().count(), 1);
    let rows: Value = serde_json::from_str(&run.stdout).unwrap();
    for (row, name) in rows.as_array().unwrap().iter().zip(all) {
        assert_eq!((&row["file"], &row["class"]), (&Value::from(name), &Value::from(1)));
        let probabilities: Vec<f64> =
            row["probabilities"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        assert_eq!(probabilities.len(), 10);
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-5);
        assert_eq!(row["probability"].as_f64().unwrap(), probabilities[1]);
    }
    place.refuses(2, &[&predict[..], &["--json", "-o", "y.npy"]].concat(), "cannot be used with");

    // A size that is given only resizes: the paper stays white, and the answer is another input's.
    let resized = place.succeeds(&["predict", "m.keras", "one.png", "--image-size", "28x28"]);
    assert!(!resized.stderr.contains("prepared as MNIST's"), "{}", resized.stderr);
}

#[test]
fn a_model_on_rows_of_784_bytes_reads_photos_too() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    let json = r#"{"class_name": "Sequential", "config": {"layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 784]}},
        {"class_name": "Dense", "config": {"units": 10, "activation": "softmax"}}]}}"#;
    place.write("m.json", json.as_bytes());
    place.write("one.png", &one().png());
    let run = place.succeeds(&["predict", "m.json", "one.png", "--json"]);
    let rows: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(rows[0]["probabilities"].as_array().unwrap().len(), 10);
    assert!(run.stderr.contains("divided by 255"), "{}", run.stderr);
}

#[test]
fn broken_images_are_left_out_on_request() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    fs::create_dir(place.folder.path().join("photos")).unwrap();
    for name in ["photos/a.png", "photos/c.png"] {
        place.write(name, &one().png());
    }
    let cut = one().png();
    place.write("photos/b.png", &cut[..cut.len() / 2]);
    place.write("photos/d.jpg", b"<html>");
    let predict = ["predict", "mnist-softmax", "photos"];
    place.refuses(1, &predict, "--skip-broken skips all that are broken");
    let resized = ["--image-size", "28x28"];
    place.refuses(1, &[&predict[..], &resized].concat(), "--skip-broken");
    for options in [&["--skip-broken"][..], &["--skip-broken", "--image-size", "28x28"]] {
        let run = place.succeeds(&[&predict[..], options].concat());
        for name in ["b.png", "d.jpg"] {
            let warning = format!("warning: left out: photos/{name}: ");
            assert!(run.stderr.contains(&warning), "{}", run.stderr);
        }
        let mut names = vec![];
        for line in run.stdout.lines().skip(1) {
            names.push(line.split_whitespace().nth(1).unwrap());
        }
        assert_eq!(names, ["a.png", "c.png"], "{}", run.stdout);
    }
    let written = [&predict[..], &["--skip-broken", "-o", "y.csv"]].concat();
    assert!(place.succeeds(&written).stderr.contains("Wrote y.csv with 2 rows"));
    let broken = ["predict", "mnist-softmax", "photos/b.png", "photos/d.jpg", "--skip-broken"];
    place.refuses(1, &broken, "all 2 images are broken; the last: photos/d.jpg: ");
}

#[test]
fn inputs_that_are_no_photos_are_refused() {
    let place = Place { folder: tempfile::tempdir().unwrap() };
    place.write("text.png", b"no picture");
    place.write("empty.jpg", b"");
    place.write("photo.webp", b"RIFF\x10\0\0\0WEBPVP8 ");
    place.write("x.npy", b"");
    place.write("white.png", &Photo { height: 9, width: 9, pixels: vec![255; 81] }.png());
    let cut = one().png();
    place.write("cut.png", &cut[..cut.len() / 2]);
    place.write("one.png", &one().png());
    for (files, part) in [
        (&["text.png"][..], "text.png: a PNG or JPEG image is expected here"),
        (&["empty.jpg"], "empty.jpg: "),
        (&["photo.webp"], "this is WebP"),
        (&["white.png"], "white.png: no ink is seen"),
        (&["cut.png"], "cut.png: the image is damaged or cut off"),
        (&["one.png", "x.npy"], "x.npy: a PNG or JPEG image is expected here"),
    ] {
        place.refuses(1, &[&["predict", "mnist-softmax"], files].concat(), part);
    }
    let missing = ["predict", "mnist-softmax", "one.png", "missing.png"];
    place.refuses(2, &missing, "cannot read missing.png");
    place.refuses(2, &["predict", "mnist-softmax", "x.npy", "x.npy"], "one at a time");
    place.refuses(2, &["predict", "mnist-softmax"], "required");
}
