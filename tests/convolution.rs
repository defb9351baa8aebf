//! Convolution against a naive loop over a table of geometries and over random ones, and its
//! errors.

use ndarray::Array2;
use proptest::prelude::*;
use tallynet::kernels::convolution::Padding;
use tallynet::layers::{AnyLayer, Backward, Conv2D, Forward, Layer, Operation};
use tallynet::params::{ParamArray, ParamViews, ParamViewsMut};
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

/// Every product of a window's value and a weight: the numbers of output, input, weight.
fn products(layer: &Conv2D, [h, w, c]: [usize; 3], mut each: impl FnMut(usize, usize, usize)) {
    let [kh, kw] = layer.kernel_size;
    let axis = |n: usize, i: usize| {
        let extent = (layer.kernel_size[i] - 1) * layer.dilation_rate[i] + 1;
        match layer.padding {
            Padding::Valid => ((n - extent) / layer.strides[i] + 1, 0),
            Padding::Same => {
                let out = n.div_ceil(layer.strides[i]);
                (out, (((out - 1) * layer.strides[i] + extent).saturating_sub(n)) / 2)
            }
        }
    };
    let ((oh, top), (ow, left)) = (axis(h, 0), axis(w, 1));
    for (i, j) in (0..oh).flat_map(|i| (0..ow).map(move |j| (i, j))) {
        for (a, b) in (0..kh).flat_map(|a| (0..kw).map(move |b| (a, b))) {
            let y = (i * layer.strides[0] + a * layer.dilation_rate[0])
                .checked_sub(top)
                .filter(|&y| y < h);
            let x = (j * layer.strides[1] + b * layer.dilation_rate[1])
                .checked_sub(left)
                .filter(|&x| x < w);
            let (Some(y), Some(x)) = (y, x) else { continue };
            for (channel, f) in
                (0..c).flat_map(|channel| (0..layer.filters).map(move |f| (channel, f)))
            {
                let output = (i * ow + j) * layer.filters + f;
                each(
                    output,
                    (y * w + x) * c + channel,
                    ((a * kw + b) * c + channel) * layer.filters + f,
                );
            }
        }
    }
}

