//! Ranks: the processes of one training on MPI, on one machine or on many. No other file knows of
//! them.
//!
//! A batch has the same shards on any number of ranks (`batch.rs`). Each rank computes a range of
//! them on its threads, joins the subtrees that lie in its range (`tree.rs`), and sends of each sum
//! to every rank the slice of the parameters that this rank completes. The completed slices are
//! then sent to all. So every addition has the operands that it has in one process, and the bits
//! are the same on 1, 2, 3 or 5 ranks. Rejected: `MPI_Allreduce`, which promises no order.
//!
//! Every rank takes the optimizer step on all parameters, so all hold the same model after it. The
//! shards' loss, metrics and batch statistics are few, so every rank gets and joins all of them.
//!
//! Callbacks run on the first rank alone. The others take over what they change, with the file of
//! a backup as the message. A callback must not evaluate or train a model: the other ranks would
//! not take part.

use std::ops::Range;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, process};

use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::request::StaticScope;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Equivalence, Root, Source};
use mpi::{Count, Threading};
use serde_json::Value;

use super::batch::Shard;
use super::fit::Fit;
use super::loss_head::MetricSums;
use super::threads::Threads;
use super::tree::add_gradients;
use crate::formats::backup::{self, Backup};
use crate::kernels::rows::map2_inplace;
use crate::{Error, Real, Result};

/// Variables that the launchers of Open MPI, of MPICH and its relatives, and of Slurm set.
const LAUNCHERS: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"];

/// Notice that the first rank fails, and its tag.
static FAILED: i32 = 1;
/// Time in which it comes, if the ranks find an error together.
const FIRST_RANK_FAILS: Duration = Duration::from_secs(2);
/// Time in which the first rank then ends all.
const FIRST_RANK_ABORTS: Duration = Duration::from_secs(20);

/// Number of this rank, and of all.
#[derive(Clone, Copy)]
struct Place {
    rank: usize,
    ranks: usize,
}

static PLACE: OnceLock<Place> = OnceLock::new();

fn place() -> Place {
    PLACE.get().copied().unwrap_or(Place { rank: 0, ranks: 1 })
}

