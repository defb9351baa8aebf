//! The callbacks, each against Keras's rule, and what a training with them leaves behind.

use std::fs;

use ndarray::{Array1, ArrayD, arr1, arr2};
use tallynet::Real;
use tallynet::activations::ActivationKind::Softmax;
use tallynet::datasets::{Dataset, Inputs, Targets};
use tallynet::formats;
use tallynet::layers::Dense;
use tallynet::losses::{CategoricalCrossentropy, MeanSquaredError};
use tallynet::model::Sequential;
use tallynet::optimizers::{Adam, AdamW, AnyOptimizer, LearningRate, Schedule, Sgd};
use tallynet::training::{
    CSVLogger, Callback, Control, Course, EarlyStopping, FitOptions, History,
    LearningRateScheduler, Logs, Mode, ModelCheckpoint, Monitor, ReduceLROnPlateau, TerminateOnNaN,
};

fn model(optimizer: impl Into<AnyOptimizer>) -> Sequential {
    let mut model =
        Sequential::builder([2]).add(Dense::new(3).activation(Softmax)).build(1).unwrap();
    model.compile(optimizer, CategoricalCrossentropy::default(), &["accuracy", "mae"]).unwrap();
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
) -> tallynet::Result<History> {
    let options =
        FitOptions { batch_size: 8, epochs, validation_split: 0.25, ..FitOptions::default() };
    model.fit(&data(), options, callbacks)
}

fn named(name: &str, value: f64) -> Logs {
    vec![(name.to_string(), value)]
}

fn mark(model: &mut Sequential, value: Real) {
    model.set_weight("dense_1/bias", &arr1(&[value, 0.0, 0.0]).into_dyn()).unwrap();
}

fn marked(model: &Sequential) -> Real {
    model.weights().nth(1).unwrap().1[[0]]
}

/// Tells a callback that so many epochs begin, whose logs will have this name.
fn begin(
    callback: &mut dyn Callback,
    model: &mut Sequential,
    epochs: usize,
    name: &str,
) -> tallynet::Result<()> {
    callback.on_train_begin(model, &Course { epochs, batches: 1, names: &[name.to_string()] })
}

