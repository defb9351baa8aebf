//! Keras's own files: `.keras` archives, `.weights.h5`, and the `.h5` files of whole models that older Keras wrote.
//!
//! In an archive and in `.weights.h5` a layer's arrays lie under the name of its class, counted in the order of the
//! layers (`layers/dense_1/vars/0`), never under its own name; in the older `.h5` they lie under the layer's name, and
//! the order alone says what they are. The archive is written in the form that Keras 3.1 to 3.15 open; what Keras does
//! not store (seed, epochs) goes to `metadata.json`, which Keras does not read.

use std::collections::HashMap;
use std::io::{Cursor, Read, Write};
use std::ops::Range;

use serde_json::{Value, json};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::hdf5::{self, Dataset, Fault, Group, Node, Tree};
use super::{Loaded, MOST_PARAMS, Place, fault, fill, keras_config, unsupported};
use crate::classes::snake_case;
use crate::model::{ArrayCount, Compiled, Sequential};
use crate::optimizers::{AnyOptimizer, LearningRate};
use crate::shape::Tuple;
use crate::{Real, Result as ModelResult};

type Result<T> = std::result::Result<T, Fault>;

/// Reads an archive.
pub fn read(bytes: &[u8]) -> Result<Loaded> {
    let mut archive = archive(bytes)?;
    let config = json(&member(&mut archive, "config.json", bytes.len())?)?;
    let metadata = member(&mut archive, "metadata.json", bytes.len()).and_then(|text| json(&text)).unwrap_or_default();
    let weights = member(&mut archive, "model.weights.h5", bytes.len())?;
    let (description, warnings) = keras_config::read(&config, None, metadata.get("tallynet")).map_err(unsupported)?;
    let mut loaded = Loaded::new(description.build(most(&weights)), warnings)?;
    let root = hdf5::open(&weights)?;
    let arrays = read_weights(&mut loaded.model, &root, &mut loaded.warnings)?;
    loaded.arrays = Some(arrays);
    let optimizer = root.group("optimizer/vars")?;
    let variables = optimizer.as_ref().map(|group| (0..).map_while(|i| group.dataset(&i.to_string()).transpose()));
    let variables = variables.into_iter().flatten().collect::<Result<Vec<_>>>()?;
    read_optimizer(&mut loaded, &variables)?;
    Ok(loaded)
}

/// Reads the description in a text.
pub fn read_json(bytes: &[u8]) -> Result<Loaded> {
    let (description, warnings) = keras_config::read(&json(bytes)?, None, None).map_err(unsupported)?;
    Loaded::new(description.build(MOST_PARAMS), warnings)
}

/// Reads a file of a whole model of the older form.
pub fn read_legacy(bytes: &[u8]) -> Result<Loaded> {
    let root = hdf5::open(bytes)?;
    let attribute = |name: &str| Ok(root.texts(name)?.and_then(|texts| texts.into_iter().next()));
    let Some(config) = attribute("model_config")? else {
        return Err(super::weights_alone());
    };
    let compile = attribute("training_config")?.map(|text| json(text.as_bytes())).transpose()?;
    let read = keras_config::read(&json(config.as_bytes())?, compile.as_ref(), None);
    let (description, warnings) = read.map_err(unsupported)?;
    let mut loaded = Loaded::new(description.build(most(bytes)), warnings)?;
    loaded.arrays = Some(read_weights(&mut loaded.model, &root, &mut loaded.warnings)?);
    if let Some(group) = root.group("optimizer_weights")? {
        // Keras 1 and 2 kept other variables, in another order.
        if attribute("keras_version")?.is_some_and(|version| version.starts_with('3')) {
            let variables = named(&group, "weight_names")?;
            read_optimizer(&mut loaded, &variables)?;
        } else {
            loaded.warnings.push("what the optimizer of this older Keras remembered is left out".to_string());
        }
    }
    Ok(loaded)
}

/// Reads the arrays of an archive or of an HDF5 file into a model.
pub fn read_into(model: &mut Sequential, bytes: &[u8], warnings: &mut Vec<String>) -> Result<Vec<ArrayCount>> {
    if !bytes.starts_with(b"PK") {
        return read_weights(model, &hdf5::open(bytes)?, warnings);
    }
    let weights = member(&mut archive(bytes)?, "model.weights.h5", bytes.len())?;
    read_weights(model, &hdf5::open(&weights)?, warnings)
}

/// Parameters that so many bytes may hold: chunks can be packed, but weights hardly get smaller by it.
fn most(bytes: &[u8]) -> usize {
    bytes.len().saturating_mul(8).saturating_add(1 << 20)
}

fn archive(bytes: &[u8]) -> Result<ZipArchive<Cursor<&[u8]>>> {
    ZipArchive::new(Cursor::new(bytes))
        .map_err(|error| fault(format!("the zip archive is damaged or cut off ({error})")))
}

