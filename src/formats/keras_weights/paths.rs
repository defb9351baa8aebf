//! Paths of a model's arrays in Keras's files.
//!
//! In an archive and in `.weights.h5` the path of a layer's arrays is its class, counted in the
//! order of the layers (`layers/dense_1/vars/0`), never its own name; the layers of a nested model
//! lie in its group (`layers/sequential/layers/dense/vars/0`). In the older `.h5` it is the name of
//! the layer, or of the outermost model around it, and the arrays of a layer are known only by
//! their order.

use std::collections::{BTreeMap, HashMap};

use super::strings;
use crate::Result;
use crate::classes::snake_case;
use crate::formats::invalid;
use crate::formats::keras_config::{LayerPath, Member};
use crate::hdf5::Object;
use crate::model::Sequential;

/// Paths of all arrays of a model in a file.
pub struct Paths<'a> {
    pub group: Object<'a>,
    /// Path below the group of each array.
    pub paths: Vec<String>,
    /// True if the file names layers and arrays, as the older `.h5` does.
    pub are_named: bool,
}

/// Paths of the arrays of a model whose layers have these paths in the file.
///
/// # Errors
/// A file without Keras's weights, and layers with more or fewer arrays than needed.
pub fn paths<'a>(
    model: &Sequential,
    root: &Object<'a>,
    layer_paths: &[LayerPath],
) -> Result<Paths<'a>> {
    let mut named = root.group("model_weights")?;
    if named.is_none() && root.strings("layer_names")?.is_some() {
        named = Some(root.clone());
    }
    let Some(group) = named else {
        let paths = numbered_paths(model, root, layer_paths)?;
        return Ok(Paths { group: root.clone(), paths, are_named: false });
    };
    let is_nested = layer_paths.iter().any(|layer_path| layer_path.0.len() > 1);
    let paths = if is_nested {
        nested_paths(model, &group, layer_paths)?
    } else {
        named_paths(model, &group)?
    };
    Ok(Paths { group, paths, are_named: true })
}

/// Keys of the layers of one chain: `dense`, `dense_1`.
pub fn keys(model: &Sequential) -> Vec<String> {
    let layer_path = |(position, _)| own_path(model, position);
    let layer_paths: Vec<LayerPath> = model.layers().iter().enumerate().map(layer_path).collect();
    let tree = Tree::new(model, &layer_paths, 1);
    layer_paths.iter().map(|layer_path| tree.key(&positions(&layer_path.0)).to_string()).collect()
}

/// Path of a layer in one chain.
pub fn own_path(model: &Sequential, position: usize) -> LayerPath {
    let layer = &model.layers()[position];
    let class = layer.spec.class_name().to_string();
    let name = layer.name();
    LayerPath(vec![Member { position, class, name }])
}

/// Paths in a file that numbers the arrays.
fn numbered_paths(
    model: &Sequential,
    root: &Object,
    layer_paths: &[LayerPath],
) -> Result<Vec<String>> {
    let Container { name, separator, increment } = container(root)?;
    let tree = Tree::new(model, layer_paths, increment);
    let mut paths = vec![];
    for (layer, layer_path) in layer_paths.iter().enumerate() {
        let mut group = String::new();
        let positions = positions(&layer_path.0);
        for depth in 1..=positions.len() {
            if depth > 1 {
                group += separator;
            }
            group = format!("{group}{name}{separator}{}", tree.key(&positions[..depth]));
        }
        let needed = model.parameters.of_layer(layer).count();
        let path = |number| format!("{group}/vars/{number}");
        if needed > 0 && root.dataset(&path(needed))?.is_some() {
            let name = model.layers()[layer].name();
            return Err(invalid(format!(
                "`/{group}/vars` holds more arrays than the {needed} that {name} needs"
            )));
        }
        paths.extend((0..needed).map(path));
    }
    Ok(paths)
}

/// Group that holds the layers of a model, in a file that numbers their arrays.
struct Container {
    name: &'static str,
    /// Separator between a group and one within it.
    separator: &'static str,
    /// Increment of a class's counter for a layer with weights (2 where TF-Keras saved it twice).
    increment: usize,
}

fn container(root: &Object) -> Result<Container> {
    // TF-Keras 2.12 and 2.13 saved a dictionary that holds layers with weights twice.
    for (name, increment) in [("layers", 1), ("_layer_checkpoint_dependencies", 2)] {
        if root.group(name)?.is_some() {
            return Ok(Container { name, separator: "/", increment });
        }
        // TF-Keras joined paths with a backslash on Windows, which HDF5 takes for a letter.
        let prefix = format!("{name}\\");
        if root.names().any(|member| member.starts_with(&prefix)) {
            return Ok(Container { name, separator: "\\", increment });
        }
    }
    Err(invalid("it has no group `layers`, so it does not hold Keras's weights"))
}

