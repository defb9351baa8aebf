//! The only file with threads.
//!
//! A batch is cut into shards, a shard into chunks. A chunk's rows run through all layers and back before the next
//! chunk begins; each shard sums its own gradient; the shards' sums are added in their order. How a batch is cut
//! follows from the model and the batch size alone, so the same seed gives the same bits on any number of threads;
//! threads only decide who computes which shard. Work too small to be worth sharing makes one shard, and then nobody
//! waits for anybody.
//!
//! The threads are rayon's, in a pool of a run's own. Only its `join` is used, on cuts that are fixed here; its own
//! splitting, which follows the load, is not.

use std::sync::{Arc, Mutex, MutexGuard};

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::datasets::batches::Rows;
use crate::kernels::rows::add;
use crate::losses::Loss;
use crate::metrics::{MAX_COUNTERS, Metric};
use crate::model::{MAX_METRICS, Plan, Workspace};
use crate::optimizers::{MAX_SLOTS, Optimizer, OptimizerState, Step};
use crate::{Error, Real, Result};

/// Numbers of activations that a chunk may take: what stays in a second-level cache beside the weights.
const CHUNK_VALUES: usize = 48 * 1024;
/// Rows of a chunk at most; beyond, a product gains nothing.
const CHUNK_ROWS: usize = 32;
/// Multiplications that make a shard worth its own sum, counting the backward pass.
const SHARD_WORK: usize = 1 << 20;
/// Shards of a batch at most, so that the sums stay few.
const MAX_SHARDS: usize = 8;
/// Parameters that are summed and updated in one go.
const PIECE: usize = 1 << 14;

/// Everything that the loss and the metrics need to know about the model's output.
pub(super) struct Head {
    pub loss: Arc<dyn Loss>,
    pub metrics: Vec<Box<dyn Metric>>,
    /// The loss takes its gradient in front of the last activation.
    pub absorbed: bool,
    /// Vectors of the last axis in a row, and the lengths of one of the output and of one of the targets.
    pub positions: usize,
    pub output_width: usize,
    pub target_width: usize,
}

/// Sums over some rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tally {
    /// Vectors of the last axis.
    pub vectors: usize,
    /// The sum of their losses.
    pub loss: f64,
    /// The counters of each metric.
    pub counters: [[f64; MAX_COUNTERS]; MAX_METRICS],
}

impl Tally {
    pub const ZERO: Tally = Tally { vectors: 0, loss: 0.0, counters: [[0.0; MAX_COUNTERS]; MAX_METRICS] };

    pub fn add(&mut self, other: &Tally) {
        self.vectors += other.vectors;
        self.loss += other.loss;
        let counters = self.counters.iter_mut().flatten().zip(other.counters.iter().flatten());
        counters.for_each(|(sum, part)| *sum += part);
    }
}

impl Head {
    fn shaped<'v>(&self, values: &'v [Real], rows: usize, width: usize) -> ArrayView2<'v, Real> {
        let vectors = rows * self.positions;
        ArrayView2::from_shape((vectors, width), &values[..vectors * width]).expect("rows without gaps")
    }

    fn tally(&self, output: ArrayView2<Real>, targets: &[Real], tally: &mut Tally) {
        let rows = output.nrows();
        let p = self.shaped(output.to_slice().unwrap_or_default(), rows, self.output_width);
        let y = self.shaped(targets, rows, self.target_width);
        tally.vectors += p.nrows();
        tally.loss += self.loss.sum(y, p);
        for (metric, counters) in self.metrics.iter().zip(&mut tally.counters) {
            metric.count(y, p, counters);
        }
    }

    fn gradient(&self, output: ArrayView2<Real>, targets: &[Real], scale: Real, mut delta: ArrayViewMut2<Real>) {
        let rows = output.nrows();
        let p = self.shaped(output.to_slice().unwrap_or_default(), rows, self.output_width);
        let y = self.shaped(targets, rows, self.target_width);
        let delta = delta.as_slice_mut().unwrap_or_default();
        let delta = ArrayViewMut2::from_shape(p.raw_dim(), delta).expect("rows without gaps");
        match self.absorbed {
            true => self.loss.gradient_through(y, p, scale, delta),
            false => self.loss.gradient(y, p, scale, delta),
        }
    }
}

/// A shard's own sums.
struct Shard {
    gradients: Vec<Real>,
    tally: Tally,
}

/// The memory of one run, and the threads that it is shared among.
pub(super) struct Engine {
    threads: Threads,
    /// One workspace a thread. Each locks its own, so nobody ever waits.
    workspaces: Vec<Mutex<Workspace>>,
    shards: Vec<Shard>,
    chunk: usize,
    row_work: usize,
}