/// A member's bytes, checked against their checksum. It is asked for by its whole name, so what other names the archive
/// holds does not matter, and cut off where it is too large for an archive of this size.
fn member(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str, archive_len: usize) -> Result<Vec<u8>> {
    let wrong = |error: &dyn std::fmt::Display| fault(format!("the archive's {name} cannot be read ({error})"));
    let most = archive_len as u64 * 8 + (1 << 22);
    let mut bytes = vec![];
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

/// Reads all arrays, and counts them as they lie in the file.
fn read_weights(model: &mut Sequential, root: &Group, warnings: &mut Vec<String>) -> Result<Vec<ArrayCount>> {
    let legacy = root.group("model_weights")?;
    if legacy.is_none() && root.texts("layer_names")?.is_none() {
        // TF-Keras 2.12 to 2.15 called it otherwise.
        let mut layers = root.group("layers")?;
        if layers.is_none() {
            layers = root.group("_layer_checkpoint_dependencies")?;
        }
        let layers = layers.ok_or_else(|| fault("it holds no group `layers`, so no weights of Keras".to_string()))?;
        let keys = keys(model);
        // One group at a time: those of many layers may all be one and the same, and large.
        let mut current = (usize::MAX, None);
        return fill(model, warnings, |place| {
            let key = keys.get(place.layer).map_or("", String::as_str);
            if current.0 != place.layer {
                current = (place.layer, layers.group(&format!("{key}/vars"))?);
            }
            let group = current.1.as_ref();
            let dataset =
                |number: usize| Ok(group.map(|group| group.dataset(&number.to_string())).transpose()?.flatten());
            if place.is_last && dataset(place.number + 1)?.is_some() {
                let found = format!("`/layers/{key}/vars` holds more arrays than {} needs", place.name);
                return Err(fault(found));
            }
            let missing =
                || fault(format!("the array {} is missing: `/layers/{key}/vars/{}`", place.name, place.number));
            array(&dataset(place.number)?.ok_or_else(missing)?, place)
        });
    }
    let root = legacy.as_ref().unwrap_or(root);
    let mut groups = vec![];
    for name in texts(root, "layer_names")? {
        let group = root.group(&name)?.ok_or_else(|| fault(format!("the group of the layer {name} is missing")))?;
        groups.push(named(&group, "weight_names")?);
    }
    groups.retain(|arrays| !arrays.is_empty());
    let mut with_weights: Vec<usize> = model.parameters.entries.iter().map(|entry| entry.layer).collect();
    with_weights.dedup();
    if groups.len() != with_weights.len() {
        let (found, needed) = (groups.len(), with_weights.len());
        return Err(fault(format!("{found} layers in the file have weights, and {needed} of the model's have")));
    }
    fill(model, warnings, |place| {
        let arrays = with_weights.binary_search(&place.layer).ok().and_then(|i| groups.get(i));
        match arrays.and_then(|arrays| arrays.get(place.number)) {
            Some(_) if place.is_last && arrays.is_some_and(|arrays| arrays.len() > place.number + 1) => {
                Err(fault(format!("the layer of {} has more arrays in the file than it needs", place.name)))
            }
            Some(dataset) => array(dataset, place),
            None => Err(fault(format!("the array {} is missing", place.name))),
        }
    })
}

/// An attribute of texts. Keras splits one that is too long into `name0`, `name1` and so on.
fn texts(group: &Group, name: &str) -> Result<Vec<String>> {
    if let Some(texts) = group.texts(name)? {
        return Ok(texts);
    }
    let parts = (0..).map_while(|part| group.texts(&format!("{name}{part}")).transpose());
    Ok(parts.collect::<Result<Vec<_>>>()?.concat())
}

/// The datasets that an attribute of a group names.
fn named<'a>(group: &Group<'a>, attribute: &str) -> Result<Vec<Dataset<'a>>> {
    let find = |path: String| group.dataset(&path)?.ok_or_else(|| fault(format!("the array {path} is missing")));
    texts(group, attribute)?.into_iter().map(find).collect()
}

/// The numbers of a dataset, if it has the shape that its place needs.
fn array(dataset: &Dataset, place: &Place) -> Result<Vec<Real>> {
    if dataset.shape() != place.shape {
        let (found, needed) = (Tuple(dataset.shape()), Tuple(place.shape));
        return Err(fault(format!("the array {} has the shape {found}, and the model needs {needed}", place.name)));
    }
    dataset.read_reals(place.shape.iter().product(), |number| number as Real)
}

/// Where Keras keeps what an optimizer remembers: which vector, and which stretch of it, in order.
fn slots(model: &Sequential, optimizer: &AnyOptimizer) -> Vec<(usize, Range<usize>, Vec<usize>)> {
    let n_slots = optimizer.slots().len();
    let pairs = match optimizer.class_name() {
        "Adam" | "AdamW" => n_slots.min(2),
        _ => 0,
    };
    let entries = model.parameters.entries.iter().filter(|entry| entry.spec.trainable);
    let place = |slot: usize, entry: &crate::params::Entry| (slot, entry.range.clone(), entry.spec.shape.clone());
    let paired = entries.clone().flat_map(|entry| (0..pairs).map(move |slot| place(slot, entry)));
    let rest = (pairs..n_slots).flat_map(|slot| entries.clone().map(move |entry| place(slot, entry)));
    paired.chain(rest).collect()
}

