//! Specification of the fast kernels: matrix product, convolution and pooling as plain loops in
//! double precision. The tests compare every fast kernel with it, and [`counting`](super::counting)
//! runs it to count multiply-adds.

use ndarray::{Array2, ArrayView2};

use super::convolution::{Axis, BackwardInput, Convolution, Weights};
use super::pooling::{Pool, Pooling};
use crate::Real;

/// `A·B`.
pub fn matmul(a: ArrayView2<Real>, b: ArrayView2<Real>) -> Array2<f64> {
    Array2::from_shape_fn((a.nrows(), b.ncols()), |(i, j)| {
        (0..a.ncols()).map(|k| f64::from(a[[i, k]]) * f64::from(b[[k, j]])).sum()
    })
}

/// Pixel of the image under a pixel of a window, or `None` in the padding.
fn pixel(axis: &Axis, window: usize, offset: usize) -> Option<usize> {
    let padded = window * axis.stride + offset * axis.dilation;
    padded.checked_sub(axis.before).filter(|&pixel| pixel < axis.input)
}

/// Calls `each(x, w, y)` with the indices of every product `x·w` that is added to `y`.
fn products(c: &Convolution, mut each: impl FnMut(usize, usize, usize)) {
    for (i, j) in ndarray::indices((c.rows.output, c.columns.output)) {
        for (a, b) in ndarray::indices((c.rows.kernel, c.columns.kernel)) {
            let (Some(row), Some(column)) = (pixel(&c.rows, i, a), pixel(&c.columns, j, b)) else {
                continue;
            };
            for (channel, filter) in ndarray::indices((c.channels, c.filters)) {
                let x = (row * c.columns.input + column) * c.channels + channel;
                let w = ((a * c.columns.kernel + b) * c.channels + channel) * c.filters + filter;
                each(x, w, (i * c.columns.output + j) * c.filters + filter);
            }
        }
    }
}

/// Output of a convolution for one image.
pub fn convolution(c: &Convolution, weights: Weights, image: &[Real]) -> Vec<f64> {
    let mut y = vec![0.0; c.rows.output * c.columns.output * c.filters];
    products(c, |x, w, out| y[out] += f64::from(image[x]) * f64::from(weights.kernel[w]));
    for (y, bias) in y.iter_mut().zip(weights.bias.iter().cycle()) {
        *y += f64::from(*bias);
    }
    y
}

/// Gradient of the kernel for one image.
pub fn kernel_gradient(c: &Convolution, input: BackwardInput) -> Vec<f64> {
    let mut d_kernel = vec![0.0; c.depth() * c.filters];
    products(c, |x, w, y| d_kernel[w] += f64::from(input.x[x]) * f64::from(input.dy[y]));
    d_kernel
}

/// Gradient of the input for one image.
pub fn input_gradient(c: &Convolution, kernel: &[Real], dy: &[Real]) -> Vec<f64> {
    let mut dx = vec![0.0; c.rows.input * c.columns.input * c.channels];
    products(c, |x, w, y| dx[x] += f64::from(kernel[w]) * f64::from(dy[y]));
    dx
}

/// Calls `each(pixels, y)` for every window with the indices of its values and of its output.
fn windows(p: &Pooling, mut each: impl FnMut(&[usize], usize)) {
    for (i, j, channel) in ndarray::indices((p.rows.output, p.columns.output, p.channels)) {
        let mut pixels = vec![];
        for (a, b) in ndarray::indices((p.rows.kernel, p.columns.kernel)) {
            if let (Some(row), Some(column)) = (pixel(&p.rows, i, a), pixel(&p.columns, j, b)) {
                pixels.push((row * p.columns.input + column) * p.channels + channel);
            }
        }
        each(&pixels, (i * p.columns.output + j) * p.channels + channel);
    }
}

fn max(x: &[Real], pixels: &[usize]) -> Real {
    pixels.iter().map(|&pixel| x[pixel]).fold(Real::NEG_INFINITY, Real::max)
}

/// Output of a pooling for one image without NaNs.
pub fn pooling(p: &Pooling, x: &[Real]) -> Vec<f64> {
    let mut y = vec![0.0; p.rows.output * p.columns.output * p.channels];
    windows(p, |pixels, out| {
        let sum: f64 = pixels.iter().map(|&pixel| f64::from(x[pixel])).sum();
        y[out] = match p.pool {
            Pool::Max | Pool::SharedMax => f64::from(max(x, pixels)),
            Pool::Average => sum / pixels.len() as f64,
        };
    });
    y
}

/// Gradient of a pooling's input for one image without NaNs.
pub fn pooling_gradient(p: &Pooling, x: &[Real], dy: &[Real]) -> Vec<f64> {
    let mut dx = vec![0.0; x.len()];
    windows(p, |pixels, out| {
        let max = max(x, pixels);
        let mut sharing = pixels.to_vec();
        if p.pool != Pool::Average {
            sharing.retain(|&pixel| x[pixel] == max);
        }
        if p.pool == Pool::Max {
            sharing.truncate(1);
        }
        for &pixel in &sharing {
            dx[pixel] += f64::from(dy[out]) / sharing.len() as f64;
        }
    });
    dx
}
