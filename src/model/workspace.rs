//! The memory that a plan runs in: a few rows (a chunk) at every stage, so that they stay in the
//! processor's cache from the first layer to the last and back.

use std::ops::Range;

use ndarray::{ArrayView2, ArrayViewMut2};

use super::Plan;
use crate::Real;
use crate::datasets::batches::BatchBuffers;
use crate::layers::{Backward, Forward, Moment, Operation, Training};

/// The memory for one chunk of rows.
pub struct Workspace {
    values: Vec<Vec<Real>>,
    /// The gradients at two neighbouring buffers: the first is where the backward pass is.
    deltas: [Vec<Real>; 2],
    scratch: Vec<Real>,
    /// The targets of the chunk.
    pub targets: Vec<Real>,
    /// How much each row counts.
    pub weights: Vec<Real>,
    /// The sums of this chunk, for the coupling that was reached last.
    pub sums: Vec<f64>,
}

impl Workspace {
    /// Memory for so many rows at a time; that for gradients only where `training` says so.
    pub fn new(plan: &Plan, rows: usize, target_width: usize, training: bool) -> Workspace {
        let gradients = if training { rows * plan.widest() } else { 0 };
        Workspace {
            values: plan.widths.iter().map(|width| buffer(rows * width)).collect(),
            deltas: [buffer(gradients), buffer(gradients)],
            scratch: buffer(plan.scratch_len()),
            targets: vec![0.0; rows * target_width],
            weights: vec![0.0; rows],
            sums: vec![
                0.0;
                (0..plan.n_segments()).map(|segment| plan.n_sums(segment)).max().unwrap_or(0)
            ],
        }
    }

    /// How many numbers that is.
    pub fn n_values(plan: &Plan, rows: usize, target_width: usize, training: bool) -> usize {
        let gradients = if training { plan.widest().saturating_mul(2) } else { 0 };
        let row = plan.row_width().saturating_add(gradients).saturating_add(target_width);
        row.saturating_mul(rows).saturating_add(plan.scratch_len())
    }

    /// Buffers that `rows` rows of inputs, targets and sample weights are gathered into.
    pub fn gather_to(&mut self, plan: &Plan, rows: usize, target_width: usize) -> BatchBuffers<'_> {
        BatchBuffers {
            x: &mut aligned_mut(&mut self.values[0])[..rows * plan.widths[0]],
            y: &mut self.targets[..rows * target_width],
            sample_weights: &mut self.weights[..rows],
        }
    }

    /// The output of the last forward pass over so many rows.
    pub fn output(&self, plan: &Plan, rows: usize) -> &[Real] {
        &aligned(&self.values[self.values.len() - 1])[..rows * plan.output_width()]
    }

    /// The same, and where the gradient of the loss at it goes, with targets and weights.
    pub fn head(&mut self, plan: &Plan, rows: usize) -> (&[Real], &mut [Real], &[Real], &[Real]) {
        let len = rows * plan.output_width();
        let output = &aligned(&self.values[self.values.len() - 1])[..len];
        (output, &mut aligned_mut(&mut self.deltas[0])[..len], &self.targets, &self.weights)
    }

    /// Runs the rows through all layers, as after training.
    pub fn predict(&mut self, pass: Pass) {
        self.run(pass, 0..pass.plan.steps.len(), None);
    }

    /// Runs the rows through a segment, as in training. `sums` are those of the whole batch for the
    /// segment's first layer, if that couples; those of these rows for the next segment's are left
    /// in [`Workspace::sums`].
    pub fn forward(&mut self, pass: Pass, segment: usize, sums: &[f64]) {
        let steps = pass.plan.segments[segment].clone();
        let end = steps.end;
        self.run(pass, steps, Some(sums));
        if let Some((next, _)) = pass.plan.coupling(segment + 1) {
            let input = pass.plan.steps[end].input;
            next.sums(pass.view(&self.values[input], input), &mut self.sums[..next.n_sums()]);
        }
    }

    fn run(&mut self, pass: Pass, steps: Range<usize>, sums: Option<&[f64]>) {
        for number in steps {
            let step = &pass.plan.steps[number];
            let (below, above) = self.values.split_at_mut(step.output);
            let mut y = pass.view_mut(&mut above[0], step.output);
            match &step.operation {
                Operation::Layer(layer) => layer.forward(Forward {
                    training: sums.and_then(|sums| pass.training(number, [sums, &[]])),
                    params: &pass.params[step.params.clone()],
                    x: pass.view(&below[step.input], step.input),
                    y,
                    scratch: aligned_mut(&mut self.scratch),
                }),
                Operation::InPlace(activation, vector) => {
                    if step.input != step.output {
                        y.assign(&pass.view(&below[step.input], step.input));
                    }
                    activation.forward(*vector, y);
                }
            }
        }
    }

    /// Runs the gradient that was written to [`Workspace::head`] back through a segment, as far as
    /// to the lowest layer that is trained. A coupling above the segment comes first: `above` are
    /// its sums of the whole batch, on the way up and on the way down. A coupling that begins the
    /// segment is left to the segment below, with the sums of these rows for the way down in
    /// [`Workspace::sums`], given those on the way up (`own`).
    pub fn backward(
        &mut self,
        pass: Pass,
        segment: usize,
        above: Option<[&[f64]; 2]>,
        own: &[f64],
        to: &mut Gradients,
    ) {
        let Range { start, end } = pass.plan.segments[segment];
        if let Some(sums) = above {
            self.step_back(pass, end, sums, to);
        }
        let absorbed = to.absorbed && end == pass.plan.steps.len();
        for number in (start..end - usize::from(absorbed)).rev() {
            self.step_back(pass, number, [own, &[]], to);
        }
    }

    fn step_back(&mut self, pass: Pass, number: usize, sums: [&[f64]; 2], to: &mut Gradients) {
        let (lowest, step) = (pass.plan.lowest, &pass.plan.steps[number]);
        if number < lowest {
            return;
        }
        match &step.operation {
            Operation::Layer(layer) => {
                // A coupling comes twice: without the whole batch's sums for the way down it makes
                // those of these rows.
                let halfway = step.coupling().filter(|_| sums[1].is_empty());
                let [above, below] = &mut self.deltas;
                let backward = Backward {
                    training: pass.training(number, sums),
                    params: &pass.params[step.params.clone()],
                    x: pass.view(&self.values[step.input], step.input),
                    dy: pass.view(above, step.output),
                    d_params: &mut to.d_params[step.params.clone()],
                    accumulate: to.accumulate,
                    dx: (number > lowest && halfway.is_none())
                        .then(|| pass.view_mut(below, step.input)),
                    scratch: aligned_mut(&mut self.scratch),
                };
                match halfway {
                    Some(coupling) => {
                        coupling.gradient_sums(backward, &mut self.sums[..coupling.n_sums()])
                    }
                    None => {
                        layer.backward(backward);
                        self.deltas.swap(0, 1);
                    }
                }
            }
            Operation::InPlace(activation, vector) => {
                let y = pass.view(&self.values[step.output], step.output);
                activation.backward(*vector, y, pass.view_mut(&mut self.deltas[0], step.output));
            }
        }
    }
}

