//! Flags for the data, which are loaded and scaled as the model expects them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tallynet::Real;
use tallynet::datasets::{self, Dataset, Inputs, TrainTest, synthetic};
use tallynet::layers::AnyLayer;
use tallynet::model::Sequential;

use super::{Failure, LoadedModel};

/// Data and the scaling of their bytes.
#[derive(Args)]
pub struct Data {
    /// Folder with the four MNIST files (raw or .gz), or .npz file with x_train, y_train, x_test,
    /// y_test (`evaluate` needs only x_test and y_test) [default: $TALLYNET_DATA, else data/ in the
    /// current folder, else data/ in tallynet's source tree]
    #[arg(long, value_name = "DIR|FILE.npz")]
    data: Option<PathBuf>,
    #[command(flatten)]
    scale: Scale,
}

/// Scaling of byte inputs.
#[derive(Args)]
pub struct Scale {
    /// Scaling of byte inputs [default: as in training, for a saved file that records it; none for
    /// a model that begins with a Rescaling; else unit]
    #[arg(long, value_enum)]
    scale: Option<ByteScaling>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ByteScaling {
    /// Divide bytes by 255, into [0, 1]
    Unit,
    /// Keep bytes as numbers from 0 to 255, as Keras does
    None,
}

/// Factor of [`ByteScaling::Unit`].
const UNIT: Real = 1.0 / 255.0;

/// Source of the training and test data.
pub enum DataSource {
    /// A folder or a file.
    Path(PathBuf),
    /// A synthetic task, generated from a seed.
    Synthetic(fn(u64) -> TrainTest),
}

impl Data {
    /// The data named by the flag or the environment, else those that the model is made for.
    pub fn source(&self, model: &Sequential) -> Result<DataSource, Failure> {
        let is_named = self.data.is_some() || datasets::from_environment().is_some();
        match synthetic::matching(model.input_shape(), model.output_shape()) {
            Some(task) if !is_named => Ok(DataSource::Synthetic(task)),
            _ => Ok(DataSource::Path(datasets::find(self.data.as_deref())?)),
        }
    }

    /// Loads the training and the test set.
    pub fn load(&self, source: &DataSource, loaded: &LoadedModel) -> Result<TrainTest, Failure> {
        let mut data = match source {
            DataSource::Path(path) => datasets::load(path)?,
            DataSource::Synthetic(task) => synthetic(*task, loaded),
        };
        self.scale.apply(loaded, &mut [&mut data.train.x, &mut data.test.x]);
        Ok(data)
    }

    /// Loads only the test set.
    pub fn load_test(&self, loaded: &LoadedModel) -> Result<Dataset, Failure> {
        let mut test = match self.source(&loaded.model)? {
            DataSource::Path(path) => datasets::load_test(&path)?,
            DataSource::Synthetic(task) => synthetic(task, loaded).test,
        };
        self.scale.apply(loaded, &mut [&mut test.x]);
        Ok(test)
    }
}

fn synthetic(task: fn(u64) -> TrainTest, loaded: &LoadedModel) -> TrainTest {
    let text = "This model has no data set of its own: a small synthetic one is used \
                (--data FILE.npz for yours).";
    loaded.notice(text);
    task(0)
}

impl Scale {
    /// Sets the factor of all inputs that are bytes, and prints a notice unless it is 1.
    pub fn apply(&self, loaded: &LoadedModel, inputs: &mut [&mut Inputs]) {
        let factor = self.factor(&loaded.model);
        let has_bytes = inputs.iter().any(|inputs| inputs.byte_scale().is_some());
        if has_bytes && factor != 1.0 {
            let operation = if factor == UNIT {
                "divided by 255".to_string()
            } else {
                format!("multiplied by {factor}")
            };
            let text = format!(
                "Inputs are bytes; they are {operation} (--scale none takes them as they are)."
            );
            loaded.notice(&text);
        }
        for inputs in inputs {
            inputs.scale_bytes(factor);
        }
    }

    fn factor(&self, model: &Sequential) -> Real {
        let mut before_weights = model.layers().iter().take_while(|layer| layer.params.is_empty());
        let rescales = before_weights.any(|layer| matches!(layer.spec, AnyLayer::Rescaling(_)))
            || model.layers().first().is_some_and(|layer| {
                matches!(layer.spec, AnyLayer::Embedding(_) | AnyLayer::Normalization(_))
            });
        match (self.scale, model.byte_scale) {
            (Some(ByteScaling::Unit), _) => UNIT,
            (Some(ByteScaling::None), _) => 1.0,
            (None, Some(trained)) => trained,
            (None, None) if rescales => 1.0,
            (None, None) => UNIT,
        }
    }
}