/// Whether the learning rate is one number, which Keras then keeps among the optimizer's variables.
fn has_fixed_rate(optimizer: &AnyOptimizer) -> bool {
    matches!(optimizer.learning_rate(), LearningRate::Constant(_))
}

/// Takes over what the optimizer remembered; where it remembered something else, it starts anew, as in Keras.
fn read_optimizer(loaded: &mut Loaded, variables: &[Dataset]) -> Result<()> {
    let Some(Compiled { optimizer: Some(optimizer), state, .. }) = &loaded.model.compiled else { return Ok(()) };
    if variables.is_empty() {
        return Ok(());
    }
    let (slots, first) = (slots(&loaded.model, optimizer), 1 + usize::from(has_fixed_rate(optimizer)));
    let mut state = state.clone();
    let scalar = |number: usize| variables.get(number).map(|variable| variable.read_reals(1, |x| x)).transpose();
    let scalar = |number: usize| Ok(scalar(number)?.and_then(|numbers: Vec<f64>| numbers.first().copied()));
    state.iteration = scalar(0)?.unwrap_or(0.0) as u64;
    let rate = if first == 2 { scalar(1)? } else { None };
    if let Some(problem) = rate.and_then(|rate| LearningRate::Constant(rate).problem()) {
        return Err(fault(format!("what the optimizer remembered is damaged: {problem}")));
    }
    // The variable has 32 bits; a rate that is known in 64 and rounds to it is the one that was meant.
    let rate = rate.filter(|&rate| rate as f32 != state.learning_rate as f32);
    state.learning_rate = rate.unwrap_or(state.learning_rate);
    let never_used = variables.len() == first && state.iteration == 0;
    if !never_used && variables.len() != first + slots.len() {
        let (found, needed) = (variables.len(), first + slots.len());
        loaded.warnings.push(format!(
            "the file has {found} variables of the optimizer, and {} keeps {needed}: it starts anew",
            optimizer.class_name()
        ));
        return Ok(());
    }
    for ((slot, range, shape), variable) in slots.into_iter().zip(variables.iter().skip(first)) {
        let place = Place { name: "of the optimizer", shape: &shape, layer: 0, number: 0, is_last: false };
        state.slots[slot][range].copy_from_slice(&array(variable, &place)?);
    }
    if let Some(compiled) = &mut loaded.model.compiled {
        compiled.state = state;
    }
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
    packed().map_err(|error| fault(error.to_string()))
}

/// The bytes of `model.weights.h5`, with what the optimizer remembers or without.
pub fn write_weights(model: &Sequential, with_optimizer: bool) -> Result<Vec<u8>> {
    let reals = |shape: &[usize], values: &[Real]| Node::Reals {
        shape: shape.to_vec(),
        data: values.iter().map(|&value| value as f32).collect(),
    };
    let group = |name: Option<String>, nodes: Vec<Node>| {
        let children = nodes.into_iter().enumerate().map(|(number, node)| (number.to_string(), node)).collect();
        let attributes = name.map(|name| ("name".to_string(), name)).into_iter().collect();
        Node::Tree(Tree { attributes, children })
    };
    let tree = |children: Vec<(String, Node)>| Tree { attributes: vec![], children: children.into_iter().collect() };
    let vars = |group: Node| Node::Tree(tree(vec![("vars".to_string(), group)]));
    let layers = keys(model).into_iter().enumerate().map(|(i, key)| {
        let arrays = model.parameters.of_layer(i);
        let arrays = arrays.map(|entry| reals(&entry.spec.shape, &model.parameters.values[entry.range.clone()]));
        (key, vars(group(Some(model.layers()[i].name()), arrays.collect())))
    });
    let layers = Node::Tree(tree(layers.collect()));
    let mut root = vec![("vars".to_string(), group(None, vec![])), ("layers".to_string(), layers)];
    if let Some(Compiled { optimizer: Some(optimizer), state, .. }) = model.compiled.as_ref().filter(|_| with_optimizer)
    {
        let mut variables = vec![Node::Integer(state.iteration as i64)];
        if has_fixed_rate(optimizer) {
            variables.push(reals(&[], &[state.learning_rate as Real]));
        }
        let slots = slots(model, optimizer).into_iter();
        variables.extend(slots.map(|(slot, range, shape)| reals(&shape, &state.slots[slot][range])));
        root.push(("optimizer".to_string(), vars(group(None, variables))));
    }
    hdf5::write(&tree(root))
}

impl Loaded {
    fn new(model: ModelResult<Sequential>, warnings: Vec<String>) -> Result<Loaded> {
        let model = model.map_err(|error| unsupported(error.to_string()))?;
        Ok(Loaded { model, arrays: None, warnings })
    }
}
