//! Keras's own files: `.keras` archives, `.weights.h5`, and the `.h5` files of whole models that older Keras wrote.
//!
//! In an archive and in `.weights.h5` a layer's arrays lie under the name of its class, counted in the order of the
//! layers (`layers/dense_1/vars/0`), never under its own name; in the older `.h5` they lie under the layer's name, and
//! the order alone says what they are. The archive is written in the form that Keras 3.1 to 3.15 open; what Keras does
//! not store (seed, epochs) goes to `metadata.json`, which Keras does not read.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::{Cursor, Read, Write};

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::hdf5::{self, Dataset, Group, Node, Result, Tree};
use super::{Loaded, Loading, MOST_PARAMS, check_shape, fault, fill, keras_config, unsupported, weights_alone};
use crate::Real;
use crate::classes::snake_case;
use crate::model::{Compiled, Sequential};
use crate::optimizers::{AnyOptimizer, LearningRate};
use crate::params::Entry;

/// Reads an archive.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let config = json(&member(bytes, "config.json")?)?;
    let metadata = member(bytes, "metadata.json").and_then(|text| json(&text)).unwrap_or_default();
    let weights = member(bytes, "model.weights.h5")?;
    let loaded = build(&config, None, metadata.get("tallynet"), most(&weights))?;
    with_weights(loaded, &hdf5::open(&weights)?)
}

/// Reads the description in a text.
pub fn read_json(bytes: &[u8]) -> Result<Loaded> {
    build(&json(bytes)?, None, None, MOST_PARAMS)
}

/// Reads a file of a whole model of the older form.
pub fn read_legacy(bytes: &[u8]) -> Result<Loaded> {
    let root = hdf5::open(bytes)?;
    let config = json(text(&root, "model_config")?.ok_or_else(weights_alone)?.as_bytes())?;
    let compile = text(&root, "training_config")?.map(|text| json(text.as_bytes())).transpose()?;
    with_weights(build(&config, compile.as_ref(), None, most(bytes))?, &root)
}

/// Reads the arrays of an archive or of an HDF5 file into a model.
pub fn read_into(model: &mut Sequential, bytes: &[u8]) -> Result<Loading> {
    match bytes.starts_with(b"PK") {
        true => read_weights(model, &hdf5::open(&member(bytes, "model.weights.h5")?)?),
        false => read_weights(model, &hdf5::open(bytes)?),
    }
}

/// Parameters that so many bytes may hold: chunks can be packed, but weights hardly get smaller by it.
fn most(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(8).saturating_add(1 << 20)
}

/// A member of an archive, checked against its checksum. It is asked for by its whole name, so what other names the
/// archive holds does not matter, and cut off where it is too large for an archive of this size.
fn member(archive: &[u8], name: &str) -> Result<Vec<u8>> {
    let damaged = |error| fault(format!("the zip archive is damaged or cut off ({error})"));
    let wrong = |error: &dyn Display| fault(format!("the archive's {name} cannot be read ({error})"));
    let most = archive.len() as u64 * 8 + (1 << 22);
    let mut bytes = vec![];
    let mut archive = ZipArchive::new(Cursor::new(archive)).map_err(damaged)?;
    let member = archive.by_name(name).map_err(|error| wrong(&error))?;
    member.take(most + 1).read_to_end(&mut bytes).map_err(|error| wrong(&error))?;
    match bytes.len() as u64 > most {
        true => Err(fault(format!("the archive's {name} unpacks to more than eight times the archive's size"))),
        false => Ok(bytes),
    }
}

fn json(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| fault(format!("the description is no JSON: {error}")))
}

/// The model that is described, before any weights are read.
fn build(config: &Value, compile: Option<&Value>, training: Option<&Value>, most: usize) -> Result<Loaded> {
    let (description, warnings) = keras_config::read(config, compile, training).map_err(unsupported)?;
    Ok(Loaded { model: description.build(most).map_err(unsupported)?, arrays: None, warnings })
}

fn with_weights(mut loaded: Loaded, root: &Group) -> Result<Loaded> {
    let (arrays, warnings) = read_weights(&mut loaded.model, root)?;
    loaded.arrays = Some(arrays);
    loaded.warnings.extend(warnings);
    read_optimizer(&mut loaded, root)?;
    Ok(loaded)
}

/// Reads all arrays, and counts them as they lie in the file.
fn read_weights(model: &mut Sequential, root: &Group) -> Result<Loading> {
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
        let dataset = group.dataset(&path)?;
        array(&dataset.ok_or_else(|| fault(format!("the array {name} is missing: `{path}`")))?, name, shape)
    })
}

