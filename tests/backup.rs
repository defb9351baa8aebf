//! Trainings that are cut off and go on: the same weights, history, log and checkpoints as without.

use std::fs;
use std::ops::ControlFlow::Continue;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::ArrayD;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::layers::{BatchNormalization, Dense, Dropout};
use tallynet::model::Sequential;
use tallynet::optimizers::{AnyOptimizer, Sgd};
use tallynet::training::{
    BackupAndRestore, BackupEvery, BatchLogs, CSVLogger, Callback, CallbackState, EarlyStopping,
    FitOptions, Flow, History, LearningRateScheduler, ModelCheckpoint, ReduceLROnPlateau,
    TrainerHandle,
};
use tallynet::{Error, Real, Result, formats};
use tempfile::TempDir;

fn data(seed: usize) -> Dataset {
    let x =
        ArrayD::from_shape_fn(vec![60, 3], |i| ((i[0] * 7 + i[1] * 13 + seed) % 11) as Real / 11.0);
    let y = ArrayD::from_shape_fn(vec![60], |i| (i[0] * 7 % 11 % 3) as u32);
    Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) }
}

fn model(optimizer: AnyOptimizer, units: usize) -> Sequential {
    let mut model = Sequential::builder([3])
        .add(Dense::new(units))
        .add(BatchNormalization::default())
        .add(Dropout::new(0.2))
        .add(Dense::new(3).activation("softmax"))
        .build(4)
        .unwrap();
    model.compile(optimizer, "categorical_crossentropy", &["accuracy", "mae"]).unwrap();
    model
}

/// Ends training with an error after so many batches, as a crash does.
struct Crash(usize);

impl Callback for Crash {
    fn on_batch_end(&mut self, _: &TrainerHandle, _: usize, _: &BatchLogs) -> Flow {
        self.0 -= 1;
        if self.0 == 0 { Err(Error::callback("crash")) } else { Ok(Continue(())) }
    }
}

/// Counts batches over all runs.
#[derive(Default)]
struct Own(u64);

impl Callback for Own {
    fn on_batch_end(&mut self, _: &TrainerHandle, _: usize, _: &BatchLogs) -> Flow {
        self.0 += 1;
        Ok(Continue(()))
    }

    fn state(&mut self) -> Result<CallbackState> {
        Ok(CallbackState { values: self.0.into(), weights: vec![0.1, Real::INFINITY] })
    }

    fn set_state(&mut self, state: CallbackState) -> Result<()> {
        assert_eq!(state.weights, [0.1, Real::INFINITY]);
        self.0 = state.values.as_u64().unwrap();
        Ok(())
    }
}

const OPTIONS: FitOptions = FitOptions {
    batch_size: 7,
    epochs: 12,
    initial_epoch: 0,
    shuffle: true,
    validation_data: None,
    validation_split: 0.25,
    sample_weight: None,
    class_weight: None,
    interrupt: None,
};

/// Batches of an epoch, and of a training that nothing stops.
const BATCHES: usize = 7;

/// The files of a training, and its end.
#[derive(Debug, PartialEq)]
struct End {
    fingerprint: String,
    history: History,
    log: String,
    best: Vec<u8>,
    counted: u64,
}

fn fit(
    optimizer: &str,
    folder: &Path,
    every: BackupEvery,
    crash: usize,
    interrupt_after: Option<usize>,
) -> Result<End> {
    let at = |name: &str| folder.join(name).to_str().unwrap().to_string();
    let mut model = model(AnyOptimizer::by_name(optimizer).unwrap(), 4);
    let mut own = Own::default();
    let monitor = tallynet::training::Monitor::new("accuracy");
    let mut stopping = EarlyStopping { patience: 4, monitor, ..EarlyStopping::default() };
    stopping.restore_best_weights = true;
    let mut reduce = ReduceLROnPlateau { patience: 2, factor: 0.5, ..Default::default() };
    let new = ModelCheckpoint::new(at("best.safetensors"));
    let mut checkpoint = ModelCheckpoint { save_best_only: true, ..new };
    let mut log = CSVLogger::new(at("log.csv"));
    let mut backup =
        BackupAndRestore { every, max_cost: 1.0, ..BackupAndRestore::new(at("backup")) };
    let flag = AtomicBool::new(false);
    let callbacks: &mut [&mut dyn Callback] = &mut [
        &mut SetsFlag(interrupt_after.unwrap_or(usize::MAX), &flag),
        &mut own,
        &mut stopping,
        &mut reduce,
        &mut checkpoint,
        &mut log,
        &mut backup,
        &mut Crash(crash),
    ];
    let mut history =
        model.fit(&data(0), FitOptions { interrupt: Some(&flag), ..OPTIONS }, callbacks)?;
    history.seconds.clear();
    Ok(End {
        fingerprint: model.fingerprint(),
        history,
        log: fs::read_to_string(at("log.csv")).unwrap(),
        best: fs::read(at("best.safetensors")).unwrap_or_default(),
        counted: own.0,
    })
}

