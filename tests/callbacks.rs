//! Callbacks, each against Keras's rules, and the models and histories that they leave.

use std::fs;
use std::ops::ControlFlow::{Break, Continue};

use ndarray::{Array1, ArrayD, arr1, arr2};
use tallynet::Real;
use tallynet::activations::ActivationKind::Softmax;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::formats;
use tallynet::layers::Dense;
use tallynet::losses::{CategoricalCrossentropy, MeanSquaredError};
use tallynet::metrics::{AnyMetric, CategoricalAccuracy, MeanAbsoluteError};
use tallynet::model::{MetricChoice, Sequential};
use tallynet::optimizers::{Adam, AdamW, AnyOptimizer, LearningRate, Schedule, Sgd};
use tallynet::training::{
    BatchLogs, BestEpoch, CSVLogger, Callback, EarlyStopping, EarlyStoppingState, FitInfo,
    FitOptions, Flow, History, LearningRateScheduler, Logs, Mode, ModelCheckpoint, Monitor,
    MonitorState, ReduceLROnPlateau, ReduceLROnPlateauState, TerminateOnNaN, Trainer,
    TrainerHandle,
};
use tallynet::{Error, Result};

fn model(optimizer: impl Into<AnyOptimizer>) -> Sequential {
    let mut model =
        Sequential::builder([2]).add(Dense::new(3).activation(Softmax)).build(1).unwrap();
    let metrics = ["accuracy", "mae", "precision"];
    model.compile(optimizer, CategoricalCrossentropy::default(), &metrics).unwrap();
    model
}

fn data() -> Dataset {
    let x = ArrayD::from_shape_fn(vec![40, 2], |i| ((i[0] * 7 + i[1] * 13) % 11) as Real / 11.0);
    let y = ArrayD::from_shape_fn(vec![40], |i| (i[0] * 7 % 11 % 3) as u32);
    Dataset { x: Inputs::Reals(x), y: Targets::Labels(y) }
}

fn fit(
    model: &mut Sequential,
    epochs: usize,
    callbacks: &mut [&mut dyn Callback],
) -> Result<History> {
    let options =
        FitOptions { batch_size: 8, epochs, validation_split: 0.25, ..FitOptions::default() };
    model.fit(&data(), options, callbacks)
}

fn named(name: &str, value: f64) -> Logs {
    vec![(name.to_string(), value)]
}

fn marked(model: &Sequential) -> Real {
    model.weights().nth(1).unwrap().1[[0]]
}

/// Replaces the logs of each epoch by its row, and the first bias by the number of the epoch.
struct Script {
    adds: Vec<&'static str>,
    rows: Vec<Logs>,
}

impl Script {
    fn new(name: &'static str, values: &[f64]) -> Script {
        let rows = values.iter().map(|value| named(name, *value)).collect();
        Script { adds: vec![name], rows }
    }

    /// Fits one epoch for each row, and shows it to the callback.
    fn fit(mut self, model: &mut Sequential, callback: &mut dyn Callback) -> Result<History> {
        let options =
            FitOptions { batch_size: 40, epochs: self.rows.len(), ..FitOptions::default() };
        model.fit(&data(), options, &mut [&mut self, callback])
    }
}

impl Callback for Script {
    fn adds(&self) -> &[&'static str] {
        &self.adds
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        let mut weights = trainer.weights().to_vec();
        weights[6] = epoch as Real;
        trainer.set_weights(&weights)?;
        logs.clone_from(&self.rows[epoch]);
        Ok(Continue(()))
    }
}

/// Shows a callback these values, one per epoch. Returns the number of epochs that ran and the one
/// whose weights are left.
fn shown(callback: &mut dyn Callback, name: &'static str, values: &[f64]) -> (usize, Real) {
    let mut model = model(Sgd::default());
    let history = Script::new(name, values).fit(&mut model, callback).unwrap();
    (history.epochs.len(), marked(&model))
}

#[test]
fn early_stopping_waits_and_restores() {
    let stop = |patience| EarlyStopping { patience, ..EarlyStopping::default() };
    let restore = |patience| EarlyStopping { restore_best_weights: true, ..stop(patience) };
    let values = [3.0, 2.0, 2.5, 1.0, 1.0, 1.5, 0.5];
    assert_eq!(shown(&mut stop(0), "val_loss", &values), (3, 2.0));
    assert_eq!(
        shown(&mut stop(1), "val_loss", &values),
        (3, 2.0),
        "patience 1 counts the first bad epoch"
    );
    assert_eq!(shown(&mut stop(2), "val_loss", &values), (6, 5.0), "a value as good is not better");
    assert_eq!(shown(&mut restore(2), "val_loss", &values), (6, 3.0));
    assert_eq!(
        shown(&mut restore(9), "val_loss", &values[..3]),
        (3, 1.0),
        "restored without a stop, too"
    );
    let mut stopping = restore(2);
    for _ in 0..2 {
        shown(&mut stopping, "val_loss", &values);
        let best = stopping.state.best_epoch.as_ref().unwrap().epoch;
        assert_eq!(
            (stopping.state.stopped_epoch, stopping.state.wait, best),
            (Some(5), 2, 3),
            "also used a second time"
        );
    }
}

