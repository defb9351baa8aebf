//! Execution plan: the operations of a model in order, and their buffers. The forward pass runs
//! them in order, the backward pass in reverse.
//!
//! For training it is split into segments, one starting at each op that needs batch statistics.

use std::fmt;
use std::ops::Range;

use crate::activations::ActivationKind;
use crate::layers::{BatchStatistics, Op, Operation};
use crate::params::{ParamArray, ParamSpec};

/// The operations of a model. Buffer 0 is the input; each op that is not in place has its own
/// output.
#[derive(Clone)]
pub struct Plan {
    pub(super) ops: Vec<PlannedOp>,
    /// Number of values per row of each buffer.
    pub(super) buffer_widths: Vec<usize>,
    /// Index of the first op with trainable parameters; the backward pass ends there.
    pub(super) first_trainable: usize,
    /// Ranges of ops. All but the first, which may be empty, start at an op with batch statistics.
    pub(super) segments: Vec<Range<usize>>,
}

#[derive(Clone)]
pub(super) struct PlannedOp {
    pub operation: Operation,
    /// Range of its layer's parameters in the vector.
    pub params: Range<usize>,
    /// Its layer's arrays within that range.
    pub arrays: Vec<ParamArray>,
    /// Input and output buffer: equal for an in-place activation that does not follow another.
    pub input: usize,
    pub output: usize,
    /// False for frozen layers, which run in inference mode even during training.
    pub trained: bool,
}

impl PlannedOp {
    /// Batch statistics that it needs in training, if any.
    pub fn batch_statistics(&self) -> Option<&dyn BatchStatistics> {
        match &self.operation {
            Operation::Op(op) if self.trained => op.batch_statistics(),
            _ => None,
        }
    }
}

/// Layer that operations belong to.
pub(super) struct PlannedLayer<'a> {
    pub params: &'a [ParamSpec],
    pub trainable: bool,
    pub output_width: usize,
}

impl Plan {
    /// The plan of a model without layers, for rows of this width.
    pub(super) fn new(input_width: usize) -> Plan {
        Plan {
            ops: vec![],
            buffer_widths: vec![input_width],
            first_trainable: usize::MAX,
            segments: vec![Range { start: 0, end: 0 }],
        }
    }

    /// Appends the operations of a layer.
    pub(super) fn push(&mut self, operations: Vec<Operation>, layer: &PlannedLayer) {
        let start = self.n_params();
        let count = |end: usize, param: &ParamSpec| end.saturating_add(param.count());
        let params = start..layer.params.iter().fold(start, count);
        for operation in operations {
            self.push_operation(operation, params.clone(), layer);
        }
    }

    fn push_operation(&mut self, operation: Operation, params: Range<usize>, layer: &PlannedLayer) {
        let number = self.ops.len();
        let input = self.buffer_widths.len() - 1;
        // The input buffer is refilled for each micro-batch, so an activation may overwrite it. But
        // its backward pass needs its output, so a second activation in a row works on a copy.
        if matches!(operation, Operation::Op(_)) || self.last_activation().is_some() {
            self.buffer_widths.push(layer.output_width);
        }
        if layer.trainable && layer.params.iter().any(|param| param.trainable) {
            self.first_trainable = self.first_trainable.min(number);
        }
        // A layer without parameters has nothing to freeze.
        let trained = layer.trainable || params.is_empty();
        let output = self.buffer_widths.len() - 1;
        let arrays = ParamArray::table(layer.params);
        let op = PlannedOp { operation, params, arrays, input, output, trained };
        let starts_segment = op.batch_statistics().is_some();
        match self.segments.last_mut() {
            Some(segment) if !starts_segment => segment.end = number + 1,
            _ => self.segments.push(number..number + 1),
        }
        self.ops.push(op);
    }

    /// Number of values of an output row.
    pub fn output_width(&self) -> usize {
        self.buffer_widths[self.buffer_widths.len() - 1]
    }

    /// Number of values per row, over all buffers.
    pub fn row_width(&self) -> usize {
        self.buffer_widths.iter().fold(0, |sum, width| sum.saturating_add(*width))
    }

    /// Number of parameters of all ops.
    pub fn n_params(&self) -> usize {
        self.ops.last().map_or(0, |op| op.params.end)
    }

    /// Approximate multiplications of the forward pass of one row.
    pub fn work(&self) -> usize {
        self.own_ops().map(Op::work).fold(0, usize::saturating_add)
    }

    /// Last operation if it is an in-place activation, and its width; a loss may fuse with it.
    pub fn last_activation(&self) -> Option<(ActivationKind, usize)> {
        match self.ops.last()?.operation {
            Operation::InPlace { activation, width } => Some((activation, width)),
            Operation::Op(_) => None,
        }
    }

    /// Number of segments: the number of ops with batch statistics, plus one.
    pub fn n_segments(&self) -> usize {
        self.segments.len()
    }

    /// Batch statistics of the op that starts this segment; `None` for the first segment.
    pub fn statistics(&self, segment: usize) -> Option<&dyn BatchStatistics> {
        self.statistics_op(segment)?.batch_statistics()
    }

    /// The op with batch statistics that starts this segment; `None` for the first segment.
    pub(super) fn statistics_op(&self, segment: usize) -> Option<&PlannedOp> {
        let range = self.segments.get(segment).filter(|_| segment > 0)?;
        Some(&self.ops[range.start])
    }

    /// Updates the running statistics of the op that starts this segment, if any.
    pub fn update_running(&self, segment: usize, sums: &[f64], params: &mut [crate::Real]) {
        if let Some(op) = self.statistics_op(segment)
            && let Some(statistics) = op.batch_statistics()
        {
            let values = &mut params[op.params.clone()];
            statistics.update_running(sums, crate::params::ParamViewsMut::new(values, &op.arrays));
        }
    }

    /// Number of sums of the batch statistics of this segment.
    pub fn n_sums(&self, segment: usize) -> usize {
        self.statistics(segment).map_or(0, |statistics| statistics.n_sums())
    }

    /// Largest number of sums of the batch statistics of a segment.
    pub fn max_sums(&self) -> usize {
        (0..self.n_segments()).map(|segment| self.n_sums(segment)).max().unwrap_or(0)
    }

    /// Width of the widest buffer with a gradient; the input has none, unless it is the only one.
    pub(super) fn max_gradient_width(&self) -> usize {
        self.buffer_widths.iter().skip(1).copied().max().unwrap_or(self.buffer_widths[0])
    }

    /// Length of the scratch memory that the ops share.
    pub(super) fn scratch_len(&self) -> usize {
        self.own_ops().map(Op::scratch_len).max().unwrap_or(0)
    }

    /// The ops that are not in-place activations.
    fn own_ops(&self) -> impl Iterator<Item = &dyn Op> {
        self.ops.iter().filter_map(|op| match &op.operation {
            Operation::Op(op) => Some(op.as_ref()),
            Operation::InPlace { .. } => None,
        })
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Plan of {} ops over buffers of {:?}", self.ops.len(), self.buffer_widths)
    }
}
