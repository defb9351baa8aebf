//! Multiply-adds of a model, counted in a run of the reference loops and compared with the formulas.
//!
//! The run takes the sizes from the operations that the model executes and from its weight arrays;
//! the formulas take them from the options of the layers. `kernels::counting` says how a run counts.
//!
//! A model of billions of multiply-adds would take minutes. A layer beyond its share of [`BUDGET`] is
//! run for one unit or for one pair of a channel and a filter: all of them run the same loops, so
//! the count is that of the part times their number. Even that is too much only for images of
//! millions of pixels, whose count is then left out.

use super::{BuiltLayer, MultiplyAdds, Sequential};
use crate::kernels::convolution::Convolution;
use crate::kernels::counting::{self, Gradients, MatrixProduct};
use crate::layers::{Formula, Operation};
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
                "{name}: the formula {formula} gives {}, and the reference loops execute {}",
                words(self.stated),
                words(self.counted)
            ),
        ))
    }
}

impl Sequential {
    /// Runs the reference loops on one sample and counts the multiply-adds of each layer.
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
        let mut parts = vec![];
        for i in 0..self.layers().len() {
            parts.push(self.products_of(i)?);
        }
        let n_runs = parts.iter().filter(|each| !matches!(each, Products::None)).count();
        let limit = LAYER_BUDGET.min(BUDGET / n_runs.max(1));
        let mut counts = vec![];
        for (i, (layer, stated)) in self.layers().iter().zip(self.costs()).enumerate() {
            let run = parts[i].count(self.needed_gradients(i), limit);
            counts.push(MultiplyAddCount {
                name: layer.name(),
                formula: layer.explain_cost().formula,
                stated: stated.multiply_adds,
                counted: run.counted,
                extent: run.extent,
            });
        }
        Ok(counts)
    }

    /// Products that the operations of a layer consist of.
    fn products_of(&self, i: usize) -> Result<Products> {
        let layer: &BuiltLayer = &self.layers()[i];
        for operation in layer.spec.as_layer().build(&layer.input)?.operations {
            let Operation::Op(op) = operation else { continue };
            match op.formula() {
                Some(Formula::Dense) => {
                    let mut arrays = self.parameters.of_layer(i).map(|entry| &entry.spec);
                    let kernel = arrays.find(|array| array.name == "kernel");
                    if let Some([inputs, units]) = kernel.map(|array| array.shape[..].as_ref()) {
                        let positions = layer.input.n_values() / (*inputs).max(1);
                        let (inputs, units) = (*inputs, *units);
                        return Ok(Products::Matrix(MatrixProduct { positions, inputs, units }));
                    }
                }
                Some(Formula::Convolution(convolution)) => {
                    return Ok(Products::Convolution(convolution));
                }
                None if layer.spec.is_custom() => return Ok(Products::Unknown),
                _ => {}
            }
        }
        Ok(Products::None)
    }
}

/// Products that a layer consists of.
enum Products {
    None,
    Unknown,
    Matrix(MatrixProduct),
    Convolution(Convolution),
}

/// Outcome of a run.
struct CountedRun {
    counted: Option<MultiplyAdds>,
    extent: Extent,
}

impl Products {
    /// Runs the loops, or a part of them that does not take more multiply-adds than the limit.
    fn count(&self, gradients: Gradients, limit: usize) -> CountedRun {
        let passes = 2 + usize::from(gradients.kernel) + usize::from(gradients.input);
        let limit = limit / passes;
        match self {
            Products::None => {
                CountedRun { counted: Some(MultiplyAdds::default()), extent: Extent::Whole }
            }
            Products::Unknown => CountedRun { counted: None, extent: Extent::Unknown },
            Products::Matrix(whole) => {
                let one = MatrixProduct { units: 1, ..*whole };
                let n = |product: &MatrixProduct| {
                    product.positions.saturating_mul(product.inputs).saturating_mul(product.units)
                };
                if n(whole) <= limit {
                    CountedRun::whole(whole.count(gradients))
                } else if n(&one) <= limit {
                    CountedRun::part(one.count(gradients), whole.units)
                } else {
                    CountedRun::too_large()
                }
            }
            Products::Convolution(whole) => {
                let one = Convolution { channels: 1, filters: 1, ..*whole };
                let n = |c: &Convolution| {
                    let positions = c.rows.output.saturating_mul(c.columns.output);
                    positions.saturating_mul(c.depth()).saturating_mul(c.filters)
                };
                if n(whole) <= limit {
                    CountedRun::whole(counting::convolution(whole, gradients))
                } else if n(&one) <= limit {
                    let parts = whole.channels.saturating_mul(whole.filters);
                    CountedRun::part(counting::convolution(&one, gradients), parts)
                } else {
                    CountedRun::too_large()
                }
            }
        }
    }
}

impl CountedRun {
    fn whole(counted: MultiplyAdds) -> CountedRun {
        CountedRun { counted: Some(counted), extent: Extent::Whole }
    }

    fn part(counted: MultiplyAdds, parts: usize) -> CountedRun {
        CountedRun { counted: Some(counted.times(parts)), extent: Extent::Part(parts) }
    }

    fn too_large() -> CountedRun {
        CountedRun { counted: None, extent: Extent::TooLarge }
    }
}
