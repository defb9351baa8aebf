//! Multiply-adds, activations and bytes: tables computed by hand, counts of a run on random models,
//! and explanations byte for byte.

use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use tallynet::Real;
use tallynet::activations::ActivationKind;
use tallynet::kernels::convolution::Padding;
use tallynet::layers::{
    Activation, AnyLayer, AveragePooling2D, BatchNormalization, Built, Conv1D, Conv2D, Dense,
    Dropout, Embedding, Flatten, GlobalAveragePooling1D, GlobalMaxPooling2D, Interpolation, Layer,
    LayerNormalization, MaxPooling1D, MaxPooling2D, Normalization, PReLU, ReLU, RepeatVector,
    Rescaling, Reshape, Softmax, UpSampling2D, ZeroPadding2D,
};
use tallynet::model::{MultiplyAdds, Sequential, Style, presets};
use tallynet::report::{Extent, multiply_add_table};
use tallynet::shape::Shape;

fn model(input: &[usize], layer: impl Into<AnyLayer>) -> Sequential {
    Sequential::builder(input).add(layer).build(0).unwrap()
}

/// Counts of one layer by its formula, which a run confirms.
fn costs(input: &[usize], layer: impl Into<AnyLayer>) -> MultiplyAdds {
    let model = model(input, layer);
    let count = &model.count_multiply_adds().unwrap()[0];
    assert_eq!(count.extent, Extent::Whole);
    assert_eq!(count.stated, count.counted);
    model.costs()[0].multiply_adds.unwrap()
}

#[test]
fn sums_of_products_have_the_multiply_adds_of_a_calculation_by_hand() {
    let conv1d = Conv1D::new;
    let conv2d = |filters, size| Conv2D::new(filters, size);
    let same = Padding::Same;
    let table: Vec<(&[usize], AnyLayer, usize, usize)> = vec![
        (&[784], Dense::new(10).into(), 7840, 0),
        (&[784], Dense { use_bias: false, ..Dense::new(10) }.into(), 7840, 0),
        // 5 × 6 positions.
        (&[5, 6, 3], Dense::new(4).into(), 5 * 6 * 3 * 4, 0),
        // 18 windows of 3 steps.
        (&[20, 8], conv1d(16, 3).into(), 18 * 3 * 8 * 16, 0),
        // ⌊(20 − 3)/2⌋ + 1 = 9 windows.
        (&[20, 8], Conv1D { strides: 2, ..conv1d(16, 3) }.into(), 9 * 3 * 8 * 16, 0),
        // A window spans 5 steps: 16 windows.
        (&[20, 8], Conv1D { dilation_rate: 2, ..conv1d(16, 3) }.into(), 16 * 3 * 8 * 16, 0),
        // One zero before and one behind.
        (&[20, 8], Conv1D { padding: same, ..conv1d(16, 3) }.into(), 20 * 3 * 128, 2 * 128),
        // Two zeros before: windows 0 and 1 touch two and one of them.
        (&[20, 8], Conv1D { padding: Padding::Causal, ..conv1d(16, 3) }.into(), 7680, 3 * 128),
        // 4 zeros before, at distances of 2: windows 0 to 3 touch 2, 2, 1 and 1 of them.
        (
            &[20, 1],
            Conv1D { padding: Padding::Causal, dilation_rate: 2, ..conv1d(1, 3) }.into(),
            60,
            6,
        ),
        (&[28, 28, 1], conv2d(32, [3, 3]).into(), 26 * 26 * 9 * 32, 0),
        (&[26, 26, 32], conv2d(64, [3, 3]).into(), 24 * 24 * 9 * 32 * 64, 0),
        // ⌊(9 − 3)/2⌋ + 1 = 4 rows, ⌊(10 − 2)/3⌋ + 1 = 3 columns.
        (&[9, 10, 2], Conv2D { strides: [2, 3], ..conv2d(5, [3, 2]) }.into(), 4 * 3 * 6 * 2 * 5, 0),
        // A window spans 3 × 7 pixels: 7 × 5 windows.
        (
            &[9, 11, 2],
            Conv2D { dilation_rate: [1, 3], ..conv2d(4, [3, 3]) }.into(),
            7 * 5 * 9 * 2 * 4,
            0,
        ),
        // 28 × 28 windows of 9 pixels, of which (3·28 − 2)² pairs lie on the image.
        (
            &[28, 28, 1],
            Conv2D { padding: same, ..conv2d(8, [3, 3]) }.into(),
            28 * 28 * 9 * 8,
            (28 * 28 * 9 - 82 * 82) * 8,
        ),
        // Along each axis windows at 0, 2 and 4 of 5 pixels, padded by one on each side.
        (
            &[5, 5, 1],
            Conv2D { padding: same, strides: [2, 2], ..conv2d(1, [3, 3]) }.into(),
            9 * 9,
            81 - 7 * 7,
        ),
    ];
    for (input, layer, forward, on_padding) in table {
        let name = format!("{layer:?} on {input:?}");
        let counts = costs(input, layer);
        assert_eq!((counts.forward, counts.on_padding), (forward, on_padding), "{name}");
        assert_eq!(counts.kernel_gradient, forward, "{name}");
        assert_eq!(counts.input_gradient, 0, "the input of a model has no gradient: {name}");
    }
}

