//! Embedding: each token, an integer index from 0 on, becomes a vector of its own.
//!
//! ```text
//! y[i]    = E[x[i]]
//! dE[k]   = Σ dy[i]   over all i with x[i] = k
//! ```
//!
//! Inputs are integers stored as real numbers; as in Keras, a fraction is cut off. Words have no
//! gradient.
//!
//! **Decision.** A step has no `Result`, so indices outside the vocabulary are found before the
//! first step, by [`Layer::vocabulary_size`], and are an error, as in Keras on TensorFlow and
//! PyTorch. An Embedding after another layer, which may compute the indices, turns such an index
//! into NaN, as Keras on JAX does.

use super::{Backward, Built, Formula, Forward, Layer, Op, Operation};
use crate::classes::class;
use crate::initializers::Initializer;
use crate::params::ParamSpec;
use crate::regularizers::L1L2;
use crate::shape::{Shape, flat, flat_mut};
use crate::{Error, Real, Result};

class! {
    /// A vector of `output_dim` values for each of `input_dim` indices: `(None, steps)` becomes
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
        /// Size of the vocabulary.
        input_dim: usize = 0,
        /// Values of a vector.
        output_dim: usize = 0,
        /// Initializer of the vectors.
        embeddings_initializer: Initializer =
            Initializer::RandomUniform { minval: -0.05, maxval: 0.05 },
        /// Penalty on the vectors.
        embeddings_regularizer: Option<L1L2> = None,
        /// True if later layers skip the index 0, which is not supported: false.
        mask_zero: bool = false,
    }
}

/// Largest vocabulary whose indices single precision tells apart.
const MAX_VOCABULARY: usize = 1 << 24;

impl Embedding {
    /// A layer with this vocabulary size, vectors of this length and Keras's defaults.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        Embedding { input_dim, output_dim, ..Embedding::default() }
    }
}

impl Layer for Embedding {
    fn build(&self, input: &Shape) -> Result<Built> {
        let Embedding { input_dim: vocabulary_size, output_dim: width, .. } = *self;
        if self.mask_zero {
            return Err(Error::shape(
                "mask_zero is true: later layers would have to skip the index 0, and none here \
                 does",
                "train the model in Keras with mask_zero=False",
            ));
        }
        if vocabulary_size == 0 || width == 0 || vocabulary_size > MAX_VOCABULARY {
            return Err(Error::shape(
                format!("input_dim is {vocabulary_size} and output_dim is {width}"),
                format!("give an input_dim from 1 to {MAX_VOCABULARY}, and output_dim at least 1"),
            ));
        }
        let vectors = ParamSpec::new(
            "embeddings",
            [vocabulary_size, width],
            &self.embeddings_initializer,
            self.embeddings_regularizer,
        );
        let output = Shape::from([input.dims(), &[width]].concat());
        let operations = vec![Operation::op(EmbeddingOp { vocabulary_size, width })];
        Ok(Built { output, params: vec![vectors], operations })
    }

    fn vocabulary_size(&self) -> Option<usize> {
        Some(self.input_dim)
    }
}

struct EmbeddingOp {
    vocabulary_size: usize,
    width: usize,
}

impl EmbeddingOp {
    /// Range of an index's vector; `None` outside the vocabulary.
    fn vector_of(&self, index: Real) -> Option<std::ops::Range<usize>> {
        // A NaN is in no range.
        if !(0.0..self.vocabulary_size as Real).contains(&index.trunc()) {
            return None;
        }
        let start = index as usize * self.width;
        Some(start..start + self.width)
    }
}

impl Op for EmbeddingOp {
    fn forward(&self, pass: Forward) {
        let embeddings = pass.params.get("embeddings");
        let vectors = flat_mut(pass.y).chunks_exact_mut(self.width);
        for (index, y) in flat(pass.x).iter().zip(vectors) {
            match self.vector_of(*index) {
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
        for (index, dy) in flat(pass.x).iter().zip(flat(pass.dy).chunks_exact(self.width)) {
            if let Some(vector) = self.vector_of(*index) {
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
