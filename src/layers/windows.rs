//! Inputs and windows of the layers over images and sequences. A sequence is an image of one row,
//! so that one convolution and one pooling serve both.

use crate::kernels::convolution::{Axis, Padding};
use crate::shape::Shape;
use crate::{Error, Result};

/// Sizes of an input with `N` axes before the channels: an image has 2, a sequence 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct SpatialSize<const N: usize> {
    /// Height and width, or the number of timesteps.
    pub lengths: [usize; N],
    /// Values at each position.
    pub channels: usize,
}

impl<const N: usize> SpatialSize<N> {
    /// Sizes of an input of this shape.
    pub fn of(input: &Shape) -> Result<SpatialSize<N>> {
        if let [lengths @ .., channels] = input.dims()
            && let Ok(lengths) = lengths.try_into()
            && input.n_values() > 0
        {
            return Ok(SpatialSize { lengths, channels: *channels });
        }
        let (noun, axes, example) = match N {
            1 => ("sequences", "timesteps", "Embedding, or Reshape to two axes"),
            _ => ("images", "height, width", "Reshape to three axes"),
        };
        Err(Error::shape(
            format!("it expects {noun}, (None, {axes}, channels), and gets {input}"),
            format!("put a layer in front of it that makes {noun}, such as {example}"),
        ))
    }

    /// Name of such an input in messages.
    pub fn noun() -> &'static str {
        if N == 1 { "a sequence" } else { "an image" }
    }

    /// Shape of an output with these lengths and channels.
    pub fn shape(lengths: [usize; N], channels: usize) -> Shape {
        Shape::from([&lengths[..], &[channels]].concat())
    }
}

/// Windows along the `N` axes of an input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Windows<const N: usize> {
    /// Positions of a window along each axis.
    pub size: [usize; N],
    /// Positions from one window to the next.
    pub strides: [usize; N],
    /// Distance between two positions of a window.
    pub dilation_rate: [usize; N],
    /// Padding of the input.
    pub padding: Padding,
}

/// Windows along the height and the width of an image; the height of a sequence is 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    pub rows: Axis,
    pub columns: Axis,
}

impl<const N: usize> Windows<N> {
    /// Windows over an input with these lengths; `None` if none fits.
    pub fn over(&self, lengths: [usize; N]) -> Option<Axes> {
        let axis = |i: usize| {
            Axis::new(
                lengths[i],
                self.size[i],
                self.strides[i],
                self.dilation_rate[i],
                self.padding,
            )
        };
        let rows = if N == 1 { Axis::ONE } else { axis(0)? };
        Some(Axes { rows, columns: axis(N - 1)? })
    }

    /// Refuses causal padding, which only Conv1D has.
    pub fn refuse_causal(&self) -> Result<()> {
        if self.padding == Padding::Causal {
            return Err(Error::shape(
                "padding is causal, which Keras has only for Conv1D",
                "take padding valid or same",
            ));
        }
        Ok(())
    }
}

impl Axes {
    /// Number of windows along each of the `N` axes.
    pub fn outputs<const N: usize>(&self) -> [usize; N] {
        let mut outputs = [self.columns.output; N];
        if N > 1 {
            outputs[0] = self.rows.output;
        }
        outputs
    }
}