#[test]
fn other_layers_have_none_and_name_their_work() {
    let bilinear =
        UpSampling2D { interpolation: Interpolation::Bilinear, ..UpSampling2D::default() };
    let table: Vec<(&[usize], AnyLayer, &str)> = vec![
        (&[26, 26, 32], MaxPooling2D::default().into(), "the largest of 2 × 2 values, 5,408 times"),
        (&[6, 6, 2], AveragePooling2D::default().into(), "the mean of 2 × 2 values, 18 times"),
        (&[20, 4], MaxPooling1D::default().into(), "the largest of 2 values, 40 times"),
        (
            &[7, 7, 64],
            GlobalMaxPooling2D::default().into(),
            "the largest of 7 × 7 values, 64 times",
        ),
        (&[9, 5], GlobalAveragePooling1D::default().into(), "the mean of 9 values, 5 times"),
        (
            &[4, 4, 8],
            BatchNormalization::default().into(),
            "a multiplication and an addition for each of 128 values; in training also the mean \
             and the variance of each of 8 channels",
        ),
        (
            &[20, 8],
            LayerNormalization::default().into(),
            "the mean and the variance of each vector of 8 values, and a multiplication and \
             an addition for each of 160 values",
        ),
        (
            &[5],
            Normalization::default().into(),
            "a subtraction and a division for each of 5 values",
        ),
        (
            &[5],
            Rescaling::default().into(),
            "a multiplication and an addition for each of 5 values",
        ),
        (&[20], Embedding::new(1000, 16).into(), "20 vectors of 16 values are looked up"),
        (
            &[1600],
            Dropout::new(0.5).into(),
            "in training a factor, 0 or not, for each of 1,600 values",
        ),
        (&[1, 28, 28], Flatten {}.into(), "none, only another shape for the same 784 values"),
        (
            &[12],
            Reshape { target_shape: vec![3, 4] }.into(),
            "none, only another shape for the same 12 values",
        ),
        (&[5], RepeatVector { n: 3 }.into(), "15 values are copied"),
        (&[5, 6, 3], ZeroPadding2D::default().into(), "168 values are copied"),
        (&[7, 5, 3], UpSampling2D::default().into(), "420 values are copied"),
        (&[7, 5, 3], bilinear.into(), "the weighted mean of at most 2 × 2 values, 420 times"),
        (&[9], ReLU::default().into(), "ReLU of 9 values"),
        (&[9], PReLU::default().into(), "PReLU of 9 values"),
        (&[9], Softmax::default().into(), "softmax of 9 values"),
        (&[9], Activation::new("tanh").into(), "tanh of 9 values"),
        (&[9], Activation::default().into(), "none, linear leaves each value as it is"),
    ];
    for (input, layer, words) in table {
        let name = format!("{layer:?}");
        assert_eq!(costs(input, layer.clone()), MultiplyAdds::default(), "{name}");
        let model = model(input, layer);
        assert_eq!(model.layers()[0].explain_cost().elementwise, words, "{name}");
    }
    let dense = |layer: Dense| model(&[4], layer).layers()[0].explain_cost().elementwise;
    assert_eq!(dense(Dense::new(3)), "a bias is added to 3 sums");
    let relu = Dense::new(3).activation(ActivationKind::Relu);
    assert_eq!(dense(relu), "a bias is added to 3 sums; relu of 3 values");
    assert_eq!(dense(Dense { use_bias: false, ..Dense::new(3) }), "none");
}

