//! Photos of digits as inputs of models of MNIST.

#[path = "common/photo.rs"]
mod photo;

use std::path::Path;

use ndarray::{Array, IxDyn};
use photo::{Photo, Scene};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tallynet::datasets::{self, Dataset, Inputs, Targets, images};
use tallynet::kernels::rows::argmax;
use tallynet::model::{Sequential, presets};
use tallynet::training::FitOptions;

/// Digits of MNIST's test set, with their labels.
struct Digits {
    images: Vec<Vec<u8>>,
    labels: Vec<usize>,
}

fn digits(data: &Dataset) -> Digits {
    let Inputs::Bytes { values, .. } = &data.x else { panic!("images are bytes") };
    let Targets::Labels(labels) = &data.y else { panic!("labels are integers") };
    let bytes: Vec<u8> = values.iter().copied().collect();
    Digits {
        images: bytes.chunks_exact(784).map(<[u8]>::to_vec).collect(),
        labels: labels.iter().map(|label| *label as usize).collect(),
    }
}

/// Classes that a model gives prepared images.
fn classes(model: &mut Sequential, prepared: &[Vec<u8>]) -> Vec<usize> {
    let shape = IxDyn(&[prepared.len(), 28, 28]);
    let mut inputs = Inputs::bytes(Array::from_shape_vec(shape, prepared.concat()).unwrap());
    inputs.scale_bytes(1.0 / 255.0);
    let outputs = model.predict(&inputs).unwrap();
    outputs.as_slice().unwrap().chunks_exact(10).map(argmax).collect()
}

fn trained(name: &str, n: usize, epochs: usize, train: &Dataset) -> Sequential {
    let mut train = train.select(&(0..n).collect::<Vec<_>>()).unwrap();
    train.x.scale_bytes(1.0 / 255.0);
    let mut model = presets::named(name).unwrap().build(0).unwrap();
    let options = FitOptions { batch_size: 64, epochs, ..FitOptions::default() };
    model.fit(&train, options, &mut []).unwrap();
    model
}

#[test]
fn study() {
    let data = datasets::load(Path::new("data")).unwrap();
    let test = digits(&data.test);
    let n = 1000;
    let t = std::time::Instant::now();
    let mut models = vec![
        trained("mnist-softmax", 60_000, 4, &data.train),
        trained("mnist-convnet", 20_000, 1, &data.train),
    ];
    println!("train {:?}", t.elapsed());
    let clean: Vec<Vec<usize>> = models.iter_mut().map(|m| classes(m, &test.images[..n])).collect();
    for kind in 0..4 {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut prepared = vec![];
        for i in 0..n {
            let digit = &test.images[i];
            let scene = Scene::random(&mut rng);
            let scene = match kind {
                0 => Scene {
                    height: 28,
                    width: 28,
                    scale: 1.0,
                    angle: 0.0,
                    y: 13.5,
                    x: 13.5,
                    paper: 255.0,
                    ink: 0.0,
                    shade: 0.0,
                    noise: 0.0,
                    light: 0.0,
                },
                1 => Scene { angle: 0.0, shade: 0.0, noise: 0.0, ..scene },
                _ => scene,
            };
            let photo = scene.photo(digit, &mut rng);
            let photo = if kind == 3 { photo.inverted() } else { photo };
            let file = if kind == 0 { photo.png() } else { photo.jpeg(rng.random_range(50..95)) };
            match images::prepare_digit(&file) {
                Ok(p) => prepared.push(p),
                Err(e) => {
                    println!("{e}");
                    prepared.push(vec![0; 784])
                }
            }
        }
        // mean abs difference
        let d: f64 = prepared
            .iter()
            .zip(&test.images)
            .map(|(a, b)| {
                a.iter().zip(b).map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 784.0
            })
            .sum::<f64>()
            / n as f64;
        for (m, clean) in models.iter_mut().zip(&clean) {
            let got = classes(m, &prepared);
            let right = (0..n).filter(|i| got[*i] == test.labels[*i]).count();
            let right_clean = (0..n).filter(|i| clean[*i] == test.labels[*i]).count();
            let both = (0..n)
                .filter(|i| got[*i] == test.labels[*i] && clean[*i] == test.labels[*i])
                .count();
            println!("kind {kind}: right {right}, clean {right_clean}, both {both}; diff {d:.2}");
        }
    }
    println!("all {:?}", t.elapsed());
}
