//! Resuming the training of a saved file: the epochs and the best values so far.

use std::fs;
use std::path::{Path, PathBuf};

use tallynet::model::Sequential;
use tallynet::report::Progress;
use tallynet::training::{
    CSVLogger, Callback, EarlyStopping, FitInfo, ModelCheckpoint, MonitorState, ReduceLROnPlateau,
    ReduceLROnPlateauState, TrainerHandle,
};
use tallynet::{Error, Result, formats};

use super::super::plan::Plan;
use super::super::{LoadedModel, output, script_callbacks};
use super::Train;

/// Value that the callbacks of the command line watch.
const WATCHED: &str = "val_loss";

/// Name of the loss; values of another loss do not compare.
fn loss_name(model: &Sequential) -> Option<String> {
    model.compiled().ok().map(|compiled| compiled.loss().name())
}

/// True if epochs are counted on from an earlier training.
pub(super) fn goes_on(model: &Sequential) -> bool {
    model.epochs_done > 0 || model.running_epoch.is_some()
}

impl Train {
    /// Sets the number of epochs that the model was trained for, if a flag gives it.
    pub(super) fn resume(&self, loaded: &mut LoadedModel) {
        let model = &mut loaded.model;
        if let Some(epochs) = self.initial_epoch {
            model.epochs_done = epochs;
            model.running_epoch = None;
        }
        if !goes_on(model) {
            model.best.clear();
        } else if !loaded.is_quiet {
            let best = match self.best_so_far(model) {
                Some(MonitorState { best: Some(best), .. }) => {
                    format!("; the best {WATCHED} so far is {best:.5}")
                }
                _ => String::new(),
            };
            let position = model.trained_until();
            output::notice(&format!("Resuming after {position}{best}."));
        }
    }

    /// Best value so far: that of the model, or of the checkpoint that would be replaced, whichever
    /// is better. `None` for a run that resumes from no file.
    fn best_so_far(&self, model: &Sequential) -> Option<MonitorState> {
        if !goes_on(model) {
            return None;
        }
        let mut best = model.best.get(WATCHED).copied();
        let checkpoint = self.checkpoint.as_ref().map(Path::new).filter(|path| path.is_file());
        if let Some(path) = checkpoint
            && let Ok(kept) = formats::load(path)
            && loss_name(&kept.model) == loss_name(model)
            && let Some(&kept) = kept.model.best.get(WATCHED)
        {
            best = Some(best.map_or(kept, |best| best.min(kept)));
        }
        best.map(|best| MonitorState { best: Some(best), lower_is_better: true })
    }

    /// The callbacks of the flags. Progress is last: it prints the logs that others add.
    pub(super) fn callbacks(
        &self,
        loaded: &LoadedModel,
        validates_on_test: bool,
    ) -> Vec<Box<dyn Callback>> {
        let (model, plan, verbose) = (&loaded.model, &loaded.plan, !loaded.is_quiet);
        let is_watched = self.reduce_on_plateau.is_some() || self.checkpoint.is_some();
        let best = if is_watched { self.best_so_far(model) } else { None };
        let mut callbacks: Vec<Box<dyn Callback>> = vec![];
        if let Some(patience) = self.reduce_on_plateau {
            let mut reduce =
                ReduceLROnPlateau { patience, verbose, ..ReduceLROnPlateau::default() };
            if let Some(best) = best {
                reduce.restore(ReduceLROnPlateauState { monitor: best, ..Default::default() });
            }
            callbacks.push(Box::new(reduce));
        }
        if let Some(patience) = self.patience {
            let restore_best_weights = true;
            let default = EarlyStopping::default();
            let stopping = EarlyStopping { patience, verbose, restore_best_weights, ..default };
            callbacks.push(Box::new(stopping));
        }
        if let Some(path) = &self.checkpoint {
            let save_best_only = true;
            let new = ModelCheckpoint::new(path);
            let mut checkpoint = ModelCheckpoint { save_best_only, verbose, ..new };
            if let Some(best) = best {
                checkpoint.state = best;
            }
            callbacks.push(Box::new(checkpoint));
        }
        callbacks.extend(self.script_callbacks(plan, verbose));
        if !callbacks.is_empty() && verbose && validates_on_test {
            output::notice(
                "val_loss is that of the test set, which makes the test score optimistic; \
                 --validation-split F holds out training samples for it.",
            );
        }
        if let Some(path) = &self.csv {
            if goes_on(model) {
                callbacks.push(Box::new(ContinuedLog { path: path.clone() }));
            }
            callbacks.push(Box::new(CSVLogger { append: goes_on(model), ..CSVLogger::new(path) }));
        }
        if verbose {
            callbacks.push(Box::new(Progress::default()));
        }
        callbacks
    }

    /// The callbacks of a script, but for those that flags replace.
    fn script_callbacks(&self, plan: &Plan, verbose: bool) -> Vec<Box<dyn Callback>> {
        let flags = [
            ("EarlyStopping", self.patience.is_some()),
            ("ReduceLROnPlateau", self.reduce_on_plateau.is_some() || self.schedule.is_some()),
            ("ModelCheckpoint", self.checkpoint.is_some()),
            ("CSVLogger", self.csv.is_some()),
            ("BackupAndRestore", self.backup.is_some()),
        ];
        let replaced: Vec<&str> =
            flags.iter().filter(|(_, is_given)| *is_given).map(|(class, _)| *class).collect();
        script_callbacks::callbacks(&plan.callbacks, &replaced, verbose)
    }
}

/// Callback that refuses to continue a CSV log with other columns, before the first epoch.
struct ContinuedLog {
    path: PathBuf,
}

impl Callback for ContinuedLog {
    fn on_train_begin(&mut self, _: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        if !self.path.is_file() {
            return Ok(());
        }
        let path = self.path.display();
        let text = fs::read_to_string(&self.path).map_err(Error::callback)?;
        let mut names = info.names.to_vec();
        names.sort();
        let expected = format!("epoch,{}", names.join(","));
        match text.lines().next() {
            Some(found) if found != expected => Err(Error::option(
                "csv",
                format!(
                    "--csv {path}: its columns are {found}, and this training logs {expected}\n  \
                     name another file, or train with the same flags"
                ),
            )),
            _ => Ok(()),
        }
    }
}
