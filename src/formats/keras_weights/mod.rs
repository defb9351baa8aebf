//! Arrays in Keras's files: the layers' weights and the optimizer state, as each major version of
//! Keras stored them.

mod layers;
mod optimizer_state;
mod paths;

use super::keras_config::LayerPaths;
use super::{LoadedArrays, check_shape, problem};
use crate::hdf5::{self, Group, Member, Object};
use crate::model::Sequential;
use crate::params::Entry;
use crate::{Real, Result};

/// Reads all arrays of the layers, counts them as they are in the file, and reads the optimizer
/// state. State that is not understood is a warning: the optimizer state is reset, as in
/// Keras.
/// Without layer paths, the layers are one chain in the file.
pub fn read_weights(
    model: &mut Sequential,
    root: &Object,
    layer_paths: &LayerPaths,
) -> Result<LoadedArrays> {
    let n_layers = model.layers().len();
    let mut layer_paths = layer_paths.0.clone();
    if layer_paths.len() != n_layers {
        layer_paths = (0..n_layers).map(|layer| paths::own_path(model, layer)).collect();
    }
    let mut loaded = layers::read(model, root, &layer_paths)?;
    if let Err(error) = optimizer_state::read(model, root, &mut loaded.warnings) {
        let found = problem(error);
        loaded.warnings.push(format!("the optimizer state is reset: {found}"));
    }
    Ok(loaded)
}

/// Encodes weights and optimizer state as `model.weights.h5`.
pub fn write_weights(model: &Sequential) -> Result<Vec<u8>> {
    let mut root = Group::default();
    root.members.insert("vars".to_string(), Member::Group(Group::default()));
    root.members.insert("layers".to_string(), layers::write(model));
    if let Some(variables) = optimizer_state::write(model) {
        root.members.insert("optimizer".to_string(), vars(vec![], variables));
    }
    Ok(hdf5::write(&root)?)
}

/// The part of `vector` that belongs to a parameter array.
fn floats(entry: &Entry, vector: &[Real]) -> Member {
    Member::Floats {
        shape: entry.spec.shape.clone(),
        values: vector[entry.range.clone()].iter().map(|&value| value as f32).collect(),
    }
}

/// A group whose only member, `vars`, holds these arrays under their numbers.
fn vars(attributes: Vec<(String, String)>, arrays: Vec<Member>) -> Member {
    let mut vars = Group { attributes, ..Group::default() };
    for (number, array) in arrays.into_iter().enumerate() {
        vars.members.insert(number.to_string(), array);
    }
    let mut group = Group::default();
    group.members.insert("vars".to_string(), Member::Group(vars));
    Member::Group(group)
}

/// Attribute that holds a list of strings. Keras splits a long one into `name0`, `name1` and so on.
fn strings(group: &Object, name: &str) -> Result<Vec<String>> {
    if let Some(strings) = group.strings(name)? {
        return Ok(strings);
    }
    let mut strings = vec![];
    for part in 0.. {
        let Some(more) = group.strings(&format!("{name}{part}"))? else { break };
        strings.extend(more);
    }
    Ok(strings)
}

/// Values of an array of this name and shape. Theano's convolution runs through the kernel
/// backwards, so Theano's files store the kernels flipped.
fn read_array(dataset: &Object, name: &str, shape: &[usize], is_theano: bool) -> Result<Vec<Real>> {
    check_shape(name, &without_columns(dataset.shape(), name, shape), shape)?;
    let values = dataset.read_numbers(shape.iter().product(), |number| number as Real)?;
    if is_theano && is_convolution_kernel(name, shape) {
        return Ok(flipped(&values, shape));
    }
    Ok(values)
}

/// The shape of a stored array. Keras 1 gave the kernels of 1-D convolutions an axis of columns:
/// `(length, 1, in, out)`.
fn without_columns(found: &[usize], name: &str, needed: &[usize]) -> Vec<usize> {
    if let [length, 1, n_in, n_out] = *found
        && needed.len() == 3
        && is_convolution_kernel(name, needed)
    {
        return vec![length, n_in, n_out];
    }
    found.to_vec()
}

/// True for the kernel of a convolution, by its full name and its shape `(.., in, out)`.
fn is_convolution_kernel(name: &str, shape: &[usize]) -> bool {
    name.ends_with("/kernel") && shape.len() > 2
}

/// The kernel, flipped in all its spatial axes: this reverses the order of its `(in, out)`
/// matrices.
fn flipped(values: &[Real], shape: &[usize]) -> Vec<Real> {
    let [.., n_in, n_out] = shape else { return values.to_vec() };
    let matrices = values.rchunks_exact((n_in * n_out).max(1));
    matrices.flatten().copied().collect()
}
