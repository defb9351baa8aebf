//! The model that `summary` and `plot` describe: a preset, a file, a script or a notebook.

use std::path::PathBuf;

use clap::Args;
use tallynet::model::Sequential;

use super::description::Supplied;
use super::table::RoleFlags;
use super::{Failure, LoadedModel};

/// Name of a model, and the values that it does not give itself.
#[derive(Args)]
pub struct NamedModel {
    /// Preset (see `tallynet models`), saved file, Keras script or notebook
    #[arg(default_value = "mnist-softmax")]
    pub model: String,
    #[command(flatten)]
    supplied: Supplied,
    /// Data that give the shape of the input and the number of classes, where the model does not
    #[arg(long, value_name = "DIR|FILE.npz|FILE.csv")]
    pub data: Option<PathBuf>,
    #[command(flatten)]
    roles: RoleFlags,
}

impl NamedModel {
    /// Builds or loads the model.
    pub fn open(&self) -> Result<Sequential, Failure> {
        let supplied = self.supplied.with_data(self.data.as_deref(), false);
        let supplied = supplied.with_roles(self.roles.options(), None);
        Ok(LoadedModel::open_with(&self.model, None, &supplied)?.model)
    }
}
