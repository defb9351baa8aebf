//! Names, defaults and meanings that changed between versions of Keras: the one place that knows
//! them. The version is the one that the file states; see [`MajorVersion`].
//!
//! The rows come from files that Keras 1.2.2, 2.2.4, 2.11, 2.13, 2.15 and 3.15.1 wrote, and from
//! the documentation of Keras 1 and 2; the sources of all versions were not compared line by line.
//! Optimizers, initializers and layers whose defaults changed (Adadelta's learning rate of 1,
//! Nadam's of 0.002, an ε of 1e-8) need no row where a version writes these options into the file.

use serde_json::{Map, Value, json};

use super::values;
use crate::formats::Origin;

/// Major version of the Keras that wrote a file.
#[derive(Debug, Clone, Copy)]
pub struct MajorVersion {
    /// 1, 2 or 3.
    pub number: u32,
    /// True if the file does not state it.
    pub is_assumed: bool,
}

impl MajorVersion {
    /// Version that the origin states, or else the one whose form a description has: only Keras 3
    /// writes the module of every class into a file without a version.
    pub fn of(origin: &Origin, description: &Value) -> MajorVersion {
        if let Some(number) = origin.major_version() {
            return MajorVersion { number, is_assumed: false };
        }
        let layers = &description["config"]["layers"];
        let has_module = description.get("module").is_some() || layers[0].get("module").is_some();
        MajorVersion { number: if has_module { 3 } else { 2 }, is_assumed: true }
    }
}

/// An old name and its name in Keras 3.
struct Renamed {
    /// Class that has the option; empty for all, and for names of classes.
    class: &'static str,
    old: &'static str,
    new: &'static str,
}

const fn renamed(class: &'static str, old: &'static str, new: &'static str) -> Renamed {
    Renamed { class, old, new }
}

/// Names of classes. Keras also accepts the short ones, and writes the long ones.
const CLASSES: &[Renamed] = &[
    renamed("", "Convolution1D", "Conv1D"),
    renamed("", "Convolution2D", "Conv2D"),
    renamed("", "AtrousConvolution1D", "Conv1D"),
    renamed("", "AtrousConvolution2D", "Conv2D"),
    renamed("", "MaxPool1D", "MaxPooling1D"),
    renamed("", "MaxPool2D", "MaxPooling2D"),
    renamed("", "AvgPool1D", "AveragePooling1D"),
    renamed("", "AvgPool2D", "AveragePooling2D"),
    renamed("", "GlobalMaxPool1D", "GlobalMaxPooling1D"),
    renamed("", "GlobalMaxPool2D", "GlobalMaxPooling2D"),
    renamed("", "GlobalAvgPool1D", "GlobalAveragePooling1D"),
    renamed("", "GlobalAvgPool2D", "GlobalAveragePooling2D"),
    // TensorFlow 1.13 to 2.0.
    renamed("", "BatchNormalizationV1", "BatchNormalization"),
    renamed("", "BatchNormalizationV2", "BatchNormalization"),
    // On one device it is the same.
    renamed("", "SyncBatchNormalization", "BatchNormalization"),
    // `x` above θ, else 0.
    renamed("", "ThresholdedReLU", "ReLU"),
];

/// Names of options: those of one class, then those of all.
const OPTIONS: &[Renamed] = &[
    renamed("Embedding", "init", "embeddings_initializer"),
    renamed("Embedding", "W_regularizer", "embeddings_regularizer"),
    renamed("Embedding", "W_constraint", "embeddings_constraint"),
    renamed("PReLU", "init", "alpha_initializer"),
    renamed("ReLU", "theta", "threshold"),
    renamed("Reshape", "dims", "target_shape"),
    renamed("GaussianNoise", "sigma", "stddev"),
    renamed("", "output_dim", "units"),
    renamed("", "init", "kernel_initializer"),
    renamed("", "W_regularizer", "kernel_regularizer"),
    renamed("", "b_regularizer", "bias_regularizer"),
    renamed("", "W_constraint", "kernel_constraint"),
    renamed("", "b_constraint", "bias_constraint"),
    renamed("", "gamma_init", "gamma_initializer"),
    renamed("", "beta_init", "beta_initializer"),
    renamed("", "bias", "use_bias"),
    renamed("", "p", "rate"),
    renamed("", "nb_filter", "filters"),
    renamed("", "filter_length", "kernel_size"),
    renamed("", "border_mode", "padding"),
    renamed("", "subsample", "strides"),
    renamed("", "subsample_length", "strides"),
    renamed("", "pool_length", "pool_size"),
    renamed("", "stride", "strides"),
    renamed("", "atrous_rate", "dilation_rate"),
    renamed("", "dim_ordering", "data_format"),
    renamed("", "alpha", "negative_slope"),
    renamed("", "lr", "learning_rate"),
];

/// A default that old versions did not write into the file and that Keras 3 has changed.
struct Default {
    class: &'static str,
    option: &'static str,
    value: f64,
    /// First version with Keras 3's default.
    before: u32,
}

const DEFAULTS: &[Default] = &[
    // Keras 1 and 2 had no such option, and began with zeros. TensorFlow's Keras 2 writes it.
    Default { class: "Adagrad", option: "initial_accumulator_value", value: 0.0, before: 3 },
];

