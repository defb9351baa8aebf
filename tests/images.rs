//! Folders of images, IDX and CIFAR files: sound ones as Keras reads them, and broken ones, which
//! are errors that say what was found and what to do. Nothing may panic.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use flate2::{Compression, write::GzEncoder};
use jpeg_encoder::{ColorType, Encoder};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use tallynet::datasets::images::{self, Folder, ImageOptions, ImageSize};
use tallynet::datasets::{Dataset, ImageShape, Inputs, LoadedData, Targets, cifar, idx};
use tallynet::formats;
use tallynet::layers::{Conv2D, Dense, Flatten, MaxPooling2D};
use tallynet::model::Sequential;
use tallynet::shape::Shape;
use tallynet::training::FitOptions;
use tempfile::TempDir;

fn size(height: usize, width: usize, channels: usize) -> ImageShape {
    ImageShape { height, width, channels }
}

/// PNG file of 8 or 16 bits per channel.
fn png(
    width: u32,
    height: u32,
    color: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
) -> Vec<u8> {
    let mut file = vec![];
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.write_header().unwrap().write_image_data(bytes).unwrap();
    file
}

fn rgb_png(width: u32, height: u32, bytes: &[u8]) -> Vec<u8> {
    png(width, height, png::ColorType::Rgb, png::BitDepth::Eight, bytes)
}

fn jpeg(width: u16, height: u16, color: ColorType, bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![];
    Encoder::new(&mut file, 95).encode(bytes, width, height, color).unwrap();
    file
}

/// A small sound PNG.
fn dot() -> Vec<u8> {
    rgb_png(2, 2, &[10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
}

/// Folder with these files; their content is a sound PNG unless given.
fn folder(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in files {
        write(folder.path(), name, &dot());
    }
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn bytes(inputs: &Inputs) -> &[u8] {
    let Inputs::Bytes { values, .. } = inputs else { panic!("these are not bytes") };
    values.as_slice().unwrap()
}

fn labels(data: &Dataset) -> &[u32] {
    let Targets::Labels(labels) = &data.y else { panic!("these are no labels") };
    labels.as_slice().unwrap()
}

fn read(found: &Folder, options: &ImageOptions) -> tallynet::Result<LoadedData> {
    found.read(options, &mut |_| {})
}

fn scan_error(path: &Path) -> String {
    Folder::scan(path).unwrap_err().to_string()
}

fn keras() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

// ----------------------------------------------------------------------------------------------------------
// images

#[test]
fn resizing_agrees_with_keras() {
    // The image of tests/keras/images.py.
    let pixels: Vec<u8> = (0..7 * 5 * 3u32).map(|i| ((i * i * 37 + i * 11) % 256) as u8).collect();
    let file = rgb_png(5, 7, &pixels);
    assert_eq!(images::decode_and_resize(&file, size(7, 5, 3)).unwrap(), pixels);
    let mut n_compared = 0;
    for case in keras()["resized"].as_array().unwrap() {
        let side = |axis: usize| case["size"][axis].as_u64().unwrap() as usize;
        let resized = images::decode_and_resize(&file, size(side(0), side(1), 3)).unwrap();
        let expected = case["values"].as_array().unwrap();
        assert_eq!(resized.len(), expected.len());
        for (value, expected) in resized.iter().zip(expected) {
            let expected = expected.as_f64().unwrap();
            // Rounding to a byte, and Keras's numbers to three digits.
            assert!((f64::from(*value) - expected).abs() <= 0.502, "{value} for {expected}");
            n_compared += 1;
        }
    }
    assert!(n_compared > 500);
}

#[test]
fn classes_and_files_are_in_keras_s_order() {
    let listed = &keras()["listed"];
    let texts = |key: &str| -> Vec<String> {
        let all = listed[key].as_array().unwrap().iter();
        all.map(|text| text.as_str().unwrap().to_string()).collect()
    };
    let created = texts("created");
    let root = folder(&created.iter().map(String::as_str).collect::<Vec<_>>());
    let found = Folder::scan(root.path()).unwrap();
    assert_eq!(found.classes, texts("classes"));
    let paths: Vec<PathBuf> = found.train.iter().map(|image| image.path.clone()).collect();
    let expected: Vec<PathBuf> = texts("paths").iter().map(|path| root.path().join(path)).collect();
    assert_eq!(paths, expected);
    for (image, label) in found.train.iter().zip(listed["labels"].as_array().unwrap()) {
        assert_eq!(u64::from(image.label), label.as_u64().unwrap());
    }
    assert_eq!(found.ignored, [root.path().join("b/notes.txt")]);
}

#[test]
fn every_kind_of_png_becomes_gray_or_rgb() {
    use png::{BitDepth::*, ColorType::*};
    let decode =
        |file: &[u8], channels| images::decode_and_resize(file, size(1, 2, channels)).unwrap();
    // Gray, with 16 bits: the upper 8 stay, as in Keras.
    let gray = png(2, 1, Grayscale, Sixteen, &[200, 255, 3, 0]);
    assert_eq!(decode(&gray, 1), [200, 3]);
    assert_eq!(decode(&gray, 3), [200, 200, 200, 3, 3, 3]);
    // One bit a pixel.
    assert_eq!(decode(&png(2, 1, Grayscale, One, &[0b0100_0000]), 1), [0, 255]);
    // Gray of color by BT.601: 0.299, 0.587, 0.114.
    let color = rgb_png(2, 1, &[255, 0, 0, 0, 200, 100]);
    assert_eq!(decode(&color, 1), [76, 129]);
    // Transparency over white: opaque black, and half transparent red.
    let alpha = png(2, 1, Rgba, Eight, &[0, 0, 0, 255, 255, 0, 0, 128]);
    assert_eq!(decode(&alpha, 3), [0, 0, 0, 255, 127, 127]);
    let gray_alpha = png(2, 1, GrayscaleAlpha, Eight, &[0, 0, 100, 255]);
    assert_eq!(decode(&gray_alpha, 1), [255, 100]);
    // A palette, of which one color is transparent.
    let mut palette = vec![];
    let mut encoder = png::Encoder::new(&mut palette, 2, 1);
    encoder.set_color(Indexed);
    encoder.set_palette(vec![1, 2, 3, 7, 8, 9]);
    encoder.set_trns(vec![255, 0]);
    encoder.write_header().unwrap().write_image_data(&[0, 1]).unwrap();
    assert_eq!(decode(&palette, 3), [1, 2, 3, 255, 255, 255]);
}

#[test]
fn jpeg_of_every_colour_is_right_or_refused() {
    let (width, height) = (32, 24);
    let smooth = |x: usize, y: usize, c: usize| (4 * x + 3 * y + 20 * c) as u8;
    let mut color = vec![];
    for y in 0..height {
        for x in 0..width {
            color.extend((0..3).map(|c| smooth(x, y, c)));
        }
    }
    let file = jpeg(width as u16, height as u16, ColorType::Rgb, &color);
    let decoded = images::decode_and_resize(&file, size(height, width, 3)).unwrap();
    let furthest = decoded.iter().zip(&color).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest < Some(8), "{furthest:?}");

    let gray: Vec<u8> = color.iter().step_by(3).copied().collect();
    let file = jpeg(width as u16, height as u16, ColorType::Luma, &gray);
    let decoded = images::decode_and_resize(&file, size(height, width, 1)).unwrap();
    let furthest = decoded.iter().zip(&gray).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest < Some(8), "{furthest:?}");

    let mut progressive = vec![];
    let mut encoder = Encoder::new(&mut progressive, 95);
    encoder.set_progressive(true);
    encoder.encode(&color, width as u16, height as u16, ColorType::Rgb).unwrap();
    let decoded = images::decode_and_resize(&progressive, size(height, width, 3)).unwrap();
    let furthest = decoded.iter().zip(&color).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(furthest < Some(8), "{furthest:?}");

    let print = vec![100; 4 * width * height];
    for color in [ColorType::Cmyk, ColorType::CmykAsYcck] {
        let file = jpeg(width as u16, height as u16, color, &print);
        let error = images::decode_and_resize(&file, size(8, 8, 3)).unwrap_err().to_string();
        assert!(error.contains("this JPEG is in CMYK, the print colors"), "{error}");
    }
}

#[test]
fn a_preview_in_a_truncated_jpeg_does_not_hide_its_end() {
    let gray: Vec<u8> = (0..64 * 64).map(|i| (i % 251) as u8).collect();
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, 90);
    // A segment with the bytes of an end, as a camera's preview has them.
    encoder.add_app_segment(1, vec![b'E', 0xff, 0xd9, 0xff, 0xda, 0xff, 0xd9]).unwrap();
    encoder.encode(&gray, 64, 64, ColorType::Luma).unwrap();
    images::decode_and_resize(&file, size(8, 8, 1)).unwrap();
    for len in [file.len() - 2, file.len() / 2, 40, 3] {
        let error = images::decode_and_resize(&file[..len], size(8, 8, 1)).unwrap_err();
        assert!(error.to_string().contains("damaged or cut off"), "{error}");
    }
    // Bytes after the end do not matter.
    file.extend([0; 100]);
    images::decode_and_resize(&file, size(8, 8, 1)).unwrap();
}