#[test]
fn early_stopping_with_every_option() {
    let monitor = |name: &str, mode, min_delta| Monitor { mode, min_delta, ..Monitor::new(name) };
    let stop = |monitor| EarlyStopping { monitor, patience: 1, ..EarlyStopping::default() };
    let auto = |name| stop(Monitor::new(name));
    let (rising, falling) = ([0.1, 0.2, 0.3], [0.3, 0.2, 0.1]);
    for (name, better, worse) in [
        ("accuracy", rising, falling),
        ("val_accuracy", rising, falling),
        ("precision", rising, falling),
        ("loss", falling, rising),
        ("val_mae", falling, rising),
    ] {
        assert_eq!(shown(&mut auto(name), name, &better).0, 3, "{name}");
        assert_eq!(shown(&mut auto(name), name, &worse).0, 2, "{name}");
    }
    assert_eq!(shown(&mut stop(monitor("mine", Mode::Max, 0.0)), "mine", &rising).0, 3);
    assert_eq!(shown(&mut stop(monitor("mine", Mode::Min, 0.0)), "mine", &rising).0, 2);
    assert_eq!(
        shown(&mut stop(monitor("loss", Mode::Auto, 0.15)), "loss", &falling).0,
        2,
        "too small a change"
    );
    let late = EarlyStopping { start_from_epoch: 2, ..auto("loss") };
    assert_eq!(
        shown(&mut late.clone(), "loss", &[1.0, 2.0, 3.0, 4.0]).0,
        4,
        "epoch 2 is the first looked at"
    );
    let based = EarlyStopping { baseline: Some(0.5), patience: 2, ..auto("loss") };
    assert_eq!(
        shown(&mut based.clone(), "loss", &[0.9, 0.8, 0.85, 0.7]).0,
        3,
        "better, but never than the baseline"
    );
    assert_eq!(
        shown(&mut auto("loss"), "loss", &[f64::NAN, 2.0, 1.0]).0,
        3,
        "what was NaN can still get better"
    );

    let refused = |logged| {
        let mut model = model(Sgd::default());
        Script::new(logged, &[1.0]).fit(&mut model, &mut auto("mine")).unwrap_err().to_string()
    };
    assert!(refused("mine").contains("mode"), "{}", refused("mine"));
    let missing = refused("f1");
    assert!(missing.contains("mine") && missing.contains("loss, accuracy"), "{missing}");
}

/// A name of its own does not hide the direction of a metric.
#[test]
fn the_metric_decides_its_direction() {
    for (class, values) in [
        (AnyMetric::from(CategoricalAccuracy {}), [0.1, 0.2, 0.3]),
        (MeanAbsoluteError {}.into(), [0.3, 0.2, 0.1]),
    ] {
        let mut model = model(Sgd::default());
        let metric = MetricChoice { name: "mine".to_string(), class: Some(class) };
        let loss = CategoricalCrossentropy::default().into();
        model.compile_with(Some(Sgd::default().into()), loss, vec![metric]).unwrap();
        let monitor = Monitor::new("val_mine");
        let mut stopping = EarlyStopping { monitor, patience: 1, ..EarlyStopping::default() };
        let history = Script::new("val_mine", &values).fit(&mut model, &mut stopping).unwrap();
        assert_eq!(history.epochs.len(), 3);
        assert_eq!(stopping.state.monitor.lower_is_better, values[0] > values[1]);
    }
}