/// The layers of a model and of its nested models, by their positions from the outermost model on.
struct Tree {
    keys: BTreeMap<Vec<usize>, String>,
}

struct Node<'m> {
    class: &'m str,
    has_weights: bool,
}

fn positions(members: &[Member]) -> Vec<usize> {
    members.iter().map(|member| member.position).collect()
}

impl Tree {
    /// `increment` is that of the counter of a class for a layer with weights.
    fn new(model: &Sequential, layer_paths: &[LayerPath], increment: usize) -> Tree {
        let mut nodes = BTreeMap::new();
        for (layer, LayerPath(members)) in layer_paths.iter().enumerate() {
            let has_weights = model.parameters.of_layer(layer).next().is_some();
            for depth in 1..=members.len() {
                let class = members[depth - 1].class.as_str();
                let node = nodes.entry(positions(&members[..depth]));
                node.or_insert(Node { class, has_weights: false }).has_weights |= has_weights;
            }
        }
        // The map is in the order of the layers.
        let mut counts: HashMap<(Vec<usize>, &str), usize> = HashMap::new();
        let mut keys = BTreeMap::new();
        for (positions, Node { class, has_weights }) in nodes {
            let around = positions[..positions.len() - 1].to_vec();
            let count = counts.entry((around, class)).or_insert(0);
            let key = match *count {
                0 => snake_case(class),
                number => format!("{}_{number}", snake_case(class)),
            };
            *count += if has_weights { increment } else { 1 };
            keys.insert(positions, key);
        }
        Tree { keys }
    }

    /// Key of the layer at these positions in the group of the model around it: `dense_1`.
    fn key(&self, positions: &[usize]) -> &str {
        self.keys.get(positions).map_or("", String::as_str)
    }
}

/// Paths in a file whose attributes name the layers and their arrays.
fn named_paths(model: &Sequential, group: &Object) -> Result<Vec<String>> {
    let mut found: Vec<Vec<String>> = vec![];
    for name in strings(group, "layer_names")? {
        let arrays = arrays(group, &name)?;
        if !arrays.is_empty() {
            found.push(arrays);
        }
    }
    let mut needed = vec![];
    for i in 0..model.layers().len() {
        if model.parameters.of_layer(i).next().is_some() {
            needed.push(i);
        }
    }
    if found.len() != needed.len() {
        let (found, needed) = (found.len(), needed.len());
        return Err(invalid(format!(
            "{found} layers in the file have weights, and {needed} of the model's have"
        )));
    }
    for (paths, layer) in found.iter().zip(needed) {
        check_count(model, layer, paths.len())?;
    }
    Ok(found.concat())
}

/// Paths as those of [`named_paths`] for nested models: the group of the outermost one holds the
/// arrays of all layers in it, all trainable ones first.
fn nested_paths(
    model: &Sequential,
    group: &Object,
    layer_paths: &[LayerPath],
) -> Result<Vec<String>> {
    let mut paths = vec![];
    for (layer, layer_path) in layer_paths.iter().enumerate() {
        if model.parameters.of_layer(layer).next().is_none() {
            continue;
        }
        let all = arrays(group, layer_path.outermost())?;
        let names: Vec<&str> = layer_path.0.iter().map(|member| member.name.as_str()).collect();
        let mut found = if names.len() == 1 { all.clone() } else { vec![] };
        // Layers of one name are told apart by the models around them, which old files leave out.
        for first in 1..names.len() {
            if found.is_empty() {
                let end = names[first..].join("/");
                found = all.iter().filter(|path| is_array_of(&end, path)).cloned().collect();
            }
        }
        check_count(model, layer, found.len())?;
        paths.extend(found);
    }
    Ok(paths)
}

/// Paths of the arrays in the group of a layer, or of a nested model.
fn arrays(group: &Object, name: &str) -> Result<Vec<String>> {
    let layer = group
        .group(name)?
        .ok_or_else(|| invalid(format!("the group of the layer {name} is missing")))?;
    let arrays = strings(&layer, "weight_names")?;
    Ok(arrays.iter().map(|array| format!("{name}/{array}")).collect())
}

/// True for an array of this layer: `inner/dense_1/kernel:0`, in Keras 1 `dense_1_W`. The name of a
/// layer may have a slash.
fn is_array_of(layer: &str, path: &str) -> bool {
    let (around, array) = path.rsplit_once('/').unwrap_or(("", path));
    let is_within = around == layer || around.ends_with(&format!("/{layer}"));
    is_within || array.strip_prefix(layer).is_some_and(|rest| rest.starts_with('_'))
}

fn check_count(model: &Sequential, layer: usize, found: usize) -> Result<()> {
    let needed = model.parameters.of_layer(layer).count();
    if found == needed {
        return Ok(());
    }
    let name = model.layers()[layer].name();
    Err(invalid(format!("the layer {name} needs {needed} arrays, and the file has {found}")))
}
