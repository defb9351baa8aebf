//! Outputs of a training: checks before it, and the saved model after it.

use std::env;
use std::path::{Path, PathBuf};

use tallynet::formats::{self, WriteLock};
use tallynet::model::Sequential;

use super::super::data::DataSource;
use super::super::{Failure, Outcome, output, report};
use super::{Train, resume::goes_on};

impl Train {
    /// Refuses outputs that cannot be written, or that would overwrite another file, before
    /// training starts, and locks them against other runs.
    pub(super) fn check_outputs(
        &self,
        source: &DataSource,
        model: &Sequential,
    ) -> Result<Vec<WriteLock>, Failure> {
        if let Some(fraction) = self.validation_split
            && !(fraction > 0.0 && fraction < 1.0)
        {
            return Err(Failure::usage("--validation-split is between 0 and 1, such as 0.1"));
        }
        let mut files = source.files();
        let checkpoint = self.checkpoint.as_ref().map(PathBuf::from);
        let mut locks = vec![];
        let models = [("--save", &self.save), ("--checkpoint", &checkpoint)];
        for (flag, path) in models {
            if let Some(path) = path {
                output::refuse_overwriting(flag, path, &files)?;
                self.keep_model(flag, path)?;
                formats::check_savable(path)?;
                locks.extend(WriteLock::new(path)?);
                files.push(path.clone());
            }
        }
        if let Some(path) = &self.csv {
            files.push(PathBuf::from(&self.model));
            output::refuse_overwriting("--csv", path, &files)?;
            formats::check_writable(path)?;
            locks.extend(WriteLock::new(path)?);
            if !self.has_backup() {
                check_log(path, model)?;
            }
        }
        refuse_weightless(checkpoint.as_deref())?;
        if let Some(path) = &self.report {
            files.push(PathBuf::from(&self.model));
            report::check_page("--report", path, &files)?;
        }
        Ok(locks)
    }

    /// With `--backup`, refuses to overwrite the model that the training starts from: the same
    /// command must find it again.
    fn keep_model(&self, flag: &str, path: &Path) -> Outcome {
        if self.backup.is_none() {
            return Ok(());
        }
        output::refuse_overwriting(flag, path, &[PathBuf::from(&self.model)]).map_err(|_| {
            Failure::usage(format!(
                "{flag} {} is the model that this training starts from; with --backup the same \
                 command must find it again, so name another file",
                path.display()
            ))
        })
    }

    /// Saves the model as `--save` says. If that fails, it is kept beside that file or in the
    /// folder for temporary files; the error says where.
    pub(super) fn save(&self, model: &Sequential) -> Outcome {
        let Some(path) = &self.save else { return Ok(()) };
        let Err(error) = formats::save(model, path) else { return Ok(()) };
        let beside = path.parent().map(Path::to_path_buf).unwrap_or_default();
        for folder in [beside, env::temp_dir()] {
            let kept = unused_path(&folder, path);
            if formats::save(model, &kept).is_ok() {
                let kept = kept.display();
                let message = format!("{error}\n  the trained model is kept in {kept}");
                return Err(Failure { message, code: 1 });
            }
        }
        let folder = env::temp_dir();
        let message =
            format!("{error}\n  the model could not be kept in {} either", folder.display());
        Err(Failure { message, code: 1 })
    }
}

/// Path in this folder, of a file that does not exist, for a model that was to be saved as `path`.
fn unused_path(folder: &Path, path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut unused = folder.join(format!("kept-{name}"));
    let mut number = 1;
    while unused.exists() {
        number += 1;
        unused = folder.join(format!("kept-{number}-{name}"));
    }
    unused
}

/// Refuses a checkpoint in a format without weights.
fn refuse_weightless(checkpoint: Option<&Path>) -> Outcome {
    let Some(path) = checkpoint.filter(|path| !formats::holds_weights(path)) else {
        return Ok(());
    };
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    Err(Failure::usage(format!(
        "--checkpoint: a .{extension} would hold no weights; end it in .keras or .safetensors"
    )))
}

/// Refuses to overwrite the log of another run: only a resumed run appends to it.
fn check_log(path: &Path, model: &Sequential) -> Outcome {
    let has_rows = path.is_file() && path.metadata().is_ok_and(|file| file.len() > 0);
    if has_rows && !goes_on(model) {
        return Err(Failure::usage(format!(
            "--csv {} would overwrite the log of another run; delete it, or name another file\n  \
             to append, resume from a saved file, or give --initial-epoch",
            path.display()
        )));
    }
    Ok(())
}
