//! Weights of the layers in Keras's files.

use std::collections::HashSet;

use super::paths::{Paths, keys, paths};
use super::{floats, is_convolution_kernel, read_array, vars};
use crate::Result;
use crate::formats::keras_config::LayerPath;
use crate::formats::{LoadedArrays, Origin, misfit, read_arrays};
use crate::hdf5::{Group, Member, Object};
use crate::kernels::convolution::Padding;
use crate::layers::AnyLayer;
use crate::model::Sequential;

const BACKEND_UNKNOWN: &str = "the file does not say whether Keras ran on TensorFlow or on \
    Theano, which stored the kernels of convolutions flipped; they are read as TensorFlow's. If \
    predictions differ from Keras's, write h5py.File(NAME, 'r+').attrs['backend'] = 'theano' into \
    the file";

const PADDED_OTHERWISE: &str = "predictions differ from those on Theano, which wrote the file: for \
    padding='same' it padded otherwise in pooling, and in convolutions with strides or an even \
    kernel";

/// Reads all arrays, of layers with these paths, and counts them as they are in the file.
pub fn read(
    model: &mut Sequential,
    root: &Object,
    layer_paths: &[LayerPath],
) -> Result<LoadedArrays> {
    let Paths { group, paths, are_named } = paths(model, root, layer_paths)?;
    let origin = Origin::of_hdf5(root)?;
    let is_theano = origin.is_theano();
    let mut has_convolution = false;
    let surplus = if are_named { vec![] } else { unused_layers(&group, &paths) };
    let mut paths = paths.into_iter();
    let mut loaded = read_arrays(model, |name, shape| {
        let path = paths.next().unwrap_or_default();
        has_convolution |= is_convolution_kernel(name, shape);
        let dataset = group.dataset(&path)?.ok_or_else(|| {
            let group = group.path().trim_end_matches('/');
            misfit(name, format!("the array {name} is missing: `{group}/{path}`"))
        })?;
        read_array(&dataset, name, shape, is_theano)
    })?;
    loaded.surplus = surplus;
    if are_named && origin.backend.is_none() && has_convolution {
        loaded.warnings.push(BACKEND_UNKNOWN.to_string());
    }
    if is_theano && model.layers().iter().any(|layer| is_padded_otherwise(&layer.spec)) {
        loaded.warnings.push(PADDED_OTHERWISE.to_string());
    }
    Ok(loaded)
}

/// Layers of a `.weights.h5` file that hold weights, and none of the arrays at these paths.
fn unused_layers(root: &Object, paths: &[String]) -> Vec<String> {
    let Some(layers) = root.group("layers").unwrap_or_default() else { return vec![] };
    let used: HashSet<&str> = paths.iter().filter_map(|path| path.split('/').nth(1)).collect();
    let mut unused = vec![];
    for name in layers.names().filter(|name| !used.contains(name)) {
        let vars = layers.group(&format!("{name}/vars")).unwrap_or_default();
        if vars.is_some_and(|vars| vars.names().next().is_some()) {
            unused.push(format!("layers/{name}"));
        }
    }
    unused
}

/// True for a layer that Theano computes otherwise than all other backends: a convolution pads both
/// sides alike, and a pooling pads both by n − 2 if its size n is odd, else by n − 1.
fn is_padded_otherwise(layer: &AnyLayer) -> bool {
    let is_convolution = |size: usize, stride: usize| size.is_multiple_of(2) || stride != 1;
    let is_pooling = |size: usize, stride: usize| size != 1 && (size, stride) != (3, 1);
    match layer {
        AnyLayer::Conv1D(conv) => {
            conv.padding == Padding::Same && is_convolution(conv.kernel_size, conv.strides)
        }
        AnyLayer::Conv2D(conv) => {
            let mut axes = conv.kernel_size.into_iter().zip(conv.strides);
            conv.padding == Padding::Same && axes.any(|(size, stride)| is_convolution(size, stride))
        }
        AnyLayer::MaxPooling1D(pool) => {
            let stride = pool.strides.unwrap_or(pool.pool_size);
            pool.padding == Padding::Same && is_pooling(pool.pool_size, stride)
        }
        AnyLayer::AveragePooling1D(pool) => {
            let stride = pool.strides.unwrap_or(pool.pool_size);
            pool.padding == Padding::Same && is_pooling(pool.pool_size, stride)
        }
        AnyLayer::MaxPooling2D(pool) => {
            let mut axes = pool.pool_size.into_iter().zip(pool.strides.unwrap_or(pool.pool_size));
            pool.padding == Padding::Same && axes.any(|(size, stride)| is_pooling(size, stride))
        }
        AnyLayer::AveragePooling2D(pool) => {
            let mut axes = pool.pool_size.into_iter().zip(pool.strides.unwrap_or(pool.pool_size));
            pool.padding == Padding::Same && axes.any(|(size, stride)| is_pooling(size, stride))
        }
        _ => false,
    }
}

/// The group `layers` with the weights of all layers under their keys.
pub fn write(model: &Sequential) -> Member {
    let mut layers = Group::default();
    for (i, key) in keys(model).into_iter().enumerate() {
        let arrays = model.parameters.of_layer(i);
        let arrays = arrays.map(|entry| floats(entry, &model.parameters.values)).collect();
        let attributes = vec![("name".to_string(), model.layers()[i].name())];
        layers.members.insert(key, vars(attributes, arrays));
    }
    Member::Group(layers)
}
