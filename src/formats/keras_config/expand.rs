//! Changes to the chain of a description before its layers are read: layers for activations that no
//! layer here has as an option, names that occur once, and masks that have no effect.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::chain::{LayerPath, Link};
use super::{Reading, history, text, values};

/// Layers that pass a mask on and do not use it, in inference or in training.
const PASS_MASKS: &[&str] = &[
    "Activation",
    "ActivityRegularization",
    "AlphaDropout",
    "Dense",
    "Dropout",
    "ELU",
    "GaussianDropout",
    "GaussianNoise",
    "InputLayer",
    "LayerNormalization",
    "LeakyReLU",
    "Normalization",
    "PReLU",
    "ReLU",
    "Rescaling",
    "SpatialDropout1D",
    "SpatialDropout2D",
];

/// Layers that neither use a mask nor pass it on. A layer in neither list counts as one that uses
/// it, so that the model is refused rather than computed without its mask.
const END_MASKS: &[&str] = &[
    "AveragePooling1D",
    "AveragePooling2D",
    "Conv1D",
    "Conv2D",
    "Embedding",
    "Flatten",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "RepeatVector",
    "Reshape",
    "UpSampling2D",
    "ZeroPadding2D",
];

/// The chain with layers in the place of activations with options and of those that Keras 3 does
/// not have or computes otherwise, and with names that occur once.
pub fn expanded(mut links: Vec<Link>, reading: &mut Reading) -> Vec<Link> {
    drop_masks(&mut links);
    let mut names = Names::default();
    let mut expanded = vec![];
    let mut hard_sigmoids = vec![];
    for mut link in links {
        let own_name = names.rename(&mut link, reading);
        let config = &mut link.layer["config"];
        if values::activation(&config["activation"]) == Some("hard_sigmoid") {
            let class = || text(&link.layer, "class_name").to_string();
            hard_sigmoids.push(own_name.clone().unwrap_or_else(class));
        }
        let activation = &link.layer["config"]["activation"];
        let parts = history::layers_of_activation(activation, reading.major_version);
        if parts.is_empty() {
            expanded.push(link);
        } else {
            expanded.extend(split(link, parts, own_name.as_deref(), &mut names));
        }
    }
    if !hard_sigmoids.is_empty() {
        reading.warn_of_hard_sigmoid(&hard_sigmoids.join(", "));
    }
    expanded
}

/// A layer that is linear and the parts of its activation; an Activation becomes the parts alone.
fn split(
    mut link: Link,
    parts: Vec<history::Part>,
    own_name: Option<&str>,
    names: &mut Names,
) -> Vec<Link> {
    let is_activation = text(&link.layer, "class_name") == "Activation";
    let keeps_name = is_activation && parts.len() == 1;
    link.layer["config"]["activation"] = json!("linear");
    let mut links = if is_activation { vec![] } else { vec![link.clone()] };
    for history::Part { mut layer, role } in parts {
        layer["config"]["name"] = match own_name {
            Some(name) if keeps_name => json!(name),
            Some(name) => json!(names.unique(&[format!("{name}_{role}")])),
            None => Value::Null,
        };
        links.push(Link { layer, training: None, ..link.clone() });
    }
    links
}

/// Names that are taken.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    /// Last number that was appended to a name.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// Gives a layer a name that no layer before it has and that has no slash: its own, or the one
    /// with those of the models around it, or a numbered one. Returns the name.
    fn rename(&mut self, link: &mut Link, reading: &mut Reading) -> Option<String> {
        let LayerPath(members) = &link.layer_path;
        let own_name = link.layer_path.name();
        if own_name.is_empty() {
            return link.layer["config"]["name"].as_str().map(str::to_string);
        }
        let path: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
        let plain = own_name.replace('/', "_");
        let outermost = link.layer_path.outermost();
        let candidates = [
            plain.clone(),
            format!("{outermost}_{own_name}").replace('/', "_"),
            path.join("_").replace('/', "_"),
        ];
        let name = self.unique(&candidates);
        if plain != own_name {
            reading.warnings.push(format!(
                "the layer {own_name} is called {name} here: / separates a layer from its arrays"
            ));
        }
        link.layer["config"]["name"] = json!(name);
        Some(name)
    }

    /// The first of these names that is free, or the last one with a number; it is then taken.
    fn unique(&mut self, candidates: &[String]) -> String {
        for name in candidates {
            if self.taken.insert(name.clone()) {
                return name.clone();
            }
        }
        let last = candidates.last().map_or("", String::as_str);
        let number = self.numbers.entry(last.to_string()).or_insert(0);
        loop {
            *number += 1;
            let name = format!("{last}_{number}");
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// Class of a layer under its name in Keras 3.
fn class(link: &Link) -> &str {
    history::class_name("layer", text(&link.layer, "class_name"))
}

/// Turns off the `mask_zero` of every Embedding whose mask ends, as Keras 3 warns, at a layer that
/// does not support masks, before any layer uses it.
fn drop_masks(links: &mut [Link]) {
    for i in 0..links.len() {
        let config = &links[i].layer["config"];
        if text(&links[i].layer, "class_name") != "Embedding" || config["mask_zero"] != true {
            continue;
        }
        let mut later = links[i + 1..].iter().map(class);
        let end = later.find(|class| !PASS_MASKS.contains(class));
        if end.is_some_and(|class| END_MASKS.contains(&class)) {
            links[i].layer["config"]["mask_zero"] = json!(false);
        }
    }
}

impl Reading {
    fn warn_of_hard_sigmoid(&mut self, layers: &str) {
        let history::MajorVersion { number, is_assumed } = self.major_version;
        let meanings = "hard_sigmoid is 0.2·x + 0.5 in Keras 1 and 2, and x/6 + 0.5 in Keras 3";
        if is_assumed {
            self.warnings.push(format!(
                "{layers}: {meanings}; the file does not say which wrote it, and Keras {number} is \
                 assumed"
            ));
        }
        if number < 3 {
            self.warnings.push(format!(
                "{layers}: {meanings}; it is read as linear, then Rescaling(0.2, 0.5) and \
                 ReLU(max_value=1), which compute the same in both"
            ));
        }
    }
}
