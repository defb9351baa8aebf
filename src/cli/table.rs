//! Tables as data: their flags, and the samples and the model that a table leads to.

use std::path::{Path, PathBuf};

use clap::Args;
use tallynet::datasets::table::{LearnedTable, Statistics, TableOptions, Task};
use tallynet::datasets::{DataDescription, Dataset, Inputs, Targets, TrainTest};
use tallynet::layers::AnyLayer;
use tallynet::losses::TargetForm;
use tallynet::model::Sequential;
use tallynet::shape::Shape;

use super::data::TrainingData;
use super::table_file::{encode, is_of_arrays, learn};
use super::{Failure, LoadedModel, held_out, output};

/// Mean size of targets from which on a new model takes long to learn them.
const LARGE: f64 = 1000.0;

/// Roles of a table's columns.
#[derive(Args)]
pub struct RoleFlags {
    /// Target column of a table; several with numbers are separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    target: Vec<String>,
    /// Columns of a table to ignore, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    ignore: Vec<String>,
}

impl RoleFlags {
    /// Roles of the columns, if the flags say that the data are a table.
    pub fn options(&self) -> Option<TableOptions> {
        if self.target.is_empty() {
            return None;
        }
        let (targets, ignored) = (self.target.clone(), self.ignore.clone());
        Some(TableOptions { targets, ignored, task: None })
    }

    /// The flags as they are given to a shell: ` --target price --ignore 'sales id'`.
    pub fn as_text(&self) -> String {
        let mut text = String::new();
        for (flag, names) in [("target", &self.target), ("ignore", &self.ignore)] {
            if !names.is_empty() {
                text += &format!(" --{flag} {}", output::quoted(&names.join(",")));
            }
        }
        text
    }
}

/// Roles of a table's columns, and the test set.
#[derive(Args)]
pub struct TableFlags {
    #[command(flatten)]
    pub roles: RoleFlags,
    /// Kind of target of a table: classification or regression [default: by the loss, else by the
    /// target's values]
    #[arg(long, value_name = "TASK")]
    task: Option<Task>,
    /// Table to evaluate on
    #[arg(long, value_name = "FILE", conflicts_with = "test_split")]
    test: Option<PathBuf>,
    /// Fraction of the training samples, drawn from --seed and by class, to evaluate on [default:
    /// the data's test set; without one, for tables and image folders, as in the training so far or
    /// in the script, else 0.2]
    #[arg(long, value_name = "F", allow_negative_numbers = true)]
    pub test_split: Option<f64>,
}

/// Description of the table that a model was trained on, if it was.
pub fn description(model: &Sequential) -> Option<&DataDescription> {
    model.data.as_ref().filter(|data| !data.columns.is_empty())
}

/// True if a file is a table, by its name.
pub fn is_named_as_table(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_of_table = matches!(extension.to_str(), Some("csv" | "tsv" | "tab" | "txt" | "data"));
    is_of_table && !path.is_dir()
}

/// True if a file is a table, by its name; or by what the model was trained on, unless it is named
/// as NumPy's files are.
pub fn is_table(path: &Path, model: &Sequential) -> bool {
    let may_be_table = description(model).is_some() && !path.is_dir() && !is_of_arrays(path);
    is_named_as_table(path) || may_be_table
}

/// Reads the targets and the inputs of a table to evaluate on.
pub fn load_test(path: &Path, loaded: &LoadedModel) -> Result<Dataset, Failure> {
    let description = trained_on(&loaded.model)?;
    let encoded = encode(path, description, loaded.is_quiet)?;
    let Some(y) = encoded.y else {
        let message = format!(
            "{}: there is no column {}, the target of the model",
            path.display(),
            description.targets.join(", ")
        );
        return Err(Failure { message, code: 1 });
    };
    Ok(Dataset { x: encoded.x, y })
}

/// Reads the inputs of a table to predict.
pub fn load_inputs(path: &Path, model: &Sequential) -> Result<Inputs, Failure> {
    let without_targets = DataDescription { targets: vec![], ..trained_on(model)?.clone() };
    Ok(encode(path, &without_targets, false)?.x)
}

/// Refuses images for a model that was trained on a table.
pub fn refuse_images(model: &Sequential) -> Result<(), Failure> {
    let Some(description) = description(model) else { return Ok(()) };
    let n_columns = description.columns.len();
    Err(Failure::usage(format!(
        "the model was trained on a table with {n_columns} columns, and this is an image or a \
         folder\n  give a table with the same columns"
    )))
}

fn trained_on(model: &Sequential) -> Result<&DataDescription, Failure> {
    description(model).ok_or_else(|| {
        let problem = "the model was not trained on a table, so it does not know its columns";
        Failure { message: format!("{problem}\n  train it with --data TABLE"), code: 1 }
    })
}

impl TableFlags {
    /// True if a flag says that the data are a table.
    pub fn name_a_table(&self) -> bool {
        !self.roles.target.is_empty()
    }

    /// Roles of the columns and the kind of target, if the flags say that the data are a table.
    pub fn options(&self) -> Option<TableOptions> {
        Some(TableOptions { task: self.task, ..self.roles.options()? })
    }

    /// Refuses flags that have no meaning for other data.
    pub fn refuse_without_table(&self) -> Result<(), Failure> {
        let is_given = !self.roles.ignore.is_empty() || self.task.is_some() || self.test.is_some();
        if is_given {
            let problem =
                "--ignore, --task and --test are for a table: name its target with --target";
            return Err(Failure::usage(problem));
        }
        Ok(())
    }