#[test]
fn a_training_that_crashes_at_any_batch_ends_as_one_that_does_not() {
    for (optimizer, every) in [
        ("adam", BackupEvery::Batches(2)),
        ("sgd", BackupEvery::Batches(5)),
        ("nadam", BackupEvery::Seconds(0.0)),
        ("rmsprop", BackupEvery::Epoch),
    ] {
        let alone = TempDir::new().unwrap();
        let expected = fit(optimizer, alone.path(), every, usize::MAX, None).unwrap();
        assert!(!alone.path().join("backup").exists(), "a finished run removes its backup");
        let n = expected.history.epochs.len() * BATCHES;
        for first in (1..n).step_by(9) {
            let folder = TempDir::new().unwrap();
            let folder = folder.path();
            assert!(fit(optimizer, folder, every, first, None).is_err());
            assert!(folder.join("backup/backup.safetensors").exists());
            // A second crash soon after, or at the end.
            let again = fit(optimizer, folder, every, 3, None);
            let end =
                again.unwrap_or_else(|_| fit(optimizer, folder, every, usize::MAX, None).unwrap());
            assert_eq!(end, expected, "{optimizer}, {every:?}, crash after batch {first}");
            assert!(!folder.join("backup").exists());
        }
    }
}

/// Backups that would cost too much are put off, but the first and an interruption's are made.
#[test]
fn backups_are_put_off_until_they_cost_little() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("backup.safetensors");
    let steps_at_crash = |max_cost, crash| {
        let mut keeps = BackupAndRestore {
            every: BackupEvery::Batches(1),
            max_cost,
            ..BackupAndRestore::new(folder.path())
        };
        let mut model = model(Sgd::new(0.1).into(), 4);
        let callbacks: &mut [&mut dyn Callback] = &mut [&mut keeps, &mut Crash(crash)];
        model.fit(&data(0), OPTIONS, callbacks).unwrap_err();
        let steps = formats::load(&file).unwrap().model.compiled().unwrap().state().iteration;
        fs::remove_file(&file).unwrap();
        steps
    };
    assert_eq!(steps_at_crash(0.0, 40), 0, "the first backup alone");
    assert_eq!(steps_at_crash(1.0, 40), 39, "every batch");
}

/// Sets a flag after so many batches.
struct SetsFlag<'a>(usize, &'a AtomicBool);

impl Callback for SetsFlag<'_> {
    fn on_batch_end(&mut self, _: &TrainerHandle, _: usize, _: &BatchLogs) -> Flow {
        self.0 = self.0.saturating_sub(1);
        self.1.store(self.0 == 0, Ordering::Relaxed);
        Ok(Continue(()))
    }
}

#[test]
fn an_interrupted_model_is_one_moment_and_goes_on_with_the_next_batch() {
    let optimizer = || AnyOptimizer::by_name("adam").unwrap();
    let fit = |model: &mut Sequential, epochs, after: Option<usize>| {
        let flag = AtomicBool::new(false);
        let mut sets = SetsFlag(after.unwrap_or(usize::MAX), &flag);
        let mut stopping =
            EarlyStopping { patience: 3, restore_best_weights: true, ..EarlyStopping::default() };
        let interrupt = after.map(|_| &flag);
        let options = FitOptions { epochs, interrupt, ..OPTIONS };
        let mut callbacks: Vec<&mut dyn Callback> = vec![&mut sets];
        if after.is_some() {
            callbacks.push(&mut stopping);
        }
        model.fit(&data(0), options, &mut callbacks).unwrap()
    };
    let folder = TempDir::new().unwrap();
    let mut alone = model(optimizer(), 4);
    let expected = fit(&mut alone, 4, None);
    // Keras's format holds 32 bits of a number.
    let in_double_precision = size_of::<Real>() > 4;
    for after in [1, 6, 7, 8, 20] {
        for name in ["model.keras", "model.safetensors"] {
            if in_double_precision && name == "model.keras" {
                continue;
            }
            let mut cut = model(optimizer(), 4);
            let first = fit(&mut cut, 4, Some(after));
            let running = cut.running_epoch.as_ref().unwrap();
            let done = cut.epochs_done * BATCHES + running.batches;
            assert_eq!((done, running.all_batches()), (after, BATCHES));
            assert_eq!(first.epochs.len(), (after - 1) / BATCHES, "the cut epoch has no logs yet");
            let path = folder.path().join(name);
            formats::save(&cut, &path).unwrap();
            let mut read = formats::load(&path).unwrap().model;
            assert_eq!(read.running_epoch, cut.running_epoch);
            let left = 4 - first.epochs.len();
            let rest = fit(&mut read, left, None);
            assert_eq!(read.fingerprint(), alone.fingerprint(), "{name} after batch {after}");
            for (first, (rest, all)) in
                first.series.iter().zip(rest.series.iter().zip(&expected.series))
            {
                assert_eq!([&first.values[..], &rest.values].concat(), all.values);
            }
            assert_eq!((read.epochs_done, read.running_epoch), (4, None));
        }
    }
    // With other batches the epoch starts over.
    let mut cut = model(optimizer(), 4);
    fit(&mut cut, 4, Some(3));
    let steps = cut.compiled().unwrap().state().iteration;
    let options = FitOptions { batch_size: 9, ..OPTIONS };
    cut.fit(&data(0), FitOptions { epochs: 1, ..options }, &mut []).unwrap();
    assert_eq!(cut.compiled().unwrap().state().iteration - steps, 5);
}

