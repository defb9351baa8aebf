//! Convolution against its specification over a table of geometries and over random ones, and its
//! errors.

use std::process::Command;

use proptest::prelude::*;
use tallynet::kernels::convolution::{self, Axis, BackwardInput, Convolution, Padding, Weights};
use tallynet::kernels::{check_choice, reference};
use tallynet::layers::{AnyLayer, Conv2D, Layer};
use tallynet::shape::Shape;
use tallynet::{Error, Real};

fn noise(n: usize, seed: u64) -> Vec<Real> {
    let mut state = seed.wrapping_add(9);
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as Real / (1 << 23) as Real - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Sizes of a convolution, built independently of the layer.
fn convolution(layer: &Conv2D, [height, width, channels]: [usize; 3]) -> Convolution {
    let axis = |input: usize, i: usize| {
        let (kernel, stride) = (layer.kernel_size[i], layer.strides[i]);
        let dilation = layer.dilation_rate[i];
        let axis = Axis::new(input, kernel, stride, dilation, layer.padding).unwrap();
        let extent = (kernel - 1) * dilation + 1;
        let (output, before) = match layer.padding {
            Padding::Valid => ((input - extent) / stride + 1, 0),
            Padding::Same => {
                let output = input.div_ceil(stride);
                (output, ((output - 1) * stride + extent).saturating_sub(input) / 2)
            }
            Padding::Causal => (input.div_ceil(stride), extent - 1),
        };
        assert_eq!((axis.output, axis.before), (output, before), "{layer:?}");
        axis
    };
    Convolution { rows: axis(height, 0), columns: axis(width, 1), channels, filters: layer.filters }
}

/// Largest relative error of a sum.
const TOLERANCE: f64 = if size_of::<Real>() == 4 { 2e-5 } else { 1e-12 };

/// True for the geometries that Winograd's algorithm may take.
fn is_winograd(c: &Convolution) -> bool {
    c.rows.kernel == 3
        && c.columns.kernel == 3
        && c.channels.is_multiple_of(16)
        && c.filters.is_multiple_of(16)
}

/// Compares two images with the specification; the gradient at the output of those that are
/// `sparse` is mostly zero.
fn compare(layer: &Conv2D, image: [usize; 3], sparse: [bool; 2]) {
    let c = convolution(layer, image);
    let n_in = image.iter().product::<usize>();
    let n_out = c.rows.output * c.columns.output * c.filters;
    let (kernel, bias) = (noise(c.depth() * c.filters, 1), noise(c.filters, 5));
    let bias = if layer.use_bias { &bias[..] } else { &[] };
    let weights = Weights { kernel: &kernel, bias };
    let (x, mut dy) = (noise(2 * n_in, 2), noise(2 * n_out, 3));
    for (dy, _) in dy.chunks_mut(n_out).zip(sparse).filter(|(_, sparse)| *sparse) {
        dy.iter_mut().enumerate().filter(|(i, _)| i * 7 % 5 > 0).for_each(|(_, dy)| *dy = 0.0);
    }
    let close = |fast: &[Real], exact: &[f64], array: &str| {
        // Winograd's sums lose digits by cancellation: their error follows the size of all sums.
        let squares: f64 = exact.iter().map(|exact| exact * exact).sum();
        let rms = if is_winograd(&c) { (squares / exact.len() as f64).sqrt() } else { 0.0 };
        for (fast, exact) in fast.iter().zip(exact) {
            assert!(
                (f64::from(*fast) - exact).abs() < TOLERANCE * (1.0 + exact.abs()).max(rms),
                "{array}: {fast} {exact}\n{layer:?} on {image:?}"
            );
        }
    };
    let scratch = || vec![Real::NAN; c.scratch_len()];
    let (mut y, mut dx) = (vec![Real::NAN; 2 * n_out], vec![Real::NAN; 2 * n_in]);
    convolution::forward(&c, weights, &x, &mut y, &mut scratch());
    convolution::input_gradient(&c, &kernel, &dy, &mut dx, &mut scratch());
    let mut exact_d_kernel = vec![0.0; kernel.len()];
    for i in 0..2 {
        let (inputs, outputs) = (i * n_in..(i + 1) * n_in, i * n_out..(i + 1) * n_out);
        let input = BackwardInput { x: &x[inputs.clone()], dy: &dy[outputs.clone()] };
        close(&y[outputs], &reference::convolution(&c, weights, input.x), "y");
        close(&dx[inputs], &reference::input_gradient(&c, &kernel, input.dy), "dx");
        for (sum, d) in exact_d_kernel.iter_mut().zip(reference::kernel_gradient(&c, input)) {
            *sum += d;
        }
    }
    let input = BackwardInput { x: &x, dy: &dy };
    let mut d_kernel = vec![Real::NAN; kernel.len()];
    convolution::kernel_gradient(&c, input, &mut d_kernel, false, &mut scratch());
    close(&d_kernel, &exact_d_kernel, "dW");
    let mut d_kernel = noise(kernel.len(), 4);
    for (sum, before) in exact_d_kernel.iter_mut().zip(&d_kernel) {
        *sum += f64::from(*before);
    }
    convolution::kernel_gradient(&c, input, &mut d_kernel, true, &mut scratch());
    close(&d_kernel, &exact_d_kernel, "accumulated dW");
}

#[test]
fn a_table_of_geometries() {
    for padding in [Padding::Valid, Padding::Same, Padding::Causal] {
        for use_bias in [true, false] {
            for (image, kernel_size, strides, dilation_rate, filters) in [
                ([5, 5, 1], [3, 3], [1, 1], [1, 1], 2),
                ([28, 28, 1], [3, 3], [1, 1], [1, 1], 32),
                ([8, 9, 32], [3, 3], [1, 1], [1, 1], 64),
                ([7, 6, 3], [1, 1], [1, 1], [1, 1], 5),
                ([4, 6, 3], [4, 6], [1, 1], [1, 1], 3),
                ([9, 10, 2], [3, 2], [2, 3], [1, 1], 4),
                ([8, 7, 3], [1, 1], [3, 2], [1, 1], 4),
                ([9, 11, 2], [3, 2], [1, 1], [2, 3], 17),
                ([6, 40, 3], [2, 5], [1, 1], [1, 1], 33),
                ([20, 19, 16], [3, 3], [1, 1], [1, 1], 8),
                ([6, 5, 16], [2, 2], [1, 1], [1, 1], 300),
            ] {
                let layer = Conv2D {
                    strides,
                    dilation_rate,
                    padding,
                    use_bias,
                    ..Conv2D::new(filters, kernel_size)
                };
                for sparse in [[false, false], [false, true], [true, false], [true, true]] {
                    compare(&layer, image, sparse);
                }
            }
        }
    }
}

/// Tiles within the image and beyond it, kernels that are transformed in parts, and sparse
/// gradients between the limits of the direct and of Winograd's sums.
#[test]
fn windows_of_three_by_three() {
    for (image, filters, padding) in [
        ([26, 26, 32], 64, Padding::Valid),
        ([13, 13, 32], 64, Padding::Valid),
        ([12, 17, 16], 16, Padding::Same),
        ([8, 9, 48], 80, Padding::Same),
        ([11, 8, 16], 48, Padding::Causal),
        ([8, 8, 160], 112, Padding::Same),
        ([5, 70, 16], 32, Padding::Valid),
        // 32 of the filters are transformed at a time, which leaves 16 for the last pass.
        ([6, 6, 256], 48, Padding::Same),
        ([6, 6, 48], 256, Padding::Same),
    ] {
        let layer = Conv2D { padding, ..Conv2D::new(filters, [3, 3]) };
        compare(&layer, image, [false, true]);
    }
}

#[test]
fn few_filters() {
    for filters in 1..=9 {
        for (image, kernel_size, padding) in [
            ([28, 28, 1], [5, 5], Padding::Same),
            ([28, 28, 1], [5, 5], Padding::Valid),
            ([9, 40, 3], [3, 3], Padding::Same),
            ([20, 16, 2], [2, 7], Padding::Causal),
            ([14, 14, 16], [5, 5], Padding::Valid),
            ([1, 100, 40], [1, 9], Padding::Causal),
            ([30, 40, 16], [3, 3], Padding::Same),
        ] {
            let layer = Conv2D { padding, ..Conv2D::new(filters, kernel_size) };
            compare(&layer, image, [false, true]);
        }
    }
}

/// The bits of an image's output and gradient are the same alone and among others.
#[test]
fn an_images_bits_do_not_depend_on_the_others() {
    for (image, kernel, filters, padding) in [
        ([14, 14, 32], 3, 64, Padding::Valid),
        ([9, 11, 16], 3, 48, Padding::Same),
        ([28, 28, 1], 5, 6, Padding::Same),
        ([14, 14, 6], 5, 16, Padding::Valid),
        ([28, 28, 3], 3, 32, Padding::Valid),
    ] {
        let layer = Conv2D { padding, ..Conv2D::new(filters, [kernel, kernel]) };
        let c = convolution(&layer, image);
        let n_in = image.iter().product::<usize>();
        let n_out = c.rows.output * c.columns.output * c.filters;
        let weights = noise(c.depth() * c.filters, 1);
        let (x, dy) = (noise(5 * n_in, 2), noise(5 * n_out, 3));
        let run = |x: &[Real], dy: &[Real]| {
            let mut scratch = vec![Real::NAN; c.scratch_len()];
            let (mut y, mut dx) = (vec![Real::NAN; dy.len()], vec![Real::NAN; x.len()]);
            let weights = Weights { kernel: &weights, bias: &[] };
            convolution::forward(&c, weights, x, &mut y, &mut scratch);
            convolution::input_gradient(&c, weights.kernel, dy, &mut dx, &mut scratch);
            [y, dx]
        };
        let [y, dx] = run(&x, &dy);
        for i in [0, 3, 4] {
            let (inputs, outputs) = (i * n_in..(i + 1) * n_in, i * n_out..(i + 1) * n_out);
            let [y_alone, dx_alone] = run(&x[inputs.clone()], &dy[outputs.clone()]);
            assert!(y[outputs] == y_alone && dx[inputs] == dx_alone, "{layer:?} on {image:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_geometry(
        h in 1usize..14, w in 1usize..14, c in 1usize..6, filters in 1usize..20,
        kh in 1usize..5, kw in 1usize..5, rate in 1usize..4,
        dilate in any::<bool>(), padding in 0usize..3,
    ) {
        let (strides, dilation_rate) =
            if dilate { ([1, 1], [rate, rate]) } else { ([rate, rate], [1, 1]) };
        let layer = Conv2D { strides, dilation_rate, ..Conv2D::new(filters, [kh, kw]) };
        if layer.build(&Shape::from([h, w, c])).is_ok() {
            let padding = [Padding::Valid, Padding::Same, Padding::Causal][padding];
            let layer = Conv2D { padding, ..layer };
            compare(&layer, [h, w, c], [false; 2]);
        }
    }

    #[test]
    fn any_geometry_with_a_sparse_gradient(
        h in 1usize..14, w in 1usize..14, c in 1usize..4, filters in 1usize..12,
        kh in 1usize..4, kw in 1usize..4, strides in [1usize..4, 1usize..4],
        dilation in 1usize..3, first in any::<bool>(),
    ) {
        let (strides, dilation_rate) =
            if dilation > 1 { ([1, 1], [dilation, 1]) } else { (strides, [1, 1]) };
        let layer = Conv2D { strides, dilation_rate, ..Conv2D::new(4 * filters, [kh, kw]) };
        if layer.build(&Shape::from([h, w, 16 * c])).is_ok() {
            compare(&layer, [h, w, 16 * c], [first, true]);
        }
    }

    #[test]
    fn any_geometry_of_three_by_three(
        h in 3usize..22, w in 3usize..22, c in 1usize..4, filters in 1usize..6,
        padding in 0usize..3, sparse in any::<bool>(),
    ) {
        let padding = [Padding::Valid, Padding::Same, Padding::Causal][padding];
        let layer = Conv2D { padding, ..Conv2D::new(16 * filters, [3, 3]) };
        compare(&layer, [h, w, 16 * c], [false, sparse]);
    }

    #[test]
    fn any_geometry_of_few_filters(
        h in 1usize..14, w in 8usize..50, c in 1usize..6, filters in 1usize..9,
        kh in 1usize..6, kw in 1usize..6, padding in 0usize..3,
    ) {
        let padding = [Padding::Valid, Padding::Same, Padding::Causal][padding];
        let layer = Conv2D::new(filters, [kh, kw]);
        if layer.build(&Shape::from([h, w, c])).is_ok() {
            compare(&Conv2D { padding, ..layer }, [h, w, c], [false; 2]);
        }
    }
}

#[test]
fn counts_and_errors() {
    let count = |filters, channels| {
        let (layer, input) = (Conv2D::new(filters, [3, 3]), Shape::from([224, 224, channels]));
        let built = layer.build(&input).unwrap();
        AnyLayer::from(layer).explain(&input, &built)
    };
    assert_eq!(
        [count(32, 3).total, count(64, 32).total, count(128, 64).total],
        [896, 18496, 73856]
    );
    assert_eq!(count(32, 3).formula, "32 filters × (3 × 3 × 3 inputs + 1 bias)");
    let refused = |layer: Conv2D, dims: &[usize], words: &str| {
        let error = layer.build(&Shape::from(dims)).err().unwrap();
        assert!(
            matches!(error, Error::Shape { .. }) && error.to_string().contains(words),
            "{error}"
        );
    };
    refused(Conv2D::new(8, [3, 3]), &[28, 28], "(None, 28, 28)");
    refused(Conv2D::new(8, [5, 5]), &[4, 9, 1], "5 × 5");
    refused(Conv2D::new(0, [3, 3]), &[9, 9, 1], "at least 1");
    let causal = Conv2D { padding: Padding::Causal, ..Conv2D::new(8, [3, 3]) };
    refused(causal, &[9, 9, 1], "causal");
    let both = Conv2D { strides: [2, 2], dilation_rate: [2, 2], ..Conv2D::new(8, [3, 3]) };
    refused(both, &[9, 9, 1], "strides and dilation_rate");
    let absurd =
        Conv2D { padding: Padding::Same, ..Conv2D::new(usize::MAX / 2, [usize::MAX / 2, 3]) };
    assert!(absurd.build(&Shape::from([9, 9, 1])).is_err());
}

/// Runs the tests of this file with each instruction set of this machine.
#[test]
fn every_instruction_set_passes() {
    if std::env::var_os("TALLYNET_KERNEL").is_some() {
        return check_choice().unwrap();
    }
    for name in ["plain", "avx2", "avx512", "neon"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.env("TALLYNET_KERNEL", name).arg("--quiet").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() || text.contains("cannot run"), "{name}:\n{text}");
    }
}
