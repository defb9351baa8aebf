//! Callbacks of a Keras script. Those that are not known here are left out, with a notice.

use std::path::Path;

use serde_json::Value;
use tallynet::formats;
use tallynet::training::{
    CSVLogger, Callback, EarlyStopping, Mode, ModelCheckpoint, Monitor, ReduceLROnPlateau,
    TerminateOnNaN,
};

use super::output;

/// The callbacks of `{"class_name": …, "config": {…}}`, without the classes that flags replace.
pub fn callbacks(values: &[Value], replaced: &[&str], verbose: bool) -> Vec<Box<dyn Callback>> {
    let mut callbacks: Vec<Box<dyn Callback>> = vec![];
    for value in values {
        let class = value["class_name"].as_str().unwrap_or_default();
        if replaced.contains(&class) {
            continue;
        }
        match callback(class, &value["config"], verbose) {
            Ok(callback) => callbacks.push(callback),
            Err(reason) => output::notice(&format!("warning: {class} is left out: {reason}")),
        }
    }
    callbacks
}

fn callback(class: &str, config: &Value, verbose: bool) -> Result<Box<dyn Callback>, String> {
    let count = |name: &str| config[name].as_u64().and_then(|n| usize::try_from(n).ok());
    Ok(match class {
        "EarlyStopping" => Box::new(EarlyStopping {
            monitor: monitor(config, 0.0),
            patience: count("patience").unwrap_or(0),
            baseline: config["baseline"].as_f64(),
            restore_best_weights: config["restore_best_weights"].as_bool().unwrap_or(false),
            start_from_epoch: count("start_from_epoch").unwrap_or(0),
            verbose,
            ..EarlyStopping::default()
        }),
        "ReduceLROnPlateau" => {
            let default = ReduceLROnPlateau::default();
            Box::new(ReduceLROnPlateau {
                monitor: monitor(config, default.monitor.min_delta),
                factor: config["factor"].as_f64().unwrap_or(default.factor),
                patience: count("patience").unwrap_or(default.patience),
                cooldown: count("cooldown").unwrap_or(default.cooldown),
                min_lr: config["min_lr"].as_f64().unwrap_or(default.min_lr),
                verbose,
                ..default
            })
        }
        "ModelCheckpoint" => {
            let path = path(config, "filepath")?;
            if !formats::holds_weights(Path::new(path)) {
                return Err(format!("{path} is not written here; end it in .keras"));
            }
            formats::check_savable(Path::new(path)).map_err(|error| error.to_string())?;
            Box::new(ModelCheckpoint {
                monitor: monitor(config, 0.0),
                save_best_only: config["save_best_only"].as_bool().unwrap_or(false),
                verbose,
                ..ModelCheckpoint::new(path)
            })
        }
        "CSVLogger" => {
            let path = path(config, "filename")?;
            formats::check_writable(Path::new(path)).map_err(|error| error.to_string())?;
            let separator = config["separator"].as_str().and_then(|text| text.chars().next());
            Box::new(CSVLogger {
                separator: separator.unwrap_or(','),
                append: config["append"].as_bool().unwrap_or(false),
                ..CSVLogger::new(path)
            })
        }
        "TerminateOnNaN" => Box::new(TerminateOnNaN),
        _ => return Err("there is no such callback here".to_string()),
    })
}

fn path<'v>(config: &'v Value, option: &str) -> Result<&'v str, String> {
    config[option].as_str().ok_or_else(|| format!("{option} is missing"))
}

fn monitor(config: &Value, min_delta: f64) -> Monitor {
    Monitor {
        mode: match config["mode"].as_str() {
            Some("min") => Mode::Min,
            Some("max") => Mode::Max,
            _ => Mode::Auto,
        },
        // Keras 1 and 2 had `epsilon` for the plateau.
        min_delta: config["min_delta"].as_f64().unwrap_or(min_delta),
        ..Monitor::new(config["monitor"].as_str().unwrap_or("val_loss"))
    }
}
