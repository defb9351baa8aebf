//! Compute kernels against their specification, with every instruction set of this machine.

use std::process::Command;

use ndarray::{Array2, ArrayView2};
use proptest::prelude::*;
use tallynet::Real;
use tallynet::kernels::matmul::{matmul, scratch_len};
use tallynet::kernels::normalization::{self, Coefficients};
use tallynet::kernels::{self, elementary, reference, rows};

fn noise(rows: usize, columns: usize, seed: u64) -> Array2<Real> {
    let mut state = seed.wrapping_add(77);
    Array2::from_shape_simple_fn((rows, columns), || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as Real / (1 << 23) as Real - 1.0
    })
}

fn reference(a: ArrayView2<Real>, b: ArrayView2<Real>) -> Array2<Real> {
    reference::matmul(a, b).mapv(|sum| sum as Real)
}

fn product(a: ArrayView2<Real>, b: ArrayView2<Real>, start: Option<&Array2<Real>>) -> Array2<Real> {
    let mut c = start.cloned().unwrap_or(Array2::from_elem((a.nrows(), b.ncols()), Real::NAN));
    let mut scratch = vec![Real::NAN; scratch_len(b.ncols())];
    matmul(a, b, c.view_mut(), start.is_some(), &mut scratch);
    c
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn products_of_any_size(
        m in 1usize..150, n in 1usize..70, k in 1usize..600, seed in 0u64..1000,
    ) {
        let (a, b) = (noise(m, k, seed), noise(k, n, seed + 1));
        let at = a.t().as_standard_layout().into_owned();
        let bt = b.t().as_standard_layout().into_owned();
        let expected = reference(a.view(), b.view());
        let tolerance = 1e-6 * k as Real;
        let start = noise(m, n, seed + 2);
        let expected_sum = &expected + &start;
        for a in [a.view(), at.t()] {
            for b in [b.view(), bt.t()] {
                prop_assert!((product(a, b, None) - &expected).iter().all(|e| e.abs() < tolerance));
                let sum = product(a, b, Some(&start));
                prop_assert!((sum - &expected_sum).iter().all(|e| e.abs() < tolerance));
            }
        }
    }

    #[test]
    fn a_rows_bits_do_not_depend_on_the_others(m in 2usize..40, n in 1usize..40, k in 1usize..300) {
        let (a, b) = (noise(m, k, 5), noise(k, n, 6));
        let whole = product(a.view(), b.view(), None);
        for i in [0, m / 2, m - 1] {
            let row = a.row(i).to_owned().insert_axis(ndarray::Axis(0));
            let alone = product(row.view(), b.view(), None);
            prop_assert_eq!(alone.row(0), whole.row(i));
        }
    }

    #[test]
    fn rows_of_any_size(m in 1usize..30, n in 1usize..40) {
        let (y, bias) = (noise(m, n, 1), noise(1, n, 2));
        let mut with_bias = y.clone();
        rows::add_bias(with_bias.as_slice_mut().unwrap(), bias.as_slice().unwrap());
        prop_assert_eq!(&with_bias, &(&y + &bias));
        let mut sums = bias.row(0).to_vec();
        rows::sum_rows(y.as_slice().unwrap(), &mut sums, true);
        for (j, sum) in sums.iter().enumerate() {
            prop_assert!((sum - bias[[0, j]] - y.column(j).sum()).abs() < 1e-5);
        }
        rows::sum_rows(y.as_slice().unwrap(), &mut sums, false);
        for (j, sum) in sums.iter().enumerate() {
            prop_assert!((sum - y.column(j).sum()).abs() < 1e-5);
        }
    }

    #[test]
    fn sums_of_any_length(n in 0usize..100) {
        let values = noise(1, n, 3);
        let sums = rows::abs_and_square_sums(values.as_slice().unwrap());
        let exact = |each: fn(f64) -> f64| values.iter().map(|&x| each(f64::from(x))).sum::<f64>();
        prop_assert!((sums.abs - exact(f64::abs)).abs() < 1e-12);
        prop_assert!((sums.squares - exact(|x| x * x)).abs() < 1e-12);
    }

    #[test]
    fn bytes_become_numbers(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut to = vec![Real::NAN; bytes.len()];
        rows::scale_bytes(&bytes, 1.0 / 255.0, &mut to);
        for (to, byte) in to.iter().zip(&bytes) {
            prop_assert!((to - Real::from(*byte) / 255.0).abs() < 1e-7);
        }
    }
}

#[test]
fn softmax_of_any_numbers() {
    for width in [1, 2, 3, 10, 33] {
        let mut values: Vec<Real> =
            (0..width * 50).map(|i| ((i * 7919) % 997) as Real / 5.0 - 100.0).collect();
        let exact: Vec<f64> = values
            .chunks(width)
            .flat_map(|x| {
                let max = x.iter().copied().fold(Real::NEG_INFINITY, Real::max);
                let e: Vec<f64> = x.iter().map(|&x| f64::from(x - max).exp()).collect();
                let sum: f64 = e.iter().sum();
                e.into_iter().map(move |e| e / sum)
            })
            .collect();
        rows::softmax(&mut values, width);
        for (p, q) in values.iter().zip(exact) {
            // Numbers too small for a probability in single precision become 0.
            assert!((f64::from(*p) - q).abs() <= 1e-37 + q * 5e-7, "{p} {q}");
        }
    }
    let mut odd = [Real::NAN, 0.0, 1e30, -1e30, Real::NEG_INFINITY, 5.0];
    rows::softmax(&mut odd, 2);
    assert!(odd[0].is_nan() && odd[1].is_nan());
    assert_eq!(odd[2..], [1.0, 0.0, 0.0, 1.0]);
}

