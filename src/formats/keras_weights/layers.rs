//! Weights of the layers in Keras's files.
//!
//! In an archive and in `.weights.h5` the path of a layer's arrays is its class, counted in the
//! order of the layers (`layers/dense_1/vars/0`), never its own name. In the older `.h5` it is the
//! layer's name, and the arrays of a layer are known by their order alone.

use std::collections::HashMap;

use super::{backend, floats, is_convolution_kernel, read_array, texts, vars};
use crate::Result;
use crate::classes::snake_case;
use crate::formats::{LoadedArrays, invalid, misfit, read_arrays};
use crate::hdf5::{Group, Member, Object};
use crate::kernels::convolution::Padding;
use crate::layers::AnyLayer;
use crate::model::Sequential;

const BACKEND_UNKNOWN: &str = "the file does not say whether Keras ran on TensorFlow or on \
    Theano, which stored the kernels of convolutions flipped; they are read as TensorFlow's. If \
    predictions differ from Keras's, write h5py.File(NAME, 'r+').attrs['backend'] = 'theano' into \
    the file";

const PADDED_OTHERWISE: &str = "predictions differ from those on Theano, which wrote the file: in \
    convolutions with strides or an even kernel it padded the image otherwise for padding='same'";

/// Reads all arrays and counts them as they are in the file.
pub fn read(model: &mut Sequential, root: &Object) -> Result<LoadedArrays> {
    let Places { group, paths, are_named } = places(model, root)?;
    let backend = backend(root)?;
    let is_theano = backend.as_deref() == Some("theano");
    let mut has_convolution = false;
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
    if are_named && backend.is_none() && has_convolution {
        loaded.warnings.push(BACKEND_UNKNOWN.to_string());
    }
    if is_theano && model.layers().iter().any(|layer| is_padded_otherwise(&layer.spec)) {
        loaded.warnings.push(PADDED_OTHERWISE.to_string());
    }
    Ok(loaded)
}

/// Places of all arrays of a model in a file.
struct Places<'a> {
    group: Object<'a>,
    /// Path below the group of each array.
    paths: Vec<String>,
    /// True if the file names layers and arrays, as the older `.h5` does.
    are_named: bool,
}

fn places<'a>(model: &Sequential, root: &Object<'a>) -> Result<Places<'a>> {
    let mut named = root.group("model_weights")?;
    if named.is_none() && root.strings("layer_names")?.is_some() {
        named = Some(root.clone());
    }
    Ok(match named {
        Some(group) => Places { paths: named_paths(model, &group)?, group, are_named: true },
        None => {
            let paths = numbered_paths(model, root)?;
            Places { group: root.clone(), paths, are_named: false }
        }
    })
}

/// True for a convolution that Theano computes otherwise than all other backends: it pads both
/// sides alike.
fn is_padded_otherwise(layer: &AnyLayer) -> bool {
    let AnyLayer::Conv2D(conv) = layer else { return false };
    let is_even = conv.kernel_size.iter().any(|length| length % 2 == 0);
    conv.padding == Padding::Same && (is_even || conv.strides != [1, 1])
}

/// The group `layers` with the weights of all layers under their keys.
pub fn write(model: &Sequential) -> Member {
    let mut layers = Group::default();
    for (i, key) in keys(model, 1).into_iter().enumerate() {
        let arrays = model.parameters.of_layer(i);
        let arrays = arrays.map(|entry| floats(entry, &model.parameters.values)).collect();
        let attributes = vec![("name".to_string(), model.layers()[i].name())];
        layers.members.insert(key, vars(attributes, arrays));
    }
    Member::Group(layers)
}

/// Paths of the arrays in a file that numbers them.
fn numbered_paths(model: &Sequential, root: &Object) -> Result<Vec<String>> {
    let LayersGroup { prefix, step } = layers_group(root)?;
    let mut paths = vec![];
    for (layer, key) in keys(model, step).iter().enumerate() {
        let needed = model.parameters.of_layer(layer).count();
        let path = |number| format!("{prefix}{key}/vars/{number}");
        if needed > 0 && root.dataset(&path(needed))?.is_some() {
            let name = model.layers()[layer].name();
            return Err(invalid(format!(
                "`/{prefix}{key}/vars` holds more arrays than the {needed} that {name} needs"
            )));
        }
        paths.extend((0..needed).map(path));
    }
    Ok(paths)
}

/// Place of the layers in a file that numbers their arrays.
struct LayersGroup {
    /// Path before the key of a layer.
    prefix: String,
    /// Number by which a layer with weights advances the count of its class.
    step: usize,
}

fn layers_group(root: &Object) -> Result<LayersGroup> {
    // TF-Keras 2.12 and 2.13 saved a dictionary that holds layers with weights twice.
    for (name, step) in [("layers", 1), ("_layer_checkpoint_dependencies", 2)] {
        if root.group(name)?.is_some() {
            return Ok(LayersGroup { prefix: format!("{name}/"), step });
        }
        // TF-Keras joined paths with a backslash on Windows, which HDF5 takes for a letter.
        let prefix = format!("{name}\\");
        if root.names().any(|member| member.starts_with(&prefix)) {
            return Ok(LayersGroup { prefix, step });
        }
    }
    Err(invalid("it holds no group `layers`, so no weights of Keras"))
}

/// Keys of the layers: `dense`, `dense_1`. A layer with weights advances the count by `step`.
fn keys(model: &Sequential, step: usize) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut keys = vec![];
    for (i, layer) in model.layers().iter().enumerate() {
        let class = layer.spec.class_name();
        let count = counts.entry(class).or_default();
        keys.push(match count {
            0 => snake_case(class),
            _ => format!("{}_{count}", snake_case(class)),
        });
        let has_weights = model.parameters.of_layer(i).next().is_some();
        *count += if has_weights { step } else { 1 };
    }
    keys
}

/// Paths of the arrays below a group of the older format, whose attributes name the layers and
/// their arrays.
fn named_paths(model: &Sequential, group: &Object) -> Result<Vec<String>> {
    let mut found: Vec<Vec<String>> = vec![];
    for name in texts(group, "layer_names")? {
        let layer = group
            .group(&name)?
            .ok_or_else(|| invalid(format!("the group of the layer {name} is missing")))?;
        let arrays = texts(&layer, "weight_names")?;
        if !arrays.is_empty() {
            found.push(arrays.iter().map(|array| format!("{name}/{array}")).collect());
        }
    }
    let mut needed = vec![];
    for (i, layer) in model.layers().iter().enumerate() {
        let n_arrays = model.parameters.of_layer(i).count();
        if n_arrays > 0 {
            needed.push((layer.name(), n_arrays));
        }
    }
    if found.len() != needed.len() {
        let (found, needed) = (found.len(), needed.len());
        return Err(invalid(format!(
            "{found} layers in the file have weights, and {needed} of the model's have"
        )));
    }
    for (paths, (name, needed)) in found.iter().zip(needed) {
        if paths.len() != needed {
            let found = paths.len();
            return Err(invalid(format!(
                "the layer {name} needs {needed} arrays, and the file has {found}"
            )));
        }
    }
    Ok(found.concat())
}
