//! The text form of a learning-rate schedule: `exponential:decay_steps=1000,decay_rate=0.96`.

use serde_json::{Map, Value, json};
use tallynet::optimizers::LearningRate;
use tallynet::{Error, Result};

/// A schedule as the command line names it.
struct Entry {
    name: &'static str,
    /// Keras's class.
    class_name: &'static str,
    /// False if all its rates are given by its own options.
    has_initial_rate: bool,
    /// Example options.
    example: &'static str,
}

const SCHEDULES: [Entry; 5] = [
    entry("cosine", "CosineDecay", "decay_steps=5000"),
    entry("exponential", "ExponentialDecay", "decay_steps=1000,decay_rate=0.96"),
    entry("inverse-time", "InverseTimeDecay", "decay_steps=1000,decay_rate=0.5"),
    Entry {
        has_initial_rate: false,
        ..entry("piecewise", "PiecewiseConstantDecay", "boundaries=1000/5000,values=0.1/0.01/0.001")
    },
    entry("polynomial", "PolynomialDecay", "decay_steps=5000,end_learning_rate=0"),
];

const fn entry(name: &'static str, class_name: &'static str, example: &'static str) -> Entry {
    Entry { name, class_name, has_initial_rate: true, example }
}

/// The options that are lists, written `0.1/0.01/0.001`.
const LISTS: [&str; 2] = ["boundaries", "values"];

const INITIAL_RATE: &str = "initial_learning_rate";

/// Parses a schedule. Its initial learning rate is `learning_rate`, else its own option
/// `initial_learning_rate`, else `default`.
pub fn parse(text: &str, learning_rate: Option<f64>, default: f64) -> Result<LearningRate> {
    let (name, options) = text.split_once(':').unwrap_or((text, ""));
    let known = SCHEDULES.iter().find(|known| [known.name, known.class_name].contains(&name));
    let result = match known {
        Some(schedule) => schedule.learning_rate(options, learning_rate, default),
        None => {
            let names = SCHEDULES.map(|schedule| schedule.name).join(", ");
            Err(refusal(format!("there is no schedule {name:?}; there are {names}")))
        }
    };
    let Entry { name, example, .. } = known.unwrap_or(&SCHEDULES[1]);
    result.map_err(|error| {
        refusal(format!("--schedule {text}: {error}; an example is {name}:{example}"))
    })
}

fn refusal(problem: impl Into<String>) -> Error {
    Error::option("schedule", problem)
}

impl Entry {
    fn learning_rate(
        &self,
        options: &str,
        learning_rate: Option<f64>,
        default: f64,
    ) -> Result<LearningRate> {
        let mut config = parse_options(options)?;
        let has_own_rate = config.contains_key(INITIAL_RATE);
        if learning_rate.is_some() && !self.has_initial_rate {
            return Err(refusal("it has rates of its own, so --learning-rate has no effect"));
        }
        if learning_rate.is_some() && has_own_rate {
            let problem =
                "--learning-rate and initial_learning_rate are the same; give one of them";
            return Err(refusal(problem));
        }
        if self.has_initial_rate && !has_own_rate {
            config.insert(INITIAL_RATE.to_string(), json!(learning_rate.unwrap_or(default)));
        }
        LearningRate::try_from(json!({ "class_name": self.class_name, "config": config }))
            .map_err(|error| refusal(error.to_string()))
    }
}

/// Parses `decay_steps=1000,decay_rate=0.96`.
fn parse_options(options: &str) -> Result<Map<String, Value>> {
    let mut config = Map::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        let Some((key, text)) = option.split_once('=') else {
            return Err(refusal(format!("{option:?} is not of the form name=value")));
        };
        let value = if LISTS.contains(&key) {
            let numbers: Result<_> = text.split('/').map(|text| parse_value(key, text)).collect();
            Value::Array(numbers?)
        } else {
            parse_value(key, text)?
        };
        if config.insert(key.to_string(), value).is_some() {
            return Err(refusal(format!("{key} is given twice")));
        }
    }
    Ok(config)
}

/// Parses a finite number, `true` or `false`.
fn parse_value(key: &str, text: &str) -> Result<Value> {
    if let Ok(number) = text.parse::<f64>()
        && number.is_finite()
    {
        return Ok(json!(number));
    }
    if let Ok(switch) = text.parse::<bool>() {
        return Ok(json!(switch));
    }
    let problem = format!("{key} is {text:?}, which is neither a finite number nor true or false");
    Err(refusal(problem))
}
