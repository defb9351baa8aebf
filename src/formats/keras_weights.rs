//! The arrays in Keras's files: the weights of the layers, and what the optimizer remembers.
//!
//! In an archive and in `.weights.h5` a layer's arrays lie under the name of its class, counted in
//! the order of the layers (`layers/dense_1/vars/0`), never under its own name; in the older `.h5`
//! they lie under the layer's name, and the order alone says what they are.

use std::collections::HashMap;

use super::hdf5::{self, Node, Object, Result, Tree};
use super::{Loading, check_shape, fault, fill};
use crate::Real;
use crate::classes::snake_case;
use crate::model::{Compiled, Sequential};
use crate::optimizers::{AnyOptimizer, LearningRate, StateLayout};
use crate::params::Entry;

/// Reads all arrays, counts them as they lie in the file, and takes over what the optimizer
/// remembered.
pub fn read_weights(model: &mut Sequential, root: &Object) -> Result<Loading> {
    let (arrays, mut warnings) = read_arrays(model, root)?;
    read_optimizer(model, root, &mut warnings)?;
    Ok((arrays, warnings))
}

fn read_arrays(model: &mut Sequential, root: &Object) -> Result<Loading> {
    let legacy = match root.group("model_weights")? {
        None => root.texts("layer_names")?.map(|_| root.clone()),
        found => found,
    };
    let (group, paths) = match legacy {
        Some(group) => (group.clone(), named_paths(model, &group)?),
        None => numbered_paths(model, root)?,
    };
    let mut paths = paths.into_iter();
    fill(model, |name, shape| {
        let path = paths.next().unwrap_or_default();
        let missing = || {
            fault(format!(
                "the array {name} is missing: `{}/{path}`",
                group.path().trim_end_matches('/')
            ))
        };
        array(&group.dataset(&path)?.ok_or_else(missing)?, name, shape)
    })
}

/// The path of each array in a file that goes by classes, and the group that the paths start at.
fn numbered_paths<'a>(model: &Sequential, root: &Object<'a>) -> Result<(Object<'a>, Vec<String>)> {
    let layers = match root.group("layers")? {
        None => root.group("_layer_checkpoint_dependencies")?, // What TF-Keras 2.12 to 2.15 called it.
        found => found,
    };
    let layers =
        layers.ok_or_else(|| fault("it holds no group `layers`, so no weights of Keras"))?;
    let mut paths = vec![];
    for (layer, key) in keys(model).iter().enumerate() {
        let needed = model.parameters.of_layer(layer).count();
        let path = |number| format!("{key}/vars/{number}");
        if needed > 0 && layers.dataset(&path(needed))?.is_some() {
            let name = model.layers()[layer].name();
            return Err(fault(format!(
                "`/layers/{key}/vars` holds more arrays than the {needed} that {name} needs"
            )));
        }
        paths.extend((0..needed).map(path));
    }
    Ok((layers, paths))
}

/// The keys of the layers: their classes, counted.
fn keys(model: &Sequential) -> Vec<String> {
    let mut counts = HashMap::new();
    let key = |class: &'static str| match counts
        .entry(class)
        .and_modify(|count| *count += 1)
        .or_insert(0)
    {
        0 => snake_case(class),
        count => format!("{}_{count}", snake_case(class)),
    };
    model.layers().iter().map(|layer| layer.spec.class_name()).map(key).collect()
}

/// The path of each array below a group of the older form, which names its layers, and they their
/// arrays.
fn named_paths(model: &Sequential, group: &Object) -> Result<Vec<String>> {
    let mut layers = vec![];
    for name in texts(group, "layer_names")? {
        let layer = group
            .group(&name)?
            .ok_or_else(|| fault(format!("the group of the layer {name} is missing")))?;
        let paths =
            texts(&layer, "weight_names")?.into_iter().map(|array| format!("{name}/{array}"));
        layers.push(paths.collect::<Vec<_>>());
    }
    layers.retain(|paths| !paths.is_empty());
    let needed = model
        .layers()
        .iter()
        .enumerate()
        .map(|(i, layer)| (layer.name(), model.parameters.of_layer(i).count()));
    let needed: Vec<_> = needed.filter(|(_, count)| *count > 0).collect();
    if layers.len() != needed.len() {
        let (found, needed) = (layers.len(), needed.len());
        return Err(fault(format!(
            "{found} layers in the file have weights, and {needed} of the model's have"
        )));
    }
    for (paths, (name, needed)) in layers.iter().zip(needed) {
        if paths.len() != needed {
            return Err(fault(format!(
                "the layer {name} needs {needed} arrays, and the file has {}",
                paths.len()
            )));
        }
    }
    Ok(layers.concat())
}

/// An attribute of texts. Keras splits one that is too long into `name0`, `name1` and so on.
fn texts(group: &Object, name: &str) -> Result<Vec<String>> {
    if let Some(texts) = group.texts(name)? {
        return Ok(texts);
    }
    let parts = (0..).map_while(|part| group.texts(&format!("{name}{part}")).transpose());
    Ok(parts.collect::<Result<Vec<_>>>()?.concat())
}

/// An attribute of one text.
pub fn text(group: &Object, name: &str) -> Result<Option<String>> {
    Ok(group.texts(name)?.and_then(|texts| texts.into_iter().next()))
}

/// The numbers of a dataset, if it has the shape that its place needs.
fn array(dataset: &Object, name: &str, shape: &[usize]) -> Result<Vec<Real>> {
    check_shape(name, dataset.shape(), shape)?;
    dataset.read_reals(shape.iter().product(), |number| number as Real)
}