/// Shows a callback these values, one an epoch, as `fit` would. Epoch n ends with n in a weight.
/// Returns the epochs that ran and the epoch whose weight is left.
fn shown(callback: &mut dyn Callback, name: &str, values: &[f64]) -> (usize, Real) {
    let mut model = model(Sgd::default());
    begin(callback, &mut model, values.len(), name).unwrap();
    let mut epochs = 0;
    for (epoch, value) in values.iter().enumerate() {
        epochs += 1;
        mark(&mut model, epoch as Real);
        if callback.on_epoch_end(&mut model, epoch, &mut named(name, *value)).unwrap()
            == Control::Stop
        {
            break;
        }
    }
    callback.on_train_end(&mut model).unwrap();
    (epochs, marked(&model))
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
        let best = stopping.best.as_ref().unwrap().0;
        assert_eq!(
            (stopping.stopped_epoch, stopping.wait, best),
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

    let mut untold = auto("mine");
    let error =
        untold.on_epoch_end(&mut model(Sgd::default()), 0, &mut named("mine", 1.0)).unwrap_err();
    assert!(error.to_string().contains("mode"), "{error}");
    let missing =
        untold.on_epoch_end(&mut model(Sgd::default()), 0, &mut named("loss", 1.0)).unwrap_err();
    assert!(
        missing.to_string().contains("mine") && missing.to_string().contains("loss"),
        "{missing}"
    );
}

/// The learning rate of each epoch, and the one behind the last.
fn rates(callback: &mut dyn Callback, values: &[f64]) -> Vec<f64> {
    let mut model = model(Sgd::new(1.0));
    begin(callback, &mut model, values.len(), "val_loss").unwrap();
    let mut rates = vec![];
    for (epoch, value) in values.iter().enumerate() {
        callback.on_epoch_begin(&mut model, epoch).unwrap();
        let mut logs = named("val_loss", *value);
        callback.on_epoch_end(&mut model, epoch, &mut logs).unwrap();
        assert_eq!(logs.iter().filter(|(name, _)| name == "learning_rate").count(), 1);
        rates.push(logs[1].1);
    }
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

#[test]
fn csv_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let logs = |pairs: &[(&str, f64)]| -> Logs {
        pairs.iter().map(|(name, x)| (name.to_string(), *x)).collect()
    };
    let mut model = model(Sgd::default());
    let mut write = |log: &mut CSVLogger, first: usize, rows: &[Logs]| {
        begin(log, &mut model, rows.len(), "loss").unwrap();
        for (epoch, row) in rows.iter().enumerate() {
            log.on_epoch_end(&mut model, first + epoch, &mut row.clone()).unwrap();
            assert!(
                fs::read_to_string(&log.path).unwrap().lines().count() > epoch,
                "written row by row"
            );
        }
        log.on_train_end(&mut model).unwrap();
        fs::read_to_string(&log.path).unwrap()
    };
    let one = logs(&[("loss", 0.5), ("accuracy", 1.0), ("val_loss", 1e-7), ("val_accuracy", 0.25)]);
    let few = logs(&[("loss", 0.125)]);
    let mut log = CSVLogger::new(&path);
    let header = "epoch,accuracy,loss,val_accuracy,val_loss\r\n";
    let whole = format!("{header}0,1.0,0.5,0.25,1e-7\r\n1,NA,0.125,NA,NA\r\n");
    assert_eq!(write(&mut log, 0, &[one.clone(), few.clone()]), whole);
    assert_eq!(
        write(&mut log, 0, &[few]),
        "epoch,loss,val_loss\r\n0,0.125,NA\r\n",
        "replaced; columns without use"
    );
    assert_eq!(
        write(&mut log, 0, std::slice::from_ref(&one)),
        format!("{header}0,1.0,0.5,0.25,1e-7\r\n")
    );
    log.append = true;
    assert_eq!(
        write(&mut log, 1, &[one]),
        format!("{header}0,1.0,0.5,0.25,1e-7\r\n1,1.0,0.5,0.25,1e-7\r\n")
    );
    log.path = folder.path().join("new.csv");
    log.separator = ';';
    assert_eq!(write(&mut log, 0, &[logs(&[("val_loss", 2.0)])]), "epoch;val_loss\r\n0;2.0\r\n");
    log.path = folder.path().join("no/such/log.csv");
    assert!(begin(&mut log, &mut self::model(Sgd::default()), 1, "loss").is_err());
}

#[test]
fn what_callbacks_log_is_recorded_behind_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = CSVLogger::new(folder.path().join("log.csv"));
    let mut model = model(Sgd::new(0.5));
    let callbacks: &mut [&mut dyn Callback] = &mut [&mut ReduceLROnPlateau::default(), &mut log];
    let history = fit(&mut model, 2, callbacks).unwrap();
    let names: Vec<_> = history.values.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["loss", "accuracy", "mae", "val_loss", "val_accuracy", "val_mae", "learning_rate"]
    );
    assert_eq!(history.get("learning_rate").unwrap(), [0.5, 0.5]);
    let text = fs::read_to_string(&log.path).unwrap();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines[0], "epoch,accuracy,learning_rate,loss,mae,val_accuracy,val_loss,val_mae");
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
        fn on_train_end(&mut self, _: &mut Sequential) -> tallynet::Result<()> {
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
        (r#"{"class_name": "Lion", "config": {}}"#, "Lion"),
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

/// Counts the epochs that it is shown, and puts another model in the place of the one that is
/// trained, if it has one.
struct Watcher(Vec<usize>, Option<Sequential>);

impl Callback for Watcher {
    fn on_epoch_begin(&mut self, model: &mut Sequential, epoch: usize) -> tallynet::Result<()> {
        self.0.push(epoch);
        if let Some(other) = self.1.take() {
            *model = other;
        }
        Ok(())
    }
}

#[test]
fn every_fit_counts_from_0_and_another_model_is_refused() {
    let mut watcher = Watcher(vec![], None);
    let mut twice = model(Sgd::default());
    for _ in 0..2 {
        assert_eq!(fit(&mut twice, 2, &mut [&mut watcher]).unwrap().epochs, [0, 1]);
    }
    assert_eq!((watcher.0, twice.epochs_done), (vec![0, 1, 0, 1], 4));
    let mut in_one = model(Sgd::default());
    fit(&mut in_one, 4, &mut []).unwrap();
    assert_eq!(in_one.fingerprint(), twice.fingerprint(), "the order of the rows goes on");

    let other = Sequential::builder([2]).add(Dense::new(300)).build(0).unwrap();
    let error =
        fit(&mut model(Sgd::default()), 2, &mut [&mut Watcher(vec![], Some(other))]).unwrap_err();
    assert!(error.to_string().contains("another model"), "{error}");
}

#[test]
fn what_no_epoch_will_log_is_refused_before_the_first() {
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

/// Adds a number of its own to the logs, and stops within the epoch at the batch that it is told.
struct Own(usize);

impl Callback for Own {
    fn adds(&self) -> &[&'static str] {
        &["f1"]
    }

    fn on_batch_end(&mut self, batch: usize, _: &[String], _: &[f64]) -> Control {
        if batch == self.0 { Control::Stop } else { Control::Continue }
    }

    fn on_epoch_end(
        &mut self,
        _: &mut Sequential,
        _: usize,
        logs: &mut Logs,
    ) -> tallynet::Result<Control> {
        logs.push(("f1".to_string(), 0.5));
        Ok(Control::Continue)
    }
}

#[test]
fn what_a_callback_says_that_it_adds_may_be_watched() {
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
        assert_eq!(model.epochs_done, counted, "stopped behind batch {last}");
    }
}