    /// Reads the training and the test set. A model without weights gets the table's description
    /// and a Normalization as its first layer. A model trained on a table keeps both, and this
    /// table is encoded by its description.
    pub fn load(&self, path: &Path, loaded: &mut LoadedModel) -> Result<TrainingData, Failure> {
        let is_trained = loaded.has_weights && description(&loaded.model).is_some();
        let data = if is_trained {
            self.check_target(&loaded.model)?;
            load_test(path, loaded)?
        } else {
            self.learn(path, loaded)?
        };
        let seed = loaded.model.seed;
        let data = match &self.test {
            Some(test) => {
                held_out::note_all(&data, seed, &mut loaded.model);
                TrainTest { train: data, test: load_test(test, loaded)? }.into()
            }
            None => held_out::draw(data, self.test_split, seed, loaded)?,
        };
        if !loaded.has_weights {
            let description = loaded.model.data.clone().unwrap_or_default();
            let statistics = Statistics::of(&data.sets.train.x, &description)?;
            loaded.model = loaded.model.clone().standardized(&statistics)?;
        }
        Ok(data)
    }

    /// Reads a table that decides what the model gets.
    fn learn(&self, path: &Path, loaded: &mut LoadedModel) -> Result<Dataset, Failure> {
        let by_loss = task_of(&loaded.model, self.roles.target.len());
        let options =
            TableOptions { task: self.task.or(by_loss), ..self.options().unwrap_or_default() };
        let LearnedTable { data, description, summary, warnings, .. } =
            learn(path, &options, loaded.is_quiet)?;
        let reason = match (self.task, by_loss) {
            (Some(_), _) => ", by --task",
            (None, Some(_)) => ", by the model's loss (--task overrides)",
            (None, None) => "",
        };
        loaded.notice(&format!("{}: {summary}{reason}", path.display()));
        for warning in warnings {
            output::notice(&format!("warning: {warning}"));
        }
        check_shapes(&loaded.model, &description)?;
        notice_of_large_targets(&data.y, &loaded.model);
        loaded.model.data = Some(description);
        Ok(data)
    }

    /// Refuses another target than the model was trained for.
    fn check_target(&self, model: &Sequential) -> Result<(), Failure> {
        let known = description(model).map(|data| &data.targets[..]).unwrap_or_default();
        if self.roles.target.is_empty() || self.roles.target == known {
            return Ok(());
        }
        let known = known.join(", ");
        Err(Failure::usage(format!("--target: the model was trained for the target {known}")))
    }
}

/// Kind of target that the model's loss takes, if it tells.
pub fn task_of(model: &Sequential, n_targets: usize) -> Option<Task> {
    let loss = model.compiled().ok()?.loss();
    if loss.is_of_classes() && n_targets == 1 {
        return Some(Task::Classification);
    }
    if loss.is_of_numbers() && model.output_shape().n_values() == n_targets {
        return Some(Task::Regression);
    }
    None
}

/// Warns about large targets, if the outputs are not scaled.
fn notice_of_large_targets(targets: &Targets, model: &Sequential) {
    let Targets::Reals(values) = targets else { return };
    let is_scaled =
        model.layers().last().is_some_and(|layer| matches!(layer.spec, AnyLayer::Rescaling(_)));
    let size = values.iter().map(|value| f64::from(value.abs())).sum::<f64>() / values.len() as f64;
    if size < LARGE || is_scaled {
        return;
    }
    let scale = 10f64.powf(size.log10().floor());
    output::notice(&format!(
        "warning: the targets are about {size:.0}, and a new model's outputs are about 1: training \
         takes long; end the model with Rescaling({scale}), as `tallynet new regression` does"
    ));
}

/// Checks the model's input against the features, and its output against the classes.
fn check_shapes(model: &Sequential, description: &DataDescription) -> Result<(), Failure> {
    let n_features = description.n_features();
    let features = Shape::from(&[n_features][..]);
    let input = model.input_shape();
    if input.squeezed() != features.squeezed() {
        let message = format!(
            "the table has {n_features} features, and the model takes {input}\n  give the model \
             the input shape ({n_features},), or ignore columns with --ignore"
        );
        return Err(Failure { message, code: 1 });
    }
    let (n_classes, n_outputs) = (description.classes.len(), model.output_shape().last());
    let n_targets = description.targets.len();
    let takes_labels = model
        .compiled()
        .is_ok_and(|compiled| compiled.loss().as_loss().target_form() == TargetForm::Labels);
    if n_classes == 0 && (n_outputs != n_targets || takes_labels) {
        let loss = match model.compiled() {
            Ok(compiled) => format!(" and the loss {}", compiled.loss().name()),
            Err(_) => String::new(),
        };
        let message = format!(
            "the target is a number (regression), and the model has {n_outputs} outputs{loss}\n  \
             for a regression end it with Dense({n_targets}), without an activation, and the loss \
             mse; for classes give --task classification"
        );
        return Err(Failure { message, code: 1 });
    }
    if n_classes > n_outputs.max(2) || (n_classes > 2 && n_outputs == 1) {
        let message = format!(
            "the target has {n_classes} classes, and the model has {n_outputs} outputs\n  give its \
             last layer {n_classes} units"
        );
        return Err(Failure { message, code: 1 });
    }
    Ok(())
}