impl Engine {
    /// An engine for batches of at most `batch_size` rows; without gradients where it does not train.
    pub fn new(
        plan: &Plan,
        threads: &Threads,
        batch_size: usize,
        target_width: usize,
        training: Option<usize>,
    ) -> Engine {
        let chunk = (CHUNK_VALUES / plan.row_width().max(1)).clamp(1, CHUNK_ROWS).min(batch_size);
        let row_work = plan.work().saturating_mul(if training.is_some() { 3 } else { 1 });
        let shard = || Shard { gradients: vec![0.0; training.unwrap_or(0)], tally: Tally::ZERO };
        let workspace = || Mutex::new(Workspace::new(plan, chunk, target_width, training.is_some()));
        Engine {
            threads: threads.clone(),
            workspaces: (0..threads.count()).map(|_| workspace()).collect(),
            shards: (0..n_shards(batch_size, chunk, row_work)).map(|_| shard()).collect(),
            chunk,
            row_work,
        }
    }

    /// Forward, loss and backward over a batch. The sum of the shards' gradients is left in the first shard.
    pub fn gradients(&mut self, plan: &Plan, params: &[Real], head: &Head, data: &Rows, batch: &[u32]) -> Tally {
        let n_shards = n_shards(batch.len(), self.chunk, self.row_work).min(self.shards.len());
        let size = batch.len().div_ceil(n_shards);
        let scale = 1.0 / (batch.len() * head.positions) as Real;
        let (workspaces, chunk) = (&self.workspaces, self.chunk);
        let shards = &mut self.shards[..n_shards];
        self.threads.each(shards, &|number, shard: &mut Shard| {
            let mut workspace = lock(workspaces);
            shard.tally = Tally::ZERO;
            let rows = &batch[(number * size).min(batch.len())..((number + 1) * size).min(batch.len())];
            if rows.is_empty() {
                shard.gradients.fill(0.0);
            }
            for (i, rows) in rows.chunks(chunk).enumerate() {
                forward(
                    &mut workspace,
                    plan,
                    params,
                    head,
                    data,
                    rows.iter().map(|&row| row as usize),
                    &mut shard.tally,
                );
                let (output, targets, delta) = workspace.head(plan, rows.len());
                head.gradient(output, targets, scale, delta);
                workspace.backward(plan, params, rows.len(), head.absorbed, &mut shard.gradients, i > 0);
            }
        });
        let mut total = Tally::ZERO;
        shards.iter().for_each(|shard| total.add(&shard.tally));
        if let Some((first, rest)) = shards.split_first_mut() {
            let rest: &[Shard] = rest;
            self.threads.pieces(&mut first.gradients, [&mut [], &mut [], &mut []], 0, &|sum, _, start| {
                rest.iter().for_each(|shard| add(&shard.gradients[start..][..sum.len()], sum));
            });
        }
        total
    }

    /// Moves the parameters by the gradient that [`Engine::gradients`] left.
    pub fn update(&mut self, params: &mut [Real], rule: &dyn Optimizer, state: &mut OptimizerState) {
        let step = Step { iteration: state.iteration, learning_rate: state.learning_rate as Real };
        let gradients = &self.shards[0].gradients;
        let slots = state.slots.each_mut().map(|slot| &mut slot[..]);
        self.threads.pieces(params, slots, 0, &|params, slots, start| {
            rule.update(step, params, &gradients[start..][..params.len()], slots);
        });
        state.iteration += 1;
    }

    /// The sum that [`Engine::gradients`] left.
    pub fn sum(&self) -> &[Real] {
        &self.shards[0].gradients
    }

    /// Loss and metrics over the rows from `first` on, at most as many as the engine was made for.
    pub fn tally(&mut self, plan: &Plan, params: &[Real], head: &Head, data: &Rows, first: usize, len: usize) -> Tally {
        let (workspaces, chunk) = (&self.workspaces, self.chunk);
        let shards = &mut self.shards[..];
        let size = len.div_ceil(shards.len());
        self.threads.each(shards, &|number, shard: &mut Shard| {
            let mut workspace = lock(workspaces);
            shard.tally = Tally::ZERO;
            let (start, end) = (first + (number * size).min(len), first + ((number + 1) * size).min(len));
            for start in (start..end).step_by(chunk) {
                let rows = start..(start + chunk).min(end);
                forward(&mut workspace, plan, params, head, data, rows, &mut shard.tally);
            }
        });
        let mut total = Tally::ZERO;
        shards.iter().for_each(|shard| total.add(&shard.tally));
        total
    }

    /// The output for every row, one behind the other.
    pub fn predict(&mut self, plan: &Plan, params: &[Real], data: &Rows) -> Vec<Real> {
        let (workspaces, chunk, width) = (&self.workspaces, self.chunk, plan.output_width());
        let mut output = vec![0.0; data.len() * width];
        let mut parts: Vec<&mut [Real]> = output.chunks_mut(chunk * width).collect();
        self.threads.each(&mut parts, &|number, part: &mut &mut [Real]| {
            let mut workspace = lock(workspaces);
            let rows = part.len() / width;
            let (x, y) = workspace.inputs_and_targets(plan, rows, 0);
            data.gather((0..rows).map(|row| number * chunk + row), x, y);
            workspace.forward(plan, params, rows);
            part.copy_from_slice(workspace.output(plan, rows).to_slice().unwrap_or_default());
        });
        output
    }
}