/// Use of MPI by this process, which ends when this value is dropped, on all ranks together.
pub struct Session(#[allow(dead_code)] Universe);

/// Starts MPI, if `mpirun` or another launcher started this process. If `is_shared`, trainings and
/// evaluations are shared out from then on, so all ranks must call the same ones on the same data;
/// otherwise a rank computes alone. Call [`check`] next.
pub fn start(is_shared: bool) -> Option<Session> {
    if LAUNCHERS.iter().all(|name| env::var_os(name).is_none()) {
        return None;
    }
    // A training runs within a pool of threads, on one that is not the process's first.
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
    let world = universe.world();
    let rank = world.rank() as usize;
    let ranks = if is_shared { world.size() as usize } else { 1 };
    PLACE.get_or_init(|| Place { rank, ranks });
    Some(Session(universe))
}

/// Refuses ranks that cannot train together. Like every error, this one must end in [`abort`]: the
/// end of a [`Session`] waits for the other ranks.
///
/// # Errors
/// Different command lines, and an MPI without support for threads.
pub fn check() -> Result<()> {
    if !mpi::environment::is_initialized() {
        return Ok(());
    }
    if mpi::environment::threading_support() < Threading::Serialized {
        return Err(Error::option("mpi", "this MPI was built without support for threads"));
    }
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
    let arguments = arguments.join(" ");
    let first = String::from_utf8_lossy(&broadcast(arguments.clone().into_bytes())).into_owned();
    if first != arguments {
        let Place { rank, .. } = place();
        let problem = format!(
            "rank {rank} was started with {arguments:?}, and rank 0 with {first:?}\n  all ranks of \
             one training get the same command line; to train many models at once, use a build \
             without the feature mpi"
        );
        return Err(Error::option("mpi", problem));
    }
    Ok(())
}

/// True for the rank that prints and writes files, and for a process without MPI.
pub fn is_first() -> bool {
    place().rank == 0
}

/// Ends all ranks because of an error on this one, which `report` prints with the given name of
/// the rank. If all ranks found the same error, the first one reports it.
pub fn abort(code: u8, report: impl FnOnce(&str)) -> ! {
    if !mpi::environment::is_initialized() {
        report("");
        process::exit(code.into());
    }
    let Place { rank, .. } = place();
    let world = SimpleCommunicator::world();
    let mut notices = vec![];
    if rank == 0 {
        report("");
        for other in 1..world.size() {
            let other = world.process_at_rank(other);
            notices.push(other.immediate_send_with_tag(StaticScope, &FAILED, FAILED));
        }
    } else if !first_rank_fails() {
        report(&format!(" on rank {rank}"));
    }
    world.abort(code.into())
}

/// Waits for the notice that the first rank fails too. If it comes, it ends this process, in time.
fn first_rank_fails() -> bool {
    let world = SimpleCommunicator::world();
    let first = world.process_at_rank(0);
    let start = Instant::now();
    while start.elapsed() < FIRST_RANK_FAILS {
        if first.immediate_probe_with_tag(FAILED).is_some() {
            sleep(FIRST_RANK_ABORTS);
            return true;
        }
        sleep(Duration::from_millis(10));
    }
    false
}

/// Flags that are set on some rank.
pub(super) fn any<const N: usize>(flags: [bool; N]) -> [bool; N] {
    if place().ranks == 1 {
        return flags;
    }
    let mut all = [0u8; N];
    let operation = mpi::collective::SystemOperation::max();
    SimpleCommunicator::world().all_reduce_into(&flags.map(u8::from)[..], &mut all[..], operation);
    all.map(|flag| flag > 0)
}

/// The bytes of the first rank.
fn broadcast(mut bytes: Vec<u8>) -> Vec<u8> {
    let world = SimpleCommunicator::world();
    let first = world.process_at_rank(0);
    let mut len = bytes.len() as u64;
    first.broadcast_into(&mut len);
    bytes.resize(len as usize, 0);
    // MPI counts in 32 bits.
    for part in bytes.chunks_mut(1 << 30) {
        first.broadcast_into(part);
    }
    bytes
}

/// Values of all ranks, concatenated; `counts` are their numbers.
fn gather<T: Equivalence + Clone>(own: &[T], zero: T, counts: &[usize]) -> Vec<T> {
    let mut all = vec![zero; counts.iter().sum()];
    let (counts, starts) = partition(counts.iter().copied());
    let mut to = PartitionMut::new(&mut all[..], counts, starts);
    SimpleCommunicator::world().all_gather_varcount_into(own, &mut to);
    all
}

/// Counts in MPI's type, and the starts of the parts that follow each other.
fn partition(counts: impl Iterator<Item = usize>) -> (Vec<Count>, Vec<Count>) {
    let counts: Vec<Count> = counts.map(|count| count as Count).collect();
    let mut start = 0;
    let mut starts = vec![];
    for count in &counts {
        starts.push(start);
        start += count;
    }
    (counts, starts)
}

/// Part of `0..n` that belongs to a rank.
fn part(n: usize, rank: usize, ranks: usize) -> Range<usize> {
    rank * n / ranks..(rank + 1) * n / ranks
}

/// The largest complete subtrees, in the tree over `0..total`, of a range of shards.
fn subtrees(range: Range<usize>, total: usize) -> Vec<Range<usize>> {
    let mut found = vec![];
    let mut start = range.start;
    while start < range.end {
        let mut len = 1;
        while start.is_multiple_of(2 * len)
            && start + len < total
            && (start + 2 * len).min(total) <= range.end
        {
            len *= 2;
        }
        let end = (start + len).min(range.end);
        found.push(start..end);
        start = end;
    }
    found
}

/// Sum of a subtree's shards: a slice of their gradients.
struct Sum<'a> {
    first: usize,
    values: &'a mut [Real],
}

/// Joins the sums of all subtrees of these shards into the first, as `tree.rs` joins shards.
fn join_subtrees(sums: &mut [Sum], shards: Range<usize>) {
    if sums.len() < 2 {
        return;
    }
    let middle = shards.start + shards.len().next_power_of_two() / 2;
    let (left, right) = sums.split_at_mut(sums.partition_point(|sum| sum.first < middle));
    join_subtrees(left, shards.start..middle);
    join_subtrees(right, middle..shards.end);
    map2_inplace(left[0].values, right[0].values, |sum, part| sum + part);
}

/// The share of a rank in the computations of an engine, and its buffers.
#[derive(Default)]
pub(super) struct Ranks {
    sent: Vec<Real>,
    received: Vec<Real>,
}

impl Ranks {
    /// Shards that this rank computes.
    pub fn share(&self, shards: usize) -> Range<usize> {
        let Place { rank, ranks } = place();
        part(shards, rank, ranks)
    }

    /// Gets the first `n` sums of the batch statistics of all shards.
    pub fn gather_sums(&self, shards: &mut [Shard], n: usize) {
        let Place { ranks, .. } = place();
        if ranks == 1 {
            return;
        }
        let total = shards.len();
        let own: Vec<f64> =
            shards[self.share(total)].iter().flat_map(|shard| &shard.sums[..n]).copied().collect();
        let counts: Vec<usize> =
            (0..ranks).map(|rank| n * part(total, rank, ranks).len()).collect();
        let all = gather(&own, 0.0, &counts);
        for (shard, sums) in shards.iter_mut().zip(all.chunks_exact(n)) {
            shard.sums[..n].copy_from_slice(sums);
        }
    }