/// Bytes of a cache line. A buffer has room for one more than it needs.
const LINE: usize = 64;

fn buffer(len: usize) -> Vec<Real> {
    vec![0.0; len + LINE / size_of::<Real>()]
}

/// A buffer from its first cache line on, so that no vector register is loaded from two of them.
fn aligned(buffer: &[Real]) -> &[Real] {
    &buffer[buffer.as_ptr().align_offset(LINE).min(LINE / size_of::<Real>())..]
}

fn aligned_mut(buffer: &mut [Real]) -> &mut [Real] {
    let start = buffer.as_ptr().align_offset(LINE).min(LINE / size_of::<Real>());
    &mut buffer[start..]
}

/// What a pass runs over: a plan, every parameter of the model, and where the training is, if this
/// is one.
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    pub plan: &'a Plan,
    pub params: &'a [Real],
    /// How many rows the workspace holds now.
    pub rows: usize,
    pub moment: Moment,
}

impl Pass<'_> {
    /// What the layer of a step knows, if it is trained; the sums are its coupling's, on the way up
    /// and on the way down.
    fn training<'s>(
        &self,
        number: usize,
        [sums, gradient_sums]: [&'s [f64]; 2],
    ) -> Option<Training<'s>> {
        let moment = Moment { layer: number, ..self.moment };
        self.plan.steps[number].trained.then_some(Training { moment, sums, gradient_sums })
    }

    fn view<'v>(&self, buffer: &'v [Real], number: usize) -> ArrayView2<'v, Real> {
        let width = self.plan.widths[number];
        ArrayView2::from_shape((self.rows, width), &aligned(buffer)[..self.rows * width])
            .expect("rows without gaps")
    }

    fn view_mut<'v>(&self, buffer: &'v mut [Real], number: usize) -> ArrayViewMut2<'v, Real> {
        let (rows, width) = (self.rows, self.plan.widths[number]);
        ArrayViewMut2::from_shape((rows, width), &mut aligned_mut(buffer)[..rows * width])
            .expect("rows without gaps")
    }
}

/// Where a backward pass puts the gradients of parameters.
pub struct Gradients<'a> {
    /// As long as the parameter vector.
    pub d_params: &'a mut [Real],
    /// Whether gradients are added to what is there, or replace it.
    pub accumulate: bool,
    /// The gradient at the output is the one in front of the last activation, which is then left
    /// out.
    pub absorbed: bool,
}
