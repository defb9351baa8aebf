//! `tallynet models`.

use tallynet::model::recipes::{RECIPES, Task};

use super::{Outcome, output};

pub fn run() -> Outcome {
    let mut text = String::new();
    for recipe in RECIPES {
        let model = recipe.build(0)?;
        let compiled = model.compiled()?;
        let metrics: Vec<_> =
            compiled.metrics().iter().map(|metric| metric.name.as_str()).collect();
        let data = match recipe.task {
            Task::Mnist => "MNIST",
            Task::SyntheticRegression | Task::SyntheticPixels => {
                "--data FILE.npz, or else a small synthetic task"
            }
        };
        text += &format!("{}\n    {}\n    data: {data}\n", recipe.name, recipe.about);
        text += &format!(
            "    batch size {}, epochs {}, optimizer {} (learning rate {}), loss {}, metrics {}\n",
            recipe.batch_size,
            recipe.epochs,
            compiled.optimizer()?.class_name(),
            compiled.learning_rate(),
            compiled.loss().name(),
            metrics.join(", ")
        );
    }
    output::result(&text)
}
