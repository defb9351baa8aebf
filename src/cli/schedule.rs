//! The short text form of a learning-rate schedule: `exponential:decay_steps=1000,decay_rate=0.96`.

use serde_json::{Map, Value, json};
use tallynet::optimizers::LearningRate;

/// The schedules, by their short names and Keras's, each with a good text.
const SCHEDULES: [(&str, &str, &str); 5] = [
    ("cosine", "CosineDecay", "cosine:decay_steps=5000"),
    ("exponential", "ExponentialDecay", "exponential:decay_steps=1000,decay_rate=0.96"),
    ("inverse-time", "InverseTimeDecay", "inverse-time:decay_steps=1000,decay_rate=0.5"),
    ("piecewise", "PiecewiseConstantDecay", "piecewise:boundaries=1000/5000,values=0.1/0.01/0.001"),
    ("polynomial", "PolynomialDecay", "polynomial:decay_steps=5000,end_learning_rate=0"),
];

/// Reads a schedule. It starts at `rate`, or else at its own `initial_learning_rate`, or else at
/// `default`.
pub fn parse(text: &str, rate: Option<f64>, default: f64) -> Result<LearningRate, String> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let Some((_, class, good)) =
        SCHEDULES.iter().find(|(short, class, _)| [*short, *class].contains(&name))
    else {
        let names = SCHEDULES.map(|(short, ..)| short).join(", ");
        let good = SCHEDULES[1].2;
        return Err(format!(
            "--schedule {text}: there is no schedule {name:?}; there are {names}; a good one is {good}"
        ));
    };
    read(class, options, rate, default)
        .map_err(|problem| format!("--schedule {text}: {problem}; a good one is {good}"))
}

fn read(
    class: &str,
    options: &str,
    rate: Option<f64>,
    default: f64,
) -> Result<LearningRate, String> {
    let mut config = Map::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let (key, words) = option
            .split_once('=')
            .ok_or_else(|| format!("{option:?} is not of the form name=value"))?;
        let one = |word: &str| match (word.parse::<f64>(), word.parse::<bool>()) {
            (Ok(number), _) if number.is_finite() => Ok(json!(number)),
            (_, Ok(switch)) => Ok(json!(switch)),
            _ => Err(format!(
                "{key} is {word:?}, which is neither a finite number nor true or false"
            )),
        };
        let value = match ["boundaries", "values"].contains(&key) {
            true => Value::Array(words.split('/').map(one).collect::<Result<_, _>>()?),
            false => one(words)?,
        };
        if config.insert(key.to_string(), value).is_some() {
            return Err(format!("{key} is given twice"));
        }
    }
    let start = "initial_learning_rate";
    match (class == "PiecewiseConstantDecay", rate, config.contains_key(start)) {
        (true, None, _) | (false, None, true) => {}
        (true, ..) => {
            return Err("it has rates of its own, so --learning-rate would say nothing".to_string());
        }
        (_, Some(_), true) => {
            return Err(format!("--learning-rate and {start} say the same; give one of them"));
        }
        (_, rate, false) => drop(config.insert(start.to_string(), json!(rate.unwrap_or(default)))),
    }
    LearningRate::try_from(json!({ "class_name": class, "config": config }))
        .map_err(|error| error.to_string())
}
