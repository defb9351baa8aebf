//! Dropout: in training, a value is kept with probability 1 − rate and divided by 1 − rate, or set
//! to 0; in inference it is unchanged.
//!
//! The mask depends only on the seed, the step, the layer and the row's index in the batch, not on
//! the thread. The backward pass draws the same mask again, which is cheaper than storing it.

use ndarray::{ArrayView2, ArrayViewMut2};
use rand::Rng;

use super::{Backward, Built, Forward, Layer, Op, Operation, TrainContext};
use crate::classes::class;
use crate::random::{self, Stream};
use crate::shape::{Shape, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// Dropout of a share of the values.
    ///
    /// ```
    /// use tallynet::layers::{Dropout, Layer};
    ///
    /// assert!(Dropout::new(0.5).build(&[100].into()).is_ok());
    /// assert!(Dropout::new(1.5).build(&[100].into()).is_err());
    /// ```
    Dropout {
        /// Share of values that are dropped, from 0 to under 1.
        rate: f64 = 0.0,
    }
}

impl Dropout {
    /// A layer that drops this share.
    pub fn new(rate: f64) -> Self {
        Dropout { rate }
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
        let words_per_row = (from.ncols() as u128).next_multiple_of(16);
        let limit = (self.rate * 4_294_967_296.0) as u32;
        let scale = 1.0 / (1.0 - self.rate) as Real;
        let mut numbers = [0; 256];
        for (i, row) in flat_mut(to).chunks_exact_mut(from.ncols()).enumerate() {
            generator.set_word_pos((step.first_row + i) as u128 * words_per_row);
            for values in row.chunks_mut(numbers.len()) {
                generator.fill(&mut numbers[..values.len()]);
                for (value, number) in values.iter_mut().zip(&numbers) {
                    *value = if *number >= limit { *value * scale } else { 0.0 };
                }
            }
        }
    }
}

impl Layer for Dropout {
    fn build(&self, input: &Shape) -> Result<Built> {
        if !(0.0..1.0).contains(&self.rate) {
            return Err(Error::shape(
                format!(
                    "a rate of {}: it expects the share to drop, at least 0 and under 1",
                    self.rate
                ),
                "take a rate such as 0.5",
            ));
        }
        let operation = if self.rate > 0.0 { Some(Operation::op(self.clone())) } else { None };
        Ok(Built::weightless(input.clone(), operation))
    }
}

impl Op for Dropout {
    fn forward(&self, pass: Forward) {
        self.drop(pass.training, pass.x, pass.y);
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            self.drop(pass.training, pass.dy, dx);
        }
    }
}
