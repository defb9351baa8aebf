//! Names of positional arguments, and other names of classes. Options by name pass as they are:
//! `formats::keras_config` reads those of all versions of Keras.

/// Names of options that only Keras 1 has.
pub const KERAS_1: &[&str] = &[
    "W_regularizer",
    "b_regularizer",
    "border_mode",
    "init",
    "nb_col",
    "nb_filter",
    "nb_row",
    "subsample",
];

/// Names of the first positional arguments of a class or function.
pub fn positional(class: &str) -> &'static [&'static str] {
    match class {
        "Dense" => &["units", "activation", "use_bias", "kernel_initializer", "bias_initializer"],
        "Convolution2D" => &["filters", "nb_row", "nb_col"],
        "Convolution1D" => &["filters", "filter_length"],
        "Conv1D" | "Conv2D" | "SeparableConv2D" | "Conv2DTranspose" => {
            &["filters", "kernel_size", "strides", "padding"]
        }
        "DepthwiseConv2D" => &["kernel_size", "strides", "padding"],
        "MaxPooling1D" | "MaxPooling2D" | "AveragePooling1D" | "AveragePooling2D" => {
            &["pool_size", "strides", "padding"]
        }
        "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" => &["rate"],
        "Activation" => &["activation"],
        "Reshape" => &["target_shape"],
        "ZeroPadding1D" | "ZeroPadding2D" => &["padding"],
        "UpSampling2D" => &["size"],
        "Cropping2D" => &["cropping"],
        "BatchNormalization" => &["axis", "momentum", "epsilon"],
        "LeakyReLU" => &["negative_slope"],
        "ELU" => &["alpha"],
        "ReLU" => &["max_value", "negative_slope", "threshold"],
        "Softmax" | "Normalization" => &["axis"],
        "Rescaling" => &["scale", "offset"],
        "GaussianNoise" | "GaussianDropout" => &["stddev"],
        "Embedding" => &["input_dim", "output_dim"],
        "LSTM" | "GRU" | "SimpleRNN" => &["units", "activation"],
        "RepeatVector" => &["n"],
        "Permute" => &["dims"],
        "TimeDistributed" | "Bidirectional" => &["layer"],
        "Lambda" => &["function"],
        "Input" => &["shape", "batch_size"],
        "InputLayer" => &["shape"],
        _ => of_training(class),
    }
}

/// As [`positional`], for the arguments of `compile` and `fit`.
fn of_training(class: &str) -> &'static [&'static str] {
    match class {
        "SGD" => &["learning_rate", "momentum", "nesterov"],
        "RMSprop" => &["learning_rate", "rho"],
        "Adadelta" => &["learning_rate", "rho"],
        "Adam" | "Adamax" | "Nadam" => &["learning_rate", "beta_1", "beta_2", "epsilon"],
        "AdamW" => &["learning_rate", "weight_decay"],
        "Adagrad" => &["learning_rate"],
        "ExponentialDecay" | "InverseTimeDecay" => {
            &["initial_learning_rate", "decay_steps", "decay_rate", "staircase"]
        }
        "PolynomialDecay" => {
            &["initial_learning_rate", "decay_steps", "end_learning_rate", "power"]
        }
        "PiecewiseConstantDecay" => &["boundaries", "values"],
        "CosineDecay" => &["initial_learning_rate", "decay_steps", "alpha"],
        "L1" | "l1" => &["l1"],
        "L2" | "l2" => &["l2"],
        "L1L2" | "l1_l2" | "l1l2" | "WeightRegularizer" => &["l1", "l2"],
        "MaxNorm" | "max_norm" | "maxnorm" => &["max_value", "axis"],
        "RandomNormal" | "TruncatedNormal" | "random_normal" => &["mean", "stddev", "seed"],
        "RandomUniform" | "random_uniform" => &["minval", "maxval", "seed"],
        "Constant" | "constant" => &["value"],
        "Huber" => &["delta"],
        "compile" => &["optimizer", "loss", "metrics"],
        _ => of_fit(class),
    }
}

/// As [`positional`], for `fit` and its callbacks.
fn of_fit(class: &str) -> &'static [&'static str] {
    match class {
        "EarlyStopping" => &["monitor", "min_delta", "patience", "verbose", "mode"],
        "ReduceLROnPlateau" => &["monitor", "factor", "patience", "verbose", "mode"],
        "ModelCheckpoint" => &["filepath", "monitor", "verbose", "save_best_only"],
        "BackupAndRestore" => &["backup_dir", "save_freq"],
        "CSVLogger" => &["filename", "separator", "append"],
        "fit" => &[
            "x",
            "y",
            "batch_size",
            "epochs",
            "verbose",
            "callbacks",
            "validation_split",
            "validation_data",
            "shuffle",
        ],
        _ => &[],
    }
}

/// Name of a class in Keras's files, for one of the names that a script may use.
pub fn class_name(name: &str) -> &str {
    match name {
        "Convolution1D" => "Conv1D",
        "Convolution2D" => "Conv2D",
        "MaxPool1D" => "MaxPooling1D",
        "MaxPool2D" => "MaxPooling2D",
        "AvgPool1D" => "AveragePooling1D",
        "AvgPool2D" => "AveragePooling2D",
        "GlobalMaxPool1D" => "GlobalMaxPooling1D",
        "GlobalMaxPool2D" => "GlobalMaxPooling2D",
        "GlobalAvgPool1D" => "GlobalAveragePooling1D",
        "GlobalAvgPool2D" => "GlobalAveragePooling2D",
        "l1" => "L1",
        "l2" => "L2",
        "l1_l2" | "l1l2" => "L1L2",
        "max_norm" | "maxnorm" => "MaxNorm",
        name => name,
    }
}

/// Name of an option in Keras's files, for one that only constructors take.
pub fn option_name<'n>(class: &str, name: &'n str) -> &'n str {
    match (class, name) {
        ("L1", "l") => "l1",
        ("L2", "l") => "l2",
        ("MaxNorm", "m") => "max_value",
        (_, "nb_epoch") => "epochs",
        (_, name) => name,
    }
}