#[test]
fn a_jpeg_holds_the_pixels_that_it_claims() {
    // White paper is as small as a JPEG gets.
    let paper = vec![255; 4000 * 3000];
    for is_progressive in [false, true] {
        let mut file = vec![];
        let mut encoder = Encoder::new(&mut file, 90);
        encoder.set_progressive(is_progressive);
        encoder.set_optimized_huffman_tables(true);
        encoder.encode(&paper, 4000, 3000, ColorType::Luma).unwrap();
        let pixels = images::decode_and_resize(&file, size(2, 2, 1)).unwrap();
        assert_eq!(pixels, [255; 4], "{} bytes", file.len());
    }
    let bytes = include_bytes!("../fuzz/seeds/images/claims-67-megapixels.jpg");
    let start = Instant::now();
    let error = images::decode_and_resize(bytes, size(8, 8, 3)).unwrap_err().to_string();
    assert!(error.contains("673 bytes cannot hold 65316 × 1033 pixels"), "{error}");
    assert!(start.elapsed().as_millis() < 100, "{:?}", start.elapsed());
}

#[test]
fn a_broken_image_is_named_and_skipped_only_on_request() {
    let whole = dot();
    let cases: [(&str, &[u8], &str); 6] = [
        ("html.jpg", b"<!DOCTYPE html><html>403</html>", "a web page (HTML)"),
        ("empty.png", b"", "an empty file"),
        ("cut.png", &whole[..whole.len() / 2], "damaged or cut off"),
        ("webp.jpg", b"RIFF\x10\0\0\0WEBPVP8 ", "this is WebP"),
        ("text.png", b"hello world", "bytes [68, 65, 6c, 6c]"),
        ("cut.jpg", &jpeg(8, 8, ColorType::Luma, &[9; 64])[..200], "its end is missing"),
    ];
    for (name, content, expected) in cases {
        let root = folder(&["a/1.png", "a/2.png", "b/1.png"]);
        write(root.path(), &format!("a/{name}"), content);
        let found = Folder::scan(root.path()).unwrap();
        let mut options = ImageOptions::new(size(2, 2, 3));
        let error = read(&found, &options).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(expected), "{error}");
        assert!(error.contains("--skip-broken"), "{error}");
        options.skip_broken = true;
        let data = read(&found, &options).unwrap();
        assert_eq!(data.train.len(), 3);
        assert!(
            data.warnings[0].text.starts_with("1 broken image was skipped"),
            "{:?}",
            data.warnings
        );
    }
}

#[test]
fn a_folder_is_read_with_classes_size_and_every_label() {
    let root = folder(&["train/cat/1.png", "train/cat/2.png", "train/dog/1.png", "test/dog/9.png"]);
    write(root.path(), "train/dog/2.jpg", &jpeg(9, 5, ColorType::Luma, &[77; 45]));
    let data =
        read(&Folder::scan(root.path()).unwrap(), &ImageOptions::new(size(2, 2, 3))).unwrap();
    assert_eq!(data.description.classes, ["cat", "dog"]);
    assert_eq!(data.description.image, Some(size(2, 2, 3)));
    assert_eq!(data.train.x.shape(), [4, 2, 2, 3]);
    let mut sorted = labels(&data.train).to_vec();
    sorted.sort();
    assert_eq!(sorted, [0, 0, 1, 1]);
    let gray = bytes(&data.train.x).chunks(12).position(|row| row == [77; 12]).unwrap();
    assert_eq!(labels(&data.train)[gray], 1);
    let test = data.test.unwrap();
    assert_eq!((labels(&test), bytes(&test.x)[..3].to_vec()), (&[1][..], vec![10, 20, 30]));
    assert!(data.validation.is_none() && data.warnings.is_empty());
}

