//! Arrays in Keras's files: the layers' weights and the optimizer state.
//!
//! In an archive and in `.weights.h5` the path of a layer's arrays is its class, counted in the
//! order of the layers (`layers/dense_1/vars/0`), never its own name. In the older `.h5` it is the
//! layer's name, and the arrays of a layer are known by their order alone.

use std::collections::HashMap;

use super::{LoadedArrays, check_shape, invalid, misfit, read_arrays};
use crate::classes::snake_case;
use crate::hdf5::{self, Group, Member, Object};
use crate::model::{Compiled, Sequential};
use crate::optimizers::{AnyOptimizer, LearningRate, StateLayout};
use crate::params::Entry;
use crate::{Real, Result};

/// Reads all arrays of the layers, counts them as they are in the file, and reads the optimizer
/// state.
pub fn read_weights(model: &mut Sequential, root: &Object) -> Result<LoadedArrays> {
    let mut loaded = read_layers(model, root)?;
    read_optimizer(model, root, &mut loaded.warnings)?;
    Ok(loaded)
}

fn read_layers(model: &mut Sequential, root: &Object) -> Result<LoadedArrays> {
    let mut legacy = root.group("model_weights")?;
    if legacy.is_none() && root.strings("layer_names")?.is_some() {
        legacy = Some(root.clone());
    }
    let (group, paths) = match legacy {
        Some(group) => {
            let paths = named_paths(model, &group)?;
            (group, paths)
        }
        None => {
            let group = layers_group(root)?;
            let paths = numbered_paths(model, &group)?;
            (group, paths)
        }
    };
    let mut paths = paths.into_iter();
    read_arrays(model, |name, shape| {
        let path = paths.next().unwrap_or_default();
        let dataset = group.dataset(&path)?.ok_or_else(|| {
            let group = group.path().trim_end_matches('/');
            misfit(name, format!("the array {name} is missing: `{group}/{path}`"))
        })?;
        read_array(&dataset, name, shape)
    })
}

fn layers_group<'a>(root: &Object<'a>) -> Result<Object<'a>> {
    // The second is the name in TF-Keras 2.12 to 2.15.
    for name in ["layers", "_layer_checkpoint_dependencies"] {
        if let Some(group) = root.group(name)? {
            return Ok(group);
        }
    }
    Err(invalid("it holds no group `layers`, so no weights of Keras"))
}

/// Paths of the arrays below the group `layers`.
fn numbered_paths(model: &Sequential, layers: &Object) -> Result<Vec<String>> {
    let mut paths = vec![];
    for (layer, key) in keys(model).iter().enumerate() {
        let needed = model.parameters.of_layer(layer).count();
        let path = |number| format!("{key}/vars/{number}");
        if needed > 0 && layers.dataset(&path(needed))?.is_some() {
            let name = model.layers()[layer].name();
            return Err(invalid(format!(
                "`/layers/{key}/vars` holds more arrays than the {needed} that {name} needs"
            )));
        }
        paths.extend((0..needed).map(path));
    }
    Ok(paths)
}

/// Keys of the layers: `dense`, `dense_1`.
fn keys(model: &Sequential) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut keys = vec![];
    for layer in model.layers() {
        let class = layer.spec.class_name();
        let count = counts.entry(class).or_default();
        keys.push(match count {
            0 => snake_case(class),
            _ => format!("{}_{count}", snake_case(class)),
        });
        *count += 1;
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

/// Attribute that holds a list of texts. Keras splits a long one into `name0`, `name1` and so on.
fn texts(group: &Object, name: &str) -> Result<Vec<String>> {
    if let Some(texts) = group.strings(name)? {
        return Ok(texts);
    }
    let mut texts = vec![];
    for part in 0.. {
        let Some(more) = group.strings(&format!("{name}{part}"))? else { break };
        texts.extend(more);
    }
    Ok(texts)
}

/// Attribute that holds one text.
pub fn text(group: &Object, name: &str) -> Result<Option<String>> {
    Ok(group.strings(name)?.and_then(|texts| texts.into_iter().next()))
}

/// The values of a dataset, which must have this shape.
fn read_array(dataset: &Object, name: &str, shape: &[usize]) -> Result<Vec<Real>> {
    check_shape(name, dataset.shape(), shape)?;
    Ok(dataset.read_numbers(shape.iter().product(), |number| number as Real)?)
}

/// The value of a scalar dataset.
fn read_scalar(dataset: &Object) -> Result<Option<f64>> {
    Ok(dataset.read_numbers(1, |number| number)?.pop())
}

/// One parameter array's part of one vector of the optimizer state.
struct SlotPart<'m> {
    slot: usize,
    entry: &'m Entry,
}

