//! Workspace of a plan: activations and gradients of one micro-batch, small enough to stay in the
//! cache during the forward and the backward pass.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Plan;
use super::plan::PlannedOp;
use crate::Real;
use crate::datasets::batches::BatchBuffers;
use crate::layers::{Backward, Forward, Operation, StepContext, TrainContext};
use crate::params::{ParamViews, ParamViewsMut};

/// Memory for one micro-batch.
pub struct Workspace {
    activations: Vec<Vec<Real>>,
    /// Gradients of two neighboring buffers: an op reads the first, writes the second and swaps
    /// them.
    gradients: [Vec<Real>; 2],
    scratch: Vec<Real>,
    targets: Vec<Real>,
    sample_weights: Vec<Real>,
    /// Partial sums of the micro-batch for the batch statistics computed last.
    pub sums: Vec<f64>,
}

/// Buffers that the loss reads and writes after a forward pass.
pub struct OutputBuffers<'a> {
    pub output: &'a [Real],
    /// Gradient with respect to the output.
    pub gradient: &'a mut [Real],
    pub targets: &'a [Real],
    pub sample_weights: &'a [Real],
}

/// Sums over the whole batch for one op with batch statistics.
#[derive(Default)]
pub struct BatchSums {
    pub forward: Vec<f64>,
    pub backward: Vec<f64>,
}

/// Arguments that the ops of a pass share.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub plan: &'a Plan,
    /// Every parameter of the model.
    pub params: &'a [Real],
    /// Rows that the workspace holds.
    pub rows: usize,
    pub step: StepContext,
}

/// Destination of the parameter gradients of a backward pass.
pub struct GradientSink<'a> {
    /// As long as the parameter vector.
    pub d_params: &'a mut [Real],
    /// True if gradients are added to `d_params`, false if they replace its content.
    pub accumulate: bool,
    /// True if the loss is fused: the gradient at the output is already with respect to the logits.
    pub fused: bool,
}

/// Length of a cache line in bytes. Buffers have one more, for alignment.
const LINE: usize = 64;

impl Workspace {
    /// Allocates memory for micro-batches of this many rows, with gradients only for training.
    pub fn new(plan: &Plan, rows: usize, target_width: usize, training: bool) -> Workspace {
        let gradient = if training { rows * plan.max_gradient_width() } else { 0 };
        Workspace {
            activations: plan.buffer_widths.iter().map(|width| buffer(rows * width)).collect(),
            gradients: [buffer(gradient), buffer(gradient)],
            scratch: buffer(plan.scratch_len()),
            targets: vec![0.0; rows * target_width],
            sample_weights: vec![0.0; rows],
            sums: vec![0.0; plan.max_sums()],
        }
    }

    /// Number of values that [`Workspace::new`] allocates.
    pub fn n_values(plan: &Plan, rows: usize, target_width: usize, training: bool) -> usize {
        let gradients = if training { plan.max_gradient_width().saturating_mul(2) } else { 0 };
        let row = plan.row_width().saturating_add(gradients).saturating_add(target_width);
        row.saturating_mul(rows).saturating_add(plan.scratch_len())
    }

