//! `tallynet doctor`.

mod load;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tallynet::datasets::doctor::{
    Effort, Examination, Finding, InputUse, Severity, Subject, examine, examine_files,
};
use tallynet::datasets::table::Task;
use tallynet::model::presets;
use tallynet::report;

use super::data::{DataSource, source};
use super::description::Supplied;
use super::images::ImageFlags;
use super::scale::Scale;
use super::table::RoleFlags;
use super::{Failure, LoadedModel, Outcome, output};
use load::{Loaded, of_failure};

/// Examine data before training: faults and oddities, each with its remedy.
///
/// It looks for web pages and broken files in place of data, NaN, unscaled inputs, constant and
/// repeated features, missing, rare and unbalanced classes, sorted samples, copies of samples
/// within and between the training and the test set, and features that are the target. With MODEL
/// it also looks for shapes, labels and targets that do not fit its output, its last activation or
/// its loss. The columns of a table may have any scale, since `train` standardizes them.
///
/// The exit code is 1 if there is a problem, and 0 for oddities and notes. With --json an error is
/// a finding too.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet doctor
  tallynet doctor digits.npz
  tallynet doctor digits.npz model.py
  tallynet doctor iris.csv --target species
  tallynet doctor houses.csv model.json --target price --test houses-test.csv
  tallynet doctor flowers/ flowers.keras --json")]
pub struct Doctor {
    /// Data, as `train --data` takes them: a table, a folder of images, the MNIST or CIFAR files,
    /// IDX or .npy files, or a .npz file [default: as for train]
    #[arg(value_name = "DATA")]
    data: Option<PathBuf>,
    /// Preset, Keras script or saved file that the data are for
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    #[command(flatten)]
    supplied: Supplied,
    #[command(flatten)]
    roles: RoleFlags,
    /// Kind of target of a table: classification or regression [default: by the model's loss, else
    /// by the target's values]
    #[arg(long, value_name = "TASK")]
    task: Option<Task>,
    /// Table of the test set
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    #[command(flatten)]
    images: ImageFlags,
    #[command(flatten)]
    scale: Scale,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Examines the data and prints the findings.
    pub fn run(mut self) -> Outcome {
        self.take_preset_without_data();
        let mut loaded = self.open_model();
        let model = loaded.as_ref().and_then(|loaded| loaded.as_ref().ok());
        let source = match source(self.data.as_deref(), model.map(|loaded| &loaded.model)) {
            Ok(source) => source,
            Err(failure) => return self.refuse(Examination::default(), "data", failure),
        };
        let mut examination = match &source {
            DataSource::Path(path) => of_files(examine_files(path)),
            DataSource::Synthetic(_) => Examination::default(),
        };
        let model = loaded.as_mut().and_then(|loaded| loaded.as_mut().ok());
        match self.load(&source, model) {
            Ok(data) => {
                let model = match loaded.transpose() {
                    Ok(model) => model,
                    Err(failure) => return self.refuse(examination, "model", failure),
                };
                let found = match self.examine(&data, model.as_ref()) {
                    Ok(found) => found,
                    Err(failure) => return self.refuse(examination, "data", failure),
                };
                examination.checked.extend(found.checked);
                examination.step = found.step;
                examination.add(found.findings);
                self.print(&examination, &source, Some(&data))
            }
            Err(failure) => {
                if failure.code == 2 {
                    return self.refuse(examination, "command line", failure);
                }
                if examination.findings.is_empty() {
                    examination.add([of_failure(Severity::Problem, "unreadable", &failure)]);
                }
                self.print(&examination, &source, None)
            }
        }
    }

    /// Takes a single argument that names a preset as the model, and the default data.
    fn take_preset_without_data(&mut self) {
        let Some(name) = self.data.as_ref().and_then(|path| path.to_str()) else { return };
        let is_preset = presets::named(name).is_ok() && !PathBuf::from(name).exists();
        if self.model.is_none() && is_preset {
            self.model = Some(name.to_string());
            self.data = None;
        }
    }

    /// Opens the model, if one is named.
    fn open_model(&self) -> Option<Result<LoadedModel, Failure>> {
        let name = self.model.as_ref()?;
        let supplied = self.supplied.with_data(self.data.as_deref(), true).quiet(true);
        let options = self.roles.options();
        let supplied = supplied.with_roles(options, self.images.image_size);
        Some(LoadedModel::open_with(name, None, &supplied).map(|mut loaded| {
            loaded.is_quiet = true;
            loaded
        }))
    }

    /// Examines the data, with the model if there is one.
    fn examine(&self, data: &Loaded, model: Option<&LoadedModel>) -> Result<Examination, Failure> {
        let is_table = !data.description.columns.is_empty();
        let has_weights = model.is_some_and(|loaded| loaded.has_weights);
        let inputs = if is_table && !has_weights {
            // `train` puts a Normalization in front.
            InputUse::Normalized
        } else {
            InputUse::Numbers { scale: 1.0, offset: 0.0 }
        };
        let subject = Subject {
            validation: data.validation.as_ref(),
            test: data.test.as_ref(),
            description: Some(&data.description),
            inputs,
            effort: Effort::Thorough,
            ..Subject::new(&data.train)
        };
        let mut examination = match model {
            Some(loaded) => loaded.model.examine(&subject)?,
            None => examine(&subject)?,
        };
        examination.add(data.findings.clone());
        Ok(examination)
    }

    /// Ends with an error; the line of JSON has it, and what was found before.
    fn refuse(&self, mut examination: Examination, place: &str, failure: Failure) -> Outcome {
        if self.json {
            let finding = of_failure(Severity::Problem, "unreadable", &failure);
            examination.add([Finding { place: place.to_string(), ..finding }]);
            let name = self.data.as_ref().map(|path| path.display().to_string());
            self.print_json(name, None, &examination)?;
        }
        Err(failure)
    }

    /// Prints a line of JSON.
    fn print_json(
        &self,
        data: Option<String>,
        n_samples: Option<usize>,
        examination: &Examination,
    ) -> Outcome {
        let line = json!({
            "data": data,
            "model": self.model,
            "samples": n_samples,
            "sampled": examination.step > 1,
            "checked": examination.checked,
            "findings": examination.findings,
        });
        output::result(&format!("{line}\n"))
    }

    /// Prints the findings; a problem is exit code 1.
    fn print(
        &self,
        examination: &Examination,
        source: &DataSource,
        data: Option<&Loaded>,
    ) -> Outcome {
        let name = source.to_string();
        let heading = match data {
            Some(data) => format!("{name}: {}", data.describe()),
            None => format!("{name}: cannot be used as it is"),
        };
        if self.json {
            self.print_json(Some(name), data.map(|data| data.train.len()), examination)?;
        } else {
            let mut text = format!("{heading}\n{}", report::findings(examination));
            if data.is_none() {
                text += "Other checks were not made: correct this first.\n";
            }
            output::result(&text)?;
        }
        if examination.count(Severity::Problem) > 0 {
            // The findings are the message.
            return Err(Failure { message: String::new(), code: 1 });
        }
        Ok(())
    }
}

/// Findings about files.
fn of_files(findings: Vec<Finding>) -> Examination {
    let mut examination = Examination { checked: vec!["files"], step: 1, ..Default::default() };
    examination.add(findings);
    examination
}