/// Initializers, in the spelling of classes.
const INITIALIZERS: &[Renamed] = &[
    renamed("", "Normal", "RandomNormal"),
    renamed("", "Uniform", "RandomUniform"),
    renamed("", "Zero", "Zeros"),
    renamed("", "One", "Ones"),
    renamed("", "OrthogonalInitializer", "Orthogonal"),
    renamed("", "WeightRegularizer", "L1L2"),
    renamed("", "L1L2Regularizer", "L1L2"),
];

fn current<'n>(table: &[Renamed], class: &str, name: &'n str) -> &'n str {
    let row = table.iter().find(|row| row.old == name && ["", class].contains(&row.class));
    row.map_or(name, |row| row.new)
}

/// Name of a class in Keras 3. TensorFlow 2.11 to 2.15 registered its optimizers as `Custom>Adam`.
pub fn class_name<'n>(role: &str, name: &'n str) -> &'n str {
    let name = match name.strip_prefix("Custom>") {
        Some(inner) if role == "optimizer" => inner,
        _ => name,
    };
    current(CLASSES, "", name)
}

/// Name in Keras 3 of an initializer or a regularizer.
pub fn initializer_name(name: &str) -> &str {
    current(INITIALIZERS, "", name)
}

/// Options of a class under the names of Keras 3. An option that the class has is not renamed, even
/// if it is an old name in another class.
pub fn options(
    class: &str,
    mut old: Map<String, Value>,
    known: &Value,
    major_version: MajorVersion,
) -> Map<String, Value> {
    if let (Some(rows), Some(columns)) = (old.remove("nb_row"), old.remove("nb_col")) {
        old.insert("kernel_size".to_string(), json!([rows, columns]));
    }
    let mut options = Map::new();
    for (key, value) in old {
        let name = if known.get(&key).is_some() { &key } else { current(OPTIONS, class, &key) };
        options.insert(name.to_string(), value);
    }
    for default in DEFAULTS {
        let is_old = default.class == class && major_version.number < default.before;
        if is_old && !options.contains_key(default.option) {
            options.insert(default.option.to_string(), json!(default.value));
        }
    }
    options
}

/// True for versions that choose `accuracy` by the loss: for a binary cross-entropy it is
/// `binary_accuracy`, whatever the shapes. TensorFlow chooses by shapes since its Keras 2.3.
pub fn accuracy_follows_loss(origin: &Origin) -> bool {
    let version = origin.keras_version.as_deref().unwrap_or_default();
    let is_2_3_without_tensorflow = version.starts_with("2.3.") && !version.ends_with("-tf");
    origin.is_tfjs() || origin.is_before_2(3) || is_2_3_without_tensorflow
}

/// The warning about `interpolation="bilinear"` in versions that place the pixels otherwise:
/// without half-pixel centers, and Theano by a transposed convolution.
pub fn bilinear_warning(origin: &Origin) -> Option<String> {
    let version = origin.keras_version.as_deref().unwrap_or_default();
    let is_tensorflow = version.ends_with("-tf");
    if !origin.is_tfjs() && !origin.is_theano() && !origin.is_before_2(3) {
        return None;
    }
    // TensorFlow 1.14 changed it without a new version of Keras.
    let differ = if is_tensorflow { "may differ" } else { "differ" };
    Some(format!(
        "predictions {differ} from those of {origin}, which wrote the file: its \
         interpolation='bilinear' placed the pixels otherwise than Keras since 2.3"
    ))
}

/// A layer in the place of an activation.
pub struct Part {
    /// Class and options, without a name.
    pub layer: Value,
    /// End of its name, after that of the layer whose activation it was.
    pub role: &'static str,
}

/// Layers that compute an activation that no layer here has as an option: the `hard_sigmoid` of
/// Keras 1 and 2, `min(max(0.2·x + 0.5, 0), 1)`, which is `min(max(x/6 + 0.5, 0), 1)` in Keras 3,
/// `relu6`, and a layer with options. None for all others.
pub fn layers_of_activation(activation: &Value, major_version: MajorVersion) -> Vec<Part> {
    match values::activation(activation) {
        Some("hard_sigmoid") if major_version.number < 3 => {
            let scale = json!({ "scale": 0.2, "offset": 0.5 });
            let scale = json!({ "class_name": "Rescaling", "config": scale });
            let clip = json!({ "class_name": "ReLU", "config": { "max_value": 1.0 } });
            return vec![Part { layer: scale, role: "scale" }, Part { layer: clip, role: "clip" }];
        }
        Some("relu6") => {
            let clip = json!({ "class_name": "ReLU", "config": { "max_value": 6.0 } });
            return vec![Part { layer: clip, role: "activation" }];
        }
        Some(_) => return vec![],
        None => {}
    }
    let classes = ["ELU", "LeakyReLU", "ReLU", "Softmax", "ThresholdedReLU"];
    let is_layer = activation["class_name"].as_str().is_some_and(|name| classes.contains(&name));
    if !is_layer || !activation["config"].is_object() {
        return vec![];
    }
    vec![Part { layer: activation.clone(), role: "activation" }]
}