#[test]
fn names_of_parts_are_understood() {
    for (train, test) in [("train", "validation"), ("Training", "Testing"), ("train", "val")] {
        let names =
            [format!("{train}/a/1.png"), format!("{train}/b/1.png"), format!("{test}/a/1.png")];
        let root = folder(&names.each_ref().map(String::as_str));
        let found = Folder::scan(root.path()).unwrap();
        let counts = [found.train.len(), found.validation.len(), found.test.len()];
        assert_eq!(counts, [2, 0, 1]);
    }
    let root = folder(&["train/a/1.png", "train/b/1.png", "valid/a/1.png", "test/b/1.png"]);
    let found = Folder::scan(root.path()).unwrap();
    assert_eq!([found.train.len(), found.validation.len(), found.test.len()], [2, 1, 1]);
    // Classes that have the names of parts.
    let root = folder(&["test/1.png", "exam/1.png"]);
    assert_eq!(Folder::scan(root.path()).unwrap().classes, ["exam", "test"]);
}

#[test]
fn a_folder_of_another_layout_is_an_error_that_helps() {
    let cases: [(&[&str], &str); 8] = [
        (&["notes.txt"], "there are no images and no folders"),
        (&["1.png", "2.png"], "not in folders of classes"),
        (&["only/1.png"], "only one class in here, only"),
        (&["flowers/rose/1.png", "flowers/tulip/1.png"], "pass that folder instead"),
        (&["a/1.png", "b/notes.txt"], "none of the 1 files in here is PNG or JPEG"),
        (&["train/a/1.png", "train/b/1.png", "test/c/1.png"], "the training set has no class"),
        (
            &["train/a/1.png", "train/b/1.png", "test/a.txt"],
            "subfolders of this folder hold no images",
        ),
        (&["train/a/1.png", "training/a/1.png", "test/a/1.png"], "have the same meaning"),
    ];
    for (files, expected) in cases {
        let error = scan_error(folder(files).path());
        assert!(error.contains(expected), "{error}");
    }
    let root = folder(&["a/1.png"]);
    fs::create_dir(root.path().join("empty")).unwrap();
    let error = scan_error(root.path());
    assert!(error.contains("empty") && error.contains("no images in this folder"), "{error}");
    assert!(scan_error(&root.path().join("none")).contains("cannot read"));
}

#[test]
fn hidden_files_are_left_out() {
    let root = folder(&["a/1.png", "b/1.png", ".git/1.png", "a/._1.png", "a/.cache/2.png"]);
    write(root.path(), "__MACOSX/a/1.png", b"");
    let found = Folder::scan(root.path()).unwrap();
    assert_eq!((found.classes.len(), found.train.len(), found.ignored.len()), (2, 2, 0));
}

#[cfg(unix)]
#[test]
fn links_that_form_a_circle_end() {
    use std::os::unix::fs::symlink;
    let root = folder(&["a/1.png", "b/1.png"]);
    symlink(root.path(), root.path().join("a/up")).unwrap();
    symlink(root.path().join("a/1.png"), root.path().join("b/link.png")).unwrap();
    assert_eq!(Folder::scan(root.path()).unwrap().train.len(), 3);
    // A link to itself.
    symlink(root.path().join("b/self.png"), root.path().join("b/self.png")).unwrap();
    let found = Folder::scan(root.path()).unwrap();
    let error = read(&found, &ImageOptions::new(size(2, 2, 3))).unwrap_err().to_string();
    assert!(error.contains("self.png"), "{error}");
}