#[test]
fn a_restored_state_is_kept_by_the_next_training_alone() {
    let best = |value| MonitorState { best: Some(value), ..MonitorState::default() };
    let mut stopping = EarlyStopping { patience: 2, ..EarlyStopping::default() };
    let halfway = EarlyStoppingState { monitor: best(0.5), wait: 1, ..Default::default() };
    stopping.restore(halfway.clone());
    assert_eq!(shown(&mut stopping, "val_loss", &[0.4, 0.6, 0.6]).0, 3, "0.4 is better");
    stopping.restore(halfway);
    assert_eq!(shown(&mut stopping, "val_loss", &[0.6, 0.6, 0.6]).0, 2, "epoch 0 never stops");
    assert_eq!(shown(&mut stopping, "val_loss", &[0.6, 0.6, 0.6]).0, 3, "reset");

    stopping.restore_best_weights = true;
    let best_epoch = Some(BestEpoch { epoch: 7, weights: vec![1.5; 9] });
    stopping.restore(EarlyStoppingState { best_epoch, monitor: best(0.5), ..Default::default() });
    assert_eq!(shown(&mut stopping, "val_loss", &[0.6]).1, 1.5, "the best of the run before");
    let best_epoch = Some(BestEpoch { epoch: 7, weights: vec![1.5] });
    stopping.restore(EarlyStoppingState { best_epoch, ..Default::default() });
    let error =
        Script::new("val_loss", &[0.6]).fit(&mut model(Sgd::default()), &mut stopping).unwrap_err();
    assert!(error.to_string().contains("1 weights"), "{error}");

    let mut reduce = ReduceLROnPlateau { patience: 2, factor: 0.5, ..Default::default() };
    let halfway = ReduceLROnPlateauState { monitor: best(0.5), wait: 1, ..Default::default() };
    reduce.restore(halfway);
    assert_eq!(rates(&mut reduce, &[0.6, 0.6]), [1.0, 0.5, 0.5]);
    assert_eq!(rates(&mut reduce, &[0.6, 0.6]), [1.0, 1.0, 1.0], "reset");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.keras");
    let mut checkpoint =
        ModelCheckpoint { save_best_only: true, ..ModelCheckpoint::new(path.to_str().unwrap()) };
    checkpoint.state = best(0.5);
    shown(&mut checkpoint, "val_loss", &[0.6]);
    assert!(!path.exists(), "no better than in the run before");
    shown(&mut checkpoint, "val_loss", &[0.4]);
    assert!(path.exists() && checkpoint.state.best == Some(0.4));
}

/// Learning rate of each epoch, and the one after the last.
fn rates(callback: &mut dyn Callback, values: &[f64]) -> Vec<f64> {
    let mut model = model(Sgd::new(1.0));
    let history = Script::new("val_loss", values).fit(&mut model, callback).unwrap();
    let mut rates = history.get("learning_rate").unwrap().to_vec();
    assert_eq!(rates.len(), values.len(), "logged once per epoch");
    rates.push(model.compiled().unwrap().learning_rate());
    rates
}

#[test]
fn reduce_lr_on_plateau() {
    let reduce = |patience, cooldown| ReduceLROnPlateau {
        factor: 0.5,
        patience,
        cooldown,
        min_lr: 0.2,
        ..ReduceLROnPlateau::default()
    };
    let flat = [1.0; 6];
    assert_eq!(rates(&mut reduce(2, 0), &flat), [1.0, 1.0, 1.0, 0.5, 0.5, 0.25, 0.25]);
    assert_eq!(
        rates(&mut reduce(1, 0), &flat),
        [1.0, 1.0, 0.5, 0.25, 0.2, 0.2, 0.2],
        "never under min_lr"
    );
    // The epoch in which the cooldown runs out counts already.
    assert_eq!(rates(&mut reduce(1, 2), &flat), [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.2]);
    assert_eq!(
        rates(&mut reduce(1, 0), &[1.0, 0.99995, 0.9, 0.9]),
        [1.0, 1.0, 0.5, 0.5, 0.25],
        "less than min_delta"
    );
    let mut default = ReduceLROnPlateau::default();
    assert_eq!(rates(&mut default, &[1.0; 11])[10..], [1.0, 0.1]);

    let wrong = ReduceLROnPlateau { factor: 1.0, ..ReduceLROnPlateau::default() };
    assert!(fit(&mut model(Sgd::default()), 1, &mut [&mut wrong.clone()]).is_err());
}

fn exponential() -> LearningRate {
    let (initial_learning_rate, decay_steps, decay_rate, staircase) = (0.05, 3.0, 0.9, false);
    Schedule::ExponentialDecay { initial_learning_rate, decay_steps, decay_rate, staircase }.into()
}

#[test]
fn a_learning_rate_is_set_by_one_alone() {
    let halve = |epoch: usize, rate: f64| if epoch == 0 { rate } else { rate / 2.0 };
    assert_eq!(rates(&mut LearningRateScheduler::new(halve), &[1.0; 3]), [1.0, 0.5, 0.25, 0.25]);
    for callback in [
        &mut LearningRateScheduler::new(halve) as &mut dyn Callback,
        &mut ReduceLROnPlateau::default(),
    ] {
        let mut scheduled = model(Sgd::new(exponential()));
        let before = scheduled.fingerprint();
        let error = fit(&mut scheduled, 1, &mut [callback]).unwrap_err();
        assert!(error.to_string().contains("schedule"), "{error}");
        assert_eq!(scheduled.fingerprint(), before, "refused before the first step");
    }
    let error =
        fit(&mut model(Sgd::default()), 1, &mut [&mut LearningRateScheduler::new(|_, _| -1.0)])
            .unwrap_err();
    assert!(error.to_string().contains("-1"), "{error}");
}

