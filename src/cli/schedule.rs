//! The short text form of a learning-rate schedule: `exponential:decay_steps=1000,decay_rate=0.96`.

use serde_json::{Map, Value, json};
use tallynet::optimizers::LearningRate;

/// Reads a schedule. It starts at `rate`, or else at its own `initial_learning_rate`, or else at `default`.
pub fn parse(text: &str, rate: Option<f64>, default: f64) -> Result<LearningRate, String> {
    read(text, rate, default).map_err(|problem| {
        format!("--schedule {text}: {problem}; a good one is exponential:decay_steps=1000,decay_rate=0.96")
    })
}

fn read(text: &str, rate: Option<f64>, default: f64) -> Result<LearningRate, String> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let class = match name {
        "cosine" | "CosineDecay" => "CosineDecay",
        "exponential" | "ExponentialDecay" => "ExponentialDecay",
        "inverse-time" | "InverseTimeDecay" => "InverseTimeDecay",
        "piecewise" | "PiecewiseConstantDecay" => "PiecewiseConstantDecay",
        "polynomial" | "PolynomialDecay" => "PolynomialDecay",
        _ => {
            let names = "cosine, exponential, inverse-time, piecewise, polynomial";
            return Err(format!("there is no schedule {name:?}; there are {names}"));
        }
    };
    let mut config = Map::new();
    if class != "PiecewiseConstantDecay" {
        config.insert("initial_learning_rate".to_string(), json!(rate.unwrap_or(default)));
    } else if rate.is_some() {
        return Err("it has rates of its own, so --learning-rate would say nothing".to_string());
    }
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (key, words) = option.split_once('=').ok_or_else(|| format!("{option:?} is not of the form name=value"))?;
        let one = |word: &str| match (word.parse::<f64>(), word.parse::<bool>()) {
            (Ok(number), _) => Ok(json!(number)),
            (_, Ok(switch)) => Ok(json!(switch)),
            _ => Err(format!("{key} is {word:?}, which is neither a number nor true or false")),
        };
        let value = match ["boundaries", "values"].contains(&key) {
            true => Value::Array(words.split('/').map(one).collect::<Result<_, _>>()?),
            false => one(words)?,
        };
        if key == "initial_learning_rate" && rate.is_some() {
            return Err("--learning-rate and initial_learning_rate say the same; give one of them".to_string());
        }
        config.insert(key.to_string(), value);
    }
    let schedule = json!({ "class_name": class, "config": config });
    LearningRate::try_from(schedule).map_err(|error| error.to_string())
}
