//! Embedding: each word, an integer from 0 on, becomes a vector of its own.
//!
//! ```text
//! y[i]    = E[x[i]]
//! dE[k]   = Σ dy[i]   over all i with x[i] = k
//! ```
//!
//! Inputs are integers stored as real numbers; as in Keras, a fraction is cut off. Words have no
//! gradient.
//!
//! **Decision.** A step has no `Result`, so words that the layer does not have are found before the
//! first step, by [`Layer::n_words`], and are an error, as in Keras on TensorFlow and PyTorch. An
//! Embedding behind another layer, which may compute the words, turns them into NaN, as Keras on
//! JAX does.

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// A vector of `output_dim` values for each of `input_dim` words: `(None, steps)` becomes
    /// `(None, steps, output_dim)`.
    ///
    /// ```
    /// use tallynet::layers::{Embedding, Layer};
    ///
    /// let built = Embedding::new(1000, 16).build(&[20].into())?;
    /// assert_eq!(built.output.to_string(), "(None, 20, 16)");
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Embedding {
        /// Number of words.
        input_dim: usize = 0,
        /// Values of a vector.
        output_dim: usize = 0,
        /// Initializer of the vectors.
        embeddings_initializer: Initializer =
            Initializer::RandomUniform { minval: -0.05, maxval: 0.05 },
        /// Penalty on the vectors.
        embeddings_regularizer: Option<L1L2> = None,
        /// True if later layers pass over the word 0, which is not supported: false.
        mask_zero: bool = false,
    }
}

/// Largest number of words that single precision tells apart.
const MAX_WORDS: usize = 1 << 24;

impl Embedding {
    /// A layer with this number of words, vectors of this length and Keras's defaults.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        Embedding { input_dim, output_dim, ..Embedding::default() }
    }
}

impl Layer for Embedding {
    fn build(&self, input: &Shape) -> Result<Built> {
        let Embedding { input_dim: words, output_dim: width, .. } = *self;
        if self.mask_zero {
            return Err(Error::shape(
                "mask_zero is true: later layers would have to pass over the word 0, and none here \
                 does",
                "train the model in Keras with mask_zero=False",
            ));
        }
        if words == 0 || width == 0 || words > MAX_WORDS {
            return Err(Error::shape(
                format!("input_dim is {words} and output_dim is {width}"),
                format!("give input_dim 1 to {MAX_WORDS} words, and output_dim at least 1"),
            ));
        }
        let vectors = ParamSpec::new(
            "embeddings",
            [words, width],
            &self.embeddings_initializer,
            self.embeddings_regularizer,
        );
        let output = Shape::from([input.dims(), &[width]].concat());
        let operations = vec![Operation::op(EmbeddingOp { words, width })];
        Ok(Built { output, params: vec![vectors], operations })
    }

    fn n_words(&self) -> Option<usize> {
        Some(self.input_dim)
    }
}

struct EmbeddingOp {
    words: usize,
    width: usize,
}

impl EmbeddingOp {
    /// Range of a word's vector, unless there is no such word.
    fn vector_of(&self, word: Real) -> Option<std::ops::Range<usize>> {
        // A NaN is in no range.
        if !(0.0..self.words as Real).contains(&word.trunc()) {
            return None;
        }
        let start = word as usize * self.width;
        Some(start..start + self.width)
    }
}

impl Op for EmbeddingOp {
    fn forward(&self, pass: Forward) {
        let embeddings = pass.params.get("embeddings");
        let vectors = flat_mut(pass.y).chunks_exact_mut(self.width);
        for (word, y) in flat(pass.x).iter().zip(vectors) {
            match self.vector_of(*word) {
                Some(vector) => y.copy_from_slice(&embeddings[vector]),
                None => y.fill(Real::NAN),
            }
        }
    }

    fn backward(&self, mut pass: Backward) {
        let d_embeddings = pass.d_params.get("embeddings");
        if !pass.accumulate {
            d_embeddings.fill(0.0);
        }
        for (word, dy) in flat(pass.x).iter().zip(flat(pass.dy).chunks_exact(self.width)) {
            if let Some(vector) = self.vector_of(*word) {
                d_embeddings[vector].iter_mut().zip(dy).for_each(|(sum, dy)| *sum += dy);
            }
        }
        if let Some(mut dx) = pass.dx {
            dx.fill(0.0);
        }
    }

    fn formula(&self) -> Option<Formula> {
        Some(Formula::Embedding)
    }
}
