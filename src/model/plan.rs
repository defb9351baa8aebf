//! What runs, in order, and over which buffers; and the memory that it runs in.
//!
//! A plan is the same list read forward and backward. A workspace holds a few rows (a chunk) at every stage, so that
//! they stay in the processor's cache from the first layer to the last and back.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;
use crate::activations::ActivationKind;
use crate::layers::{Backward, Layer, Operation};

/// The operations of a model. Buffer 0 holds the input; each layer writes a buffer of its own.
#[derive(Default)]
pub struct Plan {
    steps: Vec<Step>,
    /// Numbers that a row takes in each buffer.
    widths: Vec<usize>,
}

struct Step {
    operation: Operation,
    /// Where the parameters of its layer lie in the vector.
    params: Range<usize>,
    /// The buffer it reads and the one it writes: the same for what runs in place.
    input: usize,
    output: usize,
}

impl Plan {
    /// The plan of a model without layers, for rows of this width.
    pub(super) fn new(input_width: usize) -> Plan {
        Plan { steps: vec![], widths: vec![input_width] }
    }

    /// Adds what runs next.
    pub(super) fn push(&mut self, operation: Operation, params: Range<usize>, output_width: usize) {
        let input = self.widths.len() - 1;
        let output = match operation {
            Operation::Layer(_) => {
                self.widths.push(output_width);
                input + 1
            }
            // The input buffer is gathered anew for each chunk, so it may be changed like any other.
            Operation::InPlace(_) => input,
        };
        self.steps.push(Step { operation, params, input, output });
    }

    /// The numbers of a row of the output.
    pub fn output_width(&self) -> usize {
        self.widths.last().copied().unwrap_or(0)
    }

    /// The numbers that a row takes in all buffers.
    pub fn row_width(&self) -> usize {
        self.widths.iter().fold(0, |sum, width| sum.saturating_add(*width))
    }

    /// Multiplications of the forward pass of one row, about.
    pub fn work(&self) -> usize {
        self.layers().map(|layer| layer.work()).fold(0, usize::saturating_add)
    }

    /// The activation that runs last, if the model ends with one: a loss may absorb it.
    pub fn last_activation(&self) -> Option<ActivationKind> {
        match self.steps.last()?.operation {
            Operation::InPlace(activation) => Some(activation.kind()),
            Operation::Layer(_) => None,
        }
    }

    fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        self.steps.iter().filter_map(|step| match &step.operation {
            Operation::Layer(layer) => Some(layer.as_ref()),
            Operation::InPlace(_) => None,
        })
    }

    /// The first step with parameters: nobody needs a gradient below it.
    fn lowest(&self) -> usize {
        self.steps.iter().position(|step| !step.params.is_empty()).unwrap_or(self.steps.len())
    }
}

/// The memory for one chunk of rows.
pub struct Workspace {
    values: Vec<Vec<Real>>,
    /// The gradients at two neighbouring buffers; which is which alternates.
    deltas: [Vec<Real>; 2],
    scratch: Vec<Real>,
    /// The targets of the chunk.
    pub targets: Vec<Real>,
}

impl Workspace {
    /// Memory for so many rows at a time; that for gradients only where `training` says so.
    pub fn new(plan: &Plan, rows: usize, target_width: usize, training: bool) -> Workspace {
        let buffer = |width: usize| vec![0.0; rows * width];
        // The gradient at the input is never computed.
        let widest = if training { plan.widths.iter().skip(1).copied().max().unwrap_or(plan.widths[0]) } else { 0 };
        Workspace {
            values: plan.widths.iter().map(|&width| buffer(width)).collect(),
            deltas: [buffer(widest), buffer(widest)],
            scratch: vec![0.0; plan.layers().map(|layer| layer.scratch_len()).max().unwrap_or(0)],
            targets: buffer(target_width),
        }
    }

    /// Where so many rows of the input, and of targets of this width, are gathered to.
    pub fn inputs_and_targets(&mut self, plan: &Plan, rows: usize, target_width: usize) -> (&mut [Real], &mut [Real]) {
        (&mut self.values[0][..rows * plan.widths[0]], &mut self.targets[..rows * target_width])
    }

    /// The output of the last forward pass over so many rows.
    pub fn output(&self, plan: &Plan, rows: usize) -> ArrayView2<'_, Real> {
        view(&self.values[self.values.len() - 1], rows, plan.output_width())
    }

    /// Runs so many rows through all layers.
    pub fn forward(&mut self, plan: &Plan, params: &[Real], rows: usize) {
        for step in &plan.steps {
            match &step.operation {
                Operation::Layer(layer) => {
                    let (below, above) = self.values.split_at_mut(step.output);
                    let x = view(&below[step.input], rows, plan.widths[step.input]);
                    let y = view_mut(&mut above[0], rows, plan.widths[step.output]);
                    layer.forward(&params[step.params.clone()], x, y, &mut self.scratch);
                }
                Operation::InPlace(activation) => {
                    activation.forward(view_mut(&mut self.values[step.output], rows, plan.widths[step.output]));
                }
            }
        }
    }

    /// The output of the last forward pass, its targets, and where the gradient of the loss at the output goes.
    pub fn head(&mut self, plan: &Plan, rows: usize) -> (ArrayView2<'_, Real>, &[Real], ArrayViewMut2<'_, Real>) {
        let width = plan.output_width();
        let output = view(&self.values[self.values.len() - 1], rows, width);
        (output, &self.targets, view_mut(&mut self.deltas[0], rows, width))
    }

    /// Runs the gradient that was written to [`Workspace::head`] back through the layers, to the lowest that has
    /// parameters. Where `absorbed` says so, it is the one in front of the last activation, which is then left out.
    /// `d_params` is as long as the parameter vector; it is overwritten, or added to where `accumulate` says so.
    pub fn backward(
        &mut self,
        plan: &Plan,
        params: &[Real],
        rows: usize,
        absorbed: bool,
        d_params: &mut [Real],
        accumulate: bool,
    ) {
        let [mut above, mut below] = self.deltas.each_mut();
        let lowest = plan.lowest();
        let steps = &plan.steps[..plan.steps.len() - usize::from(absorbed)];
        for (i, step) in steps.iter().enumerate().skip(lowest).rev() {
            let y = view(&self.values[step.output], rows, plan.widths[step.output]);
            match &step.operation {
                Operation::Layer(layer) => {
                    layer.backward(Backward {
                        params: &params[step.params.clone()],
                        x: view(&self.values[step.input], rows, plan.widths[step.input]),
                        dy: view(above, rows, plan.widths[step.output]),
                        d_params: &mut d_params[step.params.clone()],
                        accumulate,
                        dx: (i > lowest).then(|| view_mut(below, rows, plan.widths[step.input])),
                        scratch: &mut self.scratch,
                    });
                    std::mem::swap(&mut above, &mut below);
                }
                Operation::InPlace(activation) => {
                    activation.backward(y, view_mut(above, rows, plan.widths[step.output]));
                }
            }
        }
    }
}

fn view(buffer: &[Real], rows: usize, width: usize) -> ArrayView2<'_, Real> {
    ArrayView2::from_shape((rows, width), &buffer[..rows * width]).expect("a buffer of rows without gaps")
}

fn view_mut(buffer: &mut [Real], rows: usize, width: usize) -> ArrayViewMut2<'_, Real> {
    ArrayViewMut2::from_shape((rows, width), &mut buffer[..rows * width]).expect("a buffer of rows without gaps")
}
