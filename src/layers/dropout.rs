//! Dropout: in training each value is kept with probability 1 − rate and then divided by it;
//! afterwards nothing happens.
//!
//! What is dropped depends on the seed, the step, the layer and the row's number in the batch, and
//! on nothing else: not on which thread computes the row. The backward pass draws the same numbers
//! again, which is cheaper than keeping them.

use ndarray::{ArrayView2, ArrayViewMut2};
use rand::Rng;

use super::{Backward, Built, Forward, Layer, LayerSpec, Misfit, Operation, Training, misfit};
use crate::Real;
use crate::classes::class;
use crate::random::{self, Stream};
use crate::shape::{Shape, flat_mut};

class! {
    /// The layer `Dropout`.
    Dropout {
        /// The share of values that are dropped, from 0 to under 1.
        rate: f64 = 0.0,
        /// Not used: what is dropped follows from the model's seed. Keras writes it.
        #[serde(skip_serializing_if = "Option::is_none")]
        seed: Option<u64> = None,
    }
}

impl Dropout {
    /// A layer that drops this share.
    pub fn new(rate: f64) -> Self {
        Dropout { rate, seed: None }
    }

    /// Writes each value of `from`, in training dropped or scaled.
    fn drop(
        &self,
        training: Option<Training>,
        from: ArrayView2<Real>,
        mut to: ArrayViewMut2<Real>,
    ) {
        to.assign(&from);
        let Some(Training { moment, .. }) = training else { return };
        let stream = Stream::Dropout { layer: moment.layer as u32, iteration: moment.iteration };
        let mut generator = random::generator(moment.seed, stream);
        // A number in each row's own stretch of the stream, which begins at a block of its own.
        let stretch = (from.ncols() as u128).next_multiple_of(16);
        let (limit, scale) =
            ((self.rate * 4_294_967_296.0) as u32, 1.0 / (1.0 - self.rate) as Real);
        let mut numbers = [0; 256];
        for (i, row) in flat_mut(to).chunks_exact_mut(from.ncols()).enumerate() {
            generator.set_word_pos((moment.first_row + i) as u128 * stretch);
            for values in row.chunks_mut(numbers.len()) {
                generator.fill(&mut numbers[..values.len()]);
                values.iter_mut().zip(&numbers).for_each(|(value, number)| {
                    *value = if *number >= limit { *value * scale } else { 0.0 };
                });
            }
        }
    }
}

impl LayerSpec for Dropout {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        if !(0.0..1.0).contains(&self.rate) {
            let problem = format!(
                "a rate of {}: it expects the share to drop, at least 0 and under 1",
                self.rate
            );
            return misfit(problem, "take a rate such as 0.5");
        }
        let operation = (self.rate > 0.0).then(|| Operation::layer(self.clone()));
        let reason = format!("it only drops {} % of the values while training", self.rate * 100.0);
        Built::weightless(input.clone(), operation, reason)
    }
}

impl Layer for Dropout {
    fn forward(&self, pass: Forward) {
        self.drop(pass.training, pass.x, pass.y);
    }

    fn backward(&self, pass: Backward) {
        if let Some(dx) = pass.dx {
            self.drop(pass.training, pass.dy, dx);
        }
    }
}
