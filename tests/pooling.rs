//! Pooling against its naive twin, over windows of any size.

use std::process::Command;

use proptest::prelude::*;
use tallynet::Real;
use tallynet::kernels::check_choice;
use tallynet::kernels::convolution::{Axis, Padding};
use tallynet::kernels::pooling::{Pool, Pooling, backward, forward};

/// Few different values, so that many are equally large.
fn values(n: usize, seed: u64) -> Vec<Real> {
    let mut state = seed.wrapping_add(77);
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((state >> 40) % 7) as Real - 3.0
    };
    (0..n).map(|_| draw()).collect()
}

/// A window's pixel, if it lies inside the image.
fn inside(axis: &Axis, window: usize, pixel: usize) -> Option<usize> {
    (window * axis.stride + pixel).checked_sub(axis.before).filter(|&at| at < axis.input)
}

/// One image, in loops over doubles: the output, and the gradient at the input.
fn naive(p: &Pooling, x: &[Real], dy: &[Real]) -> (Vec<Real>, Vec<Real>) {
    let (mut y, mut dx) = (vec![], vec![0.0; x.len()]);
    for row in 0..p.rows.output {
        for column in 0..p.columns.output {
            for channel in 0..p.channels {
                let mut places = vec![];
                for i in 0..p.rows.kernel {
                    for j in 0..p.columns.kernel {
                        if let (Some(i), Some(j)) =
                            (inside(&p.rows, row, i), inside(&p.columns, column, j))
                        {
                            places.push((i * p.columns.input + j) * p.channels + channel);
                        }
                    }
                }
                let dy = f64::from(dy[y.len()]);
                let max = places.iter().map(|&at| x[at]).fold(Real::NEG_INFINITY, Real::max);
                let largest: Vec<usize> =
                    places.iter().copied().filter(|&at| x[at] == max).collect();
                let heirs = match p.pool {
                    Pool::Average => &places,
                    Pool::SharedMax => &largest,
                    Pool::Max => &largest[..1].to_vec(),
                };
                let mean =
                    places.iter().map(|&at| f64::from(x[at])).sum::<f64>() / places.len() as f64;
                y.push(if p.pool == Pool::Average { mean as Real } else { max });
                heirs.iter().for_each(|&at| dx[at] += dy / heirs.len() as f64);
            }
        }
    }
    (y, dx.into_iter().map(|dx| dx as Real).collect())
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
        let axes = (Axis::new(height, size.0, stride.0, 1, padding), Axis::new(width, size.1, stride.1, 1, padding));
        let (Some(rows), Some(columns)) = axes else {
            prop_assert!(!same && (size.0 > height || size.1 > width));
            return Ok(());
        };
        let pooling = Pooling { pool: [Pool::Max, Pool::SharedMax, Pool::Average][pool], rows, columns, channels };
        let (image, output) = (height * width * channels, rows.output * columns.output * channels);
        let (x, dy) = (values(images * image, seed), values(images * output, seed ^ 1));
        let (mut y, mut dx) = (vec![Real::NAN; dy.len()], vec![Real::NAN; x.len()]);
        forward(&pooling, &x, &mut y, &mut vec![Real::NAN; pooling.scratch_len()]);
        backward(&pooling, &x, &dy, &mut dx, &mut vec![Real::NAN; pooling.scratch_len()]);
        for i in 0..images {
            let (expected_y, expected_dx) =
                naive(&pooling, &x[i * image..][..image], &dy[i * output..][..output]);
            let close = |ours: &[Real], theirs: &[Real]| ours.iter().zip(theirs).all(|(a, b)| (a - b).abs() < 1e-5);
            prop_assert!(close(&y[i * output..][..output], &expected_y), "{pooling:?}");
            prop_assert!(close(&dx[i * image..][..image], &expected_dx), "{pooling:?}");
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

/// Runs this file's tests again on each path that this machine has.
#[test]
fn every_path_passes() {
    if std::env::var_os("TALLYNET_KERNEL").is_some() {
        return check_choice().unwrap();
    }
    for path in ["plain", "avx2", "avx512"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.env("TALLYNET_KERNEL", path).arg("--quiet").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() || text.contains("cannot run"), "{path}:\n{text}");
    }
}
