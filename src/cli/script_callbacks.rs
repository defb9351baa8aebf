//! Callbacks of a Keras script. Unsupported ones are ignored, with a notice.

use std::path::Path;

use serde_json::Value;
use tallynet::formats;
use tallynet::training::{
    BackupAndRestore, BackupEvery, CSVLogger, Callback, EarlyStopping, Mode, ModelCheckpoint,
    Monitor, ReduceLROnPlateau, TerminateOnNaN,
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
            Err(reason) => output::notice(&format!("warning: {class} is ignored: {reason}")),
        }
    }
    callbacks
}

fn callback(class: &str, config: &Value, verbose: bool) -> Result<Box<dyn Callback>, String> {
    Ok(match class {
        "EarlyStopping" => Box::new(early_stopping(config, verbose)),
        "ReduceLROnPlateau" => Box::new(reduce_on_plateau(config, verbose)),
        "ModelCheckpoint" => Box::new(model_checkpoint(config, verbose)?),
        "BackupAndRestore" => Box::new(backup_and_restore(config, verbose)?),
        "CSVLogger" => Box::new(csv_logger(config)?),
        "TerminateOnNaN" => Box::new(TerminateOnNaN),
        _ => return Err("tallynet has no callback of this class".to_string()),
    })
}

fn early_stopping(config: &Value, verbose: bool) -> EarlyStopping {
    EarlyStopping {
        monitor: monitor(config, 0.0),
        patience: count(config, "patience").unwrap_or(0),
        baseline: config["baseline"].as_f64(),
        restore_best_weights: config["restore_best_weights"].as_bool().unwrap_or(false),
        start_from_epoch: count(config, "start_from_epoch").unwrap_or(0),
        verbose,
        ..EarlyStopping::default()
    }
}

fn reduce_on_plateau(config: &Value, verbose: bool) -> ReduceLROnPlateau {
    let default = ReduceLROnPlateau::default();
    ReduceLROnPlateau {
        monitor: monitor(config, default.monitor.min_delta),
        factor: config["factor"].as_f64().unwrap_or(default.factor),
        patience: count(config, "patience").unwrap_or(default.patience),
        cooldown: count(config, "cooldown").unwrap_or(default.cooldown),
        min_lr: config["min_lr"].as_f64().unwrap_or(default.min_lr),
        verbose,
        ..default
    }
}

fn model_checkpoint(config: &Value, verbose: bool) -> Result<ModelCheckpoint, String> {
    let path = path(config, "filepath")?;
    if !formats::holds_weights(Path::new(path)) {
        return Err(format!("{path} is not written here; end it in .keras"));
    }
    formats::check_savable(Path::new(path)).map_err(|error| error.to_string())?;
    Ok(ModelCheckpoint {
        monitor: monitor(config, 0.0),
        save_best_only: config["save_best_only"].as_bool().unwrap_or(false),
        verbose,
        ..ModelCheckpoint::new(path)
    })
}

fn backup_and_restore(config: &Value, verbose: bool) -> Result<BackupAndRestore, String> {
    Ok(BackupAndRestore {
        every: count(config, "save_freq").map_or(BackupEvery::Epoch, BackupEvery::Batches),
        delete_checkpoint: config["delete_checkpoint"].as_bool().unwrap_or(true),
        verbose,
        ..BackupAndRestore::new(path(config, "backup_dir")?)
    })
}

fn csv_logger(config: &Value) -> Result<CSVLogger, String> {
    let path = path(config, "filename")?;
    formats::check_writable(Path::new(path)).map_err(|error| error.to_string())?;
    let separator = config["separator"].as_str().and_then(|text| text.chars().next());
    Ok(CSVLogger {
        separator: separator.unwrap_or(','),
        append: config["append"].as_bool().unwrap_or(false),
        ..CSVLogger::new(path)
    })
}

fn count(config: &Value, option: &str) -> Option<usize> {
    usize::try_from(config[option].as_u64()?).ok()
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
        min_delta: config["min_delta"].as_f64().unwrap_or(min_delta),
        ..Monitor::new(config["monitor"].as_str().unwrap_or("val_loss"))
    }
}
