//! What runs, in order, and over which buffers. A plan is one list, read forward and backward.
//!
//! In training it is cut into segments, in front of every layer that looks at the whole batch.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::activations::ActivationKind;
use crate::layers::{Coupling, Layer, Operation};

/// The operations of a model. Buffer 0 holds the input; each layer writes a buffer of its own.
pub struct Plan {
    /// What tells this plan from all others.
    pub id: u64,
    pub(super) steps: Vec<Step>,
    /// Numbers that a row takes in each buffer.
    pub(super) widths: Vec<usize>,
    /// The first step with parameters that are trained: nobody needs a gradient below it.
    pub(super) lowest: usize,
    /// What runs between one look at the whole batch and the next; the first may be empty.
    pub(super) segments: Vec<Range<usize>>,
}

pub(super) struct Step {
    pub operation: Operation,
    /// Where the parameters of its layer lie in the vector.
    pub params: Range<usize>,
    /// The buffer it reads and the one it writes: the same for what runs in place, but for a second
    /// one in a row.
    pub input: usize,
    pub output: usize,
    /// Whether its layer is trained; one that is not does in training what it does afterwards.
    pub trained: bool,
}

impl Step {
    /// How it looks at the whole batch in training, if it does.
    pub fn coupling(&self) -> Option<&dyn Coupling> {
        match &self.operation {
            Operation::Layer(layer) if self.trained => layer.coupling(),
            _ => None,
        }
    }
}

impl Plan {
    /// The plan of a model without layers, for rows of this width.
    pub(super) fn new(input_width: usize) -> Plan {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let segments = std::iter::once(0..0).collect();
        Plan {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            steps: vec![],
            widths: vec![input_width],
            lowest: usize::MAX,
            segments,
        }
    }

    /// Adds what runs next, and says whether its layer is trained.
    pub(super) fn push(
        &mut self,
        operation: Operation,
        params: Range<usize>,
        trainable: bool,
        output_width: usize,
    ) {
        let (number, input) = (self.steps.len(), self.widths.len() - 1);
        // The input buffer is gathered anew for each chunk, so it may be changed in place like any
        // other. But on the way back an activation needs what it put out, so a second one in a row
        // works on a copy.
        if matches!(operation, Operation::Layer(_)) || self.last_activation().is_some() {
            self.widths.push(output_width);
        }
        if trainable && !params.is_empty() {
            self.lowest = self.lowest.min(number);
        }
        // A layer without parameters has nothing to freeze.
        let trained = trainable || params.is_empty();
        let step = Step { operation, params, input, output: self.widths.len() - 1, trained };
        let couples = step.coupling().is_some();
        match self.segments.last_mut() {
            Some(segment) if !couples => segment.end = number + 1,
            _ => self.segments.push(number..number + 1),
        }
        self.steps.push(step);
    }

    /// The numbers of a row of the output.
    pub fn output_width(&self) -> usize {
        self.widths[self.widths.len() - 1]
    }

    /// The numbers that a row takes in all buffers.
    pub fn row_width(&self) -> usize {
        self.widths.iter().fold(0, |sum, width| sum.saturating_add(*width))
    }

    /// The parameters of all layers.
    pub fn n_params(&self) -> usize {
        self.steps.last().map_or(0, |step| step.params.end)
    }

    /// Multiplications of the forward pass of one row, about.
    pub fn work(&self) -> usize {
        self.layers().map(Layer::work).fold(0, usize::saturating_add)
    }

    /// The activation that runs last and the width of its vectors, if the model ends with one: a
    /// loss may absorb it.
    pub fn last_activation(&self) -> Option<(ActivationKind, usize)> {
        match self.steps.last()?.operation {
            Operation::InPlace(activation, width) => Some((activation, width)),
            Operation::Layer(_) => None,
        }
    }

    /// How many segments training has: one more than there are couplings.
    pub fn n_segments(&self) -> usize {
        self.segments.len()
    }

    /// The layer that begins the segment of this number, counted from 0, if it couples, and where
    /// its parameters lie: every one but the first does.
    pub fn coupling(&self, segment: usize) -> Option<(&dyn Coupling, Range<usize>)> {
        let step = &self.steps[self.segments.get(segment).filter(|_| segment > 0)?.start];
        Some((step.coupling()?, step.params.clone()))
    }

    /// How many sums the segment's coupling makes, if it begins with one.
    pub fn n_sums(&self, segment: usize) -> usize {
        self.coupling(segment).map_or(0, |(layer, _)| layer.n_sums())
    }

    /// The most numbers that a row takes in a buffer with a gradient: at the input there is none,
    /// unless that is all.
    pub(super) fn widest(&self) -> usize {
        self.widths.iter().skip(1).copied().max().unwrap_or(self.widths[0])
    }

    /// Numbers of scratch memory that the layers take in turns.
    pub(super) fn scratch_len(&self) -> usize {
        self.layers().map(Layer::scratch_len).max().unwrap_or(0)
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