#[test]
fn images_that_do_not_fit_into_memory_are_refused() {
    // 20,000 × 20,000 pixels in a header; the decoder never gets to the pixels.
    let mut file = rgb_png(1, 1, &[1, 2, 3]);
    file[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let mut crc = flate2::Crc::new();
    crc.update(&file[12..29]);
    file[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    let error = images::decode_and_resize(&file, size(2, 2, 3)).unwrap_err().to_string();
    assert!(error.contains("20000 × 20000 pixels"), "{error}");

    let mut file = jpeg(8, 8, ColorType::Rgb, &[9; 192]);
    let frame = file.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let error = images::decode_and_resize(&file, size(2, 2, 3)).unwrap_err().to_string();
    assert!(error.contains("65535 × 65535 pixels"), "{error}");

    // A wide image of 20,000 × 10 pixels is read.
    let wide = rgb_png(20_000, 10, &vec![33; 600_000]);
    assert_eq!(images::decode_and_resize(&wide, size(1, 2, 1)).unwrap(), [33, 33]);

    let root = folder(&["a/1.png", "b/1.png"]);
    let options = ImageOptions::new(size(20_000, 2, 3));
    let error = read(&Folder::scan(root.path()).unwrap(), &options).unwrap_err().to_string();
    assert!(error.contains("each side is between 1 and 16384"), "{error}");
}

#[test]
fn the_size_comes_from_the_model_or_is_given() {
    let given = |text: &str| Some(text.parse::<ImageSize>().unwrap());
    let for_input = |dims: &[usize], image_size| {
        ImageShape::for_input(&Shape::from(dims), image_size).map_err(|error| error.to_string())
    };
    assert_eq!(for_input(&[64, 96, 3], None), Ok(size(64, 96, 3)));
    assert_eq!(for_input(&[28, 28], None), Ok(size(28, 28, 1)));
    assert_eq!(for_input(&[784], given("28")), Ok(size(28, 28, 1)));
    assert_eq!(for_input(&[2352], given("28X28")), Ok(size(28, 28, 3)));
    for (dims, image_size, expected) in [
        (&[784][..], None, "--image-size HEIGHTxWIDTH"),
        (&[784], given("20x20"), "which no images of 20x20 have"),
        (&[64, 64, 3], given("32"), "--image-size says 32x32"),
        (&[64, 64, 4], None, "4 channels"),
        (&[2, 2, 2, 2], given("2"), "is not an image shape"),
    ] {
        let error = for_input(dims, image_size).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    for text in ["", "x", "64x", "0x5", "64x64x3", "-1", "99999"] {
        assert!(text.parse::<ImageSize>().is_err(), "{text}");
    }
}

#[test]
fn training_samples_are_shuffled_by_the_seed_and_test_samples_are_not() {
    let mut files = vec![];
    for i in 0..20 {
        files.push(format!("train/a/{i}.png"));
        files.push(format!("train/b/{i}.png"));
        files.push(format!("test/b/{i}.png"));
        files.push(format!("test/a/{i}.png"));
    }
    let root = folder(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let found = Folder::scan(root.path()).unwrap();
    let read = |seed| {
        let options = ImageOptions { seed, ..ImageOptions::new(size(1, 1, 1)) };
        read(&found, &options).unwrap()
    };
    let [data, again, other] = [1, 1, 2].map(read);
    assert_eq!(labels(&data.train), labels(&again.train));
    assert_ne!(labels(&data.train), labels(&other.train));
    // A validation split of the last quarter has both classes.
    assert!(labels(&data.train)[30..].contains(&0) && labels(&data.train)[30..].contains(&1));
    let test = data.test.unwrap();
    assert!(labels(&test).is_sorted());
    let mut counts = vec![];
    found.read(&ImageOptions::new(size(1, 1, 1)), &mut |n_done| counts.push(n_done)).unwrap();
    assert_eq!(counts, (1..=80).collect::<Vec<_>>());
}

#[test]
fn images_to_predict_from_need_no_classes() {
    let root = folder(&["b.png", "a.png", "deep/er/c.png", "notes.txt"]);
    let paths = images::find(root.path()).unwrap();
    let names = ["a.png", "b.png", "deep/er/c.png"];
    assert_eq!(paths, names.map(|name| root.path().join(name)));
    let inputs = images::read_images(&paths, size(2, 2, 3), false, &mut |_| {}).unwrap().x;
    assert_eq!(inputs.shape(), [3, 2, 2, 3]);
    let one = images::read_image(&paths[0], size(2, 2, 3)).unwrap();
    assert_eq!((one.shape(), one.as_slice().unwrap()), (&[2, 2, 3][..], &bytes(&inputs)[..12]));
    let empty = folder(&["notes.txt"]);
    assert!(images::find(empty.path()).is_err());
    write(empty.path(), "notes.txt", b"no image");
    let notes = [empty.path().join("notes.txt")];
    let error = images::read_images(&notes, size(2, 2, 3), false, &mut |_| {});
    assert!(error.unwrap_err().to_string().contains("a PNG or JPEG image is expected here"));
}

#[test]
fn two_thousand_small_jpegs_take_seconds() {
    let root = tempfile::tempdir().unwrap();
    let pixels: Vec<u8> = (0..64 * 64 * 3).map(|i| (i % 241) as u8).collect();
    let file = jpeg(64, 64, ColorType::Rgb, &pixels);
    for i in 0..2000 {
        write(root.path(), &format!("{}/{i}.jpg", i % 3), &file);
    }
    let start = Instant::now();
    let found = Folder::scan(root.path()).unwrap();
    let data = read(&found, &ImageOptions::new(size(64, 64, 3))).unwrap();
    assert_eq!(data.train.len(), 2000);
    println!("2,000 images: {:?}", start.elapsed());
}

/// Image of 64 × 64 pixels with noise: stripes across, stripes along, or a disc.
fn shape_of_class(class: usize, generator: &mut impl Rng) -> Vec<u8> {
    let (width, phase) = (generator.random_range(4..9), generator.random_range(0..64));
    let center = [generator.random_range(20..44i32), generator.random_range(20..44i32)];
    let mut pixels = vec![];
    for y in 0..64i32 {
        for x in 0..64i32 {
            let is_bright = match class {
                0 => (y + phase) / width % 2 == 0,
                1 => (x + phase) / width % 2 == 0,
                _ => (y - center[0]).pow(2) + (x - center[1]).pow(2) < 18 * 18,
            };
            let shade = if is_bright { 150 } else { 60 };
            pixels.extend(
                [0, 10, 20].map(|tint| (shade + tint + generator.random_range(0..60)) as u8),
            );
        }
    }
    pixels
}

/// Folder `train` and `test` with three classes of JPEGs.
fn shapes_folder() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let mut generator = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for (part, n) in [("train", 40), ("test", 20)] {
        for (class, name) in ["across", "along", "disc"].iter().enumerate() {
            for i in 0..n {
                let pixels = shape_of_class(class, &mut generator);
                let file = jpeg(64, 64, ColorType::Rgb, &pixels);
                write(root.path(), &format!("{part}/{name}/{i}.jpg"), &file);
            }
        }
    }
    root
}

/// Small convolutional model of images, compiled and untrained.
fn convolutional() -> Sequential {
    let mut model = Sequential::builder([64, 64, 3])
        .add(Conv2D { strides: [2, 2], ..Conv2D::new(8, [5, 5]).activation("relu") })
        .add(MaxPooling2D::default())
        .add(Conv2D::new(8, [3, 3]).activation("relu"))
        .add(MaxPooling2D::default())
        .add(Flatten {})
        .add(Dense::new(3).activation("softmax"))
        .build(0)
        .unwrap();
    model.compile("adam", "sparse_categorical_crossentropy", &["accuracy"]).unwrap();
    model
}

#[test]
fn a_small_model_learns_from_a_folder_of_jpegs() {
    let root = shapes_folder();
    let options = ImageOptions::new(size(64, 64, 3));
    let mut data = read(&Folder::scan(root.path()).unwrap(), &options).unwrap();
    let mut test = data.test.unwrap();
    data.train.x.scale_bytes(1.0 / 255.0);
    test.x.scale_bytes(1.0 / 255.0);
    let mut model = convolutional();
    let fit = FitOptions { epochs: 15, batch_size: 16, ..FitOptions::default() };
    model.fit(&data.train, fit, &mut []).unwrap();
    let accuracy = model.evaluate(&test).unwrap().metrics[0].1;
    assert!(accuracy > 0.95, "{accuracy}");

    model.data = Some(data.description);
    let path = root.path().join("model.keras");
    formats::save(&model, &path).unwrap();
    let loaded = formats::load(&path).unwrap().model;
    let description = loaded.data.as_ref().unwrap();
    assert_eq!(description.classes, ["across", "along", "disc"]);
    // One image is prepared as in training, and its class has a name.
    let image = root.path().join("test/along/0.jpg");
    let mut inputs =
        images::read_images(&[image], description.image.unwrap(), false, &mut |_| {}).unwrap().x;
    inputs.scale_bytes(1.0 / 255.0);
    let probabilities = loaded.predict(&inputs).unwrap();
    let difference = &probabilities - &model.predict(&inputs).unwrap();
    // Files hold 32 bits of each weight.
    let limit = if cfg!(tallynet_f64) { 1e-7 } else { 0.0 };
    assert!(difference.iter().all(|difference| difference.abs() <= limit), "{difference}");
    assert!(probabilities[[0, 1]] > 0.5, "{probabilities}");
}

fn tallynet(folder: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("tallynet"));
    command.current_dir(folder);
    command
}

fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr
}

fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_program_trains_evaluates_and_predicts_from_folders() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let train = ["train", "model.json", "--data", ".", "--epochs", "12", "--batch-size", "16"];
    let text = succeeds(tallynet(path).args(train).args(["--save", "trained.keras"]));
    let read = "Read 120 images and 60 to evaluate on, of 3 classes: across, along, disc";
    assert!(text.contains(read), "{text}");
    let text =
        succeeds(tallynet(path).args(["evaluate", "trained.keras", "--data", "test", "--json"]));
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert!(line["metrics"]["accuracy"].as_f64().unwrap() > 0.95, "{text}");

    // Labels come from the names of the classes that the model knows, and not from the folder.
    fs::rename(path.join("test/across"), path.join("moved")).unwrap();
    let again = succeeds(tallynet(path).args(["evaluate", "trained.keras", "--data", "test"]));
    assert!(again.contains("Test accuracy: 1.0000") || again.contains("accuracy: 0.9"), "{again}");
    let predict = ["predict", "trained.keras", "moved", "-o", "y.npy"];
    assert!(succeeds(tallynet(path).args(predict)).contains("[20, 3]"));
    let predict = ["predict", "trained.keras", "moved/0.jpg", "-o", "y.npy"];
    assert!(succeeds(tallynet(path).args(predict)).contains("[1, 3]"));

    // Mistakes.
    let split = ["train", "model.json", "--data", "train", "--epochs", "1"];
    let text = succeeds(tallynet(path).args(split).args(["--quiet"]));
    assert!(text.contains("Test set: 24 of the samples") && text.contains("Test score"), "{text}");
    let text = succeeds(tallynet(path).args(split).args(["--test-split", "0.25", "--quiet"]));
    assert!(text.contains("Test set: 30 of the samples"), "{text}");
    let error = fails(tallynet(path).args(split).args(["--image-size", "32x32"]));
    assert!(error.contains("--image-size says 32x32"), "{error}");
    write(path, "train/disc/bad.png", b"<html>");
    let error = fails(tallynet(path).args(split).args(["--test-split", "0.25"]));
    assert!(error.contains("bad.png") && error.contains("--skip-broken"), "{error}");
    let lenient = ["--test-split", "0.25", "--skip-broken"];
    let text = succeeds(tallynet(path).args(split).args(lenient));
    assert!(text.contains("warning: 1 broken image was skipped"), "{text}");
    fs::rename(path.join("train/disc"), path.join("train/circle")).unwrap();
    let error = fails(tallynet(path).args(["train", "trained.keras", "--data", "train"]));
    assert!(error.contains("the model was trained on across, along, disc"), "{error}");
}

