//! RepeatVector: the same vector at each timestep of a sequence.
//!
//! ```text
//! y[i, j] = x[j]
//! dx[j]   = Σ dy[i, j]   over the timesteps i
//! ```

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::kernels::rows;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Result};

class! {
    /// Repetition of a vector: `(None, c)` becomes `(None, n, c)`.
    ///
    /// ```
    /// use tallynet::layers::{Layer, RepeatVector};
    ///
    /// let built = RepeatVector { n: 3 }.build(&[5].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 3, 5)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    RepeatVector {
        /// Number of timesteps.
        n: usize = 1,
    }
}

impl Layer for RepeatVector {
    fn build(&self, input: &Shape) -> Result<Built> {
        let [width] = *input.dims() else {
            return Err(Error::shape(
                format!("it expects vectors, (None, values), and gets {input}"),
                "put a layer in front of it that makes vectors, such as Flatten",
            ));
        };
        let output = Shape::from([self.n, width]);
        if !output.is_addressable() {
            return Err(Error::shape(
                format!("n is {} for vectors of {width} values", self.n),
                "give n a small number of repetitions, at least 1",
            ));
        }
        Ok(Built::weightless(output, Some(Operation::op(self.clone()))))
    }
}

impl Op for RepeatVector {
    fn forward(&self, pass: Forward) {
        let width = pass.x.ncols();
        let rows = flat(pass.x).chunks_exact(width);
        for (x, y) in rows.zip(flat_mut(pass.y).chunks_exact_mut(self.n * width)) {
            y.chunks_exact_mut(width).for_each(|y| y.copy_from_slice(x));
        }
    }

    fn backward(&self, pass: Backward) {
        let Some(dx) = pass.dx else { return };
        let width = pass.x.ncols();
        let rows = flat_mut(dx).chunks_exact_mut(width);
        for (dx, dy) in rows.zip(flat(pass.dy).chunks_exact(self.n * width)) {
            rows::sum_rows(dy, dx, false);
        }
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Repetition { n: self.n })
    }
}
