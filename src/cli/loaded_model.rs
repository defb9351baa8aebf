//! A model from a preset or a file, with the options of training that come with it.

use std::path::Path;

use tallynet::Real;
use tallynet::formats::ArrayCount;
use tallynet::formats::{self, Loaded};
use tallynet::model::{Sequential, presets};

use super::description::{DescribedModel, Supplied};
use super::plan::Plan;
use super::{Failure, Outcome, output};

/// A model from a preset or a file, with its training defaults.
pub struct LoadedModel {
    pub model: Sequential,
    pub batch_size: usize,
    pub epochs: usize,
    /// False for a preset.
    pub is_file: bool,
    /// True if the weights come from a file, false if they were drawn from the seed.
    pub has_weights: bool,
    /// Parameter arrays as they are in the file.
    pub arrays: Option<Vec<ArrayCount>>,
    /// Program and version that wrote the file, if it is not tallynet.
    pub origin: Option<String>,
    /// True if notices about a preset's data are not printed.
    pub is_quiet: bool,
    /// Options of training that come with a script or another description.
    pub plan: Plan,
    /// Paths of the layers in the file.
    pub layer_paths: formats::LayerPaths,
}

impl LoadedModel {
    /// Builds the preset of this name, or loads this file. Initial weights are drawn from the seed.
    pub fn open(name_or_file: &str, seed: Option<u64>) -> Result<LoadedModel, Failure> {
        LoadedModel::open_with(name_or_file, seed, &Supplied::default())
    }

    /// As [`LoadedModel::open`], with values for a script.
    pub fn open_with(
        name_or_file: &str,
        seed: Option<u64>,
        supplied: &Supplied,
    ) -> Result<LoadedModel, Failure> {
        let path = Path::new(name_or_file);
        match presets::named(name_or_file) {
            Ok(preset) => {
                supplied.refuse_set(name_or_file)?;
                Ok(LoadedModel {
                    model: preset.build(seed.unwrap_or(0))?,
                    batch_size: preset.batch_size,
                    epochs: preset.epochs,
                    is_file: false,
                    has_weights: false,
                    arrays: None,
                    origin: None,
                    is_quiet: false,
                    plan: Plan::default(),
                    layer_paths: formats::LayerPaths::default(),
                })
            }
            Err(_) if path.exists() => LoadedModel::from_file(path, seed, supplied),
            Err(error) => Err(Failure::usage(error)),
        }
    }

    fn from_file(
        path: &Path,
        seed: Option<u64>,
        supplied: &Supplied,
    ) -> Result<LoadedModel, Failure> {
        let DescribedModel { loaded, plan } = match supplied.open(path)? {
            Some(described) => described,
            None => DescribedModel { loaded: formats::load(path)?, plan: Plan::default() },
        };
        output::warnings(path, &loaded.warnings);
        let Loaded { mut model, arrays, layer_paths, origin, .. } = loaded;
        model.byte_scale = plan.byte_scale.map_or(model.byte_scale, |scale| Some(scale as Real));
        if let Some(seed) = seed {
            if arrays.is_none() {
                model = model.rebuilt(model.input_shape(), seed)?;
            }
            model.seed = seed;
        }
        Ok(LoadedModel {
            batch_size: plan.batch_size.or(model.batch_size).unwrap_or(32),
            epochs: plan.epochs.unwrap_or(1),
            is_file: true,
            has_weights: arrays.is_some() || model.count_params() == 0,
            arrays,
            origin: Some(origin.to_string()).filter(|_| !origin.is_empty()),
            is_quiet: false,
            plan,
            model,
            layer_paths,
        })
    }

    /// Fits the open axes of the model's input to samples in an array of this shape.
    pub fn fit_open_axes(&mut self, data: &[usize]) -> Outcome {
        if self.model.open_axes().is_empty() || data.is_empty() {
            return Ok(());
        }
        let mut sample = data[1..].to_vec();
        // Gray images may lack their axis of channels.
        if sample.len() + 1 == self.model.input_shape().dims().len() {
            sample.push(1);
        }
        self.model = self.model.clone().with_input_shape(&sample.into())?;
        Ok(())
    }

    /// Prints a notice about the data. It is always printed for a file, whose score depends on it.
    pub fn notice(&self, text: &str) {
        if self.is_file || !self.is_quiet {
            output::notice(text);
        }
    }

    /// Prints Keras's warnings about the layers and the loss.
    pub fn warn_about_layers(&self) {
        for warning in self.model.warnings() {
            output::notice(&format!("warning: {warning}"));
        }
    }

    /// Prints a warning if the weights were never trained.
    pub fn warn_if_untrained(&self, name: &str) {
        if !self.has_weights {
            output::notice(&format!("warning: {}", self.untrained_warning(name)));
        }
    }

    /// Warning about a model of this name or file that was never trained.
    pub fn untrained_warning(&self, name: &str) -> String {
        let seed = self.model.seed;
        format!("{name} holds no weights: the model is untrained, initialized from seed {seed}")
    }
}