/// Result of `train --json`.
fn trained(folder: &Path, options: &[&str]) -> Value {
    let train = ["train", "model.json", "--data", ".", "--epochs", "1", "--json"];
    let text = succeeds(tallynet(folder).args(train).args(options));
    serde_json::from_str(text.lines().next().unwrap()).unwrap()
}

#[test]
fn the_folder_validation_is_the_validation_data() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let line = trained(path, &[]);
    assert_eq!(line["history"]["val_loss"][0], line["loss"], "without it, the test set");
    assert!(line["split"]["validation"].is_null(), "{line}");
    fs::create_dir_all(path.join("val/disc")).unwrap();
    fs::rename(path.join("test/disc/3.jpg"), path.join("val/disc/3.jpg")).unwrap();
    fs::create_dir(path.join("val/along")).unwrap();
    fs::rename(path.join("test/along/3.jpg"), path.join("val/along/3.jpg")).unwrap();
    let line = trained(path, &[]);
    assert_ne!(line["history"]["val_loss"][0], line["loss"]);
    assert_eq!((&line["split"]["validation"], &line["split"]["test"]), (&2.into(), &58.into()));
    // The validation data alone, as a test set.
    let train = ["train", "model.json", "--data", ".", "--epochs", "1", "--quiet"];
    succeeds(tallynet(path).args(train).args(["--save", "m.safetensors"]));
    let evaluate = ["evaluate", "m.safetensors", "--data", "val", "--json"];
    let text = succeeds(tallynet(path).args(evaluate));
    let score: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(score["loss"], line["history"]["val_loss"][0]);
    // A split of the training samples goes before.
    let split = ["--validation-split", "0.25"];
    let line = trained(path, &split);
    assert!(line["split"]["validation"].is_null(), "{line}");
    assert_eq!((&line["split"]["train"], &line["split"]["test"]), (&120.into(), &58.into()));
    let text = succeeds(tallynet(path).args(train).args(split));
    assert!(text.contains("The validation set of the data is not used"), "{text}");
}

