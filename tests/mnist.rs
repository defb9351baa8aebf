//! The main job on the real data, within the ranges that Keras's own runs span (test loss 0.3659 to
//! 0.3681, accuracy 0.9010 to 0.9030 over eight seeds), with a little room.

use std::path::Path;

use tallynet::datasets::{self, Inputs, Targets, TrainTest};
use tallynet::model::presets;
use tallynet::training::FitOptions;

fn digits() -> TrainTest {
    let mut data = datasets::load(Path::new("data")).unwrap();
    data.train.x.scale_bytes(1.0 / 255.0);
    data.test.x.scale_bytes(1.0 / 255.0);
    data
}

#[test]
fn mnist_softmax_ends_where_keras_ends() {
    let data = digits();
    let preset = presets::named("mnist-softmax").unwrap();
    for seed in 0..8 {
        let mut model = preset.build(seed).unwrap();
        let options = FitOptions {
            batch_size: preset.batch_size,
            epochs: preset.epochs,
            validation_data: (seed == 0).then_some(&data.test),
            ..FitOptions::default()
        };
        let history = model.fit(&data.train, options, &mut []).unwrap();
        let scores = model.evaluate(&data.test).unwrap();
        let accuracy = scores.metrics[0].1;
        assert!((0.364..=0.370).contains(&scores.loss), "seed {seed}: loss {}", scores.loss);
        assert!((0.899..=0.905).contains(&accuracy), "seed {seed}: accuracy {accuracy}");
        if seed == 0 {
            let first = history.get("val_loss").unwrap()[0];
            assert!((0.79..=0.83).contains(&first), "validation loss after one epoch: {first}");
        }
        let verification = model.verify().unwrap();
        let kernel =
            verification.lines().find(|line| line.starts_with("  dense_1/kernel")).unwrap();
        assert!(kernel.contains("(784, 10)") && kernel.ends_with(" 7840"), "{verification}");
    }
}

/// Keras's own example has 0.975 after an epoch.
#[test]
#[cfg(not(tallynet_f64))] // A minute with plain kernels.
fn mnist_convnet_learns_in_an_epoch() {
    let data = digits();
    let preset = presets::named("mnist-convnet").unwrap();
    let mut model = preset.build(0).unwrap();
    model
        .fit(
            &data.train,
            FitOptions { batch_size: preset.batch_size, ..FitOptions::default() },
            &mut [],
        )
        .unwrap();
    let accuracy = model.evaluate(&data.test).unwrap().metrics[0].1;
    assert!(accuracy >= 0.97, "accuracy {accuracy}");
}

/// The `mnist` crate reads the same numbers from the same files.
#[test]
fn the_files_hold_what_the_mnist_crate_reads() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
        let name = format!("{part}-ubyte.gz");
        std::fs::copy(Path::new("data").join(&name), folder.path().join(&name)).unwrap();
    }
    // This unpacks them; the crate reads raw files only.
    let ours = datasets::load(folder.path()).unwrap();
    let theirs = mnist::MnistBuilder::new().base_path(folder.path().to_str().unwrap()).finalize();
    let read =
        [(ours.train, theirs.trn_img, theirs.trn_lbl), (ours.test, theirs.tst_img, theirs.tst_lbl)];
    for (data, images, labels) in read {
        let Inputs::Bytes { values, .. } = data.x else { panic!("images are bytes") };
        assert!(values.iter().eq(&images));
        let Targets::Labels(ours) = data.y else { panic!("labels are integers") };
        assert!(ours.iter().copied().eq(labels.into_iter().map(u32::from)));
    }
}