/// The path of each array in a file that goes by classes, and the group that the paths start at.
fn numbered_paths<'a>(model: &Sequential, root: &Group<'a>) -> Result<(Group<'a>, Vec<String>)> {
    let layers = match root.group("layers")? {
        None => root.group("_layer_checkpoint_dependencies")?, // What TF-Keras 2.12 to 2.15 called it.
        found => found,
    };
    let layers = layers.ok_or_else(|| fault("it holds no group `layers`, so no weights of Keras"))?;
    let mut paths = vec![];
    for (layer, key) in keys(model).iter().enumerate() {
        let needed = model.parameters.of_layer(layer).count();
        let path = |number| format!("{key}/vars/{number}");
        if needed > 0 && layers.dataset(&path(needed))?.is_some() {
            let name = model.layers()[layer].name();
            return Err(fault(format!("`/layers/{key}/vars` holds more arrays than the {needed} that {name} needs")));
        }
        paths.extend((0..needed).map(path));
    }
    Ok((layers, paths))
}

/// The keys of the layers: their classes, counted.
fn keys(model: &Sequential) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let key = |class: &'static str| {
        let count = counts.entry(class).or_default();
        *count += 1;
        if *count == 1 { snake_case(class) } else { format!("{}_{}", snake_case(class), *count - 1) }
    };
    model.layers().iter().map(|layer| layer.spec.class_name()).map(key).collect()
}

/// The path of each array below a group of the older form, which names its layers, and they their arrays.
fn named_paths(model: &Sequential, group: &Group) -> Result<Vec<String>> {
    let mut layers = vec![];
    for name in texts(group, "layer_names")? {
        let layer = group.group(&name)?.ok_or_else(|| fault(format!("the group of the layer {name} is missing")))?;
        let paths = texts(&layer, "weight_names")?.into_iter().map(|array| format!("{name}/{array}"));
        layers.push(paths.collect::<Vec<_>>());
    }
    layers.retain(|paths| !paths.is_empty());
    let needed =
        model.layers().iter().enumerate().map(|(i, layer)| (layer.name(), model.parameters.of_layer(i).count()));
    let needed: Vec<_> = needed.filter(|(_, count)| *count > 0).collect();
    if layers.len() != needed.len() {
        let (found, needed) = (layers.len(), needed.len());
        return Err(fault(format!("{found} layers in the file have weights, and {needed} of the model's have")));
    }
    for (paths, (name, needed)) in layers.iter().zip(needed) {
        if paths.len() != needed {
            return Err(fault(format!("the layer {name} needs {needed} arrays, and the file has {}", paths.len())));
        }
    }
    Ok(layers.concat())
}

/// An attribute of texts. Keras splits one that is too long into `name0`, `name1` and so on.
fn texts(group: &Group, name: &str) -> Result<Vec<String>> {
    if let Some(texts) = group.texts(name)? {
        return Ok(texts);
    }
    let parts = (0..).map_while(|part| group.texts(&format!("{name}{part}")).transpose());
    Ok(parts.collect::<Result<Vec<_>>>()?.concat())
}

/// An attribute of one text.
fn text(group: &Group, name: &str) -> Result<Option<String>> {
    Ok(group.texts(name)?.and_then(|texts| texts.into_iter().next()))
}

/// The numbers of a dataset, if it has the shape that its place needs.
fn array(dataset: &Dataset, name: &str, shape: &[usize]) -> Result<Vec<Real>> {
    check_shape(name, dataset.shape(), shape)?;
    dataset.read_reals(shape.iter().product(), |number| number as Real)
}

/// Where Keras keeps what an optimizer remembers: which vector, and which stretch of it, in order.
fn slots<'m>(model: &'m Sequential, optimizer: &AnyOptimizer) -> Vec<(usize, &'m Entry)> {
    let entries = model.parameters.entries.iter().filter(|entry| entry.spec.trainable);
    let by_slot = (0..optimizer.slots().len()).flat_map(|slot| entries.clone().map(move |entry| (slot, entry)));
    let mut places: Vec<_> = by_slot.collect();
    if ["Adam", "AdamW"].contains(&optimizer.class_name()) {
        // An array's momentum and velocity lie side by side.
        places.sort_by_key(|(slot, entry)| (slot / 2, entry.range.start));
    }
    places
}

/// Whether the learning rate is one number, which Keras then keeps among the optimizer's variables.
fn has_fixed_rate(optimizer: &AnyOptimizer) -> bool {
    matches!(optimizer.learning_rate(), LearningRate::Constant(_))
}

/// The optimizer's variables: the steps taken, the learning rate where it is one number, and the vectors it keeps.
fn variables<'a>(root: &Group<'a>, warnings: &mut Vec<String>) -> Result<Vec<Dataset<'a>>> {
    if let Some(group) = root.group("optimizer/vars")? {
        return (0..).map_while(|i| group.dataset(&i.to_string()).transpose()).collect();
    }
    let Some(group) = root.group("optimizer_weights")? else { return Ok(vec![]) };
    // Keras 1 and 2 kept other variables, in another order.
    if text(root, "keras_version")?.is_none_or(|version| !version.starts_with('3')) {
        warnings.push("what the optimizer of this older Keras remembered is left out".to_string());
        return Ok(vec![]);
    }
    let find = |path: String| group.dataset(&path)?.ok_or_else(|| fault(format!("the array {path} is missing")));
    texts(&group, "weight_names")?.into_iter().map(find).collect()
}

