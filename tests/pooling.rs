//! Pooling against its specification, over windows of any size.

use std::process::Command;

use proptest::prelude::*;
use tallynet::Real;
use tallynet::kernels::check_choice;
use tallynet::kernels::convolution::{Axis, Padding};
use tallynet::kernels::pooling::{Pool, Pooling, backward, forward};
use tallynet::kernels::reference;

/// Few distinct values, so that many are equal.
fn values(n: usize, seed: u64) -> Vec<Real> {
    let mut state = seed.wrapping_add(77);
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) % 7) as Real - 3.0
    };
    (0..n).map(|_| draw()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pooling_of_any_geometry(
        (height, width, channels) in (1usize..12, 1usize..12, 1usize..40),
        size in (1usize..6, 1usize..6),
        stride in (1usize..6, 1usize..6),
        (same, pool) in (any::<bool>(), 0usize..3),
        images in 1usize..4,
        seed in any::<u64>(),
    ) {
        let padding = if same { Padding::Same } else { Padding::Valid };
        let rows = Axis::new(height, size.0, stride.0, 1, padding);
        let columns = Axis::new(width, size.1, stride.1, 1, padding);
        let (Some(rows), Some(columns)) = (rows, columns) else {
            prop_assert!(!same && (size.0 > height || size.1 > width));
            return Ok(());
        };
        let pool = [Pool::Max, Pool::SharedMax, Pool::Average][pool];
        let pooling = Pooling { pool, rows, columns, channels };
        let image = height * width * channels;
        let output = rows.output * columns.output * channels;
        let (x, dy) = (values(images * image, seed), values(images * output, seed ^ 1));
        let (mut y, mut dx) = (vec![Real::NAN; dy.len()], vec![Real::NAN; x.len()]);
        forward(&pooling, &x, &mut y, &mut vec![Real::NAN; pooling.scratch_len()]);
        backward(&pooling, &x, &dy, &mut dx, &mut vec![Real::NAN; pooling.scratch_len()]);
        let close = |fast: &[Real], exact: Vec<f64>| {
            fast.iter().zip(exact).all(|(fast, exact)| (f64::from(*fast) - exact).abs() < 1e-5)
        };
        for i in 0..images {
            let (inputs, outputs) = (i * image..(i + 1) * image, i * output..(i + 1) * output);
            let (x, dy) = (&x[inputs.clone()], &dy[outputs.clone()]);
            let (y, dx) = (&y[outputs], &dx[inputs]);
            prop_assert!(close(y, reference::pooling(&pooling, x)), "{pooling:?}");
            prop_assert!(close(dx, reference::pooling_gradient(&pooling, x, dy)), "{pooling:?}");
        }
    }
}

#[test]
fn halved_images_of_any_size() {
    for pool in [Pool::Max, Pool::SharedMax, Pool::Average] {
        for (height, width) in [(2, 2), (3, 2), (2, 5), (4, 4), (7, 6), (9, 9)] {
            for channels in [1, 3, 6, 8, 16, 17, 40] {
                let axis = |n| Axis::new(n, 2, 2, 1, Padding::Valid).unwrap();
                let (rows, columns) = (axis(height), axis(width));
                let pooling = Pooling { pool, rows, columns, channels };
                let x = values(2 * height * width * channels, 5);
                let dy = values(2 * rows.output * columns.output * channels, 6);
                let mut y = vec![Real::NAN; dy.len()];
                let mut dx = vec![Real::NAN; x.len()];
                let mut scratch = vec![Real::NAN; pooling.scratch_len()];
                forward(&pooling, &x, &mut y, &mut scratch);
                backward(&pooling, &x, &dy, &mut dx, &mut scratch);
                for i in 0..2 {
                    let part = |all: &[Real]| all.chunks(all.len() / 2).nth(i).unwrap().to_vec();
                    let (x, dy) = (part(&x), part(&dy));
                    let wide = |all: Vec<Real>| all.into_iter().map(f64::from).collect::<Vec<_>>();
                    assert_eq!(wide(part(&y)), reference::pooling(&pooling, &x), "{pooling:?}");
                    let gradient = reference::pooling_gradient(&pooling, &x, &dy);
                    for (fast, exact) in wide(part(&dx)).iter().zip(gradient) {
                        assert!((fast - exact).abs() < 1e-6, "{pooling:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_mean_of_infinite_values_is_infinite() {
    let axis = Axis::new(2, 2, 2, 1, Padding::Valid).unwrap();
    for large in [Real::INFINITY, Real::MAX] {
        let mut y = [Real::NAN];
        let pooling = Pooling { pool: Pool::Average, rows: axis, columns: axis, channels: 1 };
        forward(&pooling, &[large, 1.0, large, 1.0], &mut y, &mut [Real::NAN; 3]);
        assert_eq!(y, [Real::INFINITY]);
    }
}

#[test]
fn a_nan_stays_one() {
    let axis = Axis::new(2, 2, 2, 1, Padding::Valid).unwrap();
    for pool in [Pool::Max, Pool::SharedMax, Pool::Average] {
        for at in 0..4 {
            let mut x = [1.0, 2.0, 3.0, Real::NEG_INFINITY];
            x[at] = Real::NAN;
            let mut y = [0.0];
            forward(
                &Pooling { pool, rows: axis, columns: axis, channels: 1 },
                &x,
                &mut y,
                &mut [Real::NAN; 3],
            );
            assert!(y[0].is_nan(), "{pool:?}, {at}");
        }
    }
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