#[test]
fn every_class_states_and_proves_its_cost() {
    let inputs: [&[usize]; 3] = [&[8], &[8, 6], &[8, 8, 4]];
    for layer in AnyLayer::all() {
        let class = layer.class_name();
        let layer: AnyLayer = match layer {
            AnyLayer::Dense(_) => Dense::new(3).into(),
            AnyLayer::Conv1D(_) => Conv1D::new(3, 2).into(),
            AnyLayer::Conv2D(_) => Conv2D::new(3, [2, 2]).into(),
            AnyLayer::Embedding(_) => Embedding::new(9, 3).into(),
            AnyLayer::Reshape(_) => Reshape { target_shape: vec![-1] }.into(),
            other => other,
        };
        let fits = |input: &&&[usize]| layer.as_layer().build(&Shape::from(**input)).is_ok();
        let input = inputs.iter().find(fits).unwrap_or_else(|| panic!("{class} fits no input"));
        let model = model(input, layer);
        let cost = model.costs()[0];
        assert_eq!(cost.activations, model.layers()[0].output.n_values(), "{class}");
        assert_eq!(cost.activation_bytes(), cost.activations * size_of::<Real>(), "{class}");
        assert_eq!(cost.param_bytes(), model.count_params() * size_of::<Real>(), "{class}");
        let words = model.layers()[0].explain_cost().elementwise;
        assert!(!words.is_empty() && !words.contains("not known"), "{class}: {words}");
        let count = &model.count_multiply_adds().unwrap()[0];
        assert!(count.agrees() && count.extent == Extent::Whole, "{class}: {count:?}");
    }
}

#[test]
fn gradients_are_counted_where_training_needs_them() {
    let gradients = |model: &Sequential| -> Vec<[usize; 2]> {
        let counts = model.count_multiply_adds().unwrap();
        let counted = counts.iter().map(|count| {
            assert_eq!(count.stated, count.counted);
            count.counted.unwrap()
        });
        counted.map(|counts| [counts.kernel_gradient, counts.input_gradient]).collect()
    };
    let layers = || Sequential::builder([4]).add(Dense::new(3)).add(Dense::new(2));
    assert_eq!(gradients(&layers().build(0).unwrap()), [[12, 0], [6, 6]]);
    let last_frozen = layers().frozen().build(0).unwrap();
    assert_eq!(gradients(&last_frozen), [[12, 0], [0, 6]]);
    let builder = || Sequential::builder([4]).add(Dense::new(3)).frozen();
    let first_frozen = builder().add(Dense::new(2)).build(0).unwrap();
    assert_eq!(gradients(&first_frozen), [[0, 0], [6, 0]]);
    assert_eq!(gradients(&builder().build(0).unwrap()), [[0, 0]]);
    // The statistics of a Normalization are weights, but not trained; embeddings are.
    let after = |layer: AnyLayer| {
        let model = Sequential::builder([4]).add(layer).add(Dense::new(2)).build(0).unwrap();
        gradients(&model)[1]
    };
    assert_eq!(after(Normalization::default().into()), [8, 0]);
    assert_eq!(after(Embedding::new(9, 5).into()), [40, 40]);
    let total = layers().build(0).unwrap().total_cost();
    let counts = total.multiply_adds.unwrap();
    assert_eq!((counts.forward, counts.backward(), counts.forward_and_backward()), (18, 24, 42));
    assert_eq!((total.activations, total.params), (5, 23));
}

