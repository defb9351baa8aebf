//! Summaries byte for byte as Keras prints them; explanations and nodes.

use std::fs;

use tallynet::activations::ActivationKind;
use tallynet::layers::{Activation, Conv2D, Dense, Flatten};
use tallynet::model::{Sequential, Style, presets};
use tallynet::report::Node;

/// The summary that Keras printed, with doubled memory sizes in a double-precision build.
fn expected(name: &str) -> String {
    let text = fs::read_to_string(format!("tests/fixtures/summaries/{name}.txt")).unwrap();
    let doubled = [("30.66 KB", "61.33 KB"), ("1.51 MB", "3.03 MB"), ("369.29 KB", "738.58 KB")];
    match size_of::<tallynet::Real>() {
        8 => doubled.iter().fold(text, |text, (single, double)| text.replace(single, double)),
        _ => text,
    }
}

fn model(name: &str) -> Sequential {
    presets::named(name).unwrap().build(0).unwrap()
}

#[test]
fn mnist_softmax_as_keras_1_2_and_3_print_it() {
    let model = model("mnist-softmax");
    assert_eq!(model.summary(Style::Keras1, None), expected("k1_0_8_model0"));
    assert_eq!(model.summary(Style::Keras2, None), expected("k2_model0"));
    assert_eq!(model.summary(Style::Keras3, None), expected("k3_model0_w76"));
    assert_eq!(model.summary(Style::Keras3, Some(88)), expected("k3_model0_w88"));
    let wide = model.summary(Style::Keras3, Some(100_000));
    assert_eq!(
        wide.lines().nth(1).unwrap().chars().count(),
        100_000,
        "wider than the maximum format width"
    );
}

