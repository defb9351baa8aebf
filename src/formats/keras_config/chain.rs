//! The chain of layers of a model: a Sequential, nested models, and a Functional graph without
//! branches.

use std::collections::HashMap;

use serde_json::Value;

use super::text;
use crate::{Error, Result};

/// Largest number of layers of a model and its nested models.
const MAX_LAYERS: usize = 10_000;

/// A layer of the chain.
#[derive(Debug, Clone)]
pub struct Link {
    /// Class and options.
    pub layer: Value,
    /// Path in the file, by which its weights are found.
    pub layer_path: LayerPath,
    /// False if a model around the layer is frozen.
    pub trainable: bool,
    /// Argument `training` of the call in a graph, of the layer or of a model around it.
    pub training: Option<bool>,
}

/// Path of a layer in its model: the models around it, from the outermost on, and the layer.
#[derive(Debug, Clone)]
pub struct LayerPath(pub Vec<Member>);

/// A layer, or a model, in the list of layers of a model.
#[derive(Debug, Clone)]
pub struct Member {
    /// Position in the list.
    pub position: usize,
    /// Class in the file's spelling.
    pub class: String,
    /// Name of the layer or model.
    pub name: String,
}

impl LayerPath {
    /// Name of the layer.
    pub fn name(&self) -> &str {
        self.0.last().map_or("", |member| &member.name)
    }

    /// Name of the outermost model that is a layer, or else the layer's own.
    pub fn outermost(&self) -> &str {
        self.0.first().map_or("", |member| &member.name)
    }
}

/// Layers of a model, from input to output, those of nested models in their place.
///
/// # Errors
/// A class that is not a model of Keras, and a graph that is not a chain; the error names the first
/// branch.
pub fn links(model: &Value) -> Result<Vec<Link>> {
    let mut links = vec![];
    let outer = Outer { members: vec![], trainable: true, training: None };
    append(model, &outer, &mut links)?;
    Ok(links)
}

/// True if a class is a model.
fn is_model(class: &str) -> bool {
    ["Sequential", "Functional", "Model"].contains(&class)
}

/// The model around the layers.
struct Outer {
    /// Models from the outermost one that is a layer to this one.
    members: Vec<Member>,
    trainable: bool,
    /// Argument `training` of its call.
    training: Option<bool>,
}

/// Appends the layers of a model. The parser of JSON limits the depth of nested models.
fn append(model: &Value, outer: &Outer, links: &mut Vec<Link>) -> Result<()> {
    let class = text(model, "class_name");
    if !is_model(class) {
        let problem = format!(
            "the model is a {class:?}, and only a Sequential is read, or a Functional model that \
             is one chain of layers"
        );
        return Err(Error::option("class_name", problem));
    }
    // Keras 1 and 2.0 to 2.2 wrote the bare list of layers.
    let config = &model["config"];
    let Some(layers) = config.get("layers").unwrap_or(config).as_array() else {
        let problem = format!("the {class} model has no list of layers");
        return Err(Error::option("layers", problem));
    };
    if links.len() + layers.len() > MAX_LAYERS {
        let problem = format!("the model has more than {MAX_LAYERS} layers");
        return Err(Error::option("layers", problem));
    }
    let is_graph = config.get("input_layers").is_some() || class != "Sequential";
    let visits = if is_graph { in_order(config, layers)? } else { all_in_turn(layers) };
    for Visit { number, training } in visits {
        let layer = &layers[number];
        let class = text(layer, "class_name");
        if !layer.is_object() || !(layer["config"].is_object() || is_model(class)) {
            let problem = format!("layer {} has no class_name or no config", number + 1);
            return Err(Error::option("layers", problem));
        }
        let name = text(&layer["config"], "name").to_string();
        // A layer's own argument precedes that of the model around it.
        let training = training.or(outer.training);
        let mut members = outer.members.clone();
        members.push(Member { position: number, class: class.to_string(), name });
        if is_model(class) {
            let trainable = outer.trainable && layer["config"]["trainable"] != Value::Bool(false);
            append(layer, &Outer { members, trainable, training }, links)?;
            continue;
        }
        let layer_path = LayerPath(members);
        links.push(Link { layer: layer.clone(), layer_path, trainable: outer.trainable, training });
    }
    Ok(())
}

/// Index of a layer in its model's list, and the argument `training` of its call.
struct Visit {
    number: usize,
    training: Option<bool>,
}

fn all_in_turn(layers: &[Value]) -> Vec<Visit> {
    (0..layers.len()).map(|number| Visit { number, training: None }).collect()
}

/// A layer of a graph and the names of the layers whose outputs it takes, one list for each call.
struct Node<'v> {
    number: usize,
    layer: &'v Value,
    name: &'v str,
    calls: Vec<Vec<&'v str>>,
}

