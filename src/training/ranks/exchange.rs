//! Exchange of values between all ranks, and of the images that each one decodes.

use std::ops::Range;

use mpi::Count;
use mpi::datatype::PartitionMut;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Equivalence, Root};

use super::{Place, place};
use crate::datasets::images::Readers;

/// The bytes of the first rank.
pub(super) fn broadcast(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut len = bytes.len() as u64;
    SimpleCommunicator::world().process_at_rank(0).broadcast_into(&mut len);
    bytes.resize(len as usize, 0);
    broadcast_from(0, &mut bytes);
    bytes
}

/// Sets these bytes to those of a rank, as many on all.
fn broadcast_from(rank: usize, bytes: &mut [u8]) {
    let world = SimpleCommunicator::world();
    let root = world.process_at_rank(rank as i32);
    // MPI counts in 32 bits.
    for piece in bytes.chunks_mut(1 << 30) {
        root.broadcast_into(piece);
    }
}

/// Values of all ranks, concatenated; `counts` are their numbers.
pub(super) fn gather<T: Equivalence + Clone>(own: &[T], zero: T, counts: &[usize]) -> Vec<T> {
    let mut all = vec![zero; counts.iter().sum()];
    let (counts, starts) = partition(counts.iter().copied());
    let mut to = PartitionMut::new(&mut all[..], counts, starts);
    SimpleCommunicator::world().all_gather_varcount_into(own, &mut to);
    all
}

/// Counts in MPI's type, and the starts of the parts that follow each other.
pub(super) fn partition(counts: impl Iterator<Item = usize>) -> (Vec<Count>, Vec<Count>) {
    let counts: Vec<Count> = counts.map(|count| count as Count).collect();
    let mut start = 0;
    let mut starts = vec![];
    for count in &counts {
        starts.push(start);
        start += count;
    }
    (counts, starts)
}

/// The ranks as readers of folders of images, for [`ImageOptions`]: all call the same reading
/// together. Within a training, whose callbacks run on the first rank, a rank reads alone.
///
/// [`ImageOptions`]: crate::datasets::images::ImageOptions
pub fn readers() -> Readers {
    match Place::within(0).ranks {
        1 => Readers::default(),
        _ => Readers { part: own_part, gather: gather_bytes },
    }
}

/// Part of `0..n` that belongs to this rank.
fn own_part(n: usize) -> Range<usize> {
    let place = Place::within(0);
    place.part(n, place.rank)
}

/// Bytes of all ranks, concatenated; there may be more than MPI counts.
pub(super) fn gather_bytes(mut bytes: Vec<u8>) -> Vec<u8> {
    let Place { rank, ranks } = place();
    let counts = gather(&[bytes.len() as u64], 0, &vec![1; ranks]);
    let counts: Vec<usize> = counts.iter().map(|count| *count as usize).collect();
    // In place: the bytes of a data set are there once.
    bytes.resize(counts.iter().sum(), 0);
    bytes.copy_within(..counts[rank], counts[..rank].iter().sum());
    let mut rest = &mut bytes[..];
    for (rank, count) in counts.into_iter().enumerate() {
        let (part, others) = rest.split_at_mut(count);
        broadcast_from(rank, part);
        rest = others;
    }
    bytes
}
