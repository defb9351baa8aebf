//! Multiply-adds of a model, counted in a run of the reference kernels and compared with the
//! formulas.
//!
//! The run takes the sizes of a convolution from the operation that the layer builds, and those of
//! a matrix product from the weight array; the formulas take them from the options of the layers.
//! `kernels::counting` says how a run counts.
//!
//! A model of billions of multiply-adds would take minutes. A layer beyond its share of [`BUDGET`]
//! is run for one unit or for one pair of a channel and a filter: all of them run the same loops,
//! so the count is that of the part times their number. Even that is too much only for images of
//! millions of pixels, whose count is then left out.

use crate::kernels::counting::{Gradients, MatrixProduct, MultiplyAdds, Part, Products};
use crate::layers::{Formula, Operation};
use crate::model::Sequential;
use crate::{Error, Result};

/// Multiply-adds that all runs may take together: well under a second.
const BUDGET: usize = 1 << 27;
/// Multiply-adds that the runs of one layer may take, which bounds their memory.
const LAYER_BUDGET: usize = 1 << 25;

/// Part of a layer that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// One of this number of equal parts, whose count was multiplied by the number.
    Part(usize),
    /// None of it: it takes too long.
    TooLarge,
    /// None of it: the layer is from outside the crate, and its operations are not known.
    Unknown,
}

/// Multiply-adds of a layer for one sample, stated and counted.
#[derive(Debug, Clone)]
pub struct MultiplyAddCount {
    /// Name of the layer.
    pub name: String,
    /// Arithmetic of the forward pass; empty for a layer without multiply-adds.
    pub formula: String,
    /// Multiply-adds by the formula; `None` if they are not known.
    pub stated: Option<MultiplyAdds>,
    /// Multiply-adds counted; `None` if nothing was run.
    pub counted: Option<MultiplyAdds>,
    /// Part of the layer that was run.
    pub extent: Extent,
}

impl MultiplyAddCount {
    /// True unless the count disproves the formula.
    pub fn agrees(&self) -> bool {
        self.counted.is_none() || self.counted == self.stated
    }

    /// Compares the formula with the count.
    ///
    /// # Errors
    /// A layer whose two numbers differ.
    pub fn check(&self) -> Result<()> {
        if self.agrees() {
            return Ok(());
        }
        let MultiplyAddCount { name, formula, .. } = self;
        let words = |counts: Option<MultiplyAdds>| {
            let MultiplyAdds { forward, on_padding, kernel_gradient, input_gradient } =
                counts.unwrap_or_default();
            format!(
                "{forward} multiply-adds forward ({on_padding} of them on padding), \
                 {kernel_gradient} for the gradient of the kernel and {input_gradient} for that of \
                 the input"
            )
        };
        Err(Error::weights(
            name,
            format!(
                "{name}: the formula {formula} gives {}, and the reference kernels execute {}",
                words(self.stated),
                words(self.counted)
            ),
        ))
    }
}

impl Sequential {
    /// Runs the reference kernels on one sample and counts the multiply-adds of each layer.
    ///
    /// ```
    /// let model = tallynet::model::presets::named("mnist-softmax")?.build(0)?;
    /// let dense = &model.count_multiply_adds()?[1];
    /// assert_eq!(dense.counted.unwrap().forward, 7840);
    /// assert_eq!(dense.counted, dense.stated);
    /// # Ok::<(), tallynet::Error>(())
    /// ```
    ///
    /// # Errors
    /// A layer of one's own that cannot be built again.
    pub fn count_multiply_adds(&self) -> Result<Vec<MultiplyAddCount>> {
        let mut work = vec![];
        for i in 0..self.layers().len() {
            work.push(self.work_of(i)?);
        }
        let n_runs = work.iter().filter(|each| matches!(each, Work::Products(_))).count();
        let limit = LAYER_BUDGET.min(BUDGET / n_runs.max(1));
        let mut counts = vec![];
        for (i, (layer, stated)) in self.layers().iter().zip(self.costs()).enumerate() {
            let Run { counted, extent } = work[i].run(self.needed_gradients(i), limit);
            counts.push(MultiplyAddCount {
                name: layer.name(),
                formula: layer.explain_cost().formula,
                stated: stated.multiply_adds,
                counted,
                extent,
            });
        }
        Ok(counts)
    }

    /// Work of a layer, by the operations that it builds for its input.
    fn work_of(&self, i: usize) -> Result<Work> {
        let layer = &self.layers()[i];
        if layer.spec.is_custom() {
            return Ok(Work::Unknown);
        }
        for operation in layer.spec.as_layer().build(&layer.input)?.operations {
            let Operation::Op(op) = operation else { continue };
            match op.formula() {
                Some(Formula::Convolution(convolution)) => {
                    return Ok(Work::Products(Products::Convolution(convolution)));
                }
                Some(Formula::Dense) => return Ok(self.matrix_product(i)),
                _ => {}
            }
        }
        Ok(Work::Elementwise)
    }

    /// Matrix product by the kernel of a layer, with the sizes of its array.
    fn matrix_product(&self, i: usize) -> Work {
        let mut arrays = self.parameters.of_layer(i).map(|entry| &entry.spec);
        let kernel = arrays.find(|array| array.name == "kernel").map(|array| &array.shape[..]);
        let Some(&[inputs, units]) = kernel else { return Work::Elementwise };
        let positions = self.layers()[i].input.n_values() / inputs.max(1);
        Work::Products(Products::Matrix(MatrixProduct { positions, inputs, units }))
    }
}

/// Work of a layer.
enum Work {
    /// Products that are added to sums.
    Products(Products),
    /// None of them.
    Elementwise,
    /// That of a layer from outside the crate.
    Unknown,
}

/// Outcome of a run.
struct Run {
    counted: Option<MultiplyAdds>,
    extent: Extent,
}

impl Work {
    /// Runs the loops, or a part of them that does not take more steps than the limit.
    fn run(&self, gradients: Gradients, limit: usize) -> Run {
        let products = match self {
            Work::Products(products) => products,
            Work::Elementwise => {
                return Run { counted: Some(MultiplyAdds::default()), extent: Extent::Whole };
            }
            Work::Unknown => return Run { counted: None, extent: Extent::Unknown },
        };
        if products.steps(gradients) <= limit {
            return Run { counted: Some(products.count(gradients)), extent: Extent::Whole };
        }
        let Part { products: one, n } = products.part();
        if one.steps(gradients) <= limit {
            let counted = one.count(gradients).times(n);
            return Run { counted: Some(counted), extent: Extent::Part(n) };
        }
        Run { counted: None, extent: Extent::TooLarge }
    }
}
