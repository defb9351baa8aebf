//! Weights of models within a model.
//!
//! Their groups in the file are nested like the models. The layers are read as one chain, so the
//! arrays are copied to a file in which they lie as the weights of a chain do. The optimizer's
//! variables are in the same order in both.

use std::collections::HashMap;

use super::keras_config::Place;
use super::{Result, misfit};
use crate::classes::snake_case;
use crate::hdf5::{self, Group, Member, Object};
use crate::model::Sequential;
use crate::params::Entry;

/// The weights of a file with nested models as those of the chain `model`, whose layers are at
/// these places.
///
/// # Errors
/// Arrays that are missing or damaged.
pub fn flattened(model: &Sequential, places: &[Place], bytes: &[u8]) -> Result<Vec<u8>> {
    let root = hdf5::open(bytes)?;
    let legacy = root.group("model_weights")?;
    let mut layers = Group::default();
    for (layer, key) in keys(model).into_iter().enumerate() {
        let mut vars = Group::default();
        for (number, entry) in model.parameters.of_layer(layer).enumerate() {
            let name = model.full_name(entry);
            let place = &places[layer];
            let dataset = match &legacy {
                Some(group) => named(group, place, number, entry)?,
                None => root.dataset(&format!("{}/vars/{number}", place.path))?,
            };
            let Some(dataset) = dataset else {
                let problem = format!("the array {name} is missing: `{}`", place.path);
                return Err(misfit(&name, problem));
            };
            vars.members.insert(number.to_string(), copied(&dataset, entry.spec.count())?);
        }
        layers.members.insert(key, within("vars", vars));
    }
    let mut flat = Group::default();
    flat.members.insert("layers".to_string(), Member::Group(layers));
    if let Some(variables) = root.group("optimizer/vars")? {
        let limit = model.count_params().max(1);
        let vars = optimizer(&variables, limit)?;
        flat.members.insert("optimizer".to_string(), within("vars", vars));
    }
    Ok(hdf5::write(&flat)?)
}

/// A group with one group in it.
fn within(name: &str, inner: Group) -> Member {
    let mut group = Group::default();
    group.members.insert(name.to_string(), Member::Group(inner));
    Member::Group(group)
}

/// Keys of the layers in a chain: `dense`, `dense_1`.
fn keys(model: &Sequential) -> Vec<String> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut keys = vec![];
    for layer in model.layers() {
        let class = layer.spec.class_name();
        let count = counts.entry(class).or_default();
        let key = snake_case(class);
        keys.push(if *count == 0 { key } else { format!("{key}_{count}") });
        *count += 1;
    }
    keys
}

/// An array in an older `.h5` file: the one whose path names the layer and the array, such as
/// `dense_1/kernel:0`. The group of the outermost model holds the arrays of all models in it.
fn named<'a>(
    group: &Object<'a>,
    place: &Place,
    number: usize,
    entry: &Entry,
) -> Result<Option<Object<'a>>> {
    let Some(group) = group.group(&place.outermost)? else { return Ok(None) };
    let names = group.strings("weight_names")?.unwrap_or_default();
    let is_wanted = |name: &&String| {
        let parts: Vec<&str> = name.trim_end_matches(":0").split('/').collect();
        parts.last() == Some(&entry.spec.name) && parts.contains(&place.name.as_str())
    };
    let mut found = names.iter().find(is_wanted);
    if found.is_none() && place.outermost == place.name {
        found = names.get(number);
    }
    match found {
        Some(name) => Ok(group.dataset(name)?),
        None => Ok(None),
    }
}

/// The optimizer's variables. The first is the number of steps.
fn optimizer(variables: &Object, limit: usize) -> Result<Group> {
    let mut vars = Group::default();
    for name in variables.names() {
        let Some(dataset) = variables.dataset(name)? else { continue };
        let member = match name {
            "0" => Member::Integer(dataset.read_numbers(1, |n| n as i64)?.pop().unwrap_or(0)),
            _ => copied(&dataset, limit)?,
        };
        vars.members.insert(name.to_string(), member);
    }
    Ok(vars)
}

/// A copy of a dataset of at most `limit` numbers.
fn copied(dataset: &Object, limit: usize) -> Result<Member> {
    let values = dataset.read_numbers(limit, |number| number as f32)?;
    Ok(Member::Floats { shape: dataset.shape().to_vec(), values })
}
