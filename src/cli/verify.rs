//! `tallynet verify`.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tallynet::formats::ArrayCount;
use tallynet::formats::{self, LoadedArrays, Origin};
use tallynet::model::{Sequential, presets};
use tallynet::report::multiply_add_table;

use super::description::Supplied;
use super::table::RoleFlags;
use super::{Failure, LoadedModel, Outcome, load, model_json, output};

/// Verify, by counting, the number of weights in a saved file and its multiply-adds.
///
/// The weights in the file are compared with the formulas and the summary. The multiply-adds that
/// the formulas state for one sample are counted in a run of the reference kernels, plain loops
/// that specify the fast ones: with all values and weights 1, each multiply-add adds 1 to the
/// output. Of a layer with tens of millions only one of many equal parts is run.
///
/// With a second file, each array of that file is verified against the layers of the model, by name
/// and shape: does this script fit these weights?
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet verify digits.safetensors
  tallynet verify model.keras
  tallynet verify model.keras --json | jq .verified
  tallynet verify model.py model.weights.h5
  tallynet verify model.py iris.keras --data iris.csv --target species")]
pub struct Verify {
    /// File written by `tallynet train --save` or by Keras, or a Keras script with WEIGHTS
    file: PathBuf,
    /// File of weights to verify against the model of FILE
    weights: Option<PathBuf>,
    #[command(flatten)]
    supplied: Supplied,
    /// Data that give the shape of the input and the number of classes, where a script does not
    #[arg(long, value_name = "DIR|FILE.npz|FILE.csv")]
    data: Option<PathBuf>,
    #[command(flatten)]
    roles: RoleFlags,
    /// Print one line of JSON: the counts of each layer, the fingerprint, and if all agree
    #[arg(long)]
    json: bool,
}

/// Refuses weights of a whole model with further arrays, which the model does not have.
fn refuse_more(file: &Path, weights: &Path, read: &[ArrayCount]) -> Outcome {
    let Ok(whole) = formats::load(weights) else { return Ok(()) };
    let arrays = whole.arrays.unwrap_or_default();
    let count = |arrays: &[ArrayCount]| arrays.iter().map(|array| array.counted).sum::<usize>();
    let (n_read, n_whole) = (count(read), count(&arrays));
    if n_whole <= n_read {
        return Ok(());
    }
    let is_read = |array: &ArrayCount| read.iter().any(|other| other.name == array.name);
    let mut names: Vec<&str> =
        arrays.iter().filter(|array| !is_read(array)).map(|array| &*array.name).collect();
    names.truncate(6);
    let (file, weights) = (file.display(), weights.display());
    let mut message = format!(
        "{weights} holds {} numbers more than the {n_read} of {file}: {}",
        n_whole - n_read,
        names.join(", ")
    );
    if names.iter().any(|name| name.starts_with("normalization")) {
        message += "\n  a training on a table puts a Normalization in front: begin the script's \
                    layers with layers.Normalization()";
    }
    Err(Failure { message, code: 1 })
}

impl Verify {
    /// Counts the parameters and prints the comparison.
    pub fn run(self) -> Outcome {
        let supplied = self.supplied.with_data(self.data.as_deref(), false);
        let supplied = supplied.with_roles(self.roles.options(), None);
        match &self.weights {
            Some(weights) => self.verify_weights(&supplied, weights),
            None => self.verify_file(&supplied),
        }
    }

    /// Compares a file of weights with the model of another file.
    fn verify_weights(&self, supplied: &Supplied, weights: &Path) -> Outcome {
        let name = self.file.to_string_lossy();
        let mut model = LoadedModel::open_with(&name, None, supplied)?.model;
        let LoadedArrays { arrays, warnings, surplus } =
            formats::load_weights(&mut model, weights)?;
        output::warnings(weights, &warnings);
        refuse_more(&self.file, weights, &arrays)?;
        if !surplus.is_empty() {
            let message = format!(
                "{} does not fit: the model of {} does not have {} of its arrays or layers",
                weights.display(),
                self.file.display(),
                surplus.len()
            );
            return Err(Failure { message, code: 1 });
        }
        self.print(&model, &arrays, &Origin::default())
    }

    /// Compares the weights of a file with its own model.
    fn verify_file(&self, supplied: &Supplied) -> Outcome {
        if let Some(name) = self.file.to_str()
            && presets::named(name).is_ok()
        {
            return Err(Failure::usage(format!(
                "{name} is a preset, not a saved file; train --save FILE writes one"
            )));
        }
        if let Some(described) = supplied.open(&self.file)? {
            let path = self.file.display();
            let count = described.loaded.model.count_params();
            return Err(Failure::usage(format!(
                "{path} describes a model with {count} parameters but holds no weights; pass the \
                 weights file too: tallynet verify {path} WEIGHTS"
            )));
        }
        let loaded = load(&self.file)?;
        let origin = &loaded.origin;
        let Some(arrays) = loaded.arrays else {
            let path = self.file.display();
            let mut message = format!(
                "{path}: this file holds the architecture only; it has no weights to count"
            );
            if !origin.is_empty() {
                message += &format!("\n  it was written by {origin}");
            }
            return Err(Failure { message, code: 1 });
        };
        self.print(&loaded.model, &arrays, origin)
    }

    /// Prints the comparison, as a table or in JSON. A disagreement is a failure.
    fn print(&self, model: &Sequential, arrays: &[ArrayCount], origin: &Origin) -> Outcome {
        let costs = model.count_multiply_adds()?;
        if self.json {
            let verification = model.verification(arrays);
            let mut line = model_json::verification(model, &verification, &costs);
            line["file"] = json!(self.file.display().to_string());
            line["weights"] = json!(self.weights.as_ref().map(|path| path.display().to_string()));
            if !origin.is_empty() {
                line["written_by"] = json!(origin.to_string());
            }
            output::result(&format!("{line}\n"))?;
            verification.check()?;
            for cost in &costs {
                cost.check()?;
            }
            return Ok(());
        }
        let mut text = String::new();
        if !origin.is_empty() {
            text = format!("Written by {origin}\n");
        }
        text += &format!("{}\n", model.verify_arrays(arrays)?);
        output::result(&format!("{text}\n{}\n", multiply_add_table(&costs)?))
    }
}