/// Checks that a logger writes each row at once.
struct Checked<'a>(&'a mut CSVLogger);

impl Callback for Checked<'_> {
    fn on_train_begin(&mut self, trainer: &mut TrainerHandle, info: &FitInfo) -> Result<()> {
        self.0.on_train_begin(trainer, info)
    }

    fn on_epoch_end(&mut self, trainer: &mut TrainerHandle, epoch: usize, logs: &mut Logs) -> Flow {
        let flow = self.0.on_epoch_end(trainer, epoch, logs);
        assert!(fs::read_to_string(&self.0.path).unwrap().lines().count() > epoch + 1);
        flow
    }
}

#[test]
fn csv_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let logs = |pairs: &[(&str, f64)]| -> Logs {
        pairs.iter().map(|(name, x)| (name.to_string(), *x)).collect()
    };
    let write = |log: &mut CSVLogger, rows: &[Logs]| {
        let mut log_and_check = Checked(log);
        let script = Script { adds: vec![], rows: rows.to_vec() };
        script.fit(&mut model(Sgd::default()), &mut log_and_check).unwrap();
        fs::read_to_string(&log.path).unwrap()
    };
    let one = logs(&[("loss", 0.5), ("accuracy", 1.0), ("val_loss", 1e-7), ("val_accuracy", 0.25)]);
    let few = logs(&[("loss", 0.125)]);
    let mut log = CSVLogger::new(&path);
    let header = "epoch,accuracy,loss,val_accuracy,val_loss\r\n";
    let whole = format!("{header}0,1.0,0.5,0.25,1e-7\r\n1,NA,0.125,NA,NA\r\n");
    assert_eq!(write(&mut log, &[one.clone(), few.clone()]), whole);
    assert_eq!(
        write(&mut log, &[few]),
        "epoch,loss,val_loss\r\n0,0.125,NA\r\n",
        "replaced; columns without use"
    );
    assert_eq!(
        write(&mut log, std::slice::from_ref(&one)),
        format!("{header}0,1.0,0.5,0.25,1e-7\r\n")
    );
    log.append = true;
    assert_eq!(
        write(&mut log, &[one]),
        format!("{header}0,1.0,0.5,0.25,1e-7\r\n0,1.0,0.5,0.25,1e-7\r\n")
    );
    log.path = folder.path().join("new.csv");
    log.separator = ';';
    assert_eq!(write(&mut log, &[logs(&[("val_loss", 2.0)])]), "epoch;val_loss\r\n0;2.0\r\n");
    log.separator = ',';
    log.path = folder.path().join("names.csv");
    let names = logs(&[("a,b", 1.0), ("c\"d", 2.0), ("val_", 3.0)]);
    let quoted = "epoch,\"a,b\",\"c\"\"d\",val_\r\n0,1.0,2.0,3.0\r\n";
    assert_eq!(write(&mut log, &[names]), quoted, "a name with a comma is one column");
    log.separator = '·';
    let error = fit(&mut model(Sgd::default()), 1, &mut [&mut log]).unwrap_err();
    assert!(matches!(&error, Error::Option { name, .. } if name == "separator"), "{error}");
    let path = folder.path().join("no/such/log.csv");
    let mut nowhere = CSVLogger { append: true, ..CSVLogger::new(path) };
    assert!(fit(&mut model(Sgd::default()), 1, &mut [&mut nowhere]).is_err());
}

#[test]
fn values_that_callbacks_log_are_recorded_last() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = CSVLogger::new(folder.path().join("log.csv"));
    let mut model = model(Sgd::new(0.5));
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut ReduceLROnPlateau::default(), &mut log];
    let history = fit(&mut model, 2, callbacks).unwrap();
    let names: Vec<_> = history.series.iter().map(|series| series.name.as_str()).collect();
    let logged =
        "loss accuracy mae precision val_loss val_accuracy val_mae val_precision learning_rate";
    assert_eq!(names, logged.split(' ').collect::<Vec<_>>());
    assert_eq!(history.get("learning_rate").unwrap(), [0.5, 0.5]);
    let text = fs::read_to_string(&log.path).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(
        lines[0],
        "epoch,accuracy,learning_rate,loss,mae,precision,val_accuracy,val_loss,val_mae,val_precision"
    );
    let loss: f64 = lines[2].split(',').nth(3).unwrap().parse().unwrap();
    assert_eq!(loss, history.get("loss").unwrap()[1], "to the last bit");
}