/// Layers of a graph from its input to its output.
fn in_order(config: &Value, layers: &[Value]) -> Result<Vec<Visit>> {
    let nodes = nodes(layers);
    let followers = followers(&nodes);
    let mut name = single(config, "input_layers")?;
    let output = single(config, "output_layers")?;
    let mut node = nodes.iter().find(|node| node.name == name);
    let mut visits: Vec<Visit> = vec![];
    while let Some(current) = node {
        if visits.len() == nodes.len() {
            return Err(no_chain(format!("the layer {name} takes its own output")));
        }
        let training = training(&current.layer["inbound_nodes"]);
        visits.push(Visit { number: current.number, training });
        name = current.name;
        let followers = followers.get(name).map(Vec::as_slice).unwrap_or_default();
        node = next(&nodes, current, followers)?;
    }
    if name != output {
        return Err(no_chain(format!("the output is not that of {name}, the last layer")));
    }
    Ok(visits)
}

fn nodes(layers: &[Value]) -> Vec<Node<'_>> {
    // Keras 3 adds the comparison with 0 that makes the mask of an Embedding; only it stands in
    // the argument `mask` of a later layer.
    let has_mask = |layer: &Value| layer["config"]["mask_zero"] == true;
    let is_masked = layers.iter().any(has_mask);
    let mut nodes = vec![];
    for (number, layer) in layers.iter().enumerate() {
        if is_masked && text(layer, "class_name") == "NotEqual" {
            continue;
        }
        let name = layer["name"].as_str().unwrap_or_else(|| text(&layer["config"], "name"));
        let calls = layer["inbound_nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let calls = calls.iter().map(|call| {
            let mut inputs = vec![];
            sources(call, is_masked, &mut inputs);
            inputs
        });
        nodes.push(Node { number, layer, name, calls: calls.collect() });
    }
    nodes
}

/// Indices of the nodes that take the output of a layer, by its name.
fn followers<'v>(nodes: &[Node<'v>]) -> HashMap<&'v str, Vec<usize>> {
    let mut followers: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, node) in nodes.iter().enumerate() {
        for input in node.calls.iter().flatten() {
            let indices = followers.entry(input).or_default();
            if indices.last() != Some(&index) {
                indices.push(index);
            }
        }
    }
    followers
}

/// The layer after `node`, if there is one.
fn next<'n, 'v>(
    nodes: &'n [Node<'v>],
    node: &Node,
    followers: &[usize],
) -> Result<Option<&'n Node<'v>>> {
    if let [first, second, ..] = *followers {
        let (first, second) = (nodes[first].name, nodes[second].name);
        return Err(no_chain(format!(
            "it branches after {}: {first} and {second} both take its output",
            node.name
        )));
    }
    let Some(&follower) = followers.first() else { return Ok(None) };
    let follower = &nodes[follower];
    let (name, class) = (follower.name, text(follower.layer, "class_name"));
    match follower.calls[..] {
        [ref inputs] if inputs.len() == 1 => Ok(Some(follower)),
        [ref inputs] => {
            let n = inputs.len();
            Err(no_chain(format!("{n} branches merge in {name} ({class})")))
        }
        _ => Err(no_chain(format!("the layer {name} ({class}) is used twice"))),
    }
}

/// Collects the names of the layers whose outputs a call takes, in the form of Keras 1 and 2,
/// `[["dense", 0, 0, {}]]`, and in that of Keras 3.
/// Masks are left out on request.
fn sources<'v>(call: &'v Value, without_masks: bool, found: &mut Vec<&'v str>) {
    match call {
        Value::Array(list) => match list.as_slice() {
            [Value::String(name), Value::Number(_), Value::Number(_), ..] => found.push(name),
            list => list.iter().for_each(|value| sources(value, without_masks, found)),
        },
        Value::Object(map) => {
            for (key, value) in map {
                if !(without_masks && key == "mask") {
                    sources(value, without_masks, found);
                }
            }
        }
        _ => {}
    }
}

/// Argument `training` of a layer's call.
fn training(calls: &Value) -> Option<bool> {
    match calls {
        Value::Array(list) => list.iter().find_map(training),
        Value::Object(map) => match map.get("training") {
            Some(Value::Bool(training)) => Some(*training),
            _ => map.values().find_map(training),
        },
        _ => None,
    }
}

/// Name of the only input or output layer of a graph.
fn single<'v>(config: &'v Value, key: &str) -> Result<&'v str> {
    let mut names = vec![];
    sources(&config[key], false, &mut names);
    match names[..] {
        [name] => Ok(name),
        _ => Err(no_chain(format!("it has {} {}", names.len(), key.replace('_', " ")))),
    }
}

fn no_chain(found: String) -> Error {
    let problem = format!(
        "the model is a graph, and only one chain of layers is read, from input to output: {found}"
    );
    Error::option("layers", problem)
}