#[test]
fn the_dense_514_presets() {
    let plain = model("dense-514");
    assert_eq!(plain.summary(Style::Keras1, None), expected("k1_0_8_dense514"));
    assert_eq!(plain.summary(Style::Keras2, None), expected("k2_dense514"));
    assert_eq!(plain.summary(Style::Keras3, None), expected("k3_dense514_w76"));
    assert_eq!(plain.summary(Style::Keras3, Some(88)), expected("k3_dense514_w88"));
    let with_activation = model("dense-514-activation").summary(Style::Keras1, None);
    assert_eq!(with_activation, expected("k1_0_8_dense514_with_activation"));
    let text = plain.explain(Style::Keras1);
    for part in [
        "514 inputs × 514 units + 514 biases = 264710",
        "132355",
        "Total: 264710 + 132355 = 397065",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn the_conv_224_preset() {
    let model = model("conv-224");
    assert_eq!(model.summary(Style::Keras2, None), expected("k2_conv"));
    assert_eq!(model.summary(Style::Keras3, None), expected("k3_conv_w76"));
    assert_eq!(model.summary(Style::Keras3, Some(88)), expected("k3_conv_w88"));
    let table = model.summary(Style::Keras1, None);
    for row in [
        "conv2d_1 (Conv2D)",
        "(None, 222, 222, 32)  896",
        "conv2d_input_1[0][0]",
        "Total params: 94538",
    ] {
        assert!(table.contains(row), "{row:?} is missing in\n{table}");
    }
    let text = model.explain(Style::Keras2);
    for part in [
        "32 filters × (3 × 3 × 3 inputs + 1 bias) = 896",
        "64 filters × (3 × 3 × 32 inputs + 1 bias) = 18496",
        "128 filters × (3 × 3 × 64 inputs + 1 bias) = 73856",
        "128 inputs × 10 units + 10 biases = 1290",
        "height and width",
        "Total: 896 + 18496 + 73856 + 1290 = 94538",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let conv = |filters| Conv2D::new(filters, [3, 3]).activation("relu");
    let named = Sequential::builder([224, 224, 3])
        .add(conv(32))
        .add(conv(64))
        .add(conv(128))
        .add(Dense::new(10).activation(ActivationKind::Softmax))
        .named("dense_9")
        .build(0)
        .unwrap();
    assert_eq!(named.summary(Style::Keras2, None), expected("k2_conv_dense_9"));
}

#[test]
fn frozen_layers_are_counted_separately() {
    let model =
        Sequential::builder([4]).add(Dense::new(3)).frozen().add(Dense::new(2)).build(0).unwrap();
    let table = model.summary(Style::Keras2, None);
    assert!(
        table.contains("Total params: 23\nTrainable params: 8\nNon-trainable params: 15\n"),
        "{table}"
    );
    let table = model.summary(Style::Keras3, None);
    assert!(
        table.contains(" Trainable params: 8 (") && table.contains(" Non-trainable params: 15 ("),
        "{table}"
    );
}

#[test]
fn training_does_not_change_the_total() {
    use ndarray::ArrayD;
    use tallynet::datasets::{Dataset, Inputs, Targets};
    use tallynet::training::FitOptions;
    let mut model = model("mnist-softmax");
    let before = model.summary(Style::Keras3, None);
    let data = Dataset {
        x: Inputs::Reals(ArrayD::ones(vec![4, 28, 28])),
        y: Targets::Labels(ArrayD::zeros(vec![4])),
    };
    model.fit(&data, FitOptions::default(), &mut []).unwrap();
    assert_eq!(model.summary(Style::Keras3, None), before);
}

#[test]
fn the_explanation_shows_the_arithmetic() {
    let text = model("mnist-softmax").explain(Style::Keras1);
    for part in [
        "784 inputs × 10 units + 10 biases = 7850",
        "each of the 10 units has 784 weights, one per input, and a bias of its own",
        "1 × 28 × 28 = 784",
        "kernel   (784, 10)              7840",
        "bias     (10,)                    10",
        "None is the batch axis",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn nodes_connect_adjacent_layers() {
    let model = model("mnist-softmax");
    let inbound = model.inbound_nodes(Style::Keras2);
    let names = |node: &Node| (node.inbound_layer.clone(), node.outbound_layer.clone());
    let pair = |from: &str, to: &str| (from.to_string(), to.to_string());
    assert_eq!(names(&inbound[0]), pair("flatten_input_1", "flatten_1"));
    assert_eq!(names(&inbound[1]), pair("flatten_1", "dense_1"));
    assert_eq!(names(&inbound[2]), pair("dense_1", "activation_1"));
    assert_eq!(inbound.len(), 3);
    assert!(model.nodes(Style::Keras2).ends_with("outbound_nodes: []\n"));
    let nodes = |style| model.nodes(style);
    assert!(
        nodes(Style::Keras2).contains("<Node flatten_1[0][0] (None, 784) -> dense_1 (None, 10)>")
    );
    assert!(nodes(Style::Keras3).contains("<Node flatten[0][0] (None, 784) -> dense (None, 10)>"));
}

#[test]
fn given_names_are_kept_and_do_not_advance_the_automatic_numbers() {
    let model = Sequential::builder([4])
        .add(Dense::new(3))
        .add(Dense::new(3))
        .named("a name of its own that is longer than a column")
        .add(Dense::new(2))
        .build(0)
        .unwrap();
    let names: Vec<_> = model.layers().iter().map(|layer| layer.name()).collect();
    assert_eq!(names, ["dense_1", "a name of its own that is longer than a column", "dense_2"]);
    let table = model.summary(Style::Keras2, None);
    assert!(table.lines().all(|line| line.chars().count() <= 65), "{table}");
    assert!(table.contains("\na name of its own that is lo (None, 3)"), "{table}");
    let table = model.summary(Style::Keras3, None);
    assert!(table.contains("│ dense_1 (Dense) "), "{table}");
    let widths: Vec<_> = table.lines().skip(1).take(3).map(|line| line.chars().count()).collect();
    assert_eq!(widths, [76, 76, 76]);
}

#[test]
fn duplicate_layer_names_are_refused() {
    let result = Sequential::builder([4])
        .add(Dense::new(3))
        .named("twin")
        .add(Dense::new(3))
        .named("twin")
        .build(0);
    assert!(result.unwrap_err().to_string().contains("two layers are called \"twin\""));
}

#[test]
fn a_shape_error_shows_the_whole_chain_of_layers() {
    let result = Sequential::builder([28, 28])
        .add(Flatten {})
        .add(Dense::new(0))
        .add(Activation::new(ActivationKind::Softmax))
        .build(0);
    let text = result.unwrap_err().to_string();
    for part in [
        "input",
        "(None, 28, 28)",
        "flatten_1 (Flatten)",
        "(None, 784)",
        "> dense_1 (Dense)",
        "activation_1",
        "fix",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn class_names_become_layer_names_as_in_keras() {
    let names = [
        ("Conv2D", "conv2d"),
        ("MaxPooling2D", "max_pooling2d"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ("BatchNormalization", "batch_normalization"),
        ("ReLU", "re_lu"),
        ("LeakyReLU", "leaky_re_lu"),
        ("ELU", "elu"),
        ("RMSprop", "rm_sprop"),
        ("AdamW", "adam_w"),
        ("ZeroPadding2D", "zero_padding2d"),
        ("Conv1D", "conv1d"),
        ("GlobalMaxPooling1D", "global_max_pooling1d"),
        ("PReLU", "p_re_lu"),
        ("SpatialDropout1D", "spatial_dropout1d"),
        ("UpSampling2D", "up_sampling2d"),
    ];
    for (class, name) in names {
        assert_eq!(tallynet::snake_case(class), name);
    }
}