#[test]
fn checkpoint_templates() {
    let logs = vec![("val_loss".to_string(), 0.4567), ("accuracy".to_string(), 12.0)];
    for (template, expected) in [
        ("best.safetensors", "best.safetensors"),
        ("{epoch}", "4"),
        ("{epoch:d}-{epoch:02d}-{epoch:03d}|{epoch:3d}|", "4-04-004|  4|"),
        ("{epoch:02d}-{val_loss:.2f}.safetensors", "04-0.46.safetensors"),
        ("{val_loss:f}_{val_loss:07.3f}_{accuracy:.0f}_{val_loss}", "0.456700_000.457_12_0.4567"),
    ] {
        assert_eq!(
            ModelCheckpoint::new(template).file(3, &logs).unwrap().to_str(),
            Some(expected),
            "{template}"
        );
    }
    for (template, word) in [
        ("{epoch", "}"),
        ("{val_acc:.2f}", "val_loss, accuracy"),
        ("{}", "val_loss, accuracy"),
        ("{epoch:02x}", "02x"),
        ("{val_loss:d}", "\"d\""),
        ("{val_loss:.-1f}", ".-1f"),
        ("{val_loss:.999999999999f}", "999999999999"),
        ("{epoch:999999999999d}", "999999999999"),
        ("{epoch:é}", "é"),
    ] {
        let error = ModelCheckpoint::new(template).file(3, &logs).unwrap_err().to_string();
        assert!(
            error.contains(word) && error.contains("{epoch:02d}-{val_loss:.2f}"),
            "{template}: {error}"
        );
    }
}

#[test]
fn checkpoints_of_every_epoch_and_of_the_best() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let saved = |name: &str| fs::exists(path(name)).unwrap();
    let mut all = ModelCheckpoint::new(path("all-{epoch:02d}.safetensors"));
    shown(&mut all, "val_loss", &[3.0, 4.0]);
    assert!(
        saved("all-01.safetensors") && saved("all-02.safetensors") && !saved("all-03.safetensors")
    );
    let mut best = ModelCheckpoint {
        save_best_only: true,
        ..ModelCheckpoint::new(path("best-{val_loss:.0f}.keras"))
    };
    shown(&mut best, "val_loss", &[3.0, 4.0, 2.0, 2.0, 1.0]);
    assert_eq!(
        ["3", "4", "2", "1"].map(|value| saved(&format!("best-{value}.keras"))),
        [true, false, true, true]
    );
    assert_eq!(
        marked(&formats::load(path("best-2.keras").as_ref()).unwrap().model),
        2.0,
        "of equals the first is kept"
    );
    let mut nowhere = ModelCheckpoint::new(path("no/such/{epoch}.keras"));
    let mut model = model(Sgd::default());
    assert!(
        fit(&mut model, 1, &mut [&mut nowhere]).is_err() && model.epochs_done == 0,
        "found before training"
    );
}

#[test]
fn terminate_on_nan_and_it_alone_ends_well() {
    let mut rows = data();
    if let Inputs::Reals(x) = &mut rows.x {
        x[[21, 0]] = Real::NAN;
    }
    let options = FitOptions { batch_size: 8, epochs: 3, shuffle: false, ..FitOptions::default() };
    struct Ends(usize);
    impl Callback for Ends {
        fn on_train_end(&mut self, _: &mut TrainerHandle) -> Result<()> {
            self.0 += 1;
            Ok(())
        }
    }
    let (mut ends, mut alone) = (Ends(0), model(Sgd::default()));
    assert!(alone.fit(&rows, options, &mut [&mut ends]).is_err());
    let mut model = model(Sgd::default());
    let history = model.fit(&rows, options, &mut [&mut TerminateOnNaN, &mut ends]).unwrap();
    assert_eq!((history.epochs.len(), model.epochs_done, ends.0), (0, 0, 1));
    assert_eq!(model.fingerprint(), alone.fingerprint());
    assert!(model.weights().all(|(_, array)| array.iter().all(|x| x.is_finite())));
}

#[test]
fn training_goes_on_in_its_schedule_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.safetensors");
    let rules: [AnyOptimizer; 3] = [
        Adam { clipnorm: Some(0.1), amsgrad: true, ..Adam::new(exponential()) }.into(),
        AdamW { global_clipnorm: Some(0.1), ..AdamW::new(0.01) }.into(),
        Sgd { clipvalue: Some(0.01), weight_decay: Some(0.1), ..Sgd::new(exponential()) }.into(),
    ];
    let scale = |rate: f64| rate * 0.7;
    for rule in rules.into_iter().chain(AnyOptimizer::all()) {
        let fixed = matches!(rule.as_optimizer().learning_rate(), LearningRate::Constant(_));
        let run = |model: &mut Sequential, epochs| {
            let mut shrink = LearningRateScheduler::new(|_, rate| scale(rate));
            let callbacks: &mut [&mut dyn Callback] =
                if fixed { &mut [&mut shrink] } else { &mut [] };
            fit(model, epochs, callbacks).unwrap();
        };
        let (mut whole, mut part) = (model(rule.clone()), model(rule.clone()));
        run(&mut whole, 9);
        run(&mut part, 5);
        formats::save(&part, &path).unwrap();
        let mut part = formats::load(&path).unwrap().model;
        run(&mut part, 4);
        assert_eq!(part.fingerprint(), whole.fingerprint(), "{rule:?}");
        let rate = |model: &Sequential| model.compiled().unwrap().learning_rate();
        assert_eq!(rate(&part), rate(&whole));
    }
}

