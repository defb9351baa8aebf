//! `tallynet models`.

use tallynet::model::catalogue::RECIPES;

use super::{Outcome, output};

/// Lists the models that have a name.
pub fn run() -> Outcome {
    let mut text = String::new();
    for recipe in RECIPES {
        let model = recipe.build(0)?;
        let compiled = model.compiled()?;
        let rate = compiled.optimizer.learning_rate();
        text += &format!("{}\n    {}\n", recipe.name, recipe.about);
        text += &format!(
            "    data {}, batch size {}, epochs {}, optimizer {} (learning rate {rate}), loss {}, metrics {}\n",
            recipe.data,
            recipe.batch_size,
            recipe.epochs,
            compiled.optimizer.class_name(),
            compiled.loss.name(),
            compiled.metrics.join(", ")
        );
    }
    output::result(&text)
}