/// Largest error of a function from `from` to `to`, relative to the standard library's value in
/// double precision.
fn worst(f: fn(Real) -> Real, exact: fn(f64) -> f64, from: f64, to: f64) -> f64 {
    let points = (0..=100_000).map(|i| (from + (to - from) * f64::from(i) / 1e5) as Real);
    let mut values: Vec<Real> = points.clone().collect();
    values.iter_mut().for_each(|x| *x = f(*x));
    let error = |(x, y): (Real, Real)| (f64::from(y) / exact(f64::from(x)) - 1.0).abs();
    // If both values are 0, the quotient is NaN, which `max` ignores.
    points.zip(values).map(error).fold(0.0, f64::max)
}

#[test]
fn elementary_functions() {
    use elementary::{exp, exp_m1, ln_1p, tail};
    assert!(worst(exp, f64::exp, -87.0, 88.0) < 3e-7);
    for (from, to) in [(-20.0, 80.0), (-0.7, 0.7), (-1e-3, 1e-3), (-1e-30, 1e-30)] {
        assert!(worst(exp_m1, f64::exp_m1, from, to) < 5e-7, "{from} {to}");
    }
    assert!(worst(ln_1p, f64::ln_1p, 0.0, 1.0).max(worst(ln_1p, f64::ln_1p, 1e-9, 1e-6)) < 3e-7);
    let exact = |x: f64| 0.5 * libm::erfc(x);
    assert!(worst(tail, exact, 0.0, 0.5) < 4e-7 && tail(0.0) == 0.5);
    assert!(worst(tail, exact, 0.0, 2.0) < 2e-6 && worst(tail, exact, 2.0, 9.0) < 2e-5);
    let infinite = Real::INFINITY;
    assert_eq!(
        [exp(-infinite), exp(infinite), exp_m1(-infinite), tail(infinite)],
        [0.0, infinite, -1.0, 0.0]
    );
    assert!([exp, exp_m1, ln_1p, tail].iter().all(|f| f(Real::NAN).is_nan()));
}

#[test]
fn channels_one_by_one() {
    for (m, n) in [(1, 1), (7, 3), (50, 16), (33, 40)] {
        let (x, dy, factors) = (noise(m, n, 1), noise(m, n, 2), noise(3, n, 3));
        let [x_flat, dy_flat] = [&x, &dy].map(|array| array.as_slice().unwrap());
        let [a, b, c] = [0, 1, 2].map(|i| factors.as_slice().unwrap()[i * n..].split_at(n).0);
        let (mut y, mut dx) = (vec![Real::NAN; m * n], vec![Real::NAN; m * n]);
        normalization::affine(x_flat, a, c, &mut y);
        normalization::input_gradient(dy_flat, x_flat, Coefficients { a, b, c }, &mut dx);
        let mut sums = [vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n], vec![f64::NAN; n]];
        let [means, squares, d_sums, products] = &mut sums;
        normalization::mean_and_squares(x_flat, means, squares);
        normalization::gradient_sums(x_flat, dy_flat, d_sums, products);
        for j in 0..n {
            let [x, dy] = [&x, &dy].map(|array| array.column(j).mapv(f64::from));
            let mean = x.mean().unwrap();
            let exact = [mean, x.mapv(|x| (x - mean).powi(2)).sum(), dy.sum(), (&x * &dy).sum()];
            sums.iter()
                .zip(exact)
                .for_each(|(sums, exact)| assert!((sums[j] - exact).abs() < 1e-12, "{m} {n} {j}"));
        }
        for (at, (x, dy)) in x.iter().zip(&dy).enumerate() {
            let j = at % n;
            assert!(
                (y[at] - (a[j] * x + c[j])).abs() < 1e-6
                    && (dx[at] - (a[j] * dy + b[j] * x + c[j])).abs() < 1e-6
            );
        }
    }
}

/// Inner dimensions beyond the blocks that are packed at a time, for A and its transpose.
#[test]
fn products_with_a_long_inner_dimension() {
    for (m, n, k) in [(3, 10, 1030), (70, 30, 2100), (130, 1, 1025), (5, 40, 1300)] {
        let (a, b) = (noise(m, k, 1), noise(k, n, 2));
        let at = a.t().as_standard_layout().into_owned();
        let expected = reference(a.view(), b.view());
        for a in [a.view(), at.t()] {
            let c = product(a, b.view(), None);
            assert!(
                c.iter().zip(&expected).all(|(x, y)| (x - y).abs() < 1e-6 * k as Real),
                "{m} {n} {k}"
            );
        }
    }
}

/// Runs the tests of this file with each instruction set. One that the processor lacks is refused,
/// with a list of those that it has.
#[test]
fn every_instruction_set_passes() {
    if std::env::var_os("TALLYNET_KERNEL").is_some() {
        kernels::check_choice().unwrap();
        return;
    }
    let mut passed = vec![];
    for name in ["plain", "avx2", "avx512", "neon"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .env("TALLYNET_KERNEL", name)
            .arg("--quiet")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            passed.push(name);
        } else {
            assert!(text.contains("this processor or build cannot run"), "{name}:\n{text}");
        }
    }
    assert!(passed.contains(&"plain"), "{passed:?}");
    assert!(passed.contains(&kernels::instruction_set().name()), "{passed:?}");
}