#[test]
fn mistakes_of_a_folder_are_files() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let train = ["train", "model.json", "--data", ".", "--epochs", "12", "--batch-size", "16"];
    succeeds(tallynet(path).args(train).args(["--save", "m.keras"]));
    // Images of discs under another name are mistakes.
    fs::rename(path.join("test/disc/7.jpg"), path.join("test/along/seven, moved.jpg")).unwrap();
    write(path, "test/along/0 broken.png", b"<html>");
    for data in [".", "test"] {
        let evaluate = ["evaluate", "m.keras", "--data", data, "--mistakes", "wrong.csv"];
        succeeds(tallynet(path).args(evaluate).args(["--skip-broken"]));
        let mistakes = fs::read_to_string(path.join("wrong.csv")).unwrap();
        let mut lines = mistakes.lines();
        assert_eq!(lines.next(), Some("file,true_class,predicted_class,probability"));
        let file =
            if data == "." { "test/along/seven, moved.jpg" } else { "along/seven, moved.jpg" };
        let moved = format!("\"{file}\",along,disc,");
        assert!(lines.any(|line| line.starts_with(&moved)), "{mistakes}");
    }
}

#[test]
fn mistakes_among_samples_that_were_held_out_are_files_of_their_class() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let train = ["train", "model.json", "--data", "train", "--epochs", "1", "--quiet"];
    succeeds(tallynet(path).args(train).args(["--save", "m.keras"]));
    let evaluate = ["evaluate", "m.keras", "--data", "train", "--mistakes", "wrong.csv"];
    let text = succeeds(tallynet(path).args(evaluate));
    assert!(text.contains("evaluated on the 24 of 120 samples that were held out"), "{text}");
    let mistakes = fs::read_to_string(path.join("wrong.csv")).unwrap();
    let files: Vec<&str> =
        mistakes.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert!((1..=24).contains(&files.len()), "{mistakes}");
    for (line, file) in mistakes.lines().skip(1).zip(files) {
        assert!(path.join("train").join(file).is_file(), "{line}");
        assert_eq!(file.split('/').next(), line.split(',').nth(1), "{line}");
    }
    // Trained further on other images, from another seed.
    fs::rename(path.join("test/disc/5.jpg"), path.join("train/disc/new.jpg")).unwrap();
    let train = ["train", "m.keras", "--data", "train", "--epochs", "1", "--seed", "5", "--quiet"];
    succeeds(tallynet(path).args(train).args(["--save", "more.keras"]));
    let text = succeeds(tallynet(path).args(["evaluate", "more.keras", "--data", "train"]));
    assert!(text.contains("of 121 samples that were held out"), "{text}");
}

#[test]
fn a_validation_folder_is_not_taken_for_the_test_set() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let train = ["train", "model.json", "--data", ".", "--epochs", "1", "--patience", "3"];
    let text = succeeds(tallynet(path).args(train));
    assert!(text.contains("val_loss is that of the test set"), "{text}");
    for class in ["disc", "along"] {
        fs::create_dir_all(path.join("val").join(class)).unwrap();
        let image = format!("{class}/3.jpg");
        fs::rename(path.join("test").join(&image), path.join("val").join(&image)).unwrap();
    }
    let text = succeeds(tallynet(path).args(train));
    assert!(!text.contains("val_loss is that of the test set"), "{text}");
}

#[test]
fn the_program_reads_idx_cifar_and_npy_folders() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    let mut model = Sequential::builder([32, 32, 3])
        .add(Flatten {})
        .add(Dense::new(10).activation("softmax"))
        .build(0)
        .unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &["accuracy"]).unwrap();
    formats::save(&model, &path.join("color.json")).unwrap();
    for i in 1..=5 {
        write(path, &format!("cifar/data_batch_{i}.bin"), &record(&[i]));
    }
    write(path, "cifar/test_batch.bin", &record(&[9]));
    let train = |model: &str, data: &str| {
        let mut command = tallynet(path);
        command.args(["train", model, "--epochs", "1", "--data", data]);
        command
    };
    assert!(succeeds(&mut train("color.json", "cifar")).contains("Test score"));

    let mut model =
        Sequential::builder([2, 4]).add(Flatten {}).add(Dense::new(27)).build(0).unwrap();
    model.compile("sgd", "sparse_categorical_crossentropy", &[]).unwrap();
    formats::save(&model, &path.join("small.json")).unwrap();
    write(path, "idx/images", &idx_file(8, &[3, 2, 4], &[9; 24]));
    write(path, "idx/labels", &idx_file(8, &[3], &[1, 26, 1]));
    let error = fails(&mut train("small.json", "idx"));
    assert!(error.contains("no test set in here"), "{error}");
    let text = succeeds(train("small.json", "idx").args(["--test-split", "0.34"]));
    assert!(text.contains("Test score"), "{text}");

    let x = ndarray::Array3::<f32>::from_elem((6, 2, 4), 0.5);
    let y = ndarray::arr1(&[0i64, 1, 26, 3, 4, 5]);
    for suffix in ["_train", "_test"] {
        fs::create_dir_all(path.join("npy")).unwrap();
        ndarray_npy::write_npy(path.join(format!("npy/x{suffix}.npy")), &x).unwrap();
        ndarray_npy::write_npy(path.join(format!("npy/y{suffix}.npy")), &y).unwrap();
    }
    assert!(succeeds(&mut train("small.json", "npy")).contains("Test score"));
    ndarray_npy::write_npy(path.join("npy/y_test.npy"), &ndarray::arr1(&[1.0f32])).unwrap();
    let error = fails(&mut train("small.json", "npy"));
    assert!(error.contains("y_test.npy: it has 1 rows"), "{error}");
    fs::remove_file(path.join("npy/y_test.npy")).unwrap();
    let error = fails(&mut train("small.json", "npy"));
    assert!(error.contains("y_test.npy"), "{error}");
    fs::write(path.join("npy/y_test.npy"), "<html>").unwrap();
    let error = fails(&mut train("small.json", "npy"));
    assert!(error.contains("an array (.npy) is expected here"), "{error}");
}

// ----------------------------------------------------------------------------------------------------------
// IDX and CIFAR