#[test]
fn a_learning_rate_comes_back_from_text_to_the_last_bit() {
    let mut rate = 0.7;
    for _ in 0..1000 {
        rate *= 0.99;
        let text = serde_json::to_string(&LearningRate::Constant(rate)).unwrap();
        assert_eq!(
            serde_json::from_str::<LearningRate>(&text).unwrap(),
            LearningRate::Constant(rate),
            "{text}"
        );
    }
}

#[test]
fn weights_decay_biases_too_and_frozen_arrays_do_not() {
    let x = arr2(&[[1.0, 2.0]]).into_dyn();
    let mut model =
        Sequential::builder([2]).add(Dense::new(2)).frozen().add(Dense::new(1)).build(0).unwrap();
    model.set_weight("dense_2/bias", &arr1(&[4.0]).into_dyn()).unwrap();
    let rule = Sgd { weight_decay: Some(0.5), global_clipnorm: Some(1.0), ..Sgd::new(0.1) };
    model.compile(rule, MeanSquaredError {}, &[]).unwrap();
    let weights = |model: &Sequential| -> Vec<Array1<Real>> {
        model.weights().map(|(_, array)| array.iter().copied().collect()).collect()
    };
    let before = weights(&model);
    // The target is the output, so nothing but the decay moves.
    let y = model.predict(&Inputs::Reals(x.clone())).unwrap();
    model.train_on_batch(&Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) }).unwrap();
    for (i, (before, after)) in before.iter().zip(weights(&model)).enumerate() {
        let factor = if i < 2 { 1.0 } else { 0.95 };
        for (before, after) in before.iter().zip(after) {
            assert!((before * factor - after).abs() < 1e-6, "array {i}: {before} became {after}");
        }
    }
}

#[test]
fn clipping_heeds_arrays_and_what_is_trained() {
    // Inputs of 3 and 4 and a slope of 1: the gradient is (3, 4) at the kernel and 1 at the bias.
    let step = |rule: Sgd| {
        let mut model = Sequential::builder([2]).add(Dense::new(1)).build(0).unwrap();
        model.set_weight("dense_1/kernel", &arr2(&[[0.0], [0.0]]).into_dyn()).unwrap();
        model.compile(rule, MeanSquaredError {}, &[]).unwrap();
        let (x, y) = (arr2(&[[3.0, 4.0]]).into_dyn(), arr2(&[[-0.5]]).into_dyn());
        model.train_on_batch(&Dataset { x: Inputs::Reals(x), y: Targets::Reals(y) }).unwrap();
        model
            .weights()
            .flat_map(|(_, array)| array.iter().map(|w| -w).collect::<Vec<_>>())
            .collect::<Vec<Real>>()
    };
    let rule = || Sgd::new(1.0);
    let all = Real::sqrt(26.0);
    for (rule, expected) in [
        (rule(), [3.0, 4.0, 1.0]),
        (Sgd { clipnorm: Some(2.5), ..rule() }, [1.5, 2.0, 1.0]),
        (Sgd { global_clipnorm: Some(2.0), ..rule() }, [6.0 / all, 8.0 / all, 2.0 / all]),
        (Sgd { global_clipnorm: Some(6.0), ..rule() }, [3.0, 4.0, 1.0]),
        (Sgd { clipvalue: Some(3.5), ..rule() }, [3.0, 3.5, 1.0]),
    ] {
        for (ours, expected) in step(rule.clone()).iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-6, "{rule:?}: {ours} and not {expected}");
        }
    }
}