    /// Gets the loss and the metrics of all shards.
    pub fn gather_metrics(&self, shards: &mut [Shard]) {
        let Place { ranks, .. } = place();
        if ranks == 1 {
            return;
        }
        let total = shards.len();
        let width = MetricSums::ZERO.to_bits().len();
        let own: Vec<u64> =
            shards[self.share(total)].iter().flat_map(|shard| shard.metrics.to_bits()).collect();
        let counts: Vec<usize> =
            (0..ranks).map(|rank| width * part(total, rank, ranks).len()).collect();
        let all = gather(&own, 0, &counts);
        for (shard, bits) in shards.iter_mut().zip(all.chunks_exact(width)) {
            shard.metrics = MetricSums::from_bits(bits).unwrap_or(MetricSums::ZERO);
        }
    }

    /// Joins the gradients of all shards into that of the first, on every rank. Returns the number
    /// of shards that are left to be joined.
    pub fn join_gradients(&mut self, threads: &Threads, shards: &mut [Shard]) -> usize {
        let Place { rank, ranks } = place();
        let total = shards.len();
        if ranks == 1 {
            return total;
        }
        let n = shards[0].gradients.len();
        let of_rank = |rank| subtrees(part(total, rank, ranks), total);
        let own = of_rank(rank);
        for subtree in &own {
            let (first, rest) = shards[subtree.clone()].split_at_mut(1);
            threads.for_each_block(0, [&mut first[0].gradients[..]], &|[sum], start| {
                add_gradients(sum, rest, start);
            });
        }
        self.sent.clear();
        for rank in 0..ranks {
            for subtree in &own {
                let gradients = &shards[subtree.start].gradients;
                self.sent.extend_from_slice(&gradients[part(n, rank, ranks)]);
            }
        }
        let subtrees: Vec<Vec<Range<usize>>> = (0..ranks).map(of_rank).collect();
        let slice = part(n, rank, ranks).len();
        let (counts, starts) = partition((0..ranks).map(|to| own.len() * part(n, to, ranks).len()));
        let sent = Partition::new(&self.sent[..], counts, starts);
        let (counts, starts) = partition(subtrees.iter().map(|theirs| theirs.len() * slice));
        self.received.resize(slice * subtrees.iter().flatten().count(), 0.0);
        let mut received = PartitionMut::new(&mut self.received[..], counts, starts);
        let world = SimpleCommunicator::world();
        world.all_to_all_varcount_into(&sent, &mut received);

        let values = self.received.chunks_exact_mut(slice.max(1));
        let mut sums: Vec<Sum> = vec![];
        for (subtree, values) in subtrees.iter().flatten().zip(values) {
            sums.push(Sum { first: subtree.start, values });
        }
        join_subtrees(&mut sums, 0..total);
        let (counts, starts) = partition((0..ranks).map(|rank| part(n, rank, ranks).len()));
        let mut all = PartitionMut::new(&mut shards[0].gradients[..], counts, starts);
        world.all_gather_varcount_into(&self.received[..slice], &mut all);
        1
    }
}

impl Fit<'_, '_> {
    /// Refuses to train on ranks that differ in their model, data, options, version or instruction
    /// set.
    pub(super) fn check_ranks(&self) -> Result<()> {
        let Place { rank, ranks } = place();
        if ranks == 1 {
            return Ok(());
        }
        let own = self.describe(&Value::Null);
        let text = own.to_string();
        let first = broadcast(text.clone().into_bytes());
        if first == text.as_bytes() {
            return Ok(());
        }
        let first: Value = serde_json::from_slice(&first).map_err(Error::callback)?;
        let differences =
            backup::differences(&first, &own, ["on rank 0", &format!("on rank {rank}")]);
        Err(Error::option("mpi", format!("the ranks differ:\n    {}", differences.join("\n    "))))
    }

    /// Sets model and history to those of the first rank, whose callbacks may have changed them.
    pub(super) fn follow_first_rank(&mut self) -> Result<()> {
        if place().ranks == 1 {
            return Ok(());
        }
        let mut bytes = vec![];
        if is_first() {
            let history = serde_json::to_value(&self.history).map_err(Error::callback)?;
            bytes = backup::write(self.model, &Backup { history, ..Backup::default() })?;
        }
        let bytes = broadcast(bytes);
        if !is_first() {
            backup::restore(self.model, &bytes)?;
            let history = backup::read(&bytes)?.history;
            self.history = serde_json::from_value(history).map_err(Error::callback)?;
        }
        Ok(())
    }
}