fn idx_file(code: u8, shape: &[u32], numbers: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, code, shape.len() as u8];
    file.extend(shape.iter().flat_map(|length| length.to_be_bytes()));
    file.extend(numbers);
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn idx_files_of_other_sizes_are_read() {
    let root = tempfile::tempdir().unwrap();
    let images: Vec<u8> = (0..3 * 2 * 4).collect();
    write(
        root.path(),
        "emnist-letters-train-images-idx3-ubyte.gz",
        &gzip(&idx_file(8, &[3, 2, 4], &images)),
    );
    write(root.path(), "emnist-letters-train-labels-idx1-ubyte", &idx_file(8, &[3], &[1, 26, 2]));
    write(root.path(), "readme.txt", b"EMNIST");
    assert!(idx::is_in(root.path()));
    let data = idx::load(root.path()).unwrap();
    assert_eq!(data.train.x.shape(), [3, 2, 4]);
    assert_eq!((bytes(&data.train.x), labels(&data.train)), (&images[..], &[1, 26, 2][..]));
    assert!(data.test.is_none());
    write(root.path(), "emnist-letters-test-images-idx3-ubyte", &idx_file(8, &[1, 2, 4], &[5; 8]));
    let error = idx::load(root.path()).unwrap_err().to_string();
    assert!(error.contains("the IDX file of the test labels is missing"), "{error}");
    write(root.path(), "emnist-letters-test-labels-idx1-ubyte", &idx_file(8, &[1], &[7]));
    assert_eq!(labels(&idx::load(root.path()).unwrap().test.unwrap()), [7]);
    // A compressed file beside its raw form is ignored; another data set is not.
    write(root.path(), "emnist-letters-test-labels-idx1-ubyte.gz", &gzip(&idx_file(8, &[1], &[7])));
    idx::load(root.path()).unwrap();
    write(root.path(), "own-train-labels", &idx_file(8, &[1], &[7]));
    let error = idx::load(root.path()).unwrap_err().to_string();
    assert!(error.contains("several data sets"), "{error}");
}

#[test]
fn idx_files_of_every_type_are_read() {
    let reals = |file: &[u8]| match idx::decode(file).unwrap() {
        Inputs::Reals(values) => values.into_raw_vec_and_offset().0,
        Inputs::Bytes { .. } => panic!("these are bytes"),
    };
    assert_eq!(reals(&idx_file(9, &[2], &[255, 1])), [-1.0, 1.0]);
    assert_eq!(reals(&idx_file(11, &[1], &[0xff, 0])), [-256.0]);
    assert_eq!(reals(&idx_file(12, &[1], &[0, 1, 0, 0])), [65536.0]);
    assert_eq!(reals(&idx_file(13, &[1], &1.5f32.to_be_bytes())), [1.5]);
    assert_eq!(reals(&idx_file(14, &[1, 1], &2.5f64.to_be_bytes())), [2.5]);
    assert_eq!(idx::decode(&idx_file(8, &[1, 1, 1, 2], &[1, 2])).unwrap().shape(), [1, 1, 1, 2]);
}

#[test]
fn a_damaged_idx_file_is_an_error() {
    let sound = idx_file(8, &[3, 2], &[0; 6]);
    for (file, expected) in [
        (sound[..11].to_vec(), "damaged or cut off"),
        (sound[..14].to_vec(), "truncated: 2 bytes of the 6 for the shape (3, 2)"),
        ([&sound[..], &[0]].concat(), "too long"),
        (idx_file(8, &[u32::MAX, u32::MAX, u32::MAX], &[]), "more than fits into memory"),
        (idx_file(8, &[0, 3], &[]), "leaves it empty"),
        (idx_file(7, &[1], &[1]), "its number type 0x07 is unknown"),
        (b"<html></html>".to_vec(), "an IDX file is expected here"),
    ] {
        let error = idx::decode(&file).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "x", &sound);
    write(root.path(), "negative", &idx_file(9, &[3], &[0, 255, 0]));
    write(root.path(), "two", &idx_file(8, &[2], &[0, 1]));
    let pair = |labels: &str| {
        let (x, y) = (root.path().join("x"), root.path().join(labels));
        idx::load_pair(&x, &y).unwrap_err().to_string()
    };
    assert!(
        pair("negative").contains("sample 1 (from 0) has the label -1"),
        "{}",
        pair("negative")
    );
    assert!(pair("two").contains("it has 2 labels for the 3 samples"), "{}", pair("two"));
}

/// A record of CIFAR: the labels, and planes whose pixels count up from 0, 100 and 200.
fn record(labels: &[u8]) -> Vec<u8> {
    let mut record = labels.to_vec();
    for start in [0, 100, 200] {
        record.extend((0..1024).map(|i| start + (i % 50) as u8));
    }
    record
}

#[test]
fn cifar_becomes_channels_last() {
    let root = tempfile::tempdir().unwrap();
    for i in 1..=5 {
        write(root.path(), &format!("data_batch_{i}.bin"), &record(&[i]));
    }
    let error = cifar::load(root.path()).unwrap_err().to_string();
    assert!(error.contains("test_batch.bin"), "{error}");
    write(root.path(), "test_batch.bin", &[record(&[9]), record(&[0])].concat());
    write(
        root.path(),
        "batches.meta.txt",
        b"airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n",
    );
    assert!(cifar::is_in(root.path()));
    let data = cifar::load(root.path()).unwrap();
    assert_eq!(data.train.x.shape(), [5, 32, 32, 3]);
    assert_eq!(bytes(&data.train.x)[..6], [0, 100, 200, 1, 101, 201]);
    assert_eq!(labels(&data.train), [1, 2, 3, 4, 5]);
    assert_eq!(labels(&data.test.unwrap()), [9, 0]);
    assert_eq!(data.description.classes[9], "truck");

    let root = tempfile::tempdir().unwrap();
    write(root.path(), "train.bin", &record(&[3, 99]));
    write(root.path(), "test.bin", &record(&[3, 42]));
    let data = cifar::load(root.path()).unwrap();
    assert_eq!((labels(&data.train), labels(&data.test.unwrap())), (&[99][..], &[42][..]));
    assert!(data.description.classes.is_empty());
}