#[test]
fn options_out_of_range_are_named() {
    let refused = |rule: AnyOptimizer, words: &[&str]| {
        let mut model = model(Sgd::default());
        let error =
            model.compile(rule, CategoricalCrossentropy::default(), &[]).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{words:?} in {error}");
    };
    refused(
        Sgd { clipnorm: Some(1.0), clipvalue: Some(1.0), ..Sgd::default() }.into(),
        &["only one", "clipvalue"],
    );
    refused(
        Adam { global_clipnorm: Some(0.0), ..Adam::default() }.into(),
        &["above 0", "not to 0"],
    );
    refused(
        Adam { clipvalue: Some(Real::NAN.into()), ..Adam::default() }.into(),
        &["above 0", "NaN"],
    );
    refused(AdamW { weight_decay: Some(-1.0), ..AdamW::default() }.into(), &["weight_decay", "-1"]);
    refused(AdamW { beta_2: 1.0, ..AdamW::default() }.into(), &["beta_2", "1", "0.999"]);
    refused(Sgd::new(f64::INFINITY).into(), &["learning rate", "inf"]);
    let piecewise = |boundaries: &[f64], values: &[f64]| {
        let (boundaries, values) = (boundaries.to_vec(), values.to_vec());
        Sgd::new(Schedule::PiecewiseConstantDecay { boundaries, values }).into()
    };
    refused(piecewise(&[1.0], &[1.0]), &["one more"]);
    refused(piecewise(&[2.0, 1.0], &[1.0, 2.0, 3.0]), &["rise"]);
    refused(piecewise(&[2.0], &[1.0, -1.0]), &["values"]);

    let read = |text: &str| serde_json::from_str::<AnyOptimizer>(text);
    for (text, word) in [
        (r#"{"class_name": "Ferret", "config": {}}"#, "Ferret"),
        (r#"{"class_name": "Adam", "config": {"use_ema": true}}"#, "use_ema"),
        (r#"{"class_name": "Adam", "config": {"learning_rate": "fast"}}"#, "fast"),
        (
            r#"{"class_name": "Adam", "config": {"learning_rate": {"class_name": "Magic", "config": {}}}}"#,
            "Magic",
        ),
        (
            r#"{"class_name": "SGD", "config": {"learning_rate": {"class_name": "CosineDecay",
               "config": {"initial_learning_rate": 1, "decay_steps": 2, "wiggle": 3}}}}"#,
            "wiggle",
        ),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(word), "{text}: {error}");
    }
    let keras = r#"{"class_name": "AdamW", "config": {"learning_rate": 0.002, "weight_decay": null, "clipnorm": null,
        "global_clipnorm": 2.0, "clipvalue": null, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-8, "amsgrad": true}}"#;
    let rule = read(keras).unwrap();
    let AnyOptimizer::AdamW(options) = &rule else { panic!("{rule:?}") };
    assert_eq!(
        (options.weight_decay, options.global_clipnorm, options.beta_1),
        (None, Some(2.0), 0.8)
    );
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(serde_json::to_value(&rule).unwrap(), value(keras), "written as it is read");
    let bare = read(r#"{"class_name": "AdamW", "config": {}}"#).unwrap();
    assert_eq!(bare.as_optimizer().common().weight_decay, Some(0.004), "Keras's default");
}

/// Records the epochs that it is shown.
struct Watcher(Vec<usize>);

impl Callback for Watcher {
    fn on_epoch_begin(&mut self, _: &mut TrainerHandle, epoch: usize) -> Result<()> {
        self.0.push(epoch);
        Ok(())
    }
}

#[test]
fn every_fit_counts_from_0() {
    let mut watcher = Watcher(vec![]);
    let mut twice = model(Sgd::default());
    for _ in 0..2 {
        assert_eq!(fit(&mut twice, 2, &mut [&mut watcher]).unwrap().epochs, [0, 1]);
    }
    assert_eq!((watcher.0, twice.epochs_done), (vec![0, 1, 0, 1], 4));
    let mut in_one = model(Sgd::default());
    fit(&mut in_one, 4, &mut []).unwrap();
    assert_eq!(in_one.fingerprint(), twice.fingerprint(), "the order of the rows continues");
}

/// Reads the handle, and fails with an error of its own in the second epoch.
struct Fails;

impl Callback for Fails {
    fn on_batch_end(&mut self, trainer: &TrainerHandle, batch: usize, logs: &BatchLogs) -> Flow {
        assert_eq!((trainer.learning_rate(), trainer.model().count_params()), (0.5, 9));
        assert_eq!(trainer.iteration() % 4, (batch as u64 + 1) % 4);
        assert_eq!((logs.names[0].as_str(), logs.means.len()), ("loss", 4));
        Ok(Continue(()))
    }

    fn on_epoch_begin(&mut self, trainer: &mut TrainerHandle, epoch: usize) -> Result<()> {
        assert!(matches!(trainer.set_weights(&[0.0]), Err(Error::Weights { .. })));
        match epoch {
            0 => Ok(()),
            _ => Err(Error::callback("disk".parse::<u8>().unwrap_err())),
        }
    }
}

#[test]
fn a_callback_ends_training_with_its_own_error() {
    let mut model = model(Sgd::new(0.5));
    let error = fit(&mut model, 3, &mut [&mut Fails]).unwrap_err();
    let Error::Callback(source) = &error else { panic!("{error}") };
    assert!(source.is::<std::num::ParseIntError>() && error.to_string().contains("invalid digit"));
    assert_eq!(model.epochs_done, 1);
}

