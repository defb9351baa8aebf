//! `tallynet report`.

use std::path::{Path, PathBuf};

use clap::Args;
use tallynet::formats;
use tallynet::model::Sequential;
use tallynet::report::{ReportInput, TestSamples, TrainingLoss, report};
use tallynet::training::ranks;

use super::data::{Data, DataSource};
use super::description::Supplied;
use super::held_out::{TestData, has_held_out, own_data, recorded_data};
use super::{Failure, LoadedModel, Outcome, from_1, output};

/// Write a report of a saved model: one page of HTML that opens from disk and fetches nothing.
///
/// It shows scores, confusions and the worst mistakes on the test data, the curves of the training,
/// the arithmetic of the parameter counts with their proof, the weights as pictures, and, for a
/// model of small gray images, a canvas to draw on.
///
/// Without --data the model is evaluated on the data that its file says it was trained on; their
/// test set, or what was held out of them.
#[derive(Args)]
#[command(after_help = "Examples:
  tallynet train mnist-cnn --save cnn.keras --report cnn.html
  tallynet report cnn.keras -o cnn.html
  tallynet report iris.keras --data iris.csv -o iris.html")]
pub struct Report {
    /// Saved file, or preset (see `tallynet models`)
    file: String,
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    supplied: Supplied,
    /// File to write
    #[arg(short, long, value_name = "OUT.html", default_value = "report.html")]
    output: PathBuf,
    /// Maximum number of threads; the result does not depend on it [default: the machine's]
    #[arg(long, value_name = "N", value_parser = from_1())]
    threads: Option<usize>,
}

impl Report {
    /// Evaluates the model and writes the page.
    pub fn run(mut self) -> Outcome {
        let supplied = self.supplied.with_data(self.data.path(), true);
        let mut loaded = LoadedModel::open_with(&self.file, None, &supplied)?;
        loaded.model.n_threads = self.threads.unwrap_or(loaded.model.n_threads);
        loaded.warn_about_layers();
        self.check_output(&loaded.model)?;
        let mut warnings = warnings(&loaded.model);
        if !loaded.has_weights {
            warnings.push(loaded.untrained_warning(&self.file));
        }
        let test = self.test_samples(&mut loaded)?;
        if let Err(reason) = &test {
            output::notice(&format!("The page has no scores: {reason}"));
        }
        let training_loss = if test.is_ok() { self.training_loss(&loaded) } else { None };
        let test = match &test {
            Ok(test) => Ok(test_samples(test, &loaded.model, &self.data.source(&loaded.model)?)),
            Err(reason) => Err(reason.clone()),
        };
        write_page(
            &self.output,
            &ReportInput {
                name: self.file.clone(),
                model: &loaded.model,
                arrays: loaded.arrays.as_deref(),
                origin: loaded.origin.clone(),
                command: command(),
                test,
                training_loss,
                warnings,
            },
        )
    }

    /// Refuses a page that would overwrite the model or the data, or cannot be written.
    fn check_output(&self, model: &Sequential) -> Outcome {
        let mut files = vec![PathBuf::from(&self.file)];
        if let Ok(source) = self.data.source(model) {
            files.extend(source.files());
        }
        check_page("-o", &self.output, &files)
    }

    /// The samples to evaluate on, or the reason why there are none: without `--data` those that
    /// are found must be the model's.
    fn test_samples(
        &mut self,
        loaded: &mut LoadedModel,
    ) -> Result<Result<TestData, String>, Failure> {
        let recorded = recorded_data(&loaded.model).map(Path::to_path_buf);
        if self.data.path().is_none()
            && let Some(path) = recorded.as_ref().filter(|path| path.exists())
        {
            self.data.set_path(path.clone());
            return Ok(self.data.load_test(loaded).map_err(|failure| failure.message));
        }
        if self.data.is_named() {
            return self.data.load_test(loaded).map(Ok);
        }
        if let Some(path) = recorded {
            let path = path.display();
            let reason = format!("the data of its training, {path}, are not there; give --data");
            return Ok(Err(reason));
        }
        if own_data(&loaded.model).is_some() {
            return Ok(Err("the model was trained on data of its own; give --data".to_string()));
        }
        // MNIST's, or synthetic ones: a model of other samples is refused.
        let test = self.data.load_test(loaded);
        Ok(test.map_err(|_| "no test data were given with --data".to_string()))
    }

    /// Loss of the weights on the samples of the last training, if these are found.
    ///
    /// It is computed even if the logs have one of each epoch: the weights need not be those of the
    /// last epoch's end.
    fn training_loss(&self, loaded: &LoadedModel) -> Option<TrainingLoss> {
        let n_samples = loaded.model.record.runs.last()?.n_samples?;
        let train = self.data.load_train(loaded)?;
        if n_samples != train.len() {
            return None;
        }
        // Without a loss there is none to report.
        let scores = loaded.model.evaluate(&train).ok()?;
        Some(TrainingLoss { loss: scores.loss, n_samples })
    }
}

/// Names and source of the samples to evaluate on.
fn test_samples<'t>(
    test: &'t TestData,
    model: &Sequential,
    source: &DataSource,
) -> TestSamples<'t> {
    let samples = if test.names.rows.is_some() {
        "the held-out samples"
    } else if has_held_out(model) {
        // A table or a folder may hold samples that were trained on.
        "the samples"
    } else {
        "the test samples"
    };
    TestSamples {
        data: &test.data,
        names: test.names.clone(),
        source: source.words(samples),
        scores: None,
    }
}

/// Warnings about the model, and about a training that did not end.
pub fn warnings(model: &Sequential) -> Vec<String> {
    let mut warnings = model.warnings();
    if model.running_epoch.is_some() {
        warnings.push(format!(
            "training was interrupted at {}: the weights are of that moment, the curves end with \
             the epoch before",
            model.trained_until()
        ));
    }
    warnings
}

/// Words of this command.
pub fn command() -> Vec<String> {
    let mut words = vec!["tallynet".to_string()];
    words.extend(std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()));
    words
}

/// Refuses a page that would overwrite one of these files, or cannot be written.
pub fn check_page(flag: &str, path: &Path, files: &[PathBuf]) -> Outcome {
    output::refuse_overwriting(flag, path, files)?;
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if !["html", "htm"].iter().any(|known| extension == *known) {
        let path = path.display();
        return Err(Failure::usage(format!("{flag} {path}: it is a web page; end it in .html")));
    }
    Ok(formats::check_writable(path)?)
}

/// Makes the page and writes it.
pub fn write_page(path: &Path, input: &ReportInput) -> Outcome {
    let page = report(input)?;
    if !ranks::is_first() {
        return Ok(());
    }
    formats::replace(path, page.as_bytes())?;
    output::notice(&format!("Wrote {}", path.display()));
    Ok(())
}