/// Takes over what the optimizer remembered; where it remembered something else, it starts anew, as in Keras.
fn read_optimizer(loaded: &mut Loaded, root: &Group) -> Result<()> {
    let variables = variables(root, &mut loaded.warnings)?;
    let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &loaded.model.compiled else { return Ok(()) };
    if variables.is_empty() {
        return Ok(());
    }
    let (slots, first) = (slots(&loaded.model, optimizer), 1 + usize::from(has_fixed_rate(optimizer)));
    let mut state = state.clone();
    let scalar = |number: usize| -> Result<Option<f64>> {
        Ok(variables
            .get(number)
            .map(|variable| variable.read_reals(1, |x| x))
            .transpose()?
            .and_then(|x| x.first().copied()))
    };
    state.iteration = scalar(0)?.unwrap_or(0.0) as u64;
    if let Some(rate) = if first == 2 { scalar(1)? } else { None } {
        if let Some(problem) = LearningRate::Constant(rate).problem() {
            return Err(fault(format!("what the optimizer remembered is damaged: {problem}")));
        }
        // The variable has 32 bits; a rate that is known in 64 and rounds to it is the one that was meant.
        if rate as f32 != state.learning_rate as f32 {
            state.learning_rate = rate;
        }
    }
    let never_used = variables.len() == first && state.iteration == 0;
    let (found, needed) = (variables.len(), first + slots.len());
    if !never_used && found != needed {
        let class = optimizer.class_name();
        let warning =
            format!("the file has {found} variables of the optimizer, and {class} keeps {needed}: it starts anew");
        loaded.warnings.push(warning);
        return Ok(());
    }
    for ((slot, entry), variable) in slots.into_iter().zip(variables.iter().skip(first)) {
        let numbers = array(variable, "of the optimizer", &entry.spec.shape)?;
        state.slots[slot][entry.range.clone()].copy_from_slice(&numbers);
    }
    loaded.model.compiled.iter_mut().for_each(|compiled| compiled.state = state.clone());
    Ok(())
}

/// The archive's bytes.
pub fn write(model: &Sequential) -> Result<Vec<u8>> {
    let (config, training) = keras_config::write(model);
    let metadata = json!({ "keras_version": "3.0.0", "tallynet": training });
    let members = [
        ("metadata.json", metadata.to_string().into_bytes()),
        ("config.json", config.to_string().into_bytes()),
        ("model.weights.h5", write_weights(model, true)?),
    ];
    let packed = || -> zip::result::ZipResult<Vec<u8>> {
        let mut archive = ZipWriter::new(Cursor::new(vec![]));
        for (name, bytes) in &members {
            let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            archive.start_file(*name, options.large_file(bytes.len() > u32::MAX as usize))?;
            archive.write_all(bytes)?;
        }
        Ok(archive.finish()?.into_inner())
    };
    packed().map_err(fault)
}

/// The bytes of `model.weights.h5`, with what the optimizer remembers or without.
pub fn write_weights(model: &Sequential, with_optimizer: bool) -> Result<Vec<u8>> {
    let reals = |entry: &Entry, values: &[Real]| Node::Reals {
        shape: entry.spec.shape.clone(),
        data: values[entry.range.clone()].iter().map(|&value| value as f32).collect(),
    };
    let group = |children: Vec<(String, Node)>| {
        Node::Tree(Tree { attributes: vec![], children: children.into_iter().collect() })
    };
    let vars = |attributes: Vec<(String, String)>, arrays: Vec<Node>| {
        let children = arrays.into_iter().enumerate().map(|(number, node)| (number.to_string(), node)).collect();
        group(vec![("vars".to_string(), Node::Tree(Tree { attributes, children }))])
    };
    let layers = keys(model).into_iter().enumerate().map(|(i, key)| {
        let arrays = model.parameters.of_layer(i).map(|entry| reals(entry, &model.parameters.values));
        (key, vars(vec![("name".to_string(), model.layers()[i].name())], arrays.collect()))
    });
    let mut root = Tree::default();
    root.children.insert("vars".to_string(), group(vec![]));
    root.children.insert("layers".to_string(), group(layers.collect()));
    if let (true, Some(Compiled { optimizer: Some(optimizer), state, .. })) = (with_optimizer, &model.compiled) {
        let rate = Node::Reals { shape: vec![], data: vec![state.learning_rate as f32] };
        let scalars = [Some(Node::Integer(state.iteration as i64)), has_fixed_rate(optimizer).then_some(rate)];
        let slots = slots(model, optimizer).into_iter().map(|(slot, entry)| reals(entry, &state.slots[slot]));
        let variables = scalars.into_iter().flatten().chain(slots).collect();
        root.children.insert("optimizer".to_string(), vars(vec![], variables));
    }
    hdf5::write(&root)
}
