//! The shards of a batch on ranks: which rank computes a shard, and the exchange of their sums.

use std::ops::Range;

use mpi::datatype::{Partition, PartitionMut};
use mpi::topology::SimpleCommunicator;
use mpi::traits::CommunicatorCollectives;

use super::super::batch::Shard;
use super::super::loss_head::MetricSums;
use super::super::threads::Threads;
use super::super::tree::add_gradients;
use super::Place;
use super::exchange::{gather, partition};
use crate::Real;
use crate::kernels::rows::map2_inplace;

/// The share of this rank in the computations of an engine, and its buffers.
pub(in crate::training) struct Ranks {
    place: Place,
    sent: Vec<Real>,
    received: Vec<Real>,
}

impl Ranks {
    /// The share in a new engine: all of it, if a callback of a running training sets that up.
    pub fn new() -> Ranks {
        Ranks { place: Place::within(0), sent: vec![], received: vec![] }
    }

    /// Shards that this rank computes.
    pub fn share(&self, shards: usize) -> Range<usize> {
        self.place.part(shards, self.place.rank)
    }

    /// Gets the first `n` sums of the batch statistics of all shards.
    pub fn gather_sums(&self, shards: &mut [Shard], n: usize) {
        if self.place.ranks == 1 {
            return;
        }
        let mut own = vec![];
        for shard in &shards[self.share(shards.len())] {
            own.extend_from_slice(&shard.sums[..n]);
        }
        let all = gather(&own, 0.0, &self.counts(shards.len(), n));
        for (shard, sums) in shards.iter_mut().zip(all.chunks_exact(n)) {
            shard.sums[..n].copy_from_slice(sums);
        }
    }

    /// Gets the loss and the metrics of all shards.
    pub fn gather_metrics(&self, shards: &mut [Shard]) {
        if self.place.ranks == 1 {
            return;
        }
        let mut own = vec![];
        for shard in &shards[self.share(shards.len())] {
            own.extend(shard.metrics.to_bits());
        }
        let all = gather(&own, 0, &self.counts(shards.len(), MetricSums::COUNT));
        let (all, _) = all.as_chunks();
        for (shard, bits) in shards.iter_mut().zip(all) {
            shard.metrics = MetricSums::from_bits(bits);
        }
    }

    /// Number of values of each rank, with this many for each of its shards.
    fn counts(&self, shards: usize, width: usize) -> Vec<usize> {
        (0..self.place.ranks).map(|rank| width * self.place.part(shards, rank).len()).collect()
    }

    /// Joins the gradients of all shards into that of the first, on every rank. Returns the number
    /// of shards that are left to be joined.
    pub fn join_gradients(&mut self, threads: &Threads, shards: &mut [Shard]) -> usize {
        let Place { rank, ranks } = self.place;
        if ranks == 1 {
            return shards.len();
        }
        for subtree in subtrees(self.share(shards.len()), shards.len()) {
            let (first, rest) = shards[subtree].split_at_mut(1);
            threads.for_each_block(0, [&mut first[0].gradients[..]], &|[sum], start| {
                add_gradients(sum, rest, start);
            });
        }
        let all: Vec<Vec<Range<usize>>> = (0..ranks)
            .map(|rank| subtrees(self.place.part(shards.len(), rank), shards.len()))
            .collect();
        self.exchange_slices(&all, shards);

        let n = shards[0].gradients.len();
        let slice = self.place.part(n, rank).len();
        let mut sums: Vec<Sum> = vec![];
        for (subtree, values) in
            all.iter().flatten().zip(self.received.chunks_exact_mut(slice.max(1)))
        {
            sums.push(Sum { first: subtree.start, values });
        }
        join_subtrees(&mut sums, 0..shards.len());
        let (counts, starts) = partition((0..ranks).map(|rank| self.place.part(n, rank).len()));
        let mut to = PartitionMut::new(&mut shards[0].gradients[..], counts, starts);
        SimpleCommunicator::world().all_gather_varcount_into(&self.received[..slice], &mut to);
        1
    }

    /// Sends to every rank its slice of the sums of this rank's subtrees, and receives the slice of
    /// this rank of all sums. `all` are the subtrees of each rank.
    fn exchange_slices(&mut self, all: &[Vec<Range<usize>>], shards: &[Shard]) {
        let Place { rank, ranks } = self.place;
        let (place, own, n) = (self.place, &all[rank], shards[0].gradients.len());
        self.sent.clear();
        let sent = if let [subtree] = &own[..] {
            // The slices of one sum already follow each other.
            &shards[subtree.start].gradients[..]
        } else {
            for rank in 0..ranks {
                for subtree in own {
                    let gradients = &shards[subtree.start].gradients;
                    self.sent.extend_from_slice(&gradients[place.part(n, rank)]);
                }
            }
            &self.sent[..]
        };
        let (counts, starts) = partition((0..ranks).map(|to| own.len() * place.part(n, to).len()));
        let sent = Partition::new(sent, counts, starts);
        let slice = place.part(n, rank).len();
        let (counts, starts) = partition(all.iter().map(|subtrees| subtrees.len() * slice));
        self.received.resize(slice * all.iter().flatten().count(), 0.0);
        let mut received = PartitionMut::new(&mut self.received[..], counts, starts);
        SimpleCommunicator::world().all_to_all_varcount_into(&sent, &mut received);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::tree::join;

    /// Sums have the bits of `tree.rs`, however many ranks have subtrees of however many shards.
    #[test]
    fn ranks_join_what_one_process_joins() {
        for total in 1..=40 {
            let shards: Vec<Real> = (1..=total).map(|i| (i as Real).exp2().ln_1p()).collect();
            let own_sum = |subtree: &Range<usize>| {
                let mut part = shards[subtree.clone()].to_vec();
                join(&mut part, |one, other| *one += other);
                part[0]
            };
            for ranks in 1..=total + 3 {
                let mut values = vec![];
                let mut firsts = vec![];
                for rank in 0..ranks {
                    for subtree in subtrees(Place { rank, ranks }.part(total, rank), total) {
                        values.push([own_sum(&subtree)]);
                        firsts.push(subtree.start);
                    }
                }
                let mut sums: Vec<Sum> = vec![];
                for (&first, values) in firsts.iter().zip(&mut values) {
                    sums.push(Sum { first, values });
                }
                join_subtrees(&mut sums, 0..total);
                let mut expected = shards.clone();
                join(&mut expected, |one, other| *one += other);
                assert_eq!(values[0][0].to_bits(), expected[0].to_bits(), "{total} {ranks}");
            }
        }
    }
}
