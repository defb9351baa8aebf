//! Flatten and Reshape: the same values in the same order, under other axes. They change a shape
//! and move nothing.

use super::{Built, LayerSpec, Misfit, misfit};
use crate::classes::class;
use crate::shape::Shape;

class! {
    /// `(None, 1, 28, 28)` becomes `(None, 784)`; a sample that is one number becomes a vector of
    /// length 1.
    Flatten {}
}

class! {
    /// `Reshape { target_shape: vec![7, 7, -1] }` makes `(None, 7, 7, 64)` of `(None, 3136)`.
    Reshape {
        /// The axes of a sample; one of them may be -1 and is then as long as it must be.
        target_shape: Vec<i64> = vec![],
    }
}

impl LayerSpec for Flatten {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let axes: Vec<_> = input.dims().iter().map(usize::to_string).collect();
        let reason = match axes.len() {
            0 => "it only gives the sample an axis".to_string(),
            _ => format!(
                "it only lays the sample's axes end to end: {} = {}",
                axes.join(" × "),
                input.n_values()
            ),
        };
        Built::weightless(Shape::from([input.n_values()]), None, reason)
    }
}

impl LayerSpec for Reshape {
    fn build(&self, input: &Shape) -> Result<Built, Misfit> {
        let (target, n) = (&self.target_shape, input.n_values());
        let known = target
            .iter()
            .filter(|&&axis| axis > 0)
            .fold(1, |n: usize, &axis| n.saturating_mul(axis as usize));
        let open = target.iter().filter(|&&axis| axis == -1).count();
        if open > 1 || target.iter().any(|&axis| axis == 0 || axis < -1) {
            let problem = format!(
                "target_shape is {target:?}: every axis is at least 1, or -1 for one of them"
            );
            return misfit(problem, format!("choose axes whose product is {n}"));
        }
        if (open == 0 && known != n) || n % known != 0 {
            let problem =
                format!("target_shape {target:?} is a product of {known}, and {input} of {n}");
            let remedy = format!(
                "choose axes whose product is {n}; one of them may be -1, which stands for the rest"
            );
            return misfit(problem, remedy);
        }
        let axes = target.iter().map(|&axis| if axis == -1 { n / known } else { axis as usize });
        let output = Shape::from(axes.collect::<Vec<_>>());
        Built::weightless(
            output,
            None,
            format!("it only lays the same {n} values along other axes"),
        )
    }
}