/// Holds two images against the naive loop; the gradient at the output of those that are `sparse`
/// is mostly zero.
fn compare(layer: &Conv2D, image: [usize; 3], sparse: [bool; 2]) {
    let built = layer.build(&Shape::from(image)).unwrap();
    let Operation::Op(operation) = &built.operations[0] else {
        panic!("a convolution runs a layer")
    };
    let (n_in, n_out, rows) = (image.iter().product::<usize>(), built.output.n_values(), 2);
    let arrays = ParamArray::table(&built.params);
    let total: usize = built.params.iter().map(|param| param.count()).sum();
    let params = noise(total, 1);
    let weights = built.params[0].count();
    let x = Array2::from_shape_vec((rows, n_in), noise(rows * n_in, 2)).unwrap();
    let mut dy = Array2::from_shape_vec((rows, n_out), noise(rows * n_out, 3)).unwrap();
    for (mut dy, _) in dy.rows_mut().into_iter().zip(sparse).filter(|(_, sparse)| *sparse) {
        dy.iter_mut().enumerate().filter(|(i, _)| i * 7 % 5 > 0).for_each(|(_, dy)| *dy = 0.0);
    }
    let mut scratch = vec![Real::NAN; operation.scratch_len()];

    let mut y = Array2::from_elem((rows, n_out), Real::NAN);
    operation.forward(Forward {
        training: None,
        params: ParamViews::new(&params, &arrays),
        x: x.view(),
        y: y.view_mut(),
        scratch: &mut scratch,
    });
    let before = noise(params.len(), 4);
    let mut runs = vec![];
    for accumulate in [false, true] {
        scratch.fill(Real::NAN);
        let mut d_params = if accumulate { before.clone() } else { vec![Real::NAN; params.len()] };
        let mut dx = Array2::from_elem((rows, n_in), Real::NAN);
        operation.backward(Backward {
            training: None,
            params: ParamViews::new(&params, &arrays),
            x: x.view(),
            dy: dy.view(),
            d_params: ParamViewsMut::new(&mut d_params, &arrays),
            accumulate,
            dx: Some(dx.view_mut()),
            scratch: &mut scratch,
        });
        runs.push((d_params, dx));
    }

    let (mut y_naive, mut dx_naive) = (vec![0f64; rows * n_out], vec![0f64; rows * n_in]);
    let mut d_naive = vec![0f64; params.len()];
    for row in 0..rows {
        products(layer, image, |o, i, w| {
            let (o, i) = (row * n_out + o, row * n_in + i);
            let (x, dy) =
                (f64::from(x.as_slice().unwrap()[i]), f64::from(dy.as_slice().unwrap()[o]));
            y_naive[o] += x * f64::from(params[w]);
            dx_naive[i] += dy * f64::from(params[w]);
            d_naive[w] += x * dy;
        });
        for o in 0..n_out * usize::from(layer.use_bias) {
            y_naive[row * n_out + o] += f64::from(params[weights + o % layer.filters]);
            d_naive[weights + o % layer.filters] += f64::from(dy[[row, o]]);
        }
    }
    let close = |ours: &[Real], naive: &[f64], what: &str| {
        for (a, b) in ours.iter().zip(naive) {
            assert!(
                (f64::from(*a) - b).abs() < 2e-5 * (1.0 + b.abs()),
                "{what}: {a} {b}\n{layer:?} on {image:?}"
            );
        }
    };
    close(y.as_slice().unwrap(), &y_naive, "y");
    for (accumulate, (d_params, dx)) in runs.iter().enumerate() {
        close(dx.as_slice().unwrap(), &dx_naive, "dx");
        let start = |i: usize| accumulate as f64 * f64::from(before[i]);
        let naive: Vec<f64> = d_naive.iter().enumerate().map(|(i, d)| d + start(i)).collect();
        close(d_params, &naive, "dW and db");
    }
}

#[test]
fn a_table_of_geometries() {
    for padding in [Padding::Valid, Padding::Same] {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn any_geometry(
        h in 1usize..14, w in 1usize..14, c in 1usize..6, filters in 1usize..20,
        kh in 1usize..5, kw in 1usize..5, step in 1usize..4, dilate in any::<bool>(), same in any::<bool>(),
    ) {
        let (strides, dilation_rate) = if dilate { ([1, 1], [step, step]) } else { ([step, step], [1, 1]) };
        let padding = if same { Padding::Same } else { Padding::Valid };
        let layer = Conv2D { strides, dilation_rate, padding, ..Conv2D::new(filters, [kh, kw]) };
        if layer.build(&Shape::from([h, w, c])).is_ok() {
            compare(&layer, [h, w, c], [false; 2]);
        }
    }

    #[test]
    fn any_geometry_that_a_sparse_gradient_pays_for(
        h in 1usize..14, w in 1usize..14, c in 1usize..4, filters in 1usize..12, kh in 1usize..4, kw in 1usize..4,
        strides in [1usize..4, 1usize..4], dilation in 1usize..3, first in any::<bool>(),
    ) {
        let (strides, dilation_rate) = if dilation > 1 { ([1, 1], [dilation, 1]) } else { (strides, [1, 1]) };
        let layer = Conv2D { strides, dilation_rate, ..Conv2D::new(4 * filters, [kh, kw]) };
        if layer.build(&Shape::from([h, w, 16 * c])).is_ok() {
            compare(&layer, [h, w, 16 * c], [first, true]);
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
    let both = Conv2D { strides: [2, 2], dilation_rate: [2, 2], ..Conv2D::new(8, [3, 3]) };
    refused(both, &[9, 9, 1], "strides and dilation_rate");
    let absurd =
        Conv2D { padding: Padding::Same, ..Conv2D::new(usize::MAX / 2, [usize::MAX / 2, 3]) };
    assert!(absurd.build(&Shape::from([9, 9, 1])).is_err());
}
