//! What runs, in order, and over which buffers; and the memory that it runs in.
//!
//! A plan is one list, read forward and backward. A workspace holds a few rows (a chunk) at every stage, so that they
//! stay in the processor's cache from the first layer to the last and back.

use std::fmt;
use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::Real;
use crate::activations::ActivationKind;
use crate::layers::{Backward, Layer, Operation};

/// The operations of a model. Buffer 0 holds the input; each layer writes a buffer of its own.
pub struct Plan {
    steps: Vec<Step>,
    /// Numbers that a row takes in each buffer.
    widths: Vec<usize>,
    /// The first step with parameters that are trained: nobody needs a gradient below it.
    lowest: usize,
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
        Plan { steps: vec![], widths: vec![input_width], lowest: usize::MAX }
    }

    /// Adds what runs next, and says whether its parameters are trained.
    pub(super) fn push(&mut self, operation: Operation, params: Range<usize>, trained: bool, output_width: usize) {
        let input = self.widths.len() - 1;
        let output = match operation {
            Operation::Layer(_) => {
                self.widths.push(output_width);
                input + 1
            }
            // The input buffer is gathered anew for each chunk, so it may be changed like any other.
            Operation::InPlace(..) => input,
        };
        if trained {
            self.lowest = self.lowest.min(self.steps.len());
        }
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
        self.layers().map(Layer::work).fold(0, usize::saturating_add)
    }

    /// The activation that runs last, if the model ends with one: a loss may absorb it.
    pub fn last_activation(&self) -> Option<ActivationKind> {
        match self.steps.last()?.operation {
            Operation::InPlace(activation, _) => Some(activation),
            Operation::Layer(_) => None,
        }
    }

    fn layers(&self) -> impl Iterator<Item = &dyn Layer> {
        self.steps.iter().filter_map(|step| match &step.operation {
            Operation::Layer(layer) => Some(layer.as_ref()),
            Operation::InPlace(..) => None,
        })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Plan of {} steps over buffers of {:?}", self.steps.len(), self.widths)
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
    /// How much each row counts.
    pub weights: Vec<Real>,
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
            scratch: vec![0.0; plan.layers().map(Layer::scratch_len).max().unwrap_or(0)],
            targets: buffer(target_width),
            weights: buffer(1),
        }
    }

    /// Where so many rows of the input, of targets of this width, and of weights are gathered to.
    pub fn gather_to(&mut self, plan: &Plan, rows: usize, target_width: usize) -> [&mut [Real]; 3] {
        let targets = &mut self.targets[..rows * target_width];
        [&mut self.values[0][..rows * plan.widths[0]], targets, &mut self.weights[..rows]]
    }

    /// The output of the last forward pass over so many rows.
    pub fn output(&self, plan: &Plan, rows: usize) -> &[Real] {
        &self.values[self.values.len() - 1][..rows * plan.output_width()]
    }

    /// The same, and where the gradient of the loss at it goes, with targets and weights.
    pub fn head(&mut self, plan: &Plan, rows: usize) -> (&[Real], &mut [Real], &[Real], &[Real]) {
        let len = rows * plan.output_width();
        let output = &self.values[self.values.len() - 1][..len];
        (output, &mut self.deltas[0][..len], &self.targets, &self.weights)
    }

    /// Runs so many rows through all layers.
    pub fn forward(&mut self, plan: &Plan, params: &[Real], rows: usize) {
        for step in &plan.steps {
            let width = plan.widths[step.output];
            match &step.operation {
                Operation::Layer(layer) => {
                    let (below, above) = self.values.split_at_mut(step.output);
                    let x = view(&below[step.input], rows, plan.widths[step.input]);
                    layer.forward(
                        &params[step.params.clone()],
                        x,
                        view_mut(&mut above[0], rows, width),
                        &mut self.scratch,
                    );
                }
                Operation::InPlace(activation, vector) => {
                    activation.forward(*vector, view_mut(&mut self.values[step.output], rows, width));
                }
            }
        }
    }

    /// Runs the gradient that was written to [`Workspace::head`] back through the layers, to the lowest that is
    /// trained. Where `absorbed` says so, it is the one in front of the last activation, which is then left out.
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
        let steps = &plan.steps[..plan.steps.len() - usize::from(absorbed)];
        for (i, step) in steps.iter().enumerate().skip(plan.lowest).rev() {
            let width = plan.widths[step.output];
            match &step.operation {
                Operation::Layer(layer) => {
                    layer.backward(Backward {
                        params: &params[step.params.clone()],
                        x: view(&self.values[step.input], rows, plan.widths[step.input]),
                        dy: view(above, rows, width),
                        d_params: &mut d_params[step.params.clone()],
                        accumulate,
                        dx: (i > plan.lowest).then(|| view_mut(below, rows, plan.widths[step.input])),
                        scratch: &mut self.scratch,
                    });
                    std::mem::swap(&mut above, &mut below);
                }
                Operation::InPlace(activation, vector) => {
                    let y = view(&self.values[step.output], rows, width);
                    activation.backward(*vector, y, view_mut(above, rows, width));
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