/// The optimizer state in Keras's order.
fn slot_parts<'m>(model: &'m Sequential, optimizer: &AnyOptimizer) -> Vec<SlotPart<'m>> {
    let mut parts = vec![];
    for slot in 0..optimizer.as_optimizer().slots().len() {
        let entries = model.parameters.entries.iter().filter(|entry| entry.spec.trainable);
        parts.extend(entries.map(|entry| SlotPart { slot, entry }));
    }
    if is_interleaved(optimizer) {
        parts.sort_by_key(|part| (part.slot / 2, part.entry.range.start));
    }
    parts
}

/// True if Keras stores the first two vectors array by array: m and v of the first array, then of
/// the second.
fn is_interleaved(optimizer: &AnyOptimizer) -> bool {
    optimizer.as_optimizer().state_layout() == StateLayout::Interleaved
}

/// True if the learning rate is a number, which Keras keeps among the optimizer's variables.
fn has_constant_rate(optimizer: &AnyOptimizer) -> bool {
    matches!(optimizer.as_optimizer().learning_rate(), LearningRate::Constant(_))
}

/// The optimizer's variables: the iteration, the learning rate if it is a number, and the state.
fn variables<'a>(root: &Object<'a>, warnings: &mut Vec<String>) -> Result<Vec<Object<'a>>> {
    let mut variables = vec![];
    if let Some(group) = root.group("optimizer/vars")? {
        for number in 0.. {
            let Some(variable) = group.dataset(&number.to_string())? else { break };
            variables.push(variable);
        }
        return Ok(variables);
    }
    let Some(group) = root.group("optimizer_weights")? else { return Ok(variables) };
    // Keras 1 and 2 kept other variables, in another order.
    if text(root, "keras_version")?.is_none_or(|version| !version.starts_with('3')) {
        warnings.push("the optimizer state of this older Keras version is left out".to_string());
        return Ok(variables);
    }
    for path in texts(&group, "weight_names")? {
        let variable = group
            .dataset(&path)?
            .ok_or_else(|| misfit(&path, format!("the array {path} is missing")))?;
        variables.push(variable);
    }
    Ok(variables)
}

/// Reads the optimizer state. If the file holds that of another optimizer, the model's starts from
/// zero, as in Keras.
fn read_optimizer(model: &mut Sequential, root: &Object, warnings: &mut Vec<String>) -> Result<()> {
    let variables = variables(root, warnings)?;
    let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &model.compiled else {
        return Ok(());
    };
    let [iteration, others @ ..] = &variables[..] else { return Ok(()) };
    let mut state = state.clone();
    state.iteration = read_scalar(iteration)?.unwrap_or(0.0) as u64;
    let mut slots = others;
    if has_constant_rate(optimizer) {
        if let [rate, ..] = others
            && let Some(rate) = read_scalar(rate)?
            // The variable has 32 bits; keep the 64 bits from elsewhere if they round to it.
            && rate as f32 != state.learning_rate as f32
        {
            state.learning_rate = rate;
        }
        slots = others.get(1..).unwrap_or_default();
    }
    if let Err(problem) = state.validate() {
        return Err(invalid(format!("the optimizer state is damaged: {problem}")));
    }
    let parts = slot_parts(model, optimizer);
    let n_scalars = 1 + usize::from(has_constant_rate(optimizer));
    let (found, needed) = (variables.len(), n_scalars + parts.len());
    let never_used = found == n_scalars && state.iteration == 0;
    if !never_used && found != needed {
        let class = optimizer.class_name();
        warnings.push(format!(
            "the file has {found} variables of the optimizer, and {class} keeps {needed}: \
             it starts from zero"
        ));
        return Ok(());
    }
    for (SlotPart { slot, entry }, variable) in parts.iter().zip(slots) {
        let values = read_array(variable, "of the optimizer", &entry.spec.shape)?;
        state.slots[*slot][entry.range.clone()].copy_from_slice(&values);
    }
    if let Some(compiled) = &mut model.compiled {
        compiled.state = state;
    }
    Ok(())
}

/// Encodes weights and optimizer state as `model.weights.h5`.
pub fn write_weights(model: &Sequential) -> Result<Vec<u8>> {
    let mut layers = Group::default();
    for (i, key) in keys(model).into_iter().enumerate() {
        let arrays = model.parameters.of_layer(i);
        let arrays = arrays.map(|entry| floats(entry, &model.parameters.values)).collect();
        let attributes = vec![("name".to_string(), model.layers()[i].name())];
        layers.members.insert(key, vars(attributes, arrays));
    }
    let mut root = Group::default();
    root.members.insert("vars".to_string(), Member::Group(Group::default()));
    root.members.insert("layers".to_string(), Member::Group(layers));
    if let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &model.compiled {
        let mut variables = vec![Member::Integer(state.iteration as i64)];
        if has_constant_rate(optimizer) {
            let values = vec![state.learning_rate as f32];
            variables.push(Member::Floats { shape: vec![], values });
        }
        for SlotPart { slot, entry } in slot_parts(model, optimizer) {
            variables.push(floats(entry, &state.slots[slot]));
        }
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
