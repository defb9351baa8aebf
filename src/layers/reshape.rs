//! Flatten and Reshape: the same values in the same order, with other axes. They change the shape
//! and copy nothing.

use super::{Built, Layer};
use crate::classes::class;
use crate::shape::Shape;
use crate::{Error, Result};

class! {
    /// One axis for all values: `(None, 1, 28, 28)` becomes `(None, 784)`; a scalar sample becomes
    /// a vector of length 1.
    ///
    /// ```
    /// use tallynet::layers::{Flatten, Layer};
    ///
    /// assert_eq!(Flatten {}.build(&[1, 28, 28].into())?.output, [784].into());
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Flatten {}
}

class! {
    /// New axes for the same values.
    ///
    /// ```
    /// use tallynet::layers::{Layer, Reshape};
    ///
    /// let built = Reshape { target_shape: vec![7, 7, -1] }.build(&[3136].into())?;
    /// assert_eq!(built.output, [7, 7, 64].into());
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    Reshape {
        /// Axes of a sample; one of them may be -1, which is inferred from the others.
        target_shape: Vec<i64> = vec![],
    }
}

impl Layer for Flatten {
    fn build(&self, input: &Shape) -> Result<Built> {
        Ok(Built::weightless(Shape::from([input.n_values()]), None))
    }
}

impl Layer for Reshape {
    fn build(&self, input: &Shape) -> Result<Built> {
        let target = &self.target_shape;
        let n = input.n_values();
        let mut known: usize = 1;
        let mut open = 0;
        for &axis in target {
            match axis {
                1.. => known = known.saturating_mul(axis as usize),
                -1 if open == 0 => open = 1,
                _ => {
                    return Err(Error::shape(
                        format!(
                            "target_shape is {target:?}: every axis is at least 1, or -1 for one \
                             of them"
                        ),
                        format!("choose axes whose product is {n}"),
                    ));
                }
            }
        }
        if (open == 0 && known != n) || !n.is_multiple_of(known) {
            return Err(Error::shape(
                format!("target_shape {target:?} is a product of {known}, and {input} of {n}"),
                format!(
                    "choose axes whose product is {n}; one of them may be -1, which stands for \
                     the rest"
                ),
            ));
        }
        let length = |&axis: &i64| if axis == -1 { n / known } else { axis as usize };
        let output = Shape::from(target.iter().map(length).collect::<Vec<_>>());
        Ok(Built::weightless(output, None))
    }
}