#[test]
fn an_interruption_keeps_the_backup_at_its_batch() {
    let alone = TempDir::new().unwrap();
    let expected = fit("adam", alone.path(), BackupEvery::Epoch, usize::MAX, None).unwrap();
    let folder = TempDir::new().unwrap();
    for batches in [1, 2, 4, 7, 3] {
        fit("adam", folder.path(), BackupEvery::Epoch, usize::MAX, Some(batches)).unwrap();
    }
    let backup = folder.path().join("backup/backup.safetensors");
    let kept = formats::load(&backup).unwrap().model;
    assert_eq!(kept.compiled().unwrap().state().iteration, 17);
    assert_eq!(kept.trained_until(), "epoch 3, batch 3 of 7");
    let end = fit("adam", folder.path(), BackupEvery::Epoch, usize::MAX, None).unwrap();
    assert_eq!(end, expected);
}

#[test]
fn a_backup_of_another_run_is_refused_with_what_differs() {
    let folder = TempDir::new().unwrap();
    let keeps = || BackupAndRestore {
        every: BackupEvery::Batches(1),
        run: serde_json::json!({ "patience": 3 }),
        ..BackupAndRestore::new(folder.path())
    };
    let sgd = || AnyOptimizer::from(Sgd::new(0.1));
    // A callback keeps its lock until it is dropped.
    model(sgd(), 4).fit(&data(0), OPTIONS, &mut [&mut keeps(), &mut Crash(4)]).unwrap_err();
    let refused = |model: &mut Sequential, data: &Dataset, options, mut keeps, words: &[&str]| {
        let before = model.fingerprint();
        let callbacks: &mut [&mut dyn Callback] = &mut [&mut keeps as &mut BackupAndRestore];
        let error = model.fit(data, options, callbacks).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{word:?} is missing in {error}");
        }
        assert_eq!(model.fingerprint(), before);
    };
    let units = ["model.config.layers.1.config.units: 4 in the backup, 5 now"];
    refused(&mut model(sgd(), 5), &data(0), OPTIONS, keeps(), &units);
    refused(&mut model(sgd(), 4), &data(1), OPTIONS, keeps(), &["\n    data: \"45:"]);
    let rate = ["learning_rate: 0.1", "0.2"];
    refused(&mut model(Sgd::new(0.2).into(), 4), &data(0), OPTIONS, keeps(), &rate);
    let options = FitOptions { batch_size: 8, epochs: 13, shuffle: false, ..OPTIONS };
    let words = ["fit.batch_size: 7 in the backup, 8 now", "fit.epochs: 12", "fit.shuffle: true"];
    refused(&mut model(sgd(), 4), &data(0), options, keeps(), &words);
    let run = serde_json::json!({ "patience": 5 });
    let words = ["command.patience: 3 in the backup, 5 now"];
    refused(&mut model(sgd(), 4), &data(0), OPTIONS, BackupAndRestore { run, ..keeps() }, &words);
    // Another process keeps the lock.
    let file = keeps().file();
    let _lock = formats::WriteLock::new(&file).unwrap();
    let words = ["another run of tallynet (process"];
    refused(&mut model(sgd(), 4), &data(0), OPTIONS, keeps(), &words);
    drop(_lock);
    // A damaged one is no backup.
    fs::write(&file, "damaged").unwrap();
    refused(&mut model(sgd(), 4), &data(0), OPTIONS, keeps(), &["backup.safetensors: "]);
}

#[test]
fn a_learning_rate_is_not_scheduled_twice_in_an_epoch() {
    let run = |folder: &Path, crash| {
        let mut halves = LearningRateScheduler::new(|_, rate: f64| rate * 0.7);
        let mut keeps = BackupAndRestore {
            every: BackupEvery::Batches(1),
            max_cost: 1.0,
            ..BackupAndRestore::new(folder.join("backup"))
        };
        let mut model = model(Sgd::new(0.1).into(), 4);
        let callbacks: &mut [&mut dyn Callback] = &mut [&mut halves, &mut keeps, &mut Crash(crash)];
        let history = model.fit(&data(0), OPTIONS, callbacks);
        history.map(|history| (model.fingerprint(), history.series))
    };
    let folder = TempDir::new().unwrap();
    let expected = run(folder.path(), usize::MAX).unwrap();
    for crash in [3, 7, 8, 15] {
        assert!(run(folder.path(), crash).is_err());
        assert_eq!(run(folder.path(), usize::MAX).unwrap(), expected);
    }
}
