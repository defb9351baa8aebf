//! UpSampling2D: an image enlarged by whole factors, by repeating pixels or by linear interpolation
//! between them.
//!
//! ```text
//! nearest     y[i] = x[⌊i / size⌋]
//! bilinear    y[i] = (1 − t)·x[⌊p⌋] + t·x[⌊p⌋ + 1],   p = (i + ½)/size − ½,   t = p − ⌊p⌋
//! backward    dx gets each dy with the weights that its pixel had
//! ```
//!
//! The formulas are for one axis; the weights of the other multiply them. Positions beyond the
//! border are those of the border.

use serde::{Deserialize, Serialize};

use super::windows::SpatialSize;
use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

/// Interpolation between the pixels of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// The nearest pixel.
    #[default]
    Nearest,
    /// Weighted mean of the two nearest pixels along each axis.
    Bilinear,
}

class! {
    /// Enlargement of images: `(None, h, w, c)` becomes `(None, size[0]·h, size[1]·w, c)`.
    ///
    /// ```
    /// use tallynet::layers::{Layer, UpSampling2D};
    ///
    /// let built = UpSampling2D::default().build(&[7, 5, 3].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 14, 10, 3)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    UpSampling2D {
        /// Factors of the height and the width.
        size: [usize; 2] = [2, 2],
        /// Values of the pixels between those of the input.
        interpolation: Interpolation = Interpolation::Nearest,
    }
}

impl Layer for UpSampling2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let SpatialSize { lengths: [height, width], channels } = SpatialSize::<2>::of(input)?;
        let enlarged = [height.saturating_mul(self.size[0]), width.saturating_mul(self.size[1])];
        let output = SpatialSize::shape(enlarged, channels);
        if !output.is_addressable() {
            return Err(Error::shape(
                format!("size is {:?} for {input}", self.size),
                "give size two small factors, at least [1, 1]",
            ));
        }
        let op = UpSamplingOp {
            options: self.clone(),
            rows: sources(self.interpolation, height, self.size[0]),
            columns: sources(self.interpolation, width, self.size[1]),
            width,
            channels,
            n_inputs: input.n_values(),
        };
        Ok(Built::weightless(output, Some(Operation::op(op))))
    }
}

/// Position of the input along one axis, with its weight in a position of the output.
#[derive(Clone, Copy)]
struct Source {
    position: usize,
    weight: Real,
}

/// The two sources of each position of the output along an axis, of which the second may have the
/// weight 0.
fn sources(interpolation: Interpolation, length: usize, factor: usize) -> Vec<[Source; 2]> {
    let mut sources = Vec::with_capacity(length * factor);
    for i in 0..length * factor {
        let place = match interpolation {
            Interpolation::Nearest => (i / factor) as f64,
            Interpolation::Bilinear => {
                ((i as f64 + 0.5) / factor as f64 - 0.5).clamp(0.0, (length - 1) as f64)
            }
        };
        let first = place as usize;
        let fraction = (place - first as f64) as Real;
        sources.push([
            Source { position: first, weight: 1.0 - fraction },
            Source { position: (first + 1).min(length - 1), weight: fraction },
        ]);
    }
    sources
}

struct UpSamplingOp {
    options: UpSampling2D,
    rows: Vec<[Source; 2]>,
    columns: Vec<[Source; 2]>,
    width: usize,
    channels: usize,
    n_inputs: usize,
}

impl UpSamplingOp {
    /// Values of an output image.
    fn n_outputs(&self) -> usize {
        self.rows.len() * self.columns.len() * self.channels
    }

    /// Calls `each` with the offset of every pixel of the output, the offset of a pixel of the
    /// input and its weight there, unless it is 0.
    fn for_each_source(&self, mut each: impl FnMut(usize, usize, Real)) {
        let mut output = 0;
        for rows in &self.rows {
            for columns in &self.columns {
                for row in rows.iter().filter(|row| row.weight != 0.0) {
                    for column in columns.iter().filter(|column| column.weight != 0.0) {
                        let pixel = row.position * self.width + column.position;
                        each(output, pixel * self.channels, row.weight * column.weight);
                    }
                }
                output += self.channels;
            }
        }
    }
}

impl Op for UpSamplingOp {
    fn forward(&self, pass: Forward) {
        let (x, y) = (flat(pass.x), flat_mut(pass.y));
        y.fill(0.0);
        let images = x.chunks_exact(self.n_inputs).zip(y.chunks_exact_mut(self.n_outputs()));
        for (x, y) in images {
            self.for_each_source(|output, input, weight| {
                let y = &mut y[output..][..self.channels];
                y.iter_mut().zip(&x[input..]).for_each(|(y, x)| *y += weight * x);
            });
        }
    }

    fn backward(&self, pass: Backward) {
        let Some(dx) = pass.dx else { return };
        let (dy, dx) = (flat(pass.dy), flat_mut(dx));
        dx.fill(0.0);
        let images = dy.chunks_exact(self.n_outputs()).zip(dx.chunks_exact_mut(self.n_inputs));
        for (dy, dx) in images {
            self.for_each_source(|output, input, weight| {
                let dx = &mut dx[input..][..self.channels];
                dx.iter_mut().zip(&dy[output..]).for_each(|(dx, dy)| *dx += weight * dy);
            });
        }
    }

    fn work(&self) -> usize {
        self.n_outputs()
    }

    fn formula(&self) -> Option<Formula> {
        let UpSampling2D { size, interpolation } = self.options;
        Some(Formula::UpSampling { size, interpolation })
    }
}
