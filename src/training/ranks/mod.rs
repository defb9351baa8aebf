//! Ranks: the processes of one training on MPI, on one machine or on many. No other file uses
//! MPI.
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
//! Each rank decodes a part of a folder of images, and they exchange the pixels
//! ([`readers`]). Other data are read whole by every rank.
//!
//! Callbacks run on the first rank alone, and so does a training or an evaluation of their own. The
//! other ranks take over what callbacks change, with the file of a backup as the message.
//!
//! An error of MPI itself ends all ranks, as its standard says.
//!
//! ```no_run
//! use tallynet::training::ranks;
//!
//! let world = ranks::start(true);
//! if let Err(error) = ranks::check() {
//!     ranks::abort(1, |rank| eprintln!("error{rank}: {error}"));
//! }
//! // Every rank calls `fit` with the same model and data; then MPI ends on all.
//! drop(world);
//! ```

mod exchange;
mod shards;

pub use exchange::readers;
pub(super) use shards::Ranks;

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, process};

use mpi::environment::Universe;
use mpi::request::StaticScope;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Source};
use mpi::{Count, Threading};
use serde_json::Value;

use self::exchange::{broadcast, gather_bytes};
use super::fit::Fit;
use crate::formats::backup::{self, Backup};
use crate::{Error, Result};

/// Variables with the number of ranks, set by the launchers of Open MPI, and of MPICH and its
/// derivatives.
const SIZES: [&str; 2] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"];
/// Variable with the number of tasks of a step of Slurm, in which those launchers may run.
const TASKS: &str = "SLURM_STEP_NUM_TASKS";
/// Variable of other launchers.
const RANK: &str = "PMIX_RANK";

/// Number of ranks that were started, if a launcher says it.
fn launched() -> Option<i32> {
    let number = |name: &str| env::var(name).ok()?.parse().ok();
    // A step with one task may be that of a shell.
    let tasks = || number(TASKS).filter(|tasks| *tasks > 1);
    SIZES.iter().find_map(|name| number(name)).or_else(tasks)
}

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

impl Place {
    /// Place in computations that all ranks do together while at most this many trainings run.
    fn within(fits: usize) -> Place {
        let is_shared = FITS.load(Ordering::Relaxed) <= fits;
        match PLACE.get() {
            Some(place) if is_shared => *place,
            _ => Place { rank: 0, ranks: 1 },
        }
    }

    /// Part of `0..n` that belongs to a rank.
    fn part(&self, n: usize, rank: usize) -> Range<usize> {
        rank * n / self.ranks..(rank + 1) * n / self.ranks
    }
}

/// Place of this process among all, once MPI is started.
static PLACE: OnceLock<Place> = OnceLock::new();
/// Number of trainings that are running: with two, one is that of a callback.
static FITS: AtomicUsize = AtomicUsize::new(0);

/// Place in a training, or outside of any.
fn place() -> Place {
    Place::within(1)
}

/// A running training.
pub(super) struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        FITS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Use of MPI by this process, which ends when this value is dropped, on all ranks together.
pub struct World(#[allow(dead_code)] Universe);

/// Starts MPI, if `mpirun` or another launcher started this process. If `is_shared`, trainings and
/// evaluations are shared out from then on, so all ranks must call the same ones on the same data;
/// otherwise a rank computes alone. Call [`check`] next.
pub fn start(is_shared: bool) -> Option<World> {
    if launched().is_none() && env::var_os(RANK).is_none() {
        return None;
    }
    // A training runs within a pool of threads, on one that is not the process's first.
    let (universe, _) = mpi::initialize_with_threading(Threading::Serialized)?;
    let world = universe.world();
    let rank = world.rank() as usize;
    let ranks = if is_shared { world.size() as usize } else { 1 };
    PLACE.get_or_init(|| Place { rank, ranks });
    Some(World(universe))
}

/// Refuses ranks that cannot train together. Like every error, this one must end in [`abort`]: the
/// end of a [`World`] waits for the other ranks.
///
/// # Errors
/// Different command lines, an MPI without support for threads, and the launcher of another MPI.
pub fn check() -> Result<()> {
    if !mpi::environment::is_initialized() {
        return Ok(());
    }
    let size = SimpleCommunicator::world().size();
    if let Some(wanted) = launched().filter(|wanted| *wanted > size) {
        let problem = format!(
            "{wanted} ranks were started, and they find only {size}; use the mpirun of the MPI \
             that tallynet was built with, or srun --mpi=pmix for Open MPI and --mpi=pmi2 for MPICH"
        );
        return Err(Error::option("mpi", problem));
    }
    if mpi::environment::threading_support() < Threading::Serialized {
        return Err(Error::option("mpi", "this MPI was built without support for threads"));
    }
    let arguments: Vec<String> =
        env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
    let arguments = arguments.join(" ");
    let first = String::from_utf8_lossy(&broadcast(arguments.clone().into_bytes())).into_owned();
    if first != arguments {
        let rank = SimpleCommunicator::world().rank();
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
    PLACE.get().is_none_or(|place| place.rank == 0)
}

/// Ends all ranks because of an error on this one, which `report` prints with the given name of
/// the rank. If all ranks found the same error, the first one reports it.
pub fn abort(code: u8, report: impl FnOnce(&str)) -> ! {
    if !mpi::environment::is_initialized() {
        report("");
        process::exit(code.into());
    }
    let world = SimpleCommunicator::world();
    let rank = world.rank();
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

/// Flags that are set on some rank. After a batch this is one more small exchange, deliberately:
/// the flags of callbacks depend on the metrics of the batch, which were exchanged before.
pub(super) fn any<const N: usize>(flags: [bool; N]) -> [bool; N] {
    if place().ranks == 1 {
        return flags;
    }
    let mut all = [0u8; N];
    let operation = mpi::collective::SystemOperation::max();
    SimpleCommunicator::world().all_reduce_into(&flags.map(u8::from)[..], &mut all[..], operation);
    all.map(|flag| flag > 0)
}

impl Fit<'_, '_> {
    /// Begins a training. Refuses ranks that differ in their model, data, options, version or
    /// instruction set, and a model for which MPI cannot count.
    pub(super) fn begin(&self) -> Result<Running> {
        FITS.fetch_add(1, Ordering::Relaxed);
        let running = Running;
        let Place { rank, ranks } = place();
        if ranks == 1 {
            return Ok(running);
        }
        let n = self.model.count_params();
        if n > Count::MAX as usize / 4 {
            let problem = format!("MPI does not exchange the gradients of {n} parameters");
            return Err(Error::Memory(problem));
        }
        let own = self.describe(&Value::Null);
        let text = own.to_string();
        // The same exchange as that of a rank which found images and checks those first.
        let mut hash = flate2::Crc::new();
        hash.update(text.as_bytes());
        let hash = hash.sum().to_le_bytes();
        if gather_bytes(hash.to_vec()).as_chunks().0.iter().all(|other| *other == hash) {
            return Ok(running);
        }
        let first = broadcast(text.clone().into_bytes());
        if first == text.as_bytes() {
            // Another rank has the error.
            return Ok(running);
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