fn forward(
    workspace: &mut Workspace,
    plan: &Plan,
    params: &[Real],
    head: &Head,
    data: &Rows,
    numbers: impl ExactSizeIterator<Item = usize> + Clone,
    tally: &mut Tally,
) {
    let rows = numbers.len();
    let (x, y) = workspace.inputs_and_targets(plan, rows, data.target_width());
    data.gather(numbers, x, y);
    workspace.forward(plan, params, rows);
    head.tally(workspace.output(plan, rows), &workspace.targets, tally);
}

/// How many threads are of use for batches of this size.
pub(super) fn useful_threads(plan: &Plan, batch_size: usize) -> usize {
    let chunk = (CHUNK_VALUES / plan.row_width().max(1)).clamp(1, CHUNK_ROWS).min(batch_size);
    n_shards(batch_size, chunk, plan.work().saturating_mul(3))
}

/// How many shards a batch makes: as many as are worth it, each of at least a chunk.
fn n_shards(rows: usize, chunk: usize, row_work: usize) -> usize {
    let worth = rows.saturating_mul(row_work) / SHARD_WORK;
    worth.clamp(1, MAX_SHARDS).min(rows.div_ceil(chunk)).max(1)
}

fn lock(workspaces: &[Mutex<Workspace>]) -> MutexGuard<'_, Workspace> {
    // Without a pool of its own, a run may still be inside somebody else's.
    let own = if workspaces.len() > 1 { rayon::current_thread_index().unwrap_or(0) } else { 0 };
    // A thread that panicked ended the run, so what it left behind is never read.
    workspaces[own].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Who works: this thread alone, or a pool.
#[derive(Clone)]
pub(super) struct Threads(Option<Arc<rayon::ThreadPool>>);

impl Threads {
    /// Starts so many threads; none beside the caller's own where one is enough.
    pub fn new(count: usize) -> Result<Threads> {
        if count <= 1 {
            return Ok(Threads(None));
        }
        match rayon::ThreadPoolBuilder::new().num_threads(count).build() {
            Ok(pool) => Ok(Threads(Some(Arc::new(pool)))),
            Err(error) => Err(Error::Argument(format!("cannot start {count} threads: {error}"))),
        }
    }

    fn count(&self) -> usize {
        self.0.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// Runs a whole story on one of the threads, so that it need not be handed over at every step.
    pub fn enter<R: Send>(&self, story: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(story),
            None => story(),
        }
    }

    /// Runs `work` on each item, which gets its number.
    fn each<T: Send>(&self, items: &mut [T], work: &(impl Fn(usize, &mut T) + Sync)) {
        fn halves<T: Send>(items: &mut [T], first: usize, work: &(impl Fn(usize, &mut T) + Sync)) {
            match items {
                [] => {}
                [item] => work(first, item),
                _ => {
                    let middle = items.len() / 2;
                    let (left, right) = items.split_at_mut(middle);
                    rayon::join(|| halves(left, first, work), || halves(right, first + middle, work));
                }
            }
        }
        match &self.0 {
            Some(pool) => pool.install(|| halves(items, 0, work)),
            None => items.iter_mut().enumerate().for_each(|(number, item)| work(number, item)),
        }
    }

    /// Runs `work` on pieces of a vector and of the vectors beside it, with the number of the piece's first element.
    fn pieces(
        &self,
        vector: &mut [Real],
        beside: [&mut [Real]; MAX_SLOTS],
        first: usize,
        work: &(impl Fn(&mut [Real], &mut [&mut [Real]; MAX_SLOTS], usize) + Sync),
    ) {
        fn halves(
            vector: &mut [Real],
            mut beside: [&mut [Real]; MAX_SLOTS],
            first: usize,
            work: &(impl Fn(&mut [Real], &mut [&mut [Real]; MAX_SLOTS], usize) + Sync),
        ) {
            if vector.len() <= PIECE {
                return work(vector, &mut beside, first);
            }
            let middle = vector.len() / 2;
            let (left, right) = vector.split_at_mut(middle);
            let [a, b, c] = beside.map(|slot| slot.split_at_mut(middle.min(slot.len())));
            rayon::join(
                || halves(left, [a.0, b.0, c.0], first, work),
                || halves(right, [a.1, b.1, c.1], first + middle, work),
            );
        }
        match &self.0 {
            Some(pool) if vector.len() > PIECE => pool.install(|| halves(vector, beside, first, work)),
            _ => {
                let mut beside = beside;
                work(vector, &mut beside, first);
            }
        }
    }
}
