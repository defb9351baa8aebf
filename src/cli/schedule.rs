//! The short text form of a learning-rate schedule: `exponential:decay_steps=1000,decay_rate=0.96`.

use serde_json::{Map, Value, json};
use tallynet::optimizers::LearningRate;

/// Reads a schedule; it starts at this rate where its text has no `initial_learning_rate`.
pub fn parse(text: &str, rate: f64) -> Result<LearningRate, String> {
    read(text, rate).map_err(|problem| {
        format!("--schedule {text}: {problem}; a good one is exponential:decay_steps=1000,decay_rate=0.96")
    })
}

fn read(text: &str, rate: f64) -> Result<LearningRate, String> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    // `inverse-time` is Keras's `InverseTimeDecay`.
    let capital = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => word.to_string(),
    };
    let words = if name == "piecewise" { "piecewise-constant" } else { name };
    let class = words.split('-').map(capital).collect::<String>() + "Decay";
    let mut config = Map::new();
    if class != "PiecewiseConstantDecay" {
        config.insert("initial_learning_rate".to_string(), json!(rate));
    }
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (key, words) = option.split_once('=').ok_or_else(|| format!("{option:?} is not of the form name=value"))?;
        let one = |word: &str| match (word.parse::<f64>(), word.parse::<bool>()) {
            (Ok(number), _) => Ok(json!(number)),
            (_, Ok(switch)) => Ok(json!(switch)),
            _ => Err(format!("{key} is {word:?}, which is no number")),
        };
        let value = match ["boundaries", "values"].contains(&key) {
            true => Value::Array(words.split('/').map(one).collect::<Result<_, _>>()?),
            false => one(words)?,
        };
        config.insert(key.to_string(), value);
    }
    let schedule = json!({ "class_name": class, "config": config });
    LearningRate::try_from(schedule).map_err(|error| error.to_string())
}
