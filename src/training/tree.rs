//! Sums over shards, joined by a binary tree over the shard numbers:
//!
//! ```text
//! ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7))
//! ```
//!
//! The shape depends on nothing but the number of shards, so any number of threads and of ranks
//! (`ranks`) gives the same bits.

use super::batch::Shard;
use super::threads::BLOCK;
use crate::Real;
use crate::kernels::rows::map2_inplace;
use crate::params::{Entry, penalized};

/// Joins all items into the first.
pub(super) fn join<T>(items: &mut [T], mut add: impl FnMut(&mut T, &T)) {
    let mut distance = 1;
    while distance < items.len() {
        for pair in items.chunks_mut(2 * distance) {
            if distance < pair.len() {
                let (left, right) = pair.split_at_mut(distance);
                add(&mut left[0], &right[0]);
            }
        }
        distance *= 2;
    }
}

/// Adds the whole gradient of a shard to that of another.
pub(super) fn join_pair(one: &mut Shard, other: &Shard) {
    map2_inplace(&mut one.gradients, &other.gradients, |sum, part| sum + part);
}

/// Adds a block, at most [`BLOCK`] values from `start` on, of the gradients of the `rest` to that
/// of the first shard. Partial sums stay in the cache.
pub(super) fn add_gradients(sum: &mut [Real], rest: &[Shard], start: usize) {
    if rest.is_empty() {
        return;
    }
    let left = (rest.len() + 1).next_power_of_two() / 2;
    add_gradients(sum, &rest[..left - 1], start);
    let (first, others) = (&rest[left - 1], &rest[left..]);
    let gradient = &first.gradients[start..][..sum.len()];
    if others.is_empty() {
        return map2_inplace(sum, gradient, |sum, part| sum + part);
    }
    let mut block = [0.0; BLOCK];
    let right = &mut block[..sum.len()];
    right.copy_from_slice(gradient);
    add_gradients(right, others, start);
    map2_inplace(sum, right, |sum, part| sum + part);
}

/// Adds the gradients of the penalties to a block; `params` and the block begin at `start`.
pub(super) fn add_penalties(
    gradient: &mut [Real],
    entries: &[Entry],
    params: &[Real],
    start: usize,
) {
    let end = start + gradient.len();
    for (Entry { range, .. }, penalty) in penalized(entries) {
        let (first, end) = (range.start.max(start), range.end.min(end));
        if first < end {
            let part = first - start..end - start;
            penalty.add_gradient(&params[part.clone()], &mut gradient[part]);
        }
    }
}