#[test]
fn the_presets_have_the_totals_of_their_layers() {
    let total = |name: &str| {
        let model = presets::named(name).unwrap().build(0).unwrap();
        let counts = model.count_multiply_adds().unwrap();
        counts.iter().for_each(|count| count.check().unwrap());
        model.total_cost().multiply_adds.unwrap().forward
    };
    assert_eq!(total("mnist-softmax"), 7840);
    assert_eq!(total("mnist-cnn"), 194_688 + 10_616_832 + 368_640);
    assert_eq!(total("dense-514"), 514 * 514 + 514 * 257);
    let layers = [222 * 222 * 27 * 32, 220 * 220 * 288 * 64, 218 * 218 * 576 * 128];
    assert_eq!(total("conv-224"), layers.iter().sum::<usize>() + 218 * 218 * 128 * 10);
}

/// A model of a thousand million multiply-adds is proved in a part, one that is beyond that is not.
#[test]
fn large_layers_are_run_in_part() {
    let start = Instant::now();
    let images = Sequential::builder([224, 224, 64]);
    let conv = Conv2D { padding: Padding::Same, ..Conv2D::new(128, [3, 3]) };
    let model = images.add(conv).add(Dense::new(1000)).build(0).unwrap();
    let counts = model.count_multiply_adds().unwrap();
    assert_eq!(counts[0].extent, Extent::Part(64 * 128));
    assert_eq!(counts[0].counted.unwrap().forward, 224 * 224 * 9 * 64 * 128);
    assert_eq!(counts[0].counted, counts[0].stated);
    assert_eq!(counts[1].extent, Extent::Part(1000));
    assert_eq!(counts[1].counted.unwrap().input_gradient, 224 * 224 * 128 * 1000);
    let text = multiply_add_table(&counts).unwrap();
    assert!(text.contains("1 of 8,192 parts") && text.contains("one pair of a channel"), "{text}");

    let model = model_of_a_large_image();
    let counts = model.count_multiply_adds().unwrap();
    assert_eq!((&counts[0].extent, counts[0].counted), (&Extent::TooLarge, None));
    assert!(counts[0].agrees());
    let text = multiply_add_table(&counts).unwrap();
    assert!(text.contains("Not run, and not in the total: conv2d_1."), "{text}");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn model_of_a_large_image() -> Sequential {
    model(&[20_000, 20_000, 3], Conv2D::new(1, [3, 3]))
}

#[test]
fn a_disagreement_is_an_error_with_both_numbers() {
    let model = presets::named("mnist-softmax").unwrap().build(0).unwrap();
    let mut counts = model.count_multiply_adds().unwrap();
    for change in [
        |counts: &mut MultiplyAdds| counts.forward += 1,
        |counts: &mut MultiplyAdds| counts.on_padding += 1,
        |counts: &mut MultiplyAdds| counts.kernel_gradient -= 1,
        |counts: &mut MultiplyAdds| counts.input_gradient += 1,
    ] {
        let stated = counts[1].stated;
        change(counts[1].stated.as_mut().unwrap());
        assert!(!counts[1].agrees());
        let error = counts[1].check().unwrap_err().to_string();
        assert!(error.starts_with("dense_1: the formula 784 inputs × 10 units gives "), "{error}");
        assert!(error.contains("the reference kernels execute 7840 multiply-adds"), "{error}");
        assert_eq!(multiply_add_table(&counts).unwrap_err().to_string(), error);
        counts[1].stated = stated;
    }
    counts[1].check().unwrap();
}

/// A layer of one's own, with or without operations of a built-in one.
#[derive(Debug)]
struct Own;

impl Layer for Own {
    fn build(&self, input: &Shape) -> tallynet::Result<Built> {
        Dense::new(3).build(input)
    }
}

#[test]
fn the_cost_of_a_custom_layer_is_not_known() {
    let model = Sequential::builder([4]).add(Own).add(Dense::new(2)).build(0).unwrap();
    assert_eq!(model.costs()[0].multiply_adds, None);
    assert_eq!(model.total_cost().multiply_adds.unwrap().forward, 6);
    let counts = model.count_multiply_adds().unwrap();
    assert_eq!(counts[0].extent, Extent::Unknown);
    let text = multiply_add_table(&counts).unwrap();
    assert!(text.contains("Not run, and not in the total: own_1."), "{text}");
    let text = model.explain_costs(Style::Keras2);
    for part in [
        "    multiply-adds: not known for the class Own\n",
        "    without the multiply-adds of 1 layers, which are not known\n",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
}

#[test]
fn open_lengths_are_stated() {
    let layers = serde_json::json!([
        { "class_name": "Embedding", "config": {
            "input_dim": 50, "output_dim": 8, "batch_input_shape": [null, null] } },
        { "class_name": "Conv1D", "config": { "filters": 4, "kernel_size": 3 } },
        { "class_name": "GlobalAveragePooling1D", "config": {} },
    ]);
    let model = tallynet::formats::from_description(&layers).unwrap().model;
    assert_eq!(model.batch_shape(0), [None, None]);
    assert_eq!(model.batch_shape(2), [None, None, Some(4)]);
    assert_eq!(model.batch_shape(3), [None, Some(4)]);
    let text = model.explain_costs(Style::Keras3);
    for part in [
        "The data decide the lengths that the shapes leave open; these counts are for (None, 64).",
        "conv1d (Conv1D): (None, None, 8) -> (None, None, 4)",
        "62 positions × (3 × 8 inputs) × 4 filters = 5,952 multiply-adds",
    ] {
        assert!(text.contains(part), "{part:?} is missing in\n{text}");
    }
    let longer = model.with_input_shape(&[20].into()).unwrap();
    assert_eq!(longer.total_cost().multiply_adds.unwrap().forward, 18 * 3 * 8 * 4);
}

/// The explanation of a model with most kinds of layers; in double precision the bytes differ.
#[test]
fn explanations_byte_for_byte() {
    if size_of::<Real>() == 8 {
        return;
    }
    let same = Conv2D { padding: Padding::Same, ..Conv2D::new(4, [3, 3]).activation("relu") };
    let model = Sequential::builder([8, 8, 1])
        .add(Rescaling { scale: 1.0 / 255.0, offset: 0.0 })
        .add(same)
        .add(BatchNormalization::default())
        .add(MaxPooling2D::default())
        .add(Conv2D { use_bias: false, ..Conv2D::new(6, [2, 2]) })
        .frozen()
        .add(Flatten {})
        .add(Dropout::new(0.25))
        .add(Dense::new(10).activation(ActivationKind::Softmax))
        .named("digits")
        .build(0)
        .unwrap();
    let softmax = presets::named("mnist-softmax").unwrap().build(0).unwrap();
    for (text, name) in [
        (model.explain_costs(Style::Keras2), "costs"),
        (softmax.explain_costs(Style::Keras1), "costs_softmax"),
    ] {
        let expected = fs::read_to_string(format!("tests/fixtures/summaries/{name}.txt")).unwrap();
        assert_eq!(text, expected, "{text}");
    }
}

fn padding() -> impl Strategy<Value = Padding> {
    prop_oneof![Just(Padding::Valid), Just(Padding::Same)]
}

/// A layer for images.
fn image_layer() -> impl Strategy<Value = AnyLayer> {
    let conv =
        (1usize..4, [1usize..4, 1usize..4], [1usize..4, 1usize..4], any::<bool>(), padding());
    let conv = conv.prop_map(|(filters, size, rate, dilated, padding)| {
        let conv = Conv2D { padding, ..Conv2D::new(filters, size) };
        if dilated {
            Conv2D { dilation_rate: rate, ..conv }.into()
        } else {
            Conv2D { strides: rate, ..conv }.into()
        }
    });
    prop_oneof![
        4 => conv,
        1 => (1usize..4).prop_map(|units| Dense::new(units).into()),
        1 => Just(MaxPooling2D::default().into()),
        1 => Just(BatchNormalization::default().into()),
        1 => Just(ZeroPadding2D::default().into()),
        1 => Just(Activation::new("relu").into()),
    ]
}

/// A layer for sequences.
fn sequence_layer() -> impl Strategy<Value = AnyLayer> {
    let any_padding = prop_oneof![padding(), Just(Padding::Causal)];
    let conv = (1usize..4, 1usize..5, 1usize..4, any::<bool>(), any_padding);
    let conv = conv.prop_map(|(filters, size, rate, dilated, padding)| {
        let conv = Conv1D { padding, ..Conv1D::new(filters, size) };
        if dilated {
            Conv1D { dilation_rate: rate, ..conv }.into()
        } else {
            Conv1D { strides: rate, ..conv }.into()
        }
    });
    prop_oneof![
        4 => conv,
        1 => (1usize..4).prop_map(|units| Dense::new(units).into()),
        1 => Just(MaxPooling1D::default().into()),
        1 => Just(LayerNormalization::default().into()),
    ]
}

/// Adds the layers that fit, some of them frozen, and compares all counts.
fn compare(input: &[usize], layers: Vec<(AnyLayer, bool)>) {
    let mut builder = Sequential::builder(input);
    for (layer, frozen) in layers {
        let mut longer = builder.clone().add(layer);
        if frozen {
            longer = longer.frozen();
        }
        if longer.clone().build(0).is_ok() {
            builder = longer;
        }
    }
    let model = builder.add(Flatten {}).add(Dense::new(3)).build(0).unwrap();
    for count in model.count_multiply_adds().unwrap() {
        assert_eq!(count.extent, Extent::Whole);
        assert_eq!(count.stated, count.counted, "{count:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_run_counts_what_the_formulas_state_for_images(
        height in 1usize..14, width in 1usize..14, channels in 1usize..4,
        layers in prop::collection::vec((image_layer(), any::<bool>()), 1..6),
    ) {
        compare(&[height, width, channels], layers);
    }

    #[test]
    fn a_run_counts_what_the_formulas_state_for_sequences(
        steps in 1usize..30, channels in 1usize..4,
        layers in prop::collection::vec((sequence_layer(), any::<bool>()), 1..6),
    ) {
        compare(&[steps, channels], layers);
    }

    /// A part of a layer, times the number of parts, is the whole.
    #[test]
    fn parts_add_up(
        height in 1usize..12, width in 1usize..12, channels in 1usize..4, filters in 1usize..5,
        size in [1usize..4, 1usize..4], strides in [1usize..4, 1usize..4], padding in padding(),
    ) {
        use tallynet::kernels::counting::{Gradients, MatrixProduct, Part, Products};
        use tallynet::layers::{Formula, Operation};
        let layer = Conv2D { strides, padding, ..Conv2D::new(filters, size) };
        let gradients = Gradients { kernel: true, input: true };
        let product = MatrixProduct { positions: height, inputs: width, units: filters };
        let mut all = vec![Products::Matrix(product)];
        if let Ok(built) = layer.build(&Shape::from([height, width, channels]))
            && let Operation::Op(op) = &built.operations[0]
            && let Some(Formula::Convolution(convolution)) = op.formula()
        {
            all.push(Products::Convolution(convolution));
        }
        for whole in all {
            let Part { products, n } = whole.part();
            prop_assert_eq!(products.count(gradients).times(n), whole.count(gradients));
        }
    }
}

/// The FLOPs that XLA states for Keras's layers, which leaves out products with padding.
#[test]
fn costs_are_those_of_xla_without_the_padding() {
    let recorded: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/costs.json")).unwrap();
    let cases = recorded["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 62);
    for case in cases {
        let layer: AnyLayer = serde_json::from_value(serde_json::json!({
            "class_name": case["class_name"], "config": case["config"],
        }))
        .unwrap();
        let input: Vec<usize> = serde_json::from_value(case["input"].clone()).unwrap();
        // The layer is built after one with weights, so that its input has a gradient.
        let before = PReLU::default();
        let model = Sequential::builder(input).add(before).add(layer).build(0).unwrap();
        let count = &model.count_multiply_adds().unwrap()[1];
        count.check().unwrap();
        let counts = count.counted.unwrap();
        let flops = |multiply_adds: usize| 2 * (multiply_adds - counts.on_padding);
        assert_eq!(case["forward"], flops(counts.forward), "{case}");
        assert_eq!(case["kernel_gradient"], flops(counts.kernel_gradient), "{case}");
        assert_eq!(case["input_gradient"], flops(counts.input_gradient), "{case}");
    }
}
