//! Dropout: in training, a value is kept with probability 1 − rate and divided by 1 − rate, or set
//! to 0; in inference it is unchanged. Spatial dropout does so with whole channels.
//!
//! The mask depends only on the seed, the step, the layer and the row's index in the batch, not on
//! the thread. The backward pass draws the same mask again, which is cheaper than storing it.

use ndarray::{ArrayView2, ArrayViewMut2};
use rand::Rng;

use super::windows::SpatialSize;
use super::{Backward, Built, Formula, Forward, Layer, Op, Operation, TrainContext};
use crate::classes::class;
use crate::random::{self, Stream};
use crate::shape::{Shape, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// Dropout of a fraction of the values.
    ///
    /// ```
    /// use tallynet::layers::{Dropout, Layer};
    ///
    /// assert!(Dropout::new(0.5).build(&[100].into()).is_ok());
    /// assert!(Dropout::new(1.5).build(&[100].into()).is_err());
    /// ```
    Dropout {
        /// Fraction of the values that is dropped, from 0 to under 1.
        rate: f64 = 0.0,
    }
}

class! {
    /// Dropout of a fraction of the channels of a sequence: a channel is dropped at all timesteps
    /// or at none.
    ///
    /// ```
    /// use tallynet::layers::{Layer, SpatialDropout1D};
    ///
    /// assert!(SpatialDropout1D { rate: 0.2 }.build(&[100, 16].into()).is_ok());
    /// ```
    SpatialDropout1D {
        /// Fraction of the channels that is dropped, from 0 to under 1.
        rate: f64 = 0.0,
    }
}

class! {
    /// Dropout of a fraction of the channels of an image: a channel is dropped at all pixels or at
    /// none.
    ///
    /// ```
    /// use tallynet::layers::{Layer, SpatialDropout2D};
    ///
    /// assert!(SpatialDropout2D { rate: 0.2 }.build(&[28, 28, 16].into()).is_ok());
    /// ```
    SpatialDropout2D {
        /// Fraction of the channels that is dropped, from 0 to under 1.
        rate: f64 = 0.0,
    }
}

impl Dropout {
    /// A layer that drops this fraction.
    pub fn new(rate: f64) -> Self {
        Dropout { rate }
    }
}

impl Layer for Dropout {
    fn build(&self, input: &Shape) -> Result<Built> {
        DropoutOp { rate: self.rate, mask_len: input.n_values() }.build(input)
    }
}

impl Layer for SpatialDropout1D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let mask_len = SpatialSize::<1>::of(input)?.channels;
        DropoutOp { rate: self.rate, mask_len }.build(input)
    }
}

impl Layer for SpatialDropout2D {
    fn build(&self, input: &Shape) -> Result<Built> {
        let mask_len = SpatialSize::<2>::of(input)?.channels;
        DropoutOp { rate: self.rate, mask_len }.build(input)
    }
}

struct DropoutOp {
    rate: f64,
    /// Number of values of a row that are dropped independently; the mask repeats along the row.
    mask_len: usize,
}

impl DropoutOp {
    fn build(self, input: &Shape) -> Result<Built> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(Error::shape(
                format!("rate is {}; it must be at least 0 and less than 1", self.rate),
                "take a rate such as 0.5",
            ));
        }
        let operation = if self.rate > 0.0 { Some(Operation::op(self)) } else { None };
        Ok(Built::weightless(input.clone(), operation))
    }

    /// Copies `from`; in training, values are dropped or scaled.
    fn drop(
        &self,
        training: Option<TrainContext>,
        from: ArrayView2<Real>,
        mut to: ArrayViewMut2<Real>,
    ) {
        to.assign(&from);
        let Some(TrainContext { step, .. }) = training else { return };
        let stream = Stream::Dropout { layer: step.op as u32, iteration: step.iteration };
        let mut generator = random::generator(step.seed, stream);
        // Each row has its own range of the stream, which starts at a block of the generator.
        let words_per_row = (self.mask_len as u128).next_multiple_of(16);
        let limit = (self.rate * 4_294_967_296.0) as u32;
        let scale = 1.0 / (1.0 - self.rate) as Real;
        let mut numbers = [0; 256];
        for (i, row) in flat_mut(to).chunks_exact_mut(from.ncols()).enumerate() {
            generator.set_word_pos((step.first_row + i) as u128 * words_per_row);
            for first in (0..self.mask_len).step_by(numbers.len()) {
                let end = self.mask_len.min(first + numbers.len());
                let numbers = &mut numbers[..end - first];
                generator.fill(&mut *numbers);
                for position in row.chunks_exact_mut(self.mask_len) {
                    for (value, number) in position[first..end].iter_mut().zip(&*numbers) {
                        *value = if *number >= limit { *value * scale } else { 0.0 };
                    }
                }
            }
        }
    }
}

impl Op for DropoutOp {
    fn forward(&self, pass: Forward) {
        self.drop(pass.training, pass.x, pass.y);
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            self.drop(pass.training, pass.dy, dx);
        }
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Identity)
    }
}
