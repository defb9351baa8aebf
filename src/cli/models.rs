//! `tallynet models`.

use tallynet::model::recipes::{RECIPES, Task};

use super::{Outcome, output};

pub fn run() -> Outcome {
    let mut text = String::new();
    for preset in RECIPES {
        let model = preset.build(0)?;
        let compiled = model.compiled()?;
        let metrics: Vec<_> =
            compiled.metrics().iter().map(|metric| metric.name.as_str()).collect();
        let data = match preset.task {
            Task::Mnist => "MNIST",
            Task::MadeUpRegression | Task::MadeUpPixels => {
                "--data FILE.npz, or else a small synthetic task"
            }
        };
        text += &format!("{}\n    {}\n    data: {data}\n", preset.name, preset.about);
        text += &format!(
            "    batch size {}, epochs {}, optimizer {} (learning rate {}), loss {}, metrics {}\n",
            preset.batch_size,
            preset.epochs,
            compiled.optimizer()?.class_name(),
            compiled.learning_rate(),
            compiled.loss().name(),
            metrics.join(", ")
        );
    }
    output::result(&text)
}
