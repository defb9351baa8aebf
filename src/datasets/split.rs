//! Shuffled split of a data set into two parts, stratified by class.

use std::collections::BTreeMap;

use ndarray::{ArrayD, Axis};
use rand::seq::SliceRandom;

use super::{Dataset, Inputs, Targets, first_part};
use crate::random::{self, Stream};
use crate::{Error, Result};

/// Splits off a `fraction` of the samples, drawn from the seed; both parts keep the order of the
/// data. With one integer label per sample the split is stratified: each class contributes its
/// fraction, rounded by the largest remainder, and keeps one sample or more in the first part.
/// Otherwise labels play no part.
///
/// The parts are cut out of the arrays of the data, which are not copied as a whole.
///
/// # Errors
/// A fraction that leaves no sample on one side, and inputs and targets that differ in number.
///
/// ```
/// use ndarray::array;
/// use tallynet::datasets::{Dataset, Inputs, Targets, split};
///
/// let x = Inputs::bytes(array![[1], [2], [3], [4], [5], [6]].into_dyn());
/// let y = Targets::Labels(array![0, 0, 0, 0, 1, 1].into_dyn());
/// let (train, test) = split::shuffled(Dataset { x, y }, 0.5, 0)?;
/// let Targets::Labels(labels) = test.y else { unreachable!() };
/// assert_eq!(labels, array![0, 0, 1].into_dyn());
/// assert_eq!(train.len(), 3);
/// # Ok::<(), tallynet::Error>(())
/// ```
pub fn shuffled(data: Dataset, fraction: f64, seed: u64) -> Result<(Dataset, Dataset)> {
    let is_second = marks(&data, fraction, seed)?;
    let Dataset { x, y } = data;
    let (x, x_second) = match x {
        Inputs::Bytes { values, scale } => {
            let (first, second) = partition(values, &is_second);
            (Inputs::Bytes { values: first, scale }, Inputs::Bytes { values: second, scale })
        }
        Inputs::Reals(values) => {
            let (first, second) = partition(values, &is_second);
            (Inputs::Reals(first), Inputs::Reals(second))
        }
    };
    let (y, y_second) = match y {
        Targets::Labels(labels) => {
            let (first, second) = partition(labels, &is_second);
            (Targets::Labels(first), Targets::Labels(second))
        }
        Targets::Reals(values) => {
            let (first, second) = partition(values, &is_second);
            (Targets::Reals(first), Targets::Reals(second))
        }
    };
    Ok((Dataset { x, y }, Dataset { x: x_second, y: y_second }))
}

/// Indices of the samples that [`shuffled`] takes into the second part, in order. Errors are those
/// of [`shuffled`].
pub fn rows_of_second(data: &Dataset, fraction: f64, seed: u64) -> Result<Vec<usize>> {
    let is_second = marks(data, fraction, seed)?;
    Ok((0..is_second.len()).filter(|row| is_second[*row]).collect())
}

/// Marks the samples of the second part.
fn marks(data: &Dataset, fraction: f64, seed: u64) -> Result<Vec<bool>> {
    data.check_lengths()?;
    let len = data.len();
    let n_second = len - first_part(len, fraction.clamp(0.0, 1.0));
    let is_second = choose(&strata(data), len, n_second, seed);
    let n_chosen = is_second.iter().filter(|chosen| **chosen).count();
    if !(0.0..1.0).contains(&fraction) || n_chosen == 0 || n_chosen == len {
        let problem = format!(
            "a split of {fraction} of {len} samples leaves none on one side; take a fraction \
             between 0 and 1, such as 0.2"
        );
        return Err(Error::option("split", problem));
    }
    Ok(is_second)
}

/// Indices of the samples of each class; of all samples if they have no labels of their own.
fn strata(data: &Dataset) -> Vec<Vec<usize>> {
    let Targets::Labels(labels) = &data.y else { return vec![(0..data.len()).collect()] };
    if labels.len() != data.len() {
        return vec![(0..data.len()).collect()];
    }
    let mut by_label: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (sample, label) in labels.iter().enumerate() {
        by_label.entry(*label).or_default().push(sample);
    }
    by_label.into_values().collect()
}

/// Marks the samples of the second part: about `n_second` of `len`.
fn choose(strata: &[Vec<usize>], len: usize, n_second: usize, seed: u64) -> Vec<bool> {
    let mut is_second = vec![false; len];
    let mut generator = random::generator(seed, Stream::Split);
    for (samples, count) in strata.iter().zip(largest_remainder(strata, len, n_second)) {
        let mut samples = samples.clone();
        samples.shuffle(&mut generator);
        for sample in &samples[..count] {
            is_second[*sample] = true;
        }
    }
    is_second
}

/// Number of samples of each class in the second part, in proportion to the classes.
fn largest_remainder(strata: &[Vec<usize>], len: usize, n_second: usize) -> Vec<usize> {
    // The quota of a class is its length · n_second / len; the product may exceed 64 bits.
    let product = |samples: &Vec<usize>| samples.len() as u128 * n_second as u128;
    let len = len.max(1) as u128;
    // 1. Each class gets the whole part of its quota.
    let mut counts: Vec<usize> = strata.iter().map(|s| (product(s) / len) as usize).collect();
    // 2. The missing samples go to the largest remainders; of equal ones, the lower label is first,
    //    because the sort is stable.
    let mut order: Vec<usize> = (0..strata.len()).collect();
    order.sort_by_key(|i| std::cmp::Reverse(product(&strata[*i]) % len));
    let missing = n_second - counts.iter().sum::<usize>();
    for i in order.into_iter().take(missing) {
        counts[i] += 1;
    }
    // 3. One sample or more of each class stays in the first part.
    for (count, samples) in counts.iter_mut().zip(strata) {
        *count = (*count).min(samples.len().saturating_sub(1));
    }
    counts
}

/// Moves the marked rows of an array into one of their own.
fn partition<T: Copy>(array: ArrayD<T>, is_second: &[bool]) -> (ArrayD<T>, ArrayD<T>) {
    let marked: Vec<usize> = (0..is_second.len()).filter(|row| is_second[*row]).collect();
    let second = array.select(Axis(0), &marked);
    let mut shape = array.shape().to_vec();
    let width: usize = shape[1..].iter().product();
    shape[0] -= marked.len();
    let len = array.len();
    let mut values: Vec<T> = if array.is_standard_layout() {
        let (mut values, offset) = array.into_raw_vec_and_offset();
        values.drain(..offset.unwrap_or(0));
        values.truncate(len);
        values
    } else {
        array.iter().copied().collect()
    };
    let mut end = 0;
    for (row, _) in is_second.iter().enumerate().filter(|(_, is_second)| !**is_second) {
        values.copy_within(row * width..(row + 1) * width, end);
        end += width;
    }
    values.truncate(end);
    values.shrink_to_fit();
    let first = ArrayD::from_shape_vec(shape, values).expect("as many values as the kept rows");
    (first, second)
}