#[test]
fn names_that_no_epoch_will_log_are_refused_before_the_first() {
    let mut stopping = EarlyStopping::default();
    let mut best = ModelCheckpoint { save_best_only: true, ..ModelCheckpoint::new("best.keras") };
    let mut named = ModelCheckpoint::new("{val_loss}.keras");
    let callbacks: [&mut dyn Callback; 4] =
        [&mut stopping, &mut best, &mut named, &mut ReduceLROnPlateau::default()];
    for callback in callbacks {
        let mut model = model(Sgd::default());
        let before = model.fingerprint();
        let error = model.fit(&data(), FitOptions::default(), &mut [callback]).unwrap_err();
        assert!(error.to_string().contains("val_loss") && model.fingerprint() == before, "{error}");
    }
}

/// Adds a value of its own to the logs, and stops at this batch.
struct Own(usize);

impl Callback for Own {
    fn adds(&self) -> &[&'static str] {
        &["f1"]
    }

    fn on_batch_end(&mut self, _: &TrainerHandle, batch: usize, _: &BatchLogs) -> Flow {
        Ok(if batch == self.0 { Break(()) } else { Continue(()) })
    }

    fn on_epoch_end(&mut self, _: &mut TrainerHandle, _: usize, logs: &mut Logs) -> Flow {
        logs.push(("f1".to_string(), 0.5));
        Ok(Continue(()))
    }
}

#[test]
fn values_that_a_callback_adds_may_be_watched() {
    let monitor = Monitor { mode: Mode::Max, ..Monitor::new("f1") };
    let mut stopping = EarlyStopping { monitor, patience: 1, ..EarlyStopping::default() };
    let history = fit(&mut model(Sgd::default()), 5, &mut [&mut Own(99), &mut stopping]).unwrap();
    assert_eq!(history.epochs.len(), 2);
    let mut rate = ModelCheckpoint::new("{learning_rate}.keras");
    let error = fit(&mut model(Sgd::default()), 1, &mut [&mut rate]).unwrap_err();
    assert!(error.to_string().contains("learning_rate"), "nothing logs it: {error}");
}

#[test]
fn an_epoch_that_was_cut_short_is_not_counted() {
    // Thirty rows in batches of eight.
    for (last, counted) in [(0, 0), (2, 0), (3, 1)] {
        let mut model = model(Sgd::default());
        assert_eq!(fit(&mut model, 5, &mut [&mut Own(last)]).unwrap().epochs, [0]);
        assert_eq!(model.epochs_done, counted, "stopped after batch {last}");
    }
}

#[test]
fn initial_epoch_numbers_epochs_checkpoints_and_csv_rows() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let path = at("{epoch:02d}.safetensors").to_str().unwrap().to_string();
    let mut checkpoint = ModelCheckpoint::new(path);
    let mut log = CSVLogger::new(at("log.csv"));
    let mut model = model(Sgd::default());
    let options = FitOptions { batch_size: 8, epochs: 5, initial_epoch: 3, ..Default::default() };
    let history = model.fit(&data(), options, &mut [&mut checkpoint, &mut log]).unwrap();
    assert_eq!(history.epochs, [3, 4]);
    assert!(at("04.safetensors").exists() && at("05.safetensors").exists());
    let rows = fs::read_to_string(at("log.csv")).unwrap();
    let numbers: Vec<_> = rows.lines().map(|row| row.split(',').next().unwrap()).collect();
    assert_eq!(numbers, ["epoch", "3", "4"]);

    let nothing = FitOptions { epochs: 3, initial_epoch: 3, ..FitOptions::default() };
    assert!(model.fit(&data(), nothing, &mut []).unwrap().epochs.is_empty());
}

#[test]
fn a_trainer_gives_the_bits_of_single_calls() {
    let small = data().select(&[0, 3, 9]).unwrap();
    let mut one = model(Adam::default());
    let mut two = one.clone();
    let mut trainer = Trainer::new(&mut one);
    for batch in [&data(), &small, &data()] {
        let scores = trainer.train_on_batch(batch).unwrap();
        assert_eq!(scores, two.train_on_batch(batch).unwrap());
        assert_eq!(trainer.evaluate(&small).unwrap(), two.evaluate(&small).unwrap());
        assert_eq!(trainer.predict(&data().x).unwrap(), two.predict(&data().x).unwrap());
    }
    trainer.fit(&data(), FitOptions::default(), &mut []).unwrap();
    two.fit(&data(), FitOptions::default(), &mut []).unwrap();
    assert_eq!(trainer.model().fingerprint(), two.fingerprint());
}

#[test]
fn a_clone_is_trained_apart_from_its_model() {
    let original = model(Adam::default());
    let before = original.fingerprint();
    let mut clone = original.clone();
    clone.fit(&data(), FitOptions::default(), &mut []).unwrap();
    assert_ne!(clone.fingerprint(), before);
    assert_eq!(original.fingerprint(), before);
    assert_eq!(original.compiled().unwrap().state().iteration, 0);
}