/// Where Keras keeps what an optimizer remembers: which vector, and which stretch of it, in order.
fn slots<'m>(model: &'m Sequential, optimizer: &AnyOptimizer) -> Vec<(usize, &'m Entry)> {
    let entries = model.parameters.entries.iter().filter(|entry| entry.spec.trainable);
    let by_slot = (0..optimizer.as_optimizer().slots().len())
        .flat_map(|slot| entries.clone().map(move |entry| (slot, entry)));
    let mut places: Vec<_> = by_slot.collect();
    if optimizer.as_optimizer().state_layout() == StateLayout::Interleaved {
        // An array's momentum and velocity lie side by side.
        places.sort_by_key(|(slot, entry)| (slot / 2, entry.range.start));
    }
    places
}

/// Whether the learning rate is one number, which Keras then keeps among the optimizer's variables.
fn has_fixed_rate(optimizer: &AnyOptimizer) -> bool {
    matches!(optimizer.as_optimizer().learning_rate(), LearningRate::Constant(_))
}

/// The optimizer's variables: the steps taken, the learning rate where it is one number, and the
/// vectors it keeps.
fn variables<'a>(root: &Object<'a>, warnings: &mut Vec<String>) -> Result<Vec<Object<'a>>> {
    if let Some(group) = root.group("optimizer/vars")? {
        return (0..).map_while(|i| group.dataset(&i.to_string()).transpose()).collect();
    }
    let Some(group) = root.group("optimizer_weights")? else { return Ok(vec![]) };
    // Keras 1 and 2 kept other variables, in another order.
    if text(root, "keras_version")?.is_none_or(|version| !version.starts_with('3')) {
        warnings.push("what the optimizer of this older Keras remembered is left out".to_string());
        return Ok(vec![]);
    }
    let find = |path: String| {
        group.dataset(&path)?.ok_or_else(|| fault(format!("the array {path} is missing")))
    };
    texts(&group, "weight_names")?.into_iter().map(find).collect()
}

/// Takes over what the optimizer remembered; where it remembered something else, it starts anew, as
/// in Keras.
fn read_optimizer(model: &mut Sequential, root: &Object, warnings: &mut Vec<String>) -> Result<()> {
    let variables = variables(root, warnings)?;
    let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &model.compiled else {
        return Ok(());
    };
    if variables.is_empty() {
        return Ok(());
    }
    let (slots, first) = (slots(model, optimizer), 1 + usize::from(has_fixed_rate(optimizer)));
    let mut state = state.clone();
    let scalar = |variable: Option<&Object>| -> Result<Option<f64>> {
        variable.map_or(Ok(None), |variable| Ok(variable.read_reals(1, |x| x)?.pop()))
    };
    state.iteration = scalar(variables.first())?.unwrap_or(0.0) as u64;
    if let Some(rate) = scalar(variables.get(1).filter(|_| first == 2))? {
        // The variable has 32 bits; a rate that is known in 64 and rounds to it is the one that was
        // meant.
        if rate as f32 != state.learning_rate as f32 {
            state.learning_rate = rate;
        }
    }
    if let Err(problem) = state.validate() {
        return Err(fault(format!("what the optimizer remembered is damaged: {problem}")));
    }
    let never_used = variables.len() == first && state.iteration == 0;
    let (found, needed) = (variables.len(), first + slots.len());
    if !never_used && found != needed {
        let class = optimizer.class_name();
        let problem =
            format!("the file has {found} variables of the optimizer, and {class} keeps {needed}");
        warnings.push(format!("{problem}: it starts anew"));
        return Ok(());
    }
    for ((slot, entry), variable) in slots.into_iter().zip(variables.iter().skip(first)) {
        let numbers = array(variable, "of the optimizer", &entry.spec.shape)?;
        state.slots[slot][entry.range.clone()].copy_from_slice(&numbers);
    }
    if let Some(compiled) = &mut model.compiled {
        compiled.state = state;
    }
    Ok(())
}

/// The bytes of `model.weights.h5`, with what the optimizer remembers.
pub fn write_weights(model: &Sequential) -> Result<Vec<u8>> {
    let reals = |entry: &Entry, values: &[Real]| Node::Reals {
        shape: entry.spec.shape.clone(),
        data: values[entry.range.clone()].iter().map(|&value| value as f32).collect(),
    };
    let group = |children: Vec<(String, Node)>| {
        Node::Tree(Tree { attributes: vec![], children: children.into_iter().collect() })
    };
    let vars = |attributes: Vec<(String, String)>, arrays: Vec<Node>| {
        let children = arrays
            .into_iter()
            .enumerate()
            .map(|(number, node)| (number.to_string(), node))
            .collect();
        group(vec![("vars".to_string(), Node::Tree(Tree { attributes, children }))])
    };
    let layers = keys(model).into_iter().enumerate().map(|(i, key)| {
        let arrays =
            model.parameters.of_layer(i).map(|entry| reals(entry, &model.parameters.values));
        (key, vars(vec![("name".to_string(), model.layers()[i].name())], arrays.collect()))
    });
    let mut root = Tree::default();
    root.children.insert("vars".to_string(), group(vec![]));
    root.children.insert("layers".to_string(), group(layers.collect()));
    if let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &model.compiled {
        let rate = Node::Reals { shape: vec![], data: vec![state.learning_rate as f32] };
        let scalars = [
            Some(Node::Integer(state.iteration as i64)),
            has_fixed_rate(optimizer).then_some(rate),
        ];
        let slots = slots(model, optimizer)
            .into_iter()
            .map(|(slot, entry)| reals(entry, &state.slots[slot]));
        let variables = scalars.into_iter().flatten().chain(slots).collect();
        root.children.insert("optimizer".to_string(), vars(vec![], variables));
    }
    hdf5::write(&root)
}
