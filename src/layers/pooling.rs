//! Pooling: each window of an image or a sequence becomes one position, channel by channel. A
//! global pool has one window, the whole input.
//!
//! ```text
//! output = ⌊(input − pool) / stride⌋ + 1    valid: windows stay inside the input
//! output = ⌈input / stride⌉                 same: they may reach over its border
//! ```

use super::windows::{Axes, SpatialSize, Windows};
use super::{Backward, Built, Formula, Forward, Op, Operation};
use crate::kernels::convolution::Padding;
use crate::kernels::pooling::{self, Pool, Pooling};
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

/// Options of a pooling along `N` axes.
pub(super) struct PoolingOptions<const N: usize> {
    pub pool: Pool,
    pub size: [usize; N],
    /// By default the size.
    pub strides: Option<[usize; N]>,
    pub padding: Padding,
}

impl<const N: usize> PoolingOptions<N> {
    /// Builds the layer for an input shape.
    pub fn build(&self, input: &Shape) -> Result<Built> {
        let SpatialSize { lengths, channels } = SpatialSize::<N>::of(input)?;
        let strides = self.strides.unwrap_or(self.size);
        let size = self.size;
        let padding = self.padding;
        let windows = Windows { size, strides, dilation_rate: [1; N], padding };
        windows.refuse_causal()?;
        let Some(axes) = windows.over(lengths) else {
            let noun = SpatialSize::<N>::noun();
            return Err(Error::shape(
                format!(
                    "no window of {size:?} with strides {strides:?} fits {noun} of {lengths:?}"
                ),
                format!(
                    "give pool_size and strides at least {:?}, and pool_size at most {lengths:?} \
                     or padding \"same\"",
                    [1; N]
                ),
            ));
        };
        let Axes { rows, columns } = axes;
        let pooling = Pooling { pool: self.pool, rows, columns, channels };
        let output = SpatialSize::shape(axes.outputs::<N>(), channels);
        Ok(Built::weightless(output, Some(Operation::op(pooling))))
    }
}

/// Builds a pooling whose only window is the whole input, with `N` axes before the channels. They
/// stay, each of length 1, if `keepdims`.
pub(super) fn build_global<const N: usize>(
    pool: Pool,
    input: &Shape,
    keepdims: bool,
) -> Result<Built> {
    let SpatialSize { lengths, channels } = SpatialSize::<N>::of(input)?;
    let strides = Some([1; N]);
    let whole = PoolingOptions { pool, size: lengths, strides, padding: Padding::Valid };
    let mut built = whole.build(input)?;
    if !keepdims {
        built.output = Shape::from([channels]);
    }
    Ok(built)
}

impl Op for Pooling {
    fn forward(&self, pass: Forward) {
        pooling::forward(self, flat(pass.x), flat_mut(pass.y), pass.scratch);
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            pooling::backward(self, flat(pass.x), flat(pass.dy), flat_mut(dx), pass.scratch);
        }
    }

    fn scratch_len(&self) -> usize {
        Pooling::scratch_len(self)
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Pooling(*self))
    }
}
