//! Evaluation and prediction of an [`Engine`]: forward passes alone.

use std::ops::Range;

use super::super::batch::pass;
use super::super::loss_head::{MetricSums, Objective};
use super::super::threads::local;
use super::Engine;
use crate::datasets::batches::Rows;
use crate::layers::StepContext;
use crate::model::{Sequential, Workspace};
use crate::params::fits_memory;
use crate::{Error, Real, Result};

impl Engine {
    /// Loss and metrics over `len` rows from `first` on; `len` is at most the batch size.
    pub fn evaluate(
        &mut self,
        model: &Sequential,
        objective: &Objective,
        first: usize,
        len: usize,
    ) -> MetricSums {
        let Objective { head, rows: data } = objective;
        let (workspaces, chunk_rows) = (&self.workspaces, self.chunk_rows);
        let shard_rows = len.div_ceil(self.shards.len());
        let own = self.ranks.share(self.shards.len());
        self.threads.for_each(&mut self.shards[own.clone()], |i, shard| {
            shard.metrics = MetricSums::default();
            let Some(mut workspace) = local(workspaces) else { return };
            let number = own.start + i;
            let start = first + (number * shard_rows).min(len);
            let end = first + ((number + 1) * shard_rows).min(len);
            for start in (start..end).step_by(chunk_rows) {
                let rows = start..(start + chunk_rows).min(end);
                predict_rows(&mut workspace, model, data, rows.clone());
                let out = workspace.output(&model.plan, rows.len());
                let weights = out.sample_weights;
                head.add_metrics(out.output, out.targets, weights, &mut shard.metrics);
            }
        });
        self.join_metrics()
    }

    /// Outputs of all rows, concatenated. Too little memory is an error.
    pub fn predict(&mut self, model: &Sequential, data: &Rows) -> Result<Vec<Real>> {
        let (workspaces, chunk_rows) = (&self.workspaces, self.chunk_rows);
        let width = model.plan.output_width();
        let len = data.len().saturating_mul(width);
        if !fits_memory(len) {
            let problem = format!("there is no room for the {len} numbers of the output");
            return Err(Error::Memory(problem));
        }
        let mut output = vec![0.0; len];
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk_rows * width).collect();
        self.threads.for_each(&mut parts, |number, part| {
            let Some(mut workspace) = local(workspaces) else { return };
            let first = number * chunk_rows;
            let rows = first..first + part.len() / width;
            predict_rows(&mut workspace, model, data, rows.clone());
            part.copy_from_slice(workspace.output(&model.plan, rows.len()).output);
        });
        Ok(output)
    }
}

/// Gathers these rows into the workspace and runs the forward pass of inference.
fn predict_rows(workspace: &mut Workspace, model: &Sequential, data: &Rows, rows: Range<usize>) {
    let to = workspace.inputs(&model.plan, rows.len(), data.target_width());
    data.gather(rows.clone(), to);
    workspace.predict(pass(model, rows.len(), StepContext::default()));
}