    /// Buffers for this many rows of inputs and of targets of this width.
    pub fn inputs(&mut self, plan: &Plan, rows: usize, target_width: usize) -> BatchBuffers<'_> {
        BatchBuffers {
            x: &mut aligned_mut(&mut self.activations[0])[..rows * plan.buffer_widths[0]],
            y: &mut self.targets[..rows * target_width],
            sample_weights: &mut self.sample_weights[..rows],
        }
    }

    /// Output of the last forward pass, over this many rows.
    pub fn output(&mut self, plan: &Plan, rows: usize) -> OutputBuffers<'_> {
        let len = rows * plan.output_width();
        let gradient = aligned_mut(&mut self.gradients[0]);
        let gradient_len = len.min(gradient.len());
        OutputBuffers {
            output: &aligned(&self.activations[self.activations.len() - 1])[..len],
            gradient: &mut gradient[..gradient_len],
            targets: &self.targets,
            sample_weights: &self.sample_weights,
        }
    }

    /// Runs the forward pass of inference.
    pub fn predict(&mut self, pass: Pass) {
        for number in 0..pass.plan.ops.len() {
            self.forward_op(pass, number, None);
        }
    }

    /// Runs the forward pass of a segment in training mode. `sums` are the batch sums of its first
    /// op; the partial sums for the next segment's first op are written to [`Workspace::sums`].
    pub fn forward(&mut self, pass: Pass, segment: usize, sums: &BatchSums) {
        let ops = pass.plan.segments[segment].clone();
        for number in ops.clone() {
            self.forward_op(pass, number, Some(sums));
        }
        if let Some(statistics) = pass.plan.statistics(segment + 1) {
            let input = pass.plan.ops[ops.end].input;
            let x = pass.view(&self.activations[input], input);
            statistics.collect(x, &mut self.sums[..statistics.n_sums()]);
        }
    }

    fn forward_op(&mut self, pass: Pass, number: usize, sums: Option<&BatchSums>) {
        let op = &pass.plan.ops[number];
        let (before, after) = self.activations.split_at_mut(op.output);
        let mut y = pass.view_mut(&mut after[0], op.output);
        match &op.operation {
            Operation::Op(own) => own.forward(Forward {
                training: sums.and_then(|sums| pass.context(number, &sums.forward, &[])),
                params: pass.params_of(op),
                x: pass.view(&before[op.input], op.input),
                y,
                scratch: aligned_mut(&mut self.scratch),
            }),
            Operation::InPlace { activation, width } => {
                if op.input != op.output {
                    y.assign(&pass.view(&before[op.input], op.input));
                }
                activation.forward(*width, y);
            }
        }
    }

    /// Backpropagates through a segment, down to the first trainable op.
    ///
    /// `sums` are the batch sums of each segment's first op. The backward pass of an op with batch
    /// statistics has two parts: its own segment writes its partial sums to [`Workspace::sums`],
    /// and the segment before, which runs once they are merged, computes its dx. So this pass
    /// starts with the dx of the next segment's first op.
    pub fn backward(
        &mut self,
        pass: Pass,
        segment: usize,
        sums: &[BatchSums],
        sink: &mut GradientSink,
    ) {
        let ops = pass.plan.segments[segment].clone();
        let mut end = ops.end;
        if segment + 1 < sums.len() {
            self.backward_op(pass, end, &sums[segment + 1], sink);
        } else if sink.fused {
            end -= 1;
        }
        let first = ops.start.max(pass.plan.first_trainable.min(end));
        for number in (first..end).rev() {
            if number == ops.start && segment > 0 {
                self.collect_backward(pass, number, &sums[segment], sink);
            } else {
                self.backward_op(pass, number, &sums[segment], sink);
            }
        }
    }

    fn backward_op(
        &mut self,
        pass: Pass,
        number: usize,
        sums: &BatchSums,
        sink: &mut GradientSink,
    ) {
        let first_trainable = pass.plan.first_trainable;
        if number < first_trainable {
            return;
        }
        let op = &pass.plan.ops[number];
        let [above, below] = &mut self.gradients;
        match &op.operation {
            Operation::Op(own) => {
                own.backward(Backward {
                    training: pass.context(number, &sums.forward, &sums.backward),
                    params: pass.params_of(op),
                    x: pass.view(&self.activations[op.input], op.input),
                    dy: pass.view(above, op.output),
                    accumulate: sink.accumulate,
                    d_params: sink.of(op),
                    dx: (number > first_trainable).then(|| pass.view_mut(below, op.input)),
                    scratch: aligned_mut(&mut self.scratch),
                });
                self.gradients.swap(0, 1);
            }
            Operation::InPlace { activation, width } => {
                let y = pass.view(&self.activations[op.output], op.output);
                activation.backward(*width, y, pass.view_mut(above, op.output));
            }
        }
    }

    /// Writes the partial backward sums of these rows, and their parameter gradients.
    fn collect_backward(
        &mut self,
        pass: Pass,
        number: usize,
        sums: &BatchSums,
        sink: &mut GradientSink,
    ) {
        let op = &pass.plan.ops[number];
        let Some(statistics) = op.batch_statistics() else { return };
        let arguments = Backward {
            training: pass.context(number, &sums.forward, &[]),
            params: pass.params_of(op),
            x: pass.view(&self.activations[op.input], op.input),
            dy: pass.view(&self.gradients[0], op.output),
            accumulate: sink.accumulate,
            d_params: sink.of(op),
            dx: None,
            scratch: aligned_mut(&mut self.scratch),
        };
        statistics.collect_backward(arguments, &mut self.sums[..statistics.n_sums()]);
    }
}

fn buffer(len: usize) -> Vec<Real> {
    vec![0.0; len + LINE / size_of::<Real>()]
}

/// A buffer from its first cache line on, so that no vector load crosses two lines.
fn aligned(buffer: &[Real]) -> &[Real] {
    &buffer[aligned_start(buffer)..]
}

fn aligned_mut(buffer: &mut [Real]) -> &mut [Real] {
    let start = aligned_start(buffer);
    &mut buffer[start..]
}

fn aligned_start(buffer: &[Real]) -> usize {
    buffer.as_ptr().align_offset(LINE).min(LINE / size_of::<Real>())
}

impl<'a> Pass<'a> {
    fn context<'s>(
        &self,
        number: usize,
        forward_sums: &'s [f64],
        backward_sums: &'s [f64],
    ) -> Option<TrainContext<'s>> {
        if !self.plan.ops[number].trained {
            return None;
        }
        let step = StepContext { op: number, ..self.step };
        Some(TrainContext { step, forward_sums, backward_sums })
    }

    fn params_of(&self, op: &'a PlannedOp) -> ParamViews<'a> {
        ParamViews::new(&self.params[op.params.clone()], &op.arrays)
    }

    fn view<'v>(&self, buffer: &'v [Real], number: usize) -> ArrayView2<'v, Real> {
        let (rows, width) = (self.rows, self.plan.buffer_widths[number]);
        let values = &aligned(buffer)[..rows * width];
        ArrayView2::from_shape((rows, width), values).expect("rows without gaps")
    }

    fn view_mut<'v>(&self, buffer: &'v mut [Real], number: usize) -> ArrayViewMut2<'v, Real> {
        let (rows, width) = (self.rows, self.plan.buffer_widths[number]);
        let values = &mut aligned_mut(buffer)[..rows * width];
        ArrayViewMut2::from_shape((rows, width), values).expect("rows without gaps")
    }
}

impl GradientSink<'_> {
    fn of<'v>(&'v mut self, op: &'v PlannedOp) -> ParamViewsMut<'v> {
        ParamViewsMut::new(&mut self.d_params[op.params.clone()], &op.arrays)
    }
}