#[test]
fn a_damaged_cifar_file_is_an_error() {
    for (bytes, expected) in [
        (record(&[10]), "image 0 (from 0) has the label 10, where 0 to 9 are expected"),
        (vec![], "its length, 0 bytes, is not a multiple"),
        (record(&[1])[..3000].to_vec(), "its length, 3000 bytes, is not a multiple of 3073 bytes"),
    ] {
        let error = cifar::decode(&bytes, 10).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(cifar::decode(&[], 20).is_err());
}

// ----------------------------------------------------------------------------------------------------------
// any bytes

/// A file with some bytes changed and perhaps its end missing.
fn mutated(sound: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let len = sound.len();
    let changes = prop::collection::vec((0..len, any::<u8>()), 0..12);
    (changes, 0..2 * len).prop_map(move |(changes, kept)| {
        let mut file = sound.clone();
        for (position, byte) in changes {
            file[position] = byte;
        }
        file.truncate(kept.max(1));
        file
    })
}

fn sound_jpeg() -> Vec<u8> {
    let pixels: Vec<u8> = (0..24 * 16 * 3).map(|i| (i * 7 % 256) as u8).collect();
    jpeg(24, 16, ColorType::Rgb, &pixels)
}

fn progressive_jpeg() -> Vec<u8> {
    let pixels: Vec<u8> = (0..24 * 16 * 3).map(|i| (i * 7 % 256) as u8).collect();
    let mut file = vec![];
    let mut encoder = Encoder::new(&mut file, 80);
    encoder.set_progressive(true);
    encoder.encode(&pixels, 24, 16, ColorType::Rgb).unwrap();
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_bytes_panic(
        png in mutated(dot()),
        jpeg in mutated(sound_jpeg()),
        progressive in mutated(progressive_jpeg()),
        idx in mutated(idx_file(8, &[3, 2, 4], &[7; 24])),
        records in mutated([record(&[3]), record(&[4])].concat()),
    ) {
        for file in [png, jpeg, progressive] {
            if let Ok(bytes) = images::decode_and_resize(&file, size(5, 4, 3)) {
                prop_assert_eq!(bytes.len(), 5 * 4 * 3);
            }
            if let Ok(bytes) = images::prepare_digit(&file) {
                prop_assert_eq!(bytes.len(), 28 * 28);
            }
        }
        let _ = idx::decode(&idx);
        let _ = cifar::decode(&records, 10);
        let _ = cifar::decode(&records, 100);
    }
}

#[cfg(feature = "script")]
#[test]
fn a_script_takes_the_size_the_color_and_the_classes_of_a_folder() {
    let root = shapes_folder();
    let path = root.path();
    succeeds(tallynet(path).args(["new", "cnn", "-o", "cnn.py"]));
    let train = ["train", "cnn.py", "--data", "train", "--epochs", "1", "--threads", "1"];
    let train = [&train[..], &["--batch-size", "64", "--save", "cnn.keras"]].concat();
    let own = succeeds(tallynet(path).args(&train));
    assert!(own.contains("(None, 62, 62, 32)    896") && own.contains("(None, 3)"), "{own}");
    let model = formats::load(&path.join("cnn.keras")).unwrap().model;
    assert_eq!(model.data.unwrap().image, Some(size(64, 64, 3)));
    let given = succeeds(tallynet(path).args(&train).args(["--image-size", "16x20"]));
    assert!(given.contains("(None, 14, 18, 32)    896"), "{given}");

    // Gray images have one channel, and those of several sizes get Keras's.
    for i in 0..6 {
        let (side, class) = ([8, 9][i % 2], ["a", "b"][i % 2]);
        let pixels = vec![40 * i as u8; side * side];
        let gray = jpeg(side as u16, side as u16, ColorType::Luma, &pixels);
        write(path, &format!("gray/{class}/{i}.jpg"), &gray);
    }
    let gray = Folder::scan(&path.join("gray")).unwrap().usual_size().unwrap();
    assert_eq!(gray, size(256, 256, 1));
}

#[cfg(feature = "script")]
#[test]
fn images_that_a_model_resizes_and_converts_to_gray_are_told() {
    let root = shapes_folder();
    let path = root.path();
    let script = "
import keras
from keras import layers
(x, y), _ = keras.datasets.mnist.load_data()
x = x.reshape(60000, 28, 28, 1) / 255
model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10)])
model.add(layers.Softmax())
model.compile('sgd', 'sparse_categorical_crossentropy', metrics=['accuracy'])
model.fit(x, y, epochs=1)
";
    write(path, "model.py", script.as_bytes());
    let train = ["train", "model.py", "--data", "train", "--quiet"];
    let text = succeeds(tallynet(path).args(train));
    for part in [
        "Images are resized to 28x28 and converted to gray: the model takes (None, 28, 28, 1).",
        "The model has 10 outputs, and the data have 3 classes",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn images_outside_of_folders_of_classes_are_told() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let error = fails(tallynet(path).args(["train", "model.json", "--data", "train/disc"]));
    assert!(
        error.contains("lie in this folder itself") && error.contains("folder above"),
        "{error}"
    );
}

#[test]
fn an_evaluation_on_the_folder_of_the_training_takes_what_was_held_out() {
    let root = shapes_folder();
    let path = root.path();
    formats::save(&convolutional(), &path.join("model.json")).unwrap();
    let train = ["train", "model.json", "--data", "train", "--epochs", "2", "--quiet"];
    let trained = succeeds(tallynet(path).args(train).args(["--save", "trained.keras"]));
    let evaluate = ["evaluate", "trained.keras", "--data", "train"];
    let evaluated = succeeds(tallynet(path).args(evaluate));
    assert!(evaluated.contains("evaluated on the 24 of 120 samples"), "{evaluated}");
    let scores = |text: &str| text.lines().take(2).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(scores(&trained), scores(&evaluated));
    let other = succeeds(tallynet(path).args(["evaluate", "trained.keras", "--data", "test"]));
    assert!(!other.contains("held out"), "{other}");
    // Trained on all of it, there is nothing to hold out.
    let train = ["train", "model.json", "--data", ".", "--epochs", "1", "--quiet"];
    succeeds(tallynet(path).args(train).args(["--save", "all.keras"]));
    let all = succeeds(tallynet(path).args(["evaluate", "all.keras", "--data", "train"]));
    assert!(all.contains("warning: the model was trained on these samples"), "{all}");
    let unnamed = fails(tallynet(path).args(["evaluate", "all.keras"]));
    let classes = "--data FOLDER, with one folder of images per class: across, along, disc";
    assert!(unnamed.contains(classes), "{unnamed}");
}
